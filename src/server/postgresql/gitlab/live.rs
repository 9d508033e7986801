//! GitLab's own steps around the publish, in its transaction: they switch CI off and on, merge the tags
//! ([`super::tags`]) and run the regular migrations ([`super::migrations`]). A step without its tables does
//! nothing, so a bare database works as well.

use postgres::{Client, Transaction};

use super::columns::has_column;
use super::migrations::{self, run_regular};
use super::tags;
use crate::error::Result;
use crate::failpoint;
use crate::gitlab::live::{LiveChanges, MergedTags, SETTINGS, WRITTEN};
use crate::schema::sql::qualified;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::foreign_code;
use crate::server::postgresql::publish::PREVIOUS_SCHEMA;

/// Switches CI off, so that a running GitLab waits instead of writing, makes the built-in migrations pending
/// again, and merges the tags. The former state is kept in tables of the same names.
pub fn prepare(transaction: &mut Transaction<'_>, schema: &str) -> Result<Option<MergedTags>> {
    foreign_code::lock_and_refuse(transaction, schema, &WRITTEN)?;
    if has_column(transaction, schema, SETTINGS, "ci_enabled")? {
        keep_settings(transaction, schema, PREVIOUS_SCHEMA)?;
        set_ci_enabled(transaction, schema, false)?;
    }
    migrations::renew(transaction, schema)?;
    failpoint::reached("CI disabled");
    let tags = tags::merge(transaction, schema)?;
    failpoint::reached("tags merged");
    Ok(tags)
}

/// Does the steps that follow when the imported tables are in place, in `schema`; `tags` were merged before. Switches CI
/// on, unless it `stays_off`.
pub fn finish(
    transaction: &mut Transaction<'_>,
    schema: &str,
    tags: Option<MergedTags>,
    stays_off: bool,
) -> Result<LiveChanges> {
    let regular = run_regular(transaction, schema)?;
    failpoint::reached("services prefixed");
    let has_switch = has_column(transaction, schema, SETTINGS, "ci_enabled")?;
    let ci_enabled = has_switch && !stays_off;
    if ci_enabled {
        set_ci_enabled(transaction, schema, true)?;
    }
    Ok(LiveChanges {
        ci_enabled,
        ci_left_off: has_switch && stays_off,
        tags,
        services: regular.services,
        sequences: regular.sequences,
    })
}

/// Brings back the rows that [`prepare`] and [`finish`] have changed, from the schema `from`. The current rows
/// are kept in the schema `to`. Two exchanges cancel each other out.
pub fn exchange(
    transaction: &mut Transaction<'_>,
    schema: &str,
    from: &str,
    to: &str,
) -> Result<()> {
    foreign_code::lock_and_refuse(transaction, schema, &WRITTEN)?;
    if has_column(transaction, from, SETTINGS, "ci_enabled")? {
        keep_settings(transaction, schema, to)?;
        let (settings, kept) = (qualified(schema, SETTINGS), qualified(from, SETTINGS));
        let sql = format!(
            "UPDATE {settings} SET ci_enabled = kept.ci_enabled FROM {kept} kept
             WHERE kept.id = {settings}.id"
        );
        transaction
            .execute(&sql, &[])
            .map_err(failure("set application_settings.ci_enabled back"))?;
    }
    migrations::exchange(transaction, schema, from, to)?;
    tags::exchange(transaction, schema, from, to)
}

/// Whether CI is switched on; none if the target does not belong to a GitLab.
pub fn ci_enabled(client: &mut Client, schema: &str) -> Result<Option<bool>> {
    let doing = || failure("look whether CI is switched on");
    let mut transaction = client.transaction().map_err(doing())?;
    if !has_column(&mut transaction, schema, SETTINGS, "ci_enabled")? {
        return Ok(None);
    }
    let sql = format!(
        "SELECT COALESCE(bool_or(ci_enabled), false) FROM {}",
        qualified(schema, SETTINGS)
    );
    let row = transaction.query_one(&sql, &[]).map_err(doing())?;
    Ok(Some(row.get(0)))
}

fn keep_settings(transaction: &mut Transaction<'_>, schema: &str, to: &str) -> Result<()> {
    let (settings, kept) = (qualified(schema, SETTINGS), qualified(to, SETTINGS));
    let sql = format!("CREATE TABLE {kept} AS SELECT id, ci_enabled FROM {settings}");
    transaction
        .batch_execute(&sql)
        .map_err(failure("keep application_settings.ci_enabled"))?;
    failpoint::reached("settings kept");
    Ok(())
}

fn set_ci_enabled(transaction: &mut Transaction<'_>, schema: &str, enabled: bool) -> Result<()> {
    let table = qualified(schema, SETTINGS);
    let sql = format!("UPDATE {table} SET ci_enabled = {enabled}");
    transaction
        .batch_execute(&sql)
        .map_err(failure("set application_settings.ci_enabled"))?;
    failpoint::reached("ci_enabled set");
    Ok(())
}
