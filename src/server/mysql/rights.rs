//! The rights of the user, as far as the server reports them.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::databases::Databases;
use super::error::failure;
use super::sql::{identifier, literal};
use crate::error::Result;

/// The error for a user without any right on a database, whether the database exists or not.
const DENIED: u16 = 1044;

/// Whether a user may create the databases beside the live one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayCreate {
    /// The user may.
    Yes,
    /// The user may not.
    No,
    /// The server does not report it: rights from a role are not listed.
    Unknown,
}

/// Whether the user of `connection` may create the databases beside the live one. Creates nothing.
pub fn may_create_databases(connection: &mut Conn, databases: &Databases) -> Result<MayCreate> {
    // A grant applies to a pattern of names. The view quotes the two parts of "user@host" separately.
    let sql = format!(
        "SELECT COUNT(*) FROM (
           SELECT GRANTEE FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'CREATE'
           UNION ALL
           SELECT GRANTEE FROM information_schema.SCHEMA_PRIVILEGES
           WHERE PRIVILEGE_TYPE = 'CREATE' AND {staging} LIKE TABLE_SCHEMA
         ) granted WHERE REPLACE(GRANTEE, '''', '') = CURRENT_USER()",
        staging = literal(&databases.staging)
    );
    let doing = || failure("ask for the user's rights");
    let found: Option<u64> = connection.query_first(sql).map_err(doing())?;
    if found.unwrap_or(0) > 0 {
        return Ok(MayCreate::Yes);
    }
    // Usually the staging database does not exist. A user with some right on it gets that error; a user
    // without rights is denied. Other statements report that it does not exist to everybody.
    let enter = |database: &str| format!("USE {}", identifier(database));
    match connection.query_drop(enter(&databases.staging)) {
        Ok(()) => {
            connection
                .query_drop(enter(&databases.live))
                .map_err(doing())?;
            Ok(MayCreate::Unknown)
        }
        Err(mysql::Error::MySqlError(cause)) if cause.code == DENIED => Ok(MayCreate::No),
        Err(mysql::Error::MySqlError(_)) => Ok(MayCreate::Unknown),
        Err(cause) => Err(doing()(cause)),
    }
}
