//! The pieces that the scanner finds in a MySQL dump.

/// What the first `used` bytes of a scanned slice are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scanned {
    /// How many bytes of the slice belong to `piece`; the caller passes the rest again.
    pub used: usize,
    /// What these bytes are.
    pub piece: Piece,
}

/// A piece of a dump. A piece of prose is complete in the slice where it ends: all bytes since the last piece are
/// the comment, the statement or the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// White space between statements.
    Gap,
    /// Part of an incomplete piece.
    Partial,
    /// A whole comment between statements, its end included.
    Comment,
    /// A line between statements that is not SQL: `mysqldump: [Warning] …`.
    Noise,
    /// A whole `DELIMITER` line, which the scanner has applied.
    Delimiter,
    /// A whole statement, its delimiter included.
    Statement,
    /// `INSERT INTO t (a, b) VALUES`: everything before the first row.
    InsertHead,
    /// Rows of the statement whose head came before.
    Rows {
        /// How many rows end in these bytes.
        rows: u32,
        /// Where the last of them ends, just behind its parenthesis, if one does.
        last_end: Option<usize>,
    },
    /// As `Rows`, and the last byte is the delimiter that ends the statement. A clause may stand before it.
    LastRows {
        /// How many rows end in these bytes.
        rows: u32,
        /// Where the last of them ends, just behind its parenthesis, if one does.
        last_end: Option<usize>,
    },
}
