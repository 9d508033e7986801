//! The databases of a dump of several, as `pg_dump --create` and `pg_dumpall` write them.

use super::lexer::{Token, first_tokens};
use crate::dump::databases::{self, Databases as Taken};
use crate::dump::events::Facts;
use crate::error::{Error, Result};

/// Which database the dump is in, and which one is taken.
#[derive(Debug, Default)]
pub(super) struct Databases {
    wanted: Taken,
    current: Option<String>,
}

impl Databases {
    /// Of a dump of which `wanted` are taken.
    pub(super) fn wanted(wanted: Taken) -> Databases {
        Databases {
            wanted,
            current: None,
        }
    }

    /// From here on the dump is in another one, as `line` says. False if it says anything else.
    pub(super) fn connect(&mut self, line: &[u8]) -> bool {
        self.current = connected(line);
        self.current.is_some()
    }

    /// Whether a definition or rows that come now are taken.
    pub(super) fn take(&self, facts: &mut Facts) -> Result<bool> {
        if let Some(current) = &self.current {
            databases::note(facts, current)?;
        }
        Ok(self.are_taken(facts))
    }

    /// Whether what comes now is taken, if it is left out anyway.
    pub(super) fn are_taken(&self, facts: &Facts) -> bool {
        self.wanted.takes(facts, self.current.as_deref())
    }

    /// At the end of the dump.
    pub(super) fn check(&self, facts: &Facts) -> Result<()> {
        if let Taken::Named(wanted) = &self.wanted
            && facts.databases.is_empty()
        {
            let what = format!("--from-database {wanted}: the dump does not name its database");
            return Err(Error::usage(what).hint("a dump of pg_dump has one; leave the option out"));
        }
        self.wanted.check(facts)
    }
}

/// The database that a line connects to: `\connect name` or `\connect -reuse-previous=on "dbname='name'"` (PostgreSQL
/// manual, "psql"). Other lines have more than a name.
fn connected(line: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(line).ok()?;
    let name = line
        .strip_prefix("\\connect ")
        .or_else(|| line.strip_prefix("\\c "))?;
    let name = name.trim();
    let (name, is_info) = match name.strip_prefix("-reuse-previous=on ") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let only = |tokens: Vec<Token>| {
        let mut tokens = tokens.into_iter();
        tokens.next().filter(|_| tokens.next().is_none())
    };
    match only(first_tokens(name, 2))? {
        Token::Name(info) if is_info => {
            let value = info.strip_prefix("dbname=")?;
            match only(first_tokens(value, 2))? {
                Token::Text(name) => Some(name),
                _ => None,
            }
        }
        // A word of psql stays as it is.
        Token::Word(_) if !is_info => Some(name.to_owned()),
        Token::Name(name) if !is_info && !name.contains('=') => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::connected;

    #[test]
    fn only_a_name_is_connected_to() {
        for (line, expected) in [
            ("\\connect Shop", Some("Shop")),
            ("\\connect \"a b\"", Some("a b")),
            ("\\c shop  ", Some("shop")),
            (
                "\\connect -reuse-previous=on \"dbname='it''s'\"",
                Some("it's"),
            ),
            ("\\connect", None),
            ("\\connect a b", None),
            ("\\connect \"host=evil dbname=a\"", None),
            (
                "\\connect -reuse-previous=on \"dbname='a' host=evil\"",
                None,
            ),
            ("\\connect `id`", None),
            ("\\connect :name", None),
            ("\\connect a \\! id", None),
            ("\\connectx", None),
        ] {
            assert_eq!(connected(line.as_bytes()).as_deref(), expected, "{line}");
        }
    }
}
