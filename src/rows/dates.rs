//! Validates dates and times as MySQL writes them. Valid ones are copied unchanged.

use wide::u8x16;

use super::time_zone::local_time_zone;

/// Bytes of `YYYY-MM-DD HH:MM:SS`.
pub(super) const TIMESTAMP: usize = 19;

/// The maximum of digits behind a second.
const FRACTION: usize = 6;

const MICROS_OF_DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// The days from the first of March of the year 0 to 2000-01-01.
const DAYS_BEFORE_2000: i32 = 730_425;

/// What a date or time is to PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same text means the same to PostgreSQL.
    Fine,
    /// A date with a zero year, month or day, which only MySQL knows.
    ZeroDate,
    /// A date with a day that its month does not have: 2023-02-30.
    InvalidDate,
    /// Not a date or time, or one that the type cannot hold.
    Wrong,
}

/// Validates `YYYY-MM-DD`.
pub(super) fn date(text: &[u8]) -> Verdict {
    let (Some(year), Some(month), Some(day)) =
        (digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2))
    else {
        return Verdict::Wrong;
    };
    if text.len() != 10 || text[4] != b'-' || text[7] != b'-' || month > 12 || day > 31 {
        Verdict::Wrong
    } else if year == 0 || month == 0 || day == 0 {
        Verdict::ZeroDate
    } else if day > days_of(month, year) {
        Verdict::InvalidDate
    } else {
        Verdict::Fine
    }
}

/// Whether `text` begins with a date and time whose digits are at their places and roughly in their ranges. So it has
/// neither a quote nor a backslash.
#[inline]
pub(super) fn is_plain_timestamp(text: &[u8]) -> bool {
    text.first_chunk().is_some_and(is_in_ranges)
}

/// Whether each byte is in the range of its place in `YYYY-MM-DD HH:MM:SS`. This allows months from 0 to 19, days from 0
/// to 39, hours from 0 to 29.
#[inline]
fn is_in_ranges(text: &[u8; TIMESTAMP]) -> bool {
    let (Some(start), [.., colon, tens, ones]) = (text.first_chunk::<16>(), text) else {
        return false;
    };
    let bytes = u8x16::from(*start);
    let within = bytes
        .max(u8x16::from(*b"0000-00-00 00:00"))
        .min(u8x16::from(*b"9999-19-39 29:59"));
    within.simd_eq(bytes).to_bitmask() == 0xffff
        && *colon == b':'
        && (b'0'..=b'5').contains(tens)
        && ones.is_ascii_digit()
}

/// Validates `YYYY-MM-DD HH:MM:SS[.ffffff]`.
pub(super) fn timestamp(text: &[u8]) -> Verdict {
    if let Ok(text) = text.try_into()
        && is_in_ranges(text)
    {
        let pair = |at: usize| (text[at] - b'0') * 10 + text[at + 1] - b'0';
        let is_date = (1..=12).contains(&pair(5)) && (1..=28).contains(&pair(8));
        if is_date && pair(11) < 24 && !text.starts_with(b"0000") {
            return Verdict::Fine;
        }
    }
    if text.len() < 19 || text[10] != b' ' || !is_clock(&text[11..], 23) {
        return Verdict::Wrong;
    }
    date(&text[..10])
}

/// Validates `HH:MM:SS[.ffffff]`; a time outside of a day is wrong.
pub(super) fn time(text: &[u8]) -> Verdict {
    let midnight = match text.strip_prefix(b"24:00:00") {
        None => false,
        Some([]) => true,
        Some([b'.', zeros @ ..]) => {
            (1..=FRACTION).contains(&zeros.len()) && zeros.iter().all(|digit| *digit == b'0')
        }
        Some(_) => false,
    };
    if midnight || is_clock(text, 23) {
        Verdict::Fine
    } else {
        Verdict::Wrong
    }
}

/// Validates a time of any length and sign: `-838:59:59.000000`.
pub(super) fn interval(text: &[u8]) -> Verdict {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let hours = unsigned
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let rest = &unsigned[hours..];
    if !(2..=3).contains(&hours) || rest.is_empty() {
        return Verdict::Wrong;
    }
    let clock = [b"00", rest].concat();
    if is_clock(&clock, 23) {
        Verdict::Fine
    } else {
        Verdict::Wrong
    }
}

/// The days from 2000-01-01 to a valid date; what follows the date is ignored.
pub(super) fn days(text: &[u8]) -> i32 {
    let part = |from, count| digits(text, from, count).unwrap_or(0).cast_signed();
    let (year, month, day) = (part(0, 4), part(5, 2), part(8, 2));
    // Years begin in March, so that the leap day is the last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let since_march = (month * 153 + 2) / 5 + day - 1;
    year * 365 + leap_days + since_march - DAYS_BEFORE_2000
}

/// The microseconds from 2000-01-01 00:00:00 to a valid date and time.
pub(super) fn timestamp_micros(text: &[u8]) -> i64 {
    i64::from(days(text)) * MICROS_OF_DAY + clock_micros(&text[11..])
}

/// The microseconds of a valid time, within a day or not: `-838:59:59.5`.
pub(super) fn clock_micros(text: &[u8]) -> i64 {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let colon = unsigned.iter().position(|byte| *byte == b':').unwrap_or(0);
    let number = |from, count| i64::from(digits(unsigned, from, count).unwrap_or(0));
    let seconds = (number(0, colon) * 60 + number(colon + 1, 2)) * 60 + number(colon + 4, 2);
    let fraction = unsigned.get(colon + 7..).unwrap_or_default();
    let micros = fraction
        .iter()
        .chain(std::iter::repeat(&b'0'))
        .take(FRACTION)
        .fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0'));
    let micros = seconds * 1_000_000 + micros;
    if unsigned.len() < text.len() {
        -micros
    } else {
        micros
    }
}

/// Converts a date and time from UTC to this machine's time zone. None if it is not a date.
pub(super) fn utc_to_local(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let utc: jiff::civil::DateTime = text.parse().ok()?;
    let instant = jiff::tz::TimeZone::UTC.to_timestamp(utc).ok()?;
    let local = local_time_zone()?.to_datetime(instant);
    Some(local.to_string().replace('T', " "))
}

fn is_clock(text: &[u8], last_hour: u32) -> bool {
    let (Some(hour), Some(minute), Some(second)) =
        (digits(text, 0, 2), digits(text, 3, 2), digits(text, 6, 2))
    else {
        return false;
    };
    let fraction = match text.get(8) {
        None => true,
        Some(b'.') => {
            (1..=FRACTION).contains(&(text.len() - 9)) && text[9..].iter().all(u8::is_ascii_digit)
        }
        Some(_) => false,
    };
    fraction
        && text[2] == b':'
        && text[5] == b':'
        && hour <= last_hour
        && minute < 60
        && second < 60
}

fn digits(text: &[u8], from: usize, count: usize) -> Option<u32> {
    text.get(from..from + count)?
        .iter()
        .try_fold(0, |number, byte| {
            byte.is_ascii_digit()
                .then(|| number * 10 + u32::from(byte - b'0'))
        })
}

fn days_of(month: u32, year: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_judged() {
        use Verdict::{Fine, InvalidDate, Wrong, ZeroDate};
        let cases = [
            ("2015-10-01", Fine),
            ("0009-01-01", Fine),
            ("0999-12-31", Fine),
            ("9999-12-31", Fine),
            ("2016-02-29", Fine),
            ("2000-02-29", Fine),
            ("1900-02-29", InvalidDate),
            ("2015-02-31", InvalidDate),
            ("2015-13-01", Wrong),
            ("0000-00-00", ZeroDate),
            ("2015-00-00", ZeroDate),
            ("2015-01-00", ZeroDate),
            ("0000-01-01", ZeroDate),
            ("2015-1-01", Wrong),
            ("2015-10-01x", Wrong),
            ("", Wrong),
        ];
        for (text, verdict) in cases {
            assert_eq!(date(text.as_bytes()), verdict, "{text}");
        }
    }

    #[test]
    fn dates_and_times_are_counted() {
        for (text, count) in [
            ("2000-01-01", 0),
            ("1999-12-31", -1),
            ("2000-02-29", 59),
            ("2000-03-01", 60),
            ("2015-10-01", 5752),
            ("1970-01-01", -10_957),
            ("0001-01-01", -730_119),
            ("9999-12-31", 2_921_939),
        ] {
            assert_eq!(days(text.as_bytes()), count, "{text}");
        }
        // Each day is one more than the day before it.
        let mut before = days(b"1899-12-31");
        for year in 1900..2105 {
            for month in 1..=12 {
                for day in 1..=days_of(month, year) {
                    let text = format!("{year}-{month:02}-{day:02}");
                    assert_eq!(days(text.as_bytes()), before + 1, "{text}");
                    before += 1;
                }
            }
        }
        for (text, count) in [
            ("00:00:00", 0),
            ("00:00:00.5", 500_000),
            ("24:00:00", MICROS_OF_DAY),
            ("-838:59:59.000001", -3_020_399_000_001),
        ] {
            assert_eq!(clock_micros(text.as_bytes()), count, "{text}");
        }
        assert_eq!(
            timestamp_micros(b"2000-01-02 00:00:01.25"),
            MICROS_OF_DAY + 1_250_000
        );
        assert_eq!(timestamp_micros(b"1999-12-31 23:59:59"), -1_000_000);
    }

    #[test]
    fn the_short_way_judges_as_the_long_one() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut seen = [0; 4];
        for _ in 0..200_000 {
            let number = |rng: &mut fastrand::Rng, most| rng.u32(0..=most);
            let mut text = format!(
                "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
                if rng.bool() { 0 } else { 2015 },
                number(&mut rng, 13),
                number(&mut rng, 32),
                number(&mut rng, 25),
                number(&mut rng, 61),
                number(&mut rng, 61)
            )
            .into_bytes();
            if rng.bool() {
                text[rng.usize(..19)] = rng.u8(b' '..b'~');
            }
            let slowly = if is_clock(&text[11..], 23) && text[10] == b' ' {
                date(&text[..10])
            } else {
                Verdict::Wrong
            };
            let shown = String::from_utf8_lossy(&text);
            assert_eq!(timestamp(&text), slowly, "{shown}");
            seen[slowly as usize] += 1;
            assert!(
                slowly != Verdict::Fine || is_plain_timestamp(&text),
                "{shown}"
            );
        }
        assert!(seen.iter().all(|count| *count > 500), "{seen:?}");
    }

    #[test]
    fn timestamps_and_times_are_judged() {
        use Verdict::{Fine, Wrong, ZeroDate};
        let cases = [
            ("2015-10-01 23:59:59", Fine),
            ("2015-10-01 23:59:59.123456", Fine),
            ("0000-00-00 00:00:00", ZeroDate),
            ("0000-00-00 00:00:00.000", ZeroDate),
            ("2015-10-01 24:00:00", Wrong),
            ("2015-10-01", Wrong),
            ("2015-10-01 10:00:00.", Wrong),
            ("2015-10-01 10:00:00.1234567", Wrong),
            ("2015-10-01T10:00:00", Wrong),
        ];
        for (text, verdict) in cases {
            assert_eq!(timestamp(text.as_bytes()), verdict, "{text}");
        }
        for (text, verdict) in [
            ("00:00:00", Fine),
            ("23:59:59.5", Fine),
            ("24:00:00", Fine),
            ("24:00:00.000", Fine),
            ("24:00:00.", Wrong),
            ("24:00:00.0.0", Wrong),
            ("24:00:00.0000000", Wrong),
            ("24:00:00.001", Wrong),
            ("24:00:01", Wrong),
            ("838:59:59", Wrong),
            ("-12:00:00", Wrong),
        ] {
            assert_eq!(time(text.as_bytes()), verdict, "{text}");
        }
    }
}
