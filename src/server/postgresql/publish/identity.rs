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

/// The status of the transaction with this number: `committed`, `aborted`, `in progress`.
pub(super) fn status_of(target: &ConnectionOptions, id: i64) -> Option<String> {
    for _ in 0..20 {
        let status = target.connect().ok().and_then(|mut client| {
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
