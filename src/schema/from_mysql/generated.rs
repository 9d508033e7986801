//! Generated columns: computed by the target, or ordinary columns with the values of the dump.

use super::expression::{Purpose, translate};
use super::mapper::Mapper;
use crate::rows::ValueKind;
use crate::schema::model::{Column, DataType};

impl Mapper<'_> {
    /// Decides which generated columns PostgreSQL computes. The others become ordinary columns with the values of the
    /// dump; returns their names.
    pub(super) fn generated_columns(&mut self, kinds: &mut [ValueKind]) -> Vec<String> {
        let plain: Vec<Column> = self
            .columns
            .iter()
            .filter(|(name, _)| {
                self.definition_of(name)
                    .is_some_and(|c| c.generated.is_none())
            })
            .map(|(name, column)| Column {
                name: name.clone(),
                ..column.clone()
            })
            .collect();
        let mut materialised = Vec::new();
        for (at, definition) in self.definition.columns.iter().enumerate() {
            let Some(generated) = &definition.generated else {
                continue;
            };
            let Some((_, column)) = self
                .columns
                .iter_mut()
                .find(|(name, _)| *name == definition.name)
            else {
                continue;
            };
            column.default = None;
            let of_text = matches!(column.data_type, DataType::Char(_) | DataType::Enum(_));
            let may_be_computed = !of_text && !self.policies.materialise_generated;
            let what = match translate(&generated.expression, &plain, Purpose::Value) {
                Some(expression) if may_be_computed => {
                    column.generated = Some(expression);
                    kinds[at] = ValueKind::Skipped;
                    if generated.stored {
                        continue;
                    }
                    "a virtual column, is stored".to_owned()
                }
                _ => {
                    materialised.push(definition.name.clone());
                    column.not_null = false;
                    column.not_null_after_load = false;
                    format!(
                        "generated as {}, is an ordinary column now",
                        generated.expression
                    )
                }
            };
            self.note(Some(&definition.name), what);
        }
        materialised
    }
}
