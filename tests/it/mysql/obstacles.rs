//! What a MariaDB's settings do to an import: nothing, or it is said before the load.

use std::process::Command;

use crate::support::mysql_scene::MysqlScene;
use crate::support::own_mariadb::OwnMariadb;
use crate::support::program::{command, run};
use crate::support::scene::{Dialect, fixture_dump};

fn verb(scene: &MysqlScene, verb: &[&str]) -> Command {
    let dump = scene.path("dump.sql");
    std::fs::write(&dump, fixture_dump(Dialect::Native)).unwrap();
    let mut it = command(verb);
    it.arg(dump).args(["--database-url", &scene.stage().url]);
    it
}

#[test]
fn a_read_only_server_is_refused_and_settings_of_sessions_do_not_matter() {
    let server = OwnMariadb::start();
    let scene = MysqlScene::gitlab_on(&server);
    scene.execute("SET GLOBAL read_only = 1");
    for outcome in [
        run(verb(&scene, &["check"])),
        run(verb(&scene, &["--replace"])),
    ] {
        assert_eq!(outcome.code, Some(4), "{outcome:?}");
        let told = outcome.whole();
        assert!(
            told.contains("the server is read-only: read_only is on"),
            "{told}"
        );
    }
    for setting in [
        "read_only = 0",
        "autocommit = 0",
        "max_statement_time = 0.05",
        "sql_mode = 'ANSI_QUOTES'",
        "time_zone = '+09:00'",
    ] {
        scene.execute(&format!("SET GLOBAL {setting}"));
    }
    run(verb(&scene, &["--replace"])).succeeds();
    scene.execute("SET GLOBAL autocommit = 1");
    assert_eq!(scene.values("SELECT COUNT(*) FROM ci_builds"), ["7"]);
}
