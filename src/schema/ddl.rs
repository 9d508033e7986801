//! Renders the model as PostgreSQL's DDL. Names are always quoted, so that they stay as they were.

mod alter;
mod copy;
mod generated;
mod on_update;
mod style;

use std::fmt::Write as _;

use super::model::{
    Check, Column, DataType, EnumType, ForeignKey, Index, IndexKind, IndexPart, IndexPartOf,
    KeptAs, Prefix, PrimaryKey, Sequence, Table,
};
use super::sql::{identifier, literal};
use crate::dump::postgresql::SINCE_VERSION_10;

pub use alter::{Change, alter_table};
pub use copy::{copy_from_stdin, copy_query_to_stdout, copy_to_stdout};
use generated::computed;
pub use generated::{compute_all, is_computed_otherwise};
pub use on_update::{create_update_trigger, update_trigger_in_dump};
pub use style::Style;

/// The statements that create `table`, with its types, sequence and comments, without keys,
/// indexes and constraints.
#[must_use]
pub fn create_table(style: Style<'_>, table: &Table) -> Vec<String> {
    let mut statements = Vec::new();
    for (from, to) in &table.renamed_sequences {
        let (from, to) = (style.name(from), identifier(to));
        statements.push(format!("ALTER SEQUENCE {from} RENAME TO {to}"));
    }
    for EnumType { name, values } in &table.enum_types {
        let values: Vec<String> = values.iter().map(|value| literal(value)).collect();
        statements.push(format!(
            "CREATE TYPE {} AS ENUM ({})",
            style.name(name),
            values.join(", ")
        ));
    }
    if let Some(sequence) = &table.sequence {
        statements.extend(create_sequence(style, sequence));
    }
    statements.extend(create_table_alone(style, table));
    statements
}

/// The statements that create `sequence`, with the type of its column.
fn create_sequence(style: Style<'_>, sequence: &Sequence) -> Vec<String> {
    // No sequence is of floating-point numbers; their column takes whole ones, too.
    let data_type = match &sequence.data_type {
        DataType::DoublePrecision => &DataType::Bigint,
        whole => whole,
    };
    let name = style.name(&sequence.name);
    if style.typed_sequences {
        return vec![format!("CREATE SEQUENCE {name} AS {data_type}")];
    }
    let mut statements = vec![format!("CREATE SEQUENCE {name}")];
    if *data_type != DataType::Bigint {
        let statement = format!("ALTER SEQUENCE {name} AS {data_type}");
        let [before, behind] = SINCE_VERSION_10;
        let body = format!("{before}{}{behind}", literal(&statement));
        statements.push(format!("DO {}", literal(&body)));
    }
    statements
}

/// The statements that create `table` likewise, without its types and its sequence, which exist. The sequence belongs to the
/// column then.
#[must_use]
pub fn create_table_alone(style: Style<'_>, table: &Table) -> Vec<String> {
    let name = style.name(&table.name);
    let mut statements = Vec::new();
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|c| column(style, c, table))
        .collect();
    statements.push(format!(
        "CREATE TABLE {name} (\n  {}\n)",
        columns.join(",\n  ")
    ));
    if let Some(sequence) = &table.sequence {
        statements.push(format!(
            "ALTER SEQUENCE {} OWNED BY {name}.{}",
            style.name(&sequence.name),
            identifier(&sequence.column)
        ));
    }
    if let Some(comment) = &table.comment {
        statements.push(format!("COMMENT ON TABLE {name} IS {}", literal(comment)));
    }
    for column in &table.columns {
        if let Some(comment) = &column.comment {
            let column = identifier(&column.name);
            statements.push(format!(
                "COMMENT ON COLUMN {name}.{column} IS {}",
                literal(comment)
            ));
        }
    }
    statements
}

/// The statement that gives a column of `table` another default.
#[must_use]
pub fn set_default(style: Style<'_>, table: &str, column: &str, default: &str) -> String {
    let (table, column) = (style.name(table), identifier(column));
    format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default}")
}

/// The statement that gives `column` of `table` the type and default that it has here, instead of those it has on the
/// server.
#[must_use]
pub fn change_type(style: Style<'_>, table: &Table, column: &Column) -> String {
    let name = identifier(&column.name);
    // There is no cast from boolean to smallint, and none from jsonb to json.
    let via = match column.data_type {
        DataType::Smallint => "::integer",
        DataType::Json | DataType::Text => "::text",
        _ => "",
    };
    let data_type = &column.data_type;
    let mut sql = format!(
        "ALTER TABLE {} ALTER COLUMN {name} DROP DEFAULT, ALTER COLUMN {name} TYPE {data_type} USING {name}{via}::{data_type}",
        style.name(&table.name)
    );
    if let Some(default) = default(style, column, table) {
        let _ = write!(sql, ", ALTER COLUMN {name} SET DEFAULT {default}");
    }
    sql
}

/// The statements that drop `table`, with its sequence and its types.
#[must_use]
pub fn drop_table(style: Style<'_>, table: &Table) -> Vec<String> {
    let mut statements = vec![format!("DROP TABLE {}", style.name(&table.name))];
    statements.extend(
        table
            .enum_types
            .iter()
            .map(|unused| drop_type(style, unused)),
    );
    statements
}

/// The statement that drops the type of an enum, which no column uses.
#[must_use]
pub fn drop_type(style: Style<'_>, unused: &EnumType) -> String {
    format!("DROP TYPE {}", style.name(&unused.name))
}

/// The default of `column` of `table`, as SQL.
fn default(style: Style<'_>, column: &Column, table: &Table) -> Option<String> {
    match &table.sequence {
        Some(sequence) if sequence.column == column.name => {
            let name = literal(&style.name(&sequence.name));
            Some(format!("nextval({name}::regclass)"))
        }
        _ => column.default.clone(),
    }
}

fn column(style: Style<'_>, column: &Column, table: &Table) -> String {
    let data_type = match &column.data_type {
        DataType::Enum(name) => style.name(name),
        other => other.to_string(),
    };
    let mut sql = format!("{} {data_type}", identifier(&column.name));
    if let Some(generated) = &column.generated {
        let kind = if generated.is_virtual {
            "VIRTUAL"
        } else {
            "STORED"
        };
        let expression = computed(generated, column, &data_type);
        let _ = write!(sql, " GENERATED ALWAYS AS ({expression}) {kind}");
    }
    if let Some(default) = default(style, column, table) {
        let _ = write!(sql, " DEFAULT {default}");
    }
    if column.not_null && !column.not_null_after_load {
        sql += " NOT NULL";
    }
    sql
}

/// The statements that build the primary key `key` of `table`, named `name`, as far as it is kept: an index first, under a
/// lock that lets the table's other indexes be built at the same time.
#[must_use]
pub fn primary_key(style: Style<'_>, table: &str, key: &PrimaryKey, name: &str) -> Vec<String> {
    let comment = comment_on_index(style, name, key.comment.as_deref());
    let name = identifier(name);
    let on = style.name(table);
    let unique = if key.kept_as == KeptAs::Index {
        ""
    } else {
        "UNIQUE "
    };
    let columns = identifiers(&key.columns);
    let index = format!("CREATE {unique}INDEX {name} ON {on} ({columns})");
    let constraint =
        format!("ALTER TABLE {on} ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {name}");
    let constraint = (key.kept_as == KeptAs::Key).then_some(constraint);
    [Some(index), constraint, comment]
        .into_iter()
        .flatten()
        .collect()
}

/// The statement that gives `table` its primary key, named `name`, index, comment and all.
#[must_use]
pub fn add_primary_key(style: Style<'_>, table: &str, key: &PrimaryKey, name: &str) -> String {
    let statement = format!(
        "ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY ({})",
        style.name(table),
        identifier(name),
        identifiers(&key.columns)
    );
    match comment_on_index(style, name, key.comment.as_deref()) {
        Some(comment) => format!("{statement};\n{comment}"),
        None => statement,
    }
}

fn comment_on_index(style: Style<'_>, name: &str, comment: Option<&str>) -> Option<String> {
    let comment = literal(comment?);
    Some(format!(
        "COMMENT ON INDEX {} IS {comment}",
        style.name(name)
    ))
}

/// The statements that create `index` on `table`, named `name`.
#[must_use]
pub fn create_index(style: Style<'_>, table: &str, index: &Index, name: &str) -> Vec<String> {
    index_statements(style, table, index, name, index_part)
}

/// As [`create_index`], for values that are too long for an entry (a third of a page; PostgreSQL
/// manual, 67.4): of a unique index the checksums are indexed, of another one the beginnings.
#[must_use]
pub fn create_short_index(style: Style<'_>, table: &str, index: &Index, name: &str) -> Vec<String> {
    let part = if index.kind == IndexKind::Unique {
        checksum
    } else {
        beginning
    };
    index_statements(style, table, index, name, part)
}

/// The statement that creates a unique index in place of a primary key over values that are too
/// long for an entry.
#[must_use]
pub fn short_primary_key(style: Style<'_>, table: &Table, key: &PrimaryKey, name: &str) -> String {
    let parts: Vec<String> = key
        .columns
        .iter()
        .filter_map(|name| table.columns.iter().find(|column| column.name == *name))
        .map(|column| match column.data_type {
            DataType::Varchar(_)
            | DataType::Char(_)
            | DataType::Text
            | DataType::Bytea
            | DataType::Plain("character varying") => {
                format!("md5({})", identifier(&column.name))
            }
            _ => identifier(&column.name),
        })
        .collect();
    let on = style.name(&table.name);
    format!(
        "CREATE UNIQUE INDEX {} ON {on} ({})",
        identifier(name),
        parts.join(", ")
    )
}

/// The statement that gives the index `from` its name `to`; that of a constraint follows.
#[must_use]
pub fn rename_index(style: Style<'_>, from: &str, to: &str) -> String {
    format!(
        "ALTER INDEX {} RENAME TO {}",
        style.name(from),
        identifier(to)
    )
}

fn index_statements(
    style: Style<'_>,
    table: &str,
    index: &Index,
    name: &str,
    part: fn(&IndexPart) -> String,
) -> Vec<String> {
    let unique = if index.kind == IndexKind::Unique {
        "UNIQUE "
    } else {
        ""
    };
    let parts = if index.kind == IndexKind::Fulltext {
        let texts: Vec<String> = index
            .parts
            .iter()
            .map(|part| format!("COALESCE({}::text, '')", index_part(part)))
            .collect();
        format!(
            "gin (to_tsvector('pg_catalog.simple', {}))",
            texts.join(" || ' ' || ")
        )
    } else {
        let method = match index.kind {
            IndexKind::Spatial => "gist",
            _ => "btree",
        };
        let parts: Vec<String> = index.parts.iter().map(part).collect();
        format!("{method} ({})", parts.join(", "))
    };
    let on = style.name(table);
    let mut statements = vec![format!(
        "CREATE {unique}INDEX {} ON {on} USING {parts}",
        identifier(name)
    )];
    statements.extend(comment_on_index(style, name, index.comment.as_deref()));
    statements
}

fn index_part(part: &IndexPart) -> String {
    let mut sql = match &part.of {
        IndexPartOf::Column(name, None, _) => identifier(name),
        IndexPartOf::Column(name, Some(Prefix::Characters(count)), _) => {
            format!("\"left\"({}::text, {count})", identifier(name))
        }
        IndexPartOf::Column(name, Some(Prefix::Bytes(count)), _) => {
            format!("substr({}, 1, {count})", identifier(name))
        }
        IndexPartOf::Expression(expression) => format!("({expression})"),
    };
    if let Some(class) = part.operator_class {
        let _ = write!(sql, " pg_catalog.{class}");
    }
    if part.descending {
        sql += " DESC";
    }
    match part.nulls_first {
        None => sql,
        Some(true) => sql + " NULLS FIRST",
        Some(false) => sql + " NULLS LAST",
    }
}

fn checksum(part: &IndexPart) -> String {
    let ascending = IndexPart {
        descending: false,
        nulls_first: None,
        operator_class: None,
        ..part.clone()
    };
    match &part.of {
        IndexPartOf::Column(_, _, DataType::Bytea) => format!("md5({})", index_part(&ascending)),
        IndexPartOf::Column(
            _,
            _,
            DataType::Varchar(_)
            | DataType::Char(_)
            | DataType::Text
            | DataType::Json
            | DataType::Plain("character varying"),
        ) => format!("md5({}::text)", index_part(&ascending)),
        _ => index_part(part),
    }
}

fn beginning(part: &IndexPart) -> String {
    // Of characters that may have four bytes each.
    const CHARACTERS: u64 = 500;
    let prefix = match &part.of {
        IndexPartOf::Column(_, _, DataType::Bytea) => Prefix::Bytes(4 * CHARACTERS),
        IndexPartOf::Column(
            _,
            _,
            DataType::Varchar(_)
            | DataType::Char(_)
            | DataType::Text
            | DataType::Plain("character varying"),
        ) => Prefix::Characters(CHARACTERS),
        _ => return index_part(part),
    };
    let mut short = part.clone();
    if let IndexPartOf::Column(_, old, _) = &mut short.of {
        *old = Some(prefix);
    }
    index_part(&short)
}

/// The statement that adds `check` to `table`.
#[must_use]
pub fn add_check(style: Style<'_>, table: &str, check: &Check) -> String {
    let name = identifier(&check.name);
    let expression = &check.expression;
    format!(
        "ALTER TABLE {} ADD CONSTRAINT {name} CHECK ({expression})",
        style.name(table)
    )
}

/// The statement that adds `key` to `table`.
#[must_use]
pub fn add_foreign_key(style: Style<'_>, table: &str, key: &ForeignKey) -> String {
    let mut sql = format!(
        "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({})",
        style.name(table),
        identifier(&key.name),
        identifiers(&key.columns),
        style.name(&key.references),
        identifiers(&key.referenced_columns),
    );
    for (event, action) in [("DELETE", &key.on_delete), ("UPDATE", &key.on_update)] {
        if let Some(action) = action {
            let _ = write!(sql, " ON {event} {action}");
        }
    }
    sql
}

/// The statement that sets `sequence` of `table`: the next value is one more than the
/// largest there is, or what the source would have given next, whichever is more.
#[must_use]
pub fn set_sequence(style: Style<'_>, table: &str, sequence: &Sequence) -> String {
    let (column, table) = (identifier(&sequence.column), style.name(table));
    // A later table of the same name may have renamed it.
    let of = [literal(&table), literal(&sequence.column)].join(", ");
    let name = format!("pg_get_serial_sequence({of})::regclass");
    let least = sequence.next_at_least.max(1);
    let end = last_of(sequence);
    // Behind the last value of its type a sequence has no next one, but it can be used up.
    format!(
        "SELECT CASE WHEN n > {end} THEN setval({name}, {end}, true)
                     ELSE setval({name}, n::bigint, false) END
         FROM (SELECT GREATEST((SELECT floor(max({column})::numeric) FROM {table}) + 1, {least}) AS n) AS next"
    )
}

/// The statements that set `sequence` of `table` likewise, in a dump: the first one alone, as pg_dump writes it, where
/// the source has said what it would have given next.
#[must_use]
pub fn set_sequence_in_dump(style: Style<'_>, table: &str, sequence: &Sequence) -> [String; 2] {
    let name = literal(&style.name(&sequence.name));
    let (column, table) = (identifier(&sequence.column), style.name(table));
    let least = sequence.next_at_least.max(1);
    let end = last_of(sequence);
    let is_double = sequence.data_type == DataType::DoublePrecision;
    let cast = if is_double { "::bigint" } else { "" };
    let (value, is_given) = if least > end {
        (end, true)
    } else {
        (least, false)
    };
    [
        format!("SELECT setval({name}, {value}, {is_given})"),
        format!(
            "SELECT setval({name}, max({column}){cast}, true) FROM {table} HAVING max({column}) >= {least}"
        ),
    ]
}

/// The last value of the type of `sequence`.
fn last_of(sequence: &Sequence) -> u64 {
    match sequence.data_type {
        DataType::Smallint => i16::MAX.unsigned_abs().into(),
        DataType::Integer => i32::MAX.unsigned_abs().into(),
        _ => i64::MAX.unsigned_abs(),
    }
}

/// The statement that makes `columns` of `table` NOT NULL, in one pass over it.
#[must_use]
pub fn set_not_null(style: Style<'_>, table: &str, columns: &[&str]) -> String {
    let actions: Vec<String> = columns
        .iter()
        .map(|column| format!("ALTER COLUMN {} SET NOT NULL", identifier(column)))
        .collect();
    format!("ALTER TABLE {} {}", style.name(table), actions.join(", "))
}

fn identifiers(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| identifier(name)).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests;
