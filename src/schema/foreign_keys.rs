//! Finds the table and columns that a foreign key references.

use super::model::{
    Column, DataType, ForeignKey, Index, IndexKind, IndexPart, IndexPartOf, KeptAs, Table,
};
use crate::rows::Wider;

/// `key` with the exact names of its table and columns among `tables`, or why PostgreSQL cannot have it. MySQL on some
/// systems ignores the case of these names.
pub fn resolve_foreign_key(
    tables: &[&Table],
    of: &Table,
    key: &ForeignKey,
) -> Result<ForeignKey, String> {
    let beside = || tables.iter().filter(|table| table.schema == of.schema);
    let exact = beside().find(|table| table.name == key.references);
    let alike = || beside().find(|table| table.name.eq_ignore_ascii_case(&key.references));
    let Some(other) = exact.or_else(alike) else {
        let mut all = tables.iter();
        let elsewhere = all.find(|table| table.name == key.references);
        return Err(elsewhere.map_or_else(
            || format!("there is no table {}", key.references),
            |table| format!("{} is in another schema", table.shown()),
        ));
    };
    let column = |name: &String| {
        let found = other
            .columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name));
        found.map_or_else(|| name.clone(), |column| column.name.clone())
    };
    let referenced_columns: Vec<String> = key.referenced_columns.iter().map(column).collect();
    if !is_unique(other, &referenced_columns) {
        let columns = referenced_columns.join(", ");
        return Err(format!("{}({columns}) is not unique", other.name));
    }
    Ok(ForeignKey {
        references: other.name.clone(),
        referenced_columns,
        ..key.clone()
    })
}

/// A column that needs another type, so that a foreign key compares values of one type: the number of its table, its name
/// and type, and the foreign key.
#[must_use]
pub fn column_of_another_type(tables: &[Table]) -> Option<(usize, String, Wider, String)> {
    let all: Vec<&Table> = tables.iter().collect();
    for (number, table) in tables.iter().enumerate() {
        for key in &table.foreign_keys {
            let Ok(key) = resolve_foreign_key(&all, table, key) else {
                continue;
            };
            let other = tables
                .iter()
                .position(|it| it.schema == table.schema && it.name == key.references);
            let pairs = key.columns.iter().zip(&key.referenced_columns);
            for (column, (other, referenced)) in
                pairs.filter_map(|(name, referenced)| Some((name, (other?, referenced))))
            {
                let types = (
                    type_of(&tables[number], column),
                    type_of(&tables[other], referenced),
                );
                let (place, name) = match types {
                    (Some((DataType::Boolean, _)), Some((DataType::Smallint, _)))
                    | (Some((DataType::Bigint, _)), Some((DataType::Numeric(20, 0), _))) => {
                        (number, column)
                    }
                    (Some((DataType::Smallint, _)), Some((DataType::Boolean, _)))
                    | (Some((DataType::Numeric(20, 0), _)), Some((DataType::Bigint, _))) => {
                        (other, referenced)
                    }
                    _ => continue,
                };
                if let Some((_, Some(wider))) = type_of(&tables[place], name) {
                    return Some((place, name.clone(), wider, key.name));
                }
            }
        }
    }
    None
}

/// The type of a column, and the wider one it may get.
fn type_of<'a>(table: &'a Table, name: &str) -> Option<(&'a DataType, Option<Wider>)> {
    let found: Option<&Column> = table.columns.iter().find(|column| column.name == name);
    found.map(|column| (&column.data_type, column.wider))
}

/// Whether a key of `table` is over exactly `columns`, in any order.
fn is_unique(table: &Table, columns: &[String]) -> bool {
    let same = |key: &[String]| {
        key.len() == columns.len() && key.iter().all(|column| columns.contains(column))
    };
    let whole_columns = |index: &Index| -> Option<Vec<String>> {
        let part = |part: &IndexPart| match &part.of {
            IndexPartOf::Column(name, None, _) => Some(name.clone()),
            _ => None,
        };
        index.parts.iter().map(part).collect()
    };
    table
        .primary_key
        .as_ref()
        .is_some_and(|key| key.kept_as != KeptAs::Index && same(&key.columns))
        || table
            .indexes
            .iter()
            .filter(|index| index.kind == IndexKind::Unique)
            .any(|index| whole_columns(index).is_some_and(|columns| same(&columns)))
}
