//! Splits the SQL of a PostgreSQL dump into statements, and INSERTs into their tuples.
//!
//! Lexical rules: PostgreSQL manual, 4.1, "Lexical Structure". Comments are removed. It takes slices
//! and returns counts; the input may be cut anywhere.

use memchr::{memchr, memchr2};

use crate::dump::bounds::MAX_STATEMENT_BYTES;
use crate::error::{Error, Result};

/// PostgreSQL's limit of a value, and some more for its notation.
const MAX_TUPLE_BYTES: usize = 1280 * 1024 * 1024;

/// So much of a comment is kept; the comments that are read are shorter.
const MAX_COMMENT_BYTES: usize = 200;

/// The tags of dollar-quoted texts are names, which have at most 63 bytes, between two dollars.
const MAX_TAG_BYTES: usize = 65;

/// A piece that is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// The text is a statement, without its semicolon.
    Statement,
    /// The text is the head of an INSERT, up to VALUES; its tuples follow.
    Head,
    /// The text is a tuple, with its parentheses.
    Tuple,
    /// The text is what is between the last tuple and the semicolon.
    EndOfRows,
    /// The comment is a whole line.
    Comment,
    /// The comment is a line that connects psql to another database.
    Connect,
}

/// The position of the next byte in the lexical structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Plain,
    /// In a string; whether backslashes escape in it, and whether the next byte is escaped.
    Text {
        escapes: bool,
        escaped: bool,
    },
    /// Behind a quote in a string; a second quote makes it a part of the string.
    TextEnd {
        escapes: bool,
    },
    Identifier,
    /// In the first tag of a dollar-quoted text, which begins at `start`.
    Tag {
        start: usize,
    },
    /// In the text itself, behind a tag of `tag` bytes.
    Dollar {
        start: usize,
        tag: usize,
    },
    LineComment,
    /// In nested comments: the depth, and the last byte.
    BlockComment {
        depth: u32,
        last: u8,
    },
    /// In a line that begins with a backslash, for psql.
    Meta,
}

/// A resumable splitter of one dump.
#[derive(Debug)]
pub(super) struct Splitter {
    text: Vec<u8>,
    comment: Vec<u8>,
    place: Place,
    depth: u32,
    in_rows: bool,
    /// The text was passed on; the next one begins with this.
    handed: Option<&'static [u8]>,
}

impl Splitter {
    pub(super) fn new() -> Splitter {
        Splitter {
            text: Vec::new(),
            comment: Vec::new(),
            place: Place::Plain,
            depth: 0,
            in_rows: false,
            handed: None,
        }
    }

    /// Whether the text is a tuple, or what stands around tuples.
    pub(super) fn in_rows(&self) -> bool {
        self.in_rows
    }

    /// The text of the piece that was returned last, or of the next one as far as it was read.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The last comment, which may be incomplete at the end of the dump.
    pub(super) fn comment(&self) -> &[u8] {
        &self.comment
    }

    /// Whether the dump may end here.
    pub(super) fn may_end(&self) -> bool {
        let is_blank = self.handed.is_some() || self.text.is_empty();
        let between = matches!(self.place, Place::Plain | Place::LineComment);
        !self.in_rows && (is_blank && between || self.place == Place::Meta)
    }

    /// Takes bytes of `input` up to the end of the next piece; returns how many, and the piece if it is
    /// complete. `escapes` tells whether backslashes escape in ordinary strings
    /// (`standard_conforming_strings = off`).
    pub(super) fn scan(&mut self, input: &[u8], escapes: bool) -> Result<(usize, Option<Piece>)> {
        if let Some(begin) = self.handed.take() {
            self.text.clear();
            self.text.extend_from_slice(begin);
        }
        let mut at = 0;
        while at < input.len() {
            let rest = &input[at..];
            let (used, piece) = match self.place {
                Place::Plain => (1, self.plain(rest[0], escapes)?),
                Place::LineComment => self.line_comment(rest),
                Place::Meta => self.meta(rest)?,
                Place::BlockComment { depth, last } => {
                    self.block_comment(rest[0], depth, last);
                    (1, None)
                }
                Place::TextEnd { .. } if rest[0] != b'\'' => {
                    self.place = Place::Plain;
                    (0, None)
                }
                Place::Tag { start } if rest[0] != b'$' && self.is_no_tag(start, rest[0]) => {
                    self.place = Place::Plain;
                    (0, None)
                }
                _ => (self.quoted(rest), None),
            };
            at += used;
            self.check_length()?;
            if piece.is_some() {
                return Ok((at, piece));
            }
        }
        Ok((at, None))
    }

    fn hand_on(&mut self, piece: Piece, next: &'static [u8]) -> Piece {
        self.handed = Some(next);
        piece
    }

    fn check_length(&self) -> Result<()> {
        let (limit, what) = if self.in_rows {
            (MAX_TUPLE_BYTES, "a row is longer than PostgreSQL can hold")
        } else {
            (MAX_STATEMENT_BYTES, "a statement has more than 16 MiB")
        };
        if self.text.len() <= limit {
            return Ok(());
        }
        Err(Error::archive(what))
    }

    fn plain(&mut self, byte: u8, escapes: bool) -> Result<Option<Piece>> {
        match byte {
            b'\'' => {
                let escapes = escapes || self.ends_with_prefix();
                self.place = Place::Text {
                    escapes,
                    escaped: false,
                };
            }
            b'"' => self.place = Place::Identifier,
            b'$' if !self.text.last().is_some_and(|last| is_word(*last)) => {
                self.place = Place::Tag {
                    start: self.text.len(),
                };
            }
            b'-' if self.text.last() == Some(&b'-') => {
                self.text.pop();
                self.comment.clear();
                self.place = Place::LineComment;
                return Ok(None);
            }
            b'*' if self.text.last() == Some(&b'/') => {
                self.text.pop();
                self.place = Place::BlockComment { depth: 1, last: 0 };
                return Ok(None);
            }
            b'\\' => {
                self.comment.clear();
                self.comment.push(byte);
                if self.text.is_empty() && !self.in_rows {
                    self.place = Place::Meta;
                    return Ok(None);
                }
                return Err(refused_line(&self.comment));
            }
            b'(' => return Ok(self.open()),
            b')' => {
                self.depth = self.depth.checked_sub(1).ok_or_else(|| {
                    Error::archive("a closing parenthesis has no opening one before it")
                })?;
                self.text.push(byte);
                let is_tuple = self.in_rows && self.depth == 0;
                return Ok(is_tuple.then(|| self.hand_on(Piece::Tuple, b"")));
            }
            b';' if self.depth == 0 => {
                let was_in_rows = std::mem::take(&mut self.in_rows);
                let piece = if was_in_rows {
                    Piece::EndOfRows
                } else {
                    Piece::Statement
                };
                return Ok(Some(self.hand_on(piece, b"")));
            }
            _ if byte.is_ascii_whitespace() && self.text.is_empty() => return Ok(None),
            _ => {}
        }
        self.text.push(byte);
        Ok(None)
    }

    /// Takes an opening parenthesis, which may begin a tuple.
    fn open(&mut self) -> Option<Piece> {
        self.depth += 1;
        if self.depth == 1 && !self.in_rows && is_insert_head(&self.text) {
            self.in_rows = true;
            return Some(self.hand_on(Piece::Head, b"("));
        }
        // Two tuples have a comma between them.
        if self.depth == 1 && self.in_rows && self.text.trim_ascii() == b"," {
            self.text.clear();
        }
        self.text.push(b'(');
        None
    }

    /// Whether the string that begins here is an `E'…'`.
    fn ends_with_prefix(&self) -> bool {
        match self.text.as_slice() {
            [.., before, b'e' | b'E'] => !is_word(*before),
            [b'e' | b'E'] => true,
            _ => false,
        }
    }

    /// Takes bytes in quotes of any kind.
    fn quoted(&mut self, rest: &[u8]) -> usize {
        let (run, next) = match self.place {
            Place::Text {
                escapes,
                escaped: true,
            } => {
                let inside = Place::Text {
                    escapes,
                    escaped: false,
                };
                (1, Some(inside))
            }
            Place::Text { escapes, .. } => match memchr2(b'\'', b'\\', rest) {
                Some(at) if rest[at] == b'\'' => (at + 1, Some(Place::TextEnd { escapes })),
                Some(at) => {
                    let inside = Place::Text {
                        escapes,
                        escaped: escapes,
                    };
                    (at + 1, Some(inside))
                }
                None => (rest.len(), None),
            },
            Place::TextEnd { escapes } => {
                let inside = Place::Text {
                    escapes,
                    escaped: false,
                };
                (1, Some(inside))
            }
            Place::Identifier => match memchr(b'"', rest) {
                Some(at) => (at + 1, Some(Place::Plain)),
                None => (rest.len(), None),
            },
            Place::Tag { start } => (1, self.tag(start, rest[0])),
            Place::Dollar { start, tag } => match memchr(b'$', rest) {
                Some(at) => (at + 1, self.dollar_end(&rest[..=at], start, tag)),
                None => (rest.len(), None),
            },
            _ => (1, None),
        };
        self.text.extend_from_slice(&rest[..run]);
        self.place = next.unwrap_or(self.place);
        run
    }

    /// The place behind a byte of a tag.
    fn tag(&self, start: usize, byte: u8) -> Option<Place> {
        let tag = self.text.len() + 1 - start;
        (byte == b'$').then_some(Place::Dollar { start, tag })
    }

    /// Whether `byte` cannot be part of the tag that begins at `start`. Then it is not a tag, but `$1` or a
    /// single dollar.
    fn is_no_tag(&self, start: usize, byte: u8) -> bool {
        let length = self.text.len() - start;
        let begins_with_digit = length == 1 && byte.is_ascii_digit();
        !is_word(byte) || begins_with_digit || length > MAX_TAG_BYTES
    }

    /// The place behind `run`, which ends with a dollar that may end the text.
    fn dollar_end(&self, run: &[u8], start: usize, tag: usize) -> Option<Place> {
        let wanted = &self.text[start..start + tag];
        let before = tag.saturating_sub(run.len());
        let is_long_enough = self.text.len() + run.len() >= start + 2 * tag;
        let ends = run.ends_with(&wanted[before..])
            && self.text.ends_with(&wanted[..before])
            && is_long_enough;
        ends.then_some(Place::Plain)
    }

    fn line_comment(&mut self, rest: &[u8]) -> (usize, Option<Piece>) {
        let end = memchr(b'\n', rest);
        let run = &rest[..end.unwrap_or(rest.len())];
        self.keep_comment(run);
        let Some(end) = end else {
            return (rest.len(), None);
        };
        self.place = Place::Plain;
        if !self.text.is_empty() {
            self.text.push(b'\n');
        }
        // A comment within a statement tells nothing about the dump.
        let whole = self.text.is_empty() && !self.in_rows;
        (end + 1, whole.then_some(Piece::Comment))
    }

    fn keep_comment(&mut self, run: &[u8]) {
        let room = MAX_COMMENT_BYTES.saturating_sub(self.comment.len());
        self.comment.extend_from_slice(&run[..run.len().min(room)]);
    }

    fn block_comment(&mut self, byte: u8, depth: u32, last: u8) {
        let (depth, last) = match (last, byte) {
            (b'*', b'/') => (depth - 1, 0),
            (b'/', b'*') => (depth + 1, 0),
            _ => (depth, byte),
        };
        self.place = if depth == 0 {
            if !self.text.is_empty() {
                self.text.push(b' ');
            }
            Place::Plain
        } else {
            Place::BlockComment { depth, last }
        };
    }

    /// A line for psql. Only three commands are accepted: pg_dump writes two of them around each dump since
    /// CVE-2025-8714, and the third before the tables of a database that the dump creates.
    fn meta(&mut self, rest: &[u8]) -> Result<(usize, Option<Piece>)> {
        let end = memchr(b'\n', rest);
        let run = &rest[..end.unwrap_or(rest.len())];
        self.keep_comment(run);
        let is_whole = end.is_some() || self.comment.len() >= MAX_COMMENT_BYTES;
        // What it connects to is looked at by whoever takes the piece, so it must be there to its end.
        let connects = self.comment.starts_with(b"\\connect ") || self.comment.starts_with(b"\\c ");
        let is_kept = self.comment.len() < MAX_COMMENT_BYTES;
        if is_whole && !(connects && is_kept) && !is_harmless(&self.comment) {
            return Err(refused_line(&self.comment));
        }
        let Some(end) = end else {
            return Ok((rest.len(), None));
        };
        self.place = Place::Plain;
        Ok((end + 1, connects.then_some(Piece::Connect)))
    }
}

/// `\restrict KEY` and `\unrestrict KEY` (PostgreSQL manual, "psql"); keys are letters and digits.
fn is_harmless(line: &[u8]) -> bool {
    let key = line
        .strip_prefix(b"\\restrict ")
        .or_else(|| line.strip_prefix(b"\\unrestrict "));
    key.is_some_and(|key| {
        let key = key.trim_ascii();
        !key.is_empty() && key.iter().all(u8::is_ascii_alphanumeric)
    })
}

/// The error for a line for psql that is not accepted.
pub(super) fn refused_line(line: &[u8]) -> Error {
    let line: String = String::from_utf8_lossy(line).chars().take(60).collect();
    let line = line.replace(char::is_control, " ");
    Error::archive("the dump holds a command for psql, which is refused")
        .withholding(line)
        .hint("pg_dump writes no such line; is the dump what it is taken for?")
}

fn is_insert_head(text: &[u8]) -> bool {
    let begins = text
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"insert ") || start == b"INSERT\n");
    let text = text.trim_ascii_end();
    let (before, last) = text.split_at(text.len().saturating_sub(6));
    begins
        && last.eq_ignore_ascii_case(b"values")
        && before.last().is_some_and(|byte| !is_word(*byte))
}

/// Whether `byte` may be part of a name without quotes.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(dump: &[u8], cut: usize) -> Result<Vec<String>> {
        let mut splitter = Splitter::new();
        let mut found = Vec::new();
        for mut rest in [&dump[..cut], &dump[cut..]] {
            while !rest.is_empty() {
                let (used, piece) = splitter.scan(rest, false)?;
                rest = &rest[used..];
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                match piece {
                    Some(Piece::Comment) => found.push(format!("--{}", text(splitter.comment()))),
                    Some(piece) => found.push(format!("{piece:?}: {}", text(splitter.text()))),
                    None => {}
                }
            }
        }
        if !splitter.may_end() {
            found.push("open".to_owned());
        }
        Ok(found)
    }

    #[track_caller]
    fn check(dump: &str, expected: &[&str]) {
        for cut in 0..=dump.len() {
            let found = pieces(dump.as_bytes(), cut).unwrap();
            assert_eq!(found, expected, "{dump} cut at {cut}");
        }
    }

    #[test]
    fn statements_end_where_they_end() {
        check(
            "SELECT 1; SELECT 2;\n",
            &["Statement: SELECT 1", "Statement: SELECT 2"],
        );
        check(
            "a ';' E'\\';' 'b'';' \";\";",
            &["Statement: a ';' E'\\';' 'b'';' \";\""],
        );
        check("'\\';", &["Statement: '\\'"]);
        check(
            "a $x$;$y$;$x$; $$;$$;",
            &["Statement: a $x$;$y$;$x$", "Statement: $$;$$"],
        );
        check(
            "a$b$c; $1; $1'$1;'; $;",
            &[
                "Statement: a$b$c",
                "Statement: $1",
                "Statement: $1'$1;'",
                "Statement: $",
            ],
        );
        check("a (b; c);", &["Statement: a (b; c)"]);
        check("-- one\nb -- ;\nc;", &["-- one", "Statement: b \nc"]);
        check("/* ; /* ; */ */ a /**/b;", &["Statement: a  b"]);
        check("\\restrict Ab1\na;\n\\unrestrict Ab1", &["Statement: a"]);
        check("a", &["open"]);
        check("'a;", &["open"]);
    }

    #[test]
    fn rows_of_inserts_come_one_by_one() {
        check(
            "INSERT INTO t (a) VALUES (1), ('(;'),\n\t(f(2)) ON CONFLICT DO NOTHING;b;",
            &[
                "Head: INSERT INTO t (a) VALUES ",
                "Tuple: (1)",
                "Tuple: ('(;')",
                "Tuple: (f(2))",
                "EndOfRows: ON CONFLICT DO NOTHING",
                "Statement: b",
            ],
        );
        check(
            "INSERT INTO t VALUES (1",
            &["Head: INSERT INTO t VALUES ", "open"],
        );
    }

    #[test]
    fn lines_for_psql_are_refused() {
        for dump in [
            "\\! touch /tmp/x\n",
            "\\copy t from program 'x'\n",
            "SELECT 1 \\gexec\n",
            "\\restrict\n",
            "\\restrict a; \\! id\n",
            "\\restrict `id`\n",
            "INSERT INTO t VALUES \\! (1);",
            "INSERT INTO t VALUES (1) \\g;",
        ] {
            for cut in 0..=dump.len() {
                assert!(pieces(dump.as_bytes(), cut).is_err(), "{dump} cut at {cut}");
            }
        }
        let long = format!("\\restrict {}", "a".repeat(300));
        assert!(pieces(long.as_bytes(), 0).is_ok());
    }
}
