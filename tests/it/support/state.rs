//! What is live, whole: to see that nothing of it has changed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use super::scene::Scene;
use super::servers::{expect_success, postgresql, postgresql_programs};
use super::trees::tree;

type Tree = BTreeMap<PathBuf, (Option<Vec<u8>>, u32, i64)>;

/// The whole database as pg_dump sees it, its schemas, and everything beside the builds directory.
#[derive(PartialEq)]
pub(crate) struct State {
    database: String,
    schemas: Vec<String>,
    directories: Tree,
}

impl State {
    pub(crate) fn of(scene: &Scene) -> State {
        let live = scene.builds().parent().unwrap().to_owned();
        State {
            database: without_gaps(&pg_dump(scene, &[])),
            schemas: scene
                .values("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1"),
            directories: tree(&live),
        }
    }

    #[track_caller]
    pub(crate) fn assert_same(&self, after: &State) {
        assert_eq!(self.schemas, after.schemas, "schemas");
        let lines = |state: &State| {
            state
                .database
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let (before, now) = (lines(self), lines(after));
        let differs = before.iter().zip(&now).find(|(one, other)| one != other);
        assert!(before == now, "the database differs: {differs:?}");
        let names = |tree: &Tree| tree.keys().cloned().collect::<Vec<_>>();
        assert_eq!(
            names(&self.directories),
            names(&after.directories),
            "directories"
        );
        assert!(self.directories == after.directories, "a file differs");
    }
}

/// The dump without the places of the sequences that merging tags takes numbers from: an aborted
/// transaction leaves gaps in them (PostgreSQL manual, 9.17).
fn without_gaps(dump: &str) -> String {
    let is_place = |line: &&str| {
        line.contains("setval('public.tags_id_seq'")
            || line.contains("setval('public.taggings_id_seq'")
    };
    let lines: Vec<&str> = dump.lines().filter(|line| !is_place(line)).collect();
    lines.join("\n")
}

/// What the real pg_dump writes of the scene's database, without the random keys that newer
/// versions put around it.
pub(crate) fn pg_dump(scene: &Scene, options: &[&str]) -> String {
    let mut command = Command::new(postgresql_programs().join("pg_dump"));
    command
        .arg("-h")
        .arg(&postgresql().directory)
        .args(["-U", "postgres"]);
    let output = command.args(options).arg(&scene.database).output().unwrap();
    let dump = String::from_utf8(expect_success(&output)).unwrap();
    let is_key = |line: &&str| line.starts_with("\\restrict") || line.starts_with("\\unrestrict");
    dump.lines()
        .filter(|line| !is_key(line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// What users of the target see, whole, wherever on the disk it lies: not what was replaced, nor the
/// order of rows.
#[derive(PartialEq, Eq, Clone)]
pub(crate) struct LiveState {
    database: Vec<String>,
    builds: Tree,
}

impl LiveState {
    pub(crate) fn of(scene: &Scene) -> LiveState {
        let dump = pg_dump(scene, &["--exclude-schema=ci_import_previous*"]);
        let mut database: Vec<String> = without_gaps(&dump).lines().map(str::to_owned).collect();
        database.sort();
        let builds = scene.builds();
        LiveState {
            database,
            builds: if builds.exists() {
                tree(&builds)
            } else {
                Tree::new()
            },
        }
    }

    #[track_caller]
    pub(crate) fn assert_same(&self, after: &LiveState) {
        let missing = |one: &LiveState, other: &LiveState| {
            let lines = one.database.iter().filter(|l| !other.database.contains(l));
            lines.cloned().collect::<Vec<_>>()
        };
        let (gone, new) = (missing(self, after), missing(after, self));
        assert!(
            self.database == after.database,
            "the database differs: gone {gone:#?}, new {new:#?}"
        );
        let names = |state: &LiveState| state.builds.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(self), names(after), "builds");
        assert!(self.builds == after.builds, "a trace differs");
    }
}
