//! Counts the changes of data that are more than a change of notation.

use std::collections::BTreeMap;
use std::fmt;

/// How many places of a change are kept beside its count.
const PLACES: usize = 3;

/// A change of data that the report must name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A date with a zero part became NULL.
    ZeroDateToNull,
    /// NUL characters of a text, which PostgreSQL cannot hold, were left out.
    NulStripped,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Change::ZeroDateToNull => "zero dates became NULL",
            Change::NulStripped => "texts lost their NUL characters",
        })
    }
}

/// How often a change was made, and where first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Occurrences {
    /// Values changed.
    pub count: u64,
    /// The first rows of the table it was made in, from 1.
    pub rows: Vec<u64>,
}

impl Occurrences {
    fn add(&mut self, other: &Occurrences) {
        self.count += other.count;
        self.rows.extend_from_slice(&other.rows);
        self.rows.sort_unstable();
        self.rows.truncate(PLACES);
    }
}

/// The changes made to the rows of one table, by column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    changes: BTreeMap<(String, Change), Occurrences>,
}

impl Tally {
    pub(super) fn count(&mut self, column: &str, change: Change, row: u64) {
        let one = Occurrences {
            count: 1,
            rows: vec![row],
        };
        self.changes
            .entry((column.to_owned(), change))
            .or_default()
            .add(&one);
    }

    /// Adds what another part of the same table counted.
    pub fn merge(&mut self, other: &Tally) {
        for (key, occurrences) in &other.changes {
            self.changes
                .entry(key.clone())
                .or_default()
                .add(occurrences);
        }
    }

    /// What was changed in which column, in order of the columns' names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Change, &Occurrences)> {
        self.changes
            .iter()
            .map(|((column, change), occurrences)| (column.as_str(), *change, occurrences))
    }

    /// Whether `change` was made in `column`.
    #[must_use]
    pub fn has(&self, column: &str, change: Change) -> bool {
        self.changes.contains_key(&(column.to_owned(), change))
    }

    /// Whether nothing was changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
