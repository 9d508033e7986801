//! The atomic parts of a migration. Statements that change rows are one transaction, up to a statement that
//! commits; that one is a segment of its own.

use super::statement_kind::StatementKind;
use crate::migrate::{MigrationPart, MigrationStatement};

/// A statement with its number in its migration, counted from 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct NumberedStatement<'a> {
    pub(super) number: usize,
    pub(super) statement: &'a MigrationStatement,
    pub(super) kind: StatementKind,
}

/// An atomic part of a migration.
#[derive(Debug, Clone)]
pub(super) enum Segment<'a> {
    /// A transaction. It also has the statements that change the session, before those that need them.
    Transaction(Vec<NumberedStatement<'a>>),
    /// A statement that commits.
    Alone(NumberedStatement<'a>),
}

impl Segment<'_> {
    /// The statements that are logged, since they must run once.
    pub(super) fn logged(&self) -> impl Iterator<Item = &NumberedStatement<'_>> {
        let all = match self {
            Segment::Transaction(rows) => rows.as_slice(),
            Segment::Alone(one) => std::slice::from_ref(one),
        };
        all.iter().filter(|one| one.kind != StatementKind::Session)
    }
}

/// The segments of `part` without its first `done` statements. Of these it repeats the ones that change the
/// session.
pub(super) fn segments(part: &MigrationPart, done: usize) -> Vec<Segment<'_>> {
    let mut segments: Vec<Segment<'_>> = Vec::new();
    for (index, statement) in part.statements.iter().enumerate() {
        let one = NumberedStatement {
            number: index + 1,
            statement,
            kind: StatementKind::of(&statement.sql),
        };
        if one.number <= done && one.kind != StatementKind::Session {
            continue;
        }
        let is_full = |rows: &[NumberedStatement<'_>]| {
            part.no_transaction && rows.iter().any(|one| one.kind == StatementKind::Rows)
        };
        match segments.last_mut() {
            _ if one.kind.commits() => segments.push(Segment::Alone(one)),
            Some(Segment::Transaction(rows)) if !is_full(rows) => rows.push(one),
            _ => segments.push(Segment::Transaction(vec![one])),
        }
    }
    segments
}

/// Splits the transaction `rows`: statements for which `is_non_transactional` holds are segments of their own.
/// These are logged before and after they run, so none is repeated unnoticed.
pub(super) fn apart<'a>(
    rows: Vec<NumberedStatement<'a>>,
    is_non_transactional: impl Fn(&NumberedStatement<'a>) -> bool,
) -> Vec<Segment<'a>> {
    let mut segments = Vec::new();
    let mut together = Vec::new();
    for one in rows {
        if one.kind == StatementKind::Rows && is_non_transactional(&one) {
            if !together.is_empty() {
                segments.push(Segment::Transaction(std::mem::take(&mut together)));
            }
            segments.push(Segment::Alone(NumberedStatement {
                kind: StatementKind::NonTransactional,
                ..one
            }));
        } else {
            together.push(one);
        }
    }
    if !together.is_empty() {
        segments.push(Segment::Transaction(together));
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(statements: &[&str], no_transaction: bool, done: usize) -> String {
        let part = MigrationPart {
            statements: statements.iter().map(|s| (*s).to_owned().into()).collect(),
            no_transaction,
        };
        let segments = segments(&part, done);
        shown(&segments)
    }

    fn shown(segments: &[Segment<'_>]) -> String {
        let told = segments.iter().map(|segment| match segment {
            Segment::Transaction(rows) => {
                let numbers = rows.iter().map(|one| one.number.to_string());
                format!("({})", numbers.collect::<Vec<_>>().join(" "))
            }
            Segment::Alone(one) => one.number.to_string(),
        });
        told.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_non_transactional_statement_is_a_segment() {
        let all = ["DELETE", "SET @a = 1", "INSERT", "INSERT", "UPDATE"];
        let part = MigrationPart {
            statements: all.iter().map(|s| (*s).to_owned().into()).collect(),
            no_transaction: false,
        };
        let apart = |non_transactional: &[usize]| {
            let Some(Segment::Transaction(rows)) = segments(&part, 0).pop() else {
                panic!("they are one transaction");
            };
            shown(&apart(rows, |one| non_transactional.contains(&one.number)))
        };
        assert_eq!(apart(&[]), "(1 2 3 4 5)");
        assert_eq!(apart(&[2, 3]), "(1 2) 3 (4 5)");
        assert_eq!(apart(&[1, 5]), "1 (2 3 4) 5");
    }

    #[test]
    fn rows_between_definitions_are_a_transaction() {
        let all = [
            "DELETE",
            "INSERT",
            "ALTER",
            "SET @a = 1",
            "UPDATE",
            "DELETE",
            "DROP",
        ];
        assert_eq!(told(&all, false, 0), "(1 2) 3 (4 5 6) 7");
        assert_eq!(told(&all, true, 0), "(1) (2) 3 (4 5) (6) 7");
        assert_eq!(told(&all, false, 3), "(4 5 6) 7");
        // Settings of a former session are repeated.
        assert_eq!(told(&all, false, 6), "(4) 7");
        assert_eq!(told(&all, false, 7), "(4)");
        assert_eq!(told(&[], false, 0), "");
    }
}
