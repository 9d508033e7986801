//! Backups of a CI server, made by `ci-import backup`.

pub(crate) mod failures;
pub(crate) mod made;
pub(crate) mod passwords;
pub(crate) mod whole_move;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::program::{Outcome, command, run};
use crate::support::scene::{fixture_database, make_traces};
use crate::support::servers::mariadb;

/// A CI server: its database, its builds directory, and the folder of its archives.
pub(crate) struct CiServer {
    pub(crate) directory: TempDir,
    pub(crate) url: String,
}

impl CiServer {
    /// The one with the fixture's rows, in MariaDB.
    pub(crate) fn on_mariadb() -> CiServer {
        let socket = mariadb().directory.join("socket");
        let database = fixture_database();
        CiServer::at(format!(
            "mysql://root@localhost/{database}?socket={}",
            socket.display()
        ))
    }

    /// One whose database is at `url`.
    pub(crate) fn at(url: String) -> CiServer {
        let directory = tempfile::tempdir().unwrap();
        make_traces(&directory.path().join("builds"));
        let folder = directory.path().join("backups");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("100_gitlab_ci_backup.tar"), "an older one").unwrap();
        CiServer { directory, url }
    }

    pub(crate) fn builds(&self) -> PathBuf {
        self.directory.path().join("builds")
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.directory.path().join("backups")
    }

    /// The command, with more `arguments`.
    pub(crate) fn backup(&self, arguments: &[&str]) -> Command {
        let mut backup = command([
            "backup",
            "--ci-version",
            "8.0.5",
            "--database-url",
            &self.url,
        ]);
        backup.arg("--builds-path").arg(self.builds());
        if !arguments.contains(&"-o") {
            backup.arg("-o").arg(self.folder());
        }
        backup.args(arguments);
        backup
    }

    /// Runs it: the new archive.
    #[track_caller]
    pub(crate) fn archive(&self, arguments: &[&str]) -> PathBuf {
        run(self.backup(arguments))
            .succeeds()
            .reports("Your final CI export is in the following file:");
        let made = self.archives();
        let [_, new] = &made[..] else {
            panic!("{made:?}");
        };
        self.folder().join(new)
    }

    /// The names in the folder of the archives, hidden ones too.
    pub(crate) fn archives(&self) -> Vec<String> {
        names_in(&self.folder())
    }

    /// It failed, said so, and left nothing but the older archive.
    #[track_caller]
    pub(crate) fn left_nothing(&self, outcome: Outcome, code: i32, says: &str) {
        outcome.exits(code).says(says);
        assert_eq!(self.archives(), ["100_gitlab_ci_backup.tar"]);
        let older = fs::read_to_string(self.folder().join("100_gitlab_ci_backup.tar"));
        assert_eq!(older.unwrap(), "an older one");
    }
}

pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
