//! `timestamp with time zone` as text.

/// Appends a `timestamp with time zone` in UTC: `2015-01-01 12:00:00.5+05:30` is the local date and time and the
/// offset. Without an offset it is in UTC, as the sessions that load are. Other notations (`infinity`, years BC) are
/// appended unchanged.
pub(crate) fn instant(out: &mut Vec<u8>, value: &[u8]) {
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
