//! Why a live table cannot be replaced.

use crate::error::Error;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Irreplaceable {
    /// What an error says of it.
    pub why: String,
    /// What can be done.
    pub hint: &'static str,
}

impl Irreplaceable {
    /// Things called `names` depend on it, and would stay with the old table.
    #[must_use]
    pub fn with_dependents(names: &[String]) -> Irreplaceable {
        let names = names.join(", ");
        Irreplaceable {
            why: format!(
                "the tables to be replaced have dependents that would be left behind: {names}"
            ),
            hint: "drop them before the import and create them again after it",
        }
    }

    /// What is called `name` in `schema` is a view, or something else.
    #[must_use]
    pub fn no_ordinary_table(schema: &str, name: &str) -> Irreplaceable {
        Irreplaceable {
            why: format!("{schema}.{name} exists, but is not an ordinary table"),
            hint: "rename or drop it before the import",
        }
    }

    /// The table `name` in `schema` belongs to somebody else.
    #[must_use]
    pub fn of_another_owner(schema: &str, name: &str) -> Irreplaceable {
        Irreplaceable {
            why: format!("the user does not own the table {schema}.{name}"),
            hint: "connect as its owner, or as a superuser",
        }
    }

    /// Citus distributes `tables`.
    #[must_use]
    pub fn distributed(tables: &[String]) -> Irreplaceable {
        Irreplaceable {
            why: format!("Citus distributes live tables: {}", tables.join(", ")),
            hint: "with --undistribute, ordinary tables of the coordinator take their places; they are kept aside, distributed",
        }
    }

    /// The error.
    #[must_use]
    pub fn refused(&self) -> Error {
        Error::target(self.why.clone()).hint(self.hint)
    }
}
