//! Renders the model as PostgreSQL's DDL. Names are always quoted, so that they stay as they were.

use std::fmt::Write as _;

use super::{Column, ForeignKey, Index, IndexPart, Prefix, PrimaryKey, Sequence, Table};

/// `name` as an identifier.
#[must_use]
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `schema.name` as identifiers.
#[must_use]
pub fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(name))
}

/// `text` as a string literal, whatever `standard_conforming_strings` says.
#[must_use]
pub fn literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

/// The statements that create `table` in `schema`, with its sequence and comments, without keys
/// and indexes.
#[must_use]
pub fn create_table(schema: &str, table: &Table) -> String {
    let name = qualified(schema, &table.name);
    let mut sql = String::new();
    if let Some(sequence) = &table.sequence {
        let _ = write!(
            sql,
            "CREATE SEQUENCE {} AS {};\n",
            qualified(schema, &sequence.name),
            sequence.data_type
        );
    }
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|c| column(schema, c, table))
        .collect();
    let _ = write!(
        sql,
        "CREATE TABLE {name} (\n  {}\n);\n",
        columns.join(",\n  ")
    );
    if let Some(sequence) = &table.sequence {
        let _ = write!(
            sql,
            "ALTER SEQUENCE {} OWNED BY {name}.{};\n",
            qualified(schema, &sequence.name),
            identifier(&sequence.column)
        );
    }
    if let Some(comment) = &table.comment {
        let _ = write!(sql, "COMMENT ON TABLE {name} IS {};\n", literal(comment));
    }
    for column in &table.columns {
        if let Some(comment) = &column.comment {
            let column = identifier(&column.name);
            let _ = write!(
                sql,
                "COMMENT ON COLUMN {name}.{column} IS {};\n",
                literal(comment)
            );
        }
    }
    sql
}

fn column(schema: &str, column: &Column, table: &Table) -> String {
    let mut sql = format!("{} {}", identifier(&column.name), column.data_type);
    match &table.sequence {
        Some(sequence) if sequence.column == column.name => {
            let name = literal(&qualified(schema, &sequence.name));
            let _ = write!(sql, " DEFAULT nextval({name}::regclass)");
        }
        _ => {
            if let Some(default) = &column.default {
                let _ = write!(sql, " DEFAULT {default}");
            }
        }
    }
    if column.not_null && !column.not_null_after_load {
        sql += " NOT NULL";
    }
    if let Some(allowed) = &column.allowed {
        let values: Vec<String> = allowed.iter().map(|value| literal(value)).collect();
        let _ = write!(
            sql,
            " CHECK ({} IN ({}))",
            identifier(&column.name),
            values.join(", ")
        );
    }
    sql
}

/// The statements that give `table` in `schema` its primary key. The index is built first, under
/// a lock that lets the table's other indexes be built at the same time.
#[must_use]
pub fn primary_key(schema: &str, table: &str, key: &PrimaryKey) -> [String; 2] {
    let name = identifier(&key.name);
    let on = qualified(schema, table);
    [
        format!(
            "CREATE UNIQUE INDEX {name} ON {on} ({})",
            identifiers(&key.columns)
        ),
        format!("ALTER TABLE {on} ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {name}"),
    ]
}

/// The statements that create `index` on `table` in `schema`.
#[must_use]
pub fn create_index(schema: &str, table: &str, index: &Index) -> Vec<String> {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let parts: Vec<String> = index.parts.iter().map(index_part).collect();
    let name = identifier(&index.name);
    let on = qualified(schema, table);
    let mut statements = vec![format!(
        "CREATE {unique}INDEX {name} ON {on} USING btree ({})",
        parts.join(", ")
    )];
    if let Some(comment) = &index.comment {
        let name = qualified(schema, &index.name);
        statements.push(format!("COMMENT ON INDEX {name} IS {}", literal(comment)));
    }
    statements
}

fn index_part(part: &IndexPart) -> String {
    let column = identifier(&part.column);
    let mut sql = match part.prefix {
        None => column,
        Some(Prefix::Characters(count)) => format!("\"left\"({column}, {count})"),
        Some(Prefix::Bytes(count)) => format!("substr({column}, 1, {count})"),
    };
    if part.descending {
        sql += " DESC";
    }
    sql
}

/// The statement that adds `key` to `table`, both tables in `schema`.
#[must_use]
pub fn add_foreign_key(schema: &str, table: &str, key: &ForeignKey) -> String {
    let mut sql = format!(
        "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({})",
        qualified(schema, table),
        identifier(&key.name),
        identifiers(&key.columns),
        qualified(schema, &key.references),
        identifiers(&key.referenced_columns),
    );
    for (event, action) in [("DELETE", &key.on_delete), ("UPDATE", &key.on_update)] {
        if let Some(action) = action {
            let _ = write!(sql, " ON {event} {action}");
        }
    }
    sql
}

/// The statement that sets `sequence` of `table` in `schema`: the next value is one more than the
/// largest there is, or what the source would have given next, whichever is more.
#[must_use]
pub fn set_sequence(schema: &str, table: &str, sequence: &Sequence) -> String {
    format!(
        "SELECT setval({}, GREATEST((SELECT max({}) FROM {}) + 1, {}), false)",
        literal(&qualified(schema, &sequence.name)),
        identifier(&sequence.column),
        qualified(schema, table),
        sequence.next_at_least.max(1),
    )
}

/// The statement that makes `columns` of `table` in `schema` NOT NULL, in one pass over it.
#[must_use]
pub fn set_not_null(schema: &str, table: &str, columns: &[&str]) -> String {
    let actions: Vec<String> = columns
        .iter()
        .map(|column| format!("ALTER COLUMN {} SET NOT NULL", identifier(column)))
        .collect();
    format!(
        "ALTER TABLE {} {}",
        qualified(schema, table),
        actions.join(", ")
    )
}

/// The statement that takes rows in COPY's text format into `columns` of `table` in `schema`.
#[must_use]
pub fn copy_from_stdin<'a>(
    schema: &str,
    table: &str,
    columns: impl Iterator<Item = &'a str>,
) -> String {
    let columns: Vec<String> = columns.map(identifier).collect();
    format!(
        "COPY {} ({}) FROM STDIN",
        qualified(schema, table),
        columns.join(", ")
    )
}

fn identifiers(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| identifier(name)).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_literals_cannot_break_out() {
        assert_eq!(
            identifier("a\"; DROP TABLE x; --"),
            "\"a\"\"; DROP TABLE x; --\""
        );
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'b"), "E'a\\\\''b'");
    }
}
