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
    pub fn told(self, has_traces: bool) -> Option<&'static str> {
        match (self, has_traces) {
            (Depth::Full, true) => {
                Some("rows and traces read back and compared by checksum, sequences")
            }
            (Depth::Full, false) => Some("rows read back and compared by checksum, sequences"),
            (Depth::Count, true) => Some("rows and traces counted, sequences"),
            (Depth::Count, false) => Some("rows counted, sequences"),
            (Depth::None, _) => None,
        }
    }
}
