//! What else may lie in a folder of migrations, stand in a file of one, or be in the way in a PostgreSQL.

use std::fs;
use std::os::unix::fs::symlink;

use crate::migrations::postgresql::Migrations;

/// One that may run, beside which the others are found.
const FIRST: (&str, &str) = (
    "migrate/20260101000000_first.sql",
    "CREATE TABLE log (n int)",
);

/// None is left out in silence, and none is waited for.
#[test]
fn what_is_no_migration_is_named_before_anything_is_touched() {
    for (path, message) in [
        (
            "20260102000000_stray.sql",
            "db/20260102000000_stray.sql is in neither folder of migrations",
        ),
        (
            "migrate/20260102000000_LOUD.SQL",
            "20260102000000_LOUD.SQL is no name of a migration",
        ),
    ] {
        let it = Migrations::of(&[FIRST, (path, "SELECT 1")]);
        it.migrate(&[]).exits(1).says(message);
        assert_eq!(it.scene.value("SELECT to_regclass('log')"), "~");
    }
    let it = Migrations::of(&[FIRST]);
    let path = it.scene.path("db/migrate/20260102000000_endless.sql");
    for device in ["/dev/zero", "/dev/tty"] {
        symlink(device, &path).unwrap();
        it.migrate(&["status"])
            .exits(1)
            .says("20260102000000_endless.sql is no file");
        fs::remove_file(&path).unwrap();
    }
    fs::create_dir(&path).unwrap();
    it.migrate(&[]).exits(1).says("is no file");
    fs::remove_dir(&path).unwrap();
    fs::write(&path, b"SELECT 'caf\xe9'").unwrap();
    it.migrate(&[])
        .exits(1)
        .says("is not UTF-8 at byte 11")
        .says("hint: save it as UTF-8");
    // What editors leave, and what Windows writes, is in nobody's way.
    fs::write(
        &path,
        "\u{feff}-- migrate:up\r\nSELECT 1;\r\n-- migrate:down\r\nSELECT 2;\r\n",
    )
    .unwrap();
    for backup in ["20260101000000_first.sql~", ".20260101000000_first.sql.swp"] {
        it.write(&format!("migrate/{backup}"), "no");
    }
    it.migrate(&[]).succeeds();
    it.migrate(&["down"]).succeeds();
    assert_eq!(it.versions(), ["20260101000000"]);
}

#[test]
fn statements_that_would_have_texts_or_the_lock_be_others() {
    for (text, message) in [
        (
            "SET client_encoding = latin1; INSERT INTO log VALUES (1)",
            "line 1: the text of a migration is UTF-8",
        ),
        (
            "-- migrate:no-transaction\nDISCARD ALL",
            "line 2: DISCARD ALL would give up the lock",
        ),
        (
            "-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY ON log (n)",
            "line 2: an index that is built CONCURRENTLY must have a name",
        ),
    ] {
        let it = Migrations::of(&[FIRST, ("migrate/20260102000000_x.sql", text)]);
        it.migrate(&[]).exits(1).says(message);
        assert_eq!(it.scene.value("SELECT to_regclass('log')"), "~");
    }
}

/// As behind a pooler that gives each transaction another session of the server.
#[test]
fn without_the_lock_nothing_more_is_run() {
    for marker in ["", "-- migrate:no-transaction\n"] {
        let second = format!("{marker}INSERT INTO log VALUES (1)");
        let it = Migrations::of(&[
            FIRST,
            (
                "migrate/20260102000000_unlocks.sql",
                "SELECT pg_advisory_unlock_all()",
            ),
            ("migrate/20260103000000_second.sql", &second),
        ]);
        it.migrate(&[])
            .exits(4)
            .says("the lock of migrations is no longer held")
            .says("pooler");
        assert_eq!(it.versions(), ["20260101000000", "20260102000000"]);
        assert_eq!(it.scene.value("SELECT count(*) FROM log"), "0");
        it.migrate(&[]).succeeds();
        assert_eq!(it.scene.value("SELECT count(*) FROM log"), "1");
    }
}

/// IF NOT EXISTS passes over what a first try has left.
#[test]
fn an_index_that_is_not_valid_is_not_taken_for_built() {
    let build = "-- migrate:no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"Once\" ON log (n)";
    let it = Migrations::of(&[FIRST, ("migrate/20260102000000_index.sql", build)]);
    it.migrate(&["up", "20260101000000"]).succeeds();
    let mut client = it.scene.connect();
    client
        .batch_execute("INSERT INTO log VALUES (1), (1)")
        .unwrap();
    it.migrate(&[])
        .exits(1)
        .says("could not create unique index")
        .says("hint: the index public.\"Once\" is there, and is not valid; write DROP INDEX CONCURRENTLY IF EXISTS public.\"Once\" before");
    client.batch_execute("DELETE FROM log").unwrap();
    it.migrate(&[]).exits(1).says(
        "20260102000000_index.sql line 2: the index public.\"Once\" is there, and is not valid",
    );
    assert_eq!(it.versions(), ["20260101000000"]);
    let mended = build.replace(
        "CREATE",
        "DROP INDEX CONCURRENTLY IF EXISTS \"Once\";\nCREATE",
    );
    it.write("migrate/20260102000000_index.sql", &mended);
    it.migrate(&[]).succeeds();
    let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = '\"Once\"'::regclass";
    assert_eq!(it.scene.value(valid), "t");
}

/// GitLab in a schema of its own: its record is read and extended, and unqualified names are of its tables.
#[test]
fn another_schema_is_named() {
    let it = Migrations::of(&[
        FIRST,
        (
            "migrate/20260102000000_sets.sql",
            "SET search_path = pg_catalog",
        ),
        (
            "migrate/20260103000000_rows.sql",
            "INSERT INTO log VALUES (extra())",
        ),
    ]);
    it.scene
        .connect()
        .batch_execute(
            "CREATE SCHEMA \"Git Lab\";
             CREATE TABLE \"Git Lab\".schema_migrations (version varchar NOT NULL);
             CREATE UNIQUE INDEX unique_schema_migrations ON \"Git Lab\".schema_migrations (version);
             INSERT INTO \"Git Lab\".schema_migrations VALUES ('20150916145038');
             CREATE FUNCTION public.extra() RETURNS int LANGUAGE sql AS 'SELECT 7'",
        )
        .unwrap();
    let schema = ["--schema", "Git Lab"];
    let sql = it
        .migrate(&[&schema[..], &["--dry-run"]].concat())
        .succeeds()
        .stdout;
    it.migrate(&schema).succeeds();
    let migrated = "SELECT n FROM \"Git Lab\".log";
    assert_eq!(it.scene.values(migrated), ["7"]);
    let versions = "SELECT count(*) FROM \"Git Lab\".schema_migrations";
    assert_eq!(it.scene.value(versions), "4");
    assert_eq!(
        it.scene
            .value("SELECT to_regclass('public.schema_migrations')"),
        "~"
    );
    it.migrate(&["status", "--schema", "Git Lab"])
        .succeeds()
        .reports("1 other versions");
    // What was printed does the same.
    let mut client = it.scene.connect();
    client
        .batch_execute(
            "DROP TABLE \"Git Lab\".log;
             DELETE FROM \"Git Lab\".schema_migrations WHERE version > '2016'",
        )
        .unwrap();
    client.batch_execute(&sql).unwrap();
    assert_eq!(it.scene.values(migrated), ["7"]);
    assert_eq!(it.scene.value(versions), "4");
    // Also where names are looked up nowhere.
    let url = it.scene.url();
    let glue = if url.contains('?') { '&' } else { '?' };
    let mut nowhere =
        crate::support::program::command(["migrate", "status", "--schema", "Git Lab"]);
    nowhere.args([
        "--database-url",
        &format!("{url}{glue}options=-csearch_path%3D"),
    ]);
    crate::support::program::run(nowhere).succeeds();
    it.migrate(&["--schema", "nowhere"])
        .exits(4)
        .says("the target has no schema nowhere");
}

/// Rails finds its record by the search_path; a second one beside it would make the two fight.
#[test]
fn a_record_in_another_schema_of_the_search_path_is_not_passed_over() {
    let it = Migrations::of(&[FIRST]);
    it.scene
        .connect()
        .batch_execute(
            "CREATE SCHEMA postgres; CREATE TABLE public.schema_migrations (version varchar NOT NULL);
             CREATE UNIQUE INDEX unique_schema_migrations ON public.schema_migrations (version);",
        )
        .unwrap();
    let user = it.scene.value("SELECT current_user");
    if user != "postgres" {
        let rename = format!("ALTER SCHEMA postgres RENAME TO \"{user}\"");
        it.scene.connect().batch_execute(&rename).unwrap();
    }
    let message = format!(
        "schema_migrations is in the schema public, and the first of the search_path is {user}"
    );
    it.migrate(&[])
        .exits(4)
        .says(&message)
        .says("--schema public");
    it.migrate(&["--schema", "public"]).succeeds();
    assert_eq!(
        it.scene
            .values("SELECT version FROM public.schema_migrations"),
        ["20260101000000"]
    );
}
