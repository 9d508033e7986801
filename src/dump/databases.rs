//! A dump of several databases: which one is taken.

use super::bounds::check_count;
use super::events::Facts;
use crate::error::{Error, Result};

/// Adds `database` to those that the dump has tables of.
pub(super) fn note(facts: &mut Facts, database: &str) -> Result<()> {
    if facts.databases.iter().any(|known| known == database) {
        return Ok(());
    }
    check_count(facts.databases.len(), "databases")?;
    facts.databases.push(database.to_owned());
    Ok(())
}

/// Whether `database` is the wanted one. Without a choice the first one is taken; the end of the dump is an error if there
/// were several.
pub(super) fn is_taken(facts: &Facts, wanted: Option<&str>, database: Option<&str>) -> bool {
    let Some(database) = database else {
        return true;
    };
    let first = facts.databases.first().map(String::as_str);
    wanted.or(first).is_none_or(|taken| taken == database)
}

/// At the end of the dump: an error if it has several and none is named, or if it does not have the named one.
pub(super) fn check(facts: &Facts, wanted: Option<&str>) -> Result<()> {
    let list = facts.databases.join(", ");
    match wanted {
        None if facts.databases.len() > 1 => Err(Error::usage(format!(
            "the dump holds several databases: {list}"
        ))
        .hint("name the one to take: --from-database")),
        Some(wanted)
            if !list.is_empty() && !facts.databases.iter().any(|known| known == wanted) =>
        {
            Err(Error::usage(format!(
                "the dump holds no database {wanted}, but {list}"
            )))
        }
        _ => Ok(()),
    }
}
