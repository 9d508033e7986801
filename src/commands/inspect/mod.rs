//! `ci-import inspect`: shows what is in an archive or dump. Reads it to its end without a database.

mod map;
mod suggest;

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::archive;
use crate::cancellation::Cancellation;
use crate::dump::Databases;
use crate::dump::acceptance::Asked;
use crate::dump::{ABOUT_XML, DumpLimits, Facts};
use crate::error::{Error, Result};
use crate::gitlab::information::Information;
use crate::input::locate::locate;
use crate::input::members::{DumpMember, Part};
use crate::input::open::Input;
use crate::input::packing::unpacked;
use crate::input::source::Source;
use crate::pipeline::converter::Accept;
use crate::pipeline::planned_rows::{PlannedRows, TranscodedRows};
use crate::pipeline::reading::Dump;
use crate::pipeline::sink::Sink;
use crate::rows::{Format, PlannedColumn, Tally, Widening};
use crate::schema::policies::Policies;
use crate::schema::sql;
use crate::schema::{DataType, Note, Table, schema_of};
use crate::traces::{TraceSurvey, survey};
use crate::ui::numbers::grouped;
use crate::ui::progress::Progress;
use crate::ui::shown::{in_column, write_line};

/// The results.
#[derive(Debug, Default)]
pub struct Findings {
    information: Option<Information>,
    traces: Option<TraceSurvey>,
    facts: Facts,
    tables: Vec<FoundTable>,
    notes: Vec<Note>,
    /// The columns of spatial types.
    spatial: Vec<String>,
}

/// A table of the dump.
#[derive(Debug)]
struct FoundTable {
    name: String,
    rows: u64,
    /// The bytes of its rows in the dump.
    bytes: u64,
    tally: Tally,
    /// The columns that need a wider type.
    widenings: Vec<Widening>,
}

/// Reads `source` to its end. No member may inflate to more than `max_inflation` times its size; the dump is kept within
/// `limits`. `database` is the only one of several to look at.
pub fn run(
    source: &Source,
    database: Option<String>,
    (max_inflation, limits): (u32, DumpLimits),
    progress: &Progress,
    cancellation: &Cancellation,
) -> Result<Findings> {
    let mut inspector = Inspector {
        progress,
        databases: database.map_or(Databases::Seen, Databases::Named),
        max_inflation,
        limits,
        findings: Findings::default(),
    };
    let located = locate(source)?;
    let input = cancellation.guard(|| Input::open(&located, progress, cancellation))?;
    input.for_each_part(cancellation, |part| inspector.inspect(part))?;
    Ok(inspector.findings)
}

struct Inspector<'a> {
    progress: &'a Progress,
    databases: Databases,
    max_inflation: u32,
    limits: DumpLimits,
    findings: Findings,
}

impl Inspector<'_> {
    fn inspect(&mut self, part: Part<'_>) -> Result<()> {
        match part {
            Part::Dump(member) => self.dump(member)?,
            Part::Traces(member) => {
                let meter = self.progress.member("reading the traces", member.size, "");
                let reader = meter.watch(member.reader);
                let mut inflated = archive::inflated_within(reader, self.max_inflation);
                self.findings.traces = Some(survey(&mut inflated)?);
            }
            Part::Information(information) => self.findings.information = Some(information),
        }
        Ok(())
    }

    fn dump(&mut self, member: DumpMember<'_>) -> Result<()> {
        let policies = Policies {
            databases: self.databases.clone(),
            ..Policies::to_look()
        };
        let meter = self
            .progress
            .member("reading the database", member.size, "");
        let (reader, packing) = (meter.watch(member.reader), member.packing);
        let dump = Dump {
            name: member.name,
            reader: &mut unpacked(reader, packing, self.max_inflation),
            asked: Asked::Either,
            policies,
            accept: Accept::by(|_, _| Ok(())),
            late_prefix: None,
            limits: self.limits,
        };
        let read = dump.read_into(Observer::default())?;
        let Observer {
            tables, spatial, ..
        } = read.sink;
        self.findings.tables = tables;
        self.findings.spatial = spatial;
        self.findings.notes = read.notes;
        self.findings.facts = read.facts;
        // Those without a name were dropped.
        self.findings.tables.retain(|table| !table.name.is_empty());
        self.findings.name_simply();
        Ok(())
    }
}

/// A sink that only counts.
#[derive(Default)]
struct Observer {
    tables: Vec<FoundTable>,
    spatial: Vec<String>,
    lines: Vec<u8>,
}

impl Sink for Observer {
    fn table(&mut self, table: &Table) -> Result<()> {
        let spatial = table.columns.iter();
        let spatial = spatial.filter(|it| matches!(it.data_type, DataType::Geometry(_)));
        let shown = table.shown();
        self.spatial
            .extend(spatial.map(|column| format!("{shown}.{}", column.name)));
        self.tables.push(FoundTable {
            name: table.shown(),
            rows: 0,
            bytes: 0,
            tally: Tally::default(),
            widenings: Vec::new(),
        });
        Ok(())
    }

    fn rows(&mut self, rows: PlannedRows) -> Result<()> {
        self.lines.clear();
        let found = &mut self.tables[rows.table];
        let mut done = TranscodedRows::default();
        while let Some(widening) = rows.transcode(&found.widenings, &mut self.lines, &mut done)? {
            found.widenings.push(widening);
        }
        if done.rows != rows.chunk.rows {
            return Err(Error::failed(format!(
                "{}: rows were miscounted",
                found.name
            )));
        }
        found.rows += done.rows;
        found.bytes += rows.chunk.bytes.len() as u64;
        found.tally.merge(&done.tally);
        Ok(())
    }

    fn widen(&mut self, number: usize, widening: &Widening) -> Result<()> {
        let widenings = &mut self.tables[number].widenings;
        widenings.retain(|known| known.column != widening.column);
        Ok(())
    }

    fn drop_table(&mut self, number: usize) -> Result<()> {
        self.tables[number].name.clear();
        Ok(())
    }

    fn complete(&mut self, _: usize, _: &Table) -> Result<()> {
        Ok(())
    }

    const FORMAT: Format = Format::Text;

    fn statement(&self, table: &Table, _: &[PlannedColumn], _: Format) -> String {
        sql::identifier(&table.name)
    }
}

impl Findings {
    /// Leaves out the name of the database before the names of tables, if there is only one.
    fn name_simply(&mut self) {
        let [database] = self.facts.databases.as_slice() else {
            return;
        };
        let prefix = format!("{}.", schema_of(database));
        let tables = self.tables.iter_mut().map(|table| &mut table.name);
        let notes = self.notes.iter_mut().map(|note| &mut note.table);
        for name in tables.chain(notes).chain(&mut self.spatial) {
            if let Some(simple) = name.strip_prefix(&prefix) {
                *name = simple.to_owned();
            }
        }
    }

    /// The tables of the dump, with their rows.
    pub fn tables(&self) -> impl Iterator<Item = (&str, u64)> {
        let tables = self.tables.iter();
        tables.map(|table| (table.name.as_str(), table.rows))
    }

    /// The number of traces, and their bytes, if it is an archive.
    #[must_use]
    pub fn trace_counts(&self) -> Option<(u64, u64)> {
        let traces = self.traces.as_ref();
        traces.map(|traces| (traces.files, traces.bytes))
    }

    /// Whether the dump says that it is complete.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.facts.completed
    }

    /// The version of GitLab CI that made the archive.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        let information = self.information.as_ref();
        information.map(|information| information.version.as_str())
    }

    /// As text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.heading(&mut text);
        self.contents(&mut text);
        let needs = self.needs();
        if !needs.is_empty() {
            let _ = writeln!(
                text,
                "\nchanges of an import, and values that need a policy"
            );
            for line in &needs {
                let _ = write_line!(&mut text, "  {line}");
            }
        }
        text + "\nread to the end; no damage was found\n"
    }

    fn heading(&self, text: &mut String) {
        if let Some(information) = &self.information {
            let acceptable = information.check_version().is_ok();
            let no = if acceptable {
                ""
            } else {
                " (not acceptable: only 8.0.* is)"
            };
            let _ = write_line!(text, "archive of GitLab CI {}{no}", information.version);
            if let Some(time) = &information.created_at {
                let _ = write_line!(text, "  made      {time}");
            }
        }
        let facts = &self.facts;
        let unknown = || "not stated".to_owned();
        let dialect = if facts.postgresql {
            "PostgreSQL"
        } else if facts.converted {
            "MySQL, converted by GitLab CI"
        } else if facts.compatible {
            "MySQL, --compatible"
        } else {
            "MySQL"
        };
        let _ = write_line!(text, "  dialect   {dialect}");
        let _ = write_line!(
            text,
            "  from      {}",
            facts.written_by.clone().unwrap_or_else(unknown)
        );
        let _ = write_line!(
            text,
            "  server    {}",
            facts.server_version.clone().unwrap_or_else(unknown)
        );
        let _ = write_line!(
            text,
            "  charset   {}",
            facts.charset.clone().unwrap_or_else(unknown)
        );
        let _ = write_line!(text, "  SQL       {} bytes", grouped(facts.bytes));
        text.push('\n');
    }

    fn contents(&self, text: &mut String) {
        let _ = write_line!(
            text,
            "{:34} {:>12} {:>16} {:>14}",
            "table",
            "rows",
            "bytes",
            "largest row"
        );
        for table in &self.tables {
            let (largest, _) = table.tally.largest_row();
            let (rows, bytes, largest) =
                (grouped(table.rows), grouped(table.bytes), grouped(largest));
            let _ = write_line!(
                text,
                "{:34} {rows:>12} {bytes:>16} {largest:>14}",
                in_column(&table.name)
            );
        }
        if let Some(traces) = &self.traces {
            text.push('\n');
            let _ = write_line!(
                text,
                "{} build traces of {} bytes, of the months {}",
                grouped(traces.files),
                grouped(traces.bytes),
                traces.months.iter().cloned().collect::<Vec<_>>().join(" ")
            );
            if let Some((name, size)) = &traces.largest {
                let _ = write_line!(text, "the largest is {name}, of {} bytes", grouped(*size));
            }
        }
    }

    fn needs(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let databases = &self.facts.databases;
        if databases.len() > 1 {
            lines.push(format!(
                "the dump holds several databases: {} (--from-database, --databases-to-schemas)",
                databases.join(", ")
            ));
        }
        for table in &self.tables {
            for (column, change, found) in table.tally.iter() {
                let (count, what) = (grouped(found.count), change.found());
                lines.push(format!("{}.{column}: {count} {what}", table.name));
            }
        }
        lines.extend(self.notes.iter().map(ToString::to_string));
        lines.extend(
            self.facts
                .left_out
                .iter()
                .map(|(kind, name)| format!("the {kind} {name} is left out")),
        );
        lines.extend(self.facts.xml.then(|| ABOUT_XML.to_owned()));
        lines
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let tables: Vec<Value> = self
            .tables
            .iter()
            .map(|table| {
                let policies: Vec<Value> = table
                    .tally
                    .iter()
                    .map(|(column, change, found)| {
                        json!({"column": column, "found": change.found(), "count": found.count,
                               "first_rows": found.rows})
                    })
                    .collect();
                let (largest, number) = table.tally.largest_row();
                json!({"name": table.name, "rows": table.rows, "bytes": table.bytes,
                       "largest_row": {"bytes": largest, "row": number}, "policies": policies})
            })
            .collect();
        let traces = self.traces.as_ref().map(|traces| {
            json!({"files": traces.files, "bytes": traces.bytes, "months": traces.months,
                   "largest": traces.largest.as_ref().map(|(name, size)| json!({"name": name, "bytes": size}))})
        });
        json!({
            "version": self.information.as_ref().map(|information| &information.version),
            "created_at": self.information.as_ref().and_then(|information| information.created_at.as_ref()),
            "acceptable": self.information.as_ref().map(|information| information.check_version().is_ok()),
            "dialect": match &self.facts {
                Facts { postgresql: true, .. } => "postgresql",
                Facts { converted: true, .. } => "mysql-converted",
                Facts { compatible: true, .. } => "mysql-compatible",
                _ => "mysql",
            },
            "written_by": self.facts.written_by,
            "server_version": self.facts.server_version,
            "charset": self.facts.charset,
            "timestamps_in_utc": self.facts.utc,
            "completed": self.facts.completed,
            "bytes": self.facts.bytes,
            "databases": self.facts.databases,
            "tables": tables,
            "notes": self.notes,
            "traces": traces,
        })
    }
}
