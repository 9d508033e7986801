//! Constraints.

use super::definition::{Constraint, ConstraintKind};
use super::expression::expression;
use super::lexer::Token;
use super::parser::{Parser, not_understood};
use crate::error::Result;

/// Reads a constraint, behind its name.
pub(crate) fn constraint(name: String, parser: &mut Parser<'_>) -> Result<Constraint> {
    let kind = if parser.take(&["primary", "key"]) {
        ConstraintKind::PrimaryKey(parser.names()?)
    } else if parser.take(&["unique"]) {
        if parser.is("nulls") {
            return Ok(other(name, "UNIQUE NULLS NOT DISTINCT"));
        }
        ConstraintKind::Unique(parser.names()?)
    } else if parser.take(&["foreign", "key"]) {
        return foreign_key(name, parser);
    } else if parser.take(&["check"]) {
        check(parser.parenthesised()?)
    } else if parser.take(&["exclude"]) {
        return Ok(other(name, "EXCLUDE"));
    } else if parser.take(&["not", "null"]) {
        // PostgreSQL 18 writes only a NOT NULL here that was not validated; rows may violate it.
        return Ok(other(name, "NOT NULL"));
    } else {
        return Err(not_understood("a constraint is of an unknown kind"));
    };
    Ok(Constraint {
        name,
        kind,
        has_more: !parser.at_end(),
    })
}

/// The CHECK with the expression in `tokens`.
pub(super) fn check(tokens: &[Token]) -> ConstraintKind {
    expression(tokens).map_or(ConstraintKind::Other("CHECK"), ConstraintKind::Check)
}

fn other(name: String, kind: &'static str) -> Constraint {
    Constraint {
        name,
        kind: ConstraintKind::Other(kind),
        has_more: false,
    }
}

fn foreign_key(name: String, parser: &mut Parser<'_>) -> Result<Constraint> {
    let columns = parser.names()?;
    let key = references(name, columns, parser)?;
    Ok(Constraint {
        has_more: !parser.at_end(),
        ..key
    })
}

/// Reads REFERENCES and what follows, of a foreign key over `columns`.
pub(super) fn references(
    name: String,
    columns: Vec<String>,
    parser: &mut Parser<'_>,
) -> Result<Constraint> {
    if !parser.take(&["references"]) {
        return Err(not_understood("a foreign key references nothing"));
    }
    let references = parser.qualified()?;
    let referenced_columns = parser.names()?;
    let (mut on_delete, mut on_update) = (None, None);
    while parser.take(&["on"]) {
        let to = if parser.take(&["delete"]) {
            &mut on_delete
        } else if parser.take(&["update"]) {
            &mut on_update
        } else {
            break;
        };
        let actions: [(&[&str], &'static str); 5] = [
            (&["cascade"], "CASCADE"),
            (&["set", "null"], "SET NULL"),
            (&["set", "default"], "SET DEFAULT"),
            (&["restrict"], "RESTRICT"),
            (&["no", "action"], "NO ACTION"),
        ];
        let action = actions.iter().find(|(words, _)| parser.take(words));
        *to = action.map(|(_, action)| *action);
    }
    parser.take(&["not", "valid"]);
    Ok(Constraint {
        name,
        kind: ConstraintKind::ForeignKey {
            columns,
            references,
            referenced_columns,
            on_delete,
            on_update,
        },
        has_more: false,
    })
}
