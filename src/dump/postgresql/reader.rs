//! Reads a PostgreSQL dump in blocks, and passes on definitions and chunks of whole rows.

use std::collections::HashMap;
use std::sync::Arc;

use memchr::memchr;

use super::convert_notation::{CONVERTED, CONVERTED_COMPLETE};
use super::definition::Definition;
use super::dump_statement::DumpStatement;
use super::row_heads::{insert_head, is_end_of_insert};
use super::splitter::{Piece, Splitter};
use super::statement::classify;
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
        }
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
            return Err(self.truncated("it ends in the middle of a statement or of rows"));
        }
        self.facts.completed |= self.is_last_comment(last.trim());
        if let Some(comment) = self.last_comment
            && !self.facts.completed
        {
            return Err(self.truncated(&format!("its last line, \"-- {comment}\", is missing")));
        }
        self.hand_on()?;
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
        match classify(text, self.escapes).map_err(at)? {
            DumpStatement::Definition(definition) => {
                self.definitions.add(text.as_bytes()).map_err(at)?;
                self.hand_on()?;
                self.consumer.definition(definition).map_err(at)?;
            }
            DumpStatement::Copy(target) => {
                self.hand_on()?;
                self.begin_rows(target)?;
                self.place = Place::CopyHead;
            }
            DumpStatement::LeftOut(kind, name) => {
                let known = self.facts.leave_out(kind, &name, "views, functions, …");
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
            DumpStatement::WithoutEffect => {}
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Collected {
        definitions: Vec<Definition>,
        rows: Vec<(String, String, u64, u64, u64)>,
        ended: bool,
    }

    impl Consumer for Collected {
        fn definition(&mut self, definition: Definition) -> Result<()> {
            self.definitions.push(definition);
            Ok(())
        }

        fn rows(&mut self, rows: RowChunk) -> Result<()> {
            let text = String::from_utf8(rows.bytes).unwrap();
            let table = rows.insert.table.clone();
            self.rows
                .push((table, text, rows.offset, rows.first_row, rows.rows));
            Ok(())
        }

        fn end(&mut self) -> Result<()> {
            self.ended = true;
            Ok(())
        }
    }

    const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\n\\restrict Ab1\n\n\
        -- Dumped from database version 15.18\n-- Dumped by pg_dump version 17.1\n\n\
        SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n\
        SELECT pg_catalog.set_config('search_path', '', false);\n\
        DROP TABLE public.t;\n\
        CREATE TABLE public.t (\n    a integer NOT NULL,\n    b text DEFAULT 'x'::text\n);\n\
        CREATE VIEW public.v AS SELECT ';';\n\
        COPY public.t (a, b) FROM stdin;\n1\ta\\\\.\n2\t\\N\n\\.\n\n\
        INSERT INTO public.u VALUES (1, 'it''s\t\\');\nINSERT INTO public.u VALUES (2, NULL);\n\
        SELECT pg_catalog.setval('public.t_id_seq', 3, true);\n\
        --\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict Ab1\n\n";

    fn read(dump: &[u8], cut: usize) -> Result<(Collected, Facts)> {
        let mut reader = Reader::new(Collected::default());
        reader.feed(&dump[..cut])?;
        reader.feed(&dump[cut..])?;
        reader.finish()
    }

    #[test]
    fn events_are_the_same_wherever_the_blocks_are_cut() {
        let lines = DUMP.find("1\ta").unwrap() as u64;
        let tuple = DUMP.find("(1, 'it").unwrap() as u64;
        for cut in 0..=DUMP.len() {
            let (collected, facts) = read(DUMP.as_bytes(), cut).unwrap();
            let row =
                |table: &str, text: &str, offset| (table.to_owned(), text.to_owned(), offset, 1, 2);
            let expected = [
                row("t", "1\ta\\\\.\n2\t\\N\n", lines),
                row("u", "1\tit's\\t\\\\\n2\t\\N\n", tuple),
            ];
            assert_eq!(collected.rows, expected, "cut at {cut}");
            assert!(collected.ended);
            assert_eq!(collected.definitions.len(), 3, "cut at {cut}");
            let set = Definition::SetValue {
                sequence: "t_id_seq".to_owned(),
                next: 4,
            };
            assert_eq!(collected.definitions[2], set);
            assert_eq!(facts.written_by.as_deref(), Some("pg_dump 17.1"));
            assert_eq!(facts.server_version.as_deref(), Some("15.18"));
            assert_eq!(facts.left_out, [("view", "v".to_owned())]);
            assert_eq!(facts.bytes, DUMP.len() as u64);
            assert!(facts.completed);
        }
    }

    #[test]
    fn a_dump_cut_anywhere_is_truncated() {
        let begin = DUMP.find(BEGIN).unwrap() + BEGIN.len() + 1;
        let complete = DUMP.find(COMPLETE).unwrap() + COMPLETE.len();
        for end in begin..complete {
            let error = read(&DUMP.as_bytes()[..end], 0)
                .err()
                .unwrap_or_else(|| panic!("a dump cut at byte {end} was taken for a whole one"));
            assert_eq!(error.kind(), crate::error::Kind::Archive, "{error}");
        }
        assert!(read(&DUMP.as_bytes()[..complete], 0).is_ok());
    }

    #[test]
    fn a_converted_dump_is_known_and_has_an_end_of_its_own() {
        let dump = format!("-- {CONVERTED}1.2.3\n\nSET a = 1;\n\n-- {CONVERTED_COMPLETE}\n");
        let (_, facts) = read(dump.as_bytes(), 0).unwrap();
        assert_eq!(facts.written_by.as_deref(), Some("ci-import convert 1.2.3"));
        assert!(facts.completed);
        let begin = format!("-- {CONVERTED}1.2.3\n").len();
        let complete = dump.trim_end().len();
        for end in begin..complete {
            let error = read(&dump.as_bytes()[..end], 0)
                .err()
                .unwrap_or_else(|| panic!("a dump cut at byte {end} was taken for a whole one"));
            assert_eq!(error.kind(), crate::error::Kind::Archive, "{error}");
        }
        assert!(read(&dump.as_bytes()[..complete], 0).is_ok());
        // The end of another dump is not its end.
        let other = dump.replace(CONVERTED_COMPLETE, COMPLETE);
        assert!(read(other.as_bytes(), 0).is_err());
    }

    #[test]
    fn large_rows_are_handed_on_in_chunks_of_whole_rows() {
        let line = format!("{}\n", "x".repeat(100_000));
        let dump = format!("COPY t (a) FROM stdin;\n{}\\.\n", line.repeat(20));
        let mut reader = Reader::new(Collected::default());
        for block in dump.as_bytes().chunks(65_536) {
            reader.feed(block).unwrap();
        }
        let (collected, _) = reader.finish().unwrap();
        assert!(collected.rows.len() > 4);
        let mut next = 1;
        for (_, text, offset, first_row, rows) in &collected.rows {
            assert_eq!(*first_row, next);
            next += rows;
            let offset = usize::try_from(*offset).unwrap();
            assert_eq!(&dump[offset..offset + text.len()], text);
        }
        assert_eq!(next, 21);
    }

    #[test]
    fn what_might_change_data_or_run_something_is_refused() {
        for statement in [
            "UPDATE t SET a = 1",
            "DELETE FROM t",
            "TRUNCATE t",
            "DO $$BEGIN END$$",
            "DO 'BEGIN END'",
            "SELECT setval('s', 1, true) FROM evil()",
            "CALL f()",
            "SELECT evil()",
            "SELECT pg_catalog.setval('s', evil())",
            "COPY t FROM PROGRAM 'id'",
            "COPY t FROM '/etc/passwd'",
            "COPY t (a) TO PROGRAM 'id'",
            "COPY t FROM stdin WITH (FORMAT binary)",
            "COPY (SELECT 1) TO stdout",
            "INSERT INTO t SELECT 1",
            "INSERT INTO t DEFAULT VALUES",
            "INSERT INTO t VALUES (evil())",
            "INSERT INTO t VALUES (1) RETURNING evil()",
            "INSERT INTO t (a) VALUES (1, 2)",
            "WITH x AS (SELECT 1) INSERT INTO t VALUES (1)",
            "ALTER TABLE t DROP COLUMN a",
            "ALTER TABLE t ATTACH PARTITION u DEFAULT",
            "EXECUTE x",
            "LOAD 'x'",
            "ROLLBACK",
            "SET client_encoding = 'LATIN1'",
            "CREATE TEMP TABLE t (a int)",
        ] {
            let dump = format!("{statement};");
            for cut in [0, dump.len() / 2] {
                assert!(read(dump.as_bytes(), cut).is_err(), "{statement}");
            }
        }
    }
}
