//! The options that an import needs, from what was found in a dump.

use serde_json::{Value, json};

use super::Findings;
use crate::dump::is_of_server;
use crate::rows::Change;
use crate::schema::UNSUPPORTED;
use crate::ui::numbers::{first_rows, grouped};
use crate::ui::shown::write_line;

/// An option, and what it is for.
#[derive(Debug, PartialEq, Eq)]
struct Suggestion {
    option: String,
    /// When it is needed, if not always.
    condition: Option<&'static str>,
    /// What it changes, a line for each column.
    changes: Vec<String>,
}

/// What no option takes.
const BYTES_AS_TEXT: &str = "binary values were decoded as a text by the shell that wrote the dump: make it again with --hex-blob";

impl Findings {
    /// The suggestions as text.
    #[must_use]
    pub fn suggestions_to_text(&self) -> String {
        let (suggestions, problems) = (self.suggestions(), self.problems());
        let mut text = String::new();
        let (always, sometimes): (Vec<_>, Vec<_>) = suggestions
            .iter()
            .partition(|suggestion| suggestion.condition.is_none());
        if always.is_empty() {
            text.push_str("an import into PostgreSQL needs no option\n");
        } else {
            text.push_str("an import into PostgreSQL needs these options\n");
        }
        for suggestion in always {
            tell(&mut text, suggestion);
        }
        for suggestion in sometimes {
            let condition = suggestion.condition.unwrap_or_default();
            text.push('\n');
            let _ = write_line!(&mut text, "{condition}");
            tell(&mut text, suggestion);
        }
        if !problems.is_empty() {
            text.push_str("\nno option takes this\n");
        }
        for problem in problems {
            let _ = write_line!(&mut text, "  {problem}");
        }
        text
    }

    /// The suggestions as JSON.
    #[must_use]
    pub fn suggestions_to_json(&self) -> Value {
        let suggestions = self.suggestions().into_iter().map(|suggestion| {
            json!({
                "option": suggestion.option,
                "condition": suggestion.condition,
                "changes": suggestion.changes,
            })
        });
        json!({
            "options": suggestions.collect::<Vec<_>>(),
            "problems": self.problems(),
        })
    }

    fn suggestions(&self) -> Vec<Suggestion> {
        let mut found = Vec::new();
        let always = |option: &str, changes: Vec<String>| Suggestion {
            option: option.to_owned(),
            condition: None,
            changes,
        };
        if self.information.is_some() && !self.facts.postgresql && !self.facts.converted {
            let what = "the archive's dump of MySQL is converted".to_owned();
            found.push(always("--mysql-to-postgresql", vec![what]));
        }
        let databases = self.facts.databases.iter();
        let databases = databases.filter(|name| !is_of_server(name));
        let databases: Vec<&str> = databases.map(String::as_str).collect();
        if databases.len() > 1 || self.facts.databases.len() > databases.len() {
            let list = databases.join(", ");
            found.push(always(
                "--databases-to-schemas",
                vec![
                    format!("each of the databases {list} goes to the schema with its name"),
                    "or --from-database NAME, which takes one of them".to_owned(),
                ],
            ));
        }
        for (option, change, what) in [
            (
                "--invalid-dates null",
                Change::InvalidDateToNull,
                "become NULL",
            ),
            (
                "--invalid-utf8 replace",
                Change::InvalidReplaced,
                "have U+FFFD where they are not valid; or --invalid-utf8 latin1, if they are windows-1252",
            ),
            (
                "--time interval",
                Change::OutsideDay,
                "make the column an interval",
            ),
        ] {
            let changes = self.changes(change, what);
            if !changes.is_empty() {
                found.push(always(option, changes));
            }
        }
        let numbers = self.changes(Change::NumberToTrue, "become true");
        if !numbers.is_empty() && self.information.is_some() {
            found.push(always("--tinyint1 truthy", numbers));
        }
        for note in &self.notes {
            if let (Some(column), Some(why)) = (&note.item, note.what.strip_prefix(UNSUPPORTED)) {
                let option = format!("--skip-column {}.{column}", note.table);
                found.push(always(&option, vec![format!("it is left out: {why}")]));
            }
        }
        if !self.spatial.is_empty() {
            found.push(Suggestion {
                option: "--geometry wkb".to_owned(),
                condition: Some("and if the database does not have the extension postgis"),
                changes: self
                    .spatial
                    .iter()
                    .map(|column| format!("{column} becomes bytea with WKB"))
                    .collect(),
            });
        }
        found
    }

    /// A line for each column with this change.
    fn changes(&self, wanted: Change, what: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for table in &self.tables {
            for (column, change, found) in table.tally.iter().filter(|(_, it, _)| *it == wanted) {
                let (count, kind) = (grouped(found.count), change.kind());
                let rows = first_rows(&found.rows, found.count);
                let name = &table.name;
                lines.push(format!(
                    "{name}.{column}: {count} {kind} (rows {rows}) {what}"
                ));
            }
        }
        lines
    }

    fn problems(&self) -> Vec<String> {
        self.changes(Change::BytesAsText, "")
            .into_iter()
            .map(|line| format!("{}: {BYTES_AS_TEXT}", line.trim_end()))
            .collect()
    }
}

fn tell(text: &mut String, suggestion: &Suggestion) {
    let _ = write_line!(text, "  {}", suggestion.option);
    for change in &suggestion.changes {
        let _ = write_line!(text, "      {change}");
    }
}
