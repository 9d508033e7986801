//! The SQL of generated columns.

use super::style::Style;
use crate::schema::model::{Column, DataType, Generated};
use crate::schema::sql::identifier;

/// The value of a generated column, with a cast to its type. A cast would cut a text that is too long.
pub(super) fn computed(generated: &Generated, column: &Column, data_type: &str) -> String {
    let expression = &generated.expression;
    match column.data_type {
        DataType::Varchar(_) | DataType::Char(_) | DataType::Text => expression.clone(),
        _ => format!("({expression})::{data_type}"),
    }
}

/// The condition that the value of a generated column, which is still an ordinary one, is not the one that the server
/// computes. Texts are compared, since values that are equal may not be the same.
#[must_use]
pub fn is_computed_otherwise(column: &Column, generated: &Generated) -> String {
    let (name, data_type) = (identifier(&column.name), &column.data_type);
    let expression = &generated.expression;
    format!("{name}::text IS DISTINCT FROM (({expression})::{data_type})::text")
}

/// The query that computes the values of a generated column, which does not exist, and counts them.
#[must_use]
pub fn compute_all(
    style: Style<'_>,
    table: &str,
    column: &Column,
    generated: &Generated,
) -> String {
    let (data_type, expression) = (&column.data_type, &generated.expression);
    let table = style.name(table);
    format!("SELECT count((({expression})::{data_type})::text) FROM {table}")
}
