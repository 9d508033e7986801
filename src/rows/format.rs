//! The formats that rows are written in.

/// The format of the data of COPY (PostgreSQL manual, "COPY", section "File Formats").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lines of text, as a dump has them.
    Text,
    /// Binary, which costs the server about three quarters as much.
    Binary,
    /// Lines for MySQL's LOAD DATA, which are no format of COPY.
    LoadData,
}

impl Format {
    /// What comes before the first row.
    #[must_use]
    pub fn head(self) -> &'static [u8] {
        match self {
            Format::Text | Format::LoadData => b"",
            // Signature, flags, length of the header's extension.
            Format::Binary => b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0",
        }
    }

    /// What comes after the last row.
    #[must_use]
    pub fn tail(self) -> &'static [u8] {
        match self {
            Format::Text | Format::LoadData => b"",
            Format::Binary => b"\xff\xff",
        }
    }
}
