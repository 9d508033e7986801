//! Generated columns. The values that a dump has of them are the truth: PostgreSQL computes a column only if its values
//! are the same.

use super::expression::{Class, Operand, Operands, Translation, class_of, translate_value};
use super::mapper::{GivenColumns, Mapper};
use crate::dump::Duplicates;
use crate::dump::mysql::definition::{ColumnDefinition, Generated as Written};
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::rows::ValueKind;
use crate::schema::model::{Column, DataType, Generated, Proof, Table};
use crate::schema::policies::{GeneratedColumns, GeneratedSupport, Tinyint1};

/// The generated columns of a table whose values come from the dump, or do not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GeneratedValues {
    /// All rows must have values for these.
    pub given: Vec<String>,
    /// No row may have values for these.
    pub missing: Vec<String>,
}

/// What becomes of a generated column.
enum Fate {
    /// PostgreSQL computes it.
    Computed(Generated),
    /// It has the values of the dump.
    Ordinary(String),
    /// It has no values.
    LeftOut(String),
}

impl Mapper<'_> {
    /// Decides what becomes of the generated columns, and of their values.
    pub(super) fn generated_columns(&mut self, kinds: &mut [ValueKind]) -> Result<GeneratedValues> {
        let definition = self.definition;
        let mut values = GeneratedValues::default();
        for (at, column) in definition.columns.iter().enumerate() {
            let is_here = self.columns.get(&column.name).is_some();
            let Some(written) = column.generated.as_ref().filter(|_| is_here) else {
                continue;
            };
            let is_given = self.is_given(&column.name);
            let fate = self.fate(column, written, &mut kinds[at], is_given);
            let is_computed_at_once =
                matches!(&fate, Fate::Computed(generated) if generated.proof == Proof::Certain);
            if !is_given || is_computed_at_once {
                kinds[at] = ValueKind::Skipped;
            }
            if !is_given && self.given.columns != GivenColumns::NoRows {
                values.missing.push(column.name.clone());
            } else if is_given && !is_computed_at_once {
                values.given.push(column.name.clone());
            }
            self.settle(column, written, fate)?;
        }
        Ok(values)
    }

    fn settle(&mut self, column: &ColumnDefinition, written: &Written, fate: Fate) -> Result<()> {
        let name = &column.name;
        let Some(mapped) = self.columns.get_mut(name) else {
            return Ok(());
        };
        let what = match fate {
            Fate::Computed(generated) => {
                let is_stored = !generated.is_virtual;
                let is_certain = generated.proof == Proof::Certain;
                mapped.default = None;
                mapped.generated = Some(generated);
                // Nothing is said until it is known whether the values are the same.
                (is_certain && is_stored && !written.stored)
                    .then(|| "a virtual column, is stored".to_owned())
            }
            Fate::Ordinary(why) => {
                mapped.default = None;
                mapped.not_null = false;
                mapped.not_null_after_load = false;
                Some(format!(
                    "generated as {}, is an ordinary column now: {why}",
                    written.expression
                ))
            }
            Fate::LeftOut(why) => {
                if self.choices(column).generated == GeneratedColumns::Error {
                    let table = &self.definition.name;
                    return Err(Error::failed(format!(
                        "column {table}.{name}: {why}, and the dump has no values for it"
                    ))
                    .hint(format!(
                        "--generated skip, or --skip-column {table}.{name}, leaves it out"
                    )));
                }
                self.columns.remove(name);
                Some(format!(
                    "generated as {}, was left out: {why}, and the dump has no values for it",
                    written.expression
                ))
            }
        };
        if let Some(what) = what {
            self.note(Code::GeneratedColumn, Some(name), what);
        }
        Ok(())
    }

    /// Whether the rows of the dump have values for the column.
    fn is_given(&self, name: &str) -> bool {
        match &self.given.columns {
            GivenColumns::All => true,
            GivenColumns::Named(names) => {
                names.iter().any(|known| known.eq_ignore_ascii_case(name))
            }
            GivenColumns::NoRows => false,
        }
    }

    /// The columns that a CHECK may use.
    pub(super) fn all_operands(&self) -> ColumnsOf<'_> {
        ColumnsOf {
            mapper: self,
            has_generated: true,
        }
    }

    /// The columns that an expression may use: no generated ones.
    pub(super) fn operands(&self) -> ColumnsOf<'_> {
        ColumnsOf {
            mapper: self,
            has_generated: false,
        }
    }

    fn fate(
        &mut self,
        column: &ColumnDefinition,
        written: &Written,
        kind: &mut ValueKind,
        is_given: bool,
    ) -> Fate {
        let has_rows = self.given.columns != GivenColumns::NoRows;
        let unlike = |why: &str| {
            if is_given || !has_rows {
                Fate::Ordinary(why.to_owned())
            } else {
                Fate::LeftOut(why.to_owned())
            }
        };
        if self.policies.generated_support == GeneratedSupport::None {
            return unlike("the server has no generated columns");
        }
        let operands = self.operands();
        let is_number = matches!(
            class_of(&written.expression, &operands),
            Some(Class::Integer | Class::Decimal)
        );
        let Some(mut mapped) = self.columns.get(&column.name).cloned() else {
            return unlike("it was skipped");
        };
        // A number in a tinyint(1) may be any number.
        let becomes_number = mapped.data_type == DataType::Boolean
            && self.choices(column).tinyint1 == Tinyint1::Auto
            && is_number;
        if becomes_number {
            mapped.data_type = DataType::Smallint;
            mapped.wider = None;
        }
        let translation = translate_value(
            &written.expression,
            &operands,
            &mapped.data_type,
            &column.data_type,
        );
        let proof = translation
            .as_ref()
            .and_then(|translation| self.proof(translation, &operands, is_given));
        let (Some(translation), Some(proof)) = (translation, proof) else {
            return unlike("PostgreSQL may compute other values");
        };
        if becomes_number {
            *kind = ValueKind::Integer;
            self.becomes_number(&column.name, &mapped);
        }
        Fate::Computed(Generated {
            expression: translation.sql,
            is_virtual: self.stays_virtual(column, written),
            proof,
            columns: translation.columns,
            written: written.expression.clone(),
            was_stored: written.stored,
        })
    }

    fn becomes_number(&mut self, name: &str, mapped: &Column) {
        if let Some(column) = self.columns.get_mut(name) {
            column.clone_from(mapped);
        }
        let what = "smallint instead of boolean: it is generated as a number";
        self.note(Code::OtherType, Some(&mapped.name), what.to_owned());
    }

    /// How it is known that PostgreSQL computes the same values; none if it cannot be known.
    fn proof(
        &self,
        translation: &Translation,
        operands: &ColumnsOf<'_>,
        is_given: bool,
    ) -> Option<Proof> {
        let uses = |test: &dyn Fn(&Operand<'_>) -> bool| {
            let mut columns = translation.columns.iter();
            columns.all(|name| {
                operands
                    .of_column(name)
                    .is_some_and(|operand| test(&operand))
            })
        };
        let is_certain = translation.is_certain && translation.conditions.is_empty();
        if self.policies.settles {
            return if self.given.columns == GivenColumns::NoRows {
                Some(Proof::Certain)
            } else if is_given {
                Some(Proof::Values)
            } else if translation.is_certain {
                let fit = &translation.fit_conditions;
                Some(Proof::Conditions(
                    [translation.conditions.clone(), fit.clone()].concat(),
                ))
            } else {
                None
            };
        }
        // Nobody compares the values: they must be certain, and not computed from dates that may be zero dates. A text may
        // lose NUL characters, so that it has another length than the values of the dump say.
        let has_known_operands = if is_given {
            uses(&|it| it.is_plain_number())
        } else {
            uses(&|it| it.is_number_or_text())
        };
        let fits = !is_given || translation.fit_conditions.is_empty();
        (is_certain && fits && has_known_operands).then_some(Proof::Certain)
    }

    /// PostgreSQL has no indexes over virtual columns.
    fn stays_virtual(&self, column: &ColumnDefinition, written: &Written) -> bool {
        !written.stored
            && self.policies.generated_support == GeneratedSupport::StoredAndVirtual
            && !self.is_in_a_key(&column.name)
    }
}

/// Columns of a table as operands.
pub(super) struct ColumnsOf<'a> {
    mapper: &'a Mapper<'a>,
    /// Whether generated ones are among them.
    has_generated: bool,
}

impl ColumnsOf<'_> {
    fn operand(&self, name: &str, column: &Column) -> Option<Operand<'_>> {
        let definition = self.mapper.definition_of(name)?;
        let is_one = self.has_generated || definition.generated.is_none();
        is_one.then(|| Operand::new(self.mapper.definition, definition, column))
    }

    /// The operand that is called `name` in PostgreSQL.
    fn of_column(&self, name: &str) -> Option<Operand<'_>> {
        let mut columns = self.mapper.columns.iter();
        let (known, column) = columns.find(|(_, column)| column.name == name)?;
        self.operand(known, column)
    }
}

impl Operands for ColumnsOf<'_> {
    fn named(&self, name: &str) -> Option<Operand<'_>> {
        let (known, column) = self.mapper.columns.find(name)?;
        self.operand(known, column)
    }
}

/// The column that has the numbers of rows, while rows of a REPLACE or INSERT IGNORE are loaded.
pub const ROW_NUMBER: &str = "ci_import_row_number";

/// `table` as it is while its rows are loaded: with the values of the dump where they are to be compared, and without the
/// columns that come later.
#[must_use]
pub fn as_loaded(table: &Table) -> Table {
    let mut loaded = table.clone();
    if table.duplicates != Duplicates::Refused {
        let number = Column::new(ROW_NUMBER, DataType::Bigint);
        loaded.columns.push(number);
    }
    loaded.columns.retain(|column| {
        let proof = column.generated.as_ref().map(|generated| &generated.proof);
        !matches!(proof, Some(Proof::Conditions(_)))
    });
    for column in &mut loaded.columns {
        let is_compared = |generated: &mut Generated| generated.proof == Proof::Values;
        if column.generated.take_if(is_compared).is_some() {
            column.not_null = false;
            column.not_null_after_load = false;
        }
    }
    loaded
}
