//! The transcoder: a chunk of tuples in, rows of COPY out.
//!
//! MySQL's literals are those of its Reference Manual, chapter 11.1; COPY's formats are those of
//! the PostgreSQL manual, "COPY", section "File Formats".

use std::marker::PhantomData;
use std::sync::Arc;

use super::binary::CopyBinary;
use super::dates::{self, Verdict};
use super::digest::Layout;
use super::lines;
use super::load_data::LoadData;
use super::notation::{CopyText, Format, Notation, OutOfRange};
use super::policy::{ValuePolicies, ZeroDates};
use super::tally::{Change, Tally};
use super::{Storage, ValueKind};
use crate::dump::charset::Multibyte;

/// What the columns of the rows of one INSERT need, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The columns.
    pub columns: Vec<PlannedColumn>,
    /// How the rows are written in the dump.
    pub written: Written,
    /// The format the rows are written in.
    pub format: Format,
    /// What is done with values PostgreSQL cannot hold.
    pub policies: ValuePolicies,
    /// How characters in the dump may hide a quote or a backslash.
    pub multibyte: Multibyte,
    /// How the rows are hashed, if they are to be.
    pub layout: Option<Arc<Layout>>,
}

/// How rows are written in a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// As tuples of MySQL's literals.
    Tuples,
    /// As lines of COPY's text format, which go as they are.
    Lines,
}

/// A column and its need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedColumn {
    /// Its name.
    pub name: String,
    /// How its values are transcoded.
    pub kind: ValueKind,
    /// What holds them in PostgreSQL.
    pub storage: Storage,
    /// Whether NULL is what a zero date was made of before: the column was NOT NULL then.
    pub null_is_zero_date: bool,
}

/// The names of those of `columns` whose values are loaded, in their order.
pub fn loaded_names(columns: &[PlannedColumn]) -> impl Iterator<Item = &str> {
    let loaded = columns
        .iter()
        .filter(|column| column.kind != ValueKind::Skipped);
    loaded.map(|column| column.name.as_str())
}

impl PlannedColumn {
    /// A column whose values go as they are.
    #[must_use]
    pub fn as_is(name: &str) -> PlannedColumn {
        PlannedColumn {
            name: name.to_owned(),
            kind: ValueKind::Text,
            storage: Storage::Text,
            null_is_zero_date: false,
        }
    }
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

/// Transcodes the tuples of `input` (`(1,'a'),(2,NULL)`), appending a row of COPY for each to
/// `out`; lines are appended as they are. `first_row` is the number of the first row, for `tally`. Returns how many there were.
pub fn transcode(
    plan: &Plan,
    input: &[u8],
    first_row: u64,
    out: &mut Vec<u8>,
    tally: &mut Tally,
) -> Result<u64, RowError> {
    if plan.written == Written::Lines {
        return Ok(lines::pass_through(input, first_row, out, tally));
    }
    match plan.format {
        Format::Text => transcode_to::<CopyText>(plan, input, first_row, out, tally),
        Format::Binary => transcode_to::<CopyBinary>(plan, input, first_row, out, tally),
        Format::LoadData => transcode_to::<LoadData>(plan, input, first_row, out, tally),
    }
}

fn transcode_to<N: Notation>(
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
        spare: Vec::new(),
        // One look at all of it spares the look at each text. Bytes of blobs may spoil it.
        valid_utf8: simdutf8::basic::from_utf8(input).is_ok(),
        row: 0,
        first_row,
        tally,
        policies: plan.policies,
        multibyte: plan.multibyte,
        notation: PhantomData::<N>,
    };
    transcoder.rows(plan)
}

const TINYINT1_HINT: &str =
    "--tinyint1 smallint keeps such numbers, --tinyint1 truthy makes them true";

/// What is wrong with the value at hand.
pub(super) type Wrong = (String, Option<&'static str>);

pub(super) struct Transcoder<'a, N> {
    pub(super) input: &'a [u8],
    pub(super) at: usize,
    pub(super) out: &'a mut Vec<u8>,
    /// Room for a value that is put together before it is written.
    pub(super) spare: Vec<u8>,
    pub(super) valid_utf8: bool,
    row: u64,
    first_row: u64,
    tally: &'a mut Tally,
    pub(super) policies: ValuePolicies,
    /// How characters in the dump may hide a quote or a backslash.
    pub(super) multibyte: Multibyte,
    notation: PhantomData<N>,
}

impl<'a, N: Notation> Transcoder<'a, N> {
    fn rows(&mut self, plan: &Plan) -> Result<u64, RowError> {
        let written = plan
            .columns
            .iter()
            .filter(|column| column.kind != ValueKind::Skipped)
            .count();
        while self.next_row_begins()? {
            let mut separator = b'(';
            let mut is_first = true;
            let start = self.at;
            N::begin_row(self.out, written);
            for column in &plan.columns {
                if self.peek() != separator {
                    self.skip_blank();
                }
                if self.peek() != separator {
                    let message = format!(
                        "expected \"{}\" before this column, found {}",
                        char::from(separator),
                        self.shown()
                    );
                    return Err(self.error(Some(column), (message, None)));
                }
                self.at += 1;
                separator = b',';
                if self.peek() <= b' ' {
                    self.skip_blank();
                }
                if column.kind == ValueKind::Skipped {
                    self.skip_value()
                        .map_err(|wrong| self.error(Some(column), wrong))?;
                    continue;
                }
                if !std::mem::take(&mut is_first) {
                    N::between_values(self.out);
                }
                self.value(column)
                    .map_err(|wrong| self.error(Some(column), wrong))?;
            }
            if self.peek() != b')' {
                self.skip_blank();
            }
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
            N::end_row(self.out);
            self.tally.row(self.at - start, self.first_row + self.row);
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
            if column.null_is_zero_date {
                let start = self.at;
                self.at += 4;
                return self.zero_date(column, start);
            }
            self.at += 4;
            N::null(self.out);
            return Ok(());
        }
        match column.kind {
            ValueKind::Integer | ValueKind::Number => self.number(column),
            ValueKind::UnsignedToBigint => self.unsigned_to_bigint(column),
            ValueKind::Text => self.text(column),
            ValueKind::EncodedText(charset) => self.encoded_text(column, charset),
            ValueKind::Boolean | ValueKind::Truthy => self.boolean(column),
            ValueKind::Timestamp => self.date_or_time(column, dates::timestamp),
            ValueKind::LocalTimestamp => self.local_timestamp(column),
            ValueKind::Date => self.date_or_time(column, dates::date),
            ValueKind::Time => self.date_or_time(column, dates::time),
            ValueKind::Interval => self.date_or_time(column, dates::interval),
            ValueKind::AsWritten => self.as_written(column),
            ValueKind::Bytes => self.bytes(),
            ValueKind::BitBoolean => {
                let bit = self.bits(1)?;
                N::boolean(self.out, bit == 1);
                Ok(())
            }
            ValueKind::Bits { width } => {
                let bits = self.bits(width)?;
                N::bits(self.out, bits, width);
                Ok(())
            }
            ValueKind::Skipped => self.skip_value(),
        }
    }

    /// Reads over a value of any kind, up to the comma or parenthesis behind it.
    fn skip_value(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        let mut depth = 0;
        loop {
            match self.input.get(self.at) {
                None => return Err(self.unterminated(start)),
                Some(b'\'' | b'"') => {
                    self.quoted_bytes(&mut Vec::new())?;
                    continue;
                }
                Some(b'(') => depth += 1,
                Some(b',' | b')') if depth == 0 => return Ok(()),
                Some(b')') => depth -= 1,
                Some(_) => {}
            }
            self.at += 1;
        }
    }

    /// Writes a number. Nothing is checked but its characters and what its type can hold: it
    /// comes from a column that holds numbers of this kind only.
    fn number(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        let start = self.at;
        let number = self.number_text(column.kind)?;
        N::number(self.out, number, column.storage)
            .map_err(|OutOfRange(name)| self.out_of_range(start, number, name))
    }

    /// Writes a number, date or time as it stands; the server it goes to is of the kind that wrote it.
    fn as_written(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        let start = self.at;
        if !matches!(self.peek(), b'\'' | b'"') {
            let number = self.number_text(ValueKind::Number)?;
            N::moment(self.out, number, column.storage);
            return Ok(());
        }
        let text = self.quoted_without_escapes()?;
        let is_part = |byte: &u8| {
            matches!(
                byte,
                b'0'..=b'9' | b'-' | b'+' | b'.' | b':' | b' ' | b'e' | b'E'
            )
        };
        if !text.iter().all(is_part) {
            self.at = start;
            let shown = self.shown();
            return Err((
                format!("expected a number, date or time, found {shown}"),
                None,
            ));
        }
        N::moment(self.out, text, column.storage);
        Ok(())
    }

    fn out_of_range(&mut self, start: usize, number: &[u8], name: &str) -> Wrong {
        self.at = start;
        let number = String::from_utf8_lossy(number);
        (format!("{number} is out of the range of {name}"), None)
    }

    pub(super) fn number_text(&mut self, kind: ValueKind) -> Result<&'a [u8], Wrong> {
        let start = self.at;
        let rest = &self.input[start..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 && matches!(rest.get(digits), Some(b',' | b')')) {
            self.at += digits;
            return Ok(&rest[..digits]);
        }
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

    fn unsigned_to_bigint(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        let start = self.at;
        let number = self.number_text(ValueKind::Integer)?;
        let text = std::str::from_utf8(number).unwrap_or_default();
        if text.parse::<i64>().is_err() {
            return Err(self.out_of_range(start, number, "bigint"));
        }
        N::number(self.out, number, column.storage)
            .map_err(|OutOfRange(name)| self.out_of_range(start, number, name))
    }

    fn boolean(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        let start = self.at;
        let number = self.number_text(ValueKind::Integer)?;
        let value = match number {
            b"0" => false,
            b"1" => true,
            _ if column.kind == ValueKind::Truthy => {
                self.count(column, Change::NumberToTrue);
                true
            }
            _ => {
                let number = String::from_utf8_lossy(number).into_owned();
                self.at = start;
                let message = format!("{number} in a tinyint(1) is neither 0 nor 1");
                return Err((message, Some(TINYINT1_HINT)));
            }
        };
        N::boolean(self.out, value);
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
            Verdict::Fine => {
                N::moment(self.out, text, column.storage);
                if column.kind == ValueKind::Interval && dates::time(text) != Verdict::Fine {
                    self.count(column, Change::OutsideDay);
                }
            }
            Verdict::ZeroDate => return self.zero_date(column, start),
            Verdict::Wrong => {
                let text = String::from_utf8_lossy(text).into_owned();
                self.at = start;
                let (what, hint) = match column.kind {
                    ValueKind::Date => ("a date", None),
                    ValueKind::Interval => ("a time", None),
                    ValueKind::Time => ("a time of day", Some("--time interval takes it")),
                    _ => ("a date and time", None),
                };
                return Err((format!("'{text}' is not {what}"), hint));
            }
        }
        Ok(())
    }

    fn zero_date(&mut self, column: &PlannedColumn, start: usize) -> Result<(), Wrong> {
        match self.policies.zero_dates {
            ZeroDates::Null => {
                N::null(self.out);
                self.count(column, Change::ZeroDateToNull);
            }
            ZeroDates::Infinity => {
                N::before_all(self.out, column.storage);
                self.count(column, Change::ZeroDateToInfinity);
            }
            ZeroDates::Error => {
                self.at = start;
                let message = format!("{} is a date with a zero part", self.shown());
                return Err((message, Some("--zero-dates null or infinity takes it")));
            }
        }
        Ok(())
    }

    fn local_timestamp(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        let start = self.at;
        let text = self.quoted_without_escapes()?;
        let fine = dates::timestamp(text) == Verdict::Fine;
        if let Some(local) = fine.then(|| dates::utc_to_local(text)).flatten() {
            N::moment(self.out, local.as_bytes(), column.storage);
            return Ok(());
        }
        self.at = start;
        self.date_or_time(column, dates::timestamp)
    }

    /// The content of a quoted string in which nothing is escaped.
    pub(super) fn quoted_without_escapes(&mut self) -> Result<&'a [u8], Wrong> {
        let start = self.at;
        let quote = self.opening_quote()?;
        let rest = &self.input[self.at..];
        // A date and time is the most frequent of what comes here.
        if rest.get(dates::TIMESTAMP) == Some(&quote) && dates::is_plain_timestamp(rest) {
            self.at += dates::TIMESTAMP + 1;
            return Ok(&rest[..dates::TIMESTAMP]);
        }
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

    pub(super) fn opening_quote(&mut self) -> Result<u8, Wrong> {
        let quote = self.peek();
        if !matches!(quote, b'\'' | b'"') {
            return Err((format!("expected a string, found {}", self.shown()), None));
        }
        self.at += 1;
        Ok(quote)
    }

    /// Skips `_binary` or another character set before a string.
    pub(super) fn skip_introducer(&mut self) {
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
    pub(super) fn peek(&self) -> u8 {
        self.input.get(self.at).copied().unwrap_or(0)
    }

    pub(super) fn count(&mut self, column: &PlannedColumn, change: Change) {
        self.tally
            .count(&column.name, change, self.first_row + self.row);
    }

    pub(super) fn shown(&self) -> String {
        let rest = &self.input[self.at..];
        if rest.is_empty() {
            return "the end".to_owned();
        }
        let start = String::from_utf8_lossy(&rest[..rest.len().min(24)]);
        format!("\"{}\"", start.replace(char::is_control, "\u{fffd}"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::tally::Occurrences;

    fn plan(kinds: &[ValueKind]) -> Plan {
        let column = |(at, kind): (usize, &ValueKind)| PlannedColumn {
            name: format!("c{at}"),
            kind: *kind,
            storage: Storage::Text,
            null_is_zero_date: false,
        };
        Plan {
            columns: kinds.iter().enumerate().map(column).collect(),
            written: Written::Tuples,
            format: Format::Text,
            policies: ValuePolicies::default(),
            multibyte: Multibyte::None,
            layout: None,
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
    fn null_for_a_zero_date_is_counted_and_goes_the_way_of_one() {
        let mut plan = plan(&[ValueKind::Timestamp]);
        plan.columns[0].null_is_zero_date = true;
        let mut run = |policy| {
            plan.policies.zero_dates = policy;
            let (mut out, mut tally) = (Vec::new(), Tally::default());
            let done = transcode(
                &plan,
                b"(NULL),('2015-10-01 00:00:00')",
                1,
                &mut out,
                &mut tally,
            );
            done.map(|_| (String::from_utf8(out).unwrap(), tally))
        };
        let (lines, tally) = run(ZeroDates::Null).unwrap();
        assert_eq!(lines, "\\N\n2015-10-01 00:00:00\n");
        assert!(tally.has("c0", Change::ZeroDateToNull));
        assert!(
            run(ZeroDates::Infinity)
                .unwrap()
                .0
                .starts_with("-infinity\n")
        );
        assert_eq!(run(ZeroDates::Error).unwrap_err().row, 0);
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
        check(Bytes, "0xABC", r"\\x0abc");
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
            "(1,_binary'a\\",
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
        assert_eq!(
            error.message,
            "the byte 0xe9 at byte 3 of the text is not valid UTF-8"
        );
        assert_eq!((error.row, error.at), (1, 15));
    }
}
