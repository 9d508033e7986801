//! The server's own dump program, `pg_dump`, for a backup (PostgreSQL manual, "pg_dump").

use std::path::{Path, PathBuf};

use postgres::config::ChannelBinding;

use super::about::newest_migration;
use super::connection::is_this_machine;
use super::error::failure;
use super::options::ConnectionOptions;
use super::options::hosts::{Listener, Place};
use super::server_programs::program_directories;
use super::tls::Mode;
use crate::error::{Error, Result};
use crate::gitlab::tables::TABLES;
use crate::schema::sql::identifier;
use crate::server::backup_source::{
    BackupSource, DumpProgram, check_tables, command_of, version_of,
};

impl ConnectionOptions {
    /// What the database has of GitLab CI. Servers from 9.1 on can be asked.
    pub(crate) fn backup_source(&self) -> Result<BackupSource> {
        let mut client = self.look()?;
        let asking = || failure("look at the database");
        let server: String = client
            .query_one("SELECT pg_catalog.current_setting('server_version')", &[])
            .map_err(asking())?
            .get(0);
        let names: Vec<String> = TABLES.iter().map(ToString::to_string).collect();
        let rows = client
            .query(
                "SELECT n.nspname::text, c.relname::text, pg_catalog.pg_table_size(c.oid)
                 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                 WHERE c.relname::text = ANY ($1) AND c.relkind IN ('r', 'p') AND n.nspname !~ '^(ci_import|pg)_'",
                &[&names],
            )
            .map_err(asking())?;
        let of = |schema: &str| -> Vec<String> {
            let rows = rows.iter().filter(|row| row.get::<_, &str>(0) == schema);
            rows.map(|row| row.get(1)).collect()
        };
        let mut schemas: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        schemas.sort();
        schemas.dedup();
        schemas.retain(|schema| of(schema).iter().any(|name| name == "ci_builds"));
        let schema = match schemas.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            several => {
                return Err(Error::target(format!(
                    "several schemas have tables of GitLab CI: {}",
                    several.join(", ")
                ))
                .hint("drop or rename those of the schema that is not GitLab CI's"));
            }
        };
        check_tables(&of(&schema))?;
        let bytes = rows.iter().filter(|row| row.get::<_, &str>(0) == schema);
        let bytes = bytes
            .map(|row| u64::try_from(row.get::<_, i64>(2)).unwrap_or(0))
            .sum();
        Ok(BackupSource {
            server: format!("PostgreSQL {server}"),
            is_mariadb: false,
            db_version: newest_migration(&mut client, &schema)?,
            schema,
            bytes,
            without_transactions: Vec::new(),
        })
    }

    /// The program that dumps the tables of GitLab CI, all as they are at one moment.
    pub(crate) fn dump_program(&self, source: &BackupSource) -> Result<DumpProgram> {
        let server = source.server.strip_prefix("PostgreSQL ").and_then(major);
        let (path, version) = find(server)?;
        let mut command = command_of(&path);
        command.args([
            "--no-owner",
            "--no-privileges",
            "--clean",
            "--encoding=UTF8",
        ]);
        let of = identifier(&source.schema);
        for table in TABLES {
            command.arg(format!("--table={of}.{table}"));
            // GitLab CI's own conversion made sequences that belong to no table, which would be left out.
            command.arg(format!("--table={of}.{table}_id_seq"));
        }
        for (name, value) in self.environment() {
            command.env(name, value);
        }
        Ok(DumpProgram {
            command,
            name: version,
            secret: None,
        })
    }

    /// The variables of libpq's environment (34.15) that name this target. Only the user can read those of a process.
    fn environment(&self) -> Vec<(&'static str, String)> {
        let list = |of: &dyn Fn(&Place) -> String| {
            self.places.iter().map(of).collect::<Vec<_>>().join(",")
        };
        let host = list(&|place| match &place.listener {
            Listener::Host(host, _) => host.clone(),
            Listener::Socket(directory) => directory.display().to_string(),
        });
        let address = list(&|place| match &place.listener {
            Listener::Host(_, Some(address)) => address.to_string(),
            Listener::Host(_, None) | Listener::Socket(_) => String::new(),
        });
        let mut variables = vec![
            ("PGHOST", host),
            ("PGPORT", list(&|place| place.port.to_string())),
            ("PGUSER", self.user.clone()),
            ("PGDATABASE", self.database.clone()),
            ("PGAPPNAME", "ci-import".to_owned()),
            // No file of the user says otherwise.
            ("PGPASSFILE", "/dev/null".to_owned()),
        ];
        if address.chars().any(|character| character != ',') {
            variables.push(("PGHOSTADDR", address));
        }
        if let Some(password) = self.places.iter().find_map(|place| place.password.clone()) {
            variables.push(("PGPASSWORD", password));
        }
        if self.config.get_channel_binding() == ChannelBinding::Require {
            variables.push(("PGCHANNELBINDING", "require".to_owned()));
        }
        let is_socket = |place: &Place| matches!(place.listener, Listener::Socket(_));
        if !self.places.iter().any(is_socket) {
            let is_here = |place: &Place| match &place.listener {
                Listener::Host(host, address) => is_this_machine(host, *address),
                Listener::Socket(_) => true,
            };
            // As our own session has just done it.
            let may_be_clear = self.tls.mode >= Mode::Require || self.places.iter().all(is_here);
            if let Some(methods) = self.methods.to_text(may_be_clear) {
                variables.push(("PGREQUIREAUTH", methods));
            }
        }
        variables.extend(self.tls.environment());
        variables
    }
}

/// The number before the first dot of a version: 17 of `17.2 (Debian 17.2-1)`, 9 of `9.1.24`.
fn major(version: &str) -> Option<u32> {
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The program, and what it says of itself: the oldest one that is not older than the server, which it would refuse.
fn find(server: Option<u32>) -> Result<(PathBuf, String)> {
    let mut found: Vec<(u32, PathBuf, String)> = Vec::new();
    for directory in program_directories() {
        let path = directory.join("pg_dump");
        if let Some(version) = version_of(&path) {
            // "pg_dump (PostgreSQL) 17.2 (Debian …)"
            let number = version.split(' ').nth(2).and_then(major).unwrap_or(0);
            found.push((number, path, version));
        }
    }
    if let Some(version) = version_of(Path::new("pg_dump")) {
        let number = version.split(' ').nth(2).and_then(major).unwrap_or(0);
        found.push((number, PathBuf::from("pg_dump"), version));
    }
    found.sort_by_key(|(number, ..)| *number);
    let newest = found.last().map(|(number, ..)| *number);
    let enough = found
        .into_iter()
        .find(|(number, ..)| Some(*number) >= server);
    match (enough, newest) {
        (Some((_, path, version)), _) => Ok((path, version)),
        (None, Some(newest)) => Err(Error::usage(format!(
            "pg_dump is of PostgreSQL {newest}, older than the server, PostgreSQL {}",
            server.unwrap_or(0)
        ))
        .hint("install the client programs of the server's version")),
        (None, None) => Err(Error::usage("pg_dump is not on this machine")
            .hint("install the client programs of PostgreSQL: apt-get install postgresql-client")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn majors_are_read() {
        for (text, expected) in [
            ("17.2 (Debian 17.2-1.pgdg120+1)", Some(17)),
            ("9.1.24", Some(9)),
            ("18beta1", Some(18)),
            ("devel", None),
        ] {
            assert_eq!(major(text), expected, "{text}");
        }
    }
}
