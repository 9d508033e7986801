//! The tables of a load, as they are in the staging schema.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use postgres::Client;

use super::style::Staged;
use crate::error::Result;
use crate::error::codes::Code;
use crate::failpoint;
use crate::rows::Widening;
use crate::schema::ddl::{self, Change};
use crate::schema::{Note, Table};
use crate::server::postgresql::error::{failure, is_refusal};
use crate::server::postgresql::statement::one_statement;

/// The tables, by number. The workers change them when values ask for it.
#[derive(Debug, Default)]
pub(crate) struct StagedTables {
    tables: Mutex<Vec<Table>>,
    /// Held to write while names change that other tables have, to read while a table is changed.
    names: RwLock<()>,
}

impl StagedTables {
    /// The tables.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<Table>> {
        // A worker that panics fails the import when it is joined.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the names of tables and sequences as they are: for who changes a table.
    pub(crate) fn keep_names(&self) -> RwLockReadGuard<'_, ()> {
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody changes a table: for who gives sequences of them other names.
    pub(crate) fn change_names(&self) -> RwLockWriteGuard<'_, ()> {
        self.names.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table with this number.
    pub(crate) fn get(&self, number: usize) -> Table {
        self.lock()[number].clone()
    }

    /// Drops the table with this number.
    pub(crate) fn drop_table(&self, client: &mut Client, number: usize) -> Result<()> {
        let table = std::mem::take(&mut self.lock()[number]);
        for statement in ddl::drop_table(Staged::of(&table).style(), &table) {
            one_statement(client, &statement)
                .map_err(failure(format!("drop the table {}", table.name)))?;
        }
        failpoint::reached("table dropped");
        Ok(())
    }

    /// Whether the table with this number was dropped.
    pub(crate) fn is_dropped(&self, number: usize) -> bool {
        self.lock()[number].name.is_empty()
    }

    /// Gives the sequences other names that give way to the table `of`.
    pub(crate) fn rename_sequences(&self, of: &Table) {
        for (from, to) in &of.renamed_sequences {
            let mut tables = self.lock();
            let beside = tables.iter_mut().filter(|it| it.schema == of.schema);
            let mut sequences = beside.filter_map(|table| table.sequence.as_mut());
            if let Some(sequence) = sequences.find(|sequence| sequence.name == *from) {
                sequence.name.clone_from(to);
            }
        }
    }

    /// Changes the table with this number, which was created as `before`, to `after`, without its keys and constraints.
    /// Returns notes of what the server refuses.
    pub(crate) fn alter(
        &self,
        client: &mut Client,
        number: usize,
        before: &Table,
        after: &Table,
    ) -> Result<Vec<Note>> {
        let _names = self.keep_names();
        let mut table = self.get(number);
        table.take_over(before, after);
        let staged = Staged::of(&table);
        let mut notes = Vec::new();
        let mut refused = Vec::new();
        for Change { statement, default } in ddl::alter_table(staged.style(), &table, before, after)
        {
            match (one_statement(client, &statement), default) {
                (Err(cause), Some((column, default))) if is_refusal(&cause) => {
                    let why = failure("set this default")(cause);
                    notes.push(Note {
                        code: Code::DefaultLeftOut,
                        table: table.shown(),
                        item: Some(column.clone()),
                        what: format!("the default {default} was left out: the server {why}"),
                    });
                    refused.push(column);
                }
                (done, _) => done.map_err(failure(format!("change the table {}", table.name)))?,
            }
        }
        failpoint::reached("table altered");
        // Workers may have changed its keys meanwhile.
        let now = &mut self.lock()[number];
        now.take_over(before, after);
        for column in now
            .columns
            .iter_mut()
            .filter(|it| refused.contains(&it.name))
        {
            column.default = None;
        }
        Ok(notes)
    }

    /// Gives a column of the table with this number a wider type.
    pub(crate) fn widen(
        &self,
        client: &mut Client,
        number: usize,
        widening: &Widening,
    ) -> Result<()> {
        let _names = self.keep_names();
        let mut table = self.get(number);
        let before = table.clone();
        let Some((column, unused)) = table.widen(&widening.column, widening.to) else {
            return Ok(());
        };
        if table == before {
            return Ok(());
        }
        let staged = Staged::of(&table);
        let mut statements = vec![ddl::change_type(staged.style(), &table, &column)];
        statements.extend(unused.map(|unused| ddl::drop_type(staged.style(), &unused)));
        for statement in statements {
            one_statement(client, &statement).map_err(failure(format!(
                "give {}.{} the type {}",
                table.name, column.name, column.data_type
            )))?;
        }
        failpoint::reached("column widened");
        self.lock()[number] = table;
        Ok(())
    }
}
