//! The text format of COPY (PostgreSQL manual, "COPY", section "Text Format").

use super::copy_lines::unescape;
use super::escapes::{Escape, TEXT_ESCAPES};
use super::hex::HEX;
use super::notation::{NotA, Notation, OutOfRange, check_text};
use super::value_kind::Storage;
use super::vectors;

/// The text format.
pub(super) struct CopyText;

/// Checks a text that has COPY's escapes.
#[cold]
fn check_escaped(escaped: &[u8], storage: Storage) -> Result<(), NotA> {
    let mut plain = Vec::new();
    unescape(escaped, &mut plain);
    check_text(&plain, storage)
}

impl Notation for CopyText {
    const ESCAPES_LINES: bool = true;
    const ESCAPES: &[Escape; 256] = &TEXT_ESCAPES;

    fn begin_row(_: &mut Vec<u8>, _: usize) {}

    fn between_values(out: &mut Vec<u8>) {
        out.push(b'\t');
    }

    fn end_row(out: &mut Vec<u8>) {
        out.push(b'\n');
    }

    fn null(out: &mut Vec<u8>) {
        out.extend_from_slice(b"\\N");
    }

    fn boolean(out: &mut Vec<u8>, value: bool) {
        out.push(if value { b't' } else { b'f' });
    }

    fn number(out: &mut Vec<u8>, text: &[u8], _: Storage) -> Result<(), OutOfRange> {
        // Digit for digit; PostgreSQL validates it.
        out.extend_from_slice(text);
        Ok(())
    }

    fn moment(out: &mut Vec<u8>, text: &[u8], _: Storage) {
        out.extend_from_slice(text);
    }

    fn before_all(out: &mut Vec<u8>, _: Storage) {
        out.extend_from_slice(b"-infinity");
    }

    fn bits(out: &mut Vec<u8>, bits: u64, width: u8) {
        let digits = (0..width).rev();
        out.extend(digits.map(|n| b'0' + u8::from(bits >> n & 1 == 1)));
    }

    fn bytes(out: &mut Vec<u8>, bytes: &[u8], storage: Storage) {
        if matches!(storage, Storage::Vector | Storage::Reals) {
            vectors::put_text(out, bytes, storage);
            return;
        }
        // PostGIS takes the digits alone, and so does a uuid.
        if !matches!(storage, Storage::Geometry | Storage::Uuid) {
            out.extend_from_slice(b"\\\\x");
        }
        out.extend(bytes.iter().flat_map(|byte| HEX[usize::from(*byte)]));
    }

    fn begin_text(out: &mut Vec<u8>, _: Storage) -> usize {
        out.len()
    }

    #[inline]
    fn end_text(out: &mut Vec<u8>, begun: usize, storage: Storage) -> Result<(), NotA> {
        if storage == Storage::Text {
            return Ok(());
        }
        check_escaped(&out[begun..], storage)
    }

    fn text_byte(out: &mut Vec<u8>, byte: u8) {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            other => out.push(other),
        }
    }
}
