//! Rows that are lines of COPY's text format (PostgreSQL manual, "COPY", section "Text Format"), and the
//! notations of values that differ from server to server.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::tally::Tally;

/// Appends the lines of `input` to `out` as they are; returns how many there are.
pub(super) fn pass_through(
    input: &[u8],
    first_row: u64,
    out: &mut Vec<u8>,
    tally: &mut Tally,
) -> u64 {
    out.extend_from_slice(input);
    let (mut begin, mut rows) = (0, 0);
    for end in memchr_iter(b'\n', input) {
        tally.row(end - begin, first_row + rows);
        begin = end + 1;
        rows += 1;
    }
    rows
}

/// A line and its values, without escapes.
#[derive(Debug, Default)]
pub(super) struct Line {
    plain: Vec<u8>,
    values: Vec<Option<Range<usize>>>,
}

impl Line {
    /// Reads the line that `bytes` begins with; returns its length, or none if it is not whole.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<usize> {
        let end = memchr(b'\n', bytes)?;
        self.plain.clear();
        self.values.clear();
        for value in bytes[..end].split(|byte| *byte == b'\t') {
            if value == b"\\N" {
                self.values.push(None);
                continue;
            }
            let begin = self.plain.len();
            unescape(value, &mut self.plain);
            self.values.push(Some(begin..self.plain.len()));
        }
        Some(end + 1)
    }

    /// The value at `place`, or none if it is NULL.
    pub(super) fn value(&self, place: usize) -> Option<&[u8]> {
        let range = self.values.get(place)?.clone()?;
        self.plain.get(range)
    }
}

fn unescape(value: &[u8], out: &mut Vec<u8>) {
    let mut rest = value;
    while let Some(at) = memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let Some((letter, behind)) = rest.split_first() else {
            return;
        };
        rest = behind;
        match letter {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'0'..=b'7' => {
                let more = rest.iter().take(2).take_while(|b| is_octal(**b)).count();
                out.push(octal(*letter, &rest[..more]));
                rest = &rest[more..];
            }
            other => out.push(*other),
        }
    }
    out.extend_from_slice(rest);
}

fn is_octal(byte: u8) -> bool {
    (b'0'..=b'7').contains(&byte)
}

fn octal(first: u8, more: &[u8]) -> u8 {
    more.iter().fold(first - b'0', |value, digit| {
        value.wrapping_mul(8).wrapping_add(digit - b'0')
    })
}

/// Appends a `double precision` by its value.
pub(super) fn double(out: &mut Vec<u8>, value: &[u8]) {
    match std::str::from_utf8(value).map(str::parse::<f64>) {
        Ok(Ok(number)) => out.extend_from_slice(&number.to_bits().to_be_bytes()),
        _ => out.extend_from_slice(value),
    }
}

/// Appends a `real` by its value.
pub(super) fn real(out: &mut Vec<u8>, value: &[u8]) {
    match std::str::from_utf8(value).map(str::parse::<f32>) {
        Ok(Ok(number)) => out.extend_from_slice(&number.to_bits().to_be_bytes()),
        _ => out.extend_from_slice(value),
    }
}

/// Appends a whole number or a `numeric` without the zeros before its first digit and behind its last one.
pub(super) fn number(out: &mut Vec<u8>, value: &[u8]) {
    let (sign, digits) = match value {
        [b'-', digits @ ..] => (&b"-"[..], digits),
        digits => (&b""[..], digits),
    };
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    let number = without_zeros(&digits[zeros..]);
    if number.is_empty() {
        out.push(b'0');
    } else {
        out.extend_from_slice(sign);
        out.extend_from_slice(number);
    }
}

/// `value` without the zeros at the end of its fraction, if it ends with one.
pub(super) fn without_zeros(value: &[u8]) -> &[u8] {
    let is_digit = |byte: &&u8| byte.is_ascii_digit();
    let digits = value.iter().rev().take_while(is_digit).count();
    let (before, fraction) = value.split_at(value.len() - digits);
    let Some(whole) = before.strip_suffix(b".") else {
        return value;
    };
    let zeros = fraction.iter().rev().take_while(|byte| **byte == b'0');
    match fraction.len() - zeros.count() {
        0 => whole,
        count => &value[..before.len() + count],
    }
}

/// Appends the bytes of a `bytea` (PostgreSQL manual, 8.4).
pub(super) fn bytea(out: &mut Vec<u8>, value: &[u8]) {
    let Some(digits) = value.strip_prefix(b"\\x") else {
        return unescape(value, out);
    };
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|n| u8::try_from(n).ok())
    };
    for pair in digits.chunks(2) {
        match pair {
            [high, low] => out.push(digit(*high).unwrap_or(0) << 4 | digit(*low).unwrap_or(0)),
            other => out.extend_from_slice(other),
        }
    }
}

/// Appends a `timestamp with time zone` in UTC: `2015-01-01 12:00:00.5+05:30` as the date and time
/// there, less the offset; without one it is in UTC, as sessions that load are. What is not in this notation
/// (`infinity`, years BC) is the same everywhere, or nearly so.
pub(super) fn instant(out: &mut Vec<u8>, value: &[u8]) {
    match std::str::from_utf8(value).ok().and_then(in_utc) {
        Some(moment) => out.extend_from_slice(moment.as_bytes()),
        None => out.extend_from_slice(value),
    }
}

fn in_utc(text: &str) -> Option<String> {
    let (date, rest) = text.split_once(' ')?;
    let sign = rest.find(['+', '-']).unwrap_or(rest.len());
    let (time, offset) = rest.split_at(sign);
    let mut parts = offset
        .get(1..)
        .unwrap_or("0")
        .splitn(3, ':')
        .map(|part| part.parse::<i64>().ok());
    let mut seconds = 0;
    for unit in [3600, 60, 1] {
        match parts.next() {
            Some(part) => seconds += part? * unit,
            None => break,
        }
    }
    let seconds = if offset.starts_with('-') {
        -seconds
    } else {
        seconds
    };
    let there: jiff::civil::DateTime = format!("{date:0>10}T{time}").parse().ok()?;
    let utc = there
        .checked_sub(jiff::SignedDuration::from_secs(seconds))
        .ok()?;
    Some(utc.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_without_escapes() {
        let mut line = Line::default();
        let bytes = b"1\t\\N\t\ta\\\\\\n\\t\\b\\v\\101\\.\t\\\\N\n2";
        assert_eq!(line.read(bytes), Some(bytes.len() - 1));
        let values: Vec<_> = (0..6).map(|place| line.value(place)).collect();
        let expected: [Option<&[u8]>; 6] = [
            Some(b"1"),
            None,
            Some(b""),
            Some(b"a\\\n\t\x08\x0bA."),
            Some(b"\\N"),
            None,
        ];
        assert_eq!(values, expected);
        assert_eq!(line.read(b"2"), None);
    }

    #[test]
    fn one_value_has_one_form() {
        let check = |form: fn(&mut Vec<u8>, &[u8]), one: &str, other: &str, same: bool| {
            let (mut a, mut b) = (Vec::new(), Vec::new());
            form(&mut a, one.as_bytes());
            form(&mut b, other.as_bytes());
            assert_eq!(a == b, same, "{one} and {other}");
        };
        check(double, "0.1", "0.10000000000000001", true);
        check(double, "1e-07", "1e-7", true);
        check(double, "0.1", "0.1000000000000001", false);
        check(double, "NaN", "NaN", true);
        check(real, "0.1", "0.100000001", true);
        check(bytea, "\\x415c00", "A\\\\\\000", true);
        check(bytea, "\\x41", "\\x42", false);
        check(
            instant,
            "2015-01-01 01:30:00.5+01:30",
            "2014-12-31 19:00:00.5-05",
            true,
        );
        check(
            instant,
            "2015-01-01 01:30:00+01",
            "2015-01-01 01:30:00+02",
            false,
        );
        check(instant, "infinity", "infinity", true);
        check(
            instant,
            "2015-01-01 01:30:00.50",
            "2015-01-01 01:30:00.5+00",
            true,
        );
        check(number, "00042", "42", true);
        check(number, "-007.50", "-7.5", true);
        check(number, "0.00", "0", true);
        check(number, "-0.00", "0", true);
        check(number, "100", "1", false);
        check(number, "10.01", "10.1", false);
        check(number, "-1", "1", false);
        check(number, "NaN", "NaN", true);
        let moment = |out: &mut Vec<u8>, value: &[u8]| out.extend_from_slice(without_zeros(value));
        check(
            moment,
            "2015-10-01 12:00:00.500000",
            "2015-10-01 12:00:00.5",
            true,
        );
        check(moment, "12:00:00.000", "12:00:00", true);
        check(moment, "12:00:00", "12:00:0", false);
        check(moment, "1 mon 00:00:10.10", "1 mon 00:00:10.1", true);
        check(moment, "2015-10-01", "2015-1-01", false);
    }
}
