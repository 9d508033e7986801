//! A checksum of the rows of a table, over COPY's binary or text format. It does not depend on the order of the rows. The
//! checksum of the loaded rows is compared with that of the rows that the server returns.
//!
//! Each row has a hash of 128 bits (XXH3), and the sum of all hashes is the checksum of the table. It detects accidents, but
//! not forgeries.

use twox_hash::xxhash3_128;

use super::comparable_form::bytea::bytea;
use super::comparable_form::floating_point::{double, real};
use super::comparable_form::instant::instant;
use super::comparable_form::json::{json_text, jsonb};
use super::comparable_form::numbers::{number, numeric, truth, whole, without_zeros};
use super::copy_lines::Line;
use super::format::Format;

/// How a value is normalised before it is hashed, if it can have several notations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normal {
    /// It has only one notation.
    AsIs,
    /// `char(n)`: the server pads it with blanks.
    WithoutBlanks,
    /// `numeric(p,s)`: the server pads it with zeros.
    Numeric,
    /// `jsonb`: the server formats it itself. It may have become a `json` or a text.
    Jsonb,
    /// A boolean that may have become a smallint.
    Truth,
    /// The same as text.
    TruthText,
    /// A bigint that may have become a `numeric(20,0)`.
    Whole,
    /// A text that may have got a prefix after loading.
    WithoutPrefix(&'static str),
    /// `double precision` as text: older servers write more digits.
    Double,
    /// `real` as text.
    Real,
    /// `bytea` as text: in hex, or with escapes.
    Bytea,
    /// A whole number, or a `numeric`, as text: it may have zeros at its ends.
    Number,
    /// A date and time, a time or an interval as text: it may have zeros at the end of its fraction.
    Moment,
    /// `jsonb` as text.
    JsonbText,
    /// `timestamp with time zone` as text: in the time zone of the session that wrote it.
    Instant,
}

/// Which columns are hashed, in which order, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The columns, in the order of the table.
    pub columns: Vec<String>,
    /// For each column, the position of its value in a loaded row, from 0.
    places: Vec<usize>,
    normals: Vec<Normal>,
    /// Whether a row can be hashed without normalisation.
    as_is: bool,
    /// The format of the rows.
    pub format: Format,
}

impl Layout {
    /// The layout of rows that have the values of `columns`, in this order. `order` gives the position of a column in
    /// the table.
    #[must_use]
    pub fn new(columns: &[(String, Normal)], order: impl Fn(&str) -> usize) -> Layout {
        let mut places: Vec<usize> = (0..columns.len()).collect();
        places.sort_by_cached_key(|place| order(&columns[*place].0));
        let normals: Vec<Normal> = places.iter().map(|place| columns[*place].1).collect();
        Layout {
            columns: places
                .iter()
                .map(|place| columns[*place].0.clone())
                .collect(),
            as_is: places.is_sorted() && normals.iter().all(|normal| *normal == Normal::AsIs),
            places,
            normals,
            format: Format::Binary,
        }
    }

    /// The same layout for lines of COPY's text format.
    #[must_use]
    pub fn of_lines(self) -> Layout {
        Layout {
            format: Format::Text,
            ..self
        }
    }

    /// The same layout for rows that have their number behind the last column.
    #[must_use]
    pub fn of_numbered(self) -> Layout {
        Layout {
            as_is: false,
            ..self
        }
    }

    /// The layout of rows that have exactly these columns, in this order.
    #[must_use]
    pub fn in_order(&self) -> Layout {
        Layout {
            places: (0..self.columns.len()).collect(),
            ..self.clone()
        }
    }
}

/// The checksum of some rows, and their count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest {
    /// The count of rows.
    pub rows: u64,
    sum: u128,
}

impl Digest {
    /// Adds the rows at the beginning of `bytes`, in the layout's format without its head; returns how many bytes they
    /// have. An incomplete row and the format's tail are left.
    pub fn add(&mut self, layout: &Layout, bytes: &[u8]) -> usize {
        match layout.format {
            Format::Binary => self.add_binary(layout, bytes),
            Format::Text | Format::LoadData => self.add_lines(layout, bytes),
        }
    }

    /// Adds a row of text values, in the order of the columns of `layout`, without escapes.
    pub fn add_values(&mut self, layout: &Layout, values: &[Option<&[u8]>]) {
        let mut row = Vec::new();
        for (place, normal) in layout.places.iter().zip(&layout.normals) {
            put(&mut row, values.get(*place).copied().flatten(), *normal);
        }
        self.rows += 1;
        self.sum = self.sum.wrapping_add(xxhash3_128::Hasher::oneshot(&row));
    }

    fn add_lines(&mut self, layout: &Layout, bytes: &[u8]) -> usize {
        let mut line = Line::default();
        let mut row = Vec::new();
        let mut taken = 0;
        while let Some(length) = line.read(&bytes[taken..]) {
            row.clear();
            for (place, normal) in layout.places.iter().zip(&layout.normals) {
                put(&mut row, line.value(*place), *normal);
            }
            self.rows += 1;
            self.sum = self.sum.wrapping_add(xxhash3_128::Hasher::oneshot(&row));
            taken += length;
        }
        taken
    }

    fn add_binary(&mut self, layout: &Layout, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        let mut row = Vec::new();
        let mut fields = Vec::new();
        while let Some(length) = split(rest, &mut fields) {
            let hash = if layout.as_is {
                xxhash3_128::Hasher::oneshot(&rest[..length])
            } else {
                row.clear();
                for (place, normal) in layout.places.iter().zip(&layout.normals) {
                    put(&mut row, fields.get(*place).copied().flatten(), *normal);
                }
                xxhash3_128::Hasher::oneshot(&row)
            };
            self.rows += 1;
            self.sum = self.sum.wrapping_add(hash);
            rest = &rest[length..];
        }
        bytes.len() - rest.len()
    }

    /// Adds other rows of the same table.
    pub fn merge(&mut self, other: Digest) {
        self.rows += other.rows;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// Reads the values of the first row of `bytes`; returns its length, or none if it is incomplete.
fn split<'a>(bytes: &'a [u8], fields: &mut Vec<Option<&'a [u8]>>) -> Option<usize> {
    let (count, mut rest) = bytes.split_first_chunk()?;
    // -1 marks the end of all rows.
    let count = u16::try_from(i16::from_be_bytes(*count)).ok()?;
    fields.clear();
    for _ in 0..count {
        let (length, behind) = rest.split_first_chunk()?;
        rest = behind;
        match usize::try_from(i32::from_be_bytes(*length)) {
            Ok(length) => {
                fields.push(Some(rest.get(..length)?));
                rest = &rest[length..];
            }
            Err(_) => fields.push(None),
        }
    }
    Some(bytes.len() - rest.len())
}

/// Appends a value in the notation that is hashed.
fn put(row: &mut Vec<u8>, value: Option<&[u8]>, normal: Normal) {
    let Some(value) = value else {
        row.extend_from_slice(&(-1i32).to_be_bytes());
        return;
    };
    let begun = row.len() + 4;
    row.extend_from_slice(&[0; 4]);
    match normal {
        Normal::AsIs => row.extend_from_slice(value),
        Normal::WithoutBlanks => {
            let blanks = value.iter().rev().take_while(|byte| **byte == b' ').count();
            row.extend_from_slice(&value[..value.len() - blanks]);
        }
        Normal::Numeric => numeric(row, value),
        Normal::Jsonb => jsonb(row, value),
        Normal::Truth => truth(row, value),
        Normal::TruthText => row.extend_from_slice(match value {
            b"t" => b"1",
            b"f" => b"0",
            other => other,
        }),
        Normal::Whole => whole(row, value),
        Normal::WithoutPrefix(prefix) => {
            row.extend_from_slice(value.strip_prefix(prefix.as_bytes()).unwrap_or(value));
        }
        Normal::Double => double(row, value),
        Normal::Real => real(row, value),
        Normal::Bytea => bytea(row, value),
        Normal::Number => number(row, value),
        Normal::Moment => row.extend_from_slice(without_zeros(value)),
        Normal::JsonbText => json_text(row, value),
        Normal::Instant => instant(row, value),
    }
    let length = u32::try_from(row.len() - begun).unwrap_or(u32::MAX);
    row[begun - 4..begun].copy_from_slice(&length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[Option<&[u8]>]) -> Vec<u8> {
        let mut bytes = u16::try_from(values.len()).unwrap().to_be_bytes().to_vec();
        for value in values {
            match value {
                None => bytes.extend_from_slice(&(-1i32).to_be_bytes()),
                Some(value) => {
                    bytes.extend_from_slice(&u32::try_from(value.len()).unwrap().to_be_bytes());
                    bytes.extend_from_slice(value);
                }
            }
        }
        bytes
    }

    fn layout(columns: &[(&str, Normal)]) -> Layout {
        let columns: Vec<_> = columns.iter().map(|(n, k)| ((*n).to_owned(), *k)).collect();
        Layout::new(&columns, |name| usize::from(name.as_bytes()[0]))
    }

    fn digest(layout: &Layout, rows: &[Vec<u8>]) -> Digest {
        let mut digest = Digest::default();
        let bytes = rows.concat();
        assert_eq!(digest.add(layout, &bytes), bytes.len());
        digest
    }

    #[test]
    fn the_order_of_rows_is_all_the_same_and_nothing_else_is() {
        let plain = layout(&[("a", Normal::AsIs), ("b", Normal::AsIs)]);
        let (one, other) = (row(&[Some(b"1"), Some(b"x")]), row(&[Some(b"2"), None]));
        let both = digest(&plain, &[one.clone(), other.clone()]);
        assert_eq!(both, digest(&plain, &[other.clone(), one.clone()]));
        let mut merged = digest(&plain, std::slice::from_ref(&one));
        merged.merge(digest(&plain, std::slice::from_ref(&other)));
        assert_eq!(both, merged);
        for changed in [
            vec![one.clone()],
            vec![one.clone(), one.clone()],
            vec![one.clone(), other.clone(), other.clone()],
            vec![one.clone(), row(&[Some(b"2"), Some(b"")])],
            vec![row(&[Some(b"1x"), Some(b"")]), other.clone()],
            vec![row(&[Some(b"x"), Some(b"1")]), other],
        ] {
            assert_ne!(both, digest(&plain, &changed), "{changed:?}");
        }
    }

    #[test]
    fn a_row_that_is_not_whole_waits() {
        let plain = layout(&[("a", Normal::AsIs)]);
        let bytes = [row(&[Some(b"abc")]), row(&[Some(b"defg")])].concat();
        for cut in 0..bytes.len() {
            let mut digest = Digest::default();
            let taken = digest.add(&plain, &bytes[..cut]);
            assert_eq!((taken, digest.rows), if cut < 9 { (0, 0) } else { (9, 1) });
        }
        assert_eq!(Digest::default().add(&plain, b"\xff\xff"), 0);
    }

    #[test]
    fn columns_in_another_order_and_notation_are_the_same() {
        let loaded = layout(&[
            ("b", Normal::WithoutPrefix("Ci::")),
            ("a", Normal::WithoutBlanks),
        ]);
        assert_eq!(loaded.columns, ["a", "b"]);
        let there = loaded.in_order();
        assert_eq!(
            digest(&loaded, &[row(&[Some(b"x"), Some(b"y")])]),
            digest(&there, &[row(&[Some(b"y  "), Some(b"Ci::x")])])
        );
        assert_ne!(
            digest(&loaded, &[row(&[Some(b"x"), Some(b"y")])]),
            digest(&there, &[row(&[Some(b" y"), Some(b"x")])])
        );
    }
}
