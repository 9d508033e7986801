//! `rollback` brings the old state back, whole, and a second one the new; `discard` frees it.

use std::fs;

use crate::support::program::{Outcome, command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::servers::postgresql_url;
use crate::support::state::LiveState;

fn after_import(scene: &Scene, what: &str, options: &[&str]) -> Outcome {
    let mut it = command([what, "--builds-path"]);
    it.arg(scene.builds())
        .args(["--database-url", &postgresql_url(&scene.database)])
        .args(options);
    run(it)
}

fn import(scene: &Scene) {
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene.import(&archive).succeeds();
}

/// The directories beside the builds directory.
fn aside(scene: &Scene) -> Vec<String> {
    let live = scene.builds().parent().unwrap().to_owned();
    let names = fs::read_dir(live).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "builds" && name != "builds.ci_import_lock")
        .collect()
}

#[test]
fn a_rollback_brings_the_old_state_back_and_another_the_new() {
    let scene = Scene::gitlab();
    // Rights, an owner, a comment and a sequence that nobody owns are part of the old state.
    scene
        .connect()
        .batch_execute(&format!(
            "CREATE ROLE {role}; GRANT SELECT ON ci_builds TO {role};
             ALTER TABLE ci_commits OWNER TO {role}; COMMENT ON TABLE ci_jobs IS 'old jobs';
             ALTER SEQUENCE ci_tags_id_seq OWNED BY NONE;
             UPDATE application_settings SET ci_enabled = false",
            role = format!("role_{}", scene.database)
        ))
        .unwrap();
    let old = LiveState::of(&scene);
    import(&scene);
    let new = LiveState::of(&scene);
    assert!(old != new);
    let told = after_import(&scene, "rollback", &["--yes"])
        .succeeds()
        .stdout;
    assert!(
        told.contains("back in public: ci_application_settings, ci_builds,"),
        "{told}"
    );
    assert!(told.contains("the old build traces are back in "), "{told}");
    old.assert_same(&LiveState::of(&scene));
    assert_eq!(aside(&scene).len(), 1);
    after_import(&scene, "rollback", &["--yes"]).succeeds();
    new.assert_same(&LiveState::of(&scene));
    after_import(&scene, "rollback", &["--yes"]).succeeds();
    old.assert_same(&LiveState::of(&scene));
    // The next import works as if nothing had been.
    import(&scene);
    assert_eq!(scene.value("SELECT count(*) FROM ci_builds"), "7");
    after_import(&scene, "rollback", &["--yes"]).succeeds();
    old.assert_same(&LiveState::of(&scene));
}

#[test]
fn a_tag_that_others_use_by_then_stays() {
    let scene = Scene::gitlab();
    import(&scene);
    let new_tag = "(SELECT id FROM tags WHERE id > 3 ORDER BY id LIMIT 1)";
    scene
        .connect()
        .batch_execute(&format!(
            "INSERT INTO taggings (tag_id, taggable_id, taggable_type, context)
             VALUES ({new_tag}, 11, 'Project', 'tags')"
        ))
        .unwrap();
    after_import(&scene, "rollback", &["--yes"]).succeeds();
    assert_eq!(scene.value("SELECT count(*) FROM tags"), "4");
    assert_eq!(
        scene.values("SELECT t.taggings_count::text FROM tags t WHERE id > 3"),
        ["1"]
    );
}

#[test]
fn into_an_empty_database() {
    let scene = Scene::bare();
    let empty = LiveState::of(&scene);
    import(&scene);
    let new = LiveState::of(&scene);
    after_import(&scene, "rollback", &["--yes"])
        .succeeds()
        .reports("there were no tables before");
    empty.assert_same(&LiveState::of(&scene));
    assert!(!scene.builds().exists());
    after_import(&scene, "rollback", &["--yes"]).succeeds();
    new.assert_same(&LiveState::of(&scene));
}

#[test]
fn discard_frees_what_was_replaced_and_nothing_else() {
    let scene = Scene::gitlab();
    // As GitLab's own restore leaves it.
    fs::create_dir(scene.path("live").join("builds.1400000000")).unwrap();
    import(&scene);
    import(&scene);
    assert_eq!(aside(&scene).len(), 3);
    let live = LiveState::of(&scene);
    after_import(&scene, "discard", &[])
        .exits(2)
        .says("without a terminal, add --yes");
    assert_eq!(aside(&scene).len(), 3);
    let told = after_import(&scene, "discard", &["--yes"])
        .succeeds()
        .stdout;
    assert!(
        told.starts_with("removed ci_import_previous: ci_app"),
        "{told}"
    );
    assert_eq!(aside(&scene), ["builds.1400000000"]);
    live.assert_same(&LiveState::of(&scene));
    let schemas = scene.values("SELECT nspname FROM pg_namespace WHERE nspname ~ '^ci_import'");
    assert!(schemas.is_empty(), "{schemas:?}");
    after_import(&scene, "discard", &["--yes"])
        .succeeds()
        .reports("nothing to discard");
    after_import(&scene, "rollback", &["--yes"])
        .exits(2)
        .says("nothing to roll back");
}

#[test]
fn a_discard_that_was_cut_is_done_again() {
    let scene = Scene::gitlab();
    import(&scene);
    let live = LiveState::of(&scene);
    let mut discard = command(["discard", "--yes", "--builds-path"]);
    discard
        .arg(scene.builds())
        .args(["--database-url", &postgresql_url(&scene.database)])
        .env("CI_IMPORT_FAILPOINT", "kill:old tables dropped");
    assert_eq!(run(discard).code, None);
    assert_eq!(aside(&scene).len(), 1);
    after_import(&scene, "rollback", &["--yes"])
        .exits(2)
        .says("nothing to roll back");
    after_import(&scene, "discard", &["--yes"]).succeeds();
    assert!(aside(&scene).is_empty());
    live.assert_same(&LiveState::of(&scene));
}

#[test]
fn a_rollback_that_cannot_be_changes_nothing() {
    let scene = Scene::gitlab();
    import(&scene);
    let live = LiveState::of(&scene);
    let refused = |options: &[&str], code, message: &str| {
        after_import(&scene, "rollback", options)
            .exits(code)
            .says(message);
        live.assert_same(&LiveState::of(&scene));
    };
    refused(&[], 2, "without a terminal, add --yes");
    let old = scene.path("live").join(&aside(&scene)[0]);
    let hidden = scene.path("hidden");
    fs::rename(&old, &hidden).unwrap();
    refused(&["--yes"], 1, "does not exist any more");
    fs::rename(&hidden, &old).unwrap();
    let mut elsewhere = command(["rollback", "--yes", "--builds-path"]);
    elsewhere
        .arg(scene.path("elsewhere"))
        .args(["--database-url", &postgresql_url(&scene.database)]);
    run(elsewhere).exits(2).says("not into");
    scene
        .connect()
        .batch_execute("CREATE VIEW mine AS SELECT id FROM ci_builds")
        .unwrap();
    let live = LiveState::of(&scene);
    after_import(&scene, "rollback", &["--yes"])
        .exits(4)
        .says("the view public.mine");
    live.assert_same(&LiveState::of(&scene));
}

#[test]
fn a_rollback_that_is_cut_leaves_one_state_or_the_other() {
    let points = [
        ("rows exchanged", true),
        ("old tables aside", true),
        ("journal written", true),
        ("old directory aside", true),
        ("new directory in place", true),
        ("committed", false),
    ];
    for (point, is_new) in points {
        let scene = Scene::gitlab();
        let old = LiveState::of(&scene);
        import(&scene);
        let new = LiveState::of(&scene);
        let mut rollback = command(["rollback", "--yes", "--builds-path"]);
        rollback
            .arg(scene.builds())
            .args(["--database-url", &postgresql_url(&scene.database)])
            .env("CI_IMPORT_FAILPOINT", format!("kill:{point}"));
        assert_eq!(run(rollback).code, None, "{point}");
        after_import(&scene, "recover", &[]).succeeds();
        let expected = if is_new { &new } else { &old };
        expected.assert_same(&LiveState::of(&scene));
        assert_eq!(aside(&scene).len(), 1, "{point}");
    }
}

#[test]
fn a_plain_dump_is_undone_as_well() {
    let scene = Scene::bare();
    let path = scene.path("dump.sql");
    let dump = "CREATE TABLE `a` (`id` int NOT NULL AUTO_INCREMENT, `e` enum('x','y'), PRIMARY KEY (`id`));\n\
                INSERT INTO `a` VALUES (1,'x');\n-- Dump completed\n";
    let import = |dump: &str| {
        fs::write(&path, dump).unwrap();
        let mut import = command(["--enum", "type", "--replace", "--database-url"]);
        import.arg(postgresql_url(&scene.database)).arg(&path);
        run(import).succeeds();
    };
    import(dump);
    let first = LiveState::of(&scene);
    import(&dump.replace("(1,'x')", "(5,'y'),(6,NULL)"));
    let second = LiveState::of(&scene);
    for expected in [&first, &second] {
        let mut rollback = command(["rollback", "--yes", "--database-url"]);
        rollback.arg(postgresql_url(&scene.database));
        run(rollback).succeeds();
        expected.assert_same(&LiveState::of(&scene));
    }
}

/// They have the names of those of which an archive's import keeps rows.
#[test]
fn a_dump_that_replaces_tables_of_gitlab_is_undone_as_well() {
    let scene = Scene::gitlab();
    let path = scene.path("dump.sql");
    let columns = "`tag_id` int, `taggable_id` int, `taggable_type` varchar(255), `tagger_id` int, \
                   `tagger_type` varchar(255), `context` varchar(255), `created_at` datetime";
    let dump = format!(
        "CREATE TABLE `application_settings` (`id` int, `ci_enabled` tinyint(1));\n\
         CREATE TABLE `tags` (`id` int, `name` varchar(255));\n\
         CREATE TABLE `taggings` (`id` int, {columns});\n\
         INSERT INTO `taggings` VALUES (1,1,1,'Ci::Build',NULL,NULL,'tags',NULL);\n-- Dump completed\n"
    );
    fs::write(&path, dump).unwrap();
    let before = LiveState::of(&scene);
    let mut import = command(["--replace", "--database-url"]);
    import.arg(postgresql_url(&scene.database)).arg(&path);
    run(import).succeeds();
    let after = LiveState::of(&scene);
    for expected in [&before, &after] {
        let mut rollback = command(["rollback", "--yes", "--database-url"]);
        rollback.arg(postgresql_url(&scene.database));
        run(rollback).succeeds();
        expected.assert_same(&LiveState::of(&scene));
    }
}
