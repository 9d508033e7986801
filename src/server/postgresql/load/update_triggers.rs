//! Creates the triggers that set columns with `ON UPDATE CURRENT_TIMESTAMP`, after all rows are loaded.

use postgres::Client;
use postgres::error::SqlState;

use super::style::Staged;
use crate::error::Result;
use crate::error::codes::Code;
use crate::failpoint;
use crate::schema::ddl;
use crate::schema::{Note, Table, UpdateTrigger};
use crate::server::postgresql::error::{failure, is_refusal};
use crate::server::postgresql::statement::one_statement;

/// Creates the triggers of all tables. Returns notes of those that the server refuses: it may lack PL/pgSQL.
pub(crate) fn create_all(client: &mut Client, tables: &[Table]) -> Result<Vec<Note>> {
    let mut notes = Vec::new();
    for table in tables {
        let Some(trigger) = &table.on_update else {
            continue;
        };
        let doing = || failure(format!("create the trigger {}", trigger.name));
        match create(client, table, trigger) {
            Err(cause) if is_refused(&cause) => {
                let why = doing()(cause);
                notes.push(Note {
                    code: Code::OnUpdate,
                    table: table.shown(),
                    item: Some(trigger.name.clone()),
                    what: format!("the trigger was left out: {why}"),
                });
            }
            done => done.map_err(doing())?,
        }
        failpoint::reached("trigger created");
    }
    Ok(notes)
}

/// Creates `trigger` with its function, or nothing.
fn create(
    client: &mut Client,
    table: &Table,
    trigger: &UpdateTrigger,
) -> std::result::Result<(), postgres::Error> {
    let mut transaction = client.transaction()?;
    for statement in ddl::create_update_trigger(Staged::of(table).style(), table, trigger) {
        one_statement(&mut transaction, &statement)?;
    }
    transaction.commit()
}

/// Whether the server, or somebody who may say so, does not want the trigger.
fn is_refused(cause: &postgres::Error) -> bool {
    let of_rights = [SqlState::INSUFFICIENT_PRIVILEGE, SqlState::RAISE_EXCEPTION];
    is_refusal(cause) || of_rights.iter().any(|code| cause.code() == Some(code))
}
