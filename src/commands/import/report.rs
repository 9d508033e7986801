//! The report of an import, as text and JSON.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::dump::Facts;
use crate::gitlab::information::Information;
use crate::gitlab::live::LiveChanges;
use crate::pipeline::loaded::LoadedTable;
use crate::rows::Tally;
use crate::schema::Note;
use crate::traces::TraceSummary;
use crate::ui::numbers::grouped;
use crate::verify::depth::Depth;

/// The report of a published import.
#[derive(Debug)]
pub struct Report {
    /// The archive's or dump's name.
    pub input: String,
    /// The target.
    pub target: String,
    /// The schema of the tables.
    pub schema: String,
    /// What the dump says about itself.
    pub facts: Facts,
    /// The tables, in the order of the dump.
    pub tables: Vec<LoadedTable>,
    /// The differences in the target.
    pub notes: Vec<Note>,
    /// The replaced tables.
    pub replaced: Vec<String>,
    /// The schema of the replaced tables.
    pub previous_schema: String,
    /// How thoroughly the data was verified before the publish.
    pub verified: Depth,
    /// The part about an archive.
    pub archive: Option<ArchiveReport>,
    /// The duration.
    pub elapsed: Duration,
    /// How to connect to the private server, if that was the target.
    pub connect: Option<String>,
}

/// The part of the report about an archive.
#[derive(Debug)]
pub struct ArchiveReport {
    /// The archive's information file.
    pub information: Information,
    /// The traces.
    pub traces: TraceSummary,
    /// The builds directory.
    pub builds: PathBuf,
    /// The path of the replaced traces.
    pub previous_builds: Option<PathBuf>,
    /// The changes of GitLab's steps.
    pub live: LiveChanges,
    /// How long nobody could read the live tables, if that was measured.
    pub locked: Option<Duration>,
}

/// The changes by a conversion.
#[derive(Debug)]
pub struct Changes {
    /// The tables: name, rows, changes.
    pub tables: Vec<(String, u64, Tally)>,
    /// The differences in the converted dump.
    pub notes: Vec<Note>,
    /// What the dump says about itself.
    pub facts: Facts,
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: u64 = self.tables.iter().map(|(_, rows, _)| rows).sum();
        writeln!(
            f,
            "converted {} tables, {} rows",
            self.tables.len(),
            grouped(rows)
        )?;
        let tallies = self
            .tables
            .iter()
            .map(|(name, _, tally)| (name.as_str(), tally));
        let lines = change_lines(tallies, self.notes.iter(), &self.facts);
        lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// A line for each change of values, and for each difference.
fn change_lines<'a>(
    tallies: impl Iterator<Item = (&'a str, &'a Tally)>,
    notes: impl Iterator<Item = &'a Note>,
    facts: &Facts,
) -> Vec<String> {
    let mut lines = Vec::new();
    for (table, tally) in tallies {
        for (column, change, found) in tally.iter() {
            let rows: Vec<String> = found.rows.iter().map(|row| grouped(*row)).collect();
            let more = if found.count > found.rows.len() as u64 {
                ", …"
            } else {
                ""
            };
            let (count, rows) = (grouped(found.count), rows.join(", "));
            lines.push(format!(
                "{table}.{column}: {count} {change} (rows {rows}{more})"
            ));
        }
    }
    lines.extend(notes.map(|note| match &note.item {
        Some(item) => format!("{}.{item}: {}", note.table, note.what),
        None => format!("{}: {}", note.table, note.what),
    }));
    for (kind, name) in &facts.left_out {
        lines.push(format!("the {kind} {name} was left out"));
    }
    for line in &facts.noise {
        let line = line.replace(char::is_control, "\u{fffd}");
        lines.push(format!("skipped a line that is not SQL: {line}"));
    }
    if !facts.completed {
        let line = if facts.postgresql {
            "-- PostgreSQL database dump complete"
        } else {
            "-- Dump completed"
        };
        lines.push(format!(
            "the dump does not end with \"{line}\", so it may be incomplete"
        ));
    }
    lines
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heading(f)?;
        self.table_list(f)?;
        self.changes(f)?;
        self.live_changes(f)?;
        self.what_was_kept(f)?;
        if let Some(verified) = self.verified.told() {
            writeln!(f, "\nverified before the publish: {verified}")?;
        }
        writeln!(f, "\ndone in {:.1} s", self.elapsed.as_secs_f64())?;
        if let Some(connect) = &self.connect {
            writeln!(f, "\n{connect}")?;
        }
        Ok(())
    }
}

impl Report {
    /// Whether a value was changed in more than its notation, or traces are missing.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        let archive = self.archive.as_ref();
        archive.is_some_and(|archive| archive.traces.truncated.is_some())
            || self.tables.iter().any(|loaded| !loaded.tally.is_empty())
    }

    fn heading(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "imported {}", self.input)?;
        if let Some(archive) = &self.archive {
            write!(f, " (GitLab CI {}", archive.information.version)?;
            if let Some(time) = &archive.information.created_at {
                write!(f, ", made {time}")?;
            }
            write!(f, ")")?;
        }
        writeln!(f)?;
        if let Some(program) = &self.facts.written_by {
            writeln!(f, "    from {program}")?;
        }
        writeln!(f, "    into {}", self.target)?;
        if let Some(archive) = &self.archive {
            writeln!(f, "     and {}", archive.builds.display())?;
        }
        writeln!(f)
    }

    fn table_list(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.tables.iter().map(|loaded| loaded.name.chars().count());
        let width = names.max().unwrap_or(0).max(26);
        writeln!(f, "{:width$} {:>14} {:>14}", "table", "rows", "next id")?;
        for loaded in &self.tables {
            let next = loaded.next_value.map_or_else(|| "-".to_owned(), grouped);
            writeln!(
                f,
                "{:width$} {:>14} {next:>14}",
                loaded.name,
                grouped(loaded.rows)
            )?;
        }
        let Some(ArchiveReport { traces, .. }) = &self.archive else {
            return Ok(());
        };
        let (files, bytes) = (grouped(traces.files), grouped(traces.bytes));
        writeln!(f, "{:width$} {files:>14} {bytes:>14} bytes", "build traces")?;
        match &traces.truncated {
            None => Ok(()),
            Some(how) => writeln!(f, "\nsome traces are missing: {how}"),
        }
    }

    fn changes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tallies = self
            .tables
            .iter()
            .map(|table| (table.name.as_str(), &table.tally));
        let mut lines = change_lines(tallies, self.all_notes(), &self.facts);
        let orphans = self
            .archive
            .as_ref()
            .and_then(|archive| archive.live.tags.as_ref())
            .map_or(0, |tags| tags.taggings_without_tag);
        if orphans > 0 {
            let count = grouped(orphans);
            lines.push(format!(
                "ci_taggings: {count} without a tag were not merged into taggings"
            ));
        }
        if lines.is_empty() {
            return writeln!(f, "\nno value was changed");
        }
        writeln!(f, "\nchanged during the import")?;
        lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }

    fn all_notes(&self) -> impl Iterator<Item = &Note> {
        self.notes
            .iter()
            .chain(self.tables.iter().flat_map(|table| &table.notes))
    }

    fn live_changes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(ArchiveReport { live, locked, .. }) = &self.archive else {
            return Ok(());
        };
        let mut lines = Vec::new();
        if let Some(merged) = &live.tags {
            let (taggings, tags) = (grouped(merged.taggings), grouped(merged.new_tags));
            lines.push(format!("merged {taggings} taggings and {tags} new tags"));
        }
        if live.services > 0 {
            lines.push(format!(
                "prefixed the type of {} services with Ci::",
                grouped(live.services)
            ));
        }
        lines.extend(live.sequences.clone());
        if live.ci_enabled {
            lines.push("switched CI on (application_settings.ci_enabled)".to_owned());
        }
        if let Some(locked) = locked {
            lines.push(format!(
                "the live tables were locked for {:.2} s",
                locked.as_secs_f64()
            ));
        }
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nin GitLab")?;
        lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }

    fn what_was_kept(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let previous = self
            .archive
            .as_ref()
            .and_then(|archive| archive.previous_builds.as_ref());
        if self.replaced.is_empty() && previous.is_none() {
            return Ok(());
        }
        writeln!(f, "\nreplaced data that is kept")?;
        if !self.replaced.is_empty() {
            let count = self.replaced.len();
            let previous = &self.previous_schema;
            writeln!(f, "  {count} tables, in the schema {previous}")?;
        }
        if let Some(path) = previous {
            writeln!(f, "  the traces, in {}", path.display())?;
        }
        Ok(())
    }

    /// The report as JSON. Numbers are numbers; what does not apply is null.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let tables: Vec<Value> = self.tables.iter().map(table_json).collect();
        let notes: Vec<Value> = self
            .all_notes()
            .map(|note| json!({"table": note.table, "item": note.item, "what": note.what}))
            .collect();
        let left_out: Vec<Value> = self
            .facts
            .left_out
            .iter()
            .map(|(kind, name)| json!({"kind": kind, "name": name}))
            .collect();
        let archive = self.archive.as_ref().map(|archive| {
            let tags = archive.live.tags.as_ref();
            json!({
                "version": archive.information.version,
                "created_at": archive.information.created_at,
                "db_version": archive.information.db_version,
                "traces": {
                    "files": archive.traces.files,
                    "bytes": archive.traces.bytes,
                    "truncated": archive.traces.truncated,
                },
                "builds": archive.builds,
                "previous_builds": archive.previous_builds,
                "ci_enabled": archive.live.ci_enabled,
                "taggings": tags.map(|tags| tags.taggings),
                "new_tags": tags.map_or(0, |tags| tags.new_tags),
                "taggings_without_tag": tags.map_or(0, |tags| tags.taggings_without_tag),
                "services_prefixed": archive.live.services,
                "sequences": archive.live.sequences,
                "locked_seconds": archive.locked.map(|locked| locked.as_secs_f64()),
            })
        });
        json!({
            "input": self.input,
            "target": self.target,
            "schema": self.schema,
            "written_by": self.facts.written_by,
            "server_version": self.facts.server_version,
            "charset": self.facts.charset,
            "tables": tables,
            "notes": notes,
            "left_out": left_out,
            "skipped_lines": self.facts.noise,
            "dump_completed": self.facts.completed,
            "replaced": self.replaced,
            "previous_schema": (!self.replaced.is_empty()).then_some(&self.previous_schema),
            "verified": match self.verified {
                Depth::Full => "full",
                Depth::Count => "count",
                Depth::None => "none",
            },
            "archive": archive,
            "seconds": self.elapsed.as_secs_f64(),
        })
    }
}

fn table_json(loaded: &LoadedTable) -> Value {
    let changes: Vec<Value> = loaded
        .tally
        .iter()
        .map(|(column, change, found)| {
            json!({
                "column": column,
                "change": change.to_string(),
                "count": found.count,
                "first_rows": found.rows,
            })
        })
        .collect();
    json!({
        "name": loaded.name,
        "rows": loaded.rows,
        "next_value": loaded.next_value,
        "changes": changes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (-1_234_567, "-1,234,567"),
        ];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }
}
