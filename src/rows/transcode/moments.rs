//! Dates and times in other forms than the one in which MySQL shows them: numbers without delimiters, as mysqldump 3.23 and
//! 4.0 wrote timestamps, dates for times, one digit for a month (MySQL manual, 11.1.3).

use crate::rows::value_kind::ValueKind;

/// `text` in the form in which MySQL shows a value of this `kind`, if a server takes it for one.
pub(super) fn usual_form(text: &[u8], kind: ValueKind) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    match kind {
        ValueKind::Date => Some(date_and_clock(text)?.0),
        ValueKind::Timestamp | ValueKind::LocalTimestamp => {
            let (date, clock) = date_and_clock(text)?;
            Some(format!("{date} {clock}"))
        }
        ValueKind::Time | ValueKind::Interval => clock(text),
        _ => None,
    }
}

/// The date and the time of day in `2020-1-2`, `2020-01-02T03:04`, `20200102030405`, `200102`.
fn date_and_clock(text: &str) -> Option<(String, String)> {
    let midnight = || "00:00:00".to_owned();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits < 5 {
        let (date, rest) = match text.find([' ', 'T']) {
            Some(at) => (&text[..at], Some(text[at + 1..].trim_start())),
            None => (text, None),
        };
        let clock = rest.map_or_else(|| Some(midnight()), clock_with_minutes)?;
        return Some((with_delimiters(date)?, clock));
    }
    let (whole, fraction) = text.split_at(digits);
    let year_digits = match digits {
        6 | 12 => 2,
        8 | 14 => 4,
        // What else could be meant is not clear: a server puts zeros before it.
        _ => return None,
    };
    let (year, rest) = whole.split_at(year_digits);
    let year: u32 = year.parse().ok()?;
    let year = match (year_digits, year) {
        (4, year) => year,
        _ if whole.bytes().all(|digit| digit == b'0') => 0,
        (_, ..70) => 2000 + year,
        (_, year) => 1900 + year,
    };
    let date = format!("{year:04}-{}-{}", &rest[..2], &rest[2..4]);
    let clock = match &rest[4..] {
        "" if fraction.is_empty() => midnight(),
        clock if clock.len() == 6 => {
            format!("{}:{}:{}{fraction}", &clock[..2], &clock[2..4], &clock[4..])
        }
        _ => return None,
    };
    Some((date, clock))
}

/// `2020-1-2` or `2020/01/02` as `2020-01-02`.
fn with_delimiters(date: &str) -> Option<String> {
    let delimiter = date.chars().find(|c| !c.is_ascii_digit())?;
    let parts: Vec<&str> = date.split(delimiter).collect();
    let [year, month, day] = parts[..] else {
        return None;
    };
    let is_known = matches!(delimiter, '-' | '/' | '.') && year.len() == 4;
    let pair = |part: &str| (1..=2).contains(&part.len()) && are_digits(part);
    (is_known && are_digits(year) && pair(month) && pair(day))
        .then(|| format!("{year}-{month:0>2}-{day:0>2}"))
}

/// `3:04`, `03:04:05.6`
fn clock_with_minutes(text: &str) -> Option<String> {
    let (whole, fraction) = match text.find('.') {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let parts: Vec<&str> = whole.split(':').collect();
    let (hours, minutes, seconds) = match parts[..] {
        [hours, minutes] if fraction.is_empty() => (hours, minutes, "00"),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return None,
    };
    let are_pairs = [minutes, seconds]
        .iter()
        .all(|part| part.len() == 2 && are_digits(part));
    (are_pairs && (1..=3).contains(&hours.len()) && are_digits(hours))
        .then(|| format!("{hours:0>2}:{minutes}:{seconds}{fraction}"))
}

/// A time: with delimiters, or `101112`.
fn clock(text: &str) -> Option<String> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => ("-", text),
        None => ("", text),
    };
    let clock = match text.len() {
        6 if are_digits(text) => format!("{}:{}:{}", &text[..2], &text[2..4], &text[4..]),
        _ => clock_with_minutes(text)?,
    };
    Some(format!("{sign}{clock}"))
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_means_what_a_server_takes_it_for() {
        for (text, date, timestamp) in [
            ("20030411152233", "2003-04-11", "2003-04-11 15:22:33"),
            ("20030411152233.25", "2003-04-11", "2003-04-11 15:22:33.25"),
            ("030411152233", "2003-04-11", "2003-04-11 15:22:33"),
            ("990411", "1999-04-11", "1999-04-11 00:00:00"),
            ("20030411", "2003-04-11", "2003-04-11 00:00:00"),
            ("00000000000000", "0000-00-00", "0000-00-00 00:00:00"),
            ("000000000000", "0000-00-00", "0000-00-00 00:00:00"),
            ("2003-04-11", "2003-04-11", "2003-04-11 00:00:00"),
            ("2003/4/1", "2003-04-01", "2003-04-01 00:00:00"),
            (
                "2003-04-11T15:22:33.5",
                "2003-04-11",
                "2003-04-11 15:22:33.5",
            ),
            ("2003-4-1 5:22", "2003-04-01", "2003-04-01 05:22:00"),
        ] {
            let is = |kind, expected: &str| {
                let found = usual_form(text.as_bytes(), kind);
                assert_eq!(found.as_deref(), Some(expected), "{text}");
            };
            is(ValueKind::Date, date);
            is(ValueKind::Timestamp, timestamp);
        }
        for text in [
            "",
            "0",
            "2003",
            "0304111522",
            "2003-04",
            "2003-04-11-12",
            "03-04-11",
            "2003-04-111",
            "2003:04:11",
            "2003-04-11T15:22:33Z",
            "2003-04-11 15:22:33+00:00",
            "2003-04-11 15",
            "20030411.5",
            "2003-04-11 now",
            "é",
        ] {
            assert_eq!(
                usual_form(text.as_bytes(), ValueKind::Timestamp),
                None,
                "{text}"
            );
        }
        for (text, expected) in [
            ("101112", Some("10:11:12")),
            ("-101112", Some("-10:11:12")),
            ("9:11", Some("09:11:00")),
            ("9:11:12.5", Some("09:11:12.5")),
            ("1112", None),
            ("1 10:11:12", None),
            ("10:1", None),
        ] {
            let found = usual_form(text.as_bytes(), ValueKind::Time);
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        assert_eq!(usual_form(b"20030411", ValueKind::Integer), None);
    }
}
