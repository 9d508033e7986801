//! Indexes, foreign keys and CHECKs.

use super::expression::{fulltext, indexed, sql};
use crate::dump::postgresql::definition::{Expression, IndexDefinition, IndexMethod};
use crate::schema::model::{
    Check, Column, ForeignKey, Index, IndexKind, IndexPart, IndexPartOf, Table,
};

/// The CHECK `name` over `columns`, if all of its expression is understood.
#[must_use]
pub fn check(name: &str, expression: &Expression, columns: &[Column]) -> Option<Check> {
    Some(Check {
        name: name.to_owned(),
        expression: sql(expression, columns)?,
    })
}

/// The index of `table` that `definition` defines, or why there is none.
pub fn index(table: &Table, definition: &IndexDefinition) -> std::result::Result<Index, String> {
    let parts = definition.parts.as_ref().map_err(|why| (*why).to_owned())?;
    if definition.method == IndexMethod::Gin {
        let parts = match parts.as_slice() {
            [part] if !definition.is_unique => fulltext(&part.of, &table.columns),
            _ => None,
        };
        let parts = parts.ok_or("it is no btree, and none over the words of texts")?;
        let part = |of| IndexPart {
            of,
            descending: false,
            nulls_first: None,
            operator_class: None,
        };
        return Ok(Index {
            name: definition.name.clone(),
            kind: IndexKind::Fulltext,
            parts: parts.into_iter().map(part).collect(),
            comment: None,
        });
    }
    let parts = parts.iter().map(|part| {
        let unknown = "it is over a column, or an expression, that the table does not have";
        Ok(IndexPart {
            of: indexed(&part.of, &table.columns).ok_or(unknown)?,
            descending: part.descending,
            nulls_first: part.nulls_first,
            operator_class: part.operator_class,
        })
    });
    Ok(Index {
        name: definition.name.clone(),
        kind: kind(definition.is_unique),
        parts: parts.collect::<std::result::Result<_, String>>()?,
        comment: None,
    })
}

/// The unique index over `columns` of `table`, or why there is none.
pub fn unique_index(
    table: &Table,
    name: String,
    columns: &[String],
) -> std::result::Result<Index, String> {
    let parts = columns.iter().map(|column| {
        Ok(IndexPart {
            of: whole_column(table, column)?,
            descending: false,
            nulls_first: None,
            operator_class: None,
        })
    });
    Ok(Index {
        name,
        kind: IndexKind::Unique,
        parts: parts.collect::<std::result::Result<_, String>>()?,
        comment: None,
    })
}

fn kind(is_unique: bool) -> IndexKind {
    if is_unique {
        IndexKind::Unique
    } else {
        IndexKind::Plain
    }
}

fn whole_column(table: &Table, name: &str) -> std::result::Result<IndexPartOf, String> {
    let column = table.columns.iter().find(|column| column.name == name);
    let column = column.ok_or_else(|| format!("the table has no column {name}"))?;
    let data_type = column.data_type.clone();
    Ok(IndexPartOf::Column(name.to_owned(), None, data_type))
}

/// The foreign key of these parts.
#[must_use]
pub fn foreign_key(
    name: String,
    [columns, referenced_columns]: [Vec<String>; 2],
    references: String,
    [on_delete, on_update]: [Option<&'static str>; 2],
) -> ForeignKey {
    ForeignKey {
        name,
        columns,
        references,
        referenced_columns,
        on_delete: on_delete.map(str::to_owned),
        on_update: on_update.map(str::to_owned),
    }
}
