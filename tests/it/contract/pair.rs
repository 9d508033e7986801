//! One source and one target: what is checked of them, each by a function.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::matrix::{Cell, Refusal, cell};
use super::sources::{Kind, Source};
use super::targets::{Server, Target};
use crate::postgresql::memory::{BUDGET, large_dump, peak_of};
use crate::support::program::{Outcome, command, run, surplus, unbroken};
use crate::support::scene::{TABLES, make_traces, pack};
use crate::support::trees::same_tree;

/// What a CI had that was there before.
const OLD_ROWS: [&str; 4] = [
    "INSERT INTO ci_jobs (project_id) VALUES (77)",
    "INSERT INTO ci_tags (name) VALUES ('an old one')",
    "INSERT INTO ci_services (type, project_id) VALUES ('Ci::OldService', 1)",
    "UPDATE application_settings SET ci_enabled = false",
];

/// A value of a row in the middle of `ci_runners`, as each notation has it.
const VALUE: [&str; 2] = ["'docker @ host-1',", "docker @ host-1\t"];

/// What the fixture's variable is encrypted with.
const FIXTURES_KEY: &str = "the key of the fixtures";

/// Checks the contract of `source` and a target of its own.
pub(super) fn check<T: Target>(source: Source) {
    let target = T::gitlab();
    for sql in OLD_ROWS {
        target.execute(sql);
    }
    let archives = Archives::of(source);
    let Cell { taken, refused } = cell(archives.source.kind, T::SERVER);
    for refusal in &refused {
        is_refused(&target, &archives, refusal);
    }
    let Some(options) = taken else { return };
    let pair = Pair {
        target,
        archives,
        options,
    };
    pair.failures_change_nothing();
    pair.all_of_it_arrives();
    pair.numbers_go_on();
    pair.gitlab_has_what_it_needs();
    pair.encrypted_values_decrypt();
    pair.verify_finds_what_differs();
}

/// Checks that an import takes no more memory than it is given, where the dump has more.
pub(super) fn keeps_its_budget<T: Target>() {
    let target = T::gitlab();
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let (dump, rows) = (path("large.sql.gz"), 60_000);
    large_dump(&dump, rows);
    make_traces(&path("traces"));
    pack(&dump, &path("traces"), &path("large.tar"), "8.0.5");
    let options = cell(Kind::Mysql, T::SERVER).taken.unwrap();
    let builds = target.builds();
    let mut import = command_for(&path("large.tar"), &[], &target.url(), &builds);
    import.args(options).args(["--yes", "--jobs", "2"]);
    import.args(["--memory", &BUDGET.to_string()]);
    let peak = peak_of(import);
    assert!(peak <= (BUDGET << 20) + surplus(), "{} KiB", peak >> 10);
    let counted = target.values("SELECT COUNT(*) FROM ci_builds WHERE LENGTH(trace) > 700");
    assert_eq!(counted, [rows.to_string()]);
}

/// What is packed of a source.
struct Archives {
    directory: TempDir,
    source: Source,
}

impl Archives {
    fn of(source: Source) -> Archives {
        let directory = tempfile::tempdir().unwrap();
        make_traces(&directory.path().join("traces"));
        Archives { directory, source }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn traces(&self) -> PathBuf {
        self.path("traces")
    }

    /// An archive named `name` with `dump`, of this version.
    fn archive(&self, name: &str, dump: &[u8], version: &str) -> PathBuf {
        let (sql, archive) = (self.path("dump.sql"), self.path(name));
        fs::write(&sql, dump).unwrap();
        pack(&sql, &self.traces(), &archive, version);
        archive
    }

    /// A secrets.yml with `key`.
    fn secrets(&self, key: &str) -> PathBuf {
        let path = self.path("secrets.yml");
        fs::write(&path, format!("production:\n  db_key_base: {key}\n")).unwrap();
        path
    }

    fn whole(&self) -> PathBuf {
        self.archive("whole.tar", &self.source.dump, "8.0.5")
    }

    /// The dump with one value less in a row that others follow.
    fn broken_dump(&self) -> Vec<u8> {
        let dump = String::from_utf8(self.source.dump.clone()).unwrap();
        let value = VALUE.iter().find(|value| dump.contains(*value)).unwrap();
        dump.replacen(*value, "", 1).into_bytes()
    }
}

/// The program with `archive`, and what names the target.
fn command_for(archive: &Path, verb: &[&str], url: &str, builds: &Path) -> Command {
    let mut it = command(verb);
    it.arg(archive)
        .args(["--database-url", url, "--builds-path"]);
    it.arg(builds);
    it
}

/// The import of `archive`, from a pipe perhaps.
fn import(
    target: &impl Target,
    archive: &Path,
    options: &[&str],
    url: &str,
    is_piped: bool,
) -> Outcome {
    let named = if is_piped { Path::new("-") } else { archive };
    let mut import = command_for(named, &[], url, &target.builds());
    import.arg("--yes").args(options);
    if is_piped {
        import.stdin(File::open(archive).unwrap());
    }
    run(import)
}

/// With exit code 2, the reason and what to do instead; of a file even before the target is asked.
fn is_refused<T: Target>(target: &T, archives: &Archives, refusal: &Refusal) {
    let unchanged = target.remember();
    let archive = archives.whole();
    let url = target.url();
    for (url, is_piped) in [(url.as_str(), false), (&url, true), (T::NOBODY, false)] {
        import(target, &archive, refusal.options, url, is_piped)
            .exits(2)
            .says(refusal.reason)
            .says(&format!("hint: {}", refusal.hint));
    }
    unchanged("a refusal");
}

struct Pair<T> {
    target: T,
    archives: Archives,
    /// Of an import.
    options: &'static [&'static str],
}

impl<T: Target> Pair<T> {
    fn import(&self, archive: &Path, options: &[&str], is_piped: bool) -> Outcome {
        let options = [self.options, options].concat();
        import(
            &self.target,
            archive,
            &options,
            &self.target.url(),
            is_piped,
        )
    }

    fn verify(&self, archive: &Path) -> Outcome {
        let builds = self.target.builds();
        let mut verify = command_for(archive, &["verify"], &self.target.url(), &builds);
        run(verify.args(self.options))
    }

    fn rollback(&self) {
        let mut rollback = command(["rollback", "--yes", "--builds-path"]);
        rollback.arg(self.target.builds());
        run(rollback.args(["--database-url", &self.target.url()])).succeeds();
    }

    /// Whatever it fails of, and however late that is known, the old state is as it was.
    fn failures_change_nothing(&self) {
        let unchanged = self.target.remember();
        let archive = self.archives.whole();
        let file = File::options().write(true).open(&archive).unwrap();
        file.set_len(fs::metadata(&archive).unwrap().len() / 2)
            .unwrap();
        for is_piped in [false, true] {
            self.import(&archive, &[], is_piped).exits(3);
            unchanged("an archive that is cut");
        }
        let dump = &self.archives.source.dump;
        let archive = self.archives.archive("other.tar", dump, "7.14.0");
        self.import(&archive, &[], true).exits(3).says("7.14.0");
        unchanged("another version in a pipe");
        let broken = self.archives.broken_dump();
        let archive = self.archives.archive("broken.tar", &broken, "8.0.5");
        for is_piped in [false, true] {
            self.import(&archive, &[], is_piped)
                .exits(1)
                .says("ci_runners");
            unchanged("a broken row");
        }
        let archive = self.archives.whole();
        import(&self.target, &archive, self.options, T::NOBODY, false).exits(4);
        let secrets = self.archives.secrets("another key");
        let options = ["--secrets", secrets.to_str().unwrap()];
        for is_piped in [false, true] {
            self.import(&archive, &options, is_piped)
                .exits(3)
                .says("1 of 1 encrypted values do not decrypt");
            unchanged("another key");
        }
    }

    /// In the archive and in the target, with the right key only.
    fn encrypted_values_decrypt(&self) {
        let (archive, url) = (self.archives.whole(), self.target.url());
        let options: [&[&str]; 2] = [&[archive.to_str().unwrap()], &["--database-url", &url]];
        for (key, code) in [(FIXTURES_KEY, 0), ("another key", 1)] {
            let secrets = self.archives.secrets(key);
            for options in options {
                let mut check = command(["secrets", "check", "--secrets"]);
                run(check.arg(&secrets).args(options))
                    .exits(code)
                    .reports(if code == 0 {
                        "1 decrypt"
                    } else {
                        "project 1: 1"
                    });
            }
        }
    }

    /// An import that is looked at in full, undone, and brought back: each value and each trace.
    fn all_of_it_arrives(&self) {
        let old = self.target.remember_live();
        let archive = self.archives.whole();
        // Zero dates and NULs.
        let changes_values =
            (self.archives.source.kind, T::SERVER) == (Kind::Mysql, Server::Postgresql);
        self.import(&archive, &["--verify", "full", "--strict"], false)
            .exits(if changes_values { 5 } else { 0 });
        let new = self.target.remember_live();
        self.rollback();
        old("the rollback");
        self.rollback();
        new("the second rollback");
        self.target.assert_same_values(self.archives.source.meant);
        same_tree(&self.archives.traces(), &self.target.builds());
        self.verify(&archive).succeeds().reports("all agree");
    }

    /// The next row of each table gets the number that it would have got in the source.
    fn numbers_go_on(&self) {
        let number = |sql: &str| self.target.values(sql)[0].parse::<i64>().unwrap();
        for table in TABLES {
            // In web hooks the last rows are gone.
            let deleted = table == "ci_web_hooks" && self.archives.source.has_numbering;
            let largest = number(&format!("SELECT COALESCE(MAX(id), 0) FROM {table}"));
            let expected = largest + 1 + if deleted { 2 } else { 0 };
            assert_eq!(self.target.next_number(table), expected, "{table}");
        }
        let next = self.target.next_number("ci_web_hooks");
        self.target
            .execute("INSERT INTO ci_web_hooks (url, project_id) VALUES ('new', 1)");
        let given = number("SELECT id FROM ci_web_hooks WHERE url = 'new'");
        assert_eq!(given, next);
        self.target
            .execute("DELETE FROM ci_web_hooks WHERE url = 'new'");
    }

    fn gitlab_has_what_it_needs(&self) {
        let values = |sql: &str| self.target.values(sql);
        let enabled = values("SELECT COUNT(*) FROM application_settings WHERE ci_enabled");
        assert_eq!(enabled, ["1"]);
        let services = values("SELECT type FROM ci_services WHERE type IS NOT NULL ORDER BY id");
        assert_eq!(services, ["Ci::SlackService", "Ci::MailService"]);
        // Two tags that differ in case alone are one to MySQL.
        let taggings: BTreeSet<String> = values(
            "SELECT LOWER(t.name), g.taggable_type, g.taggable_id, g.context, t.taggings_count > 0
             FROM taggings g JOIN tags t ON t.id = g.tag_id",
        )
        .iter()
        .map(|row| row.strip_suffix(['1', 't']).expect("a count").to_owned())
        .collect();
        let expected = [
            "backend|Project|11|tags|",
            "ruby|Ci::Build|2|tags|",
            "ruby|Ci::Runner|1|tags|",
            "shared|Ci::Build|3|tags|",
            "shared|Project|11|tags|",
            "shared|Project|12|tags|",
            "日本|Ci::Runner|2|tags|",
        ];
        assert_eq!(Vec::from_iter(taggings), expected);
    }

    /// A row that is changed, one that is gone, one too many, numbers that would be given twice, and a
    /// changed trace: each is found, and nothing else.
    fn verify_finds_what_differs(&self) {
        let archive = self.archives.whole();
        let (twice, told) = T::NUMBERED_TWICE;
        let changes = [
            (
                "UPDATE ci_builds SET commands = 'make\nmake tests' WHERE id = 1",
                "ci_builds",
                "rows differ from those of the archive",
            ),
            (
                "DELETE FROM ci_commits WHERE id = 2",
                "ci_commits",
                "2 rows instead of 3",
            ),
            (
                "INSERT INTO ci_jobs (project_id) VALUES (1)",
                "ci_jobs",
                "1 rows instead of 0",
            ),
            (twice, "ci_projects", told),
        ];
        for (sql, ..) in changes {
            self.target.execute(sql);
        }
        let trace = self.target.builds().join("2015_08/1/1.log");
        let mut content = fs::read(&trace).unwrap();
        content[3] ^= 1;
        fs::write(&trace, content).unwrap();
        let outcome = self.verify(&archive).exits(1);
        let parts: Vec<&str> = outcome.stdout.split("DIFFER").collect();
        assert_eq!(parts.len(), changes.len() + 2, "{}", outcome.whole());
        for (pair, (_, table, told)) in parts.windows(2).zip(changes) {
            let row = pair[0].lines().last().unwrap();
            let is_told = row.starts_with(table) && unbroken(pair[1]).contains(told);
            assert!(is_told, "{table}: {told}\n{}", outcome.whole());
        }
        assert!(unbroken(parts[5]).contains("1 with different content: 2015_08/1/1.log"));
    }
}
