//! How the lines of a dump end.

/// Whether the lines of a dump that begins with `start`, about 256 KiB, end with CR alone, as on an old Macintosh. Elsewhere
/// a CR in a comment does not end it.
#[must_use]
pub fn has_lines_of_cr(start: &[u8]) -> bool {
    start.contains(&b'\r') && !start.contains(&b'\n')
}
