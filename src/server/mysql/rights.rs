//! What the user may do, as far as the server tells it.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::databases::Databases;
use super::error::failure;
use super::sql::{identifier, literal};
use crate::error::Result;

/// What a server says to who has no right at all on a database, whether that is there or not.
const DENIED: u16 = 1044;

/// Whether a user may make the databases beside the live one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayCreate {
    /// He may.
    Yes,
    /// He may not.
    No,
    /// The server does not tell: rights that come with a role are not listed.
    Unknown,
}

/// Whether the user of `connection` may make the databases beside the live one. Nothing is made.
pub fn may_create_databases(connection: &mut Conn, databases: &Databases) -> Result<MayCreate> {
    // A grant is on a pattern of names. "user@host" is quoted there, part by part.
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
    // As a rule it is not there; who has some right on it is told that instead. Of other
    // statements MySQL says that it is not there, whoever asks.
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
