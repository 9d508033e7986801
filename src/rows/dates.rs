//! Judges dates and times as MySQL writes them; what is fine is copied as it is.

/// What a date or time is to PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same text means the same to PostgreSQL.
    Fine,
    /// A date with a zero year, month or day, which only MySQL knows.
    ZeroDate,
    /// No date or time at all, or one that the type cannot hold.
    Wrong,
}

/// Judges `YYYY-MM-DD`.
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
        Verdict::Wrong
    } else {
        Verdict::Fine
    }
}

/// Judges `YYYY-MM-DD HH:MM:SS[.ffffff]`.
pub(super) fn timestamp(text: &[u8]) -> Verdict {
    if text.len() < 19 || text[10] != b' ' || !is_clock(&text[11..], 23) {
        return Verdict::Wrong;
    }
    date(&text[..10])
}

/// Judges `HH:MM:SS[.ffffff]`; what is not within a day is wrong.
pub(super) fn time(text: &[u8]) -> Verdict {
    let midnight =
        text.starts_with(b"24:00:00") && text[8..].iter().all(|b| matches!(b, b'.' | b'0'));
    if midnight || is_clock(text, 23) {
        Verdict::Fine
    } else {
        Verdict::Wrong
    }
}

/// Judges a time of any length and sign: `-838:59:59.000000`.
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

/// A date and time in UTC as one in this machine's time zone; none for what is no date.
pub(super) fn utc_to_local(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let utc: jiff::civil::DateTime = text.parse().ok()?;
    let instant = jiff::tz::TimeZone::UTC.to_timestamp(utc).ok()?;
    let local = jiff::tz::TimeZone::system().to_datetime(instant);
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
        Some(b'.') => text.len() > 9 && text[9..].iter().all(u8::is_ascii_digit),
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
        use Verdict::{Fine, Wrong, ZeroDate};
        let cases = [
            ("2015-10-01", Fine),
            ("0009-01-01", Fine),
            ("0999-12-31", Fine),
            ("9999-12-31", Fine),
            ("2016-02-29", Fine),
            ("2000-02-29", Fine),
            ("1900-02-29", Wrong),
            ("2015-02-31", Wrong),
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
            ("2015-10-01T10:00:00", Wrong),
        ];
        for (text, verdict) in cases {
            assert_eq!(timestamp(text.as_bytes()), verdict, "{text}");
        }
        for (text, verdict) in [
            ("00:00:00", Fine),
            ("23:59:59.5", Fine),
            ("24:00:00", Fine),
            ("24:00:01", Wrong),
            ("838:59:59", Wrong),
            ("-12:00:00", Wrong),
        ] {
            assert_eq!(time(text.as_bytes()), verdict, "{text}");
        }
    }
}
