//! A builds directory that is a mount point: its contents are exchanged, and a kill at any point leaves the old or the
//! new ones, whole.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::program::run;
use crate::support::scene::Scene;
use crate::support::small_disk::SmallDisk;
use crate::support::trees::tree;
use crate::support::two_archives::pack_two;

/// A GitLab whose builds directory is mounted over itself: a bind mount has the device of the directory around it.
struct Mounted {
    scene: Scene,
    disk: SmallDisk,
}

type Tree = BTreeMap<PathBuf, (Option<Vec<u8>>, u32, i64)>;

impl Mounted {
    fn gitlab() -> Mounted {
        let scene = Scene::gitlab();
        let disk = SmallDisk::over_itself(&scene.builds());
        Mounted { scene, disk }
    }

    fn import(&self, archive: &Path) -> Command {
        let import = self.scene.import_command(archive.to_str().unwrap());
        self.disk.inside(&import)
    }

    fn command<const COUNT: usize>(&self, arguments: [&str; COUNT]) -> Command {
        self.disk.inside(&self.scene.command(arguments))
    }

    /// How many builds are live, and the traces.
    fn state(&self) -> (String, Tree) {
        let mut traces = tree(&self.scene.builds());
        traces.retain(|path, _| !path.starts_with(".ci_import_replaced") && !is_aside(path));
        (
            self.scene
                .value("SELECT string_agg(t.name, ',' ORDER BY id) FROM public.ci_projects t"),
            traces,
        )
    }

    /// The names in the mount point that are ours.
    fn ours(&self) -> Vec<String> {
        let entries = fs::read_dir(self.scene.builds()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.starts_with('.')).collect();
        names.sort();
        names
    }
}

fn is_aside(path: &Path) -> bool {
    let first = path.iter().next().unwrap_or_default().to_string_lossy();
    first.starts_with(".ci_import_replaced.")
}

#[test]
fn the_contents_of_a_mount_point_are_exchanged_and_come_back() {
    let it = Mounted::gitlab();
    let [first, _] = pack_two(&it.scene);
    let old = tree(&it.scene.builds());
    let inode = |path: PathBuf| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
    let before = inode(it.scene.builds());
    let shown = first.to_str().unwrap();
    run(it.command(["check", shown, "--mysql-to-postgresql"]))
        .succeeds()
        .reports("is a mount point: its contents will be kept aside in it");
    run(it.import(&first)).succeeds();
    assert_eq!(inode(it.scene.builds()), before);
    let traces: Vec<PathBuf> = it.state().1.into_keys().collect();
    assert!(
        traces.contains(&PathBuf::from("2015_10/2/5.log")),
        "{traces:?}"
    );
    assert!(
        !traces.iter().any(|path| path.starts_with("2014_01")),
        "{traces:?}"
    );
    let ours = it.ours();
    assert!(
        ours.len() == 1 && ours[0].starts_with(".ci_import_replaced."),
        "{ours:?}"
    );
    run(it.command(["verify", shown, "--mysql-to-postgresql"])).succeeds();
    run(it.command(["rollback", "--yes"])).succeeds();
    assert_eq!(it.state().1, old);
    run(it.command(["rollback", "--yes"])).succeeds();
    assert_eq!(it.state().1.into_keys().collect::<Vec<_>>(), traces);
    run(it.command(["discard", "--yes"])).succeeds();
    assert_eq!(it.ours(), Vec::<String>::new());
    assert_eq!(it.state().1.into_keys().collect::<Vec<_>>(), traces);
}

#[test]
fn imports_into_a_mount_point_killed() {
    let it = Mounted::gitlab();
    let archives = pack_two(&it.scene);
    let mut states = Vec::new();
    for archive in &archives {
        run(it.import(archive)).succeeds();
        states.push(it.state());
    }
    assert!(states[0] != states[1]);
    let mut live = 1;
    let log = it.scene.path("points");
    let mut rehearsal = it.import(&archives[0]);
    rehearsal.env("CI_IMPORT_FAILPOINT_LOG", &log);
    run(rehearsal).succeeds();
    live = 1 - live;
    let points = fs::read_to_string(&log).unwrap();
    let points: Vec<&str> = points.lines().collect();
    let first = points
        .iter()
        .position(|point| *point == "journal begun")
        .unwrap();
    assert!(points.contains(&"old directory of the mount point aside"));
    let (mut old, mut new) = (0, 0);
    for hit in first + 1..=points.len() {
        let mut import = it.import(&archives[1 - live]);
        import.env("CI_IMPORT_FAILPOINT", format!("kill:#{hit}"));
        let outcome = run(import);
        assert!(
            matches!(outcome.code, None | Some(0 | 137)),
            "{}",
            outcome.whole()
        );
        // Every second time the recovery is killed, too, in the middle.
        if hit % 2 == 0 {
            let mut recover = it.command(["recover"]);
            recover.env("CI_IMPORT_FAILPOINT", format!("kill:#{}", 2 + hit % 9));
            run(recover);
        }
        run(it.command(["recover"])).succeeds();
        let state = it.state();
        if state == states[1 - live] {
            live = 1 - live;
            new += 1;
        } else {
            assert!(
                state == states[live],
                "after hit {hit} ({})",
                points[hit - 1]
            );
            old += 1;
        }
        let ours = it.ours();
        let is_known = |name: &String| name.starts_with(".ci_import_replaced.");
        assert!(ours.iter().all(is_known), "after hit {hit}: {ours:?}");
    }
    assert!(old > 3 && new > 0, "{old} old, {new} new");
    run(it.import(&archives[1 - live])).succeeds();
    assert!(it.state() == states[1 - live]);
}
