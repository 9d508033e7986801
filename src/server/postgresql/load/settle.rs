//! Decides about generated columns after all rows of their table are loaded.
//!
//! Until then a column whose values the dump has is an ordinary one. If PostgreSQL computes the same values for all rows, the
//! table is written again with a generated column. So a column keeps its place, and no row has to be read twice.

use postgres::Client;

use super::indexes::builds;
use super::staged_tables::StagedTables;
use super::style::Staged;
use crate::dump::Duplicates;
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::pipeline::work_queue::WorkQueue;
use crate::rows::Tally;
use crate::schema::changed_keys::may_be_equal;
use crate::schema::ddl;
use crate::schema::sql::identifier;
use crate::schema::{Column, Generated, Note, Proof, ROW_NUMBER, Table, as_loaded};
use crate::server::postgresql::error::{failure, is_refusal};
use crate::server::postgresql::statement::one_statement;
use crate::ui::numbers::grouped;

/// Whether something about `table` depends on the values of its rows.
pub(crate) fn is_unsettled(table: &Table) -> bool {
    let mut generated = table.columns.iter().filter_map(|it| it.generated.as_ref());
    table.duplicates != Duplicates::Refused
        || generated.any(|generated| generated.proof != Proof::Certain)
}

/// Settles the table with this number, and hands on its keys and indexes.
pub(crate) fn settle(
    client: &mut Client,
    queue: &WorkQueue,
    tables: &StagedTables,
    number: usize,
) -> Result<()> {
    let _names = tables.keep_names();
    let before = tables.get(number);
    let mut settling = Settling {
        table: before.clone(),
        tally: queue.tally(number),
        notes: Vec::new(),
        removed: 0,
    };
    failpoint::reached("table to be settled");
    for column in &before.columns {
        if let Some(generated) = &column.generated {
            settling.column(client, column, generated)?;
        }
    }
    settling.write_again(client, &before, number)?;
    failpoint::reached("table settled");
    for note in settling.notes {
        queue.note(note);
    }
    if settling.removed > 0 {
        queue.removed(number, settling.removed);
    }
    settling.table.duplicates = Duplicates::Refused;
    tables.lock()[number] = settling.table;
    let table = tables.get(number);
    queue.settled(number, builds(&table, number));
    Ok(())
}

struct Settling {
    table: Table,
    tally: Tally,
    notes: Vec<Note>,
    /// The count of rows whose key another row has.
    removed: u64,
}

impl Settling {
    /// Decides about one generated column.
    fn column(
        &mut self,
        client: &mut Client,
        column: &Column,
        generated: &Generated,
    ) -> Result<()> {
        let why = match &generated.proof {
            Proof::Certain => return Ok(()),
            Proof::Values => self.why_not_equal(client, column, generated)?,
            Proof::Conditions(conditions) => {
                self.why_not_certain(client, column, generated, conditions)?
            }
        };
        match why {
            Some(why) => self.give_up(column, generated, &why),
            None => self.prove(column, generated),
        }
        Ok(())
    }

    /// Why the values of the dump are not those that the server computes.
    fn why_not_equal(
        &self,
        client: &mut Client,
        column: &Column,
        generated: &Generated,
    ) -> Result<Option<String>> {
        let condition = ddl::is_computed_otherwise(column, generated);
        let found = count(client, &self.table, &condition);
        Ok(match found {
            Ok(0) => None,
            Ok(rows) => Some(format!(
                "PostgreSQL computes other values in {} rows",
                grouped(rows)
            )),
            Err(cause) if is_refusal(&cause) => {
                Some("PostgreSQL cannot compute all values".to_owned())
            }
            Err(cause) => return Err(cannot(&self.table)(cause)),
        })
    }

    /// Why the server may compute other values than the source.
    fn why_not_certain(
        &self,
        client: &mut Client,
        column: &Column,
        generated: &Generated,
        conditions: &[String],
    ) -> Result<Option<String>> {
        let is_changed = |name: &String| self.tally.iter().any(|(column, ..)| column == name);
        if let Some(name) = generated.columns.iter().find(|name| is_changed(name)) {
            return Ok(Some(format!("values of {name} were changed")));
        }
        for condition in conditions {
            match count(client, &self.table, &format!("NOT ({condition})")) {
                Ok(0) => {}
                Ok(rows) => {
                    let rows = grouped(rows);
                    return Ok(Some(format!(
                        "PostgreSQL may compute other values in {rows} rows"
                    )));
                }
                Err(cause) if is_refusal(&cause) => {
                    return Ok(Some("PostgreSQL cannot compute all values".to_owned()));
                }
                Err(cause) => return Err(cannot(&self.table)(cause)),
            }
        }
        // A value that does not fit was another one in the source.
        match query(
            client,
            &ddl::compute_all(
                Staged::of(&self.table).style(),
                &self.table.name,
                column,
                generated,
            ),
        ) {
            Err(cause) if is_refusal(&cause) => {
                Ok(Some("PostgreSQL cannot compute all values".to_owned()))
            }
            done => done.map(|_| None).map_err(cannot(&self.table)),
        }
    }

    fn prove(&mut self, column: &Column, generated: &Generated) {
        if !generated.was_stored && !generated.is_virtual {
            self.note(
                Code::GeneratedColumn,
                &column.name,
                "a virtual column, is stored".to_owned(),
            );
        }
        let mut columns = self.table.columns.iter_mut();
        let found = columns.find(|known| known.name == column.name);
        if let Some(generated) = found.and_then(|column| column.generated.as_mut()) {
            generated.proof = Proof::Certain;
        }
    }

    /// The column becomes an ordinary one with the values of the dump; if it has none, it is left out, with its keys.
    fn give_up(&mut self, column: &Column, generated: &Generated, why: &str) {
        let (name, written) = (&column.name, &generated.written);
        if generated.proof == Proof::Values {
            self.note(
                Code::GeneratedColumn,
                name,
                format!("generated as {written}, is an ordinary column now: {why}"),
            );
            let mut columns = self.table.columns.iter_mut();
            if let Some(column) = columns.find(|known| known.name == *name) {
                column.generated = None;
                column.not_null = false;
                column.not_null_after_load = false;
            }
            return;
        }
        self.note(
            Code::GeneratedColumn,
            name,
            format!(
                "generated as {written}, was left out: {why}, and the dump has no values for it"
            ),
        );
        for (code, item) in self.table.leave_out_column(name) {
            self.note(code, &item, format!("left out with its column {name}"));
        }
    }

    /// Writes the table with its generated columns, in place of the loaded one.
    fn write_again(&mut self, client: &mut Client, before: &Table, number: usize) -> Result<()> {
        let is_certain = |generated: &Generated| generated.proof == Proof::Certain;
        let has_new = self.table.columns.iter().any(|column| {
            let before = before
                .columns
                .iter()
                .find(|known| known.name == column.name);
            let was_certain = before
                .and_then(|column| column.generated.as_ref())
                .is_some_and(is_certain);
            column.generated.as_ref().is_some_and(is_certain) && !was_certain
        });
        if !has_new && before.duplicates == Duplicates::Refused {
            return Ok(());
        }
        self.remove_duplicates(client)?;
        let Err(cause) = self.try_to_write(client, number) else {
            return Ok(());
        };
        if !has_new {
            return Err(cannot(&self.table)(cause));
        }
        if !is_refusal(&cause) {
            return Err(cannot(&self.table)(cause));
        }
        // The server refuses the expressions, or a value in one of the columns.
        let why = failure("compute its values")(cause).to_string();
        self.table = before.clone();
        self.notes.clear();
        for column in &before.columns {
            let unproved = |generated: &&Generated| !is_certain(generated);
            if let Some(generated) = column.generated.as_ref().filter(unproved) {
                self.give_up(column, generated, &why);
            }
        }
        if before.duplicates == Duplicates::Refused {
            return Ok(());
        }
        self.try_to_write(client, number)
            .map_err(cannot(&self.table))
    }

    /// Does what REPLACE and INSERT IGNORE do with rows that have the same key: of REPLACE the last row stays, of INSERT
    /// IGNORE the first one. With several keys it depends on the order for INSERT IGNORE: that is refused.
    fn remove_duplicates(&mut self, client: &mut Client) -> Result<()> {
        let mut keys = self.table.unique_keys();
        let (order, what) = match self.table.duplicates {
            Duplicates::Refused => return Ok(()),
            Duplicates::Replace => ("DESC", "replaced by later rows with the same key"),
            Duplicates::Ignored => ("ASC", "left out, as INSERT IGNORE does: the key was there"),
        };
        // Rows whose keys were others in the dump are no duplicates.
        let mut kept = Vec::new();
        keys.retain(|key| {
            let is_changed = may_be_equal(&self.table, key, &self.tally);
            if is_changed {
                kept.push(key.join(", "));
            }
            !is_changed
        });
        for key in kept {
            let what = "rows with the same values in it all stay, because such values were changed";
            self.note(Code::RowsReplaced, &key, what.to_owned());
        }
        let place = |key: &Vec<String>| {
            let columns: Vec<String> = key.iter().map(|name| identifier(name)).collect();
            let columns = columns.join(", ");
            // NULLs are no duplicates.
            format!(
                "(({columns}) IS NOT NULL AND row_number() OVER (PARTITION BY {columns} ORDER BY {ROW_NUMBER} {order}) > 1)"
            )
        };
        let places: Vec<String> = keys.iter().map(place).collect();
        if places.is_empty() {
            return Ok(());
        }
        let name = Staged::of(&self.table).name();
        let sql = format!(
            "DELETE FROM {name} AS t USING (
               SELECT {ROW_NUMBER} AS n, {} AS is_duplicate FROM {name}) AS d
             WHERE d.is_duplicate AND t.{ROW_NUMBER} = d.n",
            places.join(" OR ")
        );
        let doing = || failure(format!("remove duplicates from {}", self.table.name));
        self.removed = client.execute(&sql, &[]).map_err(doing())?;
        if self.removed > 0 && keys.len() > 1 && self.table.duplicates == Duplicates::Ignored {
            let name = &self.table.name;
            let what = format!("{name}: INSERT IGNORE of rows with the same keys is not supported");
            return Err(Error::failed(what).hint("--skip-table leaves the table out"));
        }
        if self.removed > 0 {
            self.notes.push(Note {
                code: Code::RowsReplaced,
                table: self.table.shown(),
                item: None,
                what: format!("{} rows were {what}", grouped(self.removed)),
            });
        }
        Ok(())
    }

    fn try_to_write(
        &self,
        client: &mut Client,
        number: usize,
    ) -> std::result::Result<(), postgres::Error> {
        let loaded = format!("ci_import_loaded_{number}");
        let staged = Staged::of(&self.table);
        let (name, old) = (staged.name(), staged.style().name(&loaded));
        let columns: Vec<String> = as_loaded(&self.table)
            .columns
            .iter()
            .filter(|column| column.generated.is_none() && column.name != ROW_NUMBER)
            .map(|column| identifier(&column.name))
            .collect();
        let columns = columns.join(", ");
        let mut statements = vec![format!(
            "ALTER TABLE {name} RENAME TO {}",
            identifier(&loaded)
        )];
        // PostgreSQL 18 has names for NOT NULL, which the new table is to have.
        let loaded_table = as_loaded(&self.table);
        let not_null: Vec<String> = loaded_table
            .columns
            .iter()
            .filter(|column| {
                column.not_null && !column.not_null_after_load && column.generated.is_none()
            })
            .map(|column| format!("ALTER COLUMN {} DROP NOT NULL", identifier(&column.name)))
            .collect();
        if !not_null.is_empty() {
            statements.push(format!("ALTER TABLE {old} {}", not_null.join(", ")));
        }
        statements.extend(ddl::create_table_alone(staged.style(), &self.table));
        if columns.is_empty() {
            statements.push(format!("INSERT INTO {name} SELECT FROM {old}"));
        } else {
            statements.push(format!(
                "INSERT INTO {name} ({columns}) SELECT {columns} FROM {old}"
            ));
        }
        statements.push(format!("DROP TABLE {old}"));
        let mut transaction = client.transaction()?;
        for statement in &statements {
            one_statement(&mut transaction, statement)?;
        }
        transaction.commit()
    }

    fn note(&mut self, code: Code, item: &str, what: String) {
        self.notes.push(Note {
            code,
            table: self.table.shown(),
            item: Some(item.to_owned()),
            what,
        });
    }
}

/// How many rows of `table` fulfil `condition`.
fn count(
    client: &mut Client,
    table: &Table,
    condition: &str,
) -> std::result::Result<i64, postgres::Error> {
    let name = Staged::of(table).name();
    query(
        client,
        &format!("SELECT count(*) FROM {name} WHERE {condition}"),
    )
}

/// The number that `sql` gives.
fn query(client: &mut Client, sql: &str) -> std::result::Result<i64, postgres::Error> {
    client.query_one(sql, &[]).map(|row| row.get(0))
}

fn cannot(table: &Table) -> impl FnOnce(postgres::Error) -> crate::error::Error {
    failure(format!("compare the generated columns of {}", table.name))
}
