//! A publish that is cut in two: killed at each of its points, it is finished or undone, whole, by
//! `recover` or by the next import.

use std::process::Command;

use crate::support::program::{command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::servers::postgresql_url;
use crate::support::state::State;

/// The points of the publish, in order, and whether the import is live when it is cut there.
const POINTS: [(&str, bool); 4] = [
    ("journal written", false),
    ("old directory aside", false),
    ("new directory in place", false),
    ("committed", true),
];

fn kill_at(mut import: Command, point: &str) {
    import.env("CI_IMPORT_FAILPOINT", format!("kill:{point}"));
    let outcome = run(import);
    assert_eq!(outcome.code, None, "{point}: {}", outcome.stderr);
}

fn recover(scene: &Scene, database: &str) -> Command {
    let mut recover = command(["recover", "--builds-path"]);
    recover
        .arg(scene.builds())
        .args(["--database-url", &postgresql_url(database)]);
    recover
}

/// What is beside the builds directory.
fn beside(scene: &Scene) -> Vec<String> {
    let live = scene.builds().parent().unwrap().to_owned();
    let mut names: Vec<String> = std::fs::read_dir(live)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn assert_new_state(scene: &Scene, point: &str) {
    assert_eq!(
        scene.value("SELECT count(*)::text FROM ci_builds WHERE id = 1"),
        "1"
    );
    assert_eq!(
        scene.value("SELECT ci_enabled::text FROM application_settings"),
        "true"
    );
    let schemas = scene.values("SELECT nspname FROM pg_namespace WHERE nspname ~ '^ci_import'");
    assert_eq!(schemas, ["ci_import_previous"], "{point}");
    assert!(scene.builds().join("2015_10/2/5.log").exists(), "{point}");
    assert!(!scene.builds().join("2014_01").exists(), "{point}");
    let beside = beside(scene);
    assert_eq!(beside.len(), 2, "{point}: {beside:?}");
    let old = scene.builds().with_file_name(&beside[1]);
    assert!(old.join("2014_01/1/1.log").exists(), "{point}: {beside:?}");
}

#[test]
fn recover_leaves_the_old_or_the_new_state() {
    for (point, is_live) in POINTS {
        let scene = Scene::gitlab();
        let archive = scene.pack(&fixture_dump(Dialect::Native));
        let before = State::of(&scene);
        kill_at(scene.import_command(archive.to_str().unwrap()), point);
        let told = run(recover(&scene, &scene.database)).succeeds().stdout;
        if is_live {
            assert!(
                told.starts_with("completed an interrupted publish"),
                "{point}: {told}"
            );
            assert_new_state(&scene, point);
        } else {
            assert!(
                told.starts_with("undid an interrupted publish"),
                "{point}: {told}"
            );
            before.assert_same(&State::of(&scene));
        }
        let again = run(recover(&scene, &scene.database)).succeeds().stdout;
        assert_eq!(again, "there is no interrupted publish\n");
    }
}

#[test]
fn without_an_old_directory_there_is_none_afterwards() {
    for (point, is_live) in POINTS {
        if point == "old directory aside" {
            continue;
        }
        let scene = Scene::gitlab();
        let archive = scene.pack(&fixture_dump(Dialect::Native));
        std::fs::remove_dir_all(scene.builds()).unwrap();
        kill_at(scene.import_command(archive.to_str().unwrap()), point);
        run(recover(&scene, &scene.database)).succeeds();
        let expected: &[&str] = if is_live { &["builds"] } else { &[] };
        assert_eq!(beside(&scene), expected, "{point}");
    }
}

#[test]
fn the_next_import_recovers_first() {
    for (point, _) in POINTS {
        let scene = Scene::gitlab();
        let archive = scene.pack(&fixture_dump(Dialect::Native));
        kill_at(scene.import_command(archive.to_str().unwrap()), point);
        let outcome = scene.import(&archive).succeeds();
        assert!(
            outcome.stderr.contains("an interrupted publish"),
            "{}",
            outcome.stderr
        );
        assert!(scene.builds().join("2015_10/2/5.log").exists());
        let journal = |name: &String| name.contains("journal") || name.contains("staging");
        assert!(!beside(&scene).iter().any(journal), "{:?}", beside(&scene));
    }
}

#[test]
fn another_database_cannot_decide() {
    let (scene, other) = (Scene::gitlab(), Scene::gitlab());
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let before = State::of(&scene);
    kill_at(
        scene.import_command(archive.to_str().unwrap()),
        "new directory in place",
    );
    let outcome = run(recover(&scene, &other.database)).exits(6);
    assert!(
        outcome.stderr.contains("into another database"),
        "{}",
        outcome.stderr
    );
    run(recover(&scene, &scene.database)).succeeds();
    before.assert_same(&State::of(&scene));
}
