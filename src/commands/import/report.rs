//! The report of an import, as text and JSON.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::loaded::{Loaded, change_lines, codes_of, line_of_codes};
use crate::dump::Facts;
use crate::error::codes::Code;
use crate::gitlab::live::LiveChanges;
use crate::rows::Tally;
use crate::schema::Note;
use crate::ui::numbers::grouped;
use crate::ui::shown::{in_column, write_line};
use crate::ui::times::{PartTime, totals};

/// The report of a published import.
#[derive(Debug)]
pub struct Report {
    /// What was loaded.
    pub(in crate::commands) loaded: Loaded,
    /// When it was loaded, if that was an earlier run.
    pub(in crate::commands) loaded_at: Option<String>,
    /// The target.
    pub(in crate::commands) target: String,
    /// The schema of the tables.
    pub(in crate::commands) schema: String,
    /// What replaced tables had, and the new ones do not have.
    pub(in crate::commands) lost: Vec<Note>,
    /// The replaced tables.
    pub(in crate::commands) replaced: Vec<String>,
    /// The schema of the replaced tables.
    pub(in crate::commands) previous_schema: String,
    /// The part about an archive.
    pub(in crate::commands) archive: Option<ArchiveReport>,
    /// The duration.
    pub(in crate::commands) elapsed: Duration,
    /// When the parts of the work began and ended.
    pub(in crate::commands) parts: Vec<PartTime>,
    /// When each table was loaded, if it was now.
    pub(in crate::commands) table_times: Vec<TableTime>,
    /// How to connect to the private server, if that was the target.
    pub(in crate::commands) connect: Option<String>,
}

/// The part of the report about the publish of an archive.
#[derive(Debug)]
pub(in crate::commands) struct ArchiveReport {
    /// Where the traces are: the path of a directory, or the URL of a prefix.
    pub(in crate::commands) builds: String,
    /// Where the replaced traces are.
    pub(in crate::commands) previous_builds: Option<String>,
    /// The changes of GitLab's steps.
    pub(in crate::commands) live: LiveChanges,
    /// How long nobody could read the live tables, if that was measured.
    pub(in crate::commands) locked: Option<Duration>,
}

/// When a table was loaded, since the start of the command.
#[derive(Debug, Clone)]
pub struct TableTime {
    /// The table.
    pub(in crate::commands) name: String,
    /// When its first rows came.
    pub(in crate::commands) begin: Duration,
    /// When its last rows were committed and its last index was built.
    pub(in crate::commands) end: Duration,
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

/// What comes after an import into a GitLab.
const NEXT: [&str; 4] = [
    "restart GitLab: sudo gitlab-ctl hup unicorn && sudo gitlab-ctl restart sidekiq",
    "    (of an installation from source: sudo service gitlab reload)",
    "compare again, before anybody uses CI: ci-import verify, with the options of the import",
    "go back: ci-import rollback; remove what is kept: ci-import discard",
];

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: u64 = self.tables.iter().map(|(_, rows, _)| rows).sum();
        write_line!(
            f,
            "converted {} tables, {} rows",
            self.tables.len(),
            grouped(rows)
        )?;
        let tallies = self
            .tables
            .iter()
            .map(|(name, _, tally)| (name.clone(), tally));
        let lines = change_lines(tallies, self.notes.iter(), &self.facts);
        for (_, line) in &lines {
            write_line!(f, "  {line}")?;
        }
        let codes = codes_of(lines.iter().map(|(code, _)| *code));
        line_of_codes(&codes).map_or(Ok(()), |line| write_line!(f, "{line}"))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heading(f)?;
        self.table_list(f)?;
        self.changes(f)?;
        self.live_changes(f)?;
        self.encrypted_values(f)?;
        self.what_was_kept(f)?;
        if let Some(verified) = &self.loaded.verified {
            writeln!(f)?;
            write_line!(f, "verified before the publish: {verified}")?;
        }
        writeln!(f)?;
        self.times(f)?;
        self.next(f)?;
        if let Some(connect) = &self.connect {
            writeln!(f)?;
            for part in connect.lines() {
                write_line!(f, "{part}")?;
            }
        }
        Ok(())
    }
}

impl Report {
    /// Where the time went. Parts that worked at the same time are more than the whole together.
    fn times(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line!(f, "done in {:.1} s", self.elapsed.as_secs_f64())?;
        let totals = totals(&self.parts, self.elapsed);
        let width = totals.iter().map(|(name, _)| name.chars().count()).max();
        let width = width.unwrap_or(0);
        for (name, took) in totals {
            write_line!(f, "  {name:width$} {:>8.1} s", took.as_secs_f64())?;
        }
        Ok(())
    }

    /// What an admin does after an import into a GitLab.
    fn next(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let live = self.archive.as_ref().map(|archive| &archive.live);
        if !live.is_some_and(|live| live.ci_enabled || live.ci_left_off) {
            return Ok(());
        }
        writeln!(f, "\nnext")?;
        for line in NEXT {
            write_line!(f, "  {line}")?;
        }
        Ok(())
    }

    /// When the parts of the work began and ended.
    #[must_use]
    pub fn parts(&self) -> &[PartTime] {
        &self.parts
    }

    /// When each table was loaded, if it was now: its name, begin and end.
    #[must_use]
    pub fn table_times(&self) -> Vec<(String, Duration, Duration)> {
        let times = self.table_times.iter();
        times
            .map(|table| (table.name.clone(), table.begin, table.end))
            .collect()
    }

    /// Whether something was replaced, which is kept.
    #[must_use]
    pub fn has_replaced(&self) -> bool {
        let archive = self.archive.as_ref();
        !self.replaced.is_empty() || archive.is_some_and(|it| it.previous_builds.is_some())
    }

    /// Whether a value was changed in more than its notation, or traces are missing.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.loaded.has_changes
    }

    fn heading(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = match &self.loaded_at {
            None => "imported",
            Some(_) => "published",
        };
        let archive = self.loaded.version.as_ref().map(|version| {
            let made = self.loaded.created_at.as_ref();
            let made = made.map(|time| format!(", made {time}"));
            format!(" (GitLab CI {version}{})", made.unwrap_or_default())
        });
        let archive = archive.unwrap_or_default();
        write_line!(f, "{done} {}{archive}", self.loaded.input)?;
        if let Some(time) = &self.loaded_at {
            write_line!(f, "  loaded at {time}")?;
        }
        if let Some(program) = &self.loaded.written_by {
            write_line!(f, "    from {program}")?;
        }
        write_line!(f, "    into {}", self.target)?;
        if !self.loaded.schemas.is_empty() {
            write_line!(f, "      in the schemas {}", self.loaded.schemas.join(", "))?;
        }
        if let Some(archive) = &self.archive {
            write_line!(f, "     and {}", archive.builds)?;
        }
        writeln!(f)
    }

    fn table_list(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables = &self.loaded.tables;
        let names = tables.iter().map(|table| in_column(&table.name));
        let width = names.map(|name| name.chars().count()).max();
        let width = width.unwrap_or(0).max(26);
        writeln!(f, "{:width$} {:>14} {:>14}", "table", "rows", "next id")?;
        for table in tables {
            let next = table.next_value.map_or_else(|| "-".to_owned(), grouped);
            write_line!(
                f,
                "{:width$} {:>14} {next:>14}",
                in_column(&table.name),
                grouped(table.rows)
            )?;
        }
        let Some(traces) = &self.loaded.traces else {
            return Ok(());
        };
        let (files, bytes) = (grouped(traces.files), grouped(traces.bytes));
        write_line!(f, "{:width$} {files:>14} {bytes:>14} bytes", "build traces")?;
        match &traces.truncated {
            None => Ok(()),
            Some(how) => {
                writeln!(f)?;
                write_line!(
                    f,
                    "some traces are missing: {how} [{}]",
                    Code::TracesMissing
                )
            }
        }
    }

    fn changes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.loaded.changes.clone();
        lines.extend(self.lost.iter().map(ToString::to_string));
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
        lines
            .iter()
            .try_for_each(|line| write_line!(f, "  {line}"))?;
        let mut codes = self.loaded.codes.clone();
        codes.extend(self.lost.iter().map(|note| note.code.to_string()));
        codes.extend((orphans > 0).then(|| Code::TaggingWithoutTag.to_string()));
        codes.sort_unstable();
        codes.dedup();
        line_of_codes(&codes).map_or(Ok(()), |line| write_line!(f, "{line}"))
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
        if live.ci_left_off {
            lines.push(
                "left CI off (application_settings.ci_enabled): switch it on in the Admin Area"
                    .to_owned(),
            );
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
        lines.iter().try_for_each(|line| write_line!(f, "  {line}"))
    }

    fn encrypted_values(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.loaded.encrypted.lines();
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nencrypted values")?;
        lines.iter().try_for_each(|line| write_line!(f, "  {line}"))
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
            let mut previous = self.previous_schema.clone();
            if !self.loaded.schemas.is_empty() {
                previous.push_str(".NAME, of the schema NAME");
            }
            write_line!(f, "  {count} tables, in the schema {previous}")?;
        }
        if let Some(place) = previous {
            write_line!(f, "  the traces, in {place}")?;
        }
        Ok(())
    }

    /// The report as JSON. Numbers are numbers; what does not apply is null.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut report = self.loaded.json.clone();
        if let Some(notes) = report["notes"].as_array_mut() {
            notes.extend(self.lost.iter().map(|note| json!(note)));
        }
        if let Some(archive) = &self.archive {
            let tags = archive.live.tags.as_ref();
            let published = json!({
                "builds": archive.builds,
                "previous_builds": archive.previous_builds,
                "ci_enabled": archive.live.ci_enabled,
                "taggings": tags.map(|tags| tags.taggings),
                "new_tags": tags.map_or(0, |tags| tags.new_tags),
                "taggings_without_tag": tags.map_or(0, |tags| tags.taggings_without_tag),
                "services_prefixed": archive.live.services,
                "sequences": archive.live.sequences,
                "locked_seconds": archive.locked.map(|locked| locked.as_secs_f64()),
            });
            merge(&mut report["archive"], published);
        }
        let published = json!({
            "loaded_at": self.loaded_at,
            "target": self.target,
            "schema": self.loaded.schemas.is_empty().then_some(&self.schema),
            "schemas": self.loaded.schemas,
            "replaced": self.replaced,
            "previous_schema": (!self.replaced.is_empty()).then_some(&self.previous_schema),
            "seconds": self.elapsed.as_secs_f64(),
        });
        merge(&mut report, published);
        report
    }
}

/// Adds the values of one object to another.
fn merge(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
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
