//! GitLab's own steps around the publish, in its transaction: CI switched off and on, tags merged
//! ([`super::tags`]), services prefixed. Each is done only where the target has the tables for it, so
//! that a bare database works as well.

use postgres::{Client, Transaction};

use super::columns::has_column;
use super::tags::{self, MergedTags};
use crate::error::Result;
use crate::failpoint;
use crate::load::failure;
use crate::publish::PREVIOUS_SCHEMA;
use crate::schema::ddl::qualified;

/// The table of GitLab with the switch; what is kept of it has the same name.
const SETTINGS: &str = "application_settings";

/// What the steps found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveChanges {
    /// Whether CI was switched on (the target has `application_settings`).
    pub ci_enabled: bool,
    /// What became of the tags, if the target has tables for them.
    pub tags: Option<MergedTags>,
    /// Services whose type got its prefix.
    pub services: u64,
}

/// Switches CI off, so that a running GitLab waits instead of writing. How it was is kept.
pub fn disable_ci(transaction: &mut Transaction<'_>, schema: &str) -> Result<()> {
    if has_column(transaction, schema, SETTINGS, "ci_enabled")? {
        keep_settings(transaction, schema, PREVIOUS_SCHEMA)?;
        set_ci_enabled(transaction, schema, false)?;
    }
    Ok(())
}

/// Does what has to be done when the imported tables are in place: `schema` is where they are.
pub fn finish(transaction: &mut Transaction<'_>, schema: &str) -> Result<LiveChanges> {
    let tags = tags::merge(transaction, schema)?;
    failpoint::reached("tags merged");
    let services = prefix_services(transaction, schema)?;
    failpoint::reached("services prefixed");
    let ci_enabled = has_column(transaction, schema, SETTINGS, "ci_enabled")?;
    if ci_enabled {
        set_ci_enabled(transaction, schema, true)?;
    }
    Ok(LiveChanges {
        ci_enabled,
        tags,
        services,
    })
}

/// Brings the rows back that [`disable_ci`] and [`finish`] have changed and that are kept in the schema
/// `from`; what is in their place now is kept in the schema `to`. Done twice, it changes nothing.
pub fn exchange(
    transaction: &mut Transaction<'_>,
    schema: &str,
    from: &str,
    to: &str,
) -> Result<()> {
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
    tags::exchange(transaction, schema, from, to)
}

/// Whether CI is switched on; none if the target is no GitLab's.
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

/// Services of CI live in a module of their own in GitLab, and so do their class names.
fn prefix_services(transaction: &mut Transaction<'_>, schema: &str) -> Result<u64> {
    if !has_column(transaction, schema, "ci_services", "type")? {
        return Ok(0);
    }
    let table = qualified(schema, "ci_services");
    let sql = format!("UPDATE {table} SET type = 'Ci::' || type WHERE type NOT LIKE 'Ci::%'");
    transaction
        .execute(&sql, &[])
        .map_err(failure("prefix ci_services.type"))
}

/// The prefix that [`finish`] gives to the texts of a column of a table.
#[must_use]
pub fn late_prefix(table: &str, column: &str) -> Option<&'static str> {
    (table == "ci_services" && column == "type").then_some("Ci::")
}
