//! The runs of several reports: the last one of each command with the same input and target, and how often it was tried.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use crate::error::Kind;
use crate::ui::numbers::grouped;
use crate::ui::shown::line;

/// What identifies a run that is tried again: command, input, target.
type Key = (String, String, String);

/// The outcomes of a command that did what it should.
const GOOD: [&str; 2] = ["done", "already live"];

/// The table.
#[derive(Debug, Default)]
pub struct Summary {
    runs: BTreeMap<Key, Run>,
    /// How many runs did not say which target they had.
    unnamed: usize,
    /// Files in the folders that are no reports.
    left_out: Vec<String>,
}

/// A run, as its last report has it.
#[derive(Debug)]
struct Run {
    attempts: u64,
    ended_at: String,
    outcome: String,
    exit_code: u64,
    seconds: f64,
    tables: u64,
    rows: u64,
    traces: u64,
    changed: u64,
    error: Option<String>,
}

impl Run {
    /// The one that `document` tells of.
    fn of(document: &Value) -> Run {
        let text = |key: &str| document[key].as_str().unwrap_or_default().to_owned();
        let result = &document["result"];
        let tables = result["tables"].as_array().map_or(&[][..], Vec::as_slice);
        let rows = tables.iter().filter_map(|table| {
            let rows = table["rows"].as_u64();
            rows.or_else(|| table["rows_expected"].as_u64())
        });
        let changes = tables
            .iter()
            .filter_map(|table| table["changes"].as_array());
        let counts = changes
            .flatten()
            .filter_map(|change| change["count"].as_u64());
        let traces = &result["archive"]["traces"]["files"];
        let traces = traces
            .as_u64()
            .or_else(|| result["traces"]["files_expected"].as_u64());
        Run {
            attempts: 1,
            ended_at: text("ended_at"),
            outcome: text("outcome"),
            exit_code: document["exit_code"].as_u64().unwrap_or_default(),
            seconds: document["seconds"].as_f64().unwrap_or_default(),
            tables: tables.len() as u64,
            rows: rows.sum(),
            traces: traces.unwrap_or_default(),
            changed: counts.sum(),
            error: document["error"]["message"].as_str().map(str::to_owned),
        }
    }

    fn is_good(&self) -> bool {
        GOOD.contains(&self.outcome.as_str())
    }

    /// Whether another attempt may end better.
    fn may_be_tried_again(&self) -> bool {
        !self.is_good()
            && u8::try_from(self.exit_code)
                .is_ok_and(|code| Kind::of_exit_code(code).is_some_and(Kind::is_worth_another_try))
    }
}

impl Summary {
    /// Adds what a report tells.
    pub(super) fn add(&mut self, document: &Value) {
        let text = |key: &str| document[key].as_str().unwrap_or_default().to_owned();
        let mut key = (text("command"), text("input"), text("target"));
        if key.2.is_empty() {
            // The environment named it: nobody knows whether it was the same one.
            key.2 = format!("({})", self.unnamed + 1);
            self.unnamed += 1;
        }
        let mut run = Run::of(document);
        match self.runs.get_mut(&key) {
            Some(known) => {
                run.attempts += known.attempts;
                if run.ended_at >= known.ended_at {
                    *known = run;
                } else {
                    known.attempts = run.attempts;
                }
            }
            None => {
                self.runs.insert(key, run);
            }
        }
    }

    /// Notes a file that is no report.
    pub(super) fn leave_out(&mut self, name: String) {
        self.left_out.push(name);
    }

    /// Whether there is no run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether all runs ended well.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.runs.values().all(Run::is_good)
    }

    /// How many runs had each outcome.
    fn outcomes(&self) -> BTreeMap<&str, u64> {
        let mut outcomes = BTreeMap::new();
        for run in self.runs.values() {
            *outcomes.entry(run.outcome.as_str()).or_default() += 1;
        }
        outcomes
    }

    fn to_be_tried_again(&self) -> usize {
        let runs = self.runs.values();
        runs.filter(|run| run.may_be_tried_again()).count()
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let runs = self.runs.iter().map(|((command, input, target), run)| {
            json!({
                "command": command,
                "input": input,
                "target": target,
                "outcome": run.outcome,
                "exit_code": run.exit_code,
                "try_again": run.may_be_tried_again(),
                "attempts": run.attempts,
                "ended_at": run.ended_at,
                "seconds": run.seconds,
                "tables": run.tables,
                "rows": run.rows,
                "traces": run.traces,
                "changed_values": run.changed,
                "error": run.error,
            })
        });
        json!({
            "format": "ci-import summary",
            "version": 1,
            "runs": runs.collect::<Vec<_>>(),
            "outcomes": self.outcomes(),
            "try_again": self.to_be_tried_again(),
            "left_out": self.left_out,
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((command, input, target), run) in &self.runs {
            let outcome = if run.is_good() {
                run.outcome.clone()
            } else {
                format!("{} ({})", run.outcome, run.exit_code)
            };
            let place = if target.is_empty() {
                String::new()
            } else {
                format!(" → {target}")
            };
            line(f, format_args!("{outcome}: {command} {input}{place}"))?;
            if let Some(error) = &run.error {
                line(f, format_args!("  {error}"))?;
            } else {
                line(
                    f,
                    format_args!(
                        "  {} tables, {} rows, {} traces, {} values changed, {:.1} s",
                        run.tables,
                        grouped(run.rows),
                        grouped(run.traces),
                        grouped(run.changed),
                        run.seconds
                    ),
                )?;
            }
            if run.attempts > 1 {
                line(f, format_args!("  {} attempts", run.attempts))?;
            }
        }
        let outcomes = self.outcomes().into_iter();
        let outcomes: Vec<String> = outcomes
            .map(|(outcome, count)| format!("{} {outcome}", grouped(count)))
            .collect();
        line(
            f,
            format_args!("{} runs: {}", grouped(self.runs.len()), outcomes.join(", ")),
        )?;
        match self.to_be_tried_again() {
            0 => {}
            count => line(f, format_args!("another attempt makes sense: {count}"))?,
        }
        for name in &self.left_out {
            line(f, format_args!("left out, no report: {name}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(input: &str, ended_at: &str, outcome: &str, exit_code: u8) -> Value {
        json!({
            "command": "import", "input": input, "target": "t", "outcome": outcome,
            "exit_code": exit_code, "ended_at": ended_at, "seconds": 1.5,
            "error": (outcome == "failed").then(|| json!({"message": "no"})),
            "result": (outcome == "done").then(|| json!({
                "tables": [{"rows": 3, "changes": [{"count": 2}]}, {"rows": 4}],
                "archive": {"traces": {"files": 5}},
            })),
        })
    }

    #[test]
    fn the_last_attempt_counts() {
        let mut summary = Summary::default();
        for (input, ended_at, outcome, code) in [
            ("a", "2026-01-01T00:00:02Z", "done", 0),
            ("a", "2026-01-01T00:00:01Z", "failed", 7),
            ("b", "2026-01-01T00:00:01Z", "already live", 0),
        ] {
            summary.add(&report(input, ended_at, outcome, code));
        }
        assert!(summary.is_good());
        let text = summary.to_string();
        assert!(text.contains("done: import a → t\n  2 tables, 7 rows, 5 traces, 2 values changed, 1.5 s\n  2 attempts\n"));
        assert!(text.ends_with("2 runs: 1 already live, 1 done\n"), "{text}");
        summary.add(&report("c", "2026-01-01T00:00:01Z", "failed", 7));
        summary.add(&report("d", "2026-01-01T00:00:01Z", "failed", 3));
        assert!(!summary.is_good());
        assert!(
            summary
                .to_string()
                .contains("failed (7): import c → t\n  no\n")
        );
        assert_eq!(summary.to_json()["try_again"], 1);
    }
}
