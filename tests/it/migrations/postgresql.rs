//! `ci-import migrate` and `generate`: which migrations are run, in which order, what is recorded and
//! what is told. A folder of migrations and a database each.

use std::fs;
use std::process::Command;

use crate::support::program::{Outcome, command, run};
use crate::support::scene::Scene;
use crate::support::state::pg_dump;

/// A scene with a folder of migrations.
pub(crate) struct Migrations {
    pub(crate) scene: Scene,
}

impl Migrations {
    /// Those of `files`, paths and contents, with an empty database.
    pub(crate) fn of(files: &[(&str, &str)]) -> Migrations {
        let it = Migrations {
            scene: Scene::bare(),
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

    /// What of the database is seen by pg_dump, but for the versions.
    fn dump(&self) -> String {
        pg_dump(&self.scene, &["--exclude-table=schema_migrations"])
    }

    pub(crate) fn versions(&self) -> Vec<String> {
        self.scene
            .values("SELECT version FROM schema_migrations ORDER BY 1")
    }
}

/// `migrate` with `arguments` in the database of `scene`.
pub(crate) fn migrate_command(scene: &Scene, arguments: &[&str]) -> Command {
    let mut it = command(["migrate"]);
    it.args(arguments).args(["--database-url", &scene.url()]);
    it
}

/// Both folders, in the order of the versions.
const STORY: [(&str, &str); 3] = [
    (
        "migrate/20260101000000_create_log.sql",
        "CREATE TABLE log (n serial, what text); INSERT INTO log (what) VALUES ('one');
         -- migrate:down
         DROP TABLE log;",
    ),
    (
        "post_migrate/20260102000000_second.sql",
        "INSERT INTO log (what) VALUES ('two; still two')",
    ),
    (
        "migrate/20260103000000_third.sql",
        "-- migrate:up
         DO $body$ BEGIN INSERT INTO log (what) VALUES ($$three;$$); END $body$;
         -- migrate:down
         DELETE FROM log WHERE what = 'three;'; -- and nothing else",
    ),
];

#[test]
fn both_folders_run_in_the_order_of_the_versions() {
    let it = Migrations::of(&STORY);
    it.migrate(&[])
        .succeeds()
        .says("migrating 20260101000000 create_log")
        .reports("20260102000000 second: migrated in");
    let log = "SELECT what FROM log ORDER BY n";
    assert_eq!(it.scene.values(log), ["one", "two; still two", "three;"]);
    assert_eq!(
        it.versions(),
        ["20260101000000", "20260102000000", "20260103000000"]
    );
    it.migrate(&[]).succeeds().reports("nothing is pending");
    // One that was written before others, and came later, is run as well.
    it.write(
        "migrate/20251231000000_late.sql",
        "INSERT INTO log (what) VALUES ('late')",
    );
    it.migrate(&["--quiet"]).succeeds();
    assert_eq!(it.scene.values(log).len(), 4);
}

#[test]
fn post_deployment_migrations_can_be_left_for_later() {
    for by_option in [true, false] {
        let it = Migrations::of(&STORY);
        let mut first = it.command(&[]);
        if by_option {
            first.arg("--skip-post-deployment");
        } else {
            // As with GitLab, whatever it says.
            first.env("SKIP_POST_DEPLOYMENT_MIGRATIONS", "false");
        }
        run(first)
            .succeeds()
            .reports("20260102000000 second: left for after the deployment");
        assert_eq!(it.versions(), ["20260101000000", "20260103000000"]);
        let status = it.migrate(&["status"]).succeeds().stdout;
        let second = status.lines().find(|line| line.contains("second")).unwrap();
        assert!(
            second.starts_with("pending   post_migrate  20260102000000  2026-01-02 00:00:00"),
            "{status}"
        );
        let mut again = it.command(&[]);
        again.env("SKIP_POST_DEPLOYMENT_MIGRATIONS", "");
        run(again).succeeds();
        let log = it.scene.values("SELECT what FROM log ORDER BY n");
        assert_eq!(log, ["one", "three;", "two; still two"]);
    }
}

#[test]
fn one_up_one_down() {
    let it = Migrations::of(&STORY);
    it.migrate(&["up", "20260101000000"]).succeeds();
    it.migrate(&["up", "20260101000000"])
        .succeeds()
        .reports("was migrated before");
    assert_eq!(it.versions(), ["20260101000000"]);
    it.migrate(&["down", "20260103000000"])
        .exits(2)
        .says("20260103000000 third was not run");
    it.migrate(&["up", "20260104000000"])
        .exits(2)
        .says("there is no migration 20260104000000");
    it.migrate(&[]).succeeds();
    it.migrate(&["down"])
        .succeeds()
        .reports("20260103000000 third: reverted in");
    assert_eq!(it.scene.value("SELECT count(*) FROM log"), "2");
    it.migrate(&["down"])
        .exits(2)
        .says("post_migrate/20260102000000_second.sql does not say how to undo it");
    it.migrate(&["down", "20260101000000"]).succeeds();
    assert_eq!(it.versions(), ["20260102000000"]);
    assert_eq!(it.scene.value("SELECT to_regclass('log')"), "~");
}

/// What is printed does the same in psql.
#[test]
fn a_dry_run_prints_the_sql_and_changes_nothing() {
    let it = Migrations::of(&STORY);
    let sql = it.migrate(&["--dry-run"]).succeeds().stdout;
    assert_eq!(
        it.scene.value("SELECT to_regclass('schema_migrations')"),
        "~"
    );
    assert!(sql.contains("SET LOCAL lock_timeout = 1000;"), "{sql}");
    let other = Migrations::of(&STORY);
    for scene in [&it.scene, &other.scene] {
        let table = "CREATE TABLE schema_migrations (version varchar NOT NULL);
                     CREATE UNIQUE INDEX unique_schema_migrations ON schema_migrations (version)";
        scene.connect().batch_execute(table).unwrap();
    }
    it.scene.connect().batch_execute(&sql).unwrap();
    other.migrate(&[]).succeeds();
    assert_eq!(it.dump(), other.dump());
    assert_eq!(it.versions(), other.versions());
    let down = it.migrate(&["down", "--dry-run"]).succeeds().stdout;
    assert!(down.contains("DELETE FROM log WHERE what = 'three;';\nDELETE FROM \"public\".\"schema_migrations\" WHERE version = '20260103000000';"), "{down}");
    assert_eq!(it.versions().len(), 3);
}

#[test]
fn a_failure_names_file_line_and_statement_and_leaves_nothing() {
    let it = Migrations::of(&STORY);
    it.write(
        "migrate/20260102120000_wrong.sql",
        "INSERT INTO log (what) VALUES ('gone');\n-- a comment;\n\nUPDATE log\n   SET what = 'x',\n   nothing = 1;\n",
    );
    it.migrate(&[])
        .exits(1)
        .says("migrate/20260102120000_wrong.sql line 6: cannot run UPDATE log SET what = …: column \"nothing\"")
        .says("hint: nothing of it is there; it stays pending");
    let deferred = "CREATE TABLE parent (id int PRIMARY KEY);
         CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
         INSERT INTO child VALUES (1)";
    it.write("migrate/20260102120000_wrong.sql", deferred);
    it.migrate(&[])
        .exits(1)
        .says("cannot commit 20260102120000 wrong: insert or update on table \"child\"");
    // What came before it stays done, what comes after it waits.
    assert_eq!(it.versions(), ["20260101000000", "20260102000000"]);
    assert_eq!(
        it.scene.values("SELECT what FROM log"),
        ["one", "two; still two"]
    );
    it.write(
        "migrate/20260102120000_wrong.sql",
        "UPDATE log SET what = 'x'",
    );
    it.migrate(&[]).succeeds();
    assert_eq!(it.versions().len(), 4);
}

#[test]
fn what_must_not_be_in_a_transaction() {
    let it = Migrations::of(&STORY);
    let index = "CREATE INDEX CONCURRENTLY i ON log (n);";
    it.write("migrate/20260104000000_index.sql", index);
    it.migrate(&[])
        .exits(1)
        .says("line 1: cannot run CREATE INDEX CONCURRENTLY i ON log (n)")
        .says("-- migrate:no-transaction has it run outside");
    let marked = format!(
        "-- migrate:no-transaction\nINSERT INTO log (what) VALUES ('a');\n{index}\nSELECT 1/0;"
    );
    it.write("migrate/20260104000000_index.sql", &marked);
    it.migrate(&[])
        .exits(1)
        .says("line 4: cannot run SELECT …: division by zero")
        .says("it stays pending; 2 statements before this one have taken effect");
    assert_eq!(it.versions().len(), 3);
    assert_eq!(
        it.scene
            .value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass"),
        "t"
    );
    it.write("migrate/20260104000000_index.sql", "-- migrate:no-transaction\nDROP INDEX CONCURRENTLY IF EXISTS i;\nCREATE INDEX CONCURRENTLY i ON log (n);");
    it.migrate(&[]).succeeds();
    assert_eq!(it.versions().len(), 4);
}

/// Each begins as if it were the first: settings, roles, temporary tables of the one before are gone.
#[test]
fn what_one_sets_the_next_does_not_see() {
    let role =
        "CREATE ROLE migrating_role NOLOGIN; GRANT CREATE ON SCHEMA public TO migrating_role;
                CREATE TEMP TABLE t (a int); SET search_path = ''; SET ROLE migrating_role;
                CREATE TABLE public.theirs (a int)";
    let it = Migrations::of(&[
        ("migrate/20260101000000_sets.sql", role),
        (
            "migrate/20260102000000_looks.sql",
            "CREATE TABLE found AS SELECT current_user::text AS who, to_regclass('t') IS NULL AS gone,
                                          current_setting('search_path') AS path",
        ),
        ("migrate/20260103000000_ends.sql", "DROP TABLE theirs; DROP OWNED BY migrating_role; DROP ROLE migrating_role"),
    ]);
    it.migrate(&[]).succeeds();
    assert_eq!(
        it.scene.values("SELECT * FROM found"),
        ["postgres|t|\"$user\", public"]
    );
}

/// The shape of the table that Rails made, and rows that are no times.
#[test]
fn the_table_of_rails_is_read_and_extended_as_it_is() {
    let it = Migrations::of(&STORY);
    it.scene
        .connect()
        .batch_execute(
            "CREATE TABLE schema_migrations (version character varying NOT NULL);
             CREATE UNIQUE INDEX unique_schema_migrations ON schema_migrations USING btree (version);
             INSERT INTO schema_migrations VALUES ('20150920010715'), ('20260101000000'), ('1')",
        )
        .unwrap();
    it.scene
        .connect()
        .batch_execute("CREATE TABLE log (n serial, what text)")
        .unwrap();
    let table = ["--schema-only", "--table=schema_migrations"];
    let before = pg_dump(&it.scene, &table);
    it.migrate(&["status"])
        .succeeds()
        .reports("2 other versions");
    it.migrate(&[]).succeeds();
    assert_eq!(pg_dump(&it.scene, &table), before);
    let all = [
        "1",
        "20150920010715",
        "20260101000000",
        "20260102000000",
        "20260103000000",
    ];
    assert_eq!(it.versions(), all);
    // Where there was none, the same one is made.
    let other = Migrations::of(&STORY);
    other.migrate(&[]).succeeds();
    assert_eq!(pg_dump(&other.scene, &table), before);
    let foreign = Migrations::of(&STORY);
    foreign
        .scene
        .connect()
        .batch_execute("CREATE TABLE schema_migrations (version bigint)")
        .unwrap();
    foreign
        .migrate(&[])
        .exits(4)
        .says("is not the table of migrations that Rails makes");
}

#[test]
fn files_that_are_wrong_are_named_before_anything_is_touched() {
    for (path, text, message) in [
        (
            "migrate/20260105000000_x.sql",
            "SELECT 'a",
            "20260105000000_x.sql: line 1: a string has no end",
        ),
        (
            "migrate/20260105000000_x.sql",
            "\n\\i other.sql",
            "line 2: \\i other.sql is no SQL",
        ),
        (
            "migrate/20260105000000_x.sql",
            "SELECT 1;\nCOMMIT;",
            "line 2: COMMIT has no place",
        ),
        (
            "migrate/20260105000000_x.sql",
            "-- nothing",
            "there is no statement to run",
        ),
        (
            "migrate/add_x.sql",
            "SELECT 1",
            "migrate: add_x.sql is no name of a migration",
        ),
        (
            "post_migrate/20260101000000_x.sql",
            "SELECT 1",
            "have the same version",
        ),
        (
            "migrate/20260105000000_x.sql",
            "SELECT 1\0",
            "has a NUL at byte 8",
        ),
    ] {
        let it = Migrations::of(&STORY);
        it.write(path, text);
        it.migrate(&[]).exits(1).says(message);
        assert_eq!(it.scene.value("SELECT to_regclass('log')"), "~");
        assert_eq!(
            it.scene.value("SELECT to_regclass('schema_migrations')"),
            "~"
        );
    }
    let it = Migrations::of(&STORY);
    it.write("migrate/.#20260105000000_x.sql", "no");
    it.write("migrate/README.md", "no");
    it.migrate(&[]).succeeds();
    let mut missing = migrate_command(&it.scene, &[]);
    missing.arg("--migrations").arg(it.scene.path("elsewhere"));
    run(missing)
        .exits(2)
        .says("there is no folder of migrations");
}

#[test]
fn reports_for_programs() {
    let it = Migrations::of(&STORY);
    let json = |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&it.migrate(arguments).succeeds().stdout).unwrap()
    };
    let ran = json(&["--json", "--skip-post-deployment"]);
    let outcomes: Vec<&str> = ran["migrations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["migrated", "skipped", "migrated"]);
    let status = json(&["status", "--json"]);
    assert_eq!(status["pending"], 1);
    let second = &status["migrations"][1];
    assert_eq!(second["version"], "20260102000000");
    assert_eq!(second["folder"], "post_migrate");
    assert_eq!(second["state"], "pending");
    assert_eq!(second["time"], "2026-01-02 00:00:00");
}

#[test]
fn generated_files_are_migrations() {
    let it = Migrations::of(&STORY);
    let generate = |what: &str, name: &str| {
        let mut generate = command(["generate", what, name, "--migrations"]);
        generate.arg(it.scene.path("db"));
        run(generate).succeeds().stdout.trim().to_owned()
    };
    let first = generate("migration", "add mark");
    let second = generate("post-deployment-migration", "drop_mark");
    assert!(
        first.contains("/db/migrate/") && first.ends_with("_add_mark.sql"),
        "{first}"
    );
    assert!(
        second.contains("/db/post_migrate/")
            && second > first.replace("/migrate/", "/post_migrate/"),
        "{second}"
    );
    it.migrate(&[])
        .exits(1)
        .says("there is no statement to run");
    for (path, up, down) in [
        (
            &first,
            "ALTER TABLE log ADD mark int",
            "ALTER TABLE log DROP mark",
        ),
        (
            &second,
            "ALTER TABLE log DROP mark",
            "ALTER TABLE log ADD mark int",
        ),
    ] {
        let text = fs::read_to_string(path).unwrap();
        let text = text.replace("-- migrate:up\n", &format!("-- migrate:up\n{up};\n"));
        let text = text.replace("-- migrate:down\n", &format!("-- migrate:down\n{down};\n"));
        fs::write(path, text).unwrap();
    }
    it.migrate(&[]).succeeds();
    assert_eq!(it.versions().len(), 5);
    it.migrate(&["down"]).succeeds();
    it.migrate(&["down"]).succeeds();
    it.migrate(&["down"]).succeeds().reports("third: reverted");
    assert_eq!(it.versions(), ["20260101000000", "20260102000000"]);
}
