//! COPY statements.

use super::style::Style;
use crate::rows::Format;
use crate::schema::sql::identifier;

/// The statement that takes rows into `columns` of `table`.
#[must_use]
pub fn copy_from_stdin<'a>(
    style: Style<'_>,
    table: &str,
    columns: impl Iterator<Item = &'a str>,
    format: Format,
) -> String {
    copy(style, table, columns, "FROM STDIN", format)
}

/// The statement that gives the rows of `table`, with `columns` in this order.
#[must_use]
pub fn copy_to_stdout<'a>(
    style: Style<'_>,
    table: &str,
    columns: impl Iterator<Item = &'a str>,
    format: Format,
) -> String {
    copy(style, table, columns, "TO STDOUT", format)
}

/// The statement that gives the rows of `table` likewise, also of generated columns, which COPY does not give otherwise.
#[must_use]
pub fn copy_query_to_stdout<'a>(
    style: Style<'_>,
    table: &str,
    columns: impl Iterator<Item = &'a str>,
    format: Format,
) -> String {
    let columns: Vec<String> = columns.map(identifier).collect();
    let query = format!(
        "(SELECT {} FROM ONLY {})",
        columns.join(", "),
        style.name(table)
    );
    let binary = if format == Format::Binary {
        " WITH (FORMAT binary)"
    } else {
        ""
    };
    format!("COPY {query} TO STDOUT{binary}")
}

fn copy<'a>(
    style: Style<'_>,
    table: &str,
    columns: impl Iterator<Item = &'a str>,
    direction: &str,
    format: Format,
) -> String {
    let columns: Vec<String> = columns.map(identifier).collect();
    let binary = match format {
        // LOAD DATA is none of COPY's formats, and never asked for here.
        Format::Text | Format::LoadData => "",
        Format::Binary => " WITH (FORMAT binary)",
    };
    let table = style.name(table);
    if columns.is_empty() {
        // Rows of a table without columns.
        return format!("COPY {table} {direction}{binary}");
    }
    format!("COPY {table} ({}) {direction}{binary}", columns.join(", "))
}
