//! What the report says of the loaded data. It is a part of the record of a staging that is kept, too.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::encrypted::EncryptedValues;
use crate::dump::{ABOUT_XML, Facts};
use crate::error::codes::Code;
use crate::gitlab::information::Information;
use crate::pipeline::loaded::{LoadedDump, LoadedTable};
use crate::rows::Tally;
use crate::schema::{Note, schemas_of};
use crate::traces::TraceSummary;
use crate::ui::numbers::{first_rows, grouped};
use crate::verify::depth::Depth;

/// The loaded data.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::commands) struct Loaded {
    /// The archive's or dump's name.
    pub(super) input: String,
    /// The program that wrote the dump.
    pub(super) written_by: Option<String>,
    /// The version of the GitLab CI that made the archive.
    pub(super) version: Option<String>,
    /// When it was made.
    pub(super) created_at: Option<String>,
    /// The tables, in the order of the dump.
    pub(super) tables: Vec<Line>,
    /// Their schemas, if each database of the dump has one.
    #[serde(default)]
    pub(super) schemas: Vec<String>,
    /// The traces of an archive.
    pub(super) traces: Option<Traces>,
    /// The differences in the target.
    pub(super) changes: Vec<String>,
    /// Whether a value was changed in more than its notation, or traces are missing.
    pub(super) has_changes: bool,
    /// The encrypted values. An earlier version of the program recorded none.
    #[serde(default)]
    pub(super) encrypted: EncryptedValues,
    /// The codes of the changes and notes.
    #[serde(default)]
    pub(super) codes: Vec<String>,
    /// How thoroughly the data was verified.
    pub(super) verified: Option<String>,
    /// All of it for the report as JSON.
    pub(super) json: Value,
}

/// A line about a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) rows: u64,
    pub(super) next_value: Option<i64>,
}

/// The traces of an archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Traces {
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) truncated: Option<String>,
}

impl Loaded {
    /// What the report says of `dump`, which `input` contains, and of the archive. The notes `missing` are about tables
    /// that the dump does not have.
    pub(super) fn of(
        input: &str,
        dump: &LoadedDump,
        missing: &[Note],
        archive: Option<(&Information, &TraceSummary)>,
        verified: Depth,
    ) -> Loaded {
        let LoadedDump {
            tables,
            notes,
            facts,
        } = dump;
        let notes = || {
            let of_tables = tables.iter().flat_map(|table| &table.notes);
            notes.iter().chain(missing).chain(of_tables)
        };
        let tallies = tables.iter().map(|table| (table.shown(), &table.tally));
        let is_truncated = archive.is_some_and(|(_, traces)| traces.truncated.is_some());
        let left_out = facts.left_out.iter();
        let left_out = left_out.map(|(kind, name)| json!({"kind": kind, "name": name}));
        let json = json!({
            "input": input,
            "written_by": facts.written_by,
            "server_version": facts.server_version,
            "charset": facts.charset,
            "utf16": facts.utf16.map(|utf16| json!({"replacement_characters": utf16.replaced})),
            "xml": facts.xml,
            "tables": tables.iter().map(|table| table_json(table, verified)).collect::<Value>(),
            "notes": notes().collect::<Vec<_>>(),
            "left_out": left_out.collect::<Value>(),
            "skipped_lines": facts.noise,
            "dump_completed": facts.completed,
            "verified": match verified {
                Depth::Full => "full",
                Depth::Count => "count",
                Depth::None => "none",
            },
            "archive": archive.map(|(information, traces)| json!({
                "version": information.version,
                "created_at": information.created_at,
                "db_version": information.db_version,
                "traces": {
                    "files": traces.files,
                    "bytes": traces.bytes,
                    "truncated": traces.truncated,
                },
            })),
        });
        let changes = change_lines(tallies, notes(), facts);
        Loaded {
            input: input.to_owned(),
            written_by: facts.written_by.clone(),
            version: archive.map(|(information, _)| information.version.clone()),
            created_at: archive.and_then(|(information, _)| information.created_at.clone()),
            codes: codes_of(changes.iter().map(|(code, _)| *code)),
            changes: changes.into_iter().map(|(_, line)| line).collect(),
            has_changes: is_truncated
                || facts.utf16.is_some_and(|utf16| utf16.replaced > 0)
                || tables.iter().any(|table| !table.tally.is_empty()),
            tables: tables.iter().map(Line::of).collect(),
            schemas: schemas_of(tables.iter().map(|table| table.schema.as_deref())),
            traces: archive.map(|(_, traces)| Traces {
                files: traces.files,
                bytes: traces.bytes,
                truncated: traces.truncated.clone(),
            }),
            encrypted: EncryptedValues::default(),
            verified: verified.told(archive.is_some()).map(str::to_owned),
            json,
        }
    }

    /// Adds what is known of encrypted values.
    pub(super) fn with_encrypted(mut self, encrypted: EncryptedValues) -> Loaded {
        self.json["encrypted_values"] = json!({
            "values": encrypted.values,
            "decrypt": encrypted.secrets.as_ref().map(|_| encrypted.values),
            "never_encrypted": encrypted.never_encrypted,
        });
        self.encrypted = encrypted;
        self
    }
}

impl Line {
    fn of(table: &LoadedTable) -> Line {
        Line {
            name: table.shown(),
            rows: table.rows,
            next_value: table.next_value,
        }
    }
}

/// A line for each change of values, and for each difference, with its code.
pub(super) fn change_lines<'a>(
    tallies: impl Iterator<Item = (String, &'a Tally)>,
    notes: impl Iterator<Item = &'a Note>,
    facts: &Facts,
) -> Vec<(Code, String)> {
    let mut lines = Vec::new();
    for (table, tally) in tallies {
        for (column, change, found) in tally.iter() {
            let count = grouped(found.count);
            let rows = first_rows(&found.rows, found.count);
            let line = format!("{table}.{column}: {count} {change} (rows {rows})");
            lines.push((change.code(), line));
        }
    }
    lines.extend(notes.map(|note| (note.code, note.to_string())));
    for (kind, name) in &facts.left_out {
        let line = format!("the {kind} {name} was left out");
        lines.push((Code::ObjectLeftOut, line));
    }
    if let Some(utf16) = facts.utf16 {
        let line = "the dump was in UTF-16, as PowerShell writes it, and was read as the characters that it has";
        lines.push((Code::DumpInUtf16, line.to_owned()));
        if utf16.replaced > 0 {
            let count = grouped(utf16.replaced);
            let line = format!(
                "the dump has {count} characters U+FFFD: the shell that wrote it may have lost characters; make it with \
                 --result-file=FILE"
            );
            lines.push((Code::DumpInUtf16, line));
        }
    }
    lines.extend(facts.xml.then(|| (Code::DumpInXml, ABOUT_XML.to_owned())));
    for line in &facts.noise {
        let line = format!("skipped a line that is not SQL: {line}");
        lines.push((Code::NotSql, line));
    }
    lines.extend(may_be_incomplete(facts).map(|line| (Code::MayBeIncomplete, line)));
    lines
}

/// What is said of a dump without its end.
fn may_be_incomplete(facts: &Facts) -> Option<String> {
    if facts.completed {
        return None;
    }
    let program = facts.written_by.as_deref().unwrap_or_default();
    if program.starts_with("phpMyAdmin") {
        let line = "phpMyAdmin has not marked the end of the dump, so it may be incomplete";
        return Some(line.to_owned());
    }
    let line = if facts.postgresql {
        "-- PostgreSQL database dump complete"
    } else {
        "-- Dump completed"
    };
    Some(format!(
        "the dump does not end with \"{line}\", so it may be incomplete"
    ))
}

/// The texts of `codes`, each once.
pub(super) fn codes_of(codes: impl Iterator<Item = Code>) -> Vec<String> {
    let codes: BTreeSet<&str> = codes.map(Code::text).collect();
    codes.into_iter().map(str::to_owned).collect()
}

/// Where the report says what the codes mean; none if there are none.
pub(super) fn line_of_codes(codes: &[String]) -> Option<String> {
    (!codes.is_empty()).then(|| format!("ci-import explain CODE says more: {}", codes.join(", ")))
}

/// A staged table whose rows are not as many as in the dump is an error, so what was found is what was loaded.
fn table_json(loaded: &LoadedTable, verified: Depth) -> Value {
    let changes: Vec<Value> = loaded
        .tally
        .iter()
        .map(|(column, change, found)| {
            json!({
                "column": column,
                "change": change.to_string(),
                "code": change.code(),
                "policy": change.policy(),
                "count": found.count,
                "first_rows": found.rows,
            })
        })
        .collect();
    json!({
        "schema": loaded.schema,
        "name": loaded.name,
        "rows": loaded.rows,
        "next_value": loaded.next_value,
        "bytes": loaded.work.bytes,
        "rows_found": (verified != Depth::None).then_some(loaded.rows),
        "checked": match verified {
            Depth::Full => Some("checksum"),
            Depth::Count => Some("count"),
            Depth::None => None,
        },
        "changes": changes,
    })
}
