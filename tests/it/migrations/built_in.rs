//! The migrations that are built in: alone on a database that was converted by hand, and with imports,
//! rollbacks and verify.

use std::process::Command;

use crate::migrations::postgresql::migrate_command;
use crate::support::program::{Outcome, run};
use crate::support::scene::{Dialect, Scene, TABLES, fixture_dump};
use crate::support::state::{LiveState, State, pg_dump};

/// GitLab's database as the manual's way of converting leaves it: rows, and sequences that nobody owns.
fn converted_by_hand() -> Scene {
    let scene = Scene::gitlab();
    let mut client = scene.connect();
    for table in TABLES {
        client
            .batch_execute(&format!(
                "ALTER TABLE {table} ALTER COLUMN id DROP DEFAULT;
                 DROP SEQUENCE {table}_id_seq;
                 CREATE SEQUENCE {table}_id_seq;
                 ALTER TABLE {table} ALTER COLUMN id SET DEFAULT nextval('{table}_id_seq')"
            ))
            .unwrap();
    }
    client
        .batch_execute(
            "INSERT INTO ci_builds (id) VALUES (41);
             SELECT setval('ci_builds_id_seq', 41);
             INSERT INTO ci_runners (id) VALUES (7), (9);
             INSERT INTO ci_services (type, project_id) VALUES ('SlackService', 1), ('Ci::MailService', 1)",
        )
        .unwrap();
    scene
}

/// The manual's remedy, for each of the 15 tables.
fn the_manuals_statements(scene: &Scene) {
    for table in TABLES {
        scene
            .connect()
            .batch_execute(&format!(
                "ALTER TABLE {table} ALTER COLUMN id DROP DEFAULT;
                 ALTER SEQUENCE {table}_id_seq OWNED BY {table}.id;
                 ALTER TABLE {table} ALTER COLUMN id SET DEFAULT nextval('{table}_id_seq'::regclass)"
            ))
            .unwrap();
    }
}

fn migrate(scene: &Scene, arguments: &[&str]) -> Outcome {
    run(migrate_command(scene, arguments))
}

fn import_all(scene: &Scene) -> Command {
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene.import_command(archive.to_str().unwrap())
}

fn recorded(scene: &Scene) -> Vec<String> {
    scene.values("SELECT version FROM schema_migrations WHERE version < '2001' ORDER BY 1")
}

const REGULAR: [&str; 2] = ["20000101000001", "20000101000002"];

#[test]
fn the_manuals_statements_and_ours_leave_the_same_catalogs() {
    let by_hand = converted_by_hand();
    let before = pg_dump(&by_hand, &["--schema-only"]);
    the_manuals_statements(&by_hand);
    let expected = pg_dump(&by_hand, &["--schema-only"]);
    assert_ne!(before, expected);
    let ours = converted_by_hand();
    assert_eq!(before, pg_dump(&ours, &["--schema-only"]));
    migrate(&ours, &[])
        .succeeds()
        .reports("15 sequences have an owner now; 0 were created, 1 set");
    assert_eq!(expected, pg_dump(&ours, &["--schema-only"]));
    assert_eq!(recorded(&ours), REGULAR);
    // Numbers that are free, where the table was ahead of its sequence and where not.
    assert_eq!(
        ours.value("INSERT INTO ci_runners DEFAULT VALUES RETURNING id"),
        "10"
    );
    assert_eq!(
        ours.value("INSERT INTO ci_builds DEFAULT VALUES RETURNING id"),
        "42"
    );
    let types = ours.values("SELECT type FROM ci_services ORDER BY id");
    assert_eq!(types, ["Ci::SlackService", "Ci::MailService"]);
}

/// What the manual's restore of single tables leaves: no sequence, no default.
#[test]
fn missing_sequences_are_made() {
    let scene = converted_by_hand();
    for table in ["ci_builds", "ci_jobs"] {
        let sql = format!(
            "ALTER TABLE {table} ALTER COLUMN id DROP DEFAULT; DROP SEQUENCE {table}_id_seq"
        );
        scene.connect().batch_execute(&sql).unwrap();
    }
    migrate(&scene, &[])
        .succeeds()
        .reports("15 sequences have an owner now; 2 were created, 2 set");
    for table in TABLES {
        let sequence = scene.value(&format!("SELECT pg_get_serial_sequence('{table}', 'id')"));
        assert_eq!(sequence, format!("public.{table}_id_seq"));
    }
    assert_eq!(
        scene.value("INSERT INTO ci_builds DEFAULT VALUES RETURNING id"),
        "42"
    );
    assert_eq!(
        scene.value("INSERT INTO ci_jobs (project_id) VALUES (1) RETURNING id"),
        "1"
    );
    // Done again, nothing is left to be done.
    scene
        .connect()
        .execute("DELETE FROM schema_migrations WHERE version < '2001'", &[])
        .unwrap();
    let before = pg_dump(&scene, &["--schema-only"]);
    migrate(&scene, &[])
        .succeeds()
        .reports("0 sequences have an owner now");
    assert_eq!(before, pg_dump(&scene, &["--schema-only"]));
}

#[test]
fn where_there_is_no_ci_there_are_none() {
    let scene = Scene::bare();
    migrate(&scene, &[])
        .succeeds()
        .reports("nothing is pending");
    migrate(&scene, &["status"])
        .succeeds()
        .reports("there are no migrations");
}

#[test]
fn a_dry_run_shows_what_they_would_do() {
    let (scene, other) = (converted_by_hand(), converted_by_hand());
    let before = State::of(&scene);
    let sql = migrate(&scene, &["--dry-run"]).succeeds().stdout;
    before.assert_same(&State::of(&scene));
    assert!(
        sql.contains("ALTER SEQUENCE \"public\".\"ci_builds_id_seq\" OWNED BY"),
        "{sql}"
    );
    scene.connect().batch_execute(&sql).unwrap();
    migrate(&other, &[]).succeeds();
    assert_eq!(pg_dump(&scene, &[]), pg_dump(&other, &[]));
}

/// The migrations that drop tables.
const ON_REQUEST: [&str; 3] = ["20000101000011", "20000101000012", "20000101000013"];

/// Later migrations of GitLab's own need every table.
#[test]
fn nobody_drops_a_table_unasked() {
    let scene = Scene::gitlab();
    let old = LiveState::of(&scene);
    let told = run(import_all(&scene)).succeeds().stdout;
    assert!(!told.contains("drop"), "{told}");
    assert_eq!(recorded(&scene), REGULAR);
    let counted = "SELECT (SELECT count(*) FROM ci_tags), (SELECT count(*) FROM ci_taggings),
                          (SELECT count(*) FROM ci_jobs)";
    assert_eq!(scene.value(counted), "5|5|0");
    assert_eq!(
        scene.value("SELECT count(*) FROM taggings WHERE taggable_type LIKE 'Ci::%'"),
        "5"
    );
    let new = LiveState::of(&scene);
    migrate(&scene, &[])
        .succeeds()
        .reports("nothing is pending");
    assert_eq!(migrate(&scene, &["--dry-run"]).succeeds().stdout, "");
    new.assert_same(&LiveState::of(&scene));
    let status = migrate(&scene, &["status"]).succeeds().stdout;
    assert_eq!(
        status.matches("optional  on_request").count(),
        3,
        "{status}"
    );
    let json = migrate(&scene, &["status", "--json"]).succeeds().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["pending"], 0);
    // The way back is there, and the way forth again: each state as it was, with its record.
    run(scene.command(["rollback", "--yes"])).succeeds();
    old.assert_same(&LiveState::of(&scene));
    assert!(recorded(&scene).is_empty());
    run(scene.command(["rollback", "--yes"])).succeeds();
    new.assert_same(&LiveState::of(&scene));
}

#[test]
fn who_names_them_has_them() {
    let scene = Scene::gitlab();
    // As in a GitLab that never ran CI.
    scene
        .connect()
        .execute("DELETE FROM taggings WHERE taggable_type LIKE 'Ci::%'", &[])
        .unwrap();
    run(import_all(&scene)).succeeds();
    for (version, told) in ON_REQUEST.into_iter().zip([
        "dropped ci_taggings and ci_tags, which are merged into tags and taggings",
        "dropped ci_jobs",
        "dropped the empty tables in ci_import_previous; the old build traces stay until ci-import discard",
    ]) {
        migrate(&scene, &["up", version]).succeeds().reports(told);
    }
    assert_eq!(recorded(&scene).len(), 5);
    let dropped =
        "SELECT to_regclass('ci_tags'), to_regclass('ci_taggings'), to_regclass('ci_jobs')";
    assert_eq!(scene.value(dropped), "~|~|~");
    assert_eq!(
        scene.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'ci_import_previous'"),
        "0"
    );
    // What verify compares is the rest; what was dropped is no difference.
    let archive = scene.path("1443700800_gitlab_ci_backup.tar");
    let outcome = run(scene.command(["verify", archive.to_str().unwrap()]))
        .succeeds()
        .reports("all agree")
        .reports("dropped by a migration");
    assert_eq!(
        outcome.stdout.matches("  same\n").count(),
        13,
        "{outcome:?}"
    );
    run(scene.command(["rollback", "--yes"]))
        .exits(2)
        .says("nothing to roll back");
    let aside = || std::fs::read_dir(scene.path("live")).unwrap().count();
    assert_eq!(aside(), 2);
    run(scene.command(["discard", "--yes"])).succeeds();
    assert_eq!(aside(), 1);
    // The next import brings the tables again, and with a rollback the record of what was dropped comes back.
    run(import_all(&scene)).succeeds();
    assert_eq!(recorded(&scene), REGULAR);
    assert_eq!(scene.value("SELECT count(*) FROM ci_taggings"), "5");
    // The tables of the import before have rows, and they are nowhere else.
    migrate(&scene, &["up", ON_REQUEST[2]]).exits(1).says(
        "waits: ci_import_previous has rows that are nowhere else, of ci_application_settings, ci_builds",
    );
    run(scene.command(["rollback", "--yes"])).succeeds();
    assert_eq!(recorded(&scene).len(), 5);
}

#[test]
fn nothing_is_dropped_that_was_not_merged() {
    for (sql, version, reason) in [
        (
            "DELETE FROM taggings WHERE id = (SELECT max(id) FROM taggings)",
            "20000101000011",
            "1 rows of ci_taggings are not in taggings",
        ),
        (
            "INSERT INTO ci_taggings (tag_id, taggable_id, taggable_type) VALUES (99, 1, 'Build')",
            "20000101000011",
            "1 rows of ci_taggings have no tag, and so were merged nowhere",
        ),
        (
            "INSERT INTO ci_tags (id, name) VALUES (99, 'nobody has it')",
            "20000101000011",
            "1 rows of ci_tags are not in tags",
        ),
        (
            "DROP TABLE ci_tags",
            "20000101000011",
            "5 rows of ci_taggings have no tag, and so were merged nowhere",
        ),
        (
            "DROP TABLE taggings",
            "20000101000011",
            "there is no table taggings in public that they are merged into",
        ),
        (
            "UPDATE ci_projects SET generated_yaml_config = '';
             INSERT INTO ci_jobs (project_id, deleted_at) VALUES (1, NULL), (2, now())",
            "20000101000012",
            "1 jobs are of projects that have no generated_yaml_config made of them",
        ),
        (
            "DROP TABLE application_settings",
            "20000101000012",
            "there is no GitLab in public",
        ),
        (
            "SELECT 1",
            "20000101000013",
            "ci_import_previous has rows that are nowhere else, of taggings; ci-import discard drops them",
        ),
    ] {
        let scene = Scene::gitlab();
        let archive = scene.pack(&fixture_dump(Dialect::Native));
        scene.import(&archive).succeeds();
        scene.connect().batch_execute(sql).unwrap();
        let before = State::of(&scene);
        migrate(&scene, &["up", version]).exits(1).says(reason);
        before.assert_same(&State::of(&scene));
        assert!(!recorded(&scene).contains(&version.to_owned()), "{sql}");
    }
    // Jobs that were converted are no loss.
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene.import(&archive).succeeds();
    scene
        .connect()
        .batch_execute(
            "INSERT INTO ci_jobs (project_id) VALUES (1);
             UPDATE ci_projects SET generated_yaml_config = 'x: {}' WHERE id = 1",
        )
        .unwrap();
    migrate(&scene, &["up", "20000101000012"]).succeeds();
    assert_eq!(scene.value("SELECT to_regclass('ci_jobs')"), "~");
}

/// After a rollback the tables of the import are aside, and in no archive of this machine perhaps.
#[test]
fn what_a_rollback_has_put_aside_stays() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene.import(&archive).succeeds();
    run(scene.command(["rollback", "--yes"])).succeeds();
    migrate(&scene, &["up", ON_REQUEST[2]]).exits(1).says(
        "waits: ci_import_previous has rows that are nowhere else, of ci_application_settings",
    );
    run(scene.command(["rollback", "--yes"])).succeeds();
    assert_eq!(scene.value("SELECT count(*) FROM ci_builds"), "7");
}

/// No table of ours comes into a database that is no GitLab's.
#[test]
fn a_bare_database_gets_no_record() {
    let scene = Scene::bare();
    let told = run(import_all(&scene)).succeeds().stdout;
    assert!(!told.contains("migrate"), "{told}");
    assert_eq!(scene.value("SELECT to_regclass('schema_migrations')"), "~");
    assert_eq!(scene.value("SELECT count(*) FROM ci_jobs"), "0");
}
