//! Columns with `ON UPDATE CURRENT_TIMESTAMP` (MySQL manual, 13.2.5), which PostgreSQL does not have: a trigger sets them.

use super::defaults::current_time;
use super::mapper::Mapper;
use crate::dump::mysql::definition::ColumnDefinition;
use crate::error::codes::Code;
use crate::schema::model::{Column, UpdateTrigger};
use crate::schema::names::fitting;
use crate::schema::policies::OnUpdate;

impl Mapper<'_> {
    /// What the trigger sets `column` to, which is `mapped`, as SQL. None if nothing sets it.
    pub(super) fn time_of_update(
        &mut self,
        column: &ColumnDefinition,
        mapped: &Column,
    ) -> Option<String> {
        let type_name = &column.data_type.name;
        let now = current_time(
            "current_timestamp",
            type_name,
            &mapped.data_type,
            self.choices(column).timestamps,
        );
        let now = now.filter(|_| self.choices(column).on_update == OnUpdate::Trigger);
        let what = match now {
            Some(_) => format!(
                "ON UPDATE CURRENT_TIMESTAMP is the trigger {} now",
                trigger_name(&self.name)
            ),
            None => "ON UPDATE CURRENT_TIMESTAMP left out".to_owned(),
        };
        self.note(Code::OnUpdate, Some(&mapped.name), what);
        now
    }

    /// The trigger that sets `columns`.
    pub(super) fn update_trigger(&self, columns: Vec<(String, String)>) -> Option<UpdateTrigger> {
        (!columns.is_empty()).then(|| UpdateTrigger {
            name: trigger_name(&self.name),
            columns,
        })
    }
}

/// The name of the trigger of `table`, and of its function. Functions have a name space of their own.
fn trigger_name(table: &str) -> String {
    fitting(&format!("{table}_on_update"))
}
