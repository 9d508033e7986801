//! Ids that the server does not number. A dump that was made with `--compatible` and restored by hand leaves
//! them behind: it omits AUTO_INCREMENT.

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::error::Result;
use crate::gitlab::tables::TABLES;
use crate::migrate::MigrationPlan;
use crate::server::mysql::error::failure;
use crate::server::mysql::gitlab::ci_tables::existing;
use crate::server::mysql::sql::{identifier, literal, qualified};

/// An integer column `id` without AUTO_INCREMENT.
pub(super) struct Needs {
    table: String,
    kind: String,
    comment: String,
    /// Whether a key begins with it. AUTO_INCREMENT needs one.
    has_key: bool,
}

/// Gives them AUTO_INCREMENT. Numbering continues after the highest id.
pub(super) fn plan(conn: &mut Conn, database: &str) -> Result<MigrationPlan> {
    let needs = needs(conn, database)?;
    if let Some(needs) = needs.iter().find(|needs| !needs.has_key) {
        return Ok(MigrationPlan::Wait(format!(
            "{} has no key that begins with id, which AUTO_INCREMENT needs",
            needs.table
        )));
    }
    let told = format!("{} tables number their rows now", needs.len());
    let statements = needs.iter().map(|needs| needs.statement(database));
    Ok(MigrationPlan::Run {
        statements: statements.collect(),
        told,
    })
}

/// What the tables of CI lack.
pub(super) fn needs(conn: &mut Conn, database: &str) -> Result<Vec<Needs>> {
    let doing = || failure("look at the ids of CI's tables");
    let rows: Vec<(String, String, String)> = conn
        .exec(
            "SELECT table_name, column_type, column_comment FROM information_schema.columns
             WHERE table_schema = ? AND column_name = 'id'
               AND data_type IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint') ORDER BY 1",
            (database,),
        )
        .map_err(doing())?;
    // A table has at most one such column.
    let numbered: Vec<String> = conn
        .exec(
            "SELECT table_name FROM information_schema.columns
             WHERE table_schema = ? AND extra LIKE '%auto_increment%'",
            (database,),
        )
        .map_err(doing())?;
    let with_key: Vec<String> = conn
        .exec(
            "SELECT table_name FROM information_schema.statistics
             WHERE table_schema = ? AND column_name = 'id' AND seq_in_index = 1",
            (database,),
        )
        .map_err(doing())?;
    let tables = existing(conn, database, &TABLES)?;
    let needs = rows
        .into_iter()
        .filter(|(table, ..)| tables.contains(table) && !numbered.contains(table))
        .map(|(table, kind, comment)| Needs {
            has_key: with_key.contains(&table),
            table,
            kind,
            comment,
        });
    Ok(needs.collect())
}

impl Needs {
    fn statement(&self, database: &str) -> String {
        let (table, id) = (qualified(database, &self.table), identifier("id"));
        let kind = &self.kind;
        let comment = if self.comment.is_empty() {
            String::new()
        } else {
            format!(" COMMENT {}", literal(&self.comment))
        };
        format!("ALTER TABLE {table} MODIFY {id} {kind} NOT NULL AUTO_INCREMENT{comment}")
    }
}
