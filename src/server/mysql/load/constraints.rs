//! Adds CHECKs and foreign keys after all tables are loaded. A constraint that cannot be added is left out
//! and reported, because the rows matter more.

use mysql::Conn;

use crate::error::Result;
use crate::error::codes::Code;
use crate::failpoint;
use crate::schema::Note;
use crate::server::mysql::checks::Checks;
use crate::server::mysql::ddl;
use crate::server::mysql::error::{failure, is_refusal, why};
use crate::server::mysql::lookup::Lookup;
use crate::server::mysql::mapping::Table;
use crate::server::mysql::statement::one_statement;

/// The errors for a CHECK that a row violates: MariaDB's number and MySQL's.
const BROKEN_BY_A_ROW: [u16; 2] = [4025, 3819];

/// In MySQL, the name of a CHECK must be unique in the database (MySQL manual, 15.1.20.6), in MariaDB in the
/// table.
const NAME_IS_TAKEN: u16 = 3822;

/// Adds the constraints of `table`, one of the `tables` in `database`. Returns notes of those left out. The
/// server does not check foreign keys against the rows, just as it does not when it loads mysqldump's file.
pub(crate) fn add(
    connection: &mut Conn,
    database: &str,
    table: &Table,
    tables: &[Table],
) -> Result<Vec<Note>> {
    let name = &table.definition.name;
    let mut notes = Vec::new();
    let mut note = |code: Code, item: Option<&str>, what: String| {
        notes.push(Note {
            code,
            table: name.clone(),
            item: item.map(str::to_owned),
            what,
        });
    };
    let lookup = Lookup::of(&table.definition);
    let checks = Checks::of(&lookup);
    for (check, expression) in checks.late() {
        let add = |check| checks.add(database, check, expression);
        let Some(sql) = add(check) else { continue };
        let mut done = one_statement(connection, &sql);
        if matches!(&done, Err(mysql::Error::MySqlError(cause)) if cause.code == NAME_IS_TAKEN)
            && let Some(sql) = add(None)
        {
            done = one_statement(connection, &sql);
            note(
                Code::Renamed,
                check,
                "the CHECK got another name: its name is already used".to_owned(),
            );
        }
        match done {
            Err(mysql::Error::MySqlError(cause)) if BROKEN_BY_A_ROW.contains(&cause.code) => {
                note(
                    Code::CheckLeftOut,
                    check,
                    "CHECK left out: existing rows violate it".to_owned(),
                );
            }
            Err(cause) if is_refusal(&cause) => {
                let what = format!(
                    "CHECK ({expression}) left out: the server refuses it: {}",
                    why(&cause)
                );
                note(Code::CheckLeftOut, check, what);
            }
            done => done.map_err(failure(format!("add a CHECK to {name}")))?,
        }
        failpoint::reached("constraint added");
    }
    for key in &table.definition.foreign_keys {
        let item = key.name.as_deref();
        let is_here = |other: &Table| other.definition.name == key.references;
        if !tables.iter().any(is_here) {
            note(
                Code::ForeignKeyLeftOut,
                item,
                format!("foreign key left out: there is no table {}", key.references),
            );
            continue;
        }
        let sql = ddl::add_foreign_key(database, name, key);
        match one_statement(connection, &sql) {
            Err(cause) if is_refusal(&cause) => {
                note(
                    Code::ForeignKeyLeftOut,
                    item,
                    format!("foreign key left out: {}", why(&cause)),
                );
            }
            done => done.map_err(failure(format!("add a foreign key to {name}")))?,
        }
        failpoint::reached("constraint added");
    }
    Ok(notes)
}
