//! The notation of numbers for people.

use std::time::Duration;

/// A number with a comma after each group of three digits.
pub(crate) fn grouped(number: impl std::fmt::Display) -> String {
    let text = number.to_string();
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |rest| ("-", rest));
    let mut grouped = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A time in the largest unit that it has two of.
pub(crate) fn age_of(seconds: u64) -> String {
    let units = [(86400, "days"), (3600, "hours"), (60, "minutes")];
    let unit = units.into_iter().find(|(unit, _)| seconds >= 2 * unit);
    unit.map_or_else(
        || format!("{seconds} seconds"),
        |(unit, name)| format!("{} {name}", seconds / unit),
    )
}

/// The first `rows` of `count`, as they are shown: `1, 2, …`.
#[must_use]
pub fn first_rows(rows: &[u64], count: u64) -> String {
    let shown: Vec<String> = rows.iter().map(|row| grouped(*row)).collect();
    let more = if count > rows.len() as u64 {
        ", …"
    } else {
        ""
    };
    shown.join(", ") + more
}

/// The part of `whole` that `done` is of `all`.
pub(crate) fn part_of(whole: u64, done: u64, all: u64) -> u64 {
    let part = u128::from(whole) * u128::from(done) / u128::from(all);
    u64::try_from(part).unwrap_or(whole)
}

const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

fn unit_of(bytes: u64) -> (&'static str, u64) {
    let fits = UNITS.into_iter().find(|(_, size)| bytes >= *size);
    fits.unwrap_or(("bytes", 1))
}

/// A number of bytes with one decimal of the unit.
fn in_unit(bytes: u64, unit: u64) -> String {
    if unit == 1 {
        return bytes.to_string();
    }
    let tenths = part_of(10, bytes, unit);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// A number of bytes in the largest unit.
pub(crate) fn sized(bytes: u64) -> String {
    let (name, unit) = unit_of(bytes);
    format!("{} {name}", in_unit(bytes, unit))
}

/// Both numbers in the unit of the larger one.
pub(crate) fn done_of(done: u64, all: u64) -> String {
    let (name, unit) = unit_of(all);
    let [done, all] = [done, all].map(|bytes| in_unit(bytes, unit));
    format!("{done} of {all} {name}")
}

/// How long something lasts, in seconds or the two largest units.
pub(crate) fn lasting(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::age_of;

    #[test]
    fn ages_are_told_in_one_unit() {
        for (seconds, expected) in [
            (0, "0 seconds"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7200, "2 hours"),
            (172_800, "2 days"),
        ] {
            assert_eq!(age_of(seconds), expected);
        }
    }
}
