//! A GitLab on MariaDB that one of two archives was imported into, after both were.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::mysql_scene::MysqlScene;
use super::mysql_state::MysqlState;
use super::program::{Outcome, run};
use super::scene::Scene;
use super::two_archives::pack_two;

/// See the module.
pub(crate) struct MysqlTwoArchives {
    pub(crate) scene: MysqlScene,
    /// Where the archives are.
    packed: Scene,
    archives: [PathBuf; 2],
    states: [MysqlState; 2],
    live: usize,
}

impl MysqlTwoArchives {
    pub(crate) fn imported() -> MysqlTwoArchives {
        let packed = Scene::bare();
        let scene = MysqlScene::gitlab();
        let archives = pack_two(&packed);
        // Tags stay when others come: from the third import on each state comes back as it was.
        let mut states = Vec::new();
        for archive in archives.iter().chain(&archives) {
            run(scene.command(&[archive.to_str().unwrap(), "--yes"])).succeeds();
            states.push(MysqlState::of(&scene));
        }
        let states = [states[2].clone(), states[3].clone()];
        MysqlTwoArchives {
            scene,
            packed,
            archives,
            states,
            live: 1,
        }
    }

    /// The import of the archive that is not live.
    pub(crate) fn import_other(&self) -> Command {
        let archive = self.archives[1 - self.live].to_str().unwrap();
        self.scene.command(&[archive, "--yes"])
    }

    /// Runs `command`, which is killed at `hit`, counted over all points. What came of it, and the points that it has
    /// passed.
    pub(crate) fn kill_at(&self, mut command: Command, hit: usize) -> (Outcome, Vec<String>) {
        let log = self.packed.path("points");
        let _ = fs::remove_file(&log);
        command.env("CI_IMPORT_FAILPOINT", format!("kill:#{hit}"));
        command.env("CI_IMPORT_FAILPOINT_LOG", &log);
        let outcome = run(command);
        let killed_or_done = matches!(outcome.code, None | Some(0));
        assert!(killed_or_done, "hit {hit}: {}", outcome.whole());
        let passed = fs::read_to_string(&log).unwrap_or_default();
        (outcome, passed.lines().map(str::to_owned).collect())
    }

    /// Says that the archive was exchanged for the other.
    pub(crate) fn published(&mut self) {
        self.live = 1 - self.live;
    }

    #[track_caller]
    pub(crate) fn assert_live(&self, what: &str) {
        self.states[self.live].assert_live(&MysqlState::of(&self.scene), what);
    }

    #[track_caller]
    pub(crate) fn assert_whole(&self, what: &str) {
        self.assert_live(what);
        assert_eq!(self.scene.databases_beside(), ["previous"], "{what}");
        let left = |name: &String| name.contains("ci_import");
        let beside = self.scene.beside();
        assert!(!beside.iter().any(left), "{what}: {beside:?}");
    }
}
