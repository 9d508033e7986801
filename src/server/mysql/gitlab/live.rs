//! GitLab's own steps around the publish: they switch CI off and on, merge the tags (`tags`), prefix the
//! services and make the built-in migrations pending again (`migrations`). A step without its tables does
//! nothing.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::ci_tables::CiTables;
use super::engine::refuse_without_transactions;
use super::{migrations, tags};
use crate::error::Result;
use crate::failpoint;
use crate::gitlab::live::{LiveChanges, SETTINGS};
use crate::gitlab::migrations::services::prefix;
use crate::gitlab::tags::{TAGGINGS, TAGS};
use crate::server::mysql::databases::Databases;
use crate::server::mysql::error::failure;
use crate::server::mysql::publish::catalog::has_column;
use crate::server::mysql::publish::{Steps, kept, kept_before};
use crate::server::mysql::sql::qualified;

/// The steps of a publish.
#[derive(Debug, Default)]
pub struct Publishing {
    services: u64,
    merges_tags: bool,
    leaves_ci_off: bool,
}

impl Publishing {
    /// Those after which CI is on, unless the import leaves it off.
    #[must_use]
    pub fn new(leaves_ci_off: bool) -> Publishing {
        Publishing {
            leaves_ci_off,
            ..Publishing::default()
        }
    }
}

/// The steps of a rollback. They bring back the kept rows that a publish has changed, and keep the current ones.
/// Two exchanges cancel each other out.
#[derive(Debug, Default)]
pub struct Exchange;

impl Steps for Publishing {
    type Done = LiveChanges;

    fn locks(&self) -> &'static [&'static str] {
        &[SETTINGS, TAGS, TAGGINGS]
    }

    fn prepare(&mut self, conn: &mut Conn, databases: &Databases) -> Result<()> {
        if has_switch(conn, &databases.live)? {
            refuse_without_transactions(conn, &databases.live, SETTINGS)?;
            create_kept_settings(conn, databases)?;
        }
        self.merges_tags = tags::prepare(conn, databases)?;
        migrations::prepare(conn, databases)?;
        // Nobody sees staged tables. They may have an engine without transactions, and a server with GTIDs
        // does not accept such a table in one transaction with others (MySQL manual, 19.1.3.7).
        // A publish that is tried again finds them prefixed.
        self.services += prefix_services(conn, &databases.staging)?;
        Ok(())
    }

    /// Switches CI off, so that a running GitLab waits instead of writing. The former state is kept.
    fn before(&mut self, conn: &mut Conn, databases: &Databases) -> Result<()> {
        if has_switch(conn, &databases.live)? {
            let kept = qualified(&databases.passing, &kept(SETTINGS));
            keep_settings(conn, databases, &kept)?;
            set_ci_enabled(conn, &databases.live, false)?;
        }
        Ok(())
    }

    fn finish(&mut self, conn: &mut Conn, databases: &Databases) -> Result<LiveChanges> {
        let tags = if self.merges_tags {
            Some(tags::merge(conn, databases)?)
        } else {
            None
        };
        failpoint::reached("tags merged");
        let services = self.services + prefix_services(conn, &databases.live)?;
        failpoint::reached("services prefixed");
        migrations::renew(conn, databases)?;
        let has_switch = has_switch(conn, &databases.live)?;
        let ci_enabled = has_switch && !self.leaves_ci_off;
        if ci_enabled {
            set_ci_enabled(conn, &databases.live, true)?;
        }
        Ok(LiveChanges {
            ci_enabled,
            ci_left_off: has_switch && self.leaves_ci_off,
            tags,
            services,
            // AUTO_INCREMENT belongs to its column.
            ..LiveChanges::default()
        })
    }
}

impl Steps for Exchange {
    type Done = ();

    fn prepare(&mut self, conn: &mut Conn, databases: &Databases) -> Result<()> {
        if has_column(conn, &databases.previous, &kept(SETTINGS), "ci_enabled")? {
            create_kept_settings(conn, databases)?;
        }
        migrations::prepare_exchange(conn, databases)?;
        tags::prepare_exchange(conn, databases)
    }

    fn before(&mut self, _: &mut Conn, _: &Databases) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self, conn: &mut Conn, databases: &Databases) -> Result<()> {
        let before = kept_before(SETTINGS);
        if has_column(conn, &databases.passing, &before, "ci_enabled")? {
            let kept = qualified(&databases.previous, &kept(SETTINGS));
            keep_settings(conn, databases, &kept)?;
            restore_settings(
                conn,
                &databases.live,
                &qualified(&databases.passing, &before),
            )?;
        }
        migrations::exchange(conn, databases)?;
        tags::exchange(conn, databases)
    }
}

/// Undoes what [`Publishing`] does before the tables are moved: it sets the switch back.
pub fn undo(conn: &mut Conn, databases: &Databases) -> Result<()> {
    let kept = kept(SETTINGS);
    if !has_column(conn, &databases.passing, &kept, "ci_enabled")? {
        return Ok(());
    }
    let kept = qualified(&databases.passing, &kept);
    restore_settings(conn, &databases.live, &kept)
}

/// Whether CI is switched on; none if the target does not belong to a GitLab.
pub fn ci_enabled(conn: &mut Conn, database: &str) -> Result<Option<bool>> {
    if !has_switch(conn, database)? {
        return Ok(None);
    }
    let sql = format!(
        "SELECT COALESCE(MAX(ci_enabled), 0) <> 0 FROM {}",
        qualified(database, SETTINGS)
    );
    conn.query_first(sql)
        .map_err(failure("look whether CI is switched on"))
}

fn has_switch(conn: &mut Conn, database: &str) -> Result<bool> {
    has_column(conn, database, SETTINGS, "ci_enabled")
}

fn create_kept_settings(conn: &mut Conn, databases: &Databases) -> Result<()> {
    let table = qualified(&databases.passing, &kept(SETTINGS));
    conn.query_drop(format!(
        "CREATE TABLE {table} (id BIGINT PRIMARY KEY, ci_enabled BIGINT) ENGINE=InnoDB"
    ))
    .map_err(failure("keep application_settings.ci_enabled"))?;
    failpoint::reached("table for the settings made");
    Ok(())
}

fn keep_settings(conn: &mut Conn, databases: &Databases, kept: &str) -> Result<()> {
    let settings = qualified(&databases.live, SETTINGS);
    conn.query_drop(format!(
        "INSERT INTO {kept} SELECT id, ci_enabled FROM {settings}"
    ))
    .map_err(failure("keep application_settings.ci_enabled"))?;
    failpoint::reached("settings kept");
    Ok(())
}

fn restore_settings(conn: &mut Conn, database: &str, kept: &str) -> Result<()> {
    let settings = qualified(database, SETTINGS);
    conn.query_drop(format!(
        "UPDATE {settings} s JOIN {kept} kept ON kept.id = s.id SET s.ci_enabled = kept.ci_enabled"
    ))
    .map_err(failure("set application_settings.ci_enabled back"))?;
    failpoint::reached("settings back");
    Ok(())
}

fn set_ci_enabled(conn: &mut Conn, database: &str, enabled: bool) -> Result<()> {
    let table = qualified(database, SETTINGS);
    conn.query_drop(format!("UPDATE {table} SET ci_enabled = {enabled}"))
        .map_err(failure("set application_settings.ci_enabled"))?;
    failpoint::reached("ci_enabled set");
    Ok(())
}

/// Prefixes the types of services, and returns how many.
fn prefix_services(conn: &mut Conn, database: &str) -> Result<u64> {
    let Some((sql, _)) = prefix(&mut CiTables { conn, database })? else {
        return Ok(0);
    };
    conn.query_drop(sql)
        .map_err(failure("prefix ci_services.type"))?;
    Ok(conn.affected_rows())
}
