//! Imports into MariaDB, killed at points that are spread over their whole run: `recover`, or the next
//! import, finds the old or the new state, whole, and leaves nothing of the one that was killed.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::mysql_scene::MysqlScene;
use crate::support::mysql_state::MysqlState;
use crate::support::program::{Outcome, command, run};
use crate::support::scene::Scene;
use crate::support::two_archives::pack_two;

/// How many kills there are of each kind.
const KILLS: usize = 24;

/// A target that one of two archives was imported into, after both were.
struct Target {
    scene: MysqlScene,
    /// Where the archives are.
    packed: Scene,
    archives: [PathBuf; 2],
    states: [MysqlState; 2],
    live: usize,
}

impl Target {
    fn imported() -> Target {
        let packed = Scene::bare();
        let scene = MysqlScene::gitlab();
        let archives = pack_two(&packed);
        // Tags stay when others come: from the third import on each state comes back as it was.
        let mut states = Vec::new();
        for archive in archives.iter().chain(&archives) {
            run(import(&scene, archive.to_str().unwrap())).succeeds();
            states.push(MysqlState::of(&scene));
        }
        let states = [states[2].clone(), states[3].clone()];
        Target {
            scene,
            packed,
            archives,
            states,
            live: 1,
        }
    }

    /// The import of the archive that is not live.
    fn import_other(&self) -> Command {
        import(&self.scene, self.archives[1 - self.live].to_str().unwrap())
    }

    /// Runs an import that is killed at `hit`; whether it had committed.
    fn kill_at(&self, hit: usize) -> (Outcome, Vec<String>) {
        let log = self.packed.path("points");
        let _ = fs::remove_file(&log);
        let mut import = self.import_other();
        import.env("CI_IMPORT_FAILPOINT", format!("kill:#{hit}"));
        import.env("CI_IMPORT_FAILPOINT_LOG", &log);
        let outcome = run(import);
        let passed = fs::read_to_string(&log).unwrap_or_default();
        (outcome, passed.lines().map(str::to_owned).collect())
    }

    #[track_caller]
    fn assert_whole(&self, what: &str) {
        self.states[self.live].assert_live(&MysqlState::of(&self.scene), what);
        assert_eq!(self.scene.databases_beside(), ["previous"], "{what}");
        let left = |name: &String| name.contains("ci_import");
        let beside = self.scene.beside();
        assert!(!beside.iter().any(left), "{what}: {beside:?}");
    }
}

fn import(scene: &MysqlScene, archive: &str) -> Command {
    let stage = scene.stage();
    let mut import = command([archive, "--yes", "--database-url", &stage.url]);
    import.arg("--builds-path").arg(stage.builds);
    import
}

fn recover(scene: &MysqlScene) {
    let stage = scene.stage();
    let mut recover = command(["recover", "--database-url", &stage.url]);
    recover.arg("--builds-path").arg(stage.builds);
    run(recover).succeeds();
}

#[test]
fn imports_killed_at_their_points() {
    let mut target = Target::imported();
    let (whole, points) = target.kill_at(usize::MAX);
    whole.succeeds();
    target.live = 1 - target.live;
    target.assert_whole("the import");
    assert!(points.len() > 100, "only {} points", points.len());
    for round in 0..KILLS {
        let hit = 1 + round * points.len() / KILLS;
        let (outcome, passed) = target.kill_at(hit);
        assert!(
            matches!(outcome.code, None | Some(0)),
            "hit {hit}: {}",
            outcome.whole()
        );
        if passed.iter().any(|point| point == "committed") {
            target.live = 1 - target.live;
        }
        // Every second time the next import finds what this one has left.
        if round % 2 == 1 {
            recover(&target.scene);
            target.assert_whole(&format!("hit {hit}, behind {:?}", passed.last()));
        }
    }
    run(target.import_other()).succeeds();
    target.live = 1 - target.live;
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
