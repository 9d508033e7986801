//! The statements about tables: they are created, filled, and sometimes dropped.

use std::borrow::Cow;

use super::consumer::{Consumer, WITHOUT_DEFINITION};
use super::created::{Created, Fate, Statement, engine_without_rows, leave_out_foreign_keys};
use super::reading::Reader;
use crate::dump::bounds::{check_count, refused_statement, unknown_statement};
use crate::dump::charset::Charset;
use crate::dump::databases::{self, Databases};
use crate::dump::events::{Duplicates, InsertTarget};
use crate::dump::mysql::definition::{insert_head, parse_table};
use crate::dump::mysql::statement::{TableName, insert_table};
use crate::error::{Error, Result};

/// No definition of a table is longer; its tokens take much more memory than its text.
const MAX_DEFINITION_BYTES: usize = 2 * 1024 * 1024;

impl<C: Consumer> Reader<C> {
    /// Takes `CREATE TABLE name …`.
    pub(super) fn create_table(&mut self, statement: &[u8], name: &TableName) -> Result<()> {
        self.chunks.begin_table();
        let database = self.database_of(name);
        if let Some(database) = &database {
            let noted = databases::note(&mut self.facts, database);
            noted.map_err(|error| self.placed(error))?;
        }
        let database = database.as_deref();
        if !self.is_taken(database) {
            return self.not_taken(database);
        }
        self.check_home(database, &name.name)?;
        if !self.wants(name) {
            self.count_definition(b"")?;
            self.tables
                .insert(database, &name.name, Created::not_taken(Fate::Skipped));
            return Ok(());
        }
        let text = self.definition_text(statement, &name.name)?;
        self.count_definition(statement)?;
        let mode = self.session.mode().clone();
        let parsed = parse_table(&text, mode.quoting()).map_err(|error| self.placed(error))?;
        if self.tables.contains(database, &parsed.table.name) {
            if parsed.if_not_exists {
                // A server keeps the first definition.
                return Ok(());
            }
            if parsed.or_replace {
                self.drop_table(name)?;
            } else {
                // Whoever takes the tables says that there are two.
                self.before_rows(database.map(str::to_owned), &name.name)?;
            }
        }
        if mode.has_high_not() && parsed.has_not {
            let what = format!(
                "table {}: its expressions have a NOT under HIGH_NOT_PRECEDENCE, which is not supported",
                parsed.table.name
            );
            return Err(self.placed(Error::failed(what)));
        }
        let mut table = parsed.table;
        table.database = self.home(database);
        leave_out_foreign_keys(&mut table, database);
        check_count(self.tables.len(), "tables").map_err(|error| self.placed(error))?;
        if let Some(kind) = engine_without_rows(&table) {
            self.leave_out(kind, &table.name)?;
            let created = Created::not_taken(Fate::LeftOut(kind));
            self.tables.insert(database, &table.name, created);
            return Ok(());
        }
        self.facts.utc = self.session.is_utc();
        self.facts.compatible = self.session.mode().leaves_out_auto_increment();
        let name = table.name.clone();
        let statement = Statement {
            text: text.into(),
            quoting: mode.quoting(),
        };
        let mut created = Created::taken(table, statement, self.facts.of_tables());
        created.file = self.files.number();
        self.tables.insert(database, &name, created);
        Ok(())
    }

    /// A table of a database that is not taken was left out. A database of the server is told, if all are taken.
    fn not_taken(&mut self, database: Option<&str>) -> Result<()> {
        match database {
            Some(database) if self.databases == Databases::All => {
                self.leave_out("server's own database", database)
            }
            _ => Ok(()),
        }
    }

    /// An error if the tables of each database go to its schema, and the database of `table` is not known.
    fn check_home(&self, database: Option<&str>, table: &str) -> Result<()> {
        if self.databases != Databases::All || database.is_some() {
            return Ok(());
        }
        let what = format!("the dump does not say which database the table {table} is of");
        Err(self.placed(Error::usage(what)).hint(
            "make it with --databases, or import it without --databases-to-schemas; --schema names the schema",
        ))
    }

    pub(super) fn count_definition(&mut self, text: &[u8]) -> Result<()> {
        let counted = self.definitions.add(text);
        counted.map_err(|error| self.placed(error))
    }

    /// `DROP TABLE`: without effect if the dump has not created the table.
    pub(super) fn drop_table(&mut self, table: &TableName) -> Result<()> {
        let database = self.database_of(table);
        let dropped = self.tables.remove(database.as_deref(), &table.name);
        let is_of_other_file =
            |created: &Created| created.has_rows && created.file != self.files.number();
        if dropped.as_ref().is_some_and(is_of_other_file) {
            let what = format!(
                "a file drops the table {}, which another file has filled",
                table.name
            );
            return Err(self.placed(Error::failed(what)).hint(
                "import one file after the other, each into a schema of its own: --schema NAME",
            ));
        }
        if dropped.is_some_and(|created| created.fate == Fate::Taken) {
            self.chunks.begin_table();
            let home = self.home(database.as_deref());
            let outcome = self.consumer.dropped(home.as_deref(), &table.name);
            return outcome.map_err(|error| self.placed(error));
        }
        Ok(())
    }

    /// `TRUNCATE` or DELETE without a condition: without effect if the table has no rows.
    pub(super) fn clear_table(&mut self, table: &TableName, text: &str) -> Result<()> {
        if !self.wants(table) {
            return Ok(());
        }
        let database = self.database_of(table);
        match self.tables.get_mut(database.as_deref(), &table.name) {
            // It is in the target, perhaps.
            None => Err(self.placed(unknown_statement(text))),
            Some(created) if created.fate == Fate::Taken && created.has_rows => {
                Err(self.refused("the dump deletes the rows that it has inserted", text))
            }
            Some(_) => Ok(()),
        }
    }

    /// Takes the head of an INSERT.
    pub(super) fn insert_head(&mut self, head: &[u8]) -> Result<()> {
        if let Some(is_first) = self.chunks.begin_same(head) {
            self.waiting.begin(is_first);
            return Ok(());
        }
        let quoting = self.session.mode().quoting();
        let mut text = self.head_text(head)?;
        let mut table = insert_table(&text, quoting);
        let database = self.database_of(&table);
        // mysqldump writes the names of definitions in UTF-8, whatever the rows are in.
        if !self.tables.contains(database.as_deref(), &table.name)
            && let Ok(utf8) = std::str::from_utf8(head)
            && utf8 != text
            && self
                .tables
                .contains(database.as_deref(), &insert_table(utf8, quoting).name)
        {
            text = Cow::Borrowed(utf8);
            table = insert_table(&text, quoting);
        }
        let of_rows = self.database_of_rows(database.clone(), &table.name);
        if let (None, Some(named)) = (&of_rows, &database) {
            let noted = databases::note(&mut self.facts, named);
            noted.map_err(|error| self.placed(error))?;
        }
        let database = of_rows;
        self.takes_rows = self.takes_rows_of(database.as_deref(), &table.name, &text)?;
        if self.takes_rows {
            self.before_rows(database.clone(), &table.name)?;
        }
        let target = if self.takes_rows {
            let (table, columns) =
                insert_head(&text, quoting).map_err(|error| self.placed(error))?;
            InsertTarget {
                database: self.home(database.as_deref()),
                table,
                columns,
                duplicates: Duplicates::of_head(&text),
                quoting,
            }
        } else {
            InsertTarget {
                database: self.home(database.as_deref()),
                table: table.name,
                columns: None,
                duplicates: Duplicates::Refused,
                quoting,
            }
        };
        let is_first = self.chunks.begin_insert(target);
        self.chunks.remember_head(head, database);
        self.waiting.begin(is_first);
        Ok(())
    }

    /// The database of the table that has these rows. DBeaver names it with rows only: then the definitions before are of
    /// this database, too, if there is only one.
    fn database_of_rows(&mut self, database: Option<String>, table: &str) -> Option<String> {
        let named = database.as_deref()?;
        let is_here = self.tables.contains(database.as_deref(), table);
        if is_here || self.current.is_some() || !self.tables.contains(None, table) {
            return database;
        }
        if !self.databases.takes(&self.facts, database.as_deref()) {
            return database;
        }
        let of_rows = self.named_by_rows.get_or_insert_with(|| named.to_owned());
        if of_rows == named { None } else { database }
    }

    /// Whether the rows of the table are passed on.
    fn takes_rows_of(&mut self, database: Option<&str>, name: &str, head: &str) -> Result<bool> {
        let home = self.home(database);
        if !(self.wanted)(home.as_deref(), name) {
            return Ok(false);
        }
        if !self.is_taken(database) {
            if let Some(database) = database.filter(|_| self.databases != Databases::All) {
                if databases::is_of_server(database) {
                    if self.databases == Databases::Single {
                        self.leave_out("system table", name)?;
                    }
                    return Ok(false);
                }
                // Perhaps no table of this database is defined.
                let noted = databases::note(&mut self.facts, database);
                noted.map_err(|error| self.placed(error))?;
            }
            return Ok(false);
        }
        let (utc, client) = (self.session.is_utc(), self.client_charset());
        let (writes_history, changes) = (
            self.session.writes_history(),
            self.session.mode().changes_rows(),
        );
        let rows_charset = self.facts.charset.clone();
        let Some(created) = self.tables.get_mut(database, name) else {
            if database == Some("mysql") {
                // Statistics and similar tables of the server (mariadb-dump --system).
                self.leave_out("system table", name)?;
                return Ok(false);
            }
            // Without a database, whoever takes the rows says so.
            let Some(database) = database else {
                return Ok(true);
            };
            // They must not go to a table with this name of another database.
            let what = format!("the dump has rows of {database}.{name}, but not its definition");
            return Err(self.placed(Error::failed(what).hint(WITHOUT_DEFINITION)));
        };
        created.has_rows = true;
        let of_rows = |charset: Option<&str>| charset.map_or(Ok(Charset::Utf8), Charset::named);
        let then = of_rows(created.facts.charset.as_deref())?;
        let now = client.map_or_else(|| of_rows(rows_charset.as_deref()), Ok)?;
        let why = match created.fate {
            Fate::Skipped | Fate::LeftOut("sequence") => return Ok(false),
            Fate::LeftOut(_) => "the dump inserts rows into a table that is left out",
            Fate::Taken if created.utc.is_some_and(|then| then != utc) => {
                "the time zone of the dump changes between a table and its rows"
            }
            Fate::Taken if then != now => {
                "the character set of the dump changes between a table and its rows"
            }
            Fate::Taken if writes_history && created.is_versioned => {
                "the dump holds the history of a system-versioned table"
            }
            Fate::Taken if changes.is_some() => "sql_mode EMPTY_STRING_IS_NULL changes the rows",
            Fate::Taken => return Ok(true),
        };
        let hint = match created.fate {
            Fate::Taken if writes_history => "make the dump without --dump-history".to_owned(),
            _ => format!("--skip-table {name} leaves it out"),
        };
        Err(self.placed(refused_statement(why, head)).hint(hint))
    }

    /// A definition in UTF-8, from the character set of the statements.
    pub(super) fn definition_text<'a>(&self, bytes: &'a [u8], table: &str) -> Result<Cow<'a, str>> {
        self.check_length(bytes)?;
        let text = match self.client_charset() {
            Some(Charset::Other(foreign)) => foreign.decode(bytes),
            _ => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        };
        text.ok_or_else(|| {
            let charset = match self.client_charset() {
                Some(Charset::Other(foreign)) => foreign.name(),
                _ => "UTF-8",
            };
            let what = format!("table {table}: a definition is not valid {charset}");
            self.placed(Error::archive(what))
                .hint(format!("--skip-table {table} leaves it out"))
        })
    }

    /// The head of an INSERT in UTF-8, likewise.
    fn head_text<'a>(&self, bytes: &'a [u8]) -> Result<Cow<'a, str>> {
        self.check_length(bytes)?;
        let text = match self.client_charset() {
            Some(Charset::Other(foreign)) => foreign.decode(bytes),
            // mysqldump --compatible omits SET NAMES, and may write latin1. A wrong guess names no table.
            _ => match (std::str::from_utf8(bytes), Charset::named("latin1")?) {
                (Err(_), Charset::Other(latin1)) => latin1.decode(bytes),
                (text, _) => text.ok().map(Cow::Borrowed),
            },
        };
        text.ok_or_else(|| {
            let what = "the head of an INSERT is not valid in the character set of the dump";
            self.placed(Error::archive(what))
        })
    }

    fn check_length(&self, bytes: &[u8]) -> Result<()> {
        if bytes.len() > MAX_DEFINITION_BYTES {
            return Err(self.placed(Error::archive("a definition has more than 2 MiB")));
        }
        Ok(())
    }

    /// A statement of a converted dump.
    pub(super) fn utf8<'a>(&self, bytes: &'a [u8]) -> Result<&'a str> {
        self.check_length(bytes)?;
        std::str::from_utf8(bytes)
            .map_err(|_| self.placed(Error::archive("a definition is not valid UTF-8")))
    }
}
