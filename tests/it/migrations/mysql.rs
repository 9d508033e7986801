//! `ci-import migrate` on MariaDB, where no transaction holds definitions: which migrations are run, what
//! is recorded, and where one goes on that has failed or was killed.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::mysql_scene::MysqlScene;
use crate::support::paused::Paused;
use crate::support::program::{Outcome, command, finish, run};
use crate::support::servers::{expect_success, mariadb_program};

/// A database with a folder of migrations.
pub(crate) struct MysqlMigrations {
    pub(crate) scene: MysqlScene,
}

impl MysqlMigrations {
    /// Those of `files`, paths and contents, with an empty database.
    pub(crate) fn of(files: &[(&str, &str)]) -> MysqlMigrations {
        let it = MysqlMigrations {
            scene: MysqlScene::bare(),
        };
        fs::create_dir(it.scene.path("db")).unwrap();
        for (path, text) in files {
            it.write(path, text);
        }
        it
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.scene.path("db").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut it = migrate_command(&self.scene, arguments);
        it.arg("--migrations").arg(self.scene.path("db"));
        it
    }

    pub(crate) fn migrate(&self, arguments: &[&str]) -> Outcome {
        run(self.command(arguments))
    }

    /// Runs it until it is killed at `point`.
    fn killed_at(&self, point: &str) {
        let mut migrate = self.command(&[]);
        migrate.env("CI_IMPORT_FAILPOINT", format!("kill:{point}"));
        let outcome = run(migrate);
        assert_eq!(outcome.code, None, "{point}: {}", outcome.whole());
    }

    pub(crate) fn versions(&self) -> Vec<String> {
        self.scene
            .values("SELECT version FROM schema_migrations ORDER BY 1")
    }

    fn tables(&self) -> Vec<String> {
        let database = &self.scene.databases.live;
        self.scene.values(&format!(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = '{database}' ORDER BY 1"
        ))
    }
}

/// `migrate` with `arguments` in the database of `scene`.
pub(crate) fn migrate_command(scene: &MysqlScene, arguments: &[&str]) -> Command {
    let mut it = command(["migrate"]);
    it.args(arguments)
        .args(["--database-url", &scene.stage().url]);
    it
}

/// Both folders, in the order of the versions.
const STORY: [(&str, &str); 3] = [
    (
        "migrate/20260101000000_create_log.sql",
        "CREATE TABLE log (n int AUTO_INCREMENT PRIMARY KEY, what text) ENGINE=InnoDB;
         INSERT INTO log (what) VALUES ('one');
         -- migrate:down
         DROP TABLE log;",
    ),
    (
        "post_migrate/20260102000000_second.sql",
        r"INSERT INTO log (what) VALUES ('two; it\'s two')",
    ),
    (
        "migrate/20260103000000_third.sql",
        "-- migrate:up
         CREATE TRIGGER twice BEFORE INSERT ON log FOR EACH ROW BEGIN
           IF NEW.what = 'x' THEN SET NEW.what = 'xx'; END IF;
         END;
         INSERT INTO log (what) VALUES ('x');
         -- migrate:down
         DELETE FROM log WHERE what = 'xx'; -- and nothing else
         DROP TRIGGER twice;",
    ),
];

#[test]
fn both_folders_run_in_the_order_of_the_versions() {
    let it = MysqlMigrations::of(&STORY);
    let mut first = it.command(&[]);
    first.env("SKIP_POST_DEPLOYMENT_MIGRATIONS", "false");
    run(first)
        .succeeds()
        .says("migrating 20260101000000 create_log")
        .reports("20260102000000 second: left for after the deployment");
    assert_eq!(it.versions(), ["20260101000000", "20260103000000"]);
    it.migrate(&[])
        .succeeds()
        .reports("20260102000000 second: migrated in");
    let log = || it.scene.values("SELECT what FROM log ORDER BY n");
    assert_eq!(log(), ["one", "xx", "two; it's two"]);
    it.migrate(&[]).succeeds().reports("nothing is pending");
    it.migrate(&["down"])
        .succeeds()
        .reports("20260103000000 third: reverted in");
    assert_eq!(log(), ["one", "two; it's two"]);
    it.migrate(&["up", "20260103000000"]).succeeds();
    it.migrate(&["up", "20260103000000"])
        .succeeds()
        .reports("was migrated before");
    assert_eq!(log(), ["one", "two; it's two", "xx"]);
    // What statements were done is nobody's concern any more.
    assert_eq!(it.tables(), ["log", "schema_migrations"]);
}

/// The shape of the table that Rails made, and rows that are no times.
#[test]
fn the_table_of_rails_is_read_and_extended_as_it_is() {
    let it = MysqlMigrations::of(&STORY);
    // As ActiveRecord 4.1 makes it.
    it.scene.execute(
        "CREATE TABLE `schema_migrations` (`version` varchar(255) NOT NULL) ENGINE=InnoDB",
    );
    it.scene.execute(
        "CREATE UNIQUE INDEX `unique_schema_migrations`  ON `schema_migrations` (`version`)",
    );
    it.scene.execute(
        "INSERT INTO schema_migrations VALUES ('20150920010715'), ('20260101000000'), ('1')",
    );
    it.scene
        .execute("CREATE TABLE log (n int AUTO_INCREMENT PRIMARY KEY, what text)");
    let shape = |it: &MysqlMigrations| it.scene.values("SHOW CREATE TABLE schema_migrations");
    let before = shape(&it);
    it.migrate(&["status"])
        .succeeds()
        .reports("2 other versions");
    it.migrate(&[]).succeeds();
    assert_eq!(shape(&it), before);
    let all = [
        "1",
        "20150920010715",
        "20260101000000",
        "20260102000000",
        "20260103000000",
    ];
    assert_eq!(it.versions(), all);
    // Where there was none, the same one is made.
    let other = MysqlMigrations::of(&STORY);
    other.migrate(&[]).succeeds();
    assert_eq!(shape(&other), before);
    let foreign = MysqlMigrations::of(&STORY);
    foreign
        .scene
        .execute("CREATE TABLE schema_migrations (version bigint)");
    foreign
        .migrate(&[])
        .exits(4)
        .says("is not the table of migrations that Rails makes");
}

/// What is printed does the same in the client `mariadb`.
#[test]
fn a_dry_run_prints_the_sql_and_changes_nothing() {
    let (it, other) = (MysqlMigrations::of(&STORY), MysqlMigrations::of(&STORY));
    let sql = it.migrate(&["--dry-run"]).succeeds().stdout;
    assert!(it.tables().is_empty());
    let table = "CREATE TABLE schema_migrations (version varchar(255) NOT NULL,
                   UNIQUE KEY unique_schema_migrations (version)) ENGINE=InnoDB";
    it.scene.execute(table);
    let file = it.scene.path("dry-run.sql");
    fs::write(&file, sql).unwrap();
    let mut client = mariadb_program("mariadb");
    let input = fs::File::open(file).unwrap();
    expect_success(
        &client
            .arg(&it.scene.databases.live)
            .stdin(input)
            .output()
            .unwrap(),
    );
    other.migrate(&[]).succeeds();
    let state = |it: &MysqlMigrations| {
        let log = it.scene.values("SELECT * FROM log ORDER BY n");
        (it.tables(), it.versions(), log)
    };
    assert_eq!(state(&it), state(&other));
}

/// Definitions, and rows between them: all that may be cut in the middle.
const SEVERAL: [(&str, &str); 2] = [
    (
        "migrate/20260101000000_several.sql",
        "SET @what = 'set';
         CREATE TABLE effects (n int AUTO_INCREMENT PRIMARY KEY, what text) ENGINE=InnoDB;
         INSERT INTO effects (what) VALUES ('first');
         INSERT INTO effects (what) VALUES (@what);
         ALTER TABLE effects ADD COLUMN more int NOT NULL DEFAULT 7, ADD INDEX by_more (more);
         CREATE PROCEDURE p() BEGIN INSERT INTO effects (what) VALUES ('called'); END;
         ALTER TABLE effects RENAME COLUMN more TO most;
         RENAME TABLE effects TO moved;
         UPDATE moved SET most = most + 1;
         CREATE TABLE gone (a int); DROP TABLE gone;
         DROP PROCEDURE p;",
    ),
    (
        "post_migrate/20260102000000_rows.sql",
        "INSERT INTO moved (what) VALUES ('last'); UPDATE moved SET most = most + 1;",
    ),
];

/// Each effect is there once, and nothing else.
fn assert_once(it: &MysqlMigrations, what: &str) {
    assert_eq!(
        // A transaction that is rolled back leaves gaps in n.
        it.scene.values("SELECT what, most FROM moved ORDER BY n"),
        ["first|9", "set|9", "last|8"],
        "{what}"
    );
    assert_eq!(it.tables(), ["moved", "schema_migrations"], "{what}");
    assert_eq!(
        it.versions(),
        ["20260101000000", "20260102000000"],
        "{what}"
    );
    let live = &it.scene.databases.live;
    let routines = it.scene.values(&format!(
        "SELECT routine_name FROM information_schema.routines WHERE routine_schema = '{live}'"
    ));
    assert!(routines.is_empty(), "{what}: {routines:?}");
}

/// At each of its points, and once more where it goes on.
#[test]
fn killed_in_the_middle_it_goes_on_where_it_stopped() {
    let probe = MysqlMigrations::of(&SEVERAL);
    let log = probe.scene.path("points");
    let mut migrate = probe.command(&[]);
    migrate.env("CI_IMPORT_FAILPOINT_LOG", &log);
    run(migrate).succeeds();
    assert_once(&probe, "not killed");
    let points = fs::read_to_string(&log).unwrap();
    let count = points.lines().count();
    assert!(count >= 40, "{points}");
    for hit in 1..=count {
        let it = MysqlMigrations::of(&SEVERAL);
        it.killed_at(&format!("#{hit}"));
        let point = points.lines().nth(hit - 1).unwrap();
        let what = format!("killed at {hit}, {point}");
        if hit % 3 == 0 {
            // The one that goes on is killed as well, if it comes so far.
            let mut again = it.command(&[]);
            again.env("CI_IMPORT_FAILPOINT", "kill:statement run");
            run(again);
        }
        let outcome = it.migrate(&[]);
        assert_eq!(outcome.code, Some(0), "{what}\n{}", outcome.whole());
        assert_once(&it, &what);
    }
}

#[test]
fn a_failure_names_what_is_done_and_what_is_not() {
    let it = MysqlMigrations::of(&[(
        "migrate/20260101000000_wrong.sql",
        "CREATE TABLE t (a int PRIMARY KEY) ENGINE=InnoDB;\n\
         INSERT INTO t VALUES (1);\nALTER TABLE t ADD b int;\n\
         INSERT INTO t VALUES (2, 2);\n# a comment;\nUPDATE t\n   SET nothing = 1;\nDROP TABLE t",
    )]);
    it.migrate(&[])
        .exits(1)
        .says("20260101000000_wrong.sql line 6: cannot run UPDATE t SET nothing = …: Unknown column 'nothing'")
        .says("hint: it stays pending; 3 statements before this one are done, and are not run again");
    assert!(it.versions().is_empty());
    // Of a transaction nothing is there.
    assert_eq!(it.scene.values("SELECT * FROM t"), ["1|~"]);
    let status = it.migrate(&["status"]).succeeds().stdout;
    assert!(status.contains("begun     migrate"), "{status}");
    assert!(
        status.contains("it was being run: 3 of 6 statements are done; it goes on with line 4\n"),
        "{status}"
    );
    let json = it.migrate(&["status", "--json"]).succeeds().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["migrations"][0]["left"]["statements_done"], 3);
    assert_eq!(json["migrations"][0]["left"]["next_line"], 4);
    let rest = it.migrate(&["--dry-run"]).succeeds().stdout;
    assert!(
        rest.contains("-- 3 of its statements are done") && !rest.contains("CREATE TABLE"),
        "{rest}"
    );
    // What is done may not be another now; what is not may.
    let changed = "CREATE TABLE t (a int);\nINSERT INTO t VALUES (1);\nALTER TABLE t ADD b int;\nDROP TABLE t";
    it.write("migrate/20260101000000_wrong.sql", changed);
    it.migrate(&[])
        .exits(1)
        .says("20260101000000_wrong.sql line 1: statement 1 of 20260101000000 wrong was done as another one, and the file has changed since")
        .says("DELETE FROM ci_import_migration_steps WHERE version = '20260101000000'");
    let mended = "CREATE TABLE t (a int PRIMARY KEY) ENGINE=InnoDB;\n\
         INSERT INTO t VALUES (1);\nALTER TABLE t ADD b int;\nUPDATE t SET b = 3";
    it.write("migrate/20260101000000_wrong.sql", mended);
    it.migrate(&[]).succeeds();
    assert_eq!(it.scene.values("SELECT * FROM t"), ["1|3"]);
    assert_eq!(it.tables(), ["schema_migrations", "t"]);
}

/// What is there already was not made by a run that had not come to it.
#[test]
fn what_others_have_made_is_not_taken_for_done() {
    let it = MysqlMigrations::of(&[(
        "migrate/20260101000000_add.sql",
        "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x')",
    )]);
    it.scene.execute("CREATE TABLE t (a int)");
    it.migrate(&[]).exits(1).says("Table 't' already exists");
    // Begun, but killed before it was sent.
    it.killed_at("statement on record as begun");
    it.migrate(&[]).exits(1).says("Table 't' already exists");
    it.scene.execute("DROP TABLE t");
    it.migrate(&[]).succeeds();
}

/// A call may have done anything.
#[test]
fn what_cannot_be_told_is_for_people_to_decide() {
    for was_done in [true, false] {
        let it = MysqlMigrations::of(&[(
            "migrate/20260101000000_calls.sql",
            "CREATE TABLE t (a int) ENGINE=InnoDB;
             CREATE PROCEDURE p() INSERT INTO t VALUES (1);
             CALL p();
             DROP PROCEDURE p",
        )]);
        let mut migrate = it.command(&[]);
        let log = it.scene.path("points");
        migrate.env("CI_IMPORT_FAILPOINT_LOG", &log);
        run(migrate).succeeds();
        let points = fs::read_to_string(&log).unwrap();
        let point = if was_done {
            "statement run"
        } else {
            "statement on record as begun"
        };
        let of_call = points
            .lines()
            .enumerate()
            .filter(|(_, line)| *line == point);
        let of_call = of_call.map(|(index, _)| index + 1).nth(2).unwrap();
        it.scene.execute("DROP TABLE t");
        it.scene.execute("DROP TABLE schema_migrations");
        it.killed_at(&format!("#{of_call}"));
        for _ in 0..2 {
            it.migrate(&[])
                .exits(1)
                .says("20260101000000_calls.sql line 3: CALL p() was begun by a run that was cut, and may be done or not");
        }
        it.migrate(&["status"])
            .succeeds()
            .reports("2 of 4 statements are done; it goes on with line 3, which was begun");
        let which = "WHERE version = '20260101000000' AND number = 3";
        it.scene.execute(&if was_done {
            format!("UPDATE ci_import_migration_steps SET state = 'done' {which}")
        } else {
            format!("DELETE FROM ci_import_migration_steps {which}")
        });
        it.migrate(&[]).succeeds();
        assert_eq!(it.scene.values("SELECT a FROM t"), ["1"]);
    }
}

#[test]
fn a_migration_that_is_undone_goes_on_as_well() {
    let it = MysqlMigrations::of(&[(
        "migrate/20260101000000_two.sql",
        "CREATE TABLE a (x int); CREATE TABLE b (x int);
         -- migrate:down
         DROP TABLE b;
         DROP TABLE a;",
    )]);
    it.migrate(&[]).succeeds();
    let mut down = it.command(&["down"]);
    down.env("CI_IMPORT_FAILPOINT", "kill:statement on record as done");
    assert_eq!(run(down).code, None);
    assert_eq!(it.versions().len(), 1);
    it.migrate(&["status"])
        .succeeds()
        .reports("it was being undone: 1 of 2 statements are done; it goes on with line 4");
    it.migrate(&["down"]).succeeds();
    assert_eq!(it.tables(), ["schema_migrations"]);
    assert!(it.versions().is_empty());
}

/// Each begins as if it were the first.
#[test]
fn what_one_sets_the_next_does_not_see() {
    let it = MysqlMigrations::of(&[
        (
            "migrate/20260101000000_sets.sql",
            "SET @a = 1; SET SESSION sql_mode = ''; SET foreign_key_checks = 0; USE mysql; SELECT 1",
        ),
        (
            "migrate/20260102000000_looks.sql",
            "CREATE TABLE found AS SELECT @a IS NULL AS gone, @@foreign_key_checks AS checks,
               @@sql_mode = '' AS mode",
        ),
    ]);
    it.migrate(&[]).succeeds();
    assert_eq!(it.scene.values("SELECT * FROM found"), ["1|1|0"]);
}

#[test]
fn files_that_are_wrong_are_named_before_anything_is_touched() {
    for (text, message) in [
        (
            "SELECT 'a\\'",
            "20260105000000_x.sql: line 1: a string has no end",
        ),
        (
            "DELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END//\nDELIMITER ;",
            "DELIMITER is a command of the client mysql",
        ),
        ("SELECT 1;\nCOMMIT;", "line 2: COMMIT has no place"),
        (
            "SELECT 1\\G",
            "commands of the client mysql are not known here",
        ),
        (
            "CREATE TEMPORARY TABLE t (a int)",
            "a temporary table is gone",
        ),
        (
            "SELECT 1;\n--migrate:down\nSELECT 2",
            "line 2: in MySQL a comment has a blank",
        ),
    ] {
        let it = MysqlMigrations::of(&STORY);
        it.write("migrate/20260105000000_x.sql", text);
        it.migrate(&[]).exits(1).says(message);
        assert!(it.tables().is_empty());
    }
}

/// As long as a step takes that two who migrate would both begin.
const SLOW: [(&str, &str); 2] = [
    (
        "migrate/20260101000000_one.sql",
        "CREATE TABLE log (n int AUTO_INCREMENT PRIMARY KEY, what text); DO SLEEP(0.7); INSERT INTO log (what) VALUES ('one')",
    ),
    (
        "migrate/20260102000000_two.sql",
        "DO SLEEP(0.3); INSERT INTO log (what) VALUES ('two')",
    ),
];

#[test]
fn several_that_migrate_at_once_run_each_migration_once() {
    let it = MysqlMigrations::of(&SLOW);
    let runs: Vec<_> = (0..4)
        .map(|_| it.command(&["--json"]).spawn().unwrap())
        .collect();
    let (mut ran, mut waited) = (Vec::new(), 0);
    for child in runs {
        let outcome = finish(child, "migrate --json".to_owned()).succeeds();
        waited += usize::from(
            outcome
                .stderr
                .contains("another run migrates this database"),
        );
        let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        ran.push(report["migrations"].as_array().unwrap().len());
    }
    ran.sort_unstable();
    // One did all of it, the others found nothing to do when they got to it.
    assert_eq!(ran, [0, 0, 0, 2]);
    assert_eq!(waited, 3);
    assert_eq!(
        it.scene.values("SELECT what FROM log ORDER BY n"),
        ["one", "two"]
    );
    assert_eq!(it.versions().len(), 2);
}

/// Who is killed while the server still works for it holds others off until that has ended.
#[test]
fn killed_while_the_server_works() {
    let it = MysqlMigrations::of(&[(
        "migrate/20260101000000_slow.sql",
        "CREATE TABLE log (n int) AS SELECT SLEEP(1.5) AS n",
    )]);
    let mut child = it.command(&[]).spawn().unwrap();
    wait_for_statement(&it, "CREATE TABLE log%");
    child.kill().unwrap();
    child.wait().unwrap();
    it.migrate(&[])
        .succeeds()
        .says("a statement of a run that is no more still works; waiting for its end")
        .says("20260101000000_slow.sql line 1 was done before");
    assert_eq!(it.scene.values("SELECT n FROM log"), ["0"]);
    assert_eq!(it.versions().len(), 1);
}

fn wait_for_statement(it: &MysqlMigrations, pattern: &str) {
    let live = &it.scene.databases.live;
    let sql = format!(
        "SELECT count(*) FROM information_schema.processlist WHERE db = '{live}' AND info LIKE '{pattern}'"
    );
    let started = Instant::now();
    while it.scene.values(&sql) != ["1"] {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "{pattern} never runs"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// CHECKs are seen in no other way than by their names.
#[test]
fn a_check_that_was_added_is_not_added_again() {
    let it = MysqlMigrations::of(&[(
        "migrate/20260101000000_check.sql",
        "ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0);
         INSERT INTO t VALUES (1);",
    )]);
    it.scene.execute("CREATE TABLE t (a int)");
    it.killed_at("statement to be recorded as done");
    it.migrate(&[]).succeeds().says("line 1 was done before");
    assert_eq!(it.scene.values("SELECT a FROM t"), ["1"]);
}

#[test]
fn a_signal_cancels_the_statement_that_runs() {
    for (text, tables) in [
        ("SELECT SLEEP(60)", &["schema_migrations"][..]),
        (
            "CREATE TABLE t (a int); CREATE TABLE u AS SELECT SLEEP(60)",
            &["ci_import_migration_steps", "schema_migrations", "t"],
        ),
    ] {
        let it = MysqlMigrations::of(&[("migrate/20260101000000_slow.sql", text)]);
        let child = it.command(&[]).spawn().unwrap();
        wait_for_statement(&it, "%SLEEP(60)");
        let started = Instant::now();
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, Signal::TERM).unwrap();
        finish(child, text.to_owned())
            .exits(130)
            .says("what was not done yet stays pending");
        assert!(started.elapsed() < Duration::from_secs(20));
        assert_eq!(it.tables(), tables);
        assert!(it.versions().is_empty());
    }
    // Also while it waits for its turn.
    let it = MysqlMigrations::of(&SLOW);
    let holder = Paused::at(it.command(&[]), "lock of migrations taken");
    let waiting = it.command(&[]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let pid = rustix::process::Pid::from_child(&waiting);
    rustix::process::kill_process(pid, Signal::INT).unwrap();
    finish(waiting, "waiting".to_owned()).exits(130);
    holder.finish().succeeds();
}

/// A session holds the table for long; a migration needs it alone. Others who only read it are held up
/// while it waits, and not in the pauses; when the table is free the migration goes through.
#[test]
fn others_are_not_held_up_longer_than_the_lock_timeout() {
    use mysql::prelude::Queryable;

    const TIMEOUT: Duration = Duration::from_secs(1);
    let it = MysqlMigrations::of(&[(
        "migrate/20260101000000_drop.sql",
        "ALTER TABLE busy DROP COLUMN b",
    )]);
    it.scene
        .execute("CREATE TABLE busy (a int, b int) ENGINE=InnoDB");
    let mut holder = it.scene.conn();
    holder.query_drop("START TRANSACTION").unwrap();
    holder.query_drop("SELECT a FROM busy").unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    let (longest, outcome) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut conn = it.scene.conn();
            let mut longest = Duration::ZERO;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let started = Instant::now();
                conn.query_drop("SELECT a FROM busy").unwrap();
                longest = longest.max(started.elapsed());
                std::thread::sleep(Duration::from_millis(1));
            }
            longest
        });
        let arguments = ["--lock-timeout", "1000", "--lock-retries", "30"];
        let migrate = it.command(&arguments).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(5));
        holder.query_drop("COMMIT").unwrap();
        // What fails now fails when the reader has been told to end.
        let outcome = finish(migrate, "migrate".to_owned());
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        (reader.join().unwrap(), outcome)
    });
    let outcome = outcome.succeeds();
    // It did stand in the queue behind the migration; a busy machine takes its time beyond that.
    assert!(longest > TIMEOUT / 2, "{longest:?}");
    assert!(longest < 2 * TIMEOUT, "{longest:?}");
    outcome
        .says("others hold what it needs; again in 0.1 s")
        .says("again in 0.2 s");
    assert_eq!(it.versions().len(), 1);
    // One that is never free is given up.
    it.write("migrate/20260102000000_drop.sql", "DROP TABLE busy");
    holder.query_drop("START TRANSACTION").unwrap();
    holder.query_drop("SELECT a FROM busy").unwrap();
    it.migrate(&["--lock-timeout", "50", "--lock-retries", "1"])
        .exits(1)
        .says("cannot run DROP TABLE busy: Lock wait timeout exceeded")
        .says("wait longer with --lock-timeout");
    assert_eq!(it.versions().len(), 1);
    holder.query_drop("ROLLBACK").unwrap();
    it.migrate(&[]).succeeds();
}
