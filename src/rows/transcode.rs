//! The transcoder: a chunk of tuples in, lines of COPY text out.
//!
//! MySQL's literals are those of its Reference Manual, chapter 11.1; COPY's text format is that
//! of the PostgreSQL manual, "COPY", section "Text Format". Several escapes (`\\ \b \n \r \t`)
//! mean the same in both and pass through.

use super::dates::{self, Verdict};
use super::{Change, Tally, ValueKind};

/// What the columns of the rows of one INSERT need, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The columns.
    pub columns: Vec<PlannedColumn>,
}

/// A column and its need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedColumn {
    /// Its name.
    pub name: String,
    /// How its values are transcoded.
    pub kind: ValueKind,
}

/// A value that cannot be transcoded, or rows that are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Which row of the chunk, from 0.
    pub row: u64,
    /// Its column, if it is in one.
    pub column: Option<String>,
    /// Where in the chunk, in bytes.
    pub at: usize,
    /// What is wrong.
    pub message: String,
    /// What can be done about it.
    pub hint: Option<&'static str>,
}

/// Transcodes the tuples of `input` (`(1,'a'),(2,NULL)`), appending a line of COPY text for each
/// to `out`. `first_row` is the number of the first row, for `tally`. Returns how many there were.
pub fn transcode(
    plan: &Plan,
    input: &[u8],
    first_row: u64,
    out: &mut Vec<u8>,
    tally: &mut Tally,
) -> Result<u64, RowError> {
    let mut transcoder = Transcoder {
        input,
        at: 0,
        out,
        // One look at all of it spares the look at each text. Bytes of blobs may spoil it.
        valid_utf8: std::str::from_utf8(input).is_ok(),
        row: 0,
        first_row,
        tally,
    };
    transcoder.rows(plan)
}

/// What is wrong with the value at hand.
type Wrong = (String, Option<&'static str>);

struct Transcoder<'a> {
    input: &'a [u8],
    at: usize,
    out: &'a mut Vec<u8>,
    valid_utf8: bool,
    row: u64,
    first_row: u64,
    tally: &'a mut Tally,
}

impl<'a> Transcoder<'a> {
    fn rows(&mut self, plan: &Plan) -> Result<u64, RowError> {
        while self.next_row_begins()? {
            let mut separator = b'(';
            for column in &plan.columns {
                self.skip_blank();
                if self.peek() != separator {
                    let message = format!(
                        "expected \"{}\" before this column, found {}",
                        char::from(separator),
                        self.shown()
                    );
                    return Err(self.error(Some(column), (message, None)));
                }
                self.at += 1;
                if separator == b',' {
                    self.out.push(b'\t');
                }
                separator = b',';
                self.skip_blank();
                self.value(column)
                    .map_err(|wrong| self.error(Some(column), wrong))?;
            }
            self.skip_blank();
            if plan.columns.is_empty() && self.peek() == b'(' {
                self.at += 1;
            }
            if self.peek() != b')' {
                let message = format!(
                    "expected the row to end after {} columns, found {}",
                    plan.columns.len(),
                    self.shown()
                );
                return Err(self.error(None, (message, None)));
            }
            self.at += 1;
            self.out.push(b'\n');
            self.row += 1;
        }
        Ok(self.row)
    }

    /// Goes to the parenthesis of the next row, if there is one.
    fn next_row_begins(&mut self) -> Result<bool, RowError> {
        let mut commas = 0;
        loop {
            self.skip_blank();
            match self.input.get(self.at) {
                None => return Ok(false),
                Some(b'(') => return Ok(true),
                Some(b',') if commas == 0 => {
                    commas = 1;
                    self.at += 1;
                }
                Some(_) => {
                    let message = format!("expected a row, found {}", self.shown());
                    return Err(self.error(None, (message, None)));
                }
            }
        }
    }

    fn value(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        if self.peek() == b'N' && self.input[self.at..].starts_with(b"NULL") {
            self.at += 4;
            self.out.extend_from_slice(b"\\N");
            return Ok(());
        }
        match column.kind {
            ValueKind::Integer | ValueKind::Number => self.number(column.kind),
            ValueKind::Text => self.text(column),
            ValueKind::Boolean => self.boolean(),
            ValueKind::Timestamp => self.date_or_time(column, dates::timestamp),
            ValueKind::Date => self.date_or_time(column, dates::date),
            ValueKind::Time => self.date_or_time(column, dates::time),
            ValueKind::UnsignedToBigint => self.unsigned_to_bigint(),
            ValueKind::Bytes => self.bytes(),
            ValueKind::BitBoolean => self.bits(1),
            ValueKind::Bits { width } => self.bits(width),
        }
    }

    /// Copies a number. Nothing is checked but its characters: it comes from a column that holds
    /// numbers of this kind only, and PostgreSQL reads it again.
    fn number(&mut self, kind: ValueKind) -> Result<(), Wrong> {
        let number = self.number_text(kind)?;
        self.out.extend_from_slice(number);
        Ok(())
    }

    fn number_text(&mut self, kind: ValueKind) -> Result<&'a [u8], Wrong> {
        let start = self.at;
        let quoted = matches!(self.peek(), b'\'' | b'"');
        let text = if quoted {
            self.quoted_without_escapes()?
        } else {
            let is_part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.');
            let length = self.input[start..].iter().take_while(is_part).count();
            self.at += length;
            &self.input[start..start + length]
        };
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        let is_number = match kind {
            ValueKind::Number => {
                digits
                    .first()
                    .is_some_and(|b| b.is_ascii_digit() || *b == b'.')
                    && digits
                        .iter()
                        .all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'-' | b'+'))
            }
            _ => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        };
        if !is_number {
            self.at = start;
            let what = if kind == ValueKind::Number {
                "number"
            } else {
                "whole number"
            };
            return Err((format!("expected a {what}, found {}", self.shown()), None));
        }
        Ok(text)
    }

    fn unsigned_to_bigint(&mut self) -> Result<(), Wrong> {
        let number = self.number_text(ValueKind::Integer)?;
        let text = std::str::from_utf8(number).unwrap_or_default();
        if text.parse::<i64>().is_err() {
            return Err((format!("{text} is out of the range of bigint"), None));
        }
        self.out.extend_from_slice(number);
        Ok(())
    }

    fn boolean(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        let number = self.number_text(ValueKind::Integer)?;
        self.out.push(match number {
            b"0" => b'f',
            b"1" => b't',
            _ => {
                let number = String::from_utf8_lossy(number).into_owned();
                self.at = start;
                return Err((format!("{number} in a tinyint(1) is neither 0 nor 1"), None));
            }
        });
        Ok(())
    }

    fn date_or_time(
        &mut self,
        column: &PlannedColumn,
        judge: fn(&[u8]) -> Verdict,
    ) -> Result<(), Wrong> {
        let start = self.at;
        let text = self.quoted_without_escapes()?;
        match judge(text) {
            Verdict::Fine => self.out.extend_from_slice(text),
            Verdict::ZeroDate => {
                self.out.extend_from_slice(b"\\N");
                self.count(column, Change::ZeroDateToNull);
            }
            Verdict::Wrong => {
                let text = String::from_utf8_lossy(text).into_owned();
                self.at = start;
                let what = match column.kind {
                    ValueKind::Date => "a date",
                    ValueKind::Time => "a time of day",
                    _ => "a date and time",
                };
                return Err((format!("'{text}' is not {what}"), None));
            }
        }
        Ok(())
    }

    fn text(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        self.skip_introducer();
        let start = self.at;
        let before = self.out.len();
        if let Some(hex) = self.hex_digits()? {
            let mut bytes = Vec::with_capacity(hex.len() / 2 + 1);
            unhex(hex, &mut bytes);
            check_utf8(&bytes).map_err(|error| self.moved_to(start, error))?;
            let mut nul = false;
            for byte in bytes {
                nul |= byte == 0;
                copy_byte(byte, self.out);
            }
            if nul {
                self.count(column, Change::NulStripped);
            }
            return Ok(());
        }
        let quote = self.opening_quote()?;
        let mut nul = false;
        loop {
            let rest = &self.input[self.at..];
            let plain = plain_run(rest);
            self.out.extend_from_slice(&rest[..plain]);
            self.at += plain;
            match rest.get(plain) {
                None => return Err(self.unterminated(start)),
                Some(b'\\') => nul |= self.escape()?,
                Some(byte) if *byte == quote => {
                    self.at += 1;
                    if self.peek() != quote {
                        break;
                    }
                    self.out.push(quote);
                    self.at += 1;
                }
                Some(byte) => {
                    nul |= *byte == 0;
                    copy_byte(*byte, self.out);
                    self.at += 1;
                }
            }
        }
        if !self.valid_utf8 {
            let raw = &self.input[start..self.at];
            if let Err(error) = check_utf8(raw) {
                self.out.truncate(before);
                return Err(self.moved_to(start, error));
            }
        }
        if nul {
            self.count(column, Change::NulStripped);
        }
        Ok(())
    }

    /// Takes a backslash and what it escapes; whether that was NUL, which is left out.
    fn escape(&mut self) -> Result<bool, Wrong> {
        let Some(&escaped) = self.input.get(self.at + 1) else {
            return Err(self.unterminated(self.at));
        };
        self.at += 2;
        match escaped {
            b'\\' | b'n' | b'r' | b't' | b'b' => self.out.extend_from_slice(&[b'\\', escaped]),
            b'0' => return Ok(true),
            b'Z' => self.out.push(0x1a),
            b'%' | b'_' => self.out.extend_from_slice(&[b'\\', b'\\', escaped]),
            0 => return Ok(true),
            other => copy_byte(other, self.out),
        }
        Ok(false)
    }

    fn bytes(&mut self) -> Result<(), Wrong> {
        self.skip_introducer();
        if let Some(hex) = self.hex_digits()? {
            self.out.extend_from_slice(b"\\\\x");
            if hex.len() % 2 == 1 {
                self.out.push(b'0');
            }
            self.out.extend_from_slice(hex);
            return Ok(());
        }
        let mut bytes = Vec::new();
        self.quoted_bytes(&mut bytes)?;
        self.out.extend_from_slice(b"\\\\x");
        self.out
            .extend(bytes.iter().flat_map(|byte| HEX[usize::from(*byte)]));
        Ok(())
    }

    fn bits(&mut self, width: u8) -> Result<(), Wrong> {
        let start = self.at;
        let bits = self.bit_value()?;
        if width < 64 && bits >> width != 0 {
            self.at = start;
            return Err((format!("{bits} does not fit into bit({width})"), None));
        }
        if width == 1 {
            self.out.push(if bits == 1 { b't' } else { b'f' });
        } else {
            let digits = (0..width)
                .rev()
                .map(|n| b'0' + u8::from(bits >> n & 1 == 1));
            self.out.extend(digits);
        }
        Ok(())
    }

    /// The value of a bit column: its bytes as a string, in hexadecimal, in bits or as a number.
    fn bit_value(&mut self) -> Result<u64, Wrong> {
        self.skip_introducer();
        let mut bytes = Vec::new();
        if matches!(self.peek(), b'b' | b'B') {
            self.at += 1;
            let digits = self.quoted_without_escapes()?;
            if digits.len() <= 64 && digits.iter().all(|b| matches!(b, b'0' | b'1')) {
                return Ok(digits
                    .iter()
                    .fold(0, |bits, digit| bits << 1 | u64::from(digit - b'0')));
            }
            return Err(("expected binary digits".to_owned(), None));
        }
        if let Some(hex) = self.hex_digits()? {
            unhex(hex, &mut bytes);
        } else if self.peek().is_ascii_digit() {
            let number = self.number_text(ValueKind::Integer)?;
            let number = std::str::from_utf8(number).unwrap_or_default();
            return number.parse().map_err(|_| {
                (
                    format!("{number} is out of the range of a bit column"),
                    None,
                )
            });
        } else {
            self.quoted_bytes(&mut bytes)?;
        }
        let significant = bytes.iter().skip_while(|byte| **byte == 0);
        if significant.clone().count() > 8 {
            return Err(("more than 64 bits in a bit column".to_owned(), None));
        }
        Ok(significant.fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
    }

    /// Appends the bytes of a quoted string to `bytes`.
    fn quoted_bytes(&mut self, bytes: &mut Vec<u8>) -> Result<(), Wrong> {
        let start = self.at;
        let quote = self.opening_quote()?;
        loop {
            let rest = &self.input[self.at..];
            let Some(plain) = memchr::memchr2(quote, b'\\', rest) else {
                return Err(self.unterminated(start));
            };
            bytes.extend_from_slice(&rest[..plain]);
            self.at += plain + 1;
            let next = self.peek();
            if rest[plain] == quote {
                if next != quote {
                    return Ok(());
                }
                bytes.push(quote);
            } else {
                match next {
                    b'0' => bytes.push(0),
                    b'n' => bytes.push(b'\n'),
                    b'r' => bytes.push(b'\r'),
                    b't' => bytes.push(b'\t'),
                    b'b' => bytes.push(8),
                    b'Z' => bytes.push(0x1a),
                    b'%' | b'_' => bytes.extend_from_slice(&[b'\\', next]),
                    other => bytes.push(other),
                }
            }
            self.at += 1;
        }
    }

    /// The content of a quoted string in which nothing is escaped.
    fn quoted_without_escapes(&mut self) -> Result<&'a [u8], Wrong> {
        let start = self.at;
        let quote = self.opening_quote()?;
        let rest = &self.input[self.at..];
        match rest
            .iter()
            .position(|byte| *byte == quote || *byte == b'\\')
        {
            Some(end) if rest[end] == quote => {
                self.at += end + 1;
                Ok(&rest[..end])
            }
            _ => {
                self.at = start;
                Err((format!("cannot read {}", self.shown()), None))
            }
        }
    }

    fn opening_quote(&mut self) -> Result<u8, Wrong> {
        let quote = self.peek();
        if !matches!(quote, b'\'' | b'"') {
            return Err((format!("expected a string, found {}", self.shown()), None));
        }
        self.at += 1;
        Ok(quote)
    }

    /// The digits of `0x…` or `x'…'`, if that is what stands here.
    fn hex_digits(&mut self) -> Result<Option<&'a [u8]>, Wrong> {
        let rest = &self.input[self.at..];
        if rest.starts_with(b"0x") {
            let length = rest[2..]
                .iter()
                .take_while(|b| b.is_ascii_hexdigit())
                .count();
            self.at += 2 + length;
            return Ok(Some(&rest[2..2 + length]));
        }
        if rest.starts_with(b"x'") || rest.starts_with(b"X'") {
            self.at += 1;
            let digits = self.quoted_without_escapes()?;
            if digits.iter().all(u8::is_ascii_hexdigit) {
                return Ok(Some(digits));
            }
            return Err(("expected hexadecimal digits".to_owned(), None));
        }
        Ok(None)
    }

    /// Skips `_binary` or another character set before a string.
    fn skip_introducer(&mut self) {
        if self.peek() == b'_' {
            let is_part = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_';
            self.at += self.input[self.at..].iter().take_while(is_part).count();
            self.skip_blank();
        }
    }

    fn skip_blank(&mut self) {
        while self.input.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    /// The byte here, or NUL at the end, which is no part of any row outside a string.
    fn peek(&self) -> u8 {
        self.input.get(self.at).copied().unwrap_or(0)
    }

    fn count(&mut self, column: &PlannedColumn, change: Change) {
        self.tally
            .count(&column.name, change, self.first_row + self.row);
    }

    fn shown(&self) -> String {
        let rest = &self.input[self.at..];
        if rest.is_empty() {
            return "the end".to_owned();
        }
        let start = String::from_utf8_lossy(&rest[..rest.len().min(24)]);
        format!("\"{}\"", start.replace(char::is_control, "\u{fffd}"))
    }

    fn unterminated(&mut self, start: usize) -> Wrong {
        self.at = start;
        ("a string has no end".to_owned(), None)
    }

    fn moved_to(&mut self, start: usize, (offset, message): (usize, String)) -> Wrong {
        self.at = start + offset;
        (message, None)
    }

    fn error(&self, column: Option<&PlannedColumn>, (message, hint): Wrong) -> RowError {
        RowError {
            row: self.row,
            column: column.map(|column| column.name.clone()),
            at: self.at,
            message,
            hint,
        }
    }
}

/// Where valid UTF-8 ends in `bytes`, if it does not go through to the end.
fn check_utf8(bytes: &[u8]) -> Result<(), (usize, String)> {
    std::str::from_utf8(bytes).map(|_| ()).map_err(|error| {
        let at = error.valid_up_to();
        (
            at,
            format!("the byte 0x{:02x} is not valid UTF-8 here", bytes[at]),
        )
    })
}

/// How many bytes from the start of `bytes` are neither quotes, backslashes nor control
/// characters, so that they are the same in a MySQL string and in COPY.
fn plain_run(bytes: &[u8]) -> usize {
    const BLOCK: usize = 16;
    let mut at = 0;
    // Without an early exit inside the block this compiles to a few vector instructions.
    for block in bytes.chunks_exact(BLOCK) {
        if block
            .iter()
            .fold(false, |found, byte| found | is_special(*byte))
        {
            break;
        }
        at += BLOCK;
    }
    let rest = &bytes[at..];
    at + rest
        .iter()
        .position(|byte| is_special(*byte))
        .unwrap_or(rest.len())
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'\'' || byte == b'"' || byte == b'\\'
}

/// Appends one byte of a text as COPY wants it; NUL is left out.
fn copy_byte(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\t' => out.extend_from_slice(b"\\t"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        0 => {}
        other => out.push(other),
    }
}

/// Appends the bytes of hexadecimal digits; an odd count has a zero before it, as in MySQL.
fn unhex(digits: &[u8], bytes: &mut Vec<u8>) {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    };
    let (first, pairs) = digits.split_at(digits.len() % 2);
    bytes.extend(first.iter().map(|digit| value(*digit)));
    bytes.extend(
        pairs
            .chunks_exact(2)
            .map(|pair| value(pair[0]) << 4 | value(pair[1])),
    );
}

/// Two hexadecimal digits for each byte.
const HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::super::Occurrences;
    use super::*;

    fn plan(kinds: &[ValueKind]) -> Plan {
        let column = |(at, kind): (usize, &ValueKind)| PlannedColumn {
            name: format!("c{at}"),
            kind: *kind,
        };
        Plan {
            columns: kinds.iter().enumerate().map(column).collect(),
        }
    }

    fn run(kinds: &[ValueKind], input: &[u8]) -> Result<(String, Tally), RowError> {
        let mut out = Vec::new();
        let mut tally = Tally::default();
        transcode(&plan(kinds), input, 1, &mut out, &mut tally)?;
        Ok((String::from_utf8(out).expect("COPY text is UTF-8"), tally))
    }

    fn check(kind: ValueKind, literal: &str, expected: &str) {
        let (line, _) = run(&[kind], format!("({literal})").as_bytes())
            .unwrap_or_else(|error| panic!("{literal}: {error:?}"));
        assert_eq!(line, format!("{expected}\n"), "{literal}");
    }

    fn fails(kind: ValueKind, literal: &[u8], message: &str) {
        let input = [b"(", literal, b")"].concat();
        let error = run(&[kind], &input).expect_err("an error");
        assert_eq!(error.message, message);
        assert_eq!((error.row, error.column.as_deref()), (0, Some("c0")));
    }

    #[test]
    fn texts() {
        use ValueKind::Text;
        check(Text, "NULL", r"\N");
        check(Text, "''", "");
        check(Text, "'NULL'", "NULL");
        check(Text, r"'\\N'", r"\\N");
        check(Text, r"'\\.'", r"\\.");
        check(Text, r#"'it\'s \"so\"'"#, r#"it's "so""#);
        check(Text, "'it''s'", "it's");
        check(Text, r#""it's ""so""""#, r#"it's "so""#);
        check(Text, "'a\tb\nc\rd'", r"a\tb\nc\rd");
        check(Text, r"'a\tb\nc\rd\be'", r"a\tb\nc\rd\be");
        check(Text, r"'\Z'", "\x1a");
        check(Text, r"'\x31\q'", "x31q");
        check(Text, r"'\%\_'", r"\\%\\_");
        check(Text, r"'\\0\\\''", r"\\0\\'");
        check(Text, "'\\\n\\\t'", r"\n\t");
        check(Text, "'日本 😀 é'", "日本 😀 é");
        check(Text, "_utf8mb4'x'", "x");
        check(Text, "0x6109E697A5", r"a\t日");
        check(
            Text,
            "'\x1b[0;32mok\x1b[0m and then a long plain run of text'",
            "\x1b[0;32mok\x1b[0m and then a long plain run of text",
        );
        check(Text, "'0000-00-00 00:00:00'", "0000-00-00 00:00:00");
    }

    #[test]
    fn nul_is_stripped_and_counted() {
        let (line, tally) = run(&[ValueKind::Text], b"('a\\01'),('b\0c'),('d')").unwrap();
        assert_eq!(line, "a1\nbc\nd\n");
        let expected = Occurrences {
            count: 2,
            rows: vec![1, 2],
        };
        assert_eq!(
            tally.iter().collect::<Vec<_>>(),
            [("c0", Change::NulStripped, &expected)]
        );
    }

    #[test]
    fn numbers() {
        use ValueKind::{Integer, Number, UnsignedToBigint};
        for number in ["0", "-1", "4294967295", "18446744073709551615"] {
            check(Integer, number, number);
        }
        for number in ["1.50", "-0", "1e-7", "3.4e38", "-1.5E+10", ".5"] {
            check(Number, number, number);
        }
        check(Integer, "'12'", "12");
        check(
            UnsignedToBigint,
            "9223372036854775807",
            "9223372036854775807",
        );
        fails(
            UnsignedToBigint,
            b"9223372036854775808",
            "9223372036854775808 is out of the range of bigint",
        );
        fails(Integer, b"1.5", "expected a whole number, found \"1.5)\"");
        fails(Integer, b"'a'", "expected a whole number, found \"'a')\"");
        fails(Number, b"pi()", "expected a number, found \"pi())\"");
        fails(Integer, b"", "expected a whole number, found \")\"");
    }

    #[test]
    fn booleans_and_bits() {
        use ValueKind::{BitBoolean, Bits, Boolean};
        check(Boolean, "0", "f");
        check(Boolean, "1", "t");
        check(Boolean, "'1'", "t");
        fails(Boolean, b"2", "2 in a tinyint(1) is neither 0 nor 1");
        fails(Boolean, b"-1", "-1 in a tinyint(1) is neither 0 nor 1");
        check(BitBoolean, r"'\0'", "f");
        check(BitBoolean, "'\x01'", "t");
        check(BitBoolean, "b'1'", "t");
        check(Bits { width: 8 }, r"'\n'", "00001010");
        check(Bits { width: 3 }, "0x05", "101");
        check(Bits { width: 10 }, r"_binary '\0a'", "0001100001");
        fails(Bits { width: 2 }, b"0x07", "7 does not fit into bit(2)");
    }

    #[test]
    fn every_byte_of_a_blob() {
        use ValueKind::Bytes;
        let mut literal = b"(_binary '".to_vec();
        for byte in 0..=255u8 {
            match byte {
                0 => literal.extend(b"\\0"),
                b'\'' | b'"' | b'\\' => literal.extend([b'\\', byte]),
                b'\n' => literal.extend(b"\\n"),
                0x1a => literal.extend(b"\\Z"),
                _ => literal.push(byte),
            }
        }
        literal.extend(b"')");
        let expected: String = (0..=255u8).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            run(&[Bytes], &literal).unwrap().0,
            format!("\\\\x{expected}\n")
        );
        check(Bytes, "0xABC", r"\\x0ABC");
        check(Bytes, "x'ab'", r"\\xab");
        check(Bytes, "''", r"\\x");
    }

    #[test]
    fn dates() {
        use ValueKind::{Date, Time, Timestamp};
        check(Date, "'2015-10-01'", "2015-10-01");
        check(
            Timestamp,
            "'2015-10-01 12:00:00.5'",
            "2015-10-01 12:00:00.5",
        );
        check(Time, "'12:00:00'", "12:00:00");
        check(Timestamp, "'0000-00-00 00:00:00'", r"\N");
        check(Date, "'2015-00-00'", r"\N");
        fails(Date, b"'2015-02-31'", "'2015-02-31' is not a date");
        fails(Time, b"'838:59:59'", "'838:59:59' is not a time of day");
        let (_, tally) = run(&[Date], b"('0000-00-00')").unwrap();
        assert!(tally.has("c0", Change::ZeroDateToNull));
    }

    #[test]
    fn rows_however_they_are_laid_out() {
        use ValueKind::{Integer, Text};
        let expected = "1\ta\n2\t\\N\n";
        for input in [
            "(1,'a'),(2,NULL)",
            "(1,'a'),\r\n(2,NULL)\n",
            " ( 1 , 'a' ) , ( 2 , NULL ) ",
        ] {
            assert_eq!(run(&[Integer, Text], input.as_bytes()).unwrap().0, expected);
        }
        assert_eq!(run(&[], b"(),()").unwrap().0, "\n\n");
    }

    #[test]
    fn what_is_no_row_is_an_error() {
        use ValueKind::{Integer, Text};
        for input in [
            "(1)",
            "(1,'a','b')",
            "(1,'a'",
            "(1,'a",
            "(1 'a')",
            "(1,'a') x",
            "(1,'a'),,(1,'a')",
            "(1,",
            "(",
        ] {
            assert!(run(&[Integer, Text], input.as_bytes()).is_err(), "{input}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_are_named_with_their_place() {
        let error = run(
            &[ValueKind::Bytes, ValueKind::Text],
            b"('\xff','a'),('b','caf\xe9')",
        )
        .unwrap_err();
        assert_eq!(error.message, "the byte 0xe9 is not valid UTF-8 here");
        assert_eq!((error.row, error.at), (1, 19));
    }

    #[test]
    fn plain_runs_stop_at_each_special_byte() {
        for special in [b'\'', b'"', b'\\', b'\n', b'\t', 0] {
            for before in 0..40 {
                let mut bytes = vec![b'x'; 50];
                bytes[before] = special;
                assert_eq!(plain_run(&bytes), before);
            }
        }
        assert_eq!(plain_run(&[0xe9; 33]), 33);
    }
}
