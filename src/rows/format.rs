//! The formats that rows are written in.

/// The formats of COPY (PostgreSQL manual, "COPY", section "File Formats") and of LOAD DATA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// COPY's text format: lines, as in a dump.
    Text,
    /// COPY's binary format, which costs the server about three quarters of the time.
    Binary,
    /// The lines of MySQL's LOAD DATA.
    LoadData,
}

impl Format {
    /// The bytes before the first row.
    #[must_use]
    pub fn head(self) -> &'static [u8] {
        match self {
            Format::Text | Format::LoadData => b"",
            // Signature, flags, length of the header's extension.
            Format::Binary => b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0",
        }
    }

    /// The bytes after the last row.
    #[must_use]
    pub fn tail(self) -> &'static [u8] {
        match self {
            Format::Text | Format::LoadData => b"",
            Format::Binary => b"\xff\xff",
        }
    }
}
