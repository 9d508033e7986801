//! Checksums of the definitions in a database. They tell whether anything was created, altered or dropped.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::statement_log;
use crate::error::{Error, Result};
use crate::server::mysql::error::failure;
use crate::server::mysql::sql::literal;

/// The views of `information_schema` with definitions: the view, its column with the database, and its columns
/// with the definition.
const PARTS: [(&str, &str, &str); 9] = [
    (
        "tables",
        "table_schema",
        "table_name, table_type, engine, table_collation, create_options, table_comment",
    ),
    (
        "columns",
        "table_schema",
        "table_name, column_name, ordinal_position, column_default, is_nullable, column_type, \
         collation_name, extra, column_comment",
    ),
    (
        "statistics",
        "table_schema",
        "table_name, index_name, seq_in_index, column_name, sub_part, non_unique, index_type",
    ),
    (
        "key_column_usage",
        "table_schema",
        "table_name, constraint_name, column_name, referenced_table_name, referenced_column_name",
    ),
    // Only this view lists CHECKs.
    (
        "table_constraints",
        "table_schema",
        "table_name, constraint_name, constraint_type",
    ),
    ("views", "table_schema", "table_name, view_definition"),
    (
        "triggers",
        "trigger_schema",
        "trigger_name, event_manipulation, event_object_table, action_timing, action_statement",
    ),
    (
        "routines",
        "routine_schema",
        "routine_name, routine_type, routine_definition, routine_comment",
    ),
    (
        "events",
        "event_schema",
        "event_name, event_definition, status, interval_value, execute_at",
    ),
];

/// The checksums in at most 255 characters. They omit the log of the runner.
pub(super) fn sums(conn: &mut Conn, database: &str) -> Result<String> {
    let database = literal(database);
    let sums = PARTS.map(|(view, schema, columns)| {
        let columns = columns
            .split(", ")
            .map(|column| format!("COALESCE({column}, '~')"));
        let row = columns.collect::<Vec<_>>().join(", ");
        let except_log = if row.contains("(table_name,") {
            format!(" AND table_name <> '{}'", statement_log::TABLE)
        } else {
            String::new()
        };
        format!(
            "(SELECT COALESCE(SUM(CRC32(CONCAT_WS('|', {row}))), 0)
              FROM information_schema.{view} WHERE {schema} = {database}{except_log})"
        )
    });
    let sql = format!("SELECT CONCAT_WS('-', {})", sums.join(", "));
    let found: Option<String> = conn
        .query_first(sql)
        .map_err(failure("look at the definitions"))?;
    found.ok_or_else(|| Error::target("the target does not tell its definitions"))
}
