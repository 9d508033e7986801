//! The MySQL target: how it is named, and how to connect to it.

use std::fmt;

use mysql::prelude::Queryable;
use mysql::{Conn, Opts, OptsBuilder};

use super::failure::failure;
use crate::error::{Error, Result};
use crate::failpoint;

/// What every session is set to: texts in UTF-8; no value changed or cut in silence, and none
/// refused that a MySQL server has given out, such as a zero date; times in UTC.
const SESSION: &str = "SET NAMES utf8mb4, time_zone = '+00:00', wait_timeout = 2147483, \
    sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION'";

/// A database of a MySQL or MariaDB server to import into.
#[derive(Clone)]
pub struct Target {
    options: Opts,
    database: String,
}

impl Target {
    /// The target that `url` names: `mysql://user@host/database`.
    pub fn from_url(url: &str) -> Result<Target> {
        let options = Opts::from_url(url)
            .map_err(|cause| Error::usage(format!("the database's URL is not valid: {cause}")))?;
        let database = options.get_db_name().map(str::to_owned);
        Ok(Target {
            database: database
                .ok_or_else(|| Error::usage("the database's URL names no database"))?,
            options,
        })
    }

    /// The name of the live database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Connects, with the live database as the current one.
    pub fn connect(&self) -> Result<Conn> {
        self.connect_in(&self.database)
    }

    /// Connects, with `database` as the current one.
    pub fn connect_in(&self, database: &str) -> Result<Conn> {
        let options = OptsBuilder::from_opts(self.options.clone()).db_name(Some(database));
        let mut connection = Conn::new(options).map_err(failure(format!("connect to {self}")))?;
        connection
            .query_drop(SESSION)
            .map_err(failure("prepare the session"))?;
        failpoint::reached("connected");
        Ok(connection)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "database {}", self.database)
    }
}
