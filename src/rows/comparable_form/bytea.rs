//! `bytea` as text.

use crate::rows::copy_lines::unescape;

/// Appends the bytes of a `bytea` (PostgreSQL manual, 8.4).
pub(crate) fn bytea(out: &mut Vec<u8>, value: &[u8]) {
    let Some(digits) = value.strip_prefix(b"\\x") else {
        return unescape(value, out);
    };
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|n| u8::try_from(n).ok())
    };
    for pair in digits.chunks(2) {
        match pair {
            [high, low] => out.push(digit(*high).unwrap_or(0) << 4 | digit(*low).unwrap_or(0)),
            other => out.extend_from_slice(other),
        }
    }
}
