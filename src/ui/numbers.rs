//! The notation of numbers for people.

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
