//! The parts of definitions in a converted dump.

use std::fmt;

use crate::dump::mysql::definition::{ForeignKeyDefinition, KeyDefinition, TableDefinition};

/// A part of a definition in a converted dump.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A table as MySQL had it, and the columns whose definition was damaged. Its rows, if any, follow; its keys
    /// are at the end of the dump.
    Table(TableDefinition, Vec<(Damage, String)>),
    /// A key of a table that came before. Its name is missing where the converter has not kept it.
    Key(String, KeyDefinition),
    /// A foreign key of a table that came before.
    ForeignKey(String, ForeignKeyDefinition),
    /// A column that is cast to boolean: table and column.
    Boolean(String, String),
    /// A boolean gets its default back: table and column.
    Default(String, String),
    /// The column of a table that has a sequence: table and column.
    NextValue(String, String),
    /// There is nothing more.
    End,
}

/// What the converter did to the definition of a column. It is undone if that is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    /// A `varchar(n)` became a `varchar(2n)`.
    DoubledLength,
    /// A `datetime` became a `timestamp with time zone`.
    TimeZone,
    /// A `datetime` lost its NOT NULL.
    Nullable,
    /// A whole number lost its `unsigned`.
    Signed,
    /// Everything behind the type is lost, which happens if a comment has parentheses.
    Bare,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Damage::DoubledLength => "lengths that the converter had doubled are as they were",
            Damage::TimeZone => {
                "the converter's timestamps with time zone are without one, as in MySQL"
            }
            Damage::Nullable => "NOT NULL, which the converter had dropped, is back",
            Damage::Signed => "numbers without sign in MySQL, which the converter had forgotten",
            Damage::Bare => {
                "the converter has lost NOT NULL, default and comment, if there were any"
            }
        })
    }
}
