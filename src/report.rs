//! What came of an import, as text for a person to read and keep.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::gitlab::information::Information;
use crate::gitlab::live::LiveChanges;
use crate::load::LoadedTable;
use crate::publish::PREVIOUS_SCHEMA;
use crate::schema::Note;
use crate::traces::TraceSummary;

/// The report of an import that was published.
#[derive(Debug)]
pub struct Report {
    /// The archive's name.
    pub archive: String,
    /// What it says about itself.
    pub information: Information,
    /// The program that wrote its dump.
    pub written_by: Option<String>,
    /// The target.
    pub target: String,
    /// The tables, in the order of the dump.
    pub tables: Vec<LoadedTable>,
    /// What PostgreSQL got differently.
    pub notes: Vec<Note>,
    /// Views, triggers, routines of the dump: kind and name.
    pub left_out: Vec<(&'static str, String)>,
    /// Lines of the dump that are no SQL.
    pub noise: Vec<String>,
    /// The traces.
    pub traces: TraceSummary,
    /// Where they are.
    pub builds: PathBuf,
    /// The tables that were replaced.
    pub replaced: Vec<String>,
    /// Where the replaced traces are.
    pub previous_builds: Option<PathBuf>,
    /// What GitLab's steps did.
    pub live: LiveChanges,
    /// How long it took.
    pub elapsed: Duration,
    /// How to connect to the private server, if that was the target.
    pub connect: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heading(f)?;
        self.table_list(f)?;
        self.changes(f)?;
        self.live_changes(f)?;
        self.what_was_kept(f)?;
        writeln!(f, "\ndone in {:.1} s", self.elapsed.as_secs_f64())?;
        if let Some(connect) = &self.connect {
            writeln!(f, "\n{connect}")?;
        }
        Ok(())
    }
}

impl Report {
    fn heading(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "imported {} (GitLab CI {}",
            self.archive, self.information.version
        )?;
        if let Some(time) = &self.information.created_at {
            write!(f, ", made {time}")?;
        }
        writeln!(f, ")")?;
        if let Some(program) = &self.written_by {
            writeln!(f, "    from {program}")?;
        }
        writeln!(f, "    into {}", self.target)?;
        writeln!(f, "     and {}\n", self.builds.display())
    }

    fn table_list(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:26} {:>14} {:>14}", "table", "rows", "next id")?;
        for loaded in &self.tables {
            let next = loaded.next_value.map_or_else(|| "-".to_owned(), grouped);
            writeln!(
                f,
                "{:26} {:>14} {next:>14}",
                loaded.table.name,
                grouped(loaded.rows)
            )?;
        }
        let traces = &self.traces;
        let (files, bytes) = (grouped(traces.files), grouped(traces.bytes));
        writeln!(f, "{:26} {files:>14} {bytes:>14} bytes", "build traces")
    }

    fn changes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        for loaded in &self.tables {
            let table = &loaded.table.name;
            for (column, change, found) in loaded.tally.iter() {
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
        let notes = self
            .notes
            .iter()
            .chain(self.tables.iter().flat_map(|table| &table.notes));
        lines.extend(notes.map(|note| match &note.item {
            Some(item) => format!("{}.{item}: {}", note.table, note.what),
            None => format!("{}: {}", note.table, note.what),
        }));
        for (kind, name) in &self.left_out {
            lines.push(format!("the {kind} {name} was left out"));
        }
        for line in &self.noise {
            lines.push(format!(
                "a line of the dump that is no SQL was skipped: {line}"
            ));
        }
        if self.live.taggings_without_tag > 0 {
            let count = grouped(self.live.taggings_without_tag);
            lines.push(format!(
                "ci_taggings: {count} without a tag were not merged into taggings"
            ));
        }
        if lines.is_empty() {
            return writeln!(f, "\nno value was changed");
        }
        writeln!(f, "\nchanged on the way")?;
        lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }

    fn live_changes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let live = &self.live;
        let mut lines = Vec::new();
        if let Some(taggings) = live.taggings {
            let (taggings, tags) = (grouped(taggings), grouped(live.new_tags));
            lines.push(format!("merged {taggings} taggings and {tags} new tags"));
        }
        if live.services > 0 {
            lines.push(format!(
                "prefixed the type of {} services with Ci::",
                grouped(live.services)
            ));
        }
        if live.ci_enabled {
            lines.push("switched CI on (application_settings.ci_enabled)".to_owned());
        }
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nin GitLab")?;
        lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }

    fn what_was_kept(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.replaced.is_empty() && self.previous_builds.is_none() {
            return Ok(());
        }
        writeln!(f, "\nkept of what was there before")?;
        if !self.replaced.is_empty() {
            let count = self.replaced.len();
            writeln!(f, "  {count} tables, in the schema {PREVIOUS_SCHEMA}")?;
        }
        if let Some(path) = &self.previous_builds {
            writeln!(f, "  the traces, in {}", path.display())?;
        }
        Ok(())
    }
}

/// A number with a comma at every third digit.
fn grouped(number: impl fmt::Display) -> String {
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
