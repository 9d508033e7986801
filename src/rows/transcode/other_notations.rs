//! Values that programs other than mysqldump write in their own way: `CONV('101', 2, 10) + 0` of Adminer, `b'101'` for a
//! number, DEFAULT, a number for a text, `20030411152233` or `{ts '2003-04-11 15:22:33'}` for a date and time. Each becomes
//! a usual literal, which is then transcoded.

use std::marker::PhantomData;

use super::moments::usual_form;
use super::transcoder::{Transcoder, Wrong};
use super::vector::is_call;
use crate::dump::quoting::Quoting;
use crate::rows::hex::unhex;
use crate::rows::notation::Notation;
use crate::rows::plan::PlannedColumn;
use crate::rows::value_kind::ValueKind;

/// Functions that a server computes when it restores a dump. Only a known name is shown: after damage, the text of a
/// row may stand there.
const FUNCTIONS: [&str; 20] = [
    "CAST",
    "CONCAT",
    "CONVERT",
    "CURDATE",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURTIME",
    "FROM_UNIXTIME",
    "LAST_INSERT_ID",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "MD5",
    "NOW",
    "RAND",
    "STR_TO_DATE",
    "SYSDATE",
    "UNIX_TIMESTAMP",
    "UTC_TIMESTAMP",
    "UUID",
];

const FUNCTION_HINT: &str =
    "write the value itself into the dump, or leave the column out with --skip-column";

/// A value in another notation.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// A whole number.
    Number(u64),
    /// A number as it is written.
    Digits(Vec<u8>),
    /// The digits of bits.
    Bits(Vec<u8>),
    /// The digits of bytes in hexadecimal.
    Bytes(Vec<u8>),
    /// A text, which may be a date or time.
    Text(Vec<u8>),
    /// The default of the column.
    Default,
    /// A call of this function, if its name is known.
    Function(Option<&'static str>),
}

impl<N: Notation> Transcoder<'_, N> {
    /// Reads the value at `start` in another notation than the usual ones of its column, in which it is `wrong`.
    #[cold]
    pub(super) fn other_notation(
        &mut self,
        column: &PlannedColumn,
        start: usize,
        wrong: Wrong,
    ) -> Result<(), Wrong> {
        // Spatial values and vectors are calls of functions, which are read there.
        let is_read = match column.kind {
            ValueKind::Geometry { .. } => true,
            ValueKind::Vector { .. } => is_call(&self.input[start..]),
            _ => false,
        };
        let found = (!is_read).then(|| read(&self.input[start..]));
        let Some((found, length)) = found.flatten() else {
            return Err(wrong);
        };
        let unusual = self.unusual.get(usize::from(column.unusual));
        let takes_numbers = unusual.is_some_and(|unusual| unusual.takes_numbers);
        let default = unusual.and_then(|unusual| unusual.default.as_ref());
        let literal = match (&found, default) {
            (Found::Function(name), _) => {
                let name = name.map_or("a function".to_owned(), |name| format!("{name}()"));
                let what = format!("the value is {name}, which only a server can compute");
                self.at = start;
                return Err((what, Some(FUNCTION_HINT)));
            }
            (Found::Default, None) => {
                self.at = start;
                let what = "the value is DEFAULT, but the column has no constant default";
                return Err((what.to_owned(), Some(FUNCTION_HINT)));
            }
            (Found::Default, Some(default)) => default.as_bytes().to_vec(),
            _ => match literal(found, column.kind, takes_numbers) {
                Some(literal) => literal,
                None => return Err(wrong),
            },
        };
        let mut of_literal = Transcoder {
            input: &literal,
            at: 0,
            out: self.out,
            spare: std::mem::take(&mut self.spare),
            spare_geometry: Vec::new(),
            valid_utf8: false,
            row: self.row,
            first_row: self.first_row,
            tally: self.tally,
            misfit: false,
            policies: self.policies,
            multibyte: self.multibyte,
            is_decoded: false,
            unusual: &[],
            quoting: Quoting::default(),
            notation: PhantomData::<N>,
        };
        let done = of_literal.usual_value(column);
        self.misfit = of_literal.misfit;
        self.spare = of_literal.spare;
        self.at = if done.is_ok() { start + length } else { start };
        done
    }
}

/// The usual literal of `found` in a column of `kind`, if it means the same to a server. A text `takes_numbers`, or they
/// stand for something else there.
fn literal(found: Found, kind: ValueKind, takes_numbers: bool) -> Option<Vec<u8>> {
    let is_text = matches!(kind, ValueKind::Text | ValueKind::EncodedText(_));
    if is_text && !takes_numbers {
        return None;
    }
    let is_number = matches!(
        kind,
        ValueKind::Integer
            | ValueKind::Number
            | ValueKind::UnsignedToBigint
            | ValueKind::Boolean
            | ValueKind::Truthy
            | ValueKind::AsWritten
    );
    let is_bits = matches!(kind, ValueKind::BitBoolean | ValueKind::Bits { .. });
    let quoted = |digits: &[u8]| [b"'", digits, b"'"].concat();
    let hex = |digits: &[u8]| [b"0x", digits].concat();
    match found {
        Found::Digits(text) | Found::Text(text) if is_moment(kind) => {
            Some(quoted(usual_form(&text, kind)?.as_bytes()))
        }
        Found::Text(text) if kind == ValueKind::AsWritten => Some(quoted(&text)),
        Found::Number(number) if is_number || is_bits => Some(number.to_string().into_bytes()),
        Found::Digits(digits) if is_number => Some(digits),
        Found::Number(number) if is_text => Some(quoted(number.to_string().as_bytes())),
        Found::Digits(digits) if is_text && is_as_mysql_writes_it(&digits) => Some(quoted(&digits)),
        Found::Bits(bits) if is_number => {
            let number = u64::from_str_radix(std::str::from_utf8(&bits).ok()?, 2);
            Some(number.ok()?.to_string().into_bytes())
        }
        // Bits as bytes have leading zeros.
        Found::Bits(bits) => {
            let mut digits = vec![b'0'; bits.len().next_multiple_of(8) - bits.len()];
            digits.extend(bits);
            let bytes = digits.chunks(8).map(|byte| {
                let byte = byte
                    .iter()
                    .fold(0, |bits, bit| bits << 1 | u32::from(bit - b'0'));
                format!("{byte:02x}")
            });
            Some(hex(bytes.collect::<String>().as_bytes()))
        }
        Found::Bytes(digits) if is_number => {
            let mut bytes = Vec::new();
            unhex(&digits, &mut bytes);
            let number = (bytes.len() <= 8).then(|| {
                bytes
                    .iter()
                    .fold(0, |number, byte| number << 8 | u64::from(*byte))
            });
            Some(number?.to_string().into_bytes())
        }
        Found::Bytes(digits) => Some(hex(&digits)),
        _ => None,
    }
}

fn is_moment(kind: ValueKind) -> bool {
    matches!(
        kind,
        ValueKind::Date
            | ValueKind::Timestamp
            | ValueKind::LocalTimestamp
            | ValueKind::Time
            | ValueKind::Interval
    )
}

/// MySQL keeps no more digits of an exact number (manual, 14.24.2).
const MAX_DECIMAL: usize = 65;

/// Whether MySQL shows the number in `digits` in the same way, as it does if the number becomes a text.
fn is_as_mysql_writes_it(digits: &[u8]) -> bool {
    let number = digits.strip_prefix(b"-").unwrap_or(digits);
    let whole = number.split(|byte| *byte == b'.').next().unwrap_or(number);
    let is_exact = !digits.iter().any(u8::is_ascii_alphabetic) && number.len() <= MAX_DECIMAL;
    let is_zero = number.iter().all(|byte| matches!(byte, b'0' | b'.'));
    let has_sign = number.len() < digits.len();
    let begins_well = whole == b"0" || whole.first().is_some_and(|first| *first != b'0');
    is_exact && begins_well && !number.ends_with(b".") && !(is_zero && has_sign)
}

/// The value in another notation at the beginning of `text`, and its length, if a whole value stands there.
fn read(text: &[u8]) -> Option<(Found, usize)> {
    let mut words = Words { text, at: 0 };
    let found = words.value()?;
    let length = words.at;
    words.blank();
    matches!(words.peek(), b',' | b')').then_some((found, length))
}

/// Goes through the words of an expression.
struct Words<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    fn value(&mut self) -> Option<Found> {
        match self.peek() {
            b'+' => {
                self.at += 1;
                return self.number();
            }
            b'-' | b'.' | b'0'..=b'9' if !self.has_prefix() => return self.number(),
            b'\'' | b'"' => return self.quoted().map(|text| Found::Text(text.to_vec())),
            b'{' => return self.of_odbc(),
            _ => {}
        }
        let word = self.word();
        let is = |wanted: &str| word.eq_ignore_ascii_case(wanted.as_bytes());
        if let [b'0', b'b', bits @ ..] = word {
            return are_bits(bits).then(|| Found::Bits(bits.to_vec()));
        }
        if let [b'0', b'x', digits @ ..] = word {
            let are_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
            return are_digits.then(|| Found::Bytes(digits.to_vec()));
        }
        match word {
            [b'b' | b'B'] => {
                let bits = self.quoted()?;
                return are_bits(bits).then(|| Found::Bits(bits.to_vec()));
            }
            [b'x' | b'X'] => return self.hex(),
            [] => return None,
            _ => {}
        }
        let end = self.at;
        self.blank();
        let is_call = self.peek() == b'(';
        let has_text = matches!(self.peek(), b'\'' | b'"');
        if !is_call && !has_text {
            self.at = end;
        }
        match () {
            () if has_text => {
                let is_moment = is("TIMESTAMP") || is("DATE") || is("TIME");
                let text = is_moment.then(|| self.quoted())??;
                Some(Found::Text(text.to_vec()))
            }
            () if is("DEFAULT") && !is_call => Some(Found::Default),
            () if is("TRUE") && !is_call => Some(Found::Number(1)),
            () if is("FALSE") && !is_call => Some(Found::Number(0)),
            () if is("CONV") && is_call => self.conversion().or(Some(Found::Function(None))),
            () if is("UNHEX") && is_call => {
                self.at += 1;
                self.blank();
                let digits = self.hex()?;
                self.blank();
                self.eat(b')')?;
                Some(digits)
            }
            () => {
                let mut known = FUNCTIONS.iter();
                let known = known.find(|name| is(name)).copied();
                if is_call {
                    self.skip_call();
                }
                (is_call || known.is_some()).then_some(Found::Function(known))
            }
        }
    }

    /// `('101', 2, 10)`, and perhaps `+ 0`.
    fn conversion(&mut self) -> Option<Found> {
        let start = self.at;
        let found = self.converted();
        if found.is_none() {
            self.at = start;
            self.skip_call();
        }
        found
    }

    fn converted(&mut self) -> Option<Found> {
        self.eat(b'(')?;
        self.blank();
        let digits = if self.peek() == b'\'' {
            self.quoted()?
        } else {
            self.word()
        };
        self.eat(b',')?;
        let base = self.word();
        self.eat(b',')?;
        let to = self.word();
        self.eat(b')')?;
        let base: u32 = std::str::from_utf8(base).ok()?.parse().ok()?;
        if !(2..=36).contains(&base) || to != b"10" {
            return None;
        }
        let end = self.at;
        self.blank();
        if self.peek() == b'+' {
            self.at += 1;
            self.blank();
            if self.word() != b"0" {
                return None;
            }
        } else {
            self.at = end;
        }
        let number = u64::from_str_radix(std::str::from_utf8(digits).ok()?, base);
        number.ok().map(Found::Number)
    }

    /// A number as it is written.
    fn number(&mut self) -> Option<Found> {
        let rest = &self.text[self.at..];
        let is_part = |b: &&u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+');
        let length = rest.iter().take_while(is_part).count();
        let digits = &rest[..length];
        self.at += length;
        let text = std::str::from_utf8(digits).ok()?;
        text.parse::<f64>().ok()?;
        Some(Found::Digits(digits.to_vec()))
    }

    /// The digits of bytes, in quotes.
    fn hex(&mut self) -> Option<Found> {
        let digits = self.quoted()?;
        let are_digits = digits.iter().all(u8::is_ascii_hexdigit);
        are_digits.then(|| Found::Bytes(digits.to_vec()))
    }

    /// `{ts '2003-04-11 15:22:33'}`, `{d '2003-04-11'}`, `{t '15:22:33'}`
    fn of_odbc(&mut self) -> Option<Found> {
        self.eat(b'{')?;
        let word = self.word();
        let is_known = ["ts", "d", "t"]
            .iter()
            .any(|it| word.eq_ignore_ascii_case(it.as_bytes()));
        let text = is_known.then(|| self.quoted())??;
        self.eat(b'}')?;
        Some(Found::Text(text.to_vec()))
    }

    /// The content of a text without escapes.
    fn quoted(&mut self) -> Option<&'a [u8]> {
        self.blank();
        let quote = self.peek();
        if !matches!(quote, b'\'' | b'"') {
            return None;
        }
        self.at += 1;
        let rest = &self.text[self.at..];
        let length = memchr::memchr2(quote, b'\\', rest)?;
        self.at += length;
        self.eat(quote)?;
        Some(&rest[..length])
    }

    /// Goes behind the parentheses of a call, as far as they have no texts; what is in them does not matter.
    fn skip_call(&mut self) {
        let mut depth = 0;
        loop {
            match self.peek() {
                b'(' => depth += 1,
                b')' if depth <= 1 => {
                    self.at += depth;
                    return;
                }
                b')' => depth -= 1,
                b',' if depth == 0 => return,
                0 => return,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Whether `0b` or `0x` stands here.
    fn has_prefix(&self) -> bool {
        let rest = &self.text[self.at..];
        rest.starts_with(b"0b") || rest.starts_with(b"0x")
    }

    fn word(&mut self) -> &'a [u8] {
        self.blank();
        let rest = &self.text[self.at..];
        let is_part = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_';
        let length = rest.iter().take_while(is_part).count();
        self.at += length;
        &rest[..length]
    }

    /// Goes behind `byte`, and blanks before it.
    fn eat(&mut self, byte: u8) -> Option<()> {
        self.blank();
        (self.peek() == byte).then(|| self.at += 1)
    }

    fn blank(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }
}

fn are_bits(bits: &[u8]) -> bool {
    let length = 1..=64;
    length.contains(&bits.len()) && bits.iter().all(|bit| matches!(bit, b'0' | b'1'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations_of_other_programs() {
        let number = |number| Some(Found::Number(number));
        let digits = |text: &str| Some(Found::Digits(text.into()));
        let text = |text: &str| Some(Found::Text(text.into()));
        let bits = |text: &str| Some(Found::Bits(text.into()));
        let bytes = |text: &str| Some(Found::Bytes(text.into()));
        for (text, expected) in [
            ("CONV('1000000001', 2, 10) + 0", number(513)),
            ("conv( 'ff' ,16,10)", number(255)),
            ("CONV('9', 2, 10)", Some(Found::Function(None))),
            ("CONV('1', 2, 16)", Some(Found::Function(None))),
            ("+5", digits("5")),
            ("-1.50", digits("-1.50")),
            ("1-1", None),
            ("TRUE", number(1)),
            ("b'101'", bits("101")),
            ("B'102'", None),
            ("0b11", bits("11")),
            ("x'1F'", bytes("1F")),
            ("0x1f", bytes("1f")),
            ("UNHEX('4142')", bytes("4142")),
            ("DEFAULT", Some(Found::Default)),
            ("DEFAULT(a)", Some(Found::Function(None))),
            ("NOW()", Some(Found::Function(Some("NOW")))),
            ("now ( 6 )", Some(Found::Function(Some("NOW")))),
            (
                "CURRENT_TIMESTAMP",
                Some(Found::Function(Some("CURRENT_TIMESTAMP"))),
            ),
            ("'2003-04-11'", text("2003-04-11")),
            ("\"2003-04-11\"", text("2003-04-11")),
            (
                "TIMESTAMP '2003-04-11 15:22:33'",
                text("2003-04-11 15:22:33"),
            ),
            ("date'2003-04-11'", text("2003-04-11")),
            ("{ts '2003-04-11 15:22:33'}", text("2003-04-11 15:22:33")),
            ("{D'2003-04-11'}", text("2003-04-11")),
            ("{x'2003-04-11'}", None),
            ("_utf8'2003'", None),
            ("'it\\'s'", None),
            ("my_own(1,(2))", Some(Found::Function(None))),
            ("s3cr3t", None),
            ("", None),
        ] {
            for end in [")", " ,"] {
                let found = read(format!("{text}{end}").as_bytes());
                let expected_length = expected.as_ref().map(|_| text.len());
                assert_eq!(
                    found.as_ref().map(|(found, _)| found),
                    expected.as_ref(),
                    "{text}"
                );
                assert_eq!(found.map(|(_, length)| length), expected_length, "{text}");
            }
        }
    }
}
