//! Programs between this one and the server that an import cannot work through.

use postgres::{Client, SimpleQueryMessage};

use super::error::failure;
use super::options::ConnectionOptions;
use super::session::{Until, no_time_limits};
use crate::error::{Error, Result};

/// Refuses what `client` may go through: pgpool, and a pooler that gives each transaction any of its sessions. Nothing is
/// locked yet, so no lock stays with a session of somebody else's.
pub(super) fn refuse(target: &ConnectionOptions, client: &mut Client) -> Result<()> {
    refuse_pgpool(client)?;
    if shares_sessions(target, client)? {
        return Err(Error::target("the connection goes through a pooler in transaction mode")
            .hint("name the server itself, or a pool with pool_mode = session: an import needs sessions of its own"));
    }
    Ok(())
}

/// Through pgpool a COPY of the extended protocol never ends, a lock may stay with a session that is kept, and what a
/// standby does not know yet is not found. It answers this statement itself (pgpool manual, "SHOW POOL VERSION"), but only
/// as a simple query outside a transaction; a server has no such parameter.
fn refuse_pgpool(client: &mut Client) -> Result<()> {
    match client.simple_query("SHOW pool_version") {
        Ok(answer) => {
            let is_row =
                |message: &SimpleQueryMessage| matches!(message, SimpleQueryMessage::Row(_));
            if !answer.iter().any(is_row) {
                return Ok(());
            }
            Err(Error::target("the connection goes through pgpool")
                .hint("name the primary server itself: an import needs sessions of its own"))
        }
        Err(cause) if cause.as_db_error().is_some() => Ok(()),
        Err(cause) => Err(failure("look for a pooler")(cause)),
    }
}

/// So many sessions are held while ours is looked at: a pooler with other clients may give us the same one by chance.
const HELD: usize = 3;

/// Whether two sessions that are open at the same time are one session of the server, or one of them is several: when others
/// are held in transactions, ours becomes another one.
fn shares_sessions(target: &ConnectionOptions, client: &mut Client) -> Result<bool> {
    let ours = session(client)?;
    let mut held = Vec::new();
    for _ in 0..HELD {
        let mut other = target.connect()?;
        other
            // Also if the role or the database ends sessions that do nothing in a transaction.
            .simple_query(&format!("BEGIN; {}", no_time_limits(Until::Commit)))
            .map_err(failure("look for a pooler"))?;
        if session(&mut other)? == ours {
            return Ok(true);
        }
        held.push(other);
        if session(client)? != ours {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The server's number for the session of `client`, which a pooler does not make up. A simple query needs no prepared
/// statement: a pooler in transaction mode may have none.
fn session(client: &mut Client) -> Result<Option<String>> {
    let found = client
        .simple_query("SELECT pg_catalog.pg_backend_pid()")
        .map_err(failure("ask for the session's number"))?;
    Ok(found.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    }))
}
