//! How values are written for COPY and for LOAD DATA: all formats implement [`Notation`].

use super::escapes::Escape;
use super::value_kind::Storage;

/// A number is out of the range of the type that stands here.
pub(super) struct OutOfRange(pub(super) &'static str);

/// A text is no value of the type that stands here.
pub(super) struct NotA(pub(super) &'static str);

/// Writes values. What it is given has been judged already.
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
    /// A date or time that is fine.
    fn moment(out: &mut Vec<u8>, text: &[u8], storage: Storage);
    /// `-infinity`, the date or time before all others.
    fn before_all(out: &mut Vec<u8>, storage: Storage);
    /// The lowest `width` of `bits`, the highest of them first.
    fn bits(out: &mut Vec<u8>, bits: u64, width: u8);
    fn bytes(out: &mut Vec<u8>, bytes: &[u8]);

    /// Begins a text; returns what `end_text` wants.
    fn begin_text(out: &mut Vec<u8>, storage: Storage) -> usize;
    /// Ends it; a text that is no value of `storage` is an error.
    fn end_text(out: &mut Vec<u8>, begun: usize, storage: Storage) -> Result<(), NotA>;
    /// A byte of a text, not NUL, that may need an escape.
    fn text_byte(out: &mut Vec<u8>, byte: u8);
    /// What a byte of a text behind a backslash becomes, by that byte (MySQL manual, 11.1.1, "Special
    /// Character Escape Sequences"). A table, since which escape comes next cannot be foreseen.
    const ESCAPES: &[Escape; 256];
}
