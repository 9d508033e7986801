//! Whose names a session finds: the server's own, and nobody else's.
//!
//! Whoever may create objects in a schema of the search_path, or set the search_path of the database, could have a
//! function or an operator of his called in the place of the server's (PostgreSQL manual, 5.10.6). So the first
//! statement of every session keeps the user's search_path in a setting of ours and leaves only `pg_catalog`. The
//! statements here call qualified functions without any operator or cast, since they run under the user's.

use postgres::{Client, GenericClient};

use super::error::failure;
use crate::error::{Error, Result};

/// Keeps the current search_path, and leaves the server's own names.
pub(crate) const PIN: &str = "\
SELECT pg_catalog.set_config('ci_import.search_path', pg_catalog.current_setting('search_path'), false),
       pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false)";

/// Brings the search_path back that [`PIN`] has kept.
pub(crate) const UNPIN: &str = "\
SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('ci_import.search_path'), false)";

/// Does `look` with the user's search_path.
fn unpinned<T>(
    client: &mut Client,
    look: impl FnOnce(&mut Client) -> std::result::Result<T, postgres::Error>,
) -> std::result::Result<T, postgres::Error> {
    client.batch_execute(UNPIN)?;
    let found = look(client);
    client.batch_execute(PIN)?;
    found
}

/// The first schema of the user's search_path.
pub(crate) fn first_schema(client: &mut Client) -> Result<String> {
    let row = unpinned(client, |client| {
        client.query_one("SELECT pg_catalog.current_schema()", &[])
    });
    let row = row.map_err(failure("ask for the current schema"))?;
    row.get::<_, Option<String>>(0).ok_or_else(|| {
        Error::target("the target has no current schema")
            .hint("name one by --schema, or in the search_path; it must exist, and you may use it")
    })
}

/// The schema in which the user's search_path finds the table `name`, if it finds any.
pub(crate) fn schema_of_table(client: &mut Client, name: &str) -> Result<Option<String>> {
    let doing = || failure(format!("look for the table {name}"));
    let row = unpinned(client, |client| {
        client.query_one(
            "SELECT pg_catalog.int8(pg_catalog.to_regclass($1))",
            &[&name],
        )
    });
    let table: Option<i64> = row.map_err(doing())?.get(0);
    let sql = "SELECT n.nspname FROM pg_catalog.pg_class c
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid::bigint = $1";
    let row = client.query_opt(sql, &[&table]).map_err(doing())?;
    Ok(row.map(|row| row.get(0)))
}

/// Puts `schema` before the user's search_path. Returns the whole.
pub(crate) fn put_first(client: &mut impl GenericClient, schema: &str) -> Result<String> {
    let sql = "SELECT pg_catalog.set_config('ci_import.search_path', pg_catalog.concat_ws(', ',
                 pg_catalog.quote_ident($1), nullif(pg_catalog.current_setting('ci_import.search_path'), '')), false)";
    let row = client.query_one(sql, &[&schema]);
    Ok(row.map_err(failure("prepare the session"))?.get(0))
}
