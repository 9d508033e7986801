//! Reads a MySQL dump in blocks, and passes on tables and chunks of whole rows.

use super::definition::{TableDefinition, create_table, insert_head};
use super::piece::{Piece, Scanned};
use super::row_chunks::RowChunks;
use super::scanner::Scanner;
use super::statement::{DumpStatement, classify};
use crate::dump::bounds::{
    MAX_REMEMBERED, MAX_STATEMENT_BYTES, check_count, remembered, unknown_statement,
};
use crate::dump::charset::Charset;
use crate::dump::converted::Part;
use crate::dump::converted::conversion::{Conversion, WRITTEN_BY};
use crate::dump::events::{Duplicates, Facts, InsertTarget, RowChunk};
use crate::error::{Error, Result};

/// So many bytes of a statement show what it is for.
const MAX_BEGINNING_BYTES: usize = 64 * 1024;

/// No definition of a table is longer; its tokens take much more memory than its text.
const MAX_DEFINITION_BYTES: usize = 2 * 1024 * 1024;

/// How the last line of a dump begins.
const COMPLETED: &str = "Dump completed";

/// Takes what the reader finds.
pub trait Consumer {
    /// A table of the dump; its rows, if any, follow.
    fn table(&mut self, table: TableDefinition, facts: &Facts) -> Result<()>;
    /// Whole rows of one table.
    fn rows(&mut self, rows: RowChunk) -> Result<()>;
    /// A part of a definition, or the end, of a dump that GitLab CI has converted.
    fn converted(&mut self, part: Part, facts: &Facts) -> Result<()>;
    /// The end of the dump.
    fn end(&mut self) -> Result<()> {
        Ok(())
    }
    /// A used buffer of a chunk for reuse, if there is one.
    fn spare(&mut self) -> Option<Vec<u8>> {
        None
    }
}

/// A reader of one dump. `feed` takes its blocks in order, `finish` ends it.
pub struct Reader<C> {
    scanner: Scanner,
    consumer: C,
    facts: Facts,
    /// The current piece of prose, as far as it was read.
    prose: Vec<u8>,
    chunks: RowChunks,
    /// The database to take, and the one the dump is in.
    wanted: Option<String>,
    current: Option<String>,
    /// The state of reading a dump that GitLab CI has converted.
    conversion: Option<Conversion>,
}

impl<C: Consumer> Reader<C> {
    /// A reader that passes the tables of `database` to `consumer`. Without a name the dump must have only one
    /// database.
    pub fn new(consumer: C, database: Option<String>) -> Self {
        Reader {
            scanner: Scanner::new(),
            consumer,
            facts: Facts::default(),
            prose: Vec::new(),
            chunks: RowChunks::default(),
            wanted: database,
            current: None,
            conversion: None,
        }
    }

    /// A reader of a dump that GitLab CI has converted for PostgreSQL.
    pub fn of_converted(consumer: C) -> Self {
        let facts = Facts {
            written_by: Some(WRITTEN_BY.to_owned()),
            // The converter reads no other character set, and omits the SET NAMES of mysqldump.
            charset: Some("utf8".to_owned()),
            // mysqldump writes timestamps in UTC by default, and GitLab CI does not change that.
            utc: true,
            compatible: true,
            converted: true,
            ..Facts::default()
        };
        Reader {
            facts,
            conversion: Some(Conversion::default()),
            ..Reader::new(consumer, None)
        }
    }

    /// Takes the next bytes of the dump; they may be cut anywhere.
    pub fn feed(&mut self, block: &[u8]) -> Result<()> {
        let mut rest = block;
        if self.facts.bytes == 0 {
            rest = rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(rest);
            self.facts.bytes += (block.len() - rest.len()) as u64;
        }
        while !rest.is_empty() {
            let in_rows = self.scanner.in_rows();
            let Scanned { used, piece } = self.scanner.scan(rest);
            let (bytes, behind) = rest.split_at(used);
            rest = behind;
            if in_rows {
                self.take_rows(bytes, piece)?;
            } else {
                self.take_prose(bytes, piece)?;
            }
            self.facts.bytes += used as u64;
        }
        Ok(())
    }

    /// Ends the dump; it is an error if the dump is incomplete.
    pub fn finish(mut self) -> Result<(C, Facts)> {
        self.check_end()?;
        self.check_databases()?;
        self.facts.completed |= self.ends_with_completed();
        if self.conversion.is_some() {
            self.facts.completed = true;
            self.consumer.converted(Part::End, &self.facts)?;
        }
        self.consumer.end()?;
        Ok((self.consumer, self.facts))
    }

    /// Checks that the dump may end here.
    pub fn check_end(&self) -> Result<()> {
        if !self.scanner.may_end() {
            return Err(self.truncated("it ends in the middle of a statement"));
        }
        if let Some(conversion) = &self.conversion {
            let how = "what comes behind the rows, up to the last COMMIT, is missing";
            return if conversion.is_whole() {
                Ok(())
            } else {
                Err(self.truncated(how))
            };
        }
        // --skip-comments omits all comments, so one comment shows that the last line must be there.
        let has_comments = self.facts.written_by.is_some();
        if has_comments && !self.facts.completed && !self.ends_with_completed() {
            return Err(self.truncated("its last line, \"-- Dump completed\", is missing"));
        }
        Ok(())
    }

    /// The last line needs no line end.
    fn ends_with_completed(&self) -> bool {
        let last = String::from_utf8_lossy(&self.prose);
        last.trim_start_matches('-').trim().starts_with(COMPLETED)
    }

    fn check_databases(&self) -> Result<()> {
        let list = self.facts.databases.join(", ");
        match &self.wanted {
            None if self.facts.databases.len() > 1 => Err(Error::usage(format!(
                "the dump holds several databases: {list}"
            ))
            .hint("name the one to take: --from-database")),
            Some(wanted) if !list.is_empty() && !self.facts.databases.contains(wanted) => Err(
                Error::usage(format!("the dump holds no database {wanted}, but {list}")),
            ),
            _ => Ok(()),
        }
    }

    /// Whether the current database is the wanted one. Without a choice the first one is taken; the end of the
    /// dump is an error if there were several.
    fn is_taken(&self) -> bool {
        let Some(current) = &self.current else {
            return true;
        };
        self.wanted
            .as_ref()
            .or(self.facts.databases.first())
            .is_none_or(|wanted| wanted == current)
    }

    fn truncated(&self, how: &str) -> Error {
        let bytes = self.facts.bytes;
        Error::archive(format!("the dump is truncated at byte {bytes}: {how}"))
            .hint("make the backup again; mysqldump probably failed while it was made")
    }

    fn take_prose(&mut self, bytes: &[u8], piece: Piece) -> Result<()> {
        if piece == Piece::Gap {
            return Ok(());
        }
        self.prose.extend_from_slice(bytes);
        if self.prose.len() > MAX_STATEMENT_BYTES {
            let place = self.facts.bytes;
            return Err(Error::archive(format!(
                "the dump has a statement of more than 16 MiB before byte {place}"
            )));
        }
        if piece == Piece::Partial {
            return Ok(());
        }
        let prose = std::mem::take(&mut self.prose);
        let outcome = self.whole_prose(&prose, piece);
        self.prose = prose;
        self.prose.clear();
        outcome
    }

    fn whole_prose(&mut self, prose: &[u8], piece: Piece) -> Result<()> {
        let beginning = &prose[..prose.len().min(MAX_BEGINNING_BYTES)];
        let text = String::from_utf8_lossy(beginning);
        match piece {
            Piece::Comment => self.comment(&text),
            Piece::Noise => return self.noise(&text),
            Piece::Statement => return self.statement(prose, &text),
            Piece::InsertHead => return self.insert_head(prose),
            _ => {}
        }
        Ok(())
    }

    fn comment(&mut self, comment: &str) {
        let text = comment.trim_start_matches('-').trim();
        if let Some(conversion) = &mut self.conversion {
            conversion.comment(text);
        } else if text.starts_with("MySQL dump ") || text.starts_with("MariaDB dump ") {
            self.facts
                .written_by
                .get_or_insert_with(|| remembered(text));
        } else if let Some(version) = text.strip_prefix("Server version") {
            self.facts
                .server_version
                .get_or_insert_with(|| remembered(version.trim()));
        } else if text.starts_with(COMPLETED) {
            self.facts.completed = true;
        }
    }

    fn noise(&mut self, line: &str) -> Result<()> {
        if self.conversion.is_some() {
            Conversion::noise(line).map_err(|error| self.placed(error))?;
        }
        if self.facts.noise.len() < 10 {
            self.facts.noise.push(remembered(line.trim_end()));
        }
        Ok(())
    }

    fn statement(&mut self, bytes: &[u8], text: &str) -> Result<()> {
        if self.conversion.is_some() {
            return self.converted_statement(bytes);
        }
        match classify(text) {
            DumpStatement::CreateTable => return self.create_table(bytes),
            DumpStatement::LeftOut(kind, name) => {
                let kinds = "views, triggers and routines";
                let known = self.facts.leave_out(kind, &name, kinds);
                known.map_err(|error| self.placed(error))?;
            }
            DumpStatement::Use(database) => {
                if database.chars().count() > MAX_REMEMBERED {
                    let what = "a database has a name of more than 200 characters";
                    return Err(self.placed(Error::archive(what)));
                }
                self.current = Some(database);
            }
            DumpStatement::SetNames(charset) => {
                let multibyte = Charset::named(&charset)
                    .map_err(|e| self.placed(e))?
                    .multibyte();
                self.scanner.set_multibyte(multibyte);
                self.facts.charset = Some(charset);
            }
            DumpStatement::SetTimeZone(zone) => {
                // Events have a time zone of their own while they are created.
                self.facts.utc |= zone == "+00:00" || zone.eq_ignore_ascii_case("utc");
            }
            DumpStatement::SetSqlMode(mode) => {
                self.facts.compatible |= leaves_out_auto_increment(&mode);
            }
            DumpStatement::WithoutEffect => {}
            DumpStatement::Unknown => return Err(self.placed(unknown_statement(text))),
        }
        Ok(())
    }

    fn create_table(&mut self, statement: &[u8]) -> Result<()> {
        let statement = self.utf8(statement)?;
        self.chunks.begin_table();
        if let Some(name) = &self.current
            && !self.facts.databases.contains(name)
        {
            check_count(self.facts.databases.len(), "databases")
                .map_err(|error| self.placed(error))?;
            self.facts.databases.push(name.clone());
        }
        if !self.is_taken() {
            return Ok(());
        }
        let table = create_table(statement).map_err(|error| self.placed(error))?;
        self.consumer.table(table, &self.facts)
    }

    fn insert_head(&mut self, head: &[u8]) -> Result<()> {
        let head = self.utf8(head)?;
        let (table, columns) = insert_head(head).map_err(|error| self.placed(error))?;
        self.chunks.begin_insert(InsertTarget {
            table,
            columns,
            duplicates: Duplicates::of_head(head),
        });
        Ok(())
    }

    fn take_rows(&mut self, bytes: &[u8], piece: Piece) -> Result<()> {
        let consumer = &mut self.consumer;
        let offset = self.facts.bytes;
        let whole = self
            .chunks
            .take(bytes, piece, offset, || consumer.spare())?;
        match whole.filter(|_| self.is_taken()) {
            Some(chunk) => self.consumer.rows(chunk),
            None => Ok(()),
        }
    }

    fn converted_statement(&mut self, bytes: &[u8]) -> Result<()> {
        let text = self.utf8(bytes)?;
        let conversion = self.conversion.as_mut();
        let parts = conversion.map_or_else(|| Ok(Vec::new()), |it| it.statement(text));
        for part in parts.map_err(|error| self.placed(error))? {
            if matches!(part, Part::Table(..)) {
                self.chunks.begin_table();
            }
            self.consumer.converted(part, &self.facts)?;
        }
        Ok(())
    }

    fn utf8<'a>(&self, bytes: &'a [u8]) -> Result<&'a str> {
        if bytes.len() > MAX_DEFINITION_BYTES {
            return Err(self.placed(Error::archive("a definition has more than 2 MiB")));
        }
        std::str::from_utf8(bytes)
            .map_err(|_| self.placed(Error::archive("a definition is not valid UTF-8")))
    }

    fn placed(&self, error: Error) -> Error {
        error.at(format!("byte {}", self.facts.bytes))
    }
}

/// The SQL modes under which `SHOW CREATE TABLE` prints no AUTO_INCREMENT: they imply
/// `NO_FIELD_OPTIONS` (MySQL 5.7 manual, 5.1.10, "Combination SQL Modes").
fn leaves_out_auto_increment(mode: &str) -> bool {
    let modes = [
        "POSTGRESQL",
        "ORACLE",
        "MSSQL",
        "DB2",
        "MAXDB",
        "NO_FIELD_OPTIONS",
    ];
    mode.split(',').any(|one| modes.contains(&one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Collected {
        tables: Vec<String>,
        parts: Vec<Part>,
        rows: Vec<(String, String, u64, u64, u64)>,
    }

    impl Consumer for Collected {
        fn table(&mut self, table: TableDefinition, _: &Facts) -> Result<()> {
            self.tables.push(table.name);
            Ok(())
        }

        fn rows(&mut self, rows: RowChunk) -> Result<()> {
            let text = String::from_utf8(rows.bytes).unwrap();
            self.rows.push((
                rows.insert.table.clone(),
                text,
                rows.offset,
                rows.first_row,
                rows.rows,
            ));
            Ok(())
        }

        fn converted(&mut self, part: Part, _: &Facts) -> Result<()> {
            self.parts.push(part);
            Ok(())
        }
    }

    const DUMP: &str = "-- MySQL dump 10.13  Distrib 5.5.44\n-- Server version\t5.5.44\n\
    /*!40101 SET NAMES utf8 */;\nCREATE TABLE `t` (`a` int);\n\
    INSERT INTO `t` VALUES (1),(2);\nINSERT INTO `t` VALUES (3);\n\
    /*!50001 CREATE VIEW `v` AS SELECT 1 AS `a`*/;\n-- Dump completed on 2015-10-01\n";

    fn read(dump: &[u8], cut: usize) -> Result<(Collected, Facts)> {
        let mut reader = Reader::new(Collected::default(), None);
        reader.feed(&dump[..cut])?;
        reader.feed(&dump[cut..])?;
        reader.finish()
    }

    #[test]
    fn events_are_the_same_wherever_the_blocks_are_cut() {
        let first = DUMP.find("(1),(2)").unwrap() as u64;
        let second = DUMP.find("(3)").unwrap() as u64;
        for cut in 0..=DUMP.len() {
            let (collected, facts) = read(DUMP.as_bytes(), cut).unwrap();
            assert_eq!(collected.tables, ["t"]);
            let expected = [
                ("t".to_owned(), "(1),(2)".to_owned(), first, 1, 2),
                ("t".to_owned(), "(3)".to_owned(), second, 3, 1),
            ];
            assert_eq!(collected.rows, expected, "cut at {cut}");
            assert_eq!(facts.charset.as_deref(), Some("utf8"));
            assert_eq!(facts.server_version.as_deref(), Some("5.5.44"));
            assert_eq!(facts.left_out, [("view", "v".to_owned())]);
            assert_eq!(facts.bytes, DUMP.len() as u64);
        }
    }

    const CONVERTED: &str = "-- Converted by db_converter\nSTART TRANSACTION;\n\
    SET standard_conforming_strings=off;\nDROP TABLE IF EXISTS \"t\";\nCREATE TABLE \"t\" (\n    \
    \"id\" integer NOT NULL,\n    \"a\" varchar(20) \n);\n\n\
    INSERT INTO \"t\" VALUES (1,'it''s\\\\'),(2,NULL);\n\n-- Post-data save --\nCOMMIT;\n\
    START TRANSACTION;\n\n-- Indexes --\nCREATE INDEX \"i\" ON t (\"a\");\n\nCOMMIT;\n";

    #[test]
    fn a_converted_dump_is_the_same_wherever_it_is_cut_and_truncated_before_its_end() {
        let read = |blocks: [&str; 2]| {
            let mut reader = Reader::of_converted(Collected::default());
            for block in blocks {
                reader.feed(block.as_bytes())?;
            }
            reader.finish()
        };
        let first = CONVERTED.find("(1,").unwrap() as u64;
        for cut in 0..=CONVERTED.len() {
            let (begin, end) = CONVERTED.split_at(cut);
            let (collected, facts) = read([begin, end]).unwrap();
            let rows = "(1,'it''s\\\\'),(2,NULL)".to_owned();
            assert_eq!(
                collected.rows,
                [("t".to_owned(), rows, first, 1, 2)],
                "cut at {cut}"
            );
            assert!(matches!(
                &collected.parts[..],
                [Part::Table(table, _), Part::Key(of, _), Part::End]
                    if table.columns[1].data_type.numbers == [10] && of == "t"
            ));
            assert!(facts.completed && facts.converted);
            let is_cut = cut + 1 < CONVERTED.len();
            assert_eq!(read([begin, ""]).is_err(), is_cut, "cut at {cut}");
        }
    }

    #[test]
    fn a_dump_cut_anywhere_is_truncated() {
        let completed = DUMP.find("Dump completed").unwrap() + "Dump completed".len();
        for end in DUMP.find('\n').unwrap() + 1..completed {
            let error = read(&DUMP.as_bytes()[..end], 0)
                .err()
                .unwrap_or_else(|| panic!("a dump cut at byte {end} was taken for a whole one"));
            assert_eq!(error.kind(), crate::error::Kind::Archive, "{error}");
        }
    }

    #[test]
    fn large_rows_are_handed_on_in_chunks_of_whole_rows() {
        let value = "x".repeat(100_000);
        let rows = vec![format!("('{value}')"); 20].join(",\n");
        let dump = format!("CREATE TABLE t (a text);\nINSERT INTO t VALUES {rows};\n");
        let mut reader = Reader::new(Collected::default(), None);
        for block in dump.as_bytes().chunks(65_536) {
            reader.feed(block).unwrap();
        }
        let (collected, _) = reader.finish().unwrap();
        assert!(collected.rows.len() > 4);
        assert_eq!(collected.rows.iter().map(|chunk| chunk.4).sum::<u64>(), 20);
        let mut next = 1;
        for (_, text, offset, first_row, rows) in &collected.rows {
            assert_eq!(*first_row, next);
            next += rows;
            let offset = usize::try_from(*offset).unwrap();
            assert_eq!(&dump[offset..offset + text.len()], text);
        }
    }

    #[test]
    fn a_statement_that_might_change_data_is_refused() {
        let error = read(b"UPDATE t SET a = 1;", 3).err().unwrap();
        assert_eq!(
            error.to_string(),
            "byte 3: the dump holds a statement that is not understood: UPDATE t SET a = 1;"
        );
    }

    #[test]
    fn one_of_several_databases_is_taken() {
        let dump = b"USE a; CREATE TABLE t (x int); INSERT INTO t VALUES (1); USE empty; USE b; \
                 CREATE TABLE t (x int); INSERT INTO t VALUES (2),(3); USE a;";
        let read = |database: Option<&str>| {
            let mut reader = Reader::new(Collected::default(), database.map(str::to_owned));
            reader.feed(dump)?;
            reader
                .finish()
                .map(|(collected, _)| collected.rows[0].1.clone())
        };
        assert_eq!(read(Some("a")).unwrap(), "(1)");
        assert_eq!(read(Some("b")).unwrap(), "(2),(3)");
        assert_eq!(
            read(None).unwrap_err().to_string(),
            "the dump holds several databases: a, b"
        );
        let none = read(Some("c")).unwrap_err().to_string();
        assert_eq!(none, "the dump holds no database c, but a, b");
    }

    #[test]
    fn compatible_modes_are_recognised() {
        let dump = b"/*!40101 SET SQL_MODE='NO_AUTO_VALUE_ON_ZERO,POSTGRESQL' */;";
        assert!(read(dump, 0).unwrap().1.compatible);
        let dump = b"/*!40101 SET SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;";
        assert!(!read(dump, 0).unwrap().1.compatible);
    }
}
