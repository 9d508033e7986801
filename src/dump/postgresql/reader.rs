//! Reads a PostgreSQL dump in blocks, and passes on definitions and chunks of whole rows.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use memchr::memchr;

use super::convert_notation::{CONVERTED, CONVERTED_COMPLETE};
use super::databases::Databases;
use super::definition::{Definition, SetColumns};
use super::dump_statement::DumpStatement;
use super::row_heads::{insert_head, is_end_of_insert};
use super::splitter::{Piece, Splitter, refused_line};
use super::statement::classify;
use super::table::numbered_columns;
use super::values::write_line;
use crate::dump::bounds::{MAX_NAMES, remembered, unknown_statement};
use crate::dump::events::{Facts, InsertTarget, RowChunk};
use crate::dump::limits::{CHUNK_BYTES, Definitions, DumpLimits, LargeRows};
use crate::error::{Error, Result};

/// PostgreSQL's limit of a row is 1 GiB; escapes may double it.
const MAX_ROW_BYTES: usize = 2 * 1024 * 1024 * 1024;

/// The comments around a dump.
const BEGIN: &str = "PostgreSQL database dump";
const COMPLETE: &str = "PostgreSQL database dump complete";
const SERVER: &str = "Dumped from database version ";
const PROGRAM: &str = "Dumped by pg_dump version ";

/// What is left out, for an error about its count.
const LEFT_OUT: &str = "views, functions, …";

/// Takes what the reader finds.
pub trait Consumer {
    /// A definition.
    fn definition(&mut self, definition: Definition) -> Result<()>;
    /// Whole rows of one table, as lines of COPY's text format.
    fn rows(&mut self, rows: RowChunk) -> Result<()>;
    /// The end of the dump.
    fn end(&mut self) -> Result<()>;
    /// A used buffer of a chunk for reuse, if there is one.
    fn spare(&mut self) -> Option<Vec<u8>> {
        None
    }
}

/// The position of the next byte in the dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Sql,
    /// Behind the semicolon of a COPY, before the end of its line.
    CopyHead,
    /// In the lines of a COPY.
    CopyLines,
}

/// A reader of one dump. `feed` takes its blocks in order, `finish` ends it.
pub struct Reader<C> {
    splitter: Splitter,
    consumer: C,
    facts: Facts,
    place: Place,
    /// Whether backslashes escape in ordinary strings.
    escapes: bool,
    limits: DumpLimits,
    large: LargeRows,
    definitions: Definitions,
    chunk: Chunk,
    /// The head of the last INSERT, as it is written: most heads are the same as the one before.
    head: Vec<u8>,
    /// Offset of the tuple that is being read.
    tuple_offset: u64,
    spare: Vec<u8>,
    /// Rows of each table so far.
    rows: HashMap<String, u64>,
    /// The comment that must be the last one; the first comment decides that.
    last_comment: Option<&'static str>,
    databases: Databases,
    /// The functions that set columns to the current time, of which no trigger is known yet.
    functions: BTreeMap<String, SetColumns>,
    /// Whether the rows that are read are of a database that is not taken.
    skips_rows: bool,
}

/// The lines of the next chunk.
#[derive(Debug, Default)]
struct Chunk {
    target: Option<Arc<InsertTarget>>,
    bytes: Vec<u8>,
    offset: u64,
    rows: u64,
    /// Where the last whole line ends.
    end: usize,
}

impl<C: Consumer> Reader<C> {
    /// A reader that passes what it finds to `consumer`.
    pub fn new(consumer: C) -> Self {
        Reader {
            splitter: Splitter::new(),
            consumer,
            facts: Facts {
                postgresql: true,
                ..Facts::default()
            },
            place: Place::Sql,
            escapes: false,
            limits: DumpLimits::default(),
            large: LargeRows::default(),
            definitions: Definitions::default(),
            chunk: Chunk::default(),
            head: Vec::new(),
            tuple_offset: 0,
            spare: Vec::new(),
            rows: HashMap::new(),
            last_comment: None,
            databases: Databases::default(),
            functions: BTreeMap::new(),
            skips_rows: false,
        }
    }

    /// The reader, for a dump of which these databases are taken.
    #[must_use]
    pub fn of_databases(mut self, databases: crate::dump::Databases) -> Self {
        self.databases = Databases::wanted(databases);
        self
    }

    /// The reader, within `limits`.
    #[must_use]
    pub fn within(mut self, limits: DumpLimits) -> Self {
        self.limits = limits;
        self.large = LargeRows::within(limits);
        self.definitions = Definitions::within(limits);
        self
    }

    /// Takes the next bytes of the dump; they may be cut anywhere.
    pub fn feed(&mut self, block: &[u8]) -> Result<()> {
        let mut rest = block;
        if self.facts.bytes == 0 {
            rest = rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(rest);
            self.facts.bytes += (block.len() - rest.len()) as u64;
        }
        while !rest.is_empty() {
            let used = match self.place {
                Place::Sql => self.sql(rest)?,
                Place::CopyHead => self.copy_head(rest[0])?,
                Place::CopyLines => self.copy_line(rest)?,
            };
            self.facts.bytes += used as u64;
            rest = &rest[used..];
        }
        Ok(())
    }

    /// Ends the dump; it is an error if the dump is incomplete.
    pub fn finish(mut self) -> Result<(C, Facts)> {
        let last = String::from_utf8_lossy(self.splitter.comment()).into_owned();
        if self.place != Place::Sql || !self.splitter.may_end() {
            let mut how = "it ends in the middle of a statement or of rows".to_owned();
            if self.place == Place::CopyLines || self.splitter.in_rows() {
                how += &format!(": {}", self.row_shown());
            }
            return Err(self.truncated(&how));
        }
        self.facts.completed |= self.is_last_comment(last.trim());
        if let Some(comment) = self.last_comment
            && !self.facts.completed
        {
            return Err(self.truncated(&format!("its last line, \"-- {comment}\", is missing")));
        }
        self.hand_on()?;
        self.databases.check(&self.facts)?;
        for name in self.functions.into_keys() {
            self.facts.leave_out("function", &name, LEFT_OUT)?;
        }
        self.consumer.end()?;
        Ok((self.consumer, self.facts))
    }

    fn truncated(&self, how: &str) -> Error {
        let bytes = self.facts.bytes;
        let hint = if self.last_comment == Some(CONVERTED_COMPLETE) {
            "convert it again, or copy it again"
        } else {
            "make the backup again; pg_dump probably failed while it was made"
        };
        Error::archive(format!("the dump is truncated at byte {bytes}: {how}")).hint(hint)
    }

    /// Whether `comment` says that the dump is complete.
    fn is_last_comment(&self, comment: &str) -> bool {
        // The comment of pg_dump counts even if its first comment is missing.
        comment == self.last_comment.unwrap_or(COMPLETE)
    }

    fn sql(&mut self, rest: &[u8]) -> Result<usize> {
        let scanned = self.splitter.scan(rest, self.escapes);
        let (used, piece) = scanned.map_err(|error| self.placed(error))?;
        match piece {
            None => self.check_tuple_length()?,
            Some(Piece::Comment) => self.comment(),
            Some(Piece::Connect) => {
                self.hand_on()?;
                self.chunk.target = None;
                let line = self.splitter.comment();
                if !self.databases.connect(line) {
                    return Err(self.placed(refused_line(line)));
                }
            }
            Some(Piece::Statement) => self.statement(used)?,
            Some(Piece::Head) => self.insert_head()?,
            Some(Piece::Tuple) => self.tuple(used)?,
            Some(Piece::EndOfRows) => {
                let text = String::from_utf8_lossy(self.splitter.text());
                if !is_end_of_insert(&text) {
                    let what = "an INSERT has something behind its rows that is not understood";
                    return Err(self.placed(Error::failed(what)));
                }
            }
        }
        Ok(used)
    }

    fn comment(&mut self) {
        let comment = String::from_utf8_lossy(self.splitter.comment());
        let comment = comment.trim();
        if self.is_last_comment(comment) {
            self.facts.completed = true;
        } else if let Some(version) = comment.strip_prefix(CONVERTED) {
            self.last_comment = Some(CONVERTED_COMPLETE);
            self.facts.completed = false;
            self.facts.written_by = Some(remembered(&format!("ci-import convert {version}")));
        } else if comment == BEGIN {
            self.last_comment = Some(COMPLETE);
            // Several dumps may follow each other; the last one decides.
            self.facts.completed = false;
            let program = || "pg_dump".to_owned();
            self.facts.written_by.get_or_insert_with(program);
        } else if let Some(version) = comment.strip_prefix(SERVER) {
            self.facts.server_version = Some(remembered(version));
        } else if let Some(version) = comment.strip_prefix(PROGRAM) {
            self.facts.written_by = Some(remembered(&format!("pg_dump {version}")));
        }
    }

    fn statement(&mut self, used: usize) -> Result<()> {
        let place = self.facts.bytes + used as u64;
        let at = |error: Error| error.at(format!("byte {place}"));
        let text = std::str::from_utf8(self.splitter.text())
            .map_err(|_| at(Error::archive("a definition is not valid UTF-8")))?;
        match with_function(
            classify(text, self.escapes).map_err(at)?,
            &mut self.functions,
        ) {
            DumpStatement::SettingFunction(name, columns) => {
                self.definitions.add(text.as_bytes()).map_err(at)?;
                if self.databases.are_taken(&self.facts) {
                    self.functions.insert(name, columns);
                }
            }
            DumpStatement::Definition(definition) => {
                self.definitions.add(text.as_bytes()).map_err(at)?;
                self.hand_on()?;
                if self.databases.take(&mut self.facts).map_err(at)? {
                    let numbered = numbered_columns(&definition);
                    let definitions = std::iter::once(definition).chain(numbered);
                    for definition in definitions {
                        self.consumer.definition(definition).map_err(at)?;
                    }
                }
            }
            DumpStatement::Copy(target) => {
                self.hand_on()?;
                self.begin_rows(target)?;
                self.place = Place::CopyHead;
            }
            DumpStatement::LeftOut(..) if !self.databases.are_taken(&self.facts) => {}
            DumpStatement::LeftOut(kind, name) => {
                let known = self.facts.leave_out(kind, &name, LEFT_OUT);
                known.map_err(at)?;
            }
            DumpStatement::Encoding(name) => {
                if !["utf8", "utf-8", "unicode", "sql_ascii"].contains(&name.as_str()) {
                    let what = format!("the dump is in the character set {}", remembered(&name));
                    return Err(at(
                        Error::failed(what).hint("make it with pg_dump --encoding=UTF8")
                    ));
                }
                self.facts.charset = Some(name);
            }
            DumpStatement::Escapes(escapes) => self.escapes = escapes,
            DumpStatement::WithoutEffect | DumpStatement::Trigger(_) => {}
            DumpStatement::Unknown => return Err(at(unknown_statement(text))),
        }
        Ok(())
    }

    fn insert_head(&mut self) -> Result<()> {
        let is_same = self.chunk.target.is_some() && self.head == self.splitter.text();
        if is_same {
            return Ok(());
        }
        self.head.clear();
        self.head.extend_from_slice(self.splitter.text());
        let head = std::str::from_utf8(&self.head)
            .map_err(|_| Error::archive("the head of an INSERT is not valid UTF-8"))
            .and_then(insert_head);
        let target = head.map_err(|error| self.placed(error))?;
        self.hand_on()?;
        self.begin_rows(target)
    }

    fn begin_rows(&mut self, target: InsertTarget) -> Result<()> {
        if self.rows.len() > MAX_NAMES {
            let what = format!("the dump has rows of more than {MAX_NAMES} tables");
            return Err(self.placed(Error::archive(what)));
        }
        self.skips_rows = !self.databases.take(&mut self.facts)?;
        self.rows.entry(target.table.clone()).or_default();
        self.chunk.target = Some(Arc::new(target));
        Ok(())
    }

    /// Takes a tuple of an INSERT, which ends with the `used` bytes.
    fn tuple(&mut self, used: usize) -> Result<()> {
        let end = self.facts.bytes + used as u64;
        let tuple = self.splitter.text();
        self.tuple_offset = end - tuple.len() as u64;
        if self.chunk.bytes.is_empty() {
            self.chunk.offset = self.tuple_offset;
        }
        let bytes = &mut self.chunk.bytes;
        let written = write_line(tuple, self.escapes, &mut self.spare, bytes);
        let count = written.map_err(|wrong| {
            let byte = self.tuple_offset + wrong.at as u64;
            let found = format!("found {}", wrong.found);
            self.wrong_row(byte, &wrong.message).withholding(found)
        })?;
        let columns = self.chunk.target.as_ref().and_then(|t| t.columns.as_ref());
        if let Some(columns) = columns.filter(|columns| columns.len() != count) {
            let message = format!("{count} values for {} columns", columns.len());
            return Err(self.wrong_row(self.tuple_offset, &message));
        }
        self.line_is_whole()
    }

    /// The tuple of an INSERT that is being read is in the splitter.
    fn check_tuple_length(&self) -> Result<()> {
        if !self.splitter.in_rows() {
            return Ok(());
        }
        let bytes = self.splitter.text().len();
        self.limits
            .check_row(bytes, MAX_ROW_BYTES, || self.row_shown())
    }

    fn wrong_row(&self, byte: u64, message: &str) -> Error {
        Error::failed(format!("{} (byte {byte}): {message}", self.row_shown()))
    }

    /// The row that is being read, for errors.
    fn row_shown(&self) -> String {
        let table = self.table();
        let row = self.rows.get(table).copied().unwrap_or_default() + self.chunk.rows + 1;
        format!("{table} row {row}")
    }

    fn table(&self) -> &str {
        self.chunk
            .target
            .as_ref()
            .map_or("", |target| &target.table)
    }

    fn copy_head(&mut self, byte: u8) -> Result<usize> {
        match byte {
            b'\n' => {
                self.place = Place::CopyLines;
                self.chunk.offset = self.facts.bytes + 1;
            }
            b' ' | b'\t' => {}
            b'\r' => {
                let what = "the dump has the line ends of Windows (CRLF)";
                return Err(self.placed(Error::archive(what).hint("make it with --file")));
            }
            _ => {
                let what = "behind a COPY follows more than the end of the line";
                return Err(self.placed(Error::archive(what)));
            }
        }
        Ok(1)
    }

    /// Takes a line, or the part of it that `rest` has.
    fn copy_line(&mut self, rest: &[u8]) -> Result<usize> {
        let end = memchr(b'\n', rest);
        let used = end.map_or(rest.len(), |end| end + 1);
        self.chunk.bytes.extend_from_slice(&rest[..used]);
        if end.is_none() {
            self.check_row_length()?;
            return Ok(used);
        }
        if &self.chunk.bytes[self.chunk.end..] == b"\\.\n" {
            self.chunk.bytes.truncate(self.chunk.end);
            self.hand_on()?;
            self.chunk.target = None;
            self.place = Place::Sql;
            return Ok(used);
        }
        self.line_is_whole()?;
        if self.chunk.bytes.is_empty() {
            self.chunk.offset = self.facts.bytes + used as u64;
        }
        Ok(used)
    }

    fn line_is_whole(&mut self) -> Result<()> {
        self.check_row_length()?;
        if self.skips_rows {
            self.chunk.bytes.truncate(self.chunk.end);
            return Ok(());
        }
        self.chunk.rows += 1;
        self.chunk.end = self.chunk.bytes.len();
        if self.chunk.end >= CHUNK_BYTES {
            self.hand_on()?;
        }
        Ok(())
    }

    fn check_row_length(&self) -> Result<()> {
        let bytes = self.chunk.bytes.len() - self.chunk.end;
        self.limits
            .check_row(bytes, MAX_ROW_BYTES, || self.row_shown())
    }

    /// Passes on the lines of the chunk, which are all whole.
    fn hand_on(&mut self) -> Result<()> {
        let Some(insert) = self.chunk.target.clone().filter(|_| self.chunk.rows > 0) else {
            return Ok(());
        };
        let mut next = self.consumer.spare().unwrap_or_default();
        next.clear();
        let bytes = std::mem::replace(&mut self.chunk.bytes, next);
        let rows = std::mem::take(&mut self.chunk.rows);
        self.chunk.end = 0;
        let before = self.rows.entry(insert.table.clone()).or_default();
        let first_row = *before + 1;
        *before += rows;
        let offset = self.chunk.offset;
        let held = self.large.hold(bytes.len());
        self.consumer.rows(RowChunk {
            insert,
            bytes,
            offset,
            first_row,
            rows,
            held,
        })
    }

    fn placed(&self, error: Error) -> Error {
        error.at(format!("byte {}", self.facts.bytes))
    }
}

/// The trigger as a definition, if `statement` is one and calls one of `functions`, which set columns.
fn with_function(
    statement: DumpStatement,
    functions: &mut BTreeMap<String, SetColumns>,
) -> DumpStatement {
    let DumpStatement::Trigger(trigger) = statement else {
        return statement;
    };
    match functions.remove(&trigger.function) {
        Some(columns) => DumpStatement::Definition(Definition::UpdateTrigger {
            name: trigger.name,
            table: trigger.table,
            columns,
        }),
        None => DumpStatement::LeftOut("trigger", trigger.name),
    }
}

#[cfg(test)]
mod tests;
