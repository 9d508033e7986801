//! Removes a staging schema, however many tables it has.

use postgres::Client;

use crate::schema::sql::{identifier, literal, qualified};
use crate::server::postgresql::statement::one_statement;

/// How many tables one transaction drops. Each relation needs a place in the server's table of locks, and the time that
/// DROP SCHEMA … CASCADE takes grows with the square of their number.
const AT_ONCE: i64 = 100;

/// Drops `schema` with all that is in it. Its comment becomes `mark` before the first table goes. If the removal fails
/// half-way, it can be repeated.
pub(super) fn remove_schema(
    client: &mut Client,
    schema: &str,
    mark: &str,
) -> std::result::Result<(), postgres::Error> {
    let mut is_marked = false;
    loop {
        let found = client.query(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relkind = 'r' LIMIT $2",
            &[&schema, &AT_ONCE],
        )?;
        if found.is_empty() {
            break;
        }
        if !is_marked {
            let (schema, mark) = (identifier(schema), literal(mark));
            one_statement(client, &format!("COMMENT ON SCHEMA {schema} IS {mark}"))?;
            is_marked = true;
        }
        let tables: Vec<String> = found
            .iter()
            .map(|row| qualified(schema, &row.get::<_, String>(0)))
            .collect();
        // Foreign keys of the other tables go with them.
        let sql = format!("DROP TABLE IF EXISTS {} CASCADE", tables.join(", "));
        one_statement(client, &sql)?;
    }
    loop {
        let found = client.query(
            "SELECT p.proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE n.nspname = $1 AND p.pronargs = 0 AND p.prorettype = 'trigger'::regtype LIMIT $2",
            &[&schema, &AT_ONCE],
        )?;
        if found.is_empty() {
            break;
        }
        let functions: Vec<String> = found
            .iter()
            .map(|row| qualified(schema, &row.get::<_, String>(0)) + "()")
            .collect();
        let sql = format!("DROP FUNCTION IF EXISTS {} CASCADE", functions.join(", "));
        one_statement(client, &sql)?;
    }
    let sql = format!("DROP SCHEMA IF EXISTS {} CASCADE", identifier(schema));
    one_statement(client, &sql)
}
