//! Examines the live data before anything is changed: what would be replaced, and what prevents that.

use std::collections::HashMap;

use mysql::Conn;
use mysql::prelude::Queryable;

use super::catalog::{base_tables, tables_of};
use super::record;
use super::swap::refuse_our_names;
use crate::error::{Error, Result};
use crate::gitlab::live::WRITTEN;
use crate::gitlab::migrations::list::CI_TAG_TABLES;
use crate::publish::irreplaceable::Irreplaceable;
use crate::publish::outcome::Live;
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::sql::qualified;

/// Examines the target before tables named `tables` are published. An error names what prevents the moves, or
/// would still refer to the old tables. The right to create databases cannot be queried, because a grant may
/// come with a role or cover a pattern of names. The server refuses before anything is loaded.
pub fn examine(conn: &mut Conn, databases: &Databases, tables: &[&str]) -> Result<Live> {
    refuse_our_names(tables)?;
    refuse_read_only(conn)?;
    let live = &databases.live;
    let mut names = tables_of(conn, live)?;
    let base = base_tables(conn, live)?;
    if tables.contains(&CI_TAG_TABLES[0]) {
        refuse_views(live, &names, &base)?;
    }
    names.retain(|name| tables.contains(&name.as_str()));
    let mut with_rows = Vec::new();
    for name in names {
        if !base.contains(&name) {
            return Err(Irreplaceable::no_ordinary_table(live, &name).refused());
        }
        let any = format!("SELECT 1 FROM {} LIMIT 1", qualified(live, &name));
        let any: Option<u8> = conn
            .query_first(any)
            .map_err(failure("examine the target"))?;
        if any.is_some() {
            with_rows.push(name);
        }
    }
    refuse_dependents(conn, databases, tables)?;
    let has_previous = match record::last(conn, databases)? {
        Some(last) => !record::is_at_rest(conn, databases, &last)?,
        None => false,
    };
    Ok(Live {
        schema: live.clone(),
        with_rows,
        has_previous,
    })
}

/// Refuses views in the place of GitLab's tables: what writes to a view may call functions of whoever has made it, with the
/// rights of the user (MySQL manual, 27.6).
fn refuse_views(live: &str, names: &[String], base: &[String]) -> Result<()> {
    let is_view = |name: &&String| WRITTEN.contains(&name.as_str()) && !base.contains(name);
    match names.iter().find(is_view) {
        None => Ok(()),
        Some(name) => Err(Irreplaceable::no_ordinary_table(live, name).refused()),
    }
}

fn refuse_read_only(conn: &mut Conn) -> Result<()> {
    let read_only: Option<bool> = conn
        .query_first("SELECT @@global.read_only")
        .map_err(failure("ask whether the target is read-only"))?;
    if read_only == Some(true) {
        return Err(Error::target("the server is read-only: read_only is on")
            .hint("name the primary of its replicas, or SET GLOBAL read_only = OFF"));
    }
    Ok(())
}

/// Refuses triggers, because a table with a trigger cannot be moved to another database; also triggers on the
/// tables of the previous publish. Refuses foreign keys of other tables, because they would follow the old
/// tables. Views and routines find the new tables by name.
pub(super) fn refuse_dependents(
    conn: &mut Conn,
    databases: &Databases,
    tables: &[&str],
) -> Result<()> {
    let Databases { live, previous, .. } = databases;
    let doing = || failure("look for what depends on the tables");
    let triggers = triggers(conn, databases)?
        .into_iter()
        .filter(|trigger| trigger.database == *previous || tables.contains(&trigger.table.as_str()))
        .map(|trigger| trigger.shown());
    let keys: Vec<(String, String, String, String)> = conn
        .exec(
            "SELECT constraint_name, constraint_schema, table_name, referenced_table_name
             FROM information_schema.referential_constraints
             WHERE unique_constraint_schema = ? AND constraint_schema <> ? ORDER BY 1",
            (live, previous),
        )
        .map_err(doing())?;
    let keys = keys
        .into_iter()
        .filter(|(_, database, table, referenced)| {
            let is_inside = database == live && tables.contains(&table.as_str());
            tables.contains(&referenced.as_str()) && !is_inside
        })
        .map(|(name, database, table, _)| format!("the foreign key {name} of {database}.{table}"));
    let found: Vec<String> = triggers.chain(keys).collect();
    if found.is_empty() {
        return Ok(());
    }
    Err(Irreplaceable::with_dependents(&found).refused())
}

/// A trigger of a table that is live, or that the previous publish has replaced.
struct Trigger {
    name: String,
    database: String,
    table: String,
}

impl Trigger {
    fn shown(&self) -> String {
        let Trigger {
            name,
            database,
            table,
        } = self;
        format!("the trigger {name} of {database}.{table}")
    }
}

fn triggers(conn: &mut Conn, databases: &Databases) -> Result<Vec<Trigger>> {
    conn.exec_map(
        "SELECT trigger_name, event_object_schema, event_object_table
         FROM information_schema.triggers WHERE event_object_schema IN (?, ?) ORDER BY 1",
        (&databases.live, &databases.previous),
        |(name, database, table)| Trigger {
            name,
            database,
            table,
        },
    )
    .map_err(failure("look for what depends on the tables"))
}

/// The live tables that cannot be replaced, whichever others are: the database and name of each, and why. Foreign keys are not
/// looked at: the table that has one may be replaced, too.
pub fn irreplaceable(
    conn: &mut Conn,
    databases: &Databases,
) -> Result<HashMap<(String, String), Irreplaceable>> {
    let mut of_tables: HashMap<(String, String), Vec<String>> = HashMap::new();
    for trigger in triggers(conn, databases)? {
        if trigger.database == databases.live {
            let shown = trigger.shown();
            let table = (trigger.database, trigger.table);
            of_tables.entry(table).or_default().push(shown);
        }
    }
    let with_triggers = of_tables
        .into_iter()
        .map(|(table, names)| (table, Irreplaceable::with_dependents(&names)));
    let mut found: HashMap<_, _> = with_triggers.collect();
    let live = &databases.live;
    let base = base_tables(conn, live)?;
    for name in tables_of(conn, live)? {
        if !base.contains(&name) {
            let why = Irreplaceable::no_ordinary_table(live, &name);
            found.insert((live.clone(), name), why);
        }
    }
    Ok(found)
}
