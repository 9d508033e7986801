//! Statements of migrations on MariaDB that may be done, or half done, without anybody knowing: they are never
//! done twice in silence.

use crate::migrations::mysql::MysqlMigrations;
use crate::support::program::run;

const FILE: &str = "migrate/20260101000000_doubts.sql";

/// Which step of it is told of.
const WHICH: &str = "WHERE version = '20260101000000' AND number = 1";

/// A migration of `statement`, in a database with three tables.
fn migration_of(statement: &str) -> MysqlMigrations {
    let it = MysqlMigrations::of(&[(FILE, statement)]);
    it.scene
        .execute("CREATE TABLE parent (id int PRIMARY KEY) ENGINE=InnoDB");
    it.scene
        .execute("CREATE TABLE one (a int, b int) ENGINE=InnoDB");
    it.scene
        .execute("CREATE TABLE two (a int, b int) ENGINE=InnoDB");
    it.scene.execute("INSERT INTO one VALUES (1, 1)");
    it.scene.execute("INSERT INTO two VALUES (2, 2)");
    it
}

/// Killed when the server has done the statement, and that is not on record.
fn killed_behind(it: &MysqlMigrations) {
    killed_at(it, "statement to be recorded as done");
}

fn killed_at(it: &MysqlMigrations, point: &str) {
    let mut migrate = it.command(&[]);
    migrate.env("CI_IMPORT_FAILPOINT", format!("kill:{point}"));
    let outcome = run(migrate);
    assert_eq!(outcome.code, None, "{}", outcome.whole());
}

/// How `one` is defined and what is in both.
fn state(it: &MysqlMigrations) -> Vec<String> {
    let mut state = it.scene.values("SHOW CREATE TABLE one");
    for table in ["one", "two"] {
        state.extend(it.scene.values(&format!("SELECT * FROM {table}")));
    }
    state
}

#[test]
fn what_would_be_done_twice_is_for_people_to_decide() {
    for (statement, look) in [
        ("ALTER TABLE one ADD INDEX (a)", "SHOW CREATE TABLE one;"),
        (
            "ALTER TABLE `one` ADD COLUMN IF NOT EXISTS c int, ADD UNIQUE (b)",
            "SHOW CREATE TABLE `one`;",
        ),
        (
            "ALTER TABLE one ADD CONSTRAINT FOREIGN KEY (a) REFERENCES parent (id)",
            "SHOW CREATE TABLE one;",
        ),
        (
            "ALTER TABLE one MODIFY a int UNIQUE",
            "SHOW CREATE TABLE one;",
        ),
        (
            "ALTER TABLE one RENAME COLUMN a TO b, RENAME COLUMN b TO a",
            "SHOW CREATE TABLE one;",
        ),
        // Of tables that are defined alike nothing tells that they are swapped.
        (
            "RENAME TABLE one TO three, two TO one, three TO two",
            "look whether it is done;",
        ),
        (
            "CREATE OR REPLACE TABLE one (a int)",
            "look whether it is done;",
        ),
    ] {
        let it = migration_of(statement);
        if statement.contains("FOREIGN") {
            it.scene.execute("INSERT INTO parent VALUES (1)");
        }
        let before = state(&it);
        killed_behind(&it);
        let done = state(&it);
        assert_ne!(before, done, "{statement}");
        for _ in 0..2 {
            it.migrate(&[])
                .exits(1)
                .says("was begun by a run that was cut, and may be done or not")
                .says(look)
                .says(&format!(
                    "if so, UPDATE ci_import_migration_steps SET state = 'done' {WHICH}"
                ));
            assert_eq!(state(&it), done, "{statement}");
        }
        it.scene.execute(&format!(
            "UPDATE ci_import_migration_steps SET state = 'done' {WHICH}"
        ));
        it.migrate(&[]).succeeds();
        assert_eq!(state(&it), done, "{statement}");
        assert_eq!(it.versions().len(), 1);
    }
}

/// With a name it can be told, by the server's answer.
#[test]
fn what_has_a_name_is_gone_on_with() {
    for statement in [
        "ALTER TABLE one ADD INDEX named (a), MODIFY b bigint",
        "ALTER TABLE one ADD CONSTRAINT named FOREIGN KEY (a) REFERENCES parent (id)",
        "ALTER TABLE one ADD CONSTRAINT named CHECK (a > 0)",
        "ALTER TABLE one ADD COLUMN c int UNIQUE",
        "ALTER TABLE one RENAME COLUMN a TO c",
        "CREATE VIEW seen AS SELECT 1",
        "RENAME TABLE parent TO elder",
    ] {
        let it = migration_of(statement);
        it.scene.execute("INSERT INTO parent VALUES (1)");
        killed_behind(&it);
        let done = state(&it);
        it.migrate(&[])
            .succeeds()
            .says("20260101000000_doubts.sql line 1 was done before");
        assert_eq!(state(&it), done, "{statement}");
    }
}

/// That it fails when it is run again says nothing of the first time; nor does another text in the file.
#[test]
fn a_doubt_is_not_forgotten() {
    let it = migration_of("ALTER TABLE one ADD INDEX named (a)");
    killed_behind(&it);
    let mut holder = it.scene.conn();
    mysql::prelude::Queryable::query_drop(&mut holder, "LOCK TABLES one WRITE").unwrap();
    it.migrate(&["--lock-timeout", "1", "--lock-retries", "0"])
        .exits(1)
        .says("Lock wait timeout exceeded")
        .says("SHOW CREATE TABLE one");
    drop(holder);
    it.write(FILE, "ALTER TABLE one ADD INDEX other (a)");
    it.migrate(&[])
        .exits(1)
        .says("this statement was begun as another one by a run that was cut, and the file has changed since");
    it.write(FILE, "ALTER TABLE one ADD INDEX named (a)");
    it.migrate(&[]).succeeds().says("line 1 was done before");
}

/// What is done in a table without transactions stays; the record says that it was begun.
#[test]
fn rows_without_transactions_are_not_changed_twice() {
    let insert = "INSERT INTO one VALUES (8, 8);\nINSERT INTO `Notes` VALUES (1), (2);\nINSERT INTO one VALUES (9, 9);";
    let it = migration_of(insert);
    it.scene
        .execute("CREATE TABLE Notes (n int PRIMARY KEY) ENGINE=MyISAM");
    let notes = || it.scene.values("SELECT n FROM Notes");
    let ones = || it.scene.values("SELECT a FROM one ORDER BY a");
    killed_behind(&it);
    assert_eq!(notes(), ["1", "2"]);
    it.migrate(&[])
        .exits(1)
        .says("line 2: Notes has no transactions (MyISAM): what is done in it cannot be undone")
        .says("line 2: INSERT INTO `Notes` VALUES … was begun by a run that was cut, and may be done, in part, or not");
    it.migrate(&["status"]).succeeds().reports(
        "it was being run: 1 of 3 statements are done; it goes on with line 2, which was begun",
    );
    let which = WHICH.replace("number = 1", "number = 2");
    it.scene.execute(&format!(
        "UPDATE ci_import_migration_steps SET state = 'done' {which}"
    ));
    it.migrate(&[]).succeeds();
    assert_eq!((notes().len(), ones().len()), (2, 3));
    // One that fails in the middle has done a part.
    let second = "migrate/20260102000000_second.sql";
    it.write(second, "INSERT INTO Notes VALUES (3), (1), (4)");
    it.migrate(&[])
        .exits(1)
        .says("a key is there twice: PRIMARY (1062)")
        .says("hint: tables without transactions, such as MyISAM's, keep what was changed in them");
    assert_eq!(notes(), ["1", "2", "3"]);
    it.migrate(&[])
        .exits(1)
        .says("may be done, in part, or not");
    assert_eq!(notes(), ["1", "2", "3"]);
    // One that has done nothing is run again.
    it.scene.execute("DELETE FROM Notes WHERE n <> 3");
    it.scene.execute("DELETE FROM ci_import_migration_steps");
    it.write(second, "INSERT INTO Notes VALUES (3)");
    it.migrate(&[])
        .exits(1)
        .says("hint: nothing of it is there");
    it.scene.execute("DELETE FROM Notes");
    it.migrate(&[]).succeeds();
    assert_eq!(notes(), ["3"]);
}

/// Not even where no statement names it.
#[test]
fn what_a_trigger_does_without_transactions_is_told() {
    let it = migration_of("INSERT INTO one VALUES (3, 3); INSERT INTO one VALUES (4, 1/nothing)");
    it.scene.execute("CREATE TABLE log (n int) ENGINE=MyISAM");
    it.scene.execute(
        "CREATE TRIGGER logs AFTER INSERT ON one FOR EACH ROW INSERT INTO log VALUES (NEW.a)",
    );
    it.migrate(&[])
        .exits(1)
        .says("Unknown column 'nothing'")
        .says("hint: tables without transactions");
    assert_eq!(it.scene.values("SELECT a FROM one"), ["1"]);
}

#[test]
fn versions_are_recorded_with_what_was_done_or_not_at_all() {
    let it = migration_of("INSERT INTO one VALUES (2, 2)");
    it.scene.execute(
        "CREATE TABLE schema_migrations (version varchar(255) NOT NULL,
           UNIQUE KEY unique_schema_migrations (version)) ENGINE=MyISAM",
    );
    it.migrate(&[])
        .exits(4)
        .says("schema_migrations is a table of MyISAM, which has no transactions")
        .says("hint: ALTER TABLE schema_migrations ENGINE=InnoDB");
    assert_eq!(it.scene.values("SELECT a FROM one"), ["1"]);
    it.scene
        .execute("ALTER TABLE schema_migrations ENGINE=InnoDB");
    it.migrate(&[]).succeeds();
    assert_eq!(it.versions().len(), 1);
}

#[test]
fn in_mysql_a_schema_is_the_database() {
    let it = migration_of("SELECT 1");
    it.migrate(&["--schema", "other"])
        .exits(2)
        .says("--schema other: in MySQL a schema is a database, and the target is");
    let live = it.scene.databases.live.clone();
    it.migrate(&["--schema", &live]).succeeds();
}

/// A text that the server would take for another one.
#[test]
fn the_text_is_utf8() {
    let it = migration_of("SET NAMES latin1; INSERT INTO one VALUES (2, 2)");
    it.migrate(&[])
        .exits(1)
        .says("line 1: the text of a migration is UTF-8");
}
