//! Adds CHECKs and foreign keys after all tables are loaded. MySQL did not always enforce them. A constraint
//! that existing rows violate is dropped and reported; the rows stay.

use postgres::Client;
use postgres::error::SqlState;

use super::style::Staged;
use crate::error::Result;
use crate::error::codes::Code;
use crate::failpoint;
use crate::schema::ddl;
use crate::schema::{ForeignKey, Note, Table, resolve_foreign_key};
use crate::server::postgresql::error::{failure, is_refusal};
use crate::server::postgresql::statement::one_statement;

/// Adds the constraints of all tables. Returns notes of those left out.
pub(crate) fn add_all(client: &mut Client, tables: &[Table]) -> Result<Vec<Note>> {
    let mut notes = Vec::new();
    let note = |code: Code, table: &Table, item: &str, what: &str| Note {
        code,
        table: table.shown(),
        item: Some(item.to_owned()),
        what: what.to_owned(),
    };
    for table in tables {
        for check in &table.checks {
            let sql = ddl::add_check(Staged::of(table).style(), &table.name, check);
            match one_statement(client, &sql) {
                Err(cause) if cause.code() == Some(&SqlState::CHECK_VIOLATION) => {
                    notes.push(note(
                        Code::CheckLeftOut,
                        table,
                        &check.name,
                        "CHECK left out: existing rows violate it",
                    ));
                }
                Err(cause) if is_refusal(&cause) => {
                    let why = failure(format!("add the CHECK to {}", table.name))(cause);
                    let what = format!("CHECK ({}) left out: {why}", check.expression);
                    notes.push(note(Code::CheckLeftOut, table, &check.name, &what));
                }
                done => done.map_err(failure(format!("add a CHECK to {}", table.name)))?,
            }
            failpoint::reached("constraint added");
        }
    }
    for table in tables {
        for key in &table.foreign_keys {
            if let Some(what) = add_foreign_key(client, tables, table, key)? {
                notes.push(note(Code::ForeignKeyLeftOut, table, &key.name, &what));
            }
            failpoint::reached("constraint added");
        }
    }
    Ok(notes)
}

/// Adds `key` of `table`. Returns the difference, if there is one.
fn add_foreign_key(
    client: &mut Client,
    tables: &[Table],
    table: &Table,
    key: &ForeignKey,
) -> Result<Option<String>> {
    let tables: Vec<&Table> = tables.iter().collect();
    let key = match resolve_foreign_key(&tables, table, key) {
        Ok(key) => key,
        Err(why) => return Ok(Some(format!("foreign key left out: {why}"))),
    };
    let sql = ddl::add_foreign_key(Staged::of(table).style(), &table.name, &key);
    let doing = || {
        failure(format!(
            "add the foreign key {} of {}",
            key.name, table.name
        ))
    };
    let Err(cause) = one_statement(client, &sql) else {
        return Ok(None);
    };
    let Some(code) = cause.code() else {
        return Err(doing()(cause));
    };
    if *code == SqlState::FOREIGN_KEY_VIOLATION {
        one_statement(client, &format!("{sql} NOT VALID")).map_err(doing())?;
        return Ok(Some(
            "foreign key not validated: existing rows violate it".to_owned(),
        ));
    }
    let cannot_be = [
        SqlState::INVALID_FOREIGN_KEY,
        SqlState::DATATYPE_MISMATCH,
        SqlState::UNDEFINED_COLUMN,
        SqlState::SYNTAX_ERROR,
        SqlState::FEATURE_NOT_SUPPORTED,
        SqlState::INVALID_TABLE_DEFINITION,
        SqlState::DUPLICATE_OBJECT,
    ];
    if cannot_be.contains(code) {
        return Ok(Some(format!("foreign key left out: {}", doing()(cause))));
    }
    Err(doing()(cause))
}
