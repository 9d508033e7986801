//! How values are written for COPY and for LOAD DATA: all formats have one shape here.

use super::Storage;
use super::bytes::HEX;

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

/// At most four bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Escape {
    bytes: [u8; 4],
    length: usize,
}

impl Escape {
    /// What stands for NUL, which no text of PostgreSQL can hold.
    const NUL: Escape = Escape {
        bytes: [0; 4],
        length: 0,
    };

    pub(super) const fn byte(byte: u8) -> Escape {
        Escape {
            bytes: [byte, 0, 0, 0],
            length: 1,
        }
    }

    const fn pair(first: u8, second: u8) -> Escape {
        Escape {
            bytes: [first, second, 0, 0],
            length: 2,
        }
    }

    /// Whether it is NUL, for which nothing is written.
    pub(super) fn is_nul(self) -> bool {
        self.length == 0
    }

    #[inline]
    pub(super) fn write(self, out: &mut Vec<u8>) {
        // Of fixed size, and what was too much is taken back.
        out.extend_from_slice(&self.bytes);
        out.truncate(out.len() - (self.bytes.len() - self.length));
    }
}

const fn text_escape(letter: u8) -> Escape {
    match letter {
        b'0' | 0 => Escape::NUL,
        // They mean the same in both.
        b'\\' | b'n' | b'r' | b't' | b'b' => Escape::pair(b'\\', letter),
        b'\n' => Escape::pair(b'\\', b'n'),
        b'\r' => Escape::pair(b'\\', b'r'),
        b'\t' => Escape::pair(b'\\', b't'),
        b'Z' => Escape::byte(0x1a),
        b'%' | b'_' => Escape {
            bytes: [b'\\', b'\\', letter, 0],
            length: 3,
        },
        other => Escape::byte(other),
    }
}

/// What a byte behind a backslash stands for.
const fn plain_escape(letter: u8) -> Escape {
    match letter {
        b'0' | 0 => Escape::NUL,
        b'n' => Escape::byte(b'\n'),
        b'r' => Escape::byte(b'\r'),
        b't' => Escape::byte(b'\t'),
        b'b' => Escape::byte(8),
        b'Z' => Escape::byte(0x1a),
        b'%' | b'_' => Escape::pair(b'\\', letter),
        other => Escape::byte(other),
    }
}

/// The escapes of the text format.
pub(super) const TEXT_ESCAPES: [Escape; 256] = table(true);

/// The escapes where a text is written as it is.
pub(super) const PLAIN_ESCAPES: [Escape; 256] = table(false);

const fn table(text: bool) -> [Escape; 256] {
    let mut table = [Escape::NUL; 256];
    let mut letter: u8 = 0;
    loop {
        table[letter as usize] = if text {
            text_escape(letter)
        } else {
            plain_escape(letter)
        };
        if letter == u8::MAX {
            return table;
        }
        letter += 1;
    }
}

/// The text format.
pub(super) struct CopyText;

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
        // Digit for digit; PostgreSQL reads it again.
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

    fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
        out.extend_from_slice(b"\\\\x");
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
