//! Archives that must not be imported: each is run through the program, from a file and through a
//! pipe, and must leave nothing behind but its reason.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use super::program::{Outcome, run_watched, surplus, unbroken};
use super::scene::Scene;
use super::state::State;

/// What each import may take in a release build, in MiB.
pub(crate) const BUDGET: u64 = 40;

/// An archive, and how it is refused.
pub(crate) struct Case {
    name: String,
    archive: Vec<u8>,
    in_file: Refusal,
    in_pipe: Refusal,
}

/// The exit code, and something that is said.
#[derive(Clone)]
struct Refusal {
    code: i32,
    says: String,
}

impl Case {
    /// An archive that is refused with `code` and a message that contains `says`.
    pub(crate) fn new(
        name: impl Into<String>,
        archive: Vec<u8>,
        code: i32,
        says: impl Into<String>,
    ) -> Case {
        let refusal = Refusal {
            code,
            says: says.into(),
        };
        Case {
            name: name.into(),
            archive,
            in_file: refusal.clone(),
            in_pipe: refusal,
        }
    }

    /// The same case, where the reason is another one when it comes through a pipe.
    pub(crate) fn piped(mut self, says: &str) -> Case {
        self.in_pipe.says = says.into();
        self
    }
}

/// Where hostile archives would like to put something, and what must be as it was.
pub(crate) struct Ground {
    pub(crate) scene: Scene,
}

impl Ground {
    pub(crate) fn new() -> Ground {
        let scene = Scene::gitlab();
        fs::create_dir(scene.path("bait")).unwrap();
        Ground { scene }
    }

    /// A path in the bait, from the root of the file system.
    pub(crate) fn bait(&self) -> PathBuf {
        self.scene.path("bait")
    }

    /// Runs all of `cases`; at the end the target is as it was.
    #[track_caller]
    pub(crate) fn refuses(&self, cases: &[Case]) {
        let before = State::of(&self.scene);
        let mut wrong = Vec::new();
        for case in cases {
            let path = self.scene.path("unwelcome.tar");
            fs::write(&path, &case.archive).unwrap();
            let import = self.import(path.to_str().unwrap());
            wrong.extend(self.complaint(case, "file", import, &case.in_file));
            let mut import = self.import("-");
            import.stdin(File::open(&path).unwrap());
            wrong.extend(self.complaint(case, "pipe", import, &case.in_pipe));
        }
        assert!(
            wrong.is_empty(),
            "{} wrong:\n{}",
            wrong.len(),
            wrong.join("\n\n")
        );
        before.assert_same(&State::of(&self.scene));
    }

    /// The import of `archive` within the budget.
    pub(crate) fn import(&self, archive: &str) -> Command {
        let mut import = self.scene.import_command(archive);
        import.args(["--memory", &BUDGET.to_string(), "--jobs", "2"]);
        import
    }

    /// What is wrong with the way `import` refuses, if anything is.
    fn complaint(
        &self,
        case: &Case,
        way: &str,
        import: Command,
        refusal: &Refusal,
    ) -> Option<String> {
        let (outcome, peak) = run_watched(import);
        let Refusal { code, says } = refusal;
        let mut wrong = Vec::new();
        if outcome.code != Some(*code) {
            wrong.push(format!("expected exit code {code}"));
        }
        if !unbroken(&outcome.stderr).contains(says.as_str()) {
            wrong.push(format!("expected on stderr: {says}"));
        }
        if !says_one_error(&outcome) {
            wrong.push("expected one error without control characters".to_owned());
        }
        if peak > (BUDGET << 20) + surplus() {
            wrong.push(format!("it took {} KiB", peak >> 10));
        }
        wrong.extend(self.left_behind());
        let whole = outcome.whole();
        (!wrong.is_empty()).then(|| {
            format!(
                "{} ({way}): {}\n{}",
                case.name,
                wrong.join("; "),
                start(&whole)
            )
        })
    }

    /// What is there that should not be.
    pub(crate) fn left_behind(&self) -> Option<String> {
        let names = |directory: PathBuf| -> Vec<_> {
            let entries = fs::read_dir(directory).unwrap();
            entries.map(|entry| entry.unwrap().file_name()).collect()
        };
        let (bait, live) = (names(self.bait()), names(self.scene.path("live")));
        if !bait.is_empty() {
            return Some(format!("outside of the staging is {bait:?}"));
        }
        if live != ["builds"] {
            return Some(format!("beside the traces is {live:?}"));
        }
        let staging = "SELECT nspname FROM pg_namespace WHERE nspname = 'ci_import_staging'";
        let staging = self.scene.values(staging);
        (!staging.is_empty()).then(|| "the staging schema is there".to_owned())
    }
}

/// It ended by itself and said why, and nothing that a terminal would obey.
fn says_one_error(outcome: &Outcome) -> bool {
    let Outcome { stderr, .. } = outcome;
    let is_control = |c: char| c.is_control() && c != '\n' && c != '\t';
    stderr.contains("ci-import: error: ")
        && !stderr.contains("panicked")
        && !stderr.contains(is_control)
}

/// The beginning of what may be long.
fn start(text: &str) -> String {
    text.chars().take(1500).collect()
}

/// No two of `cases` are the same archive; how many there are.
pub(crate) fn count_different(cases: &[Case]) -> usize {
    let names: HashSet<_> = cases.iter().map(|case| &case.name).collect();
    assert_eq!(names.len(), cases.len(), "two cases have the same name");
    let mut archives = HashSet::new();
    for case in cases {
        assert!(
            archives.insert(&case.archive),
            "{} is there twice",
            case.name
        );
    }
    archives.len()
}
