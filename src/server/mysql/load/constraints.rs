//! Adds CHECKs and foreign keys when all tables are loaded. One that cannot be is given up, and told: the rows
//! are what must arrive.

use mysql::Conn;

use crate::error::Result;
use crate::failpoint;
use crate::schema::Note;
use crate::server::mysql::ddl;
use crate::server::mysql::error::{failure, is_refusal, why};
use crate::server::mysql::mapping::Table;
use crate::server::mysql::statement::one_statement;

/// What a server says of a CHECK that a row breaks: MariaDB's number and MySQL's.
const BROKEN_BY_A_ROW: [u16; 2] = [4025, 3819];

/// In MySQL no two CHECKs of a database have the same name (MySQL manual, 15.1.20.6), in MariaDB no two of a
/// table.
const NAME_IS_TAKEN: u16 = 3822;

/// Adds those of `table`, one of the `tables` in `database`; the notes are of what could not be. Foreign keys
/// are not held against the rows, as mysqldump's own files would not.
pub(crate) fn add(
    connection: &mut Conn,
    database: &str,
    table: &Table,
    tables: &[Table],
) -> Result<Vec<Note>> {
    let name = &table.definition.name;
    let mut notes = Vec::new();
    let mut note = |item: Option<&str>, what: String| {
        notes.push(Note {
            table: name.clone(),
            item: item.map(str::to_owned),
            what,
        });
    };
    for (check, expression) in ddl::late_checks(&table.definition) {
        let add = |check| ddl::add_check(database, &table.definition, check, expression);
        let Some(sql) = add(check) else { continue };
        let mut done = one_statement(connection, &sql);
        if matches!(&done, Err(mysql::Error::MySqlError(cause)) if cause.code == NAME_IS_TAKEN)
            && let Some(sql) = add(None)
        {
            done = one_statement(connection, &sql);
            note(
                check,
                "the CHECK got another name: its name is already used".to_owned(),
            );
        }
        match done {
            Err(mysql::Error::MySqlError(cause)) if BROKEN_BY_A_ROW.contains(&cause.code) => {
                note(check, "CHECK left out: existing rows violate it".to_owned());
            }
            Err(cause) if is_refusal(&cause) => {
                let what = format!(
                    "CHECK ({expression}) left out: the server refuses it: {}",
                    why(&cause)
                );
                note(check, what);
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
                item,
                format!("foreign key left out: there is no table {}", key.references),
            );
            continue;
        }
        let sql = ddl::add_foreign_key(database, name, key);
        match one_statement(connection, &sql) {
            Err(cause) if is_refusal(&cause) => {
                note(item, format!("foreign key left out: {}", why(&cause)));
            }
            done => done.map_err(failure(format!("add a foreign key to {name}")))?,
        }
        failpoint::reached("constraint added");
    }
    Ok(notes)
}
