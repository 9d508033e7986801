//! A dump of several databases: which of them are taken.

use super::bounds::check_count;
use super::events::Facts;
use crate::error::{Error, Result};

/// The databases of the server itself. All that is taken of all databases is without them.
const OF_SERVER: [&str; 4] = ["mysql", "sys", "information_schema", "performance_schema"];

/// Which databases of a dump are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Databases {
    /// The only one. Several are an error.
    #[default]
    Single,
    /// The one with this name.
    Named(String),
    /// All but those of the server itself, each for a schema of its own.
    All,
    /// All of them, for who only looks at a dump of MySQL. It need not name them.
    Seen,
}

impl Databases {
    /// Whether tables are told apart by their databases.
    pub(super) fn are_told_apart(&self) -> bool {
        matches!(self, Databases::All | Databases::Seen)
    }

    /// Whether `database` is taken. Without a choice the first one is; the end of the dump is an error if there were
    /// several.
    pub(super) fn takes(&self, facts: &Facts, database: Option<&str>) -> bool {
        let (Some(database), first) = (database, facts.databases.first()) else {
            return true;
        };
        match self {
            Databases::Single => first.is_none_or(|first| first == database),
            Databases::Named(name) => name == database,
            Databases::All => !is_of_server(database),
            Databases::Seen => true,
        }
    }

    /// At the end of the dump: an error if it has several and none is named, or if it does not have the named one.
    pub(super) fn check(&self, facts: &Facts) -> Result<()> {
        let found = &facts.databases;
        let list = found.join(", ");
        match self {
            Databases::Single if found.len() > 1 => Err(Error::usage(format!(
                "the dump holds several databases: {list}"
            ))
            .hint("--from-database NAME takes one of them, --databases-to-schemas each into a schema of its own")),
            Databases::Named(wanted) if !found.is_empty() && !found.contains(wanted) => {
                let what = format!("the dump holds no database {wanted}, but {list}");
                Err(Error::usage(what))
            }
            _ => Ok(()),
        }
    }
}

/// Whether `database` is one of the server itself.
#[must_use]
pub fn is_of_server(database: &str) -> bool {
    let mut names = OF_SERVER.iter();
    names.any(|known| known.eq_ignore_ascii_case(database))
}

/// Adds `database` to those that the dump has tables of.
pub(super) fn note(facts: &mut Facts, database: &str) -> Result<()> {
    if facts.databases.iter().any(|known| known == database) {
        return Ok(());
    }
    check_count(facts.databases.len(), "databases")?;
    facts.databases.push(database.to_owned());
    Ok(())
}
