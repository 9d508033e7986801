//! Finds the table and columns that a foreign key references.

use super::model::{ForeignKey, Index, IndexKind, IndexPart, IndexPartOf, Table};

/// `key` with the exact names of its table and columns among `tables`, or why PostgreSQL cannot have it. MySQL on some
/// systems ignores the case of these names.
pub fn resolve_foreign_key(tables: &[&Table], key: &ForeignKey) -> Result<ForeignKey, String> {
    let exact = tables.iter().find(|table| table.name == key.references);
    let alike = || {
        tables
            .iter()
            .find(|table| table.name.eq_ignore_ascii_case(&key.references))
    };
    let Some(other) = exact.or_else(alike) else {
        return Err(format!("there is no table {}", key.references));
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
        .is_some_and(|key| same(&key.columns))
        || table
            .indexes
            .iter()
            .filter(|index| index.kind == IndexKind::Unique)
            .any(|index| whole_columns(index).is_some_and(|columns| same(&columns)))
}
