//! The options that an import needs, from what was found in a dump.

use serde_json::{Value, json};

use super::Findings;
use crate::dump::is_of_server;
use crate::rows::{Change, Occurrences};
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

/// Values that an import takes only if a policy says so.
pub(super) struct Needed {
    pub(super) change: Change,
    /// The policy, and its choice.
    pub(super) policy: (&'static str, &'static str),
    /// What becomes of the values.
    pub(super) what: &'static str,
}

impl Needed {
    fn option(&self) -> String {
        let (name, choice) = self.policy;
        format!("--{name} {choice}")
    }
}

/// The policies that a value may need.
pub(super) const NEEDED: [Needed; 3] = [
    Needed {
        change: Change::InvalidDateToNull,
        policy: ("invalid-dates", "null"),
        what: "become NULL",
    },
    Needed {
        change: Change::InvalidReplaced,
        policy: ("invalid-utf8", "replace"),
        what: "have U+FFFD where they are not valid; or --invalid-utf8 latin1, if they are windows-1252",
    },
    Needed {
        change: Change::OutsideDay,
        policy: ("time", "interval"),
        what: "make the column an interval",
    },
];

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

    /// The columns whose type is not supported, with the table and the reason.
    pub(super) fn unsupported(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.notes.iter().filter_map(|note| {
            let why = note.what.strip_prefix(UNSUPPORTED)?;
            Some((note.table.as_str(), note.item.as_deref()?, why))
        })
    }

    /// The databases of the dump without those of the server, if an import must be told which it takes.
    pub(super) fn databases_to_choose(&self) -> Option<Vec<&str>> {
        let all = self.facts.databases.iter();
        let own = all.filter(|name| !is_of_server(name));
        let own: Vec<&str> = own.map(String::as_str).collect();
        (own.len() > 1 || self.facts.databases.len() > own.len()).then_some(own)
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
        if let Some(databases) = self.databases_to_choose() {
            let list = databases.join(", ");
            found.push(always(
                "--databases-to-schemas",
                vec![
                    format!("each of the databases {list} goes to the schema with its name"),
                    "or --from-database NAME, which takes one of them".to_owned(),
                ],
            ));
        }
        for needed in NEEDED {
            let changes = self.changes(needed.change, needed.what);
            if !changes.is_empty() {
                found.push(always(&needed.option(), changes));
            }
        }
        let numbers = self.changes(Change::NumberToTrue, "become true");
        if !numbers.is_empty() && self.information.is_some() {
            found.push(always("--tinyint1 truthy", numbers));
        }
        for (table, column, why) in self.unsupported() {
            let option = format!("--skip-column {table}.{column}");
            found.push(always(&option, vec![format!("it is left out: {why}")]));
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
        let lines = self.with_change(wanted).map(|(table, column, found)| {
            format!("{table}.{column}: {} {what}", values(wanted, found))
        });
        lines.collect()
    }

    /// The tables and columns with this change, and what was found in each.
    pub(super) fn with_change(
        &self,
        wanted: Change,
    ) -> impl Iterator<Item = (&str, &str, &Occurrences)> {
        self.tables.iter().flat_map(move |table| {
            let found = table.tally.iter().filter(move |(_, it, _)| *it == wanted);
            found.map(|(column, _, found)| (table.name.as_str(), column, found))
        })
    }

    fn problems(&self) -> Vec<String> {
        self.changes(Change::BytesAsText, "")
            .into_iter()
            .map(|line| format!("{}: {BYTES_AS_TEXT}", line.trim_end()))
            .collect()
    }
}

/// How many values were found, of which kind, and where.
pub(super) fn values(change: Change, found: &Occurrences) -> String {
    let (count, kind) = (grouped(found.count), change.kind());
    let rows = first_rows(&found.rows, found.count);
    format!("{count} {kind} (rows {rows})")
}

fn tell(text: &mut String, suggestion: &Suggestion) {
    let _ = write_line!(text, "  {}", suggestion.option);
    for change in &suggestion.changes {
        let _ = write_line!(text, "      {change}");
    }
}
