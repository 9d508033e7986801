//! Goes through a dump, from piece to piece.

use super::consumer::Consumer;
use super::created::CreatedTables;
use super::program::Program;
use super::waiting::WaitingChunks;
use crate::dump::bounds::{MAX_STATEMENT_BYTES, check_count, remembered, unknown_statement};
use crate::dump::converted::Part;
use crate::dump::converted::conversion::{Conversion, WRITTEN_BY};
use crate::dump::databases::Databases;
use crate::dump::events::Facts;
use crate::dump::files::Files;
use crate::dump::limits::{Definitions, DumpLimits};
use crate::dump::line_ends::has_lines_of_cr;
use crate::dump::mysql::piece::{Piece, Scanned};
use crate::dump::mysql::row_chunks::RowChunks;
use crate::dump::mysql::scanner::Scanner;
use crate::dump::mysql::session::Session;
use crate::dump::mysql::sql_mode::SqlMode;
use crate::dump::mysql::statement::{DumpStatement, TableName, classify};
use crate::dump::noise::is_of_program;
use crate::dump::utf16::Utf16Facts;
use crate::dump::xml::{NotInXml, is_beginning_of_xml, noted};
use crate::error::{Error, Result};

/// So many bytes of a statement show what it is for.
const MAX_BEGINNING_BYTES: usize = 64 * 1024;

/// Whether `line` begins with a word and a colon, as lines of programs do.
fn begins_with_word(line: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    line.split_once(':')
        .is_some_and(|(word, _)| !word.is_empty() && word.chars().all(is_part))
}

/// The mark at the beginning of several files is not longer.
const MAX_MARK_BYTES: u64 = 64;

/// Says whether a table is wanted: by its database, if that becomes a schema, and its name. What is not wanted is not parsed,
/// so it may be anything.
pub type Wanted = Box<dyn Fn(Option<&str>, &str) -> bool + Send>;

/// A reader of one dump. `feed` takes its blocks in order, `finish` ends it.
pub struct Reader<C> {
    pub(super) scanner: Scanner,
    pub(super) consumer: C,
    pub(super) facts: Facts,
    /// The current piece of prose, as far as it was read.
    prose: Vec<u8>,
    pub(super) chunks: RowChunks,
    /// The definitions so far.
    pub(super) definitions: Definitions,
    /// The databases to take, and the one the dump is in.
    pub(super) databases: Databases,
    pub(super) current: Option<String>,
    /// The database that only the rows of tables name.
    pub(super) named_by_rows: Option<String>,
    pub(super) wanted: Wanted,
    pub(super) session: Session,
    pub(super) tables: CreatedTables,
    /// The files of the dump, if it has several.
    pub(super) files: Files,
    /// The program that wrote the current file, if it names itself.
    file_program: Option<Program>,
    /// Rows that wait for the end of their INSERT.
    pub(super) waiting: WaitingChunks,
    /// Whether the rows of the current INSERT are passed on.
    pub(super) takes_rows: bool,
    /// Whether a mode was set that leaves out AUTO_INCREMENT.
    pub(super) was_compatible: bool,
    /// Whether the end of the dump restores settings.
    pub(super) restores_settings: bool,
    /// The state of reading a dump that GitLab CI has converted.
    pub(super) conversion: Option<Conversion>,
}

impl<C: Consumer> Reader<C> {
    /// A reader that passes the `wanted` tables of `databases` to `consumer`.
    pub fn new(consumer: C, databases: Databases, wanted: Wanted) -> Self {
        Reader {
            scanner: Scanner::new(),
            consumer,
            facts: Facts::default(),
            prose: Vec::new(),
            chunks: RowChunks::default(),
            definitions: Definitions::default(),
            databases,
            current: None,
            named_by_rows: None,
            wanted,
            session: Session::default(),
            tables: CreatedTables::default(),
            files: Files::default(),
            file_program: None,
            waiting: WaitingChunks::default(),
            takes_rows: true,
            was_compatible: false,
            restores_settings: false,
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
        let mut reader = Reader {
            facts,
            conversion: Some(Conversion::default()),
            ..Reader::new(consumer, Databases::Single, Box::new(|_, _| true))
        };
        // Names are in double quotes, texts in single ones.
        let mode = SqlMode::new("ANSI_QUOTES");
        reader.scanner.set_quoting(mode.quoting());
        reader.session.set_mode(mode);
        reader
    }

    /// The reader, within `limits`.
    #[must_use]
    pub fn within(mut self, limits: DumpLimits) -> Self {
        self.chunks = RowChunks::within(limits);
        self.definitions = Definitions::within(limits);
        self
    }

    /// The reader, for a dump that begins with `start`, about 256 KiB, and of which these facts are known.
    #[must_use]
    pub fn beginning_with(mut self, start: &[u8], utf16: Option<Utf16Facts>) -> Self {
        self.facts.utf16 = utf16;
        if has_lines_of_cr(start) {
            self.scanner.end_lines_with_cr();
        }
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
        self.databases.check(&self.facts)?;
        self.pass_on_all()?;
        self.facts.completed |= self.ends_with_completed();
        self.facts.completed &= !self.files.has_incomplete();
        // A dump without tables has only its header to say so.
        self.facts.compatible |= self.was_compatible && self.tables.len() == 0;
        if self.conversion.is_some() {
            self.facts.completed = true;
            self.consumer.converted(Part::End, &self.facts)?;
        }
        self.consumer.end()?;
        Ok((self.consumer, self.facts))
    }

    /// Checks that the dump may end here.
    pub fn check_end(&self) -> Result<()> {
        self.files.check_end()?;
        if !self.scanner.may_end() {
            let place = self.cut_place();
            return Err(self.truncated(&format!("it ends in the middle of a statement{place}")));
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
        match self.missing_end() {
            Some(what) => Err(self.truncated(&what)),
            None => Ok(()),
        }
    }

    /// Where the dump ends in the middle of a statement, as far as it is known.
    fn cut_place(&self) -> String {
        if self.scanner.in_rows() {
            return format!(": {}", self.chunks.place());
        }
        let beginning = &self.prose[..self.prose.len().min(MAX_BEGINNING_BYTES)];
        let text = String::from_utf8_lossy(beginning);
        match classify(&text, self.session.mode().quoting()).0 {
            DumpStatement::CreateTable(table) => {
                format!(": the definition of {}", remembered(&table.name))
            }
            DumpStatement::AlterTable(table) => {
                format!(": a change of {}", remembered(&table.name))
            }
            _ => String::new(),
        }
    }

    /// What is missing at the end of the dump, or of one of its files, if anything is.
    fn missing_end(&self) -> Option<String> {
        if self.facts.completed || self.ends_with_completed() {
            return None;
        }
        match self.file_program.and_then(Program::needed_comment) {
            Some(last) => Some(format!("its last line, \"-- {last}\", is missing")),
            None => self
                .restores_settings
                .then(|| "its last line, which restores settings, is missing".to_owned()),
        }
    }

    /// The last line needs no line end.
    fn ends_with_completed(&self) -> bool {
        let last = String::from_utf8_lossy(&self.prose);
        self.is_last(last.trim_start_matches('-').trim())
    }

    /// The program that wrote the dump, if it names itself.
    pub(super) fn program(&self) -> Option<Program> {
        let first = || Program::of(self.facts.written_by.as_deref()?);
        self.file_program.or_else(first)
    }

    /// Whether this comment is at the end of a dump. A dump without other comments is taken for one of mysqldump.
    fn is_last(&self, comment: &str) -> bool {
        let program = self.program().unwrap_or(Program::Mysqldump);
        let last = program.last_comment();
        last.is_some_and(|last| comment.starts_with(last))
    }

    /// Whether `database` is taken.
    pub(super) fn is_taken(&self, database: Option<&str>) -> bool {
        self.databases.takes(&self.facts, database)
    }

    /// The database of tables, if they are told apart by it.
    pub(super) fn home(&self, database: Option<&str>) -> Option<String> {
        let database = database.filter(|_| self.databases.are_told_apart());
        database.map(str::to_owned)
    }

    fn truncated(&self, how: &str) -> Error {
        let bytes = self.facts.bytes;
        let hint = match self.program() {
            None | Some(Program::Mysqldump) => {
                "make the backup again; mysqldump probably failed while it was made"
            }
            Some(_) => "make the dump again; its program probably failed while it was made",
        };
        Error::archive(format!("the dump is truncated at byte {bytes}: {how}")).hint(hint)
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
            Piece::Comment => return self.comment(&text),
            Piece::Noise => return self.noise(&text),
            Piece::Statement => return self.statement(prose, &text),
            Piece::InsertHead => return self.insert_head(prose),
            _ => {}
        }
        Ok(())
    }

    fn comment(&mut self, comment: &str) -> Result<()> {
        let text = comment.trim_start_matches(['-', '#']).trim();
        if self
            .files
            .has_ended(text, self.facts.bytes < MAX_MARK_BYTES)?
        {
            return self.file_ended();
        }
        self.waiting.comment(text);
        self.facts.xml |= is_beginning_of_xml(text);
        if let Some(noted) = noted(text).filter(|_| self.facts.xml) {
            return self.not_in_xml(noted);
        }
        if let Some(conversion) = &mut self.conversion {
            conversion.comment(text);
        } else if let Some(program) = Program::of(text) {
            self.file_program.get_or_insert(program);
            self.facts
                .written_by
                .get_or_insert_with(|| remembered(text));
        } else if let Some(version) = text.strip_prefix("Server version") {
            self.facts
                .server_version
                .get_or_insert_with(|| remembered(version.trim_start_matches(':').trim()));
        } else if text.starts_with("version ") && self.program() == Some(Program::PhpMyAdmin) {
            if let Some(program) = self.facts.written_by.as_mut()
                && !program.contains(" version ")
            {
                *program = remembered(&format!("{program} {text}"));
            }
        } else if self.is_last(text) {
            self.facts.completed = true;
        }
        Ok(())
    }

    /// Records what the XML of a dump does not have of a table that is wanted.
    fn not_in_xml(&mut self, noted: NotInXml) -> Result<()> {
        let table = TableName {
            database: None,
            name: noted.table.clone(),
        };
        if !self.wants(&table) {
            return Ok(());
        }
        let kinds = "columns and indexes that its XML does not have";
        check_count(self.facts.not_in_xml.len(), kinds).map_err(|error| self.placed(error))?;
        let table = match self.home(self.current.as_deref()) {
            Some(database) => format!("{database}.{}", noted.table),
            None => noted.table,
        };
        self.facts.not_in_xml.push(NotInXml { table, ..noted });
        Ok(())
    }

    /// One of several files has ended; another one follows.
    fn file_ended(&mut self) -> Result<()> {
        if let Some(what) = self.missing_end() {
            return Err(self.files.last_is_truncated(&what));
        }
        if !std::mem::take(&mut self.facts.completed) {
            self.files.add_incomplete();
        }
        self.file_program = None;
        self.restores_settings = false;
        // The same head may be of another table in the next file.
        self.chunks.forget_head();
        if self.databases == Databases::All {
            // A file that does not name its database is not of that of the file before.
            self.current = None;
        }
        Ok(())
    }

    fn noise(&mut self, line: &str) -> Result<()> {
        if self.conversion.is_some() {
            Conversion::noise(line).map_err(|error| self.placed(error))?;
        }
        let is_of_program = is_of_program(line);
        // After damage, the text of a row may be taken for a line of a program.
        if !is_of_program && !begins_with_word(line) {
            return Err(self.placed(unknown_statement(line)));
        }
        if self.facts.noise.len() < 10 {
            let noise = if is_of_program {
                remembered(line.trim_end())
            } else {
                format!("the one before byte {}", self.facts.bytes)
            };
            self.facts.noise.push(noise);
        }
        Ok(())
    }

    pub(super) fn take_rows(&mut self, bytes: &[u8], piece: Piece) -> Result<()> {
        let consumer = &mut self.consumer;
        let offset = self.facts.bytes;
        let whole = self
            .chunks
            .take(bytes, piece, offset, || consumer.spare())?;
        let is_end = matches!(piece, Piece::LastRows { .. });
        match whole {
            None if !is_end => Ok(()),
            chunk => self.pass_on_rows(chunk, is_end),
        }
    }

    pub(super) fn placed(&self, error: Error) -> Error {
        error.at(format!("byte {}", self.facts.bytes))
    }
}
