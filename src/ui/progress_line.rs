//! The progress of a part of the work in one line: `loading the database [####    ] 34.0 of 120.0 MiB, 3.1 MiB/s,
//! 1,234,567 rows, 28 s left`.

use std::time::Duration;

use serde_json::{Value, json};

use super::numbers::{done_of, grouped, lasting, part_of, sized};
use super::shown::Shown;
use super::text::shortened;

/// A part of the work at one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Moment<'a> {
    pub(super) name: &'a str,
    /// The bytes that are read; none if the part reads nothing, or nothing any more.
    pub(super) bytes: Option<u64>,
    /// All bytes, or 0 if their number is not known.
    pub(super) size: u64,
    /// Bytes in a second.
    pub(super) rate: Option<u64>,
    /// Rows or files, and what they are called.
    pub(super) items: u64,
    pub(super) unit: &'static str,
    /// The steps that are done, and all.
    pub(super) steps: (u64, u64),
    /// The current step.
    pub(super) step: &'a str,
    pub(super) elapsed: Duration,
    pub(super) is_complete: bool,
}

impl Moment<'_> {
    /// The line with a bar, of at most `width` characters.
    pub(super) fn with_bar(&self, width: usize) -> String {
        let name = Shown(self.name).to_string();
        let bar = self
            .share()
            .map_or_else(String::new, |share| bar(share, width / 8));
        let [sizes, percent] = [true, false].map(|sizes| {
            let parts = self.parts(sizes).join(", ");
            Shown(parts).to_string()
        });
        let length = |text: &str| text.chars().count();
        let lines = [(&bar, &sizes), (&bar, &percent), (&String::new(), &percent)]
            .map(|(bar, text)| format!("{name} {bar}{text}"));
        let line = lines.iter().find(|line| length(line) <= width);
        line.cloned().unwrap_or_else(|| {
            let name = shortened(&name, width.saturating_sub(length(&percent) + 1));
            shortened(&format!("{name} {percent}"), width)
        })
    }

    /// The line without a bar.
    pub(super) fn as_message(&self) -> String {
        format!("{}: {}", self.name, self.parts(true).join(", "))
    }

    /// The same for other programs. What is not known, or does not apply, is null.
    pub(super) fn to_json(&self) -> Value {
        let (steps_done, steps) = self.steps;
        let has_items = !self.unit.is_empty();
        json!({
            "bytes": self.bytes,
            "bytes_total": self.bytes.and((self.size > 0).then_some(self.size)),
            "bytes_per_second": self.bytes.and(self.rate),
            "items": has_items.then_some(self.items),
            "unit": has_items.then_some(self.unit),
            "steps_done": (steps > 0).then_some(steps_done),
            "steps": (steps > 0).then_some(steps),
            "step": (!self.step.is_empty()).then_some(self.step),
            "part_seconds": self.elapsed.as_secs_f64(),
            "seconds_left": self.remaining().map(|left| left.as_secs()),
        })
    }

    /// What is done, and all of it.
    fn share(&self) -> Option<(u64, u64)> {
        let (done, all) = match self.bytes {
            _ if self.is_complete => return Some((1, 1)),
            Some(bytes) => (bytes, self.size),
            None => self.steps,
        };
        (all > 0).then(|| (done.min(all), all))
    }

    /// What there is to say; with `sizes` in bytes, otherwise as a percentage.
    fn parts(&self, sizes: bool) -> Vec<String> {
        let mut parts = Vec::new();
        match (self.bytes, self.share()) {
            (Some(bytes), _) if sizes && self.size > 0 => parts.push(done_of(bytes, self.size)),
            (Some(_), Some((done, all))) if self.size > 0 => {
                parts.push(format!("{}%", part_of(100, done, all)));
            }
            (Some(bytes), _) => parts.push(sized(bytes)),
            (None, _) => parts.extend(self.step_part()),
        }
        if let (Some(_), Some(rate)) = (self.bytes, self.rate) {
            parts.push(format!("{}/s", sized(rate)));
        }
        if self.items > 0 {
            parts.push(format!("{} {}", grouped(self.items), self.unit));
        }
        parts.push(match self.remaining() {
            _ if self.is_complete => format!("in {}", lasting(self.elapsed)),
            Some(remaining) => format!("{} left", lasting(remaining)),
            None => format!("for {}", lasting(self.elapsed)),
        });
        parts
    }

    fn step_part(&self) -> Option<String> {
        let (done, all) = self.steps;
        match (all, self.step) {
            (0, _) => None,
            (all, "") => Some(format!("{done} of {all}")),
            (all, step) => Some(format!("{done} of {all} ({step})")),
        }
    }

    fn remaining(&self) -> Option<Duration> {
        let (bytes, rate) = (self.bytes?, self.rate.filter(|rate| *rate > 0)?);
        let left = self.size.checked_sub(bytes).filter(|_| self.size > 0)?;
        Some(Duration::from_secs(left.div_ceil(rate)))
    }
}

/// A bar of this `width` and a space behind it.
fn bar((done, all): (u64, u64), width: usize) -> String {
    let full = part_of(width as u64, done, all);
    let full = "#".repeat(usize::try_from(full).unwrap_or(width));
    format!("[{full:width$}] ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading() -> Moment<'static> {
        Moment {
            name: "loading the database",
            bytes: Some(34 << 20),
            size: 120 << 20,
            rate: Some(31 * (1 << 20) / 10 + 1),
            items: 1_234_567,
            unit: "rows",
            elapsed: Duration::from_secs(11),
            ..Moment::default()
        }
    }

    #[test]
    fn a_line_says_what_is_done_and_fits() {
        let full = "loading the database [#######                  ] 34.0 of 120.0 MiB, 3.1 MiB/s, \
                    1,234,567 rows, 28 s left";
        assert_eq!(reading().with_bar(200), full);
        let narrow = "loading the database [##       ] 28%, 3.1 MiB/s, 1,234,567 rows, 28 s left";
        assert_eq!(reading().with_bar(79), narrow);
        let huge = Moment {
            bytes: Some(340 << 30),
            size: 1200 << 30,
            rate: Some(123 << 20),
            items: 12_345_678_901,
            ..reading()
        };
        for width in 1..200 {
            assert!(huge.with_bar(width).chars().count() <= width, "{width}");
        }
        assert!(
            huge.with_bar(79)
                .ends_with("12,345,678,901 rows, 1 h 59 min left")
        );
    }

    #[test]
    fn the_phases_after_the_rows_say_how_far_they_are() {
        let building = Moment {
            name: "building the indexes",
            bytes: None,
            steps: (12, 60),
            step: "index_ci_builds_on_status",
            ..reading()
        };
        assert_eq!(
            building.as_message(),
            "building the indexes: 12 of 60 (index_ci_builds_on_status), 1,234,567 rows, for 11 s"
        );
        let unknown = Moment {
            size: 0,
            ..reading()
        };
        assert_eq!(
            unknown.as_message(),
            "loading the database: 34.0 MiB, 3.1 MiB/s, 1,234,567 rows, for 11 s"
        );
    }
}
