//! What a migration is: a version, a name, the phase of a deployment it belongs to, and what it does.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};

use super::version::Version;

/// When in a deployment a migration may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Before the new code starts; the code that runs goes on with what it leaves.
    Regular,
    /// When no running code depends on the old state any more.
    PostDeployment,
}

impl Phase {
    /// Both, in the order of a deployment.
    pub const ALL: [Phase; 2] = [Phase::Regular, Phase::PostDeployment];

    /// The folder of its migrations.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Phase::Regular => "migrate",
            Phase::PostDeployment => "post_migrate",
        }
    }
}

/// A migration; `B` is what a built-in one is for the server it is for.
#[derive(Debug, Clone)]
pub struct Migration<B> {
    /// No two have the same.
    pub version: Version,
    /// What it does, in a few words joined by underscores.
    pub name: String,
    /// When it may run.
    pub phase: Phase,
    /// What it does.
    pub body: Body<B>,
}

impl<B> fmt::Display for Migration<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.version, self.name)
    }
}

impl Migration<Infallible> {
    /// The same among those of a server: one of a file is for any.
    #[must_use]
    pub fn among<B>(self) -> Migration<B> {
        let Body::File(script) = self.body;
        Migration {
            version: self.version,
            name: self.name,
            phase: self.phase,
            body: Body::File(script),
        }
    }
}

/// What a migration does.
#[derive(Debug, Clone)]
pub enum Body<B> {
    /// What is in a file.
    File(Script),
    /// What this program knows to do.
    BuiltIn(B),
}

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The file.
    pub path: PathBuf,
    /// What is run.
    pub up: Part,
    /// What undoes it, if it can be undone.
    pub down: Option<Part>,
}

/// Statements that belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// In order.
    pub statements: Vec<Statement>,
    /// Each takes effect by itself, as some of PostgreSQL's must: CREATE INDEX CONCURRENTLY, VACUUM.
    pub no_transaction: bool,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Where it begins in its file, counted from 1; none if it is of no file.
    pub line: Option<usize>,
    /// Without a semicolon at its end.
    pub sql: String,
}

impl Statement {
    /// Where the line of it stands that has `before` others before it, in the file `path`.
    pub(crate) fn place(&self, path: &Path, before: usize) -> String {
        let line = self.line.map(|line| format!(" line {}", line + before));
        format!("{}{}", path.display(), line.unwrap_or_default())
    }

    /// Its beginning, on one line, and no password that it sets.
    pub(crate) fn shortened(&self) -> String {
        const LONGEST: usize = 120;
        const SECRETS: [&str; 2] = ["password", "identified"];
        let words: Vec<&str> = self.sql.split_whitespace().collect();
        let line = words.join(" ");
        let lower = line.to_ascii_lowercase();
        let secrets = SECRETS
            .iter()
            .filter_map(|word| Some(lower.find(word)? + word.len()));
        let shown = secrets.min().map_or(line.as_str(), |end| &line[..end]);
        let start: String = shown.chars().take(LONGEST).collect();
        if start.len() == line.len() {
            return line;
        }
        format!("{start} …")
    }
}

impl From<String> for Statement {
    fn from(sql: String) -> Statement {
        Statement { line: None, sql }
    }
}

/// What a built-in migration is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Statements, if anything is to be done at all, and what it means, for people.
    Run {
        /// In order.
        statements: Vec<String>,
        /// As in "dropped ci_jobs".
        told: String,
    },
    /// It stays pending, for this reason.
    Wait(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_shown_on_a_line_without_its_password() {
        let long = format!("SELECT {}", "é".repeat(200));
        for (sql, expected) in [
            ("SELECT\n  1", "SELECT 1".to_owned()),
            (&long, format!("SELECT {} …", "é".repeat(113))),
            (
                "ALTER ROLE a\nPassWord 'secret'",
                "ALTER ROLE a PassWord …".to_owned(),
            ),
            (
                "CREATE USER a IDENTIFIED BY 'secret' PASSWORD EXPIRE",
                "CREATE USER a IDENTIFIED …".to_owned(),
            ),
        ] {
            assert_eq!(Statement::from(sql.to_owned()).shortened(), expected);
        }
    }
}
