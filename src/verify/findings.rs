//! The result of comparing a target with an archive, as text and JSON.

use std::fmt;

use serde_json::{Value, json};

use super::tables::TableFinding;
use crate::traces::{Names, TraceFindings, Without, WithoutTrace};
use crate::ui::numbers::grouped;
use crate::ui::shown::{in_column, write_line};

/// The remark about a table that was not read from the snapshot.
const LATER: &str = "; read later than the others: its engine has no transactions";

/// The result of `verify`.
#[derive(Debug)]
pub struct Findings {
    /// The archive's or dump's name.
    pub input: String,
    /// The target.
    pub target: String,
    /// The schema of the tables.
    pub schema: String,
    /// The schemas, if each database of a dump has one.
    pub schemas: Vec<String>,
    /// The tables.
    pub tables: Vec<TableFinding>,
    /// Tables that are not compared, because a migration has dropped them.
    pub dropped: Vec<&'static str>,
    /// The traces, for an archive.
    pub traces: Option<TraceFindings>,
    /// The number of CI's taggings that GitLab's taggings lack, if GitLab has any.
    pub missing_taggings: Option<i64>,
    /// The builds without a trace, for an archive. They had none on the CI server either, if the rest agrees.
    pub without_trace: Option<WithoutTrace>,
}

impl Findings {
    /// Whether target and archive agree.
    #[must_use]
    pub fn agree(&self) -> bool {
        self.tables.iter().all(|table| table.problems.is_empty())
            && self.traces.as_ref().is_none_or(TraceFindings::agree)
            && self.missing_taggings.unwrap_or(0) == 0
    }

    fn trace_problems(traces: &TraceFindings) -> Vec<String> {
        let mut problems = Vec::new();
        let mut names = |what: &str, names: &Names| {
            if names.count > 0 {
                let more = if names.count > names.first.len() as u64 {
                    ", …"
                } else {
                    ""
                };
                let (count, first) = (grouped(names.count), names.first.join(", "));
                problems.push(format!("{count} {what}: {first}{more}"));
            }
        };
        names("missing", &traces.missing);
        names("with different content", &traces.different);
        let there = traces.files - traces.missing.count;
        if traces.found > there {
            let count = grouped(traces.found - there);
            problems.push(format!("{count} that the archive does not have"));
        }
        problems
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let tables: Vec<Value> = self
            .tables
            .iter()
            .map(|table| {
                json!({
                    "name": table.name,
                    "rows_expected": table.expected,
                    "rows_found": table.found,
                    "compared_by_checksum": table.compared,
                    "next_value": table.next_value,
                    "in_snapshot": table.in_snapshot,
                    "problems": table.problems,
                })
            })
            .collect();
        let traces = self.traces.as_ref().map(|traces| {
            json!({
                "files_expected": traces.files,
                "files_found": traces.found,
                "bytes_expected": traces.bytes,
                "missing": traces.missing.count,
                "different": traces.different.count,
                "truncated": traces.truncated,
                "problems": Findings::trace_problems(traces),
            })
        });
        let without = self.without_trace.as_ref().map(|without| {
            let months = without.months.iter();
            let months = months.map(|(month, count)| {
                json!({"month": month, "builds": count.builds, "have_run": count.have_run})
            });
            months.collect::<Vec<_>>()
        });
        json!({
            "input": self.input,
            "target": self.target,
            "schema": self.schemas.is_empty().then_some(&self.schema),
            "schemas": self.schemas,
            "agree": self.agree(),
            "tables": tables,
            "dropped": self.dropped,
            "traces": traces,
            "missing_taggings": self.missing_taggings,
            "builds_without_trace": without,
        })
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line!(f, "compared {}", self.input)?;
        if self.schemas.is_empty() {
            write_line!(f, "    with {}, schema {}", self.target, self.schema)?;
        } else {
            let schemas = self.schemas.join(", ");
            write_line!(f, "    with {}, schemas {schemas}", self.target)?;
        }
        writeln!(f)?;
        let names = self.tables.iter().map(|table| in_column(&table.name));
        let width = names.map(|name| name.chars().count()).max();
        let width = width.unwrap_or(0).max(26);
        write_line!(
            f,
            "{:width$} {:>14} {:>14} {:>14}  result",
            "table",
            "archive",
            "target",
            "next id"
        )?;
        let optional = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
        for table in &self.tables {
            let result = match table.problems.as_slice() {
                [] if table.compared || table.expected == 0 => "same".to_owned(),
                [] => "same count; contents not compared".to_owned(),
                problems => format!("DIFFERS: {}", problems.join("; ")),
            };
            let later = if table.in_snapshot { "" } else { LATER };
            write_line!(
                f,
                "{:width$} {:>14} {:>14} {:>14}  {result}{later}",
                in_column(&table.name),
                grouped(table.expected),
                optional(table.found.map(grouped)),
                optional(table.next_value.map(grouped))
            )?;
        }
        for name in &self.dropped {
            write_line!(f, "{name:width$} {:>44}  dropped by a migration", "")?;
        }
        if let Some(traces) = &self.traces {
            let result = if traces.agree() {
                "same".to_owned()
            } else {
                format!("DIFFER: {}", Findings::trace_problems(traces).join("; "))
            };
            let (files, found) = (grouped(traces.files), grouped(traces.found));
            let name = "build traces";
            write_line!(
                f,
                "{name:width$} {files:>14} {found:>14} {:>14}  {result}",
                "-"
            )?;
        }
        if let Some(how) = self
            .traces
            .as_ref()
            .and_then(|traces| traces.truncated.as_ref())
        {
            writeln!(f)?;
            write_line!(f, "only the traces before this are compared: {how}")?;
            writeln!(f)?;
        }
        if let Some(missing) = self.missing_taggings {
            let result = if missing == 0 {
                "all merged".to_owned()
            } else {
                format!("DIFFER: {} are not merged", grouped(missing))
            };
            write_line!(f, "{:width$} {:>44}  {result}", "taggings", "")?;
        }
        if let Some(without) = &self.without_trace {
            tell_without(f, without)?;
        }
        let verdict = if self.agree() {
            "all agree"
        } else {
            "the target differs from the archive"
        };
        writeln!(f)?;
        write_line!(f, "{verdict}")
    }
}

/// The builds that have a trace neither in the table nor in a file: canceled ones, and those whose trace was lost before.
fn tell_without(f: &mut fmt::Formatter<'_>, without: &WithoutTrace) -> fmt::Result {
    let told = |count: Without| {
        let (builds, have_run) = (grouped(count.builds), grouped(count.have_run));
        format!("{builds}, of which {have_run} have run")
    };
    let all = without.all();
    if all.builds == 0 {
        return Ok(());
    }
    writeln!(f)?;
    write_line!(
        f,
        "builds without a trace in the table or in a file: {}",
        told(all)
    )?;
    for (month, count) in &without.months {
        let month = month.as_deref().unwrap_or("no date");
        write_line!(f, "  {month}: {}", told(*count))?;
    }
    Ok(())
}
