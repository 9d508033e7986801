//! Prepared statements: taken only if all that they can do is known, and is without effect on the data.
//!
//! Percona's mysqldump prepares `SET SESSION rocksdb_bulk_load = 1` or a SET of a user variable in every dump, and
//! mariadb-dump prepares `SET ROLE …`.

use super::consumer::Consumer;
use super::reading::Reader;
use crate::dump::mysql::expression::Value;
use crate::dump::mysql::session::user_variables;
use crate::dump::mysql::statement::{DumpStatement, classify};
use crate::error::Result;

/// Why a prepared statement is refused.
const NOT_KNOWN: &str = "the dump executes a prepared statement, which may change data";

/// A statement that begins so can do nothing else, whatever follows.
const HARMLESS_BEGINNING: &str = "SET ROLE ";

impl<C: Consumer> Reader<C> {
    /// Executes one of the texts in `value`. `statement` is for the error.
    pub(super) fn execute(&mut self, value: &Value, statement: &str) -> Result<()> {
        let is_harmless = match value {
            Value::OneOf(texts) => texts.iter().all(|text| self.is_harmless(text)),
            Value::Begins(text) => text.to_ascii_uppercase().starts_with(HARMLESS_BEGINNING),
            Value::Null | Value::Unknown => false,
        };
        if is_harmless {
            Ok(())
        } else {
            Err(self.refused(NOT_KNOWN, statement))
        }
    }

    /// Whether `text` has no effect on the data, nor on how the rest of the dump is read. The values of variables that
    /// it sets are forgotten.
    fn is_harmless(&mut self, text: &str) -> bool {
        let (kind, tokens) = classify(text, self.session.mode().quoting());
        if self.check_functions(&tokens, text).is_err() {
            return false;
        }
        let variables = match kind {
            DumpStatement::WithoutEffect => return true,
            DumpStatement::SelectInto(variables) => variables,
            DumpStatement::Set => match user_variables(&tokens) {
                Some(variables) => variables,
                None => return false,
            },
            _ => return false,
        };
        for variable in variables {
            self.session.forget(&variable);
        }
        true
    }
}
