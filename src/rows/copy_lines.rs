//! Rows that are lines of COPY's text format (PostgreSQL manual, "COPY", section "Text Format").

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::tally::Tally;

/// Appends the lines of `input` to `out` unchanged; returns how many there are.
pub(super) fn pass_through(
    input: &[u8],
    first_row: u64,
    out: &mut Vec<u8>,
    tally: &mut Tally,
) -> u64 {
    out.extend_from_slice(input);
    let (mut begin, mut rows) = (0, 0);
    for end in memchr_iter(b'\n', input) {
        tally.row(begin..end, first_row + rows);
        begin = end + 1;
        rows += 1;
    }
    rows
}

/// A line and its values, without escapes.
#[derive(Debug, Default)]
pub(crate) struct Line {
    plain: Vec<u8>,
    values: Vec<Option<Range<usize>>>,
}

impl Line {
    /// Reads the first line of `bytes`; returns its length, or none if it is incomplete.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Option<usize> {
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
    pub(crate) fn value(&self, place: usize) -> Option<&[u8]> {
        let range = self.values.get(place)?.clone()?;
        self.plain.get(range)
    }
}

pub(super) fn unescape(value: &[u8], out: &mut Vec<u8>) {
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
}
