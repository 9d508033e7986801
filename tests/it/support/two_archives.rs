//! Two archives that differ in all that an import brings, and a target that one of them is live in.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::program::run;
use super::scene::{Dialect, Scene, fixture_dump};
use super::snapshot::Snapshot;

/// What the second archive's dump has instead of the first one's: a row, tags, a service.
const CHANGES: [(&str, &str); 4] = [
    ("(1,'https://example.com/", "(9,'https://example.org/"),
    ("'ruby'", "'rust'"),
    ("'Ruby'", "'Rust'"),
    ("'SlackService'", "'HipChatService'"),
];

/// See the module.
pub(crate) struct TwoArchives {
    pub(crate) scene: Scene,
    pub(crate) archives: [PathBuf; 2],
    /// What is live with each of them.
    pub(crate) states: [Snapshot; 2],
    /// Which of them is live.
    pub(crate) live: usize,
    /// How many publishes there were: each has put a builds directory aside.
    pub(crate) publishes: usize,
}

/// The second dump.
fn changed_dump() -> Vec<u8> {
    let mut dump = String::from_utf8(fixture_dump(Dialect::Native)).unwrap();
    for (from, to) in CHANGES {
        assert!(dump.contains(from), "{from}");
        dump = dump.replace(from, to);
    }
    dump.into_bytes()
}

/// Packs both archives in `scene`, with few and small traces.
pub(crate) fn pack_two(scene: &Scene) -> [PathBuf; 2] {
    let source = scene.source();
    // So that an import takes no longer than it must.
    fs::write(source.join("2015_10/2/5.log"), "a short trace").unwrap();
    let keep = |packed: PathBuf, name: &str| {
        let path = scene.path(name);
        fs::rename(packed, &path).unwrap();
        path
    };
    let first = keep(scene.pack(&fixture_dump(Dialect::Native)), "first.tar");
    fs::remove_file(source.join("2015_10/2/6.log")).unwrap();
    fs::write(source.join("2015_10/2/5.log"), "another short trace").unwrap();
    fs::create_dir(source.join("2015_10/3")).unwrap();
    fs::write(source.join("2015_10/3/7.log"), "one trace more").unwrap();
    let second = keep(scene.pack(&changed_dump()), "second.tar");
    [first, second]
}

impl TwoArchives {
    /// With the first of them live, after both were.
    pub(crate) fn imported() -> TwoArchives {
        TwoArchives::imported_into(Scene::gitlab())
    }

    /// The same in `scene`.
    pub(crate) fn imported_into(scene: Scene) -> TwoArchives {
        let archives = pack_two(&scene);
        // Tags of earlier imports stay: after one of each, further ones bring no new tags.
        scene.import(&archives[0]).succeeds();
        scene.import(&archives[1]).succeeds();
        let second = Snapshot::of(&scene);
        scene.import(&archives[0]).succeeds();
        let first = Snapshot::of(&scene);
        assert!(first != second);
        TwoArchives {
            scene,
            archives,
            states: [first, second],
            live: 0,
            publishes: 3,
        }
    }

    /// The import of the archive that is not live.
    pub(crate) fn import_other(&self) -> Command {
        self.scene
            .import_command(self.archives[1 - self.live].to_str().unwrap())
    }

    /// Says that the archive was exchanged for the other.
    pub(crate) fn published(&mut self) {
        self.live = 1 - self.live;
        self.publishes += 1;
    }

    pub(crate) fn recover(&self) {
        run(self.scene.command(["recover"])).succeeds();
    }

    /// What is live is what should be, whole, and nothing is left of what was cut.
    #[track_caller]
    pub(crate) fn assert_whole(&self, after: &str) {
        let now = Snapshot::of(&self.scene);
        let difference = self.states[self.live].difference(&now);
        assert!(difference.is_empty(), "after {after}: {difference}");
        assert_nothing_left(&self.scene, self.publishes, after);
    }
}

/// Nothing is left of what was cut: beside the builds directory there are `aside` older ones, and no
/// schema but that of the old tables, if there are any.
#[track_caller]
pub(crate) fn assert_nothing_left(scene: &Scene, aside: usize, after: &str) {
    let schemas = scene.values("SELECT nspname FROM pg_namespace WHERE nspname ~ '^ci_import'");
    let expected: &[&str] = if aside > 0 {
        &["ci_import_previous"]
    } else {
        &[]
    };
    assert_eq!(schemas, expected, "after {after}");
    let names = beside(scene);
    let is_epoch = |name: &String| {
        let epoch = name.strip_prefix("builds.");
        epoch.is_some_and(|epoch| epoch.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let expected = names.iter().filter(|name| is_epoch(name)).count();
    assert_eq!(expected, aside, "after {after}: {names:?}");
    let others: Vec<_> = names.iter().filter(|name| !is_epoch(name)).collect();
    assert_eq!(others, ["builds"], "after {after}");
}

/// What is in the directory that the builds directory is in.
pub(crate) fn beside(scene: &Scene) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(scene.builds_seen().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
