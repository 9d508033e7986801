//! Sessions: their settings, and the description of the server.

use std::path::PathBuf;

use mysql::Conn;
use mysql::prelude::Queryable;

use super::error::failure;
use super::options::ConnectionOptions;
use crate::error::{Error, Result};
use crate::failpoint;

/// The settings of every session: texts in UTF-8; no value changed or truncated silently; no value refused
/// that a MySQL server has returned, such as a zero date; times in UTC. MySQL 8.0 caches the next
/// AUTO_INCREMENT for up to a day, unless this is switched off; MariaDB ignores the setting as a comment.
const SESSION: &str = "SET NAMES utf8mb4, time_zone = '+00:00', wait_timeout = 2147483, \
    autocommit = 1, \
    sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION' \
    /*!80000 , information_schema_stats_expiry = 0, max_execution_time = 0 */ \
    /*M!100101 , max_statement_time = 0 */";

/// The oldest supported servers. They have utf8mb4, fractions of seconds, and several locks of `GET_LOCK` in
/// a session (MySQL 5.7 manual, 12.14). In older servers, the lock of a publish would release the lock of the
/// import.
const OLDEST_MARIADB: (u32, u32) = (10, 0);
const OLDEST_MYSQL: (u32, u32) = (5, 7);

/// The description of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The version, in the server's words.
    pub version: String,
    /// Whether it is MariaDB.
    pub is_mariadb: bool,
    /// The data directory, if the server runs on this machine.
    pub data_directory: Option<PathBuf>,
}

impl ConnectionOptions {
    /// Connects, with the live database as the default one.
    pub fn connect(&self) -> Result<Conn> {
        self.connect_in(&self.database)
    }

    /// Connects, with `database` as the default one.
    pub fn connect_in(&self, database: &str) -> Result<Conn> {
        let mut connection = self.open(database)?;
        check_version(&version(&mut connection)?)?;
        connection
            .query_drop(SESSION)
            .map_err(failure("prepare the session"))?;
        failpoint::reached("connected");
        Ok(connection)
    }

    /// The description of the server.
    pub fn server(&self) -> Result<Server> {
        let mut connection = self.connect()?;
        let version = version(&mut connection)?;
        let directory: Option<String> = connection
            .query_first("SELECT @@datadir")
            .map_err(failure("ask for the server's data directory"))?;
        Ok(Server {
            is_mariadb: is_mariadb(&version),
            version,
            data_directory: directory
                .filter(|_| self.place.is_here())
                .map(PathBuf::from),
        })
    }
}

/// The version, in the server's words.
pub(crate) fn version(connection: &mut Conn) -> Result<String> {
    let version: Option<String> = connection
        .query_first("SELECT VERSION()")
        .map_err(failure("ask for the server's version"))?;
    Ok(version.unwrap_or_default())
}

/// Whether the version contains the name of MariaDB.
pub(crate) fn is_mariadb(version: &str) -> bool {
    version.contains("MariaDB")
}

/// An error if `version` is too old. A version without numbers is accepted.
fn check_version(version: &str) -> Result<()> {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit());
    let mut next = || numbers.next()?.parse::<u32>().ok();
    let (Some(major), Some(minor)) = (next(), next()) else {
        return Ok(());
    };
    let (name, oldest) = if is_mariadb(version) {
        ("MariaDB", OLDEST_MARIADB)
    } else {
        ("MySQL", OLDEST_MYSQL)
    };
    if (major, minor) >= oldest {
        return Ok(());
    }
    Err(Error::target(format!(
        "the server is {name} {version}; {}.{} is the oldest supported",
        oldest.0, oldest.1
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_are_too_old_are_refused() {
        for (version, taken) in [
            ("5.7.44-log", true),
            ("9.1.0", true),
            ("5.6.51-log", false),
            ("10.11.6-MariaDB-0+deb12u1", true),
            ("10.0.38-MariaDB", true),
            ("5.5.68-MariaDB", false),
            ("unknown", true),
        ] {
            assert_eq!(check_version(version).is_ok(), taken, "{version}");
        }
    }
}
