//! Runs statements that contain parts of a dump.

use postgres::GenericClient;

/// Runs exactly one statement. The extended protocol refuses a text with several statements (PostgreSQL
/// manual, 55.2.3). The parts from a dump are quoted or translated; if that ever fails, no second statement
/// can run.
pub(crate) fn one_statement(
    client: &mut impl GenericClient,
    sql: &str,
) -> Result<(), postgres::Error> {
    client.execute(sql, &[]).map(drop)
}
