//! Which GitLab an archive goes into, and what its later versions find.

use crate::support::scene::{Dialect, Scene, TABLES, fixture_dump};
use crate::support::state::State;

fn archive(scene: &Scene) -> String {
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    archive.to_str().unwrap().to_owned()
}

/// The version of GitLab decides, unless the admin does.
#[test]
fn another_version_of_gitlab_is_refused() {
    use crate::support::program::run;

    for (sql, message, hint) in [
        (
            "DELETE FROM schema_migrations; INSERT INTO schema_migrations VALUES ('20150806104937')",
            "the target is a GitLab before 8.0: its newest migration is 20150806104937",
            "upgrade it to GitLab 8.0 first",
        ),
        (
            "INSERT INTO schema_migrations VALUES ('20151016131433')",
            "the target is a GitLab after 8.0: its newest migration is 20151016131433",
            "belongs into GitLab 8.0",
        ),
    ] {
        let scene = Scene::gitlab();
        let archive = archive(&scene);
        scene.connect().batch_execute(sql).unwrap();
        let before = State::of(&scene);
        run(scene.import_command(&archive))
            .exits(4)
            .says(message)
            .says(hint)
            .says("--ignore-target-version");
        run(scene.command(["check", &archive, "--mysql-to-postgresql"]))
            .exits(4)
            .reports(message);
        before.assert_same(&State::of(&scene));
        run(scene.command([
            &archive,
            "--mysql-to-postgresql",
            "--yes",
            "--ignore-target-version",
        ]))
        .succeeds();
        assert_eq!(scene.value("SELECT count(*) FROM ci_builds"), "7");
    }
    // A migration of the admin's own is no version of GitLab's.
    let scene = Scene::gitlab();
    scene
        .connect()
        .batch_execute("INSERT INTO schema_migrations VALUES ('20261129000000')")
        .unwrap();
    run(scene.import_command(&archive(&scene))).succeeds();
}

/// The schema that comes first in the search_path may be anybody's.
#[test]
fn tables_go_where_gitlab_is() {
    use crate::support::program::run;

    let scene = Scene::gitlab();
    let archive = archive(&scene);
    let database = scene.value("SELECT current_database()");
    scene
        .connect()
        .batch_execute(&format!(
            "CREATE SCHEMA ops; CREATE TABLE ops.notes (id int);
             ALTER DATABASE {database} SET search_path = ops, public"
        ))
        .unwrap();
    run(scene.import_command(&archive)).succeeds();
    assert_eq!(scene.value("SELECT count(*) FROM public.ci_builds"), "7");
    assert_eq!(
        scene.value("SELECT count(*) FROM public.taggings WHERE taggable_type LIKE 'Ci::%'"),
        "5"
    );
    assert_eq!(
        scene.value("SELECT bool_and(ci_enabled) FROM public.application_settings"),
        "t"
    );
    // Of two nobody knows which one is meant.
    scene
        .connect()
        .batch_execute("CREATE TABLE ops.application_settings (id int)")
        .unwrap();
    let before = State::of(&scene);
    for arguments in [["check", &archive], [&archive, "--yes"]] {
        let mut command = scene.command(arguments);
        let outcome = run(command.arg("--mysql-to-postgresql"));
        assert!(outcome.code != Some(0), "{outcome:?}");
        let told = outcome.whole();
        assert!(
            told.contains("several schemas have a GitLab: ops, public")
                && told.contains("--schema"),
            "{told}"
        );
    }
    before.assert_same(&State::of(&scene));
    run(scene.command([
        &archive,
        "--mysql-to-postgresql",
        "--yes",
        "--schema",
        "public",
    ]))
    .succeeds();
}

/// Somebody's own schema, though it has our name.
#[test]
fn a_staging_schema_that_no_import_made_is_not_dropped() {
    use crate::support::program::run;

    let scene = Scene::gitlab();
    let archive = archive(&scene);
    scene
        .connect()
        .batch_execute(
            "CREATE SCHEMA ci_import_staging; CREATE TABLE ci_import_staging.mine (id int)",
        )
        .unwrap();
    let before = State::of(&scene);
    run(scene.import_command(&archive))
        .exits(4)
        .says("the target has a schema ci_import_staging that ci-import did not create")
        .says("rename the schema");
    run(scene.command(["check", &archive, "--mysql-to-postgresql"]))
        .exits(4)
        .reports("ci-import did not create");
    before.assert_same(&State::of(&scene));
    // One that an import has left is its own.
    scene
        .connect()
        .batch_execute("COMMENT ON SCHEMA ci_import_staging IS 'staging of ci-import'")
        .unwrap();
    run(scene.import_command(&archive)).succeeds();
}

/// GitLab's first queries are planned as if its tables had always been there.
#[test]
fn the_server_knows_what_is_in_the_tables() {
    let scene = Scene::gitlab();
    crate::support::program::run(scene.import_command(&archive(&scene))).succeeds();
    let estimated = scene.values(
        "SELECT relname, reltuples::int FROM pg_class
         WHERE relname IN ('ci_builds', 'ci_commits', 'taggings')
           AND relnamespace = 'public'::regnamespace ORDER BY 1",
    );
    let counted: Vec<String> = ["ci_builds", "ci_commits", "taggings"]
        .iter()
        .map(|table| scene.value(&format!("SELECT '{table}', count(*) FROM {table}")))
        .collect();
    assert_eq!(estimated, counted);
    assert_ne!(
        scene.value("SELECT count(*) FROM pg_stats WHERE tablename = 'ci_builds'"),
        "0"
    );
}

/// What migrations of GitLab 8.1 to 9.5 do with these tables, without IF EXISTS: they remove indexes by name, then columns and
/// tables.
#[test]
fn later_migrations_of_gitlab_find_all_they_need() {
    let scene = Scene::gitlab();
    let indexes = |scene: &Scene| {
        scene.values(
            "SELECT tablename, indexname FROM pg_indexes
             WHERE schemaname = 'public' AND tablename LIKE 'ci\\_%' ORDER BY 1, 2",
        )
    };
    let columns = |scene: &Scene| {
        scene.values(
            "SELECT table_name, column_name FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name LIKE 'ci\\_%' ORDER BY 1, 2",
        )
    };
    let (indexes_before, columns_before) = (indexes(&scene), columns(&scene));
    crate::support::program::run(scene.import_command(&archive(&scene))).succeeds();
    let (indexes_after, columns_after) = (indexes(&scene), columns(&scene));
    for index in &indexes_before {
        assert!(indexes_after.contains(index), "{index}");
    }
    // These are removed or renamed by their names.
    for index in [
        "ci_variables|index_ci_variables_on_project_id",
        "ci_runner_projects|index_ci_runner_projects_on_project_id",
        "ci_commits|ci_commits_pkey",
    ] {
        assert!(indexes_after.contains(&index.to_owned()), "{index}");
    }
    for column in &columns_before {
        assert!(columns_after.contains(column), "{column}");
    }
    let mut client = scene.connect();
    let keys: Vec<String> = TABLES.iter().map(|table| format!("{table}_pkey")).collect();
    for index in indexes_before {
        let (_, name) = index.split_once('|').unwrap();
        if !keys.contains(&name.to_owned()) && !name.ends_with("_pkey") {
            client
                .batch_execute(&format!("DROP INDEX public.\"{name}\""))
                .unwrap();
        }
    }
    client
        .batch_execute(
            "ALTER TABLE ci_builds ADD COLUMN stage_idx integer, ADD COLUMN tag boolean, ADD COLUMN ref character varying,
               ADD COLUMN user_id integer, ADD COLUMN type character varying, ADD COLUMN description character varying;
             UPDATE ci_builds SET ref = c.ref, tag = c.tag FROM ci_commits c WHERE c.id = ci_builds.commit_id;
             ALTER TABLE ci_builds DROP COLUMN job_id; ALTER TABLE ci_builds DROP COLUMN deploy;
             ALTER TABLE ci_commits DROP COLUMN push_data;
             ALTER TABLE ci_builds DROP COLUMN project_id; ALTER TABLE ci_commits DROP COLUMN project_id;
             ALTER TABLE ci_runner_projects DROP COLUMN project_id; ALTER TABLE ci_triggers DROP COLUMN project_id;
             ALTER TABLE ci_variables DROP COLUMN project_id;
             DROP TABLE ci_services; DROP TABLE ci_web_hooks; DROP TABLE ci_application_settings; DROP TABLE ci_events;
             DROP TABLE ci_jobs; DROP TABLE ci_sessions; DROP TABLE ci_taggings; DROP TABLE ci_tags; DROP TABLE ci_projects;
             ALTER TABLE ci_commits RENAME TO ci_pipelines; ALTER SEQUENCE ci_commits_id_seq RENAME TO ci_pipelines_id_seq",
        )
        .unwrap();
}
