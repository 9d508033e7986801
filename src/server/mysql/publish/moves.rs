//! Moves of tables between databases, by one statement.

use std::collections::{HashMap, HashSet};

use mysql::Conn;
use mysql::prelude::Queryable;
use serde_json::{Value, json};

use super::catalog::{base_tables, make_database};
use crate::error::Result;
use crate::failpoint;
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::sql::qualified;

/// The place of a table: database and name. The table need not exist.
pub(super) type Place = (String, String);

/// The move of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) from: Place,
    pub(super) to: Place,
}

impl Move {
    /// Moves the table `name`, under the same name, from one database to another.
    pub(super) fn of(name: &str, from: &str, to: &str) -> Move {
        Move {
            from: (from.to_owned(), name.to_owned()),
            to: (to.to_owned(), name.to_owned()),
        }
    }

    fn back(&self) -> Move {
        Move {
            from: self.to.clone(),
            to: self.from.clone(),
        }
    }
}

/// Carries out all moves, in their order, or none.
pub(super) fn make(conn: &mut Conn, moves: &[Move]) -> Result<()> {
    if moves.is_empty() {
        return Ok(());
    }
    let pairs: Vec<String> = moves
        .iter()
        .map(|Move { from, to }| {
            let (from, to) = (qualified(&from.0, &from.1), qualified(&to.0, &to.1));
            format!("{from} TO {to}")
        })
        .collect();
    conn.query_drop(format!("RENAME TABLE {}", pairs.join(", ")))
        .map_err(failure("move the tables"))
}

/// Undoes the `moves` that were done.
pub(super) fn undo(conn: &mut Conn, moves: &[Move]) -> Result<()> {
    let back: Vec<Move> = moves.iter().rev().map(Move::back).collect();
    let databases: HashSet<&String> = back.iter().map(|one| &one.to.0).collect();
    for database in databases {
        make_database(conn, database)?;
    }
    make(conn, &back)?;
    failpoint::reached("tables back");
    Ok(())
}

/// The number of `moves` that were done, counted from the first, derived from the places of the tables. None
/// if the places match no number of moves. A server before MySQL 8.0 or MariaDB 10.6 may do only some of the
/// moves when it crashes (MariaDB manual, Atomic DDL). Tables in `staging` are ignored: they may have been
/// dropped.
pub(super) fn done(moves: &[Move], present: &HashSet<Place>, staging: &str) -> Option<usize> {
    let mut is_there: HashMap<&Place, bool> = HashMap::new();
    let matters = |place: &Place| place.0 != staging;
    for one in moves {
        is_there.entry(&one.from).or_insert(true);
        is_there.entry(&one.to).or_insert(false);
    }
    is_there.retain(|place, _| matters(place));
    let differs = |(place, there): (&&Place, &bool)| present.contains(*place) != *there;
    let mut different = is_there.iter().filter(|entry| differs(*entry)).count();
    if different == 0 {
        return Some(0);
    }
    for (at, one) in moves.iter().enumerate() {
        for (place, there) in [(&one.from, false), (&one.to, true)] {
            if !matters(place) {
                continue;
            }
            let was = is_there.insert(place, there);
            if was != Some(there) {
                let agrees = present.contains(place) == there;
                different = if agrees { different - 1 } else { different + 1 };
            }
        }
        if different == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// The tables that are in any of `databases`.
pub(super) fn present(conn: &mut Conn, databases: &Databases) -> Result<HashSet<Place>> {
    let mut present = HashSet::new();
    let Databases {
        live,
        staging,
        previous,
        passing,
    } = databases;
    for database in [live, staging, previous, passing] {
        let tables = base_tables(conn, database)?;
        present.extend(tables.into_iter().map(|name| (database.clone(), name)));
    }
    Ok(present)
}

/// The moves as text.
pub(super) fn to_json(moves: &[Move]) -> String {
    let moves = moves.iter().map(|Move { from, to }| json!([from, to]));
    moves.collect::<Value>().to_string()
}

/// The moves that `text` holds.
pub(super) fn from_json(text: &str) -> Option<Vec<Move>> {
    let moves: Vec<(Place, Place)> = serde_json::from_str(text).ok()?;
    let moves = moves.into_iter().map(|(from, to)| Move { from, to });
    Some(moves.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a publish or rollback moves: the older aside, the live ones, those that come, the record.
    fn moves(coming_from: &str) -> Vec<Move> {
        let mut moves = Vec::new();
        let mut all = |from: &str, to: &str, tables: &[&str]| {
            moves.extend(tables.iter().map(|name| Move::of(name, from, to)));
        };
        all("previous", "passing", &["record before"]);
        all("previous", "passing", &["a", "b"]);
        all("live", "previous", &["a", "b"]);
        all("passing", "previous", &["record"]);
        all(coming_from, "live", &["a", "b"]);
        moves
    }

    /// Where the tables are when so many moves were done.
    fn after(moves: &[Move], count: usize) -> HashSet<Place> {
        let mut present = HashSet::new();
        let mut seen = HashSet::new();
        for one in moves {
            if seen.insert(one.from.clone()) {
                present.insert(one.from.clone());
            }
            seen.insert(one.to.clone());
        }
        for one in &moves[..count] {
            assert!(present.remove(&one.from) && present.insert(one.to.clone()));
        }
        present
    }

    #[test]
    fn wherever_it_was_cut_is_seen() {
        for coming_from in ["staging", "passing"] {
            let moves = moves(coming_from);
            for count in 0..=moves.len() {
                let mut present = after(&moves, count);
                assert_eq!(
                    done(&moves, &present, "staging"),
                    Some(count),
                    "{coming_from}"
                );
                present.retain(|place| place.0 != "staging");
                assert_eq!(
                    done(&moves, &present, "staging"),
                    Some(count),
                    "{coming_from}"
                );
            }
            let mut present = after(&moves, 3);
            present.insert(("live".to_owned(), "a".to_owned()));
            present.remove(&("passing".to_owned(), "record".to_owned()));
            assert_eq!(done(&moves, &present, "staging"), None, "{coming_from}");
        }
    }

    #[test]
    fn moves_come_back_from_their_text() {
        let moves = moves("sta\"g`ing");
        assert_eq!(from_json(&to_json(&moves)), Some(moves));
        assert_eq!(from_json("[[1]]"), None);
    }
}
