//! Which GitLab an archive goes into, and what its later versions find.

use crate::support::program::project;
use crate::support::scene::{Dialect, Scene, fixture_dump};
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
        let ignoring = [
            "check",
            &archive,
            "--mysql-to-postgresql",
            "--ignore-target-version",
        ];
        run(scene.command(ignoring)).succeeds();
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
    // GitLab's own tables that they read or change; in 9.4 and 9.3 they keep what has a project.
    let mut client = scene.connect();
    client
        .batch_execute(
            "CREATE TABLE projects (id serial PRIMARY KEY, name varchar); CREATE TABLE users (id serial PRIMARY KEY);
             CREATE TABLE merge_requests (id serial PRIMARY KEY);
             CREATE TABLE merge_request_metrics (id serial PRIMARY KEY);
             CREATE TABLE services (id serial PRIMARY KEY, project_id integer, type varchar, created_at timestamp, updated_at timestamp,
               active boolean, properties text, push_events boolean, issues_events boolean, merge_requests_events boolean,
               tag_push_events boolean, note_events boolean);
             CREATE TABLE web_hooks (id serial PRIMARY KEY, url varchar, project_id integer, type varchar, created_at timestamp,
               updated_at timestamp, push_events boolean, issues_events boolean, merge_requests_events boolean,
               tag_push_events boolean, note_events boolean);
             -- Only the archive of these tests has them.
             DROP INDEX index_ci_projects_on_gitlab_id, index_ci_projects_on_shared_runners_enabled;
             INSERT INTO projects (id) SELECT DISTINCT id FROM ci_projects;
             UPDATE ci_projects SET gitlab_id = id;
             DELETE FROM ci_variables v WHERE NOT EXISTS (SELECT 1 FROM ci_projects p WHERE p.id = v.project_id);
             DELETE FROM ci_trigger_requests r WHERE NOT EXISTS (SELECT 1 FROM ci_triggers t WHERE t.id = r.trigger_id)",
        )
        .unwrap();
    let sql = std::fs::read_to_string(project().join("fixtures/gitlab_later.sql")).unwrap();
    client.batch_execute(&sql).unwrap();
    assert_eq!(
        scene.value("SELECT count(*) > 0, to_regclass('ci_tags') FROM ci_pipelines"),
        "t|~"
    );
}
