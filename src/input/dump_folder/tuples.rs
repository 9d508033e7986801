//! Lines of values become tuples of INSERTs.
//!
//! The lines are what `SELECT … INTO OUTFILE` writes: tabs between values, backslashes for escapes, `\N` for NULL (MySQL
//! manual, 15.2.9, "LOAD DATA").

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::{memchr, memchr2, memchr3};

/// An INSERT gets no more rows when it has so many bytes.
const INSERT_BYTES: usize = 1 << 20;

/// A longer value is handed on in parts.
const PART_BYTES: usize = 64 * 1024;

/// So many bytes are written before they are handed on. The head of an INSERT can be much longer than its rows.
const MOST_AT_ONCE: usize = 1 << 20;

/// How the values of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decode {
    /// As text, with escapes.
    Text,
    /// In base64.
    Base64,
    /// In hexadecimal digits.
    Hex,
}

impl Decode {
    /// What a literal of it begins with.
    fn before(self) -> &'static [u8] {
        match self {
            Decode::Text => b"'",
            Decode::Base64 | Decode::Hex => b"x'",
        }
    }
}

/// How lines and values are told apart. A backslash always escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    /// What stands between values.
    pub(super) between: u8,
    /// What stands around values, if anything does.
    pub(super) around: Option<u8>,
    /// How a line ends.
    pub(super) end: u8,
    /// So many lines at the beginning are no rows.
    pub(super) passed: u64,
}

impl Default for Format {
    fn default() -> Self {
        Format {
            between: b'\t',
            around: None,
            end: b'\n',
            passed: 0,
        }
    }
}

/// Where in a value with quotes it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoted {
    /// The value has none.
    No,
    /// Between them.
    Inside,
    /// After a quote, which ends the value if the value can end here: two in a row are one of it.
    After,
}

/// The tuples of a file.
pub(super) struct Tuples<R> {
    lines: R,
    format: Format,
    quoted: Quoted,
    head: Arc<str>,
    columns: Arc<[Decode]>,
    /// The file, for errors.
    name: String,
    out: Vec<u8>,
    /// How much of `out` was handed on.
    taken: usize,
    /// How many bytes the running INSERT has; none if there is none.
    insert: Option<usize>,
    /// The number of the value in its row, from 0; none between rows.
    column: Option<usize>,
    /// The value so far, as it is written, without what was handed on.
    value: Vec<u8>,
    /// Whether the beginning of the value was handed on.
    begun: bool,
    /// Whether the last byte was a backslash.
    escaped: bool,
    ended: bool,
}

impl<R: BufRead> Tuples<R> {
    pub(super) fn new(lines: R, head: Arc<str>, columns: Arc<[Decode]>, name: String) -> Self {
        Tuples {
            lines,
            format: Format::default(),
            quoted: Quoted::No,
            head,
            columns,
            name,
            out: Vec::new(),
            taken: 0,
            insert: None,
            column: None,
            value: Vec::new(),
            begun: false,
            escaped: false,
            ended: false,
        }
    }

    /// The tuples of lines in another format.
    pub(super) fn in_format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Takes the next block of the file.
    fn fill(&mut self) -> io::Result<()> {
        self.out.clear();
        self.taken = 0;
        // Its bytes cannot be borrowed while the value is written.
        let block = self.lines.fill_buf()?.to_vec();
        if block.is_empty() {
            return self.end();
        }
        let mut rest = block.as_slice();
        while let Some(first) = rest.first() {
            if self.out.len() > MOST_AT_ONCE {
                break;
            }
            if self.escaped {
                self.value.push(*first);
                self.escaped = false;
                rest = &rest[1..];
                continue;
            }
            rest = match self.quoted {
                _ if self.format.passed > 0 => self.pass_line(rest),
                Quoted::No => self.unquoted(rest)?,
                Quoted::Inside => self.inside(rest),
                Quoted::After => self.after_quote(rest)?,
            };
            if self.value.len() >= PART_BYTES && !self.escaped {
                self.part_of_value()?;
            }
        }
        self.lines.consume(block.len() - rest.len());
        Ok(())
    }

    /// Takes a part of a line that is no row.
    fn pass_line<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        match memchr(self.format.end, rest) {
            Some(at) => {
                self.format.passed -= 1;
                &rest[at + 1..]
            }
            None => &[],
        }
    }

    /// Takes a part of a value without quotes, or the first one of any.
    fn unquoted<'a>(&mut self, rest: &'a [u8]) -> io::Result<&'a [u8]> {
        let Format {
            between,
            around,
            end,
            ..
        } = self.format;
        if around == Some(rest[0]) && self.value.is_empty() && !self.begun {
            self.quoted = Quoted::Inside;
            return Ok(&rest[1..]);
        }
        let plain = memchr3(b'\\', between, end, rest).unwrap_or(rest.len());
        self.value.extend_from_slice(&rest[..plain]);
        match rest.get(plain) {
            None => return Ok(&[]),
            Some(b'\\') => {
                self.value.push(b'\\');
                self.escaped = true;
            }
            Some(byte) => {
                self.value_ends()?;
                if *byte == end {
                    self.row_ends();
                }
            }
        }
        Ok(&rest[plain + 1..])
    }

    /// Takes a part of a value between quotes.
    fn inside<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let quote = self.format.around.unwrap_or_default();
        let plain = memchr2(b'\\', quote, rest).unwrap_or(rest.len());
        self.value.extend_from_slice(&rest[..plain]);
        match rest.get(plain) {
            None => return &[],
            Some(byte) if *byte == quote => self.quoted = Quoted::After,
            Some(_) => {
                self.value.push(b'\\');
                self.escaped = true;
            }
        }
        &rest[plain + 1..]
    }

    /// Takes the byte after a quote.
    fn after_quote<'a>(&mut self, rest: &'a [u8]) -> io::Result<&'a [u8]> {
        let first = rest[0];
        if self.format.around == Some(first) {
            self.value.push(first);
            self.quoted = Quoted::Inside;
        } else if first == self.format.between || first == self.format.end {
            self.value_ends()?;
            if first == self.format.end {
                self.row_ends();
            }
        } else {
            // Before anything but the end of the value, the quote is a part of it (MySQL manual, "LOAD DATA").
            self.value.extend(self.format.around);
            self.quoted = Quoted::Inside;
            return Ok(rest);
        }
        Ok(&rest[1..])
    }

    /// Hands on what there is of a long value.
    fn part_of_value(&mut self) -> io::Result<()> {
        let before = self.out.len();
        if !self.begun {
            self.begin_value();
            self.out.extend_from_slice(self.decode().before());
            self.begun = true;
        }
        self.content(false)?;
        self.count(before);
        Ok(())
    }

    fn value_ends(&mut self) -> io::Result<()> {
        let before = self.out.len();
        if self.begun {
            self.content(true)?;
            self.out.push(b'\'');
        } else {
            self.begin_value();
            // Where values have quotes, the word without them is no text (MySQL manual, "LOAD DATA").
            let is_word = self.format.around.is_some() && self.value == b"NULL";
            if self.quoted == Quoted::No && (is_word || self.value == b"\\N") {
                self.out.extend_from_slice(b"NULL");
            } else {
                self.out.extend_from_slice(self.decode().before());
                self.content(true)?;
                self.out.push(b'\'');
            }
        }
        self.value.clear();
        self.begun = false;
        self.quoted = Quoted::No;
        self.column = Some(self.column.map_or(0, |column| column + 1));
        self.count(before);
        Ok(())
    }

    fn count(&mut self, before: usize) {
        *self.insert.get_or_insert(0) += self.out.len() - before;
    }

    /// How the current value is written.
    fn decode(&self) -> Decode {
        let number = self.column.map_or(0, |column| column + 1);
        self.columns.get(number).copied().unwrap_or(Decode::Text)
    }

    /// Writes what stands before a value.
    fn begin_value(&mut self) {
        if self.column.is_some() {
            self.out.push(b',');
            return;
        }
        if self.insert.is_none() {
            self.out.extend_from_slice(self.head.as_bytes());
        } else {
            self.out.push(b',');
        }
        self.out.push(b'(');
    }

    /// Writes the content of the value as far as it is there; at its end, all of it.
    fn content(&mut self, is_end: bool) -> io::Result<()> {
        match self.decode() {
            Decode::Text => put_escaped(&mut self.out, &self.value),
            Decode::Hex if self.value.iter().all(u8::is_ascii_hexdigit) => {
                self.out.extend_from_slice(&self.value);
            }
            Decode::Hex => return Err(self.wrong("a value is not in hexadecimal digits")),
            Decode::Base64 => {
                let mut digits = without_line_ends(&self.value);
                // Four digits are three bytes.
                let whole = if is_end {
                    digits.len()
                } else {
                    digits.len() / 4 * 4
                };
                let rest = digits.split_off(whole);
                let bytes = STANDARD
                    .decode(digits)
                    .map_err(|_| self.wrong("a value is not in base64"))?;
                let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
                let pair = |byte: &u8| [digit(byte >> 4), digit(byte & 15)];
                self.out.extend(bytes.iter().flat_map(pair));
                self.value = rest;
                return Ok(());
            }
        }
        self.value.clear();
        Ok(())
    }

    fn row_ends(&mut self) {
        self.column = None;
        self.out.push(b')');
        if self.insert.is_some_and(|bytes| bytes >= INSERT_BYTES) {
            self.insert_ends();
        }
    }

    fn insert_ends(&mut self) {
        if self.insert.take().is_some() {
            self.out.extend_from_slice(b";\n");
        }
    }

    fn end(&mut self) -> io::Result<()> {
        let is_within = self.column.is_some() || self.begun || !self.value.is_empty();
        if is_within || self.escaped || self.quoted != Quoted::No {
            return Err(self.wrong("it is truncated within a row"));
        }
        self.insert_ends();
        self.ended = true;
        Ok(())
    }

    fn wrong(&self, what: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {what}", self.name))
    }
}

impl<R: BufRead> Read for Tuples<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.out.len() && !self.ended {
            self.fill()?;
        }
        let count = into.len().min(self.out.len() - self.taken);
        into[..count].copy_from_slice(&self.out[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

/// Appends the content of a string. Its escapes mean the same in a string, but for two: there, `\%` and `\_` keep their
/// backslash.
fn put_escaped(out: &mut Vec<u8>, value: &[u8]) {
    let mut rest = value;
    while let Some(at) = memchr::memchr2(b'\'', b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        match (rest[at], rest.get(at + 1)) {
            (b'\'', _) => {
                out.extend_from_slice(b"''");
                rest = &rest[at + 1..];
            }
            (_, Some(escaped @ (b'%' | b'_'))) => {
                out.push(*escaped);
                rest = &rest[at + 2..];
            }
            (_, Some(escaped)) => {
                out.extend_from_slice(&[b'\\', *escaped]);
                rest = &rest[at + 2..];
            }
            (_, None) => {
                out.extend_from_slice(b"\\\\");
                rest = &[];
            }
        }
    }
    out.extend_from_slice(rest);
}

/// Base64 without the ends of its lines, which MySQL's TO_BASE64 makes and the dump escapes.
fn without_line_ends(value: &[u8]) -> Vec<u8> {
    let mut digits = Vec::with_capacity(value.len());
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' {
            bytes.next();
        } else {
            digits.push(*byte);
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn sql(lines: &[u8], columns: &[Decode], block: usize) -> io::Result<String> {
        let reader = BufReader::with_capacity(block, lines);
        let mut sql = Vec::new();
        Tuples::new(
            reader,
            "INSERT INTO t VALUES ".into(),
            columns.into(),
            "t.txt".to_owned(),
        )
        .read_to_end(&mut sql)?;
        Ok(String::from_utf8(sql).unwrap())
    }

    #[test]
    fn lines_become_tuples_wherever_they_are_cut() {
        use Decode::{Base64, Hex, Text};
        let cases: [(&[u8], &[Decode], &str); 8] = [
            (b"", &[], ""),
            (
                b"1\tx\n2\t\\N\n",
                &[],
                "INSERT INTO t VALUES ('1','x'),('2',NULL);\n",
            ),
            // One column that is empty.
            (b"\n\n", &[], "INSERT INTO t VALUES (''),('');\n"),
            (
                b"it's\t\\\\N\t\\%\t\\_\n",
                &[],
                "INSERT INTO t VALUES ('it''s','\\\\N','%','_');\n",
            ),
            // Escaped as letters, and as they are.
            (
                b"a\\tb\\nc\\0\ta\\\tb\\\nc\n",
                &[],
                "INSERT INTO t VALUES ('a\\tb\\nc\\0','a\\\tb\\\nc');\n",
            ),
            (
                "日本\té\n".as_bytes(),
                &[],
                "INSERT INTO t VALUES ('日本','é');\n",
            ),
            (
                b"00fF\tAP8=\t\\N\tx\n",
                &[Hex, Base64, Base64],
                "INSERT INTO t VALUES (x'00fF',x'00ff',NULL,'x');\n",
            ),
            (
                b"\tAP\\\n8=\tAP\\n8=\n",
                &[Hex, Base64, Base64, Text],
                "INSERT INTO t VALUES (x'',x'00ff',x'00ff');\n",
            ),
        ];
        for (lines, columns, expected) in cases {
            for block in 1..=lines.len().max(1) {
                assert_eq!(sql(lines, columns, block).unwrap(), expected, "{block}");
            }
        }
    }

    #[test]
    fn values_in_quotes() {
        let format = Format {
            between: b',',
            around: Some(b'"'),
            passed: 1,
            ..Format::default()
        };
        let lines = b"a,b\n1,\"it's \\\"q\\\"\\, \\n\"\n\\N,\"\"\n\"\\\\N\",NULL\n\"NULL\",\"a\"\"b\nc\"\n\"1\"2\",\n";
        let expected = "INSERT INTO t VALUES ('1','it''s \\\"q\\\"\\, \\n'),(NULL,''),('\\\\N',NULL),\
                        ('NULL','a\"b\nc'),('1\"2','');\n";
        let sql = |lines: &[u8], block: usize| {
            let mut sql = String::new();
            let lines = BufReader::with_capacity(block, lines);
            let head = "INSERT INTO t VALUES ".into();
            let mut tuples =
                Tuples::new(lines, head, [].into(), "t.dat".to_owned()).in_format(format);
            tuples.read_to_string(&mut sql).map(|_| sql)
        };
        for block in 1..=lines.len() {
            assert_eq!(sql(lines, block).unwrap(), expected, "{block}");
        }
        for wrong in [&b"a\n\"1\n"[..], b"a\n\"1\"2\n", b"a\n\"1\"", b"a\n\""] {
            assert!(sql(wrong, 3).is_err());
        }
    }

    #[test]
    fn long_values_are_handed_on_in_parts() {
        use Decode::{Base64, Hex, Text};
        for (part, column, expected) in [
            ("it's \\t", Text, "it''s \\t"),
            ("AP8=\\n", Text, "AP8=\\n"),
            ("AP8A\\n", Base64, "00ff00"),
            ("00fF", Hex, "00fF"),
        ] {
            let count = 3 * PART_BYTES / part.len() + 1;
            let line = format!("1\t{}\n", part.repeat(count));
            let before = if column == Text { "'" } else { "x'" };
            let expected = format!(
                "INSERT INTO t VALUES ('1',{before}{}');\n",
                expected.repeat(count)
            );
            for block in [1000, 65_536, 1 << 20] {
                let found = sql(line.as_bytes(), &[Text, column], block).unwrap();
                assert!(found == expected, "{part} {block}");
            }
            let cut = &line[..line.len() - 1];
            assert!(sql(cut.as_bytes(), &[Text, column], 4096).is_err());
        }
    }

    #[test]
    fn what_ends_too_early() {
        for lines in [&b"1\t2"[..], b"1\t", b"1\\", b"x"] {
            let error = sql(lines, &[], 64).unwrap_err();
            assert!(
                error.to_string().contains("t.txt: it is truncated"),
                "{error}"
            );
        }
        assert!(sql(b"*\n", &[Decode::Base64], 64).is_err());
        assert!(sql(b"41'),('2\n", &[Decode::Hex], 64).is_err());
    }

    #[test]
    fn inserts_have_an_end() {
        let line = format!("{}\n", "x".repeat(1000));
        let text = sql(line.repeat(3000).as_bytes(), &[], 4096).unwrap();
        assert_eq!(text.matches("INSERT INTO").count(), 3);
        assert_eq!(text.matches('(').count(), 3000);
    }
}
