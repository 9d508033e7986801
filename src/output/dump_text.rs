//! The text of a dump for PostgreSQL, in the order in which it is written.

use std::io::Write;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::transcoded::{Transcoded, Widened, cannot_write, packed, transcoded};
use crate::dump::postgresql::{CONVERTED, CONVERTED_COMPLETE};
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::pipeline::converter::not_null_after_load;
use crate::resources::MAX_SPARE_BYTES;
use crate::rows::{Tally, Widening};
use crate::schema::changed_keys::{
    computed_from_changed, foreign_key_note, give_up_keys, widening_note,
};
use crate::schema::ddl::{self, Style};
use crate::schema::sql::identifier;
use crate::schema::{
    KeptAs, Note, PrimaryKey, Sequence, Table, column_of_another_type, final_names,
    final_sequence_name, resolve_foreign_key,
};

/// How names beside `table` are written. PostgreSQL 9 can read it, too.
pub(super) fn style(table: &Table) -> Style<'_> {
    Style {
        schema: table.schema.as_deref(),
        typed_sequences: false,
    }
}

const HEAD: &str = "\
SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET client_min_messages = warning;
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
";

/// A table that was written.
#[derive(Debug)]
pub struct WrittenTable {
    /// The table.
    pub table: Table,
    /// How many rows it has.
    pub rows: u64,
    /// The changes of their values.
    pub tally: Tally,
}

/// The tables that were written, and notes of what came out differently.
pub(super) type Written = (Vec<WrittenTable>, Vec<Note>);

/// The state of the writer thread.
pub(super) struct DumpText {
    out: Box<dyn Write + Send>,
    compressed: bool,
    /// The COPY whose rows are being written.
    open: Option<Arc<str>>,
    /// Return the buffers of chunks and of lines.
    chunks: Sender<Vec<u8>>,
    lines: Sender<Vec<u8>>,
    tables: Vec<WrittenTable>,
    widened: Arc<Mutex<Widened>>,
    notes: Vec<Note>,
}

impl DumpText {
    pub(super) fn new(
        out: Box<dyn Write + Send>,
        compressed: bool,
        chunks: Sender<Vec<u8>>,
        lines: Sender<Vec<u8>>,
        widened: Arc<Mutex<Widened>>,
    ) -> DumpText {
        DumpText {
            out,
            compressed,
            open: None,
            chunks,
            lines,
            tables: Vec::new(),
            widened,
            notes: Vec::new(),
        }
    }

    /// What comes before all tables.
    pub(super) fn begin(&mut self) -> Result<()> {
        let version = env!("CARGO_PKG_VERSION");
        self.text(&format!("-- {CONVERTED}{version}\n\n{HEAD}"))
    }

    pub(super) fn table(&mut self, table: Table) -> Result<()> {
        let mut sql = "\n".to_owned();
        let is_first = |schema: &&String| {
            let mut tables = self.tables.iter();
            tables.all(|it| it.table.schema.as_ref() != Some(schema))
        };
        if let Some(schema) = table.schema.as_ref().filter(is_first) {
            sql += &format!("CREATE SCHEMA IF NOT EXISTS {};\n", identifier(schema));
        }
        let style = style(&table);
        // A sequence that has the name of the table is no table, and is renamed.
        if table.renamed_sequences.is_empty() {
            sql += &format!("DROP TABLE IF EXISTS {};\n", style.name(&table.name));
        }
        if let Some(sequence) = &table.sequence {
            sql += &format!("DROP SEQUENCE IF EXISTS {};\n", style.name(&sequence.name));
        }
        for enum_type in &table.enum_types {
            sql += &format!("DROP TYPE IF EXISTS {};\n", style.name(&enum_type.name));
        }
        statements(&mut sql, &ddl::create_table(style, &table));
        self.tables.push(WrittenTable {
            table,
            rows: 0,
            tally: Tally::default(),
        });
        self.text(&sql)
    }

    /// Drops the table with this number.
    pub(super) fn drop_table(&mut self, number: usize) -> Result<()> {
        let table = std::mem::take(&mut self.tables[number].table);
        let mut sql = "\n".to_owned();
        statements(&mut sql, &ddl::drop_table(style(&table), &table));
        let shown = table.shown();
        self.notes.retain(|note| note.table != shown);
        self.text(&sql)
    }

    /// Adds the keys and indexes of `table` that came after its rows.
    pub(super) fn complete(&mut self, number: usize, table: Table) {
        self.tables[number].table = table;
    }

    /// Changes the table with this number, which was created as `before`, to `after`. Its keys and constraints follow at
    /// the end.
    pub(super) fn alter(&mut self, number: usize, before: &Table, after: &Table) -> Result<()> {
        let table = &mut self.tables[number].table;
        table.take_over(before, after);
        let changes = ddl::alter_table(style(table), table, before, after);
        if changes.is_empty() {
            return Ok(());
        }
        let mut sql = "\n".to_owned();
        for change in changes {
            statements(&mut sql, &[change.statement]);
        }
        self.text(&sql)
    }

    /// Writes rows of a COPY, which stays open for the rows that follow.
    pub(super) fn rows(
        &mut self,
        copy: Arc<str>,
        done: &Receiver<Result<Transcoded>>,
    ) -> Result<()> {
        let crashed = |_| Err(Error::failed("transcoding rows crashed"));
        let mut done = done.recv().unwrap_or_else(crashed)?;
        let table = done.rows.table;
        // A chunk that was transcoded for a type that is not the column's any more is transcoded again.
        loop {
            if let Some(widening) = done.misfit.take() {
                self.widen(table, widening)?;
            } else if done.widenings == self.widened().of(table).len() {
                break;
            }
            done = transcoded(done.rows, done.lines, self.compressed, &self.widened)?;
        }
        if self.open.as_ref() != Some(&copy) {
            self.close_copy()?;
            self.put(&format!(
                "\n{};\n",
                copy.replace("FROM STDIN", "FROM stdin")
            ))?;
            self.open = Some(copy);
        }
        self.out.write_all(&done.lines).map_err(cannot_write)?;
        let written = &mut self.tables[table];
        written.rows += done.done.rows;
        written.tally.merge(&done.done.tally);
        for (buffer, to) in [
            (done.lines, &self.lines),
            (done.rows.chunk.bytes, &self.chunks),
        ] {
            if buffer.capacity() <= MAX_SPARE_BYTES {
                let _ = to.send(buffer);
            }
        }
        Ok(())
    }

    /// Gives a column a wider type, after the rows that are written already.
    pub(super) fn widen(&mut self, number: usize, widening: Widening) -> Result<()> {
        let known = |known: &Widening| (&known.column, known.to) == (&widening.column, widening.to);
        let is_decided = widening.row == 0;
        if is_decided {
            // The dump has decided it, whatever the values are.
            let table = self.tables[number].table.shown();
            let is_it =
                |note: &Note| note.table == table && note.item.as_ref() == Some(&widening.column);
            self.notes.retain(|note| !is_it(note));
        }
        if self.widened().of(number).iter().any(known) {
            return Ok(());
        }
        let sql = self.change_type(number, &widening);
        self.text(&sql)?;
        let note = widening_note(&self.tables[number].table.shown(), &widening);
        self.notes.extend((!is_decided).then_some(note));
        self.widened().add(number, widening);
        Ok(())
    }

    fn change_type(&mut self, number: usize, widening: &Widening) -> String {
        let table = &mut self.tables[number].table;
        let mut sql = String::new();
        if let Some((column, unused)) = table.widen(&widening.column, widening.to) {
            statements(&mut sql, &[ddl::change_type(style(table), table, &column)]);
            if let Some(unused) = unused {
                statements(&mut sql, &[ddl::drop_type(style(table), &unused)]);
            }
        }
        sql
    }

    fn widened(&self) -> MutexGuard<'_, Widened> {
        self.widened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What comes after all rows.
    pub(super) fn end(mut self) -> Result<Written> {
        // Those without a name were dropped.
        self.tables.retain(|written| !written.table.name.is_empty());
        let mut sql = self.types_of_foreign_keys();
        for written in &mut self.tables {
            let (columns, late) = not_null_after_load(&written.table, &written.tally);
            if !columns.is_empty() {
                let set = ddl::set_not_null(style(&written.table), &written.table.name, &columns);
                statements(&mut sql, &[set]);
            }
            self.notes.extend(late);
            self.notes
                .extend(computed_from_changed(&written.table, &written.tally));
            self.notes
                .extend(give_up_keys(&mut written.table, &written.tally));
        }
        let tables: Vec<&Table> = self.tables.iter().map(|written| &written.table).collect();
        sql += &keys(&tables, &mut self.notes);
        sql += &foreign_keys(&tables, &mut self.notes);
        for table in &tables {
            let triggers = table.on_update.iter();
            let triggers = triggers.map(|it| ddl::update_trigger_in_dump(style(table), table, it));
            statements(&mut sql, &triggers.collect::<Vec<_>>());
        }
        sql += &format!("\n-- {CONVERTED_COMPLETE}\n");
        self.text(&sql)?;
        self.out.flush().map_err(cannot_write)?;
        Ok((self.tables, self.notes))
    }

    /// Gives columns that a foreign key compares with a column of a wider type this type, too.
    fn types_of_foreign_keys(&mut self) -> String {
        let mut sql = String::new();
        loop {
            let tables: Vec<Table> = self.tables.iter().map(|it| it.table.clone()).collect();
            let Some((number, column, to, key)) = column_of_another_type(&tables) else {
                return sql;
            };
            let note = foreign_key_note(&tables[number], &column, to, &key);
            self.notes.push(note);
            sql += &self.change_type(number, &Widening { column, to, row: 0 });
        }
    }

    pub(super) fn text(&mut self, text: &str) -> Result<()> {
        self.close_copy()?;
        self.put(text)
    }

    fn close_copy(&mut self) -> Result<()> {
        if self.open.take().is_some() {
            return self.put("\\.\n");
        }
        Ok(())
    }

    fn put(&mut self, text: &str) -> Result<()> {
        let bytes = packed(text.as_bytes(), self.compressed)?;
        self.out.write_all(&bytes).map_err(cannot_write)
    }
}

/// The keys, indexes, next values and CHECKs of `tables`.
fn keys(tables: &[&Table], notes: &mut Vec<Note>) -> String {
    let mut sql = String::new();
    let (names, renamed) = final_names(tables);
    notes.extend(renamed);
    for (table, names) in tables.iter().zip(&names) {
        sql += "\n";
        if let (Some(key), Some(name)) = (&table.primary_key, &names.primary_key) {
            statements(&mut sql, &primary_key(table, key, name));
        }
        for (index, name) in table.indexes.iter().zip(&names.indexes) {
            let create = ddl::create_index(style(table), &table.name, index, name);
            statements(&mut sql, &create);
        }
        if let Some(sequence) = &table.sequence {
            let sequence = Sequence {
                name: final_sequence_name(tables, table, &sequence.name),
                ..sequence.clone()
            };
            let set = ddl::set_sequence_in_dump(style(table), &table.name, &sequence);
            statements(&mut sql, &set);
        }
        for check in &table.checks {
            statements(
                &mut sql,
                &[ddl::add_check(style(table), &table.name, check)],
            );
        }
    }
    sql
}

fn primary_key(table: &Table, key: &PrimaryKey, name: &str) -> Vec<String> {
    if key.kept_as == KeptAs::Key {
        return vec![ddl::add_primary_key(style(table), &table.name, key, name)];
    }
    ddl::primary_key(style(table), &table.name, key, name)
}

fn foreign_keys(tables: &[&Table], notes: &mut Vec<Note>) -> String {
    let mut sql = String::new();
    for table in tables {
        for key in &table.foreign_keys {
            match resolve_foreign_key(tables, table, key) {
                Ok(key) => {
                    statements(
                        &mut sql,
                        &[ddl::add_foreign_key(style(table), &table.name, &key)],
                    );
                }
                Err(why) => notes.push(Note {
                    code: Code::ForeignKeyLeftOut,
                    table: table.shown(),
                    item: Some(key.name.clone()),
                    what: format!("foreign key left out: {why}"),
                }),
            }
        }
    }
    sql
}

fn statements(sql: &mut String, statements: &[String]) {
    for statement in statements {
        *sql += statement;
        *sql += ";\n";
    }
}
