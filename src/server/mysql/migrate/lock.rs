//! The locks of migrations in a database. They belong to the sessions and end with them.

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::error::Result;
use crate::server::mysql::error::failure;
use crate::server::mysql::lock_names::lock_name;

/// Takes the lock `kind` for migrations of `database` if it is free.
pub(super) fn take(conn: &mut Conn, kind: &str, database: &str) -> Result<bool> {
    let got: Option<Option<u8>> = conn
        .exec_first("SELECT GET_LOCK(?, 0)", (lock_name(kind, database),))
        .map_err(failure("take the lock of migrations"))?;
    Ok(got.flatten() == Some(1))
}
