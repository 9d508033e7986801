//! The file of a migration: the meaning of its name and its text.
//!
//! Comments are its markers: `-- migrate:up` and `-- migrate:down` begin its parts;
//! `-- migrate:no-transaction` makes a part, or both, run outside of a transaction. Without markers all
//! statements belong to the part that runs it.

use std::path::Path;

use super::dialect::{Dialect, Piece};
use super::migration::{MigrationPart, MigrationScript, MigrationStatement};
use super::version::{DIGITS, Version};
use crate::error::{Error, Result};

/// The beginning of every marker.
const MARKER: &str = "migrate:";

/// The version and the name in a file name, `<UTC timestamp>_<name>.sql`.
pub(crate) fn parse_name(file_name: &str) -> Result<(Version, String)> {
    let wrong = || {
        Error::failed(format!("{file_name} is no name of a migration"))
            .hint("name it <UTC timestamp>_<name>.sql, as in 20151001120000_add_index.sql; ci-import generate does")
    };
    let stem = file_name.strip_suffix(".sql").ok_or_else(wrong)?;
    let (digits, name) = stem.split_at_checked(DIGITS).ok_or_else(wrong)?;
    let version = Version::parse(digits).ok_or_else(wrong)?;
    let name = name.strip_prefix('_').filter(|name| is_name(name));
    Ok((version, name.ok_or_else(wrong)?.to_owned()))
}

/// Whether a migration may have this name.
pub(crate) fn is_name(name: &str) -> bool {
    let belongs = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.bytes().all(belongs)
}

/// Parses `text`, the content of the file at `path`, written in `dialect`.
pub(crate) fn parse(path: &Path, text: &str, dialect: Dialect) -> Result<MigrationScript> {
    let parts = parse_parts(text, dialect).map_err(|error| error.at(path.display()))?;
    Ok(MigrationScript {
        path: path.to_owned(),
        up: parts.up,
        down: parts.down,
    })
}

#[derive(Default)]
struct Parts {
    up: MigrationPart,
    down: Option<MigrationPart>,
    /// Whether there was a marker `migrate:up`.
    has_up: bool,
    /// Whether neither part has a transaction: the marker came before both.
    no_transaction: bool,
}

impl Parts {
    /// The part of the next statement.
    fn current(&mut self) -> &mut MigrationPart {
        self.down.as_mut().unwrap_or(&mut self.up)
    }

    fn marker(&mut self, marker: &str) -> Result<()> {
        match marker {
            "up" if self.has_up => Err(Error::failed("there is a second -- migrate:up")),
            "up" if self.down.is_some() => {
                Err(Error::failed("-- migrate:up stands behind -- migrate:down"))
            }
            "up" if !self.up.statements.is_empty() => {
                Err(Error::failed("statements stand before -- migrate:up"))
            }
            "up" => {
                self.has_up = true;
                Ok(())
            }
            "down" if self.down.is_some() => {
                Err(Error::failed("there is a second -- migrate:down"))
            }
            "down" => {
                self.down = Some(MigrationPart {
                    statements: Vec::new(),
                    no_transaction: self.no_transaction,
                });
                Ok(())
            }
            "no-transaction" => {
                let has_begun =
                    self.has_up || !self.up.statements.is_empty() || self.down.is_some();
                self.no_transaction |= !has_begun;
                self.current().no_transaction = true;
                Ok(())
            }
            _ => Err(Error::failed(format!("nobody knows -- {MARKER}{marker}"))
                .hint("there are -- migrate:up, -- migrate:down and -- migrate:no-transaction")),
        }
    }
}

fn parse_parts(text: &str, dialect: Dialect) -> Result<Parts> {
    let mut parts = Parts::default();
    for piece in (dialect.split)(text)? {
        let (line, done) = match piece {
            Piece::Comment { line, text, inside } => (line, comment(&mut parts, text, inside)),
            Piece::Statement { line, text } => {
                let statement = dialect.check(text).map(|()| MigrationStatement {
                    line: Some(line),
                    sql: text.to_owned(),
                });
                let done = statement.map(|s| parts.current().statements.push(s));
                (line, done)
            }
        };
        done.map_err(|error| error.at(format!("line {line}")))?;
    }
    if parts.up.statements.is_empty() {
        return Err(Error::failed("there is no statement to run")
            .hint("write what it does behind -- migrate:up"));
    }
    // A part without statements undoes nothing.
    parts.down = parts.down.filter(|down| !down.statements.is_empty());
    Ok(parts)
}

fn comment(parts: &mut Parts, text: &str, inside: bool) -> Result<()> {
    let Some(marker) = text.trim().strip_prefix(MARKER) else {
        return Ok(());
    };
    if inside {
        return Err(
            Error::failed(format!("-- {MARKER}{marker} stands in a statement"))
                .hint("does the statement before it lack its semicolon?"),
        );
    }
    parts.marker(marker.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::postgresql::migrate::DIALECT;

    #[test]
    fn names() {
        let (version, name) = parse_name("20151001120000_add_x2.sql").unwrap();
        assert_eq!(
            (version.to_string().as_str(), name.as_str()),
            ("20151001120000", "add_x2")
        );
        for wrong in [
            "20151001120000.sql",
            "20151001120000_.sql",
            "20151001120000_Add.sql",
            "20151001120000-add.sql",
            "2015100112000_add.sql",
            "20151301120000_add.sql",
            "add.sql",
            "20151001120000_add",
            "é0151001120000_add.sql",
        ] {
            assert!(parse_name(wrong).is_err(), "{wrong}");
        }
    }

    /// The parts of `text`: each statement with its line, after `!` without a transaction.
    fn told(text: &str) -> String {
        let part = |part: &MigrationPart| {
            let statements = part.statements.iter();
            let told: Vec<String> = statements
                .map(|s| format!("{}:{}", s.line.unwrap(), s.sql))
                .collect();
            let mark = if part.no_transaction { "!" } else { "" };
            format!("{mark}{}", told.join(","))
        };
        match parse_parts(text, DIALECT) {
            Ok(parts) => {
                let down = parts.down.as_ref().map_or_else(|| "-".to_owned(), part);
                format!("{} / {down}", part(&parts.up))
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn parts() {
        for (text, expected) in [
            ("a; b", "1:a,1:b / -"),
            ("-- migrate:up\na;\n-- migrate:down\nb;", "2:a / 4:b"),
            ("--migrate:up \na;\n-- migrate:down\n-- nothing", "2:a / -"),
            ("-- migrate:no-transaction\na;", "!2:a / -"),
            (
                "-- migrate:no-transaction\n-- migrate:up\na;\n-- migrate:down\nb",
                "!3:a / !5:b",
            ),
            (
                "-- migrate:up\n-- migrate:no-transaction\na;\n-- migrate:down\nb",
                "!3:a / 5:b",
            ),
            (
                "a;\n-- migrate:down\n-- migrate:no-transaction\nb",
                "1:a / !4:b",
            ),
            (
                "DO $$\n-- migrate:down\n$$; b",
                "1:DO $$\n-- migrate:down\n$$,3:b / -",
            ),
            (
                "a\n-- migrate:down\nb;",
                "line 2: -- migrate:down stands in a statement",
            ),
            (
                "a;\n-- migrate:up\nb;",
                "line 2: statements stand before -- migrate:up",
            ),
            (
                "-- migrate:up\n-- migrate:up\nb;",
                "line 2: there is a second -- migrate:up",
            ),
            (
                "a;-- migrate:down\nb;-- migrate:down",
                "line 2: there is a second -- migrate:down",
            ),
            (
                "-- migrate:down\nb;-- migrate:up",
                "line 2: -- migrate:up stands behind -- migrate:down",
            ),
            (
                "-- migrate:no_transaction\na;",
                "line 1: nobody knows -- migrate:no_transaction",
            ),
            (
                "-- migrate:up\n-- migrate:down\na;",
                "there is no statement to run",
            ),
            ("", "there is no statement to run"),
            ("a;\nb;\n'", "line 3: a string has no end"),
            (
                "a;\nCOMMIT;",
                "line 2: COMMIT has no place in a migration, which is one transaction, or none",
            ),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }
}
