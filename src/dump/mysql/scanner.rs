//! Finds the boundaries of statements and of rows in the bytes of a MySQL dump.
//!
//! The scanner takes slices and returns counts. It never reads, and keeps only a few bytes of state.
//! The pieces are the same, however the input is cut into slices.
//!
//! Rows have a scanner of their own, for speed. Everything else (definitions, settings, comments) is *prose*, and is
//! examined byte by byte. The lexical rules are those of the MySQL 8.0 Reference Manual, chapters 11.1.1 (string
//! literals), 11.2 (identifiers) and 11.7 (comments), and of the `mysql` client's `DELIMITER`.

pub use super::piece::{Piece, Scanned};
use super::row_scanner::RowScanner;
use crate::dump::charset::Multibyte;
use crate::dump::quoting::Quoting;

/// Where in the lexical structure of prose the scanner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Between statements.
    Gap,
    /// In SQL.
    Code,
    /// In a quoted string or identifier.
    Quoted { quote: u8, before: Before },
    /// In `-- …` or `# …`, up to the line's end.
    LineComment,
    /// In a line that is not SQL.
    NoiseLine,
    /// In a question that a program has asked, up to its colon: `Enter password: `.
    Prompt,
    /// In a `DELIMITER …` line.
    DelimiterLine,
    /// After `/*`: an executable comment's `!` or `M!` may follow.
    CommentOpened { after_m: bool },
    /// After `/*!`: its version number.
    CommentVersion { version: u32 },
    /// In `/* … */`.
    BlockComment { star: bool },
    /// In the rows of an INSERT.
    Rows,
}

/// What stands before the current byte of a quoted text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing that matters.
    Nothing,
    /// A backslash that escapes.
    Backslash,
    /// The first byte of a character of two.
    Lead,
}

/// No server has this version. MariaDB marks a comment with it that only old clients execute.
const VERSION_OF_NO_SERVER: u32 = 999_999;

/// A longer delimiter is ignored, and no more of its line is kept.
const MAX_DELIMITER: usize = 16;
const MAX_DELIMITER_LINE: usize = 1024;

/// So many bytes of a word are needed to distinguish the keywords.
const WORD: usize = 9;

/// A resumable scanner of one dump.
#[derive(Debug, Clone)]
pub struct Scanner {
    mode: Mode,
    /// Bytes of the current piece of prose so far.
    length: u64,
    /// The two bytes of code before the current one.
    recent: [u8; 2],
    /// The current piece began with a comment and holds nothing else.
    only_comment: bool,
    first_word: Word,
    last_word: Word,
    /// Depth of parentheses.
    depth: u32,
    delimiter: Vec<u8>,
    /// The last bytes of code, as many as the delimiter has.
    tail: Vec<u8>,
    rows: RowScanner,
    quoting: Quoting,
    multibyte: Multibyte,
    /// Whether CR ends a line, too.
    cr_ends_lines: bool,
}

/// The bytes of a keyword that were read so far, in capitals.
#[derive(Debug, Clone, Copy, Default)]
struct Word {
    bytes: [u8; WORD],
    length: usize,
    complete: bool,
    /// Whether a dot is in it: then it is the name of a program.
    has_dot: bool,
}

impl Word {
    fn push(&mut self, byte: u8) {
        if self.length < WORD {
            self.bytes[self.length] = byte.to_ascii_uppercase();
        }
        self.length += 1;
        self.has_dot |= byte == b'.';
    }

    fn is(&self, keyword: &str) -> bool {
        self.length == keyword.len() && &self.bytes[..self.length] == keyword.as_bytes()
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

impl Scanner {
    /// A scanner at the beginning of a dump.
    #[must_use]
    pub fn new() -> Self {
        Scanner {
            mode: Mode::Gap,
            length: 0,
            recent: [0; 2],
            only_comment: false,
            first_word: Word::default(),
            last_word: Word::default(),
            depth: 0,
            delimiter: vec![b';'],
            tail: Vec::new(),
            rows: RowScanner::default(),
            quoting: Quoting::default(),
            multibyte: Multibyte::None,
            cr_ends_lines: false,
        }
    }

    /// From here on, CR ends a comment and every other line, as LF always does.
    pub fn end_lines_with_cr(&mut self) {
        self.cr_ends_lines = true;
    }

    fn ends_line(&self, byte: u8) -> bool {
        byte == b'\n' || self.cr_ends_lines && byte == b'\r'
    }

    /// Sets how quotes and backslashes are read from here on.
    pub fn set_quoting(&mut self, quoting: Quoting) {
        self.quoting = quoting;
        self.rows.set_quoting(quoting);
    }

    /// Sets the character set of the texts from here on.
    pub fn set_multibyte(&mut self, multibyte: Multibyte) {
        self.multibyte = multibyte;
        self.rows.set_multibyte(multibyte);
    }

    /// Whether the input may end here: no statement, comment or row is open. (A line comment or
    /// a line of noise needs no line end.)
    #[must_use]
    pub fn may_end(&self) -> bool {
        match self.mode {
            Mode::Gap | Mode::NoiseLine | Mode::Prompt => true,
            Mode::LineComment => self.only_comment,
            _ => false,
        }
    }

    /// Whether the scanner stands in the rows of an INSERT.
    #[must_use]
    pub fn in_rows(&self) -> bool {
        self.mode == Mode::Rows
    }

    /// Scans `input` up to the end of a piece, or to its own end. An empty input is a `Gap`.
    pub fn scan(&mut self, input: &[u8]) -> Scanned {
        match self.mode {
            Mode::Rows => {
                let scanned = self.rows.scan(input);
                if matches!(scanned.piece, Piece::LastRows { .. }) {
                    self.mode = Mode::Gap;
                }
                scanned
            }
            Mode::Gap => self.scan_gap(input),
            _ => self.scan_prose(input),
        }
    }

    fn scan_gap(&mut self, input: &[u8]) -> Scanned {
        let blank = input
            .iter()
            .take_while(|b| b.is_ascii_whitespace() || **b == 0x0b)
            .count();
        if blank > 0 || input.is_empty() {
            return Scanned {
                used: blank,
                piece: Piece::Gap,
            };
        }
        self.mode = Mode::Code;
        self.length = 0;
        self.recent = [0; 2];
        self.only_comment = false;
        self.first_word = Word::default();
        self.last_word = Word::default();
        self.depth = 0;
        self.tail.clear();
        self.scan_prose(input)
    }

    fn scan_prose(&mut self, input: &[u8]) -> Scanned {
        for (index, &byte) in input.iter().enumerate() {
            if let Some(piece) = self.prose_byte(byte) {
                // The parenthesis that opens the first row belongs to the rows.
                let used = index + usize::from(piece != Piece::InsertHead);
                return Scanned { used, piece };
            }
            self.length += 1;
        }
        Scanned {
            used: input.len(),
            piece: Piece::Partial,
        }
    }

    /// Takes one byte of prose; returns the piece that it completes, if any.
    fn prose_byte(&mut self, byte: u8) -> Option<Piece> {
        match self.mode {
            Mode::Code => return self.code_byte(byte),
            Mode::Quoted { quote, before } => self.mode = self.quoted_byte(byte, quote, before),
            Mode::LineComment if self.ends_line(byte) => return self.comment_ended(),
            Mode::NoiseLine if self.ends_line(byte) => return Some(self.between(Piece::Noise)),
            // What follows a prompt in its line may be the beginning of the dump.
            Mode::Prompt if byte == b':' || self.ends_line(byte) => {
                return Some(self.between(Piece::Noise));
            }
            Mode::DelimiterLine => {
                if self.ends_line(byte) {
                    return Some(self.delimiter_line_ended());
                }
                if self.tail.len() <= MAX_DELIMITER_LINE {
                    self.tail.push(byte);
                }
            }
            Mode::CommentOpened { after_m } => {
                self.mode = match byte {
                    b'!' => Mode::CommentVersion { version: 0 },
                    b'M' if !after_m => Mode::CommentOpened { after_m: true },
                    b'*' => Mode::BlockComment { star: true },
                    _ => Mode::BlockComment { star: false },
                };
            }
            Mode::CommentVersion { version } => {
                self.mode = match byte {
                    b'0'..=b'9' if version < VERSION_OF_NO_SERVER => Mode::CommentVersion {
                        version: version * 10 + u32::from(byte - b'0'),
                    },
                    _ if version >= VERSION_OF_NO_SERVER => {
                        Mode::BlockComment { star: byte == b'*' }
                    }
                    // What an executable comment holds is code, its end is white space.
                    _ => {
                        self.mode = Mode::Code;
                        self.only_comment = false;
                        return self.code_byte(byte);
                    }
                };
            }
            Mode::BlockComment { star: true } if byte == b'/' => return self.comment_ended(),
            Mode::BlockComment { .. } => self.mode = Mode::BlockComment { star: byte == b'*' },
            Mode::LineComment | Mode::NoiseLine | Mode::Prompt => {}
            Mode::Gap | Mode::Rows => unreachable!("not prose"),
        }
        None
    }

    /// Takes one byte of a quoted text; returns the mode behind it.
    fn quoted_byte(&self, byte: u8, quote: u8, before: Before) -> Mode {
        let before = match before {
            Before::Backslash => Before::Nothing,
            Before::Lead if self.multibyte.is_trail(byte) => Before::Nothing,
            _ if byte == b'\\' && self.quoting.escapes_in(quote) => Before::Backslash,
            // A doubled quote ends one string and begins the next: the effect is the same.
            _ if byte == quote => return Mode::Code,
            _ if self.multibyte.is_lead(byte) => Before::Lead,
            _ => Before::Nothing,
        };
        Mode::Quoted { quote, before }
    }

    fn code_byte(&mut self, byte: u8) -> Option<Piece> {
        let before = self.recent;
        self.recent = [before[1], byte];
        self.word_byte(byte);
        let in_first_word = self.first_word.length as u64 == self.length;
        match byte {
            b'\'' | b'"' | b'`' => {
                self.mode = Mode::Quoted {
                    quote: byte,
                    before: Before::Nothing,
                }
            }
            b'#' => self.open_comment(Mode::LineComment, 1),
            b'*' if before[1] == b'/' => {
                self.open_comment(Mode::CommentOpened { after_m: false }, 2);
            }
            b'\n' | b'\r' | b'\t' | b' ' if before == *b"--" => {
                self.open_comment(Mode::LineComment, 3);
                if self.ends_line(byte) {
                    return self.comment_ended();
                }
            }
            // mysqldump 4.0 has a line of hyphens in its header.
            b'-' if self.length == 2 && before == *b"--" => {
                self.open_comment(Mode::LineComment, 3);
            }
            _ if self.is_noise(byte, in_first_word) => self.mode = Mode::NoiseLine,
            b' ' if in_first_word && self.first_word.is("ENTER") => self.mode = Mode::Prompt,
            _ if self.ends_line(byte) && in_first_word && self.first_word.is("DELIMITER") => {
                self.tail.clear();
                return Some(self.delimiter_line_ended());
            }
            b' ' | b'\t' if in_first_word && self.first_word.is("DELIMITER") => {
                self.tail.clear();
                self.mode = Mode::DelimiterLine;
            }
            b'(' if self.depth == 0 && self.is_insert() => {
                self.mode = Mode::Rows;
                self.rows.begin();
                return Some(Piece::InsertHead);
            }
            b'(' => self.depth += 1,
            b')' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.mode == Mode::Code && self.at_delimiter(byte) {
            return Some(self.between(Piece::Statement));
        }
        None
    }

    /// Whether `byte` shows that the piece is a line of a program: `mysqldump: …`, `/usr/bin/mysqldump: …`,
    /// `mysqldump.exe : …` and what PowerShell adds to it. No statement begins like that.
    fn is_noise(&self, byte: u8, in_first_word: bool) -> bool {
        match self.length {
            0 => matches!(byte, b'.' | b'[' | b'+'),
            1 if self.recent[0] == b'/' => byte != b'*',
            _ if !in_first_word => false,
            _ if byte == b':' => true,
            _ => byte == b' ' && (self.first_word.has_dot || self.first_word.is("AT")),
        }
    }

    fn word_byte(&mut self, byte: u8) {
        let in_first_word = self.first_word.length as u64 == self.length;
        // A program's name may hold a dot or a hyphen: `mysqldump.exe: …`.
        if in_first_word && (is_word(byte) || matches!(byte, b'.' | b'-') && self.length > 0) {
            self.first_word.push(byte);
        }
        if is_word(byte) {
            if self.last_word.complete {
                self.last_word = Word::default();
            }
            self.last_word.push(byte);
        } else if self.last_word.length > 0 {
            self.last_word.complete = true;
        }
    }

    fn is_insert(&self) -> bool {
        (self.first_word.is("INSERT") || self.first_word.is("REPLACE"))
            && (self.last_word.is("VALUES") || self.last_word.is("VALUE"))
    }

    fn at_delimiter(&mut self, byte: u8) -> bool {
        if self.delimiter.len() == 1 {
            return byte == self.delimiter[0];
        }
        if self.tail.len() == self.delimiter.len() {
            self.tail.remove(0);
        }
        self.tail.push(byte);
        self.tail == self.delimiter
    }

    fn open_comment(&mut self, mode: Mode, opening: u64) {
        self.mode = mode;
        self.only_comment = self.length + 1 == opening;
    }

    fn comment_ended(&mut self) -> Option<Piece> {
        if self.only_comment {
            return Some(self.between(Piece::Comment));
        }
        self.mode = Mode::Code;
        self.recent = [0; 2];
        None
    }

    fn delimiter_line_ended(&mut self) -> Piece {
        let delimiter = self.tail.trim_ascii();
        if !delimiter.is_empty() && delimiter.len() <= MAX_DELIMITER {
            self.delimiter = delimiter.to_vec();
        }
        self.between(Piece::Delimiter)
    }

    fn between(&mut self, piece: Piece) -> Piece {
        self.mode = Mode::Gap;
        piece
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests;
