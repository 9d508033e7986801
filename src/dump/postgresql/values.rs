//! Writes the tuples of an INSERT as lines of COPY's text format (PostgreSQL manual, "COPY", section
//! "Text Format"; literals: 4.1.2). So all rows of a dump have one notation.

use super::splitter::is_word;
use super::strings::unquote;
use crate::dump::bounds::beginning;

/// What is wrong with a tuple, and where in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) message: String,
    /// What stands there.
    pub(super) found: String,
}

/// Appends `tuple`, with its parentheses, as a line to `out`; returns how many values it has.
/// `escapes` tells whether backslashes escape in ordinary strings. `spare` is a buffer for a text.
pub(super) fn write_line(
    tuple: &[u8],
    escapes: bool,
    spare: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<usize, Wrong> {
    let mut tuple = Tuple {
        bytes: tuple,
        at: 1,
        escapes,
        spare,
    };
    if tuple.bytes.first() != Some(&b'(') {
        return Err(tuple.wrong("a row has something before its parenthesis"));
    }
    let mut count = 0;
    loop {
        tuple.value(out)?;
        count += 1;
        tuple.cast();
        match tuple.next() {
            Some(b',') => out.push(b'\t'),
            Some(b')') if tuple.at == tuple.bytes.len() => break,
            _ => return Err(tuple.wrong("a value is followed by neither a comma nor the end")),
        }
    }
    out.push(b'\n');
    Ok(count)
}

struct Tuple<'a> {
    bytes: &'a [u8],
    at: usize,
    escapes: bool,
    spare: &'a mut Vec<u8>,
}

impl<'a> Tuple<'a> {
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn skip_blank(&mut self) {
        let blank = |byte: &&u8| byte.is_ascii_whitespace();
        self.at += self.rest().iter().take_while(blank).count();
    }

    fn next(&mut self) -> Option<u8> {
        self.skip_blank();
        let byte = self.rest().first().copied();
        self.at += 1;
        byte
    }

    fn wrong(&self, message: &str) -> Wrong {
        let start = &self.rest()[..self.rest().len().min(160)];
        Wrong {
            at: self.at.min(self.bytes.len()),
            message: message.to_owned(),
            found: beginning(&String::from_utf8_lossy(start), 40),
        }
    }

    fn value(&mut self, out: &mut Vec<u8>) -> Result<(), Wrong> {
        self.skip_blank();
        match self.rest() {
            [b'\'', ..] => self.text(0, self.escapes, out),
            [b'e' | b'E', b'\'', ..] => self.text(1, true, out),
            [b'b' | b'B', b'\'', ..] => self.bits(out),
            [b'+' | b'-' | b'.' | b'0'..=b'9', ..] => {
                self.number(out);
                Ok(())
            }
            _ => self.word(out),
        }
    }

    /// The bytes between the quotes that begin behind `prefix` bytes.
    fn content(&mut self, prefix: usize, escapes: bool) -> Result<&'a [u8], Wrong> {
        let content = &self.rest()[prefix + 1..];
        let mut at = 0;
        loop {
            let Some(next) = memchr::memchr2(b'\'', b'\\', &content[at..]) else {
                return Err(self.wrong("a text has no end"));
            };
            at += next;
            let pair = content[at] == b'\'' && content.get(at + 1) == Some(&b'\'');
            if content[at] == b'\'' && !pair {
                self.at += prefix + 1 + at + 1;
                return Ok(&content[..at]);
            }
            at += if pair || escapes { 2 } else { 1 };
            if at > content.len() {
                return Err(self.wrong("a text has no end"));
            }
        }
    }

    fn text(&mut self, prefix: usize, escapes: bool, out: &mut Vec<u8>) -> Result<(), Wrong> {
        let content = self.content(prefix, escapes)?;
        self.spare.clear();
        let unquoted = unquote(content, escapes, self.spare);
        unquoted.map_err(|message| self.wrong(message))?;
        escape(self.spare, out);
        Ok(())
    }

    fn bits(&mut self, out: &mut Vec<u8>) -> Result<(), Wrong> {
        let digits = self.content(1, false)?;
        if !digits.iter().all(|byte| matches!(byte, b'0' | b'1')) {
            return Err(self.wrong("a bit string has other digits than 0 and 1"));
        }
        out.extend_from_slice(digits);
        Ok(())
    }

    fn number(&mut self, out: &mut Vec<u8>) {
        let belongs = |byte: &&u8| matches!(byte, b'+' | b'-' | b'.' | b'0'..=b'9' | b'e' | b'E');
        let length = self.rest().iter().take_while(belongs).count();
        out.extend_from_slice(&self.rest()[..length]);
        self.at += length;
    }

    fn word(&mut self, out: &mut Vec<u8>) -> Result<(), Wrong> {
        let length = self.rest().iter().take_while(|b| is_word(**b)).count();
        let word = &self.rest()[..length];
        let value: &[u8] = match word.to_ascii_lowercase().as_slice() {
            b"null" => b"\\N",
            b"true" => b"t",
            b"false" => b"f",
            _ => {
                return Err(self.wrong("expected a value"));
            }
        };
        out.extend_from_slice(value);
        self.at += length;
        Ok(())
    }

    /// Skips `::type`: the type of the column decides what the value is.
    fn cast(&mut self) {
        self.skip_blank();
        while self.rest().starts_with(b"::") {
            self.at += 2;
            let mut depth = 0;
            let belongs = |byte: &&u8| match byte {
                b'(' => {
                    depth += 1;
                    true
                }
                b')' if depth == 0 => false,
                b')' => {
                    depth -= 1;
                    true
                }
                b',' => depth > 0,
                _ => is_word(**byte) || matches!(byte, b' ' | b'.' | b'"' | b'[' | b']'),
            };
            self.at += self.rest().iter().take_while(belongs).count();
        }
    }
}

/// Appends `text` as COPY writes it.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        let letter = match byte {
            b'\\' => b'\\',
            8 => b'b',
            12 => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            11 => b'v',
            other => {
                out.push(*other);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', letter]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(tuple: &str, escapes: bool) -> Result<String, Wrong> {
        let mut out = Vec::new();
        write_line(tuple.as_bytes(), escapes, &mut Vec::new(), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn each_kind_of_value() {
        let check = |tuple: &str, expected: &str| assert_eq!(line(tuple, false).unwrap(), expected);
        check("(1, -2.5e-7, 'NaN', NULL)", "1\t-2.5e-7\tNaN\t\\N\n");
        check("(true,FALSE , B'101')", "t\tf\t101\n");
        check(
            "('it''s', '', '\\', E'\\'\\\\\\n')",
            "it's\t\t\\\\\t'\\\\\\n\n",
        );
        check("('a\tb\nc\r\x08\x0c\x0b')", "a\\tb\\nc\\r\\b\\f\\v\n");
        check("('x'::character varying(10), '1'::numeric(4,2))", "x\t1\n");
        check(
            "('2015-01-01'::timestamp without time zone, '{}'::text[])",
            "2015-01-01\t{}\n",
        );
        assert_eq!(line("('a\\'b\\\\', 1)", true).unwrap(), "a'b\\\\\t1\n");
    }

    #[test]
    fn what_is_no_value_is_an_error() {
        for tuple in [
            "x(1)",
            "(now())",
            "(pg_read_file('/etc/passwd'))",
            "(DEFAULT)",
            "('a' || 'b')",
            "((1))",
            "(1 2)",
            "()",
            "(1,)",
            "('a' 'b')",
            "('a'::text || 'b')",
            "(B'12')",
            "(X'1f')",
            "($$a$$)",
            "((SELECT 1))",
            "('a",
        ] {
            assert!(line(tuple, false).is_err(), "{tuple}");
        }
        assert_eq!(line("(1, now())", false).unwrap_err().at, 4);
    }
}
