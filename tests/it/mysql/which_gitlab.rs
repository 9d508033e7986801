//! Which GitLab on MariaDB an archive goes into, and what its later versions find.

use std::process::Command;

use crate::support::mysql_scene::MysqlScene;
use crate::support::mysql_state::MysqlState;
use crate::support::program::run;

fn import(scene: &MysqlScene) -> Command {
    scene.command(&[scene.archive().to_str().unwrap(), "--yes"])
}

#[test]
fn another_version_of_gitlab_is_refused() {
    let scene = MysqlScene::gitlab();
    scene.execute("INSERT INTO schema_migrations VALUES ('20151016131433')");
    let before = MysqlState::of(&scene);
    run(import(&scene))
        .exits(4)
        .says("the target is a GitLab after 8.0")
        .says("--ignore-target-version");
    before.assert_same(&MysqlState::of(&scene), "refused");
    let mut nevertheless = import(&scene);
    nevertheless.arg("--ignore-target-version");
    run(nevertheless).succeeds();
}

/// What migrations of GitLab 8.1 to 9.5 do with these tables; to ask a table for its indexes fails where it is gone.
#[test]
fn later_migrations_of_gitlab_find_all_they_need() {
    let scene = MysqlScene::gitlab();
    let live = &scene.databases.live;
    let sql = format!(
        "SELECT DISTINCT CONCAT(table_name, ' ', index_name) FROM information_schema.statistics
         WHERE table_schema = '{live}' AND table_name LIKE 'ci\\\\_%' AND index_name <> 'PRIMARY' ORDER BY 1"
    );
    let before = scene.values(&sql);
    run(import(&scene)).succeeds();
    let after = scene.values(&sql);
    assert!(before.len() >= 7, "{before:?}");
    for index in before {
        assert!(after.contains(&index), "{index}");
        let (table, name) = index.split_once(' ').unwrap();
        scene.values(&format!("SHOW INDEX FROM {table}"));
        scene.execute(&format!("DROP INDEX `{name}` ON {table}"));
    }
    for sql in [
        "ALTER TABLE ci_builds ADD stage_idx int, ADD tag tinyint(1), ADD ref varchar(255), DROP job_id, DROP deploy",
        "ALTER TABLE ci_commits DROP push_data",
        "DROP TABLE ci_services",
        "DROP TABLE ci_web_hooks",
        "DROP TABLE ci_application_settings",
        "DROP TABLE ci_events",
        "DROP TABLE ci_jobs",
        "DROP TABLE ci_sessions",
        "DROP TABLE ci_taggings",
        "DROP TABLE ci_tags",
        "DROP TABLE ci_projects",
    ] {
        scene.execute(sql);
    }
}

/// Somebody's own database, though it has our name.
#[test]
fn a_staging_database_that_no_import_made_is_not_dropped() {
    let scene = MysqlScene::gitlab();
    let staging = &scene.databases.staging;
    scene.execute(&format!("DROP DATABASE IF EXISTS {staging}"));
    scene.execute(&format!("CREATE DATABASE {staging}"));
    scene.execute(&format!("CREATE TABLE {staging}.mine (id int)"));
    let before = MysqlState::of(&scene);
    let what = "ci-import did not create";
    run(import(&scene))
        .exits(4)
        .says(what)
        .says("move its tables");
    let archive = scene.archive();
    run(scene.command(&["check", archive.to_str().unwrap()]))
        .exits(4)
        .reports(what);
    before.assert_same(&MysqlState::of(&scene), "refused");
    scene.execute(&format!("SELECT id FROM {staging}.mine"));
    // One that an import has left is its own.
    scene.execute(&format!(
        "CREATE TABLE {staging}.ci_import_mark (id int) COMMENT 'staging of ci-import'"
    ));
    run(import(&scene)).succeeds();
}

/// A view with the name of GitLab's table could call functions of whoever has made it.
#[test]
fn views_in_the_place_of_tables_are_refused() {
    let scene = MysqlScene::gitlab();
    scene.execute("RENAME TABLE tags TO tags_of_somebody");
    scene.execute("CREATE SQL SECURITY INVOKER VIEW tags AS SELECT * FROM tags_of_somebody");
    run(import(&scene))
        .exits(4)
        .says("tags exists, but is not an ordinary table");
    assert_eq!(scene.values("SELECT COUNT(*) FROM ci_builds"), ["0"]);
}

/// A view in the place of a table runs the functions of who has made it, with the rights of who looks.
#[test]
fn who_only_looks_asks_no_view() {
    let scene = MysqlScene::gitlab();
    scene.execute("CREATE TABLE caught (a int)");
    scene.execute(
        "CREATE FUNCTION trap() RETURNS varchar(99) MODIFIES SQL DATA
         BEGIN INSERT INTO caught VALUES (1); RETURN '20150920161119'; END",
    );
    for (table, column) in [("schema_migrations", "version"), ("ci_builds", "id")] {
        scene.execute(&format!("DROP TABLE {table}"));
        scene.execute(&format!(
            "CREATE SQL SECURITY INVOKER VIEW {table} AS SELECT trap() AS {column}"
        ));
    }
    scene.execute("SELECT * FROM schema_migrations");
    assert_eq!(scene.values("SELECT count(*) FROM caught"), ["1"]);
    run(scene.command(&["plan"])).succeeds();
    assert_eq!(scene.values("SELECT count(*) FROM caught"), ["1"]);
}
