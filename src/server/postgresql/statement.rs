//! Runs statements that were made from a dump.

use postgres::GenericClient;

/// Runs one statement, and no more: the extended protocol refuses a text that holds several
/// (PostgreSQL manual, 55.2.3). What a dump says has become SQL by quoting and translating; should that
/// ever fail, no second statement is let in behind the first.
pub(crate) fn one_statement(
    client: &mut impl GenericClient,
    sql: &str,
) -> Result<(), postgres::Error> {
    client.execute(sql, &[]).map(drop)
}
