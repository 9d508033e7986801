//! What the user may do, as far as the server tells it.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::databases::Databases;
use super::failure::failure;
use super::sql::literal;
use crate::error::Result;

/// Whether the user is known to be allowed to make the databases beside the live one. That he is not
/// known to be does not mean that he may not: rights that come with a role are not listed.
pub fn may_make_databases(connection: &mut Conn, databases: &Databases) -> Result<bool> {
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
    let found: Option<u64> = connection
        .query_first(sql)
        .map_err(failure("ask for the user's rights"))?;
    Ok(found.unwrap_or(0) > 0)
}
