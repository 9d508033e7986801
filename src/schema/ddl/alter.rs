//! The SQL of what changes a table after its rows.

use super::{create_sequence, default, set_default};
use crate::schema::altered::has_other_default;
use crate::schema::ddl::Style;
use crate::schema::model::Table;
use crate::schema::sql::{identifier, literal};

/// A change of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The statement.
    pub statement: String,
    /// The column and the default, if it is one: the server may refuse it.
    pub default: Option<(String, String)>,
}

/// What makes a table that was created as `before` the table `after`, except for types, keys and constraints; `now` is what
/// it is in the target then. NOT NULL is set later, by [`super::set_not_null`].
#[must_use]
pub fn alter_table(style: Style<'_>, now: &Table, before: &Table, after: &Table) -> Vec<Change> {
    let name = style.name(&now.name);
    let mut changes = Vec::new();
    let mut add = |statement: String, default: Option<(String, String)>| {
        changes.push(Change { statement, default });
    };
    let new_sequence = now.sequence.as_ref().filter(|_| before.sequence.is_none());
    if let Some(sequence) = new_sequence {
        for statement in create_sequence(style, sequence) {
            add(statement, None);
        }
    }
    let is_numbered = |column: &str| new_sequence.is_some_and(|sequence| sequence.column == column);
    let columns = now.columns.iter();
    for (column, (known, new)) in columns.zip(before.columns.iter().zip(&after.columns)) {
        if column.generated.is_some() {
            continue;
        }
        let column_name = identifier(&column.name);
        if is_numbered(&column.name) || has_other_default(known, new) {
            match default(style, column, now) {
                Some(default) => add(
                    set_default(style, &now.name, &column.name, &default),
                    (!is_numbered(&column.name)).then(|| (column.name.clone(), default)),
                ),
                None => add(
                    format!("ALTER TABLE {name} ALTER COLUMN {column_name} DROP DEFAULT"),
                    None,
                ),
            }
        }
        if known.not_null && !new.not_null {
            let statement = format!("ALTER TABLE {name} ALTER COLUMN {column_name} DROP NOT NULL");
            add(statement, None);
        }
        if known.comment != new.comment {
            let comment = text(new.comment.as_ref());
            let statement = format!("COMMENT ON COLUMN {name}.{column_name} IS {comment}");
            add(statement, None);
        }
    }
    if let Some(sequence) = new_sequence {
        let (of, column) = (style.name(&sequence.name), identifier(&sequence.column));
        add(
            format!("ALTER SEQUENCE {of} OWNED BY {name}.{column}"),
            None,
        );
    }
    if before.comment != after.comment {
        let comment = text(after.comment.as_ref());
        add(format!("COMMENT ON TABLE {name} IS {comment}"), None);
    }
    changes
}

/// A comment as SQL. An empty one is none.
fn text(comment: Option<&String>) -> String {
    literal(comment.map_or("", String::as_str))
}
