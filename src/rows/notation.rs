//! How values are written for COPY and for LOAD DATA: each format implements [`Notation`].

use super::escapes::Escape;
use super::json_syntax::{has_nul, is_json};
use super::value_kind::Storage;

/// A number is out of the range of this type.
pub(super) struct OutOfRange(pub(super) &'static str);

/// A text is not a value of this type.
pub(super) struct NotA(pub(super) &'static str);

/// Checks a text for the types that do not hold every text.
pub(super) fn check_text(text: &[u8], storage: Storage) -> Result<(), NotA> {
    match storage {
        Storage::Json if !is_json(text) => Err(NotA("JSON")),
        // MySQL has checked that it is JSON; the server reports if other programs did not.
        Storage::Jsonb if has_nul(text) => Err(NotA("value of jsonb, which cannot hold \\u0000")),
        Storage::Enum if text.is_empty() => Err(NotA("value of the enum")),
        _ => Ok(()),
    }
}

/// Writes values, which are already validated.
pub(super) trait Notation {
    /// Whether tabs and line ends in a text need escapes.
    const ESCAPES_LINES: bool;
    /// Whether a text can hold NUL.
    const HOLDS_NUL: bool = false;

    fn begin_row(out: &mut Vec<u8>, columns: usize);
    /// Called before each value but the first.
    fn between_values(out: &mut Vec<u8>);
    fn end_row(out: &mut Vec<u8>);
    fn null(out: &mut Vec<u8>);
    fn boolean(out: &mut Vec<u8>, value: bool);
    /// A number as the dump has it.
    fn number(out: &mut Vec<u8>, text: &[u8], storage: Storage) -> Result<(), OutOfRange>;
    /// A valid date or time.
    fn moment(out: &mut Vec<u8>, text: &[u8], storage: Storage);
    /// `-infinity`.
    fn before_all(out: &mut Vec<u8>, storage: Storage);
    /// The lowest `width` of `bits`, in the order from high to low.
    fn bits(out: &mut Vec<u8>, bits: u64, width: u8);
    fn bytes(out: &mut Vec<u8>, bytes: &[u8], storage: Storage);

    /// Begins a text; returns the argument `begun` of `end_text`.
    fn begin_text(out: &mut Vec<u8>, storage: Storage) -> usize;
    /// Ends a text; it is an error if the text is not a value of `storage`.
    fn end_text(out: &mut Vec<u8>, begun: usize, storage: Storage) -> Result<(), NotA>;
    /// A byte of a text, not NUL, that may need an escape.
    fn text_byte(out: &mut Vec<u8>, byte: u8);
    /// For each byte behind a backslash in a text, what the two are written as (MySQL manual, 11.1.1, "Special
    /// Character Escape Sequences"). A table, since a branch could not be predicted.
    const ESCAPES: &[Escape; 256];
}
