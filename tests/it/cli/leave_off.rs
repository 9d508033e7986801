//! `--leave-ci-off`: CI stays switched off in GitLab, on both servers.

use crate::support::mysql_scene::MysqlScene;
use crate::support::program::run;
use crate::support::scene::{Dialect, Scene, fixture_dump};

const LEFT: &str = "left CI off (application_settings.ci_enabled)";

#[test]
fn of_a_postgresql() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let state = "SELECT ci_enabled FROM application_settings";
    let off = "UPDATE application_settings SET ci_enabled = false";
    scene.connect().batch_execute(off).unwrap();
    let mut import = scene.import_command(archive.to_str().unwrap());
    run(import.arg("--leave-ci-off")).succeeds().reports(LEFT);
    assert_eq!(scene.value(state), "f");
    run(scene.command(["rollback", "--yes"])).succeeds();
    assert_eq!(scene.value(state), "f");
    run(scene.import_command(archive.to_str().unwrap()))
        .succeeds()
        .reports("switched CI on");
    assert_eq!(scene.value(state), "t");
}

#[test]
fn of_a_mysql() {
    let scene = MysqlScene::gitlab();
    let archive = scene.archive();
    let archive = archive.to_str().unwrap();
    scene.execute("UPDATE application_settings SET ci_enabled = 0");
    let state = "SELECT ci_enabled FROM application_settings";
    run(scene.command(&[archive, "--yes", "--leave-ci-off"]))
        .succeeds()
        .reports(LEFT);
    assert_eq!(scene.values(state), ["0"]);
    run(scene.command(&[archive, "--yes"]))
        .succeeds()
        .reports("switched CI on");
    assert_eq!(scene.values(state), ["1"]);
}
