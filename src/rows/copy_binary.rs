//! The binary format of COPY. The layouts of values are those of the types' receive functions in
//! PostgreSQL (`src/backend/utils/adt`, the same since 8.4): the length, then the value in big-endian order.

use std::net::IpAddr;

use super::dates;
use super::escapes::{Escape, PLAIN_ESCAPES};
use super::notation::{NotA, Notation, OutOfRange, check_text};
use super::value_kind::Storage;
use super::vectors;

/// The binary format.
pub(super) struct CopyBinary;

/// The version before the text of a jsonb.
const JSONB_VERSION: u8 = 1;

/// A numeric's digits are in base 10,000: four decimal digits each.
const DECIMALS: usize = 4;

/// The sign of a negative numeric.
const NUMERIC_NEGATIVE: u16 = 0x4000;

/// The family of an inet that is an IPv4 address; the next number is IPv6.
const INET_V4: u8 = 2;

/// The maximum of digits of a numeric behind its point; we allow the same before it.
const MAX_EXPONENT: i64 = 16_000;

impl Notation for CopyBinary {
    const ESCAPES_LINES: bool = false;
    const ESCAPES: &[Escape; 256] = &PLAIN_ESCAPES;

    fn begin_row(out: &mut Vec<u8>, columns: usize) {
        out.extend_from_slice(&u16::try_from(columns).unwrap_or(u16::MAX).to_be_bytes());
    }

    fn between_values(_: &mut Vec<u8>) {}

    fn end_row(_: &mut Vec<u8>) {}

    fn null(out: &mut Vec<u8>) {
        out.extend_from_slice(&(-1i32).to_be_bytes());
    }

    fn boolean(out: &mut Vec<u8>, value: bool) {
        put(out, [u8::from(value)]);
    }

    fn number(out: &mut Vec<u8>, text: &[u8], storage: Storage) -> Result<(), OutOfRange> {
        match storage {
            Storage::Smallint => put(out, whole(text, "smallint", i16::to_be_bytes)?),
            Storage::Integer => put(out, whole(text, "integer", i32::to_be_bytes)?),
            Storage::Bigint => put(out, whole(text, "bigint", i64::to_be_bytes)?),
            Storage::Double => put(out, double(text)?.to_be_bytes()),
            _ => numeric(out, text)?,
        }
        Ok(())
    }

    fn moment(out: &mut Vec<u8>, text: &[u8], storage: Storage) {
        match storage {
            Storage::Date => put(out, dates::days(text).to_be_bytes()),
            Storage::Time => put(out, dates::clock_micros(text).to_be_bytes()),
            Storage::Interval => {
                let mut interval = [0; 16];
                // Days and months stay 0.
                interval[..8].copy_from_slice(&dates::clock_micros(text).to_be_bytes());
                put(out, interval);
            }
            _ => put(out, dates::timestamp_micros(text).to_be_bytes()),
        }
    }

    fn before_all(out: &mut Vec<u8>, storage: Storage) {
        match storage {
            Storage::Date => put(out, i32::MIN.to_be_bytes()),
            _ => put(out, i64::MIN.to_be_bytes()),
        }
    }

    fn bits(out: &mut Vec<u8>, bits: u64, width: u8) {
        let length = usize::from(width).div_ceil(8);
        let aligned = bits << (u64::BITS - u32::from(width));
        put_length(out, 4 + length);
        out.extend_from_slice(&u32::from(width).to_be_bytes());
        out.extend_from_slice(&aligned.to_be_bytes()[..length]);
    }

    fn bytes(out: &mut Vec<u8>, bytes: &[u8], storage: Storage) {
        if matches!(storage, Storage::Vector | Storage::Reals) {
            put_length(out, 0);
            let begun = out.len();
            vectors::put_binary(out, bytes, storage);
            close(out, begun);
            return;
        }
        put_length(out, bytes.len());
        out.extend_from_slice(bytes);
    }

    fn begin_text(out: &mut Vec<u8>, storage: Storage) -> usize {
        put_length(out, 0);
        let begun = out.len();
        if storage == Storage::Jsonb {
            out.push(JSONB_VERSION);
        }
        begun
    }

    #[inline]
    fn end_text(out: &mut Vec<u8>, begun: usize, storage: Storage) -> Result<(), NotA> {
        if storage != Storage::Text {
            checked(out, begun, storage)?;
        }
        close(out, begun);
        Ok(())
    }

    fn text_byte(out: &mut Vec<u8>, byte: u8) {
        out.push(byte);
    }
}

/// Writes the length of the value that begins at `begun` before it.
fn close(out: &mut [u8], begun: usize) {
    let length = length(out.len() - begun);
    out[begun - length.len()..begun].copy_from_slice(&length);
}

/// Checks the text that begins at `begun`, and parses a uuid or an address.
#[cold]
fn checked(out: &mut Vec<u8>, begun: usize, storage: Storage) -> Result<(), NotA> {
    match storage {
        Storage::Uuid | Storage::Inet => parsed(out, begun, storage),
        Storage::Jsonb => check_text(&out[begun + 1..], storage),
        _ => check_text(&out[begun..], storage),
    }
}

/// Replaces the text of a uuid or an address, which begins at `begun`, with its bytes.
#[cold]
fn parsed(out: &mut Vec<u8>, begun: usize, storage: Storage) -> Result<(), NotA> {
    let text = String::from_utf8_lossy(&out[begun..]).into_owned();
    out.truncate(begun);
    if storage == Storage::Uuid {
        out.extend_from_slice(&uuid(&text).ok_or(NotA("uuid"))?);
        return Ok(());
    }
    // Family, bits of the mask, whether it is a cidr, bytes that follow.
    match text.parse().map_err(|_| NotA("IP address"))? {
        IpAddr::V4(address) => {
            out.extend_from_slice(&[INET_V4, 32, 0, 4]);
            out.extend_from_slice(&address.octets());
        }
        IpAddr::V6(address) => {
            out.extend_from_slice(&[INET_V4 + 1, 128, 0, 16]);
            out.extend_from_slice(&address.octets());
        }
    }
    Ok(())
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|letter| *letter != '-').collect();
    if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(&digits, 16)
        .ok()
        .map(u128::to_be_bytes)
}

/// A value is not longer than its row in the dump, which has at most a gigabyte.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes()
}

fn put_length(out: &mut Vec<u8>, bytes: usize) {
    out.extend_from_slice(&length(bytes));
}

/// Writes the length, then a value of `N` bytes.
fn put<const N: usize>(out: &mut Vec<u8>, value: [u8; N]) {
    put_length(out, N);
    out.extend_from_slice(&value);
}

/// The bytes of the whole number `text` in the type `T`.
fn whole<T: TryFrom<i64>, const N: usize>(
    text: &[u8],
    name: &'static str,
    bytes: fn(T) -> [u8; N],
) -> Result<[u8; N], OutOfRange> {
    let (negative, digits) = signed(text);
    let mut number: i64 = 0;
    for digit in digits {
        // Count down, since there is one more number below zero than above.
        number = number
            .checked_mul(10)
            .and_then(|number| number.checked_sub(i64::from(digit - b'0')))
            .ok_or(OutOfRange(name))?;
    }
    let number = if negative {
        Some(number)
    } else {
        number.checked_neg()
    };
    let number = number.and_then(|number| T::try_from(number).ok());
    number.map(bytes).ok_or(OutOfRange(name))
}

fn double(text: &[u8]) -> Result<f64, OutOfRange> {
    let number = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse::<f64>().ok());
    number
        .filter(|number| number.is_finite())
        .ok_or(OutOfRange("double precision"))
}

fn signed(text: &[u8]) -> (bool, &[u8]) {
    text.strip_prefix(b"-")
        .map_or((false, text), |digits| (true, digits))
}

/// Writes the number `text`, such as `-12.50` or `1e-7`, with the same count of digits behind the point.
fn numeric(out: &mut Vec<u8>, text: &[u8]) -> Result<(), OutOfRange> {
    let out_of_range = OutOfRange("numeric");
    let (negative, number) = signed(text);
    let exponent_at = number.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (decimal, exponent) = match exponent_at {
        None => (number, 0),
        Some(at) => {
            let exponent = std::str::from_utf8(&number[at + 1..]).unwrap_or_default();
            (&number[..at], exponent.parse().unwrap_or(i64::MAX))
        }
    };
    let point = decimal
        .iter()
        .position(|byte| *byte == b'.')
        .unwrap_or(decimal.len());
    let before = &decimal[..point];
    let behind = decimal.get(point + 1..).unwrap_or_default();
    let digits = before.iter().chain(behind);
    if exponent.abs() > MAX_EXPONENT
        || decimal.len() > 4 * 16_000
        || !digits.clone().all(u8::is_ascii_digit)
    {
        return Err(out_of_range);
    }
    // The position of the point, counted in digits.
    let point = i64::try_from(before.len()).unwrap_or(i64::MAX) + exponent;
    let count = before.len() + behind.len();
    let scale = i64::try_from(count).unwrap_or(i64::MAX) - point;
    let scale = u16::try_from(scale.max(0)).map_err(|_| OutOfRange("numeric"))?;
    // The point is between two groups of four digits: zeros pad the first and the last group.
    let lead = point.rem_euclid(i64::try_from(DECIMALS).unwrap_or(4));
    let padding = if lead == 0 {
        0
    } else {
        DECIMALS - usize::try_from(lead).unwrap_or(0)
    };
    let groups = (padding + count).div_ceil(DECIMALS);
    let weight = (point + i64::try_from(padding).unwrap_or(0)) / 4 - 1;
    let begun = CopyBinary::begin_text(out, Storage::Numeric);
    let put_short = |out: &mut Vec<u8>, number: u16| out.extend_from_slice(&number.to_be_bytes());
    put_short(
        out,
        u16::try_from(groups).map_err(|_| OutOfRange("numeric"))?,
    );
    let weight = i16::try_from(weight).map_err(|_| OutOfRange("numeric"))?;
    out.extend_from_slice(&weight.to_be_bytes());
    put_short(out, if negative { NUMERIC_NEGATIVE } else { 0 });
    put_short(out, scale);
    let zeros = |count| std::iter::repeat_n(&b'0', count);
    let filled = zeros(padding)
        .chain(digits)
        .chain(zeros(groups * DECIMALS - padding - count));
    let mut group = 0;
    for (at, digit) in filled.enumerate() {
        group = group * 10 + u16::from(digit - b'0');
        if at % DECIMALS == DECIMALS - 1 {
            put_short(out, group);
            group = 0;
        }
    }
    close(out, begun);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(bytes: &[u8]) -> Vec<i16> {
        let (pairs, rest) = bytes.as_chunks();
        assert!(rest.is_empty());
        pairs.iter().map(|pair| i16::from_be_bytes(*pair)).collect()
    }

    #[test]
    fn numerics_are_in_base_ten_thousand() {
        // Count of digits, weight of the first, sign, scale, digits.
        let cases: [(&str, &[i16]); 10] = [
            ("12.5", &[2, 0, 0, 1, 12, 5000]),
            ("-12.50", &[2, 0, 0x4000, 2, 12, 5000]),
            ("10000", &[2, 1, 0, 0, 1, 0]),
            ("0.0001", &[2, 0, 0, 4, 0, 1]),
            (".5", &[1, -1, 0, 1, 5000]),
            ("1e-7", &[1, -2, 0, 7, 10]),
            ("1.5E+3", &[1, 0, 0, 0, 1500]),
            ("0", &[1, 0, 0, 0, 0]),
            ("123456789.12345", &[5, 2, 0, 5, 1, 2345, 6789, 1234, 5000]),
            (
                "18446744073709551615",
                &[5, 4, 0, 0, 1844, 6744, 737, 955, 1615],
            ),
        ];
        for (text, expected) in cases {
            let mut out = Vec::new();
            assert!(numeric(&mut out, text.as_bytes()).is_ok(), "{text}");
            assert_eq!(out[..4], length(out.len() - 4), "{text}");
            assert_eq!(short(&out[4..]), expected, "{text}");
        }
        for text in ["1e99999", "1e", "1.2.3", "--1", "1e9999999999999999999"] {
            assert!(numeric(&mut Vec::new(), text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn uuids_and_addresses_are_bytes() {
        let put = |text: &str, storage| {
            let mut out = Vec::new();
            let begun = CopyBinary::begin_text(&mut out, storage);
            out.extend_from_slice(text.as_bytes());
            CopyBinary::end_text(&mut out, begun, storage)
                .ok()
                .map(|()| out[4..].to_vec())
        };
        let uuid = "123e4567-e89b-12d3-a456-426655440000";
        let bytes = put(uuid, Storage::Uuid).unwrap();
        assert_eq!((bytes.len(), bytes[0], bytes[15]), (16, 0x12, 0));
        assert_eq!(
            put(&uuid.to_uppercase().replace('-', ""), Storage::Uuid),
            Some(bytes)
        );
        let v4 = put("192.0.2.1", Storage::Inet).unwrap();
        assert_eq!(v4, [2, 32, 0, 4, 192, 0, 2, 1]);
        let v6 = put("::1", Storage::Inet).unwrap();
        assert_eq!((v6[..4].to_vec(), v6[19]), (vec![3, 128, 0, 16], 1));
        for (text, storage) in [
            ("x", Storage::Uuid),
            ("1.2.3", Storage::Inet),
            ("", Storage::Uuid),
        ] {
            assert_eq!(put(text, storage), None, "{text}");
        }
    }

    #[test]
    fn whole_numbers_keep_within_their_type() {
        let put = |text: &str, storage| {
            let mut out = Vec::new();
            CopyBinary::number(&mut out, text.as_bytes(), storage)
                .map(|()| out)
                .ok()
        };
        let value = |bytes: &[u8]| Some([&length(bytes.len())[..], bytes].concat());
        assert_eq!(put("-32768", Storage::Smallint), value(&[0x80, 0]));
        assert_eq!(put("32768", Storage::Smallint), None);
        assert_eq!(
            put("2147483647", Storage::Integer),
            value(&[0x7f, 0xff, 0xff, 0xff])
        );
        assert_eq!(
            put("-9223372036854775808", Storage::Bigint),
            value(&[0x80, 0, 0, 0, 0, 0, 0, 0])
        );
        assert_eq!(put("9223372036854775808", Storage::Bigint), None);
        assert_eq!(
            put("-0.5", Storage::Double),
            value(&(-0.5f64).to_be_bytes())
        );
        assert_eq!(put("1e400", Storage::Double), None);
    }
}
