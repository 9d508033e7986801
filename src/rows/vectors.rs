//! Vectors. A value of MySQL and MariaDB is a sequence of floats of four bytes in little-endian order (MySQL manual, 13.3.5).
//! The layouts here are those of pgvector's type and of an array (PostgreSQL's `array_send`).

use std::fmt::Write as _;

use super::value_kind::Storage;

/// The bytes of an entry.
const ENTRY: usize = 4;

/// The number of the type `real` (PostgreSQL's pg_type.dat).
const REAL: i32 = 700;

/// How many entries the value `bytes` has; none if it is no vector.
pub(super) fn entries(bytes: &[u8]) -> Option<usize> {
    bytes
        .len()
        .is_multiple_of(ENTRY)
        .then_some(bytes.len() / ENTRY)
}

/// Whether all entries of `bytes` are finite.
pub(super) fn is_finite(bytes: &[u8]) -> bool {
    floats(bytes).all(f32::is_finite)
}

fn floats(bytes: &[u8]) -> impl ExactSizeIterator<Item = f32> {
    let (entries, _) = bytes.as_chunks::<ENTRY>();
    entries.iter().map(|entry| f32::from_le_bytes(*entry))
}

/// Appends the value of the text `[1,2.5]` to `bytes`; whether it is one.
pub(super) fn of_text(text: &[u8], bytes: &mut Vec<u8>) -> bool {
    let text = std::str::from_utf8(text).unwrap_or_default().trim();
    let inside = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let Some(inside) = inside.map(str::trim) else {
        return false;
    };
    if inside.is_empty() {
        return true;
    }
    inside.split(',').all(|entry| {
        let entry = entry.trim();
        let mut letters = entry.bytes();
        let is_number = letters.all(|it| it.is_ascii_digit() || b"+-.eE".contains(&it));
        let number = entry
            .parse::<f32>()
            .ok()
            .filter(|it| is_number && it.is_finite());
        bytes.extend(number.unwrap_or_default().to_le_bytes());
        number.is_some()
    })
}

/// Appends the value `bytes` as COPY's binary format has it, without its length.
pub(super) fn put_binary(out: &mut Vec<u8>, bytes: &[u8], storage: Storage) {
    let floats = floats(bytes);
    let count = floats.len();
    if storage == Storage::Vector {
        out.extend(u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
        out.extend([0, 0]);
        floats.for_each(|entry| out.extend(entry.to_be_bytes()));
        return;
    }
    let mut put = |number: i32| out.extend(number.to_be_bytes());
    // Dimensions, no NULLs, the type of the entries.
    put(i32::from(count > 0));
    put(0);
    put(REAL);
    if count > 0 {
        put(i32::try_from(count).unwrap_or(i32::MAX));
        put(1);
    }
    for entry in floats {
        out.extend(4_i32.to_be_bytes());
        out.extend(entry.to_be_bytes());
    }
}

/// Appends the value `bytes` as text, each entry as PostgreSQL writes it: with the fewest digits from which the same float
/// comes back.
pub(super) fn put_text(out: &mut Vec<u8>, bytes: &[u8], storage: Storage) {
    let [open, close] = if storage == Storage::Vector {
        *b"[]"
    } else {
        *b"{}"
    };
    out.push(open);
    let mut text = String::new();
    for (at, entry) in floats(bytes).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        text.clear();
        // A text never fails.
        let _ = put_float(&mut text, entry);
        out.extend_from_slice(text.as_bytes());
    }
    out.push(close);
}

/// Numbers below 0.0001 and from a million on have an exponent, of two digits or more.
fn put_float(text: &mut String, float: f32) -> std::fmt::Result {
    let size = float.abs();
    if float.is_infinite() {
        return write!(text, "{}Infinity", if float < 0.0 { "-" } else { "" });
    }
    if size == 0.0 || float.is_nan() || (1e-4..1e6).contains(&size) {
        return write!(text, "{float}");
    }
    let written = format!("{float:e}");
    let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let (sign, exponent) = exponent
        .strip_prefix('-')
        .map_or(('+', exponent), |exponent| ('-', exponent));
    write!(text, "{digits}e{sign}{exponent:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_the_same_floats() {
        let mut bytes = Vec::new();
        let text = b" [1, -2.5 ,3.4028235e38,1e-45,0.1,16777216,-0,1E3] ";
        assert!(of_text(text, &mut bytes));
        let mut written = Vec::new();
        put_text(&mut written, &bytes, Storage::Vector);
        let shown = "[1,-2.5,3.4028235e+38,1e-45,0.1,1.6777216e+07,-0,1000]";
        assert_eq!(String::from_utf8(written).unwrap(), shown);
        let mut again = Vec::new();
        assert!(of_text(shown.as_bytes(), &mut again));
        assert_eq!(again, bytes);
        let mut special = Vec::new();
        let all = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        let all: Vec<u8> = all.iter().flat_map(|it| it.to_le_bytes()).collect();
        put_text(&mut special, &all, Storage::Reals);
        assert_eq!(special, b"{NaN,Infinity,-Infinity}");
        for wrong in [
            "", "1,2", "[1", "[1,]", "[a]", "[nan]", "[inf]", "[1e39]", "[1;2]", "[[1]]",
        ] {
            assert!(!of_text(wrong.as_bytes(), &mut Vec::new()), "{wrong}");
        }
    }
}
