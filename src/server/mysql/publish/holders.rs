//! Who holds the live tables.

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::error::Result;
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::sql::literal;

/// So many sessions are named.
const NAMED: usize = 5;

/// Some of the sessions that hold `tables` of the live database now, as far as the server reports their locks. Otherwise
/// sessions that are in the live database and may use its tables.
pub fn holders(conn: &mut Conn, databases: &Databases, tables: &[&str]) -> Result<Vec<String>> {
    let locked = locks(conn, databases, tables);
    if !locked.is_empty() {
        let numbers: Vec<String> = locked.iter().map(|(id, _)| id.to_string()).collect();
        let found = sessions(conn, &format!("p.id IN ({})", numbers.join(", ")))?;
        return Ok(found
            .into_iter()
            .map(|(id, session)| {
                let table = locked.iter().find(|(of, _)| *of == id);
                session.shown(id, table.map(|(_, table)| table.as_str()))
            })
            .collect());
    }
    let condition = format!(
        "p.db = {} AND p.id <> CONNECTION_ID()",
        literal(&databases.live)
    );
    let found = sessions(conn, &condition)?.into_iter();
    Ok(found.map(|(id, session)| session.shown(id, None)).collect())
}

/// The sessions with metadata locks on `tables`, each with a table. None if the server does not report them, or not to
/// this user.
fn locks(conn: &mut Conn, databases: &Databases, tables: &[&str]) -> Vec<(u64, String)> {
    let names: Vec<String> = tables.iter().map(|name| literal(name)).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let sql = format!(
        "SELECT t.processlist_id, MIN(m.object_name)
         FROM performance_schema.metadata_locks m
              JOIN performance_schema.threads t ON t.thread_id = m.owner_thread_id
         WHERE m.object_type = 'TABLE' AND m.lock_status = 'GRANTED' AND m.object_schema = {}
           AND m.object_name IN ({}) AND t.processlist_id <> CONNECTION_ID()
         GROUP BY t.processlist_id ORDER BY 1 LIMIT {NAMED}",
        literal(&databases.live),
        names.join(", ")
    );
    conn.query(sql).unwrap_or_default()
}

/// What the server says of a session.
struct Session {
    user: String,
    since: String,
    query: String,
}

impl Session {
    fn shown(&self, id: u64, table: Option<&str>) -> String {
        let Session { user, since, query } = self;
        let table = table.map_or_else(String::new, |table| format!(" ({table})"));
        // The query is somebody else's.
        let query = query.replace(char::is_control, " ");
        format!("session {id} of {user}{table}, since {since}: {query}")
    }
}

/// The sessions that fulfil `condition`: first those in a transaction, then those that do something.
fn sessions(conn: &mut Conn, condition: &str) -> Result<Vec<(u64, Session)>> {
    // The time of InnoDB is the system's.
    let in_transaction =
        "TIMESTAMPDIFF(SECOND, x.trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM'))";
    let select = |since: &str, query: &str, transactions: &str, first: &str| {
        format!(
            "SELECT p.id, p.user,
                    DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL COALESCE({since}, 0) SECOND, '%H:%i:%s UTC'),
                    LEFT(COALESCE({query}, p.command), 60)
             FROM information_schema.processlist p {transactions}
             WHERE {condition} ORDER BY {first} p.command = 'Sleep', p.id LIMIT {NAMED}"
        )
    };
    let known = select(
        &format!("{in_transaction}, p.time"),
        "p.info, x.trx_query",
        "LEFT JOIN information_schema.innodb_trx x ON x.trx_mysql_thread_id = p.id",
        "x.trx_id IS NULL,",
    );
    let rows: Vec<(u64, String, String, String)> = match conn.query(known) {
        Ok(rows) => rows,
        // Transactions of others need the right PROCESS.
        Err(_) => conn
            .query(select("p.time", "p.info", "", ""))
            .map_err(failure("look for sessions that use the tables"))?,
    };
    let session = |(id, user, since, query)| (id, Session { user, since, query });
    Ok(rows.into_iter().map(session).collect())
}
