//! The server's own dump program, mysqldump or mariadb-dump, for a backup (MySQL manual, 6.5.4; MariaDB's of the same
//! options).

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use mysql::prelude::Queryable;
use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};

use super::about::{named, newest_migration};
use super::error::failure;
use super::options::ConnectionOptions;
use super::options::host::Place;
use crate::error::{Doing, Error, Result};
use crate::gitlab::tables::TABLES;
use crate::server::backup_source::{
    BackupSource, DumpProgram, check_tables, command_of, version_of,
};

/// What the program is called, with the one for MariaDB first.
const PROGRAMS: [&str; 2] = ["mariadb-dump", "mysqldump"];

/// The engines with transactions.
const TRANSACTIONAL: [&str; 3] = ["InnoDB", "ROCKSDB", "TokuDB"];

impl ConnectionOptions {
    /// What the database has of GitLab CI. Servers from MySQL 5.5 on can be asked.
    pub(crate) fn backup_source(&self) -> Result<BackupSource> {
        let mut connection = self.open(&self.database)?;
        let asking = || failure("look at the database");
        let server: Option<String> = connection
            .query_first("SELECT version()")
            .map_err(asking())?;
        let server = server.unwrap_or_default();
        let rows: Vec<(String, Option<String>, Option<u64>)> = connection
            .exec(
                "SELECT table_name, engine, data_length FROM information_schema.tables
                 WHERE table_schema = ? AND table_type = 'BASE TABLE'",
                (&self.database,),
            )
            .map_err(asking())?;
        let of_ci = rows
            .iter()
            .filter(|(name, ..)| TABLES.contains(&name.as_str()));
        let names: Vec<String> = of_ci.clone().map(|(name, ..)| name.clone()).collect();
        check_tables(&names)?;
        let has_transactions = |engine: &Option<String>| {
            let engine = engine.as_deref().unwrap_or_default();
            TRANSACTIONAL
                .iter()
                .any(|known| known.eq_ignore_ascii_case(engine))
        };
        let without = of_ci
            .clone()
            .filter(|(_, engine, _)| !has_transactions(engine));
        let tables: Vec<String> = rows.iter().map(|(name, ..)| name.clone()).collect();
        let db_version = newest_migration(&mut connection, &tables)?;
        Ok(BackupSource {
            is_mariadb: server.to_ascii_lowercase().contains("mariadb"),
            server: named(&server),
            schema: self.database.clone(),
            db_version,
            bytes: of_ci.clone().map(|(.., bytes)| bytes.unwrap_or(0)).sum(),
            without_transactions: without.map(|(name, ..)| name.clone()).collect(),
        })
    }

    /// The program that dumps the tables of GitLab CI, all as they are at one moment.
    pub(crate) fn dump_program(&self, source: &BackupSource) -> Result<DumpProgram> {
        let program = Program::find(source.is_mariadb)?;
        let secret = self.options_of(&program)?;
        let mut command = command_of(&program.path);
        // The child inherits the descriptor.
        command.arg(format!(
            "--defaults-file=/proc/self/fd/{}",
            secret.as_raw_fd()
        ));
        command.args([
            "--default-character-set=utf8mb4",
            "--quick",
            "--hex-blob",
            "--no-tablespaces",
            "--max-allowed-packet=1G",
        ]);
        if source.without_transactions.is_empty() {
            command.args(["--single-transaction", "--skip-lock-tables"]);
        } else {
            command.arg("--lock-tables");
        }
        if program.major_of_mysql() >= Some(8) {
            // Older servers have no such statistics.
            command.arg("--column-statistics=0");
        }
        if program.major_of_mysql() >= Some(5) && program.has_gtids() {
            command.arg("--set-gtid-purged=OFF");
        }
        command.arg(&self.database).args(TABLES);
        Ok(DumpProgram {
            command,
            name: program.version,
            secret: Some(secret),
        })
    }

    /// An option file in memory that says where the server is, and the password.
    fn options_of(&self, program: &Program) -> Result<OwnedFd> {
        let mut text = "[client]\n".to_owned();
        let mut set = |name: &str, value: &str| -> Result<()> {
            if value.contains(['\n', '\r', '\0']) {
                return Err(Error::usage(format!(
                    "the {name} of the database has a line end"
                )));
            }
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            let _ = writeln!(text, "{name}=\"{value}\"");
            Ok(())
        };
        set("user", &self.user)?;
        if let Some(password) = &self.password {
            set("password", password)?;
        }
        match &self.place {
            Place::Host(host, port) => {
                set("host", host)?;
                set("port", &port.to_string())?;
                set("protocol", "tcp")?;
            }
            Place::Socket(path) => {
                set("socket", &path.to_string_lossy())?;
                set("protocol", "socket")?;
            }
        }
        for (name, value) in self.tls.option_file(program.is_mariadb) {
            set(name, &value)?;
        }
        if self.trusts_key && !program.is_mariadb {
            set("loose-get-server-public-key", "1")?;
        }
        in_memory(&text).doing("hand the password to the dump program")
    }
}

/// A file in memory that only this user and the children can read.
fn in_memory(text: &str) -> std::io::Result<OwnedFd> {
    // Without CLOEXEC: the child shall have it.
    let file = memfd_create("options", MemfdFlags::empty())?;
    // The programs ignore a file that everybody may write to.
    fchmod(&file, Mode::RUSR | Mode::WUSR)?;
    let mut file = File::from(file);
    file.write_all(text.as_bytes())?;
    Ok(file.into())
}

/// The dump program of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Program {
    path: PathBuf,
    /// What it says of itself.
    version: String,
    is_mariadb: bool,
}

impl Program {
    fn find(for_mariadb: bool) -> Result<Program> {
        let mut found = PROGRAMS
            .iter()
            .filter_map(|name| Program::at(Path::new(name)));
        let first = found.next();
        let program = if first
            .as_ref()
            .is_some_and(|program| program.is_mariadb == for_mariadb)
        {
            first
        } else {
            found
                .next()
                .filter(|program| program.is_mariadb == for_mariadb)
                .or(first)
        };
        program.ok_or_else(|| {
            Error::usage("neither mysqldump nor mariadb-dump is on this machine")
                .hint("install the client programs of the server, for instance: apt-get install mariadb-client")
        })
    }

    fn at(path: &Path) -> Option<Program> {
        let version = version_of(path)?;
        Some(Program {
            path: path.to_owned(),
            is_mariadb: version.contains("MariaDB"),
            version,
        })
    }

    /// The major version, if it is MySQL's: of `mysqldump  Ver 8.0.40 for Linux` or
    /// `mysqldump  Ver 10.13 Distrib 5.7.44, for Linux`.
    fn major_of_mysql(&self) -> Option<u32> {
        self.number().map(|(major, _)| major)
    }

    fn number(&self) -> Option<(u32, u32)> {
        if self.is_mariadb {
            return None;
        }
        let after = |word: &str| self.version.split(word).nth(1);
        let text = after("Distrib ").or_else(|| after("Ver "))?.trim_start();
        let mut parts = text.split(|character: char| !character.is_ascii_digit());
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }

    /// Whether the program may write statements about GTIDs, from 5.6 on.
    fn has_gtids(&self) -> bool {
        self.number() >= Some((5, 6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        for (text, expected) in [
            (
                "mysqldump  Ver 8.0.40 for Linux on x86_64 (MySQL Community Server - GPL)",
                Some((8, 0)),
            ),
            (
                "mysqldump  Ver 10.13 Distrib 5.7.44, for linux-glibc2.12 (x86_64)",
                Some((5, 7)),
            ),
            (
                "mysqldump  Ver 10.13 Distrib 5.5.62, for debian-linux-gnu (x86_64)",
                Some((5, 5)),
            ),
            (
                "mariadb-dump from 11.8.2-MariaDB, client 10.19 for debian-linux-gnu",
                None,
            ),
        ] {
            let program = Program {
                path: PathBuf::new(),
                version: text.to_owned(),
                is_mariadb: text.contains("MariaDB"),
            };
            assert_eq!(program.number(), expected, "{text}");
            assert_eq!(program.has_gtids(), expected >= Some((5, 6)), "{text}");
        }
    }
}
