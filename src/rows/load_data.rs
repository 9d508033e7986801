//! The format of MySQL's LOAD DATA (MySQL manual, 15.2.9, "LOAD DATA Statement"): lines, tabs between the values,
//! backslashes before what would end them.
//!
//! Texts have the escapes of COPY's text format, so that the lines can be hashed as its lines are.
//! FLOAT, DOUBLE and all other numbers stay as the dump has them, digit for digit (`transcode/as_written.rs`).
//! Bytes are hexadecimal digits and bits are a number, which the LOAD DATA statement converts.

use super::copy_text::CopyText;
use super::escapes::{Escape, TEXT_ESCAPES};
use super::hex::HEX;
use super::notation::{NotA, Notation, OutOfRange};
use super::value_kind::Storage;

/// The lines of LOAD DATA.
pub(super) struct LoadData;

/// As in COPY's text format, but a text can hold NUL.
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

    fn begin_row(out: &mut Vec<u8>, columns: usize) {
        CopyText::begin_row(out, columns);
    }

    fn between_values(out: &mut Vec<u8>) {
        CopyText::between_values(out);
    }

    fn end_row(out: &mut Vec<u8>) {
        CopyText::end_row(out);
    }

    fn null(out: &mut Vec<u8>) {
        CopyText::null(out);
    }

    fn boolean(out: &mut Vec<u8>, value: bool) {
        out.push(if value { b'1' } else { b'0' });
    }

    fn number(out: &mut Vec<u8>, text: &[u8], storage: Storage) -> Result<(), OutOfRange> {
        CopyText::number(out, text, storage)
    }

    fn moment(out: &mut Vec<u8>, text: &[u8], storage: Storage) {
        CopyText::moment(out, text, storage);
    }

    fn before_all(out: &mut Vec<u8>, _: Storage) {
        // MySQL has no infinity; nothing asks for it here.
        Self::null(out);
    }

    fn bits(out: &mut Vec<u8>, bits: u64, _: u8) {
        out.extend_from_slice(bits.to_string().as_bytes());
    }

    fn bytes(out: &mut Vec<u8>, bytes: &[u8], _: Storage) {
        out.extend(bytes.iter().flat_map(|byte| HEX[usize::from(*byte)]));
    }

    fn begin_text(out: &mut Vec<u8>, storage: Storage) -> usize {
        CopyText::begin_text(out, storage)
    }

    fn end_text(out: &mut Vec<u8>, begun: usize, storage: Storage) -> Result<(), NotA> {
        CopyText::end_text(out, begun, storage)
    }

    fn text_byte(out: &mut Vec<u8>, byte: u8) {
        CopyText::text_byte(out, byte);
    }
}
