//! Imports into MariaDB, killed at points that are spread over their whole run: `recover`, or the next
//! import, finds the old or the new state, whole, and leaves nothing of the one that was killed.

use std::fs;

use crate::support::mysql_scene::MysqlScene;
use crate::support::mysql_two_archives::MysqlTwoArchives;
use crate::support::program::{command, run};

/// How many kills there are of each kind.
const KILLS: usize = 24;

#[test]
fn imports_killed_at_their_points() {
    let mut target = MysqlTwoArchives::imported();
    let (whole, points) = target.kill_at(target.import_other(), usize::MAX);
    whole.succeeds();
    target.published();
    target.assert_whole("the import");
    assert!(points.len() > 100, "only {} points", points.len());
    for round in 0..KILLS {
        let hit = 1 + round * points.len() / KILLS;
        let (_, passed) = target.kill_at(target.import_other(), hit);
        if passed.iter().any(|point| point == "committed") {
            target.published();
        }
        // Every second time the next import finds what this one has left.
        if round % 2 == 1 {
            run(target.scene.command(&["recover"])).succeeds();
            target.assert_whole(&format!("hit {hit}, behind {:?}", passed.last()));
        }
    }
    run(target.import_other()).succeeds();
    target.published();
    target.assert_whole("the last import");
}

/// A dump has no traces, and who imports one no builds directory that could be named.
#[test]
fn a_cut_import_of_a_dump_is_recovered_without_a_builds_directory() {
    let scene = MysqlScene::bare();
    let (dump, url) = (scene.path("dump.sql"), scene.stage().url);
    let import = |n: u32| {
        let sql =
            format!("CREATE TABLE `t` (`n` int) ENGINE=InnoDB; INSERT INTO `t` VALUES ({n});");
        fs::write(&dump, sql).unwrap();
        let mut import = command(["--replace", "--yes", "--database-url", &url]);
        import.arg(&dump);
        import
    };
    run(import(1)).succeeds();
    for (point, live, beside) in [
        ("new tables in place", "1", &[][..]),
        ("committed", "2", &["previous"]),
    ] {
        let mut cut = import(2);
        cut.env("CI_IMPORT_FAILPOINT", format!("kill:{point}"));
        assert_eq!(run(cut).code, None, "{point}");
        assert!(scene.databases_beside().contains(&"passing".to_owned()));
        run(command(["recover", "--database-url", &url])).succeeds();
        assert_eq!(scene.values("SELECT n FROM t"), [live], "{point}");
        assert_eq!(scene.databases_beside(), beside, "{point}");
    }
}
