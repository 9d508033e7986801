//! A database that is backed up: what it has of GitLab CI, and the program that dumps it.

use std::os::fd::OwnedFd;
use std::process::Command;

use crate::error::{Error, Result};
use crate::gitlab::tables::TABLES;

/// What a database has of GitLab CI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSource {
    /// The server, in its own words.
    pub server: String,
    /// Whether the server is MariaDB.
    pub is_mariadb: bool,
    /// The schema of the tables; the database's name in MySQL.
    pub schema: String,
    /// The last migration of the database, if it tells.
    pub db_version: Option<String>,
    /// How many bytes the server says that the tables have.
    pub bytes: u64,
    /// The tables without transactions, which a dump must lock to be of one moment.
    pub without_transactions: Vec<String>,
}

/// A program that writes a dump to its standard output.
#[derive(Debug)]
pub struct DumpProgram {
    /// It, with its arguments. Nobody else can read the password in them.
    pub command: Command,
    /// Its name and version, for messages.
    pub name: String,
    /// What the child reads the password from; it must be open until the child has ended.
    pub secret: Option<OwnedFd>,
}

/// An error unless all tables of GitLab CI 8.0 are `found`.
pub(crate) fn check_tables(found: &[String]) -> Result<()> {
    let has = |name: &&str| found.iter().any(|found| found == name);
    let missing: Vec<&str> = TABLES.into_iter().filter(|name| !has(name)).collect();
    match missing.as_slice() {
        [] => Ok(()),
        all if all.len() == TABLES.len() => {
            Err(Error::target("the database has no table of GitLab CI 8.0").hint(
                "name GitLab CI's database, not GitLab's; GitLab CI before 8.0 must be upgraded, with its migrations, \
                 before the backup",
            ))
        }
        some => Err(Error::target(format!(
            "the database lacks tables of GitLab CI 8.0: {}",
            some.join(", ")
        ))
        .hint("run the migrations of GitLab CI 8.0: bundle exec rake db:migrate")),
    }
}

/// What `program --version` says, if the program is there.
pub(crate) fn version_of(program: &std::path::Path) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// The variables of the environment that a dump program gets, besides those that name the target.
const VARIABLES: [&str; 4] = ["PATH", "LD_LIBRARY_PATH", "TMPDIR", "TZ"];

/// The command of `program`, with an environment that names nothing.
pub(crate) fn command_of(program: &std::path::Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C");
    for name in VARIABLES {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_tables_are_named() {
        let all = TABLES.map(str::to_owned);
        assert!(check_tables(&all).is_ok());
        let error = check_tables(&all[2..]).unwrap_err().to_string();
        assert!(
            error.ends_with("8.0: ci_application_settings, ci_builds"),
            "{error}"
        );
        let error = check_tables(&["builds".to_owned()])
            .unwrap_err()
            .to_string();
        assert_eq!(error, "the database has no table of GitLab CI 8.0");
    }
}
