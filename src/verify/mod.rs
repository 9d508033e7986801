//! Compares tables and traces of a target with what an archive or a dump holds: rows by count or by
//! checksum, sequences with the values they gave, traces by count or by content.

mod expected;
mod findings;
mod staged;
mod tables;

use clap::ValueEnum;

pub use expected::Expected;
pub use findings::Findings;
pub use staged::verify_staged;
pub use tables::{ExpectedTable, Looks, Numbering, TableFinding, verify_tables, verify_tables_in};

/// How thoroughly an import looks at what it has staged, before it is published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Depth {
    /// All rows and traces are read back and compared by their checksums
    Full,
    /// Rows and traces are counted
    #[default]
    Count,
    /// What the server said while it loaded is taken for granted
    None,
}

impl Depth {
    /// As the report tells it.
    #[must_use]
    pub fn told(self) -> Option<&'static str> {
        match self {
            Depth::Full => Some("rows and traces read back and compared by checksum, sequences"),
            Depth::Count => Some("rows and traces counted, sequences"),
            Depth::None => None,
        }
    }
}
