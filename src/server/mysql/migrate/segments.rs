//! The parts of a migration that are done whole or not at all: statements that change rows, up to one that
//! commits, are a transaction; one that commits is by itself.

use super::kind::Kind;
use crate::migrate::{Part, Statement};

/// A statement with its number in its migration, from 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbered<'a> {
    pub(super) number: usize,
    pub(super) statement: &'a Statement,
    pub(super) kind: Kind,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) enum Segment<'a> {
    /// A transaction; also statements that set something in the session, before those that need it.
    Rows(Vec<Numbered<'a>>),
    /// A statement that commits.
    Alone(Numbered<'a>),
}

impl Segment<'_> {
    /// The statements that are recorded, for they are done once.
    pub(super) fn recorded(&self) -> impl Iterator<Item = &Numbered<'_>> {
        let all = match self {
            Segment::Rows(rows) => rows.as_slice(),
            Segment::Alone(one) => std::slice::from_ref(one),
        };
        all.iter().filter(|one| one.kind != Kind::Session)
    }
}

/// The segments of those statements of `part` that are not done: all but the first `done`, and of these
/// the ones that set something in the session.
pub(super) fn segments(part: &Part, done: usize) -> Vec<Segment<'_>> {
    let mut segments: Vec<Segment<'_>> = Vec::new();
    for (index, statement) in part.statements.iter().enumerate() {
        let one = Numbered {
            number: index + 1,
            statement,
            kind: Kind::of(&statement.sql),
        };
        if one.number <= done && one.kind != Kind::Session {
            continue;
        }
        let is_full = |rows: &[Numbered<'_>]| {
            part.no_transaction && rows.iter().any(|one| one.kind == Kind::Rows)
        };
        match segments.last_mut() {
            _ if one.kind.commits() => segments.push(Segment::Alone(one)),
            Some(Segment::Rows(rows)) if !is_full(rows) => rows.push(one),
            _ => segments.push(Segment::Rows(vec![one])),
        }
    }
    segments
}

/// The same as `rows`, but those that `is_unprotected` says no transaction protects by themselves. All of these
/// are recorded before and behind, so that none is done twice in silence.
pub(super) fn apart<'a>(
    rows: Vec<Numbered<'a>>,
    is_unprotected: impl Fn(&Numbered<'a>) -> bool,
) -> Vec<Segment<'a>> {
    let mut segments = Vec::new();
    let mut together = Vec::new();
    for one in rows {
        if one.kind == Kind::Rows && is_unprotected(&one) {
            if !together.is_empty() {
                segments.push(Segment::Rows(std::mem::take(&mut together)));
            }
            segments.push(Segment::Alone(Numbered {
                kind: Kind::Unprotected,
                ..one
            }));
        } else {
            together.push(one);
        }
    }
    if !together.is_empty() {
        segments.push(Segment::Rows(together));
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(statements: &[&str], no_transaction: bool, done: usize) -> String {
        let part = Part {
            statements: statements.iter().map(|s| (*s).to_owned().into()).collect(),
            no_transaction,
        };
        let segments = segments(&part, done);
        shown(&segments)
    }

    fn shown(segments: &[Segment<'_>]) -> String {
        let told = segments.iter().map(|segment| match segment {
            Segment::Rows(rows) => {
                let numbers = rows.iter().map(|one| one.number.to_string());
                format!("({})", numbers.collect::<Vec<_>>().join(" "))
            }
            Segment::Alone(one) => one.number.to_string(),
        });
        told.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_no_transaction_protects_is_by_itself() {
        let all = ["DELETE", "SET @a = 1", "INSERT", "INSERT", "UPDATE"];
        let part = Part {
            statements: all.iter().map(|s| (*s).to_owned().into()).collect(),
            no_transaction: false,
        };
        let apart = |unprotected: &[usize]| {
            let Some(Segment::Rows(rows)) = segments(&part, 0).pop() else {
                panic!("they are one transaction");
            };
            shown(&apart(rows, |one| unprotected.contains(&one.number)))
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
        // What was set in another session is set again.
        assert_eq!(told(&all, false, 6), "(4) 7");
        assert_eq!(told(&all, false, 7), "(4)");
        assert_eq!(told(&[], false, 0), "");
    }
}
