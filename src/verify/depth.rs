//! How thoroughly an import verifies its staged data.

use clap::ValueEnum;

/// How thoroughly an import verifies its staged data before the publish.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Depth {
    /// Read back all rows and traces and compare checksums
    Full,
    /// Count rows and traces
    #[default]
    Count,
    /// Nothing is verified again
    None,
}

impl Depth {
    /// The text for the report.
    #[must_use]
    pub fn told(self) -> Option<&'static str> {
        match self {
            Depth::Full => Some("rows and traces read back and compared by checksum, sequences"),
            Depth::Count => Some("rows and traces counted, sequences"),
            Depth::None => None,
        }
    }
}
