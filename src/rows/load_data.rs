//! Rows as MySQL's LOAD DATA reads them (MySQL manual, 15.2.9, "LOAD DATA Statement"): lines, values
//! apart by tabs, backslashes before what would end them.
//!
//! What of them has an escape has the same one in COPY's text format, so that they can be hashed as
//! its lines are. Bytes are in hexadecimal digits, bits are a number: the statement turns them back.

use super::Storage;
use super::bytes::HEX;
use super::notation::{Escape, NotA, Notation, OutOfRange, TEXT_ESCAPES};

/// The lines of LOAD DATA.
pub(super) struct LoadData;

/// As in COPY's text format, but that a text can hold NUL.
const ESCAPES: [Escape; 256] = {
    let mut table = TEXT_ESCAPES;
    table[b'0' as usize] = Escape::byte(0);
    table[0] = Escape::byte(0);
    table
};

impl Notation for LoadData {
    const ESCAPES_LINES: bool = true;
    const HOLDS_NUL: bool = true;
    const ESCAPES: &[Escape; 256] = &ESCAPES;

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
        out.push(if value { b'1' } else { b'0' });
    }

    fn number(out: &mut Vec<u8>, text: &[u8], _: Storage) -> Result<(), OutOfRange> {
        out.extend_from_slice(text);
        Ok(())
    }

    fn moment(out: &mut Vec<u8>, text: &[u8], _: Storage) {
        out.extend_from_slice(text);
    }

    fn before_all(out: &mut Vec<u8>, _: Storage) {
        // MySQL knows no infinity; nothing asks for it here.
        Self::null(out);
    }

    fn bits(out: &mut Vec<u8>, bits: u64, _: u8) {
        out.extend_from_slice(bits.to_string().as_bytes());
    }

    fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
        out.extend(bytes.iter().flat_map(|byte| HEX[usize::from(*byte)]));
    }

    fn begin_text(_: &mut Vec<u8>, _: Storage) -> usize {
        0
    }

    fn end_text(_: &mut Vec<u8>, _: usize, _: Storage) -> Result<(), NotA> {
        Ok(())
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
