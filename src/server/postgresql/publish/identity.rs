//! The identity of a database, and the status of a transaction in it.

use std::time::Duration;

use postgres::GenericClient;

use crate::error::Result;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::options::ConnectionOptions;

/// Identifies a database among all others: the identifier of its server, and its number there. A publish with
/// traces needs it.
pub fn identity(client: &mut impl GenericClient) -> Result<String> {
    let sql = "SELECT (SELECT system_identifier FROM pg_control_system())::text || '/' || oid
               FROM pg_database WHERE datname = current_database()";
    let row = client.query_one(sql, &[]).map_err(|cause| {
        failure("identify the database")(cause)
            .hint("GRANT EXECUTE ON FUNCTION pg_control_system() to the user")
    })?;
    Ok(row.get(0))
}

/// The history of the server: a standby that takes over begins another one, in which other transactions have the numbers of those
/// that it never got. None if the user may not ask. The checkpoint that names it, too, comes later.
pub(super) fn timeline(client: &mut impl GenericClient) -> Option<String> {
    let sql =
        "SELECT pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8)";
    // An error would end the transaction that it is asked in.
    let mut trial = client.transaction().ok()?;
    let row = trial.query_one(sql, &[]).ok();
    trial.rollback().ok()?;
    row.map(|row| row.get(0))
}

/// The status of the transaction with this number in this history: `committed`, `aborted`, `in progress`. None if another server
/// answers, which has taken over.
pub(super) fn status_of(
    target: &ConnectionOptions,
    id: i64,
    history: Option<&str>,
) -> Option<String> {
    for _ in 0..20 {
        let status = target.connect().ok().and_then(|mut client| {
            if history.is_some() && timeline(&mut client).as_deref() != history {
                return None;
            }
            let row = client.query_one("SELECT txid_status($1)", &[&id]).ok()?;
            row.get::<_, Option<String>>(0)
        });
        // A backend may need a moment to notice that its client is gone.
        if status
            .as_deref()
            .is_some_and(|status| status != "in progress")
        {
            return status;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    None
}
