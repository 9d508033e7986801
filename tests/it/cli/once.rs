//! `--once`: an import that runs again does nothing if its input is live.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::mysql_scene::MysqlScene;
use crate::support::mysql_state::MysqlState;
use crate::support::object_storage::{BUCKET, storage};
use crate::support::program::{Outcome, run, run_fed};
use crate::support::scene::Dialect;
use crate::support::scene::{Scene, fixture_dump};
use crate::support::state::State;

const SAID: &str = "1443700800_gitlab_ci_backup.tar is live in";

/// An import of `archive` with more `options`.
fn import(scene: &Scene, archive: &Path, options: &[&str]) -> Outcome {
    let mut import = scene.import_command(archive.to_str().unwrap());
    run(import.args(options))
}

fn packed(scene: &Scene) -> PathBuf {
    scene.pack(&fixture_dump(Dialect::Native))
}

#[test]
fn an_archive_that_is_live_is_not_imported_again() {
    let scene = Scene::gitlab();
    let archive = packed(&scene);
    // The first one need not know that others follow.
    import(&scene, &archive, &[]).succeeds();
    let before = State::of(&scene);
    import(&scene, &archive, &["--once"])
        .succeeds()
        .reports(SAID)
        .reports("already; nothing was done");
    let report = scene.path("report.json");
    let told = import(
        &scene,
        &archive,
        &["--once", "--json", "--report", report.to_str().unwrap()],
    )
    .succeeds();
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["already_live"], true);
    let document: Value = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
    assert_eq!(
        (&document["outcome"], &document["result"]),
        (&"already live".into(), &told)
    );
    fs::remove_file(report).unwrap();
    before.assert_same(&State::of(&scene));

    // The same bytes elsewhere are the same archive, others of the same size are not.
    let copy = scene.path("1443700800_gitlab_ci_backup.tar.copy");
    fs::copy(&archive, &copy).unwrap();
    import(&scene, &copy, &["--once"])
        .succeeds()
        .reports("nothing was done");
    let mut bytes = fs::read(&archive).unwrap();
    // Behind the end of the tar.
    let last = bytes.len() - 1;
    bytes[last] = 1;
    fs::write(&archive, &bytes).unwrap();
    let imported = import(&scene, &archive, &["--once"]).succeeds();
    assert!(imported.stdout.contains("imported"), "{}", imported.whole());
}

#[test]
fn what_is_not_live_any_more_is_imported_again() {
    let scene = Scene::gitlab();
    let archive = packed(&scene);
    let once = || import(&scene, &archive, &["--once"]).succeeds();
    let imported = |outcome: Outcome| outcome.reports("imported 1443700800_gitlab_ci_backup.tar");
    imported(once());
    scene.execute("DROP TABLE ci_builds");
    imported(once());
    run(scene.command(["rollback", "--yes"])).succeeds();
    imported(once());
    once().reports(SAID);
}

/// The program is killed when the transaction is committed, before the directories are renamed, and after that.
#[test]
fn an_import_that_was_killed_after_its_commit_is_completed_and_not_repeated() {
    for point in ["committed", "published"] {
        let scene = Scene::gitlab();
        let archive = packed(&scene);
        import(&scene, &archive, &[]).succeeds();
        let other = scene.path("1443704400_gitlab_ci_backup.tar");
        fs::copy(&archive, &other).unwrap();
        let mut bytes = fs::read(&other).unwrap();
        bytes.extend_from_slice(&[0; 512]);
        fs::write(&other, bytes).unwrap();
        let mut killed = scene.import_command(other.to_str().unwrap());
        killed.env("CI_IMPORT_FAILPOINT", format!("kill:{point}"));
        assert_eq!(run(killed.arg("--once")).code, None, "{point}");
        let oids = "SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_class
                    WHERE relnamespace = 'ci_import_previous'::regnamespace";
        let previous = scene.value(oids);
        let again = import(&scene, &other, &["--once"]).succeeds();
        again.reports("1443704400_gitlab_ci_backup.tar is live in");
        assert_eq!(scene.value(oids), previous, "{point}");
        run(scene.command(["recover"]))
            .succeeds()
            .reports("there is no interrupted publish");
    }
}

#[test]
fn a_dump_is_known_again_if_that_was_asked_for() {
    let scene = Scene::bare();
    let dump = scene.path("shop.sql");
    fs::write(
        &dump,
        "CREATE TABLE `a` (`id` int);\nINSERT INTO `a` VALUES (1);\n",
    )
    .unwrap();
    let once = || run(scene.command([dump.to_str().unwrap(), "--once", "--replace"])).succeeds();
    once().reports("imported");
    scene.execute("INSERT INTO a VALUES (2)");
    once().reports("nothing was done");
    assert_eq!(scene.value("SELECT count(*)::text FROM a"), "2");
    // Elsewhere, or of other tables, it is another import.
    for option in [&["--schema", "elsewhere"][..], &["--skip-table", "b"]] {
        let mut import = scene.command([dump.to_str().unwrap(), "--once", "--replace"]);
        let imported = run(import.args(option)).succeeds();
        let _ = imported.reports("imported");
    }
    fs::write(
        &dump,
        "CREATE TABLE `a` (`id` int);\nINSERT INTO `a` VALUES (3);\n",
    )
    .unwrap();
    once().reports("imported");
    assert_eq!(scene.value("SELECT sum(id)::text FROM a"), "3");
    let pipe = scene.command(["-", "--once"]);
    run_fed(pipe, |input| {
        let _ = input.write_all(b"CREATE TABLE `a` (`id` int);\n");
    })
    .exits(2)
    .says("--once cannot tell whether standard input was imported before");
}

/// It keeps the way back of an import before.
#[test]
fn a_dump_that_replaces_nothing_leaves_what_is_kept_aside() {
    let scene = Scene::gitlab();
    import(&scene, &packed(&scene), &[]).succeeds();
    let tables = "SELECT count(*)::text FROM pg_class WHERE relnamespace = 'ci_import_previous'::regnamespace";
    let before = scene.value(tables);
    let dump = scene.path("other.sql");
    fs::write(
        &dump,
        "CREATE TABLE `other` (`id` int);\nINSERT INTO `other` VALUES (1);\n",
    )
    .unwrap();
    let dump = dump.to_str().unwrap();
    let other = scene.command([dump, "--once", "--schema", "elsewhere"]);
    run(other).succeeds();
    assert_eq!(scene.value(tables), before);
    assert_ne!(before, "0");
}

#[test]
fn an_object_is_known_by_its_etag() {
    let scene = Scene::gitlab();
    let bytes = fs::read(packed(&scene)).unwrap();
    let key = "once/1443700800_gitlab_ci_backup.tar";
    storage().put(BUCKET, key, &bytes);
    let url = format!("s3://{BUCKET}/{key}");
    let once = || {
        let mut import = storage().used_by(scene.import_command(&url), storage().port);
        run(import.arg("--once")).succeeds()
    };
    once().reports("imported");
    once().reports(SAID);
    storage().put(BUCKET, key, &[bytes, vec![0; 512]].concat());
    once().reports("imported");
}

#[test]
fn in_mysql_too() {
    let scene = MysqlScene::gitlab();
    let archive = scene.archive();
    let import = |options: &[&str]| {
        let arguments = [archive.to_str().unwrap(), "--yes"];
        run(scene.command(&[&arguments, options].concat())).succeeds()
    };
    import(&[]).reports("imported");
    let before = MysqlState::of(&scene);
    import(&["--once"]).reports("nothing was done");
    before.assert_same(&MysqlState::of(&scene), "after --once");
}
