//! The types that columns get if a value does not fit into the type that nearly all values of their kind fit into.

use super::value_kind::Storage;

/// What a column becomes if a value does not fit into its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wider {
    /// A boolean: `tinyint(1)` may hold any number of one byte.
    Smallint,
    /// A bigint: `bigint unsigned` may hold numbers from 2^63 on. `numeric(20,0)`.
    Numeric,
    /// A jsonb, which cannot hold the character `\u0000`.
    Json,
    /// A json whose text is not JSON, or an enum with MySQL's value for an error.
    Text,
    /// pgvector's `vector`, without a number of entries: MySQL's `vector(n)` may hold fewer than n.
    Vector,
}

/// A column that got a wider type because of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widening {
    /// The column.
    pub column: String,
    /// What it became.
    pub to: Wider,
    /// The number of the row with the value, from 1.
    pub row: u64,
}

impl Wider {
    /// The type that a value may still not fit into, and what is wider than that.
    pub(super) fn then(self) -> Option<Wider> {
        (self == Wider::Json).then_some(Wider::Text)
    }

    pub(super) fn storage(self) -> Storage {
        match self {
            Wider::Smallint => Storage::Smallint,
            Wider::Numeric => Storage::Numeric,
            Wider::Json => Storage::Json,
            Wider::Text => Storage::Text,
            Wider::Vector => Storage::Vector,
        }
    }
}
