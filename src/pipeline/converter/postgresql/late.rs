//! What comes for a table after its definition: defaults and comments, in dumps of `convert` also after the rows.

use super::{Pending, PostgresqlConverter, bare};
use crate::dump::postgresql::definition::DefaultValue;
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::pipeline::sink::Sink;
use crate::schema::policies::OnUpdate;
use crate::schema::{Column, DataType, Sequence, Table, UpdateTrigger, from_postgresql};

impl Pending {
    /// The table, to change it: what the sink has is kept, if it has the table.
    fn changing(&mut self) -> &mut Table {
        if self.is_given && self.given.is_none() {
            self.given = Some(bare(&self.table).into());
        }
        &mut self.table
    }

    /// Whether the default of `column` is the sequence of the table.
    fn is_counted(&self, column: &str) -> bool {
        let sequence = self.table.sequence.as_ref();
        sequence.is_some_and(|sequence| sequence.column == column)
    }

    fn column(&mut self, name: &str) -> Option<&mut Column> {
        let mut columns = self.changing().columns.iter_mut();
        columns.find(|known| known.name == name)
    }
}

impl<S: Sink> PostgresqlConverter<S> {
    pub(super) fn default(
        &mut self,
        table: &str,
        column: &str,
        default: &DefaultValue,
    ) -> Result<()> {
        let Some(number) = self.number(table) else {
            return Ok(());
        };
        let pending = &mut self.tables[number];
        let Some(found) = pending.column(column) else {
            let what = format!("the dump has a default of {table}.{column}, but no such column");
            return Err(Error::failed(what));
        };
        let data_type = found.data_type.clone();
        if let DefaultValue::NextValue(sequence) = default
            && pending.counted_by.as_ref() == Some(sequence)
            && pending.is_counted(column)
        {
            return Ok(());
        }
        self.no_sequence(number, column)?;
        let pending = &mut self.tables[number];
        if let DefaultValue::NextValue(sequence) = default {
            let counts = matches!(
                data_type,
                DataType::Smallint
                    | DataType::Integer
                    | DataType::Bigint
                    | DataType::Numeric(20, 0)
            );
            if counts && pending.table.sequence.is_none() {
                pending.table.sequence = Some(Sequence {
                    name: sequence.clone(),
                    column: column.to_owned(),
                    data_type: match data_type {
                        DataType::Numeric(..) => DataType::Bigint,
                        whole => whole,
                    },
                    next_at_least: 1,
                });
                pending.counted_by = Some(sequence.clone());
                if pending.is_given {
                    self.name_sequence(number);
                }
                return Ok(());
            }
        }
        set_default(
            pending,
            column,
            from_postgresql::default_sql(default, &data_type),
        );
        let is_left_out = pending
            .column(column)
            .is_some_and(|it| it.default.is_none());
        if is_left_out {
            let what = "its default was left out: the expression is not supported";
            self.note(Code::DefaultLeftOut, table, Some(column), what);
        }
        Ok(())
    }

    /// A column loses its default.
    pub(super) fn no_default(&mut self, table: &str, column: &str) -> Result<()> {
        if let Some(number) = self.number(table) {
            self.no_sequence(number, column)?;
            set_default(&mut self.tables[number], column, None);
        }
        Ok(())
    }

    /// The `column` of the table with this number loses the sequence that is its default, if it has one.
    fn no_sequence(&mut self, number: usize, column: &str) -> Result<()> {
        let pending = &mut self.tables[number];
        if !pending.is_counted(column) {
            return Ok(());
        }
        let given = pending.given.as_ref().map(|table| &table.sequence);
        if pending.is_given && !matches!(given, Some(None)) {
            let table = &pending.table.name;
            let what = format!(
                "column {table}.{column}: after rows, the dump takes away the sequence that is its default, which is not supported"
            );
            return Err(Error::failed(what).hint(format!("--skip-table {table} leaves it out")));
        }
        pending.table.sequence = None;
        pending.counted_by = None;
        Ok(())
    }

    /// A column may be NULL.
    pub(super) fn nullable(&mut self, table: &str, column: &str) {
        if let Some(number) = self.number(table)
            && let Some(column) = self.tables[number].column(column)
        {
            column.not_null = false;
            column.not_null_after_load = false;
        }
    }

    /// A trigger sets `columns` to the current time if an UPDATE changes others.
    pub(super) fn update_trigger(
        &mut self,
        table: &str,
        name: String,
        columns: Vec<(String, &'static str)>,
    ) {
        let Some(number) = self.number(table) else {
            return;
        };
        let pending = &mut self.tables[number].table;
        let is_moment = |column: &Column| {
            let has_time = matches!(
                column.data_type,
                DataType::Timestamp(_) | DataType::Timestamptz(_)
            );
            has_time && column.generated.is_none()
        };
        let has = |wanted: &str| {
            let mut known = pending.columns.iter();
            known.any(|column| column.name == wanted && is_moment(column))
        };
        let why = if self.conversion.policies.columns.on_update == OnUpdate::None {
            "--on-update none"
        } else if pending.on_update.is_some() || !columns.iter().all(|(column, _)| has(column)) {
            "it is not one that an import has made"
        } else {
            let columns = columns.into_iter();
            let columns = columns.map(|(column, now)| (column, now.to_owned()));
            pending.on_update = Some(UpdateTrigger {
                name,
                columns: columns.collect(),
            });
            return;
        };
        let what = format!("the trigger was left out: {why}");
        self.note(Code::OnUpdate, table, Some(&name), what);
    }

    pub(super) fn comment(&mut self, table: &str, column: Option<&str>, text: String) {
        let Some(number) = self.number(table) else {
            return;
        };
        let pending = &mut self.tables[number];
        let text = Some(text).filter(|text| !text.is_empty());
        match column {
            None => pending.changing().comment = text,
            Some(name) => {
                if let Some(column) = pending.column(name) {
                    column.comment = text;
                }
            }
        }
    }
}

fn set_default(pending: &mut Pending, column: &str, default: Option<String>) {
    if let Some(column) = pending.column(column) {
        column.default = default;
    }
}
