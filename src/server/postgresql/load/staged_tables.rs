//! The tables of a load, as they are in the staging schema.

use std::sync::{Mutex, MutexGuard, PoisonError};

use postgres::Client;

use super::style::STYLE;
use crate::error::Result;
use crate::failpoint;
use crate::rows::Widening;
use crate::schema::Table;
use crate::schema::ddl;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::statement::one_statement;

/// The tables, by number. The workers change them when values ask for it.
#[derive(Debug, Default)]
pub(crate) struct StagedTables(Mutex<Vec<Table>>);

impl StagedTables {
    /// The tables.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<Table>> {
        // A worker that panics fails the import when it is joined.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table with this number.
    pub(crate) fn get(&self, number: usize) -> Table {
        self.lock()[number].clone()
    }

    /// Gives a column of the table with this number a wider type.
    pub(crate) fn widen(
        &self,
        client: &mut Client,
        number: usize,
        widening: &Widening,
    ) -> Result<()> {
        let mut table = self.get(number);
        let Some((column, unused)) = table.widen(&widening.column, widening.to) else {
            return Ok(());
        };
        let mut statements = vec![ddl::change_type(STYLE, &table, &column)];
        statements.extend(unused.map(|unused| ddl::drop_type(STYLE, &unused)));
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
