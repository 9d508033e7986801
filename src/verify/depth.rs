//! How thoroughly an import verifies what it has staged.

use clap::ValueEnum;

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
