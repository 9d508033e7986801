//! The databases that an import uses. A database in MySQL is like a schema in PostgreSQL: tables can be
//! renamed from one into another.

use crate::error::{Error, Result};

/// The maximum length of a database's name, in characters (MySQL manual, 11.2.1).
const MAX_NAME: usize = 64;

/// The live database, and the others, whose names are the live one's with a suffix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Databases {
    /// The database of the live tables.
    pub live: String,
    /// The database where tables are loaded before the publish.
    pub staging: String,
    /// The database of the replaced tables.
    pub previous: String,
    /// The database where tables wait during the moves of a publish.
    pub passing: String,
}

impl Databases {
    /// The databases for the live database `live`.
    pub fn of(live: &str) -> Result<Databases> {
        let beside = |suffix: &str| {
            let name = format!("{live}_ci_import_{suffix}");
            if name.chars().count() <= MAX_NAME {
                return Ok(name);
            }
            Err(Error::target(format!(
                "the name of the database {live} is too long: the name {name} would have more than \
                 {MAX_NAME} characters"
            )))
        };
        Ok(Databases {
            live: live.to_owned(),
            staging: beside("staging")?,
            previous: beside("previous")?,
            passing: beside("passing")?,
        })
    }

    /// The pattern of their names, except the live one, for a GRANT (MySQL manual, 15.7.1.6).
    #[must_use]
    pub fn pattern(&self) -> String {
        let live = self.live.replace('_', "\\_").replace('%', "\\%");
        format!("{live}\\_ci\\_import\\_%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_beside_the_live_one() {
        let databases = Databases::of("gitlab").unwrap();
        assert_eq!(databases.previous, "gitlab_ci_import_previous");
        assert_eq!(
            Databases::of("git_lab").unwrap().pattern(),
            r"git\_lab\_ci\_import\_%"
        );
        assert!(Databases::of(&"x".repeat(45)).is_ok());
        assert!(Databases::of(&"x".repeat(46)).is_err());
    }
}
