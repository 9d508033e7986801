//! How quotes and backslashes are read: a dump may set it by `sql_mode` (MySQL manual, 7.1.11, and 11.1.1).

/// How quotes and backslashes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quoting {
    /// Whether a backslash in a text escapes: not under `NO_BACKSLASH_ESCAPES`.
    pub backslash_escapes: bool,
    /// Whether double quotes enclose an identifier, not a text: under `ANSI_QUOTES`.
    pub ansi_quotes: bool,
}

impl Default for Quoting {
    fn default() -> Self {
        Quoting {
            backslash_escapes: true,
            ansi_quotes: false,
        }
    }
}

impl Quoting {
    /// Double quotes enclose identifiers, and a backslash escapes.
    pub const ANSI: Quoting = Quoting {
        backslash_escapes: true,
        ansi_quotes: true,
    };

    /// Whether a backslash between two of `quote` escapes.
    #[must_use]
    pub fn escapes_in(self, quote: u8) -> bool {
        self.backslash_escapes && (quote == b'\'' || quote == b'"' && !self.ansi_quotes)
    }
}
