//! What becomes of keys over values that were changed during the load.

use super::model::{DataType, Index, IndexKind, IndexPartOf, KeptAs, Note, PrimaryKey, Table};
use crate::error::codes::Code;
use crate::rows::{Change, Tally, Widening, Wider};

/// The column of `key` that has NULLs because of zero dates, so that it is no primary key any more.
#[must_use]
pub fn column_with_nulls<'a>(key: &'a PrimaryKey, tally: &Tally) -> Option<&'a str> {
    let has_nulls = |column: &&String| tally.has_new_nulls(column);
    key.columns.iter().find(has_nulls).map(String::as_str)
}

/// Whether values in `columns` of `table` may be equal that are not in the source: some were changed, or they are FLOATs, of
/// which a dump has six digits.
#[must_use]
pub fn may_be_equal(table: &Table, columns: &[String], tally: &Tally) -> bool {
    let is_float = |name: &String| {
        let mut columns = table.columns.iter();
        columns.any(|column| column.name == *name && column.data_type == DataType::DoublePrecision)
    };
    let is_changed = |name: &String| {
        tally.iter().any(|(column, change, _)| {
            let is_harmless = matches!(
                change,
                Change::OutsideDay | Change::ZeroDateToNull | Change::InvalidDateToNull
            );
            column == name && !is_harmless
        })
    };
    columns
        .iter()
        .any(|name| is_float(name) || is_changed(name))
}

/// The columns of `index`, whole or in part.
#[must_use]
pub fn columns_of(index: &Index) -> Vec<String> {
    let columns = index.parts.iter().filter_map(|part| match &part.of {
        IndexPartOf::Column(name, ..) => Some(name.clone()),
        IndexPartOf::Expression(_) => None,
    });
    columns.collect()
}

/// The note about the primary key of `table` that became something else.
#[must_use]
pub fn key_note(table: &Table, key: &PrimaryKey, tally: &Tally) -> Note {
    let what = match (key.kept_as, column_with_nulls(key, tally)) {
        (KeptAs::UniqueIndex, Some(column)) => {
            format!("the primary key is a unique index now: {column} has dates that became NULL")
        }
        _ => "the primary key is an index now: changed values are equal".to_owned(),
    };
    note(Code::KeyWeaker, table, Some(&key.name), what)
}

/// The note about the unique `index` of `table` that became a plain one.
#[must_use]
pub fn index_note(table: &Table, index: &Index) -> Note {
    let what = "the index is not unique any more: changed values are equal";
    note(Code::KeyWeaker, table, Some(&index.name), what.to_owned())
}

/// Gives up the keys of `table` that changed values may violate, before anybody has tried. Returns notes.
pub fn give_up_keys(table: &mut Table, tally: &Tally) -> Vec<Note> {
    let mut notes = Vec::new();
    let before = table.clone();
    if let Some(key) = &mut table.primary_key {
        if may_be_equal(&before, &key.columns, tally) && is_really_changed(&key.columns, tally) {
            key.kept_as = KeptAs::Index;
        } else if column_with_nulls(key, tally).is_some() {
            key.kept_as = KeptAs::UniqueIndex;
        }
        if key.kept_as != KeptAs::Key {
            notes.push(key_note(&before, key, tally));
        }
    }
    for index in &mut table.indexes {
        if index.kind == IndexKind::Unique && is_really_changed(&columns_of(index), tally) {
            index.kind = IndexKind::Plain;
            notes.push(index_note(&before, index));
        }
    }
    notes
}

/// Whether values in `columns` were changed so that they may be equal.
fn is_really_changed(columns: &[String], tally: &Tally) -> bool {
    let none = Table::default();
    may_be_equal(&none, columns, tally)
}

/// Notes of the generated columns of `table` that are computed from changed values, and so may be others than in the source.
#[must_use]
pub fn computed_from_changed(table: &Table, tally: &Tally) -> Vec<Note> {
    let mut notes = Vec::new();
    for column in &table.columns {
        let used = column.generated.iter().flat_map(|it| &it.columns);
        let is_changed = |name: &&String| tally.iter().any(|(changed, ..)| changed == *name);
        if let Some(name) = used.into_iter().find(is_changed) {
            let what = format!("it is computed from {name}, of which values were changed");
            notes.push(note(Code::GeneratedColumn, table, Some(&column.name), what));
        }
    }
    notes
}

/// The note about a column of `table` that got a wider type because of a value.
#[must_use]
pub fn widening_note(table: &str, Widening { column, to, row }: &Widening) -> Note {
    let what = match to {
        Wider::Smallint => {
            format!("smallint instead of boolean: row {row} has a number other than 0 and 1")
        }
        Wider::Numeric => format!(
            "numeric(20,0) instead of bigint: row {row} has a number above 9223372036854775807"
        ),
        Wider::Json => format!("json instead of jsonb: row {row} has the escape \\u0000"),
        Wider::Vector => {
            format!("vector without a number of entries: row {row} has another number of them")
        }
        Wider::Text => {
            format!("text instead of its own type: the value in row {row} is not of this type")
        }
    };
    Note {
        code: Code::OtherType,
        table: table.to_owned(),
        item: Some(column.clone()),
        what,
    }
}

/// The note about a column that got a wider type because of a foreign key.
#[must_use]
pub fn foreign_key_note(table: &Table, column: &str, to: Wider, key: &str) -> Note {
    let data_type = if to == Wider::Numeric {
        "numeric(20,0) instead of bigint"
    } else {
        "smallint instead of boolean"
    };
    let what = format!("{data_type}: the foreign key {key} compares it with such a column");
    note(Code::OtherType, table, Some(column), what)
}

fn note(code: Code, table: &Table, item: Option<&str>, what: String) -> Note {
    Note {
        code,
        table: table.shown(),
        item: item.map(str::to_owned),
        what,
    }
}
