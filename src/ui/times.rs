//! Where the time went: when each part of the work began and ended.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// When a part of the work began and ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartTime {
    /// Its name.
    pub name: String,
    /// When it began, since the start of the command.
    pub begin: Duration,
    /// When it ended.
    pub end: Duration,
    /// The bytes that it read, if it read any.
    pub bytes: Option<u64>,
    /// What else was counted, and what that is called; nothing is 0.
    pub items: (u64, &'static str),
}

impl PartTime {
    /// As JSON: times in seconds.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (items, unit) = self.items;
        let has_items = items > 0 && !unit.is_empty();
        json!({
            "name": self.name,
            "begin": self.begin.as_secs_f64(),
            "end": self.end.as_secs_f64(),
            "bytes": self.bytes,
            "items": has_items.then_some(items),
            "unit": has_items.then_some(unit),
        })
    }
}

/// The work on one thing, such as a table: when it began and ended, and its bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// When it began and ended, if it is known.
    pub span: Option<(Instant, Instant)>,
    /// The bytes that were worked on.
    pub bytes: u64,
}

impl Work {
    /// Notes that it has begun, unless it has begun before.
    pub fn begin(&mut self) {
        if self.span.is_none() {
            let now = Instant::now();
            self.span = Some((now, now));
        }
    }

    /// Notes that it goes on until now at least.
    pub fn goes_on(&mut self) {
        if let Some((_, end)) = &mut self.span {
            *end = Instant::now();
        }
    }
}

/// How long the parts of each name took together, in the order in which they began; without those too short to matter.
#[must_use]
pub fn totals(parts: &[PartTime], elapsed: Duration) -> Vec<(&str, Duration)> {
    let mut totals: Vec<(&str, Duration)> = Vec::new();
    for part in parts {
        let took = part.end.saturating_sub(part.begin);
        match totals.iter_mut().find(|(name, _)| *name == part.name) {
            Some((_, total)) => *total += took,
            None => totals.push((&part.name, took)),
        }
    }
    totals.retain(|(_, took)| *took >= Duration::from_millis(50) && *took >= elapsed / 100);
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, begin: u64, end: u64) -> PartTime {
        PartTime {
            name: name.to_owned(),
            begin: Duration::from_millis(begin),
            end: Duration::from_millis(end),
            bytes: None,
            items: (0, ""),
        }
    }

    #[test]
    fn parts_of_a_name_are_added_up() {
        let parts = [
            part("loading", 0, 2000),
            part("waiting", 2000, 3000),
            part("publishing", 3000, 3010),
            part("waiting", 3010, 3500),
        ];
        let totals = totals(&parts, Duration::from_secs(4));
        let expected = [
            ("loading", Duration::from_secs(2)),
            ("waiting", Duration::from_millis(1490)),
        ];
        assert_eq!(totals, expected);
    }
}
