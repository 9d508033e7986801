//! A migration: its version, its name, its phase of a deployment, and what it does.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};

use super::version::Version;

/// When in a deployment a migration may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Before the new code starts. The running code works with the state that it leaves.
    Regular,
    /// When no running code depends on the old state any more.
    PostDeployment,
    /// Only when its version is named.
    OnRequest,
}

impl Phase {
    /// Those that files are written for, in the order of a deployment.
    pub const ALL: [Phase; 2] = [Phase::Regular, Phase::PostDeployment];

    /// The folder of its migrations, or what stands in its place for those without files.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Phase::Regular => "migrate",
            Phase::PostDeployment => "post_migrate",
            Phase::OnRequest => "on_request",
        }
    }
}

/// A migration. `B` is the implementation of a built-in one for a server.
#[derive(Debug, Clone)]
pub struct Migration<B> {
    /// Its unique version.
    pub version: Version,
    /// What it does, in a few words joined by underscores.
    pub name: String,
    /// When it may run.
    pub phase: Phase,
    /// What it does.
    pub body: MigrationBody<B>,
}

impl<B> fmt::Display for Migration<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.version, self.name)
    }
}

impl Migration<Infallible> {
    /// The same migration, as one for a server: a file is for any server.
    #[must_use]
    pub fn among<B>(self) -> Migration<B> {
        let MigrationBody::File(script) = self.body;
        Migration {
            version: self.version,
            name: self.name,
            phase: self.phase,
            body: MigrationBody::File(script),
        }
    }
}

/// What a migration does.
#[derive(Debug, Clone)]
pub enum MigrationBody<B> {
    /// The content of a file.
    File(MigrationScript),
    /// A step that is built into this program.
    BuiltIn(B),
}

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationScript {
    /// The file.
    pub path: PathBuf,
    /// The statements that run it.
    pub up: MigrationPart,
    /// The statements that undo it, if it can be undone.
    pub down: Option<MigrationPart>,
}

/// Statements that belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MigrationPart {
    /// In order.
    pub statements: Vec<MigrationStatement>,
    /// Whether each statement runs outside of a transaction. Some of PostgreSQL's need that: CREATE INDEX
    /// CONCURRENTLY, VACUUM.
    pub no_transaction: bool,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatement {
    /// The line where it begins in its file, counted from 1; none without a file.
    pub line: Option<usize>,
    /// Without a semicolon at its end.
    pub sql: String,
}

impl MigrationStatement {
    /// The place in the file `path` of its line that follows `before` other lines of it.
    pub(crate) fn place(&self, path: &Path, before: usize) -> String {
        let line = self.line.map(|line| format!(" line {}", line + before));
        format!("{}{}", path.display(), line.unwrap_or_default())
    }

    /// Its beginning on one line, up to the first text, number or comment: these may be values of rows, or a password.
    pub(crate) fn shortened(&self) -> String {
        let line = self.on_one_line();
        let mut before = ' ';
        for (at, c) in line.char_indices() {
            let begins_number = c.is_ascii_digit() && !(before.is_alphanumeric() || before == '_');
            let begins_comment = line[at..].starts_with("--") || line[at..].starts_with("/*");
            if begins_number || begins_comment || "'\"$#\\".contains(c) {
                return format!("{} …", line[..at].trim_end_matches([' ', '(']));
            }
            before = c;
        }
        line
    }

    /// Its beginning on one line, with its texts and numbers, without a password that it sets.
    pub(crate) fn with_values(&self) -> String {
        const SECRETS: [&str; 2] = ["password", "identified"];
        let line = self.on_one_line();
        let lower = line.to_ascii_lowercase();
        let ends = SECRETS
            .iter()
            .filter_map(|word| Some(lower.find(word)? + word.len()));
        match ends.min() {
            Some(end) if end < line.len() => format!("{} …", &line[..end]),
            _ => line,
        }
    }

    fn on_one_line(&self) -> String {
        const LONGEST: usize = 120;
        let words: Vec<&str> = self.sql.split_whitespace().collect();
        let line = words.join(" ");
        let start: String = line.chars().take(LONGEST).collect();
        if start.len() == line.len() {
            return line;
        }
        format!("{start} …")
    }
}

impl From<String> for MigrationStatement {
    fn from(sql: String) -> MigrationStatement {
        MigrationStatement { line: None, sql }
    }
}

/// What a built-in migration would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MigrationPlan {
    /// It runs statements, if anything is to be done.
    Run {
        /// In order.
        statements: Vec<String>,
        /// What they do, for people, as in "dropped ci_jobs".
        told: String,
    },
    /// It stays pending, for this reason.
    Wait(String),
}

impl MigrationPlan {
    /// It has nothing to do, as `told` says.
    pub(crate) fn nothing(told: &str) -> MigrationPlan {
        MigrationPlan::Run {
            statements: Vec::new(),
            told: told.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_shown_on_a_line_without_its_values() {
        let long = format!("SELECT {}", "é".repeat(200));
        for (sql, shown, with_values) in [
            ("SELECT\n  1", "SELECT …", "SELECT 1"),
            (
                &long,
                &*format!("SELECT {} …", "é".repeat(113)),
                &*format!("SELECT {} …", "é".repeat(113)),
            ),
            (
                "ALTER ROLE a\nPassWord 'secret'",
                "ALTER ROLE a PassWord …",
                "ALTER ROLE a PassWord …",
            ),
            (
                "CREATE USER a IDENTIFIED BY 'secret' PASSWORD EXPIRE",
                "CREATE USER a IDENTIFIED BY …",
                "CREATE USER a IDENTIFIED …",
            ),
            (
                "UPDATE t1 SET a = b WHERE c > 4711",
                "UPDATE t1 SET a = b WHERE c > …",
                "UPDATE t1 SET a = b WHERE c > 4711",
            ),
            ("DO $$ x $$", "DO …", "DO $$ x $$"),
            ("DELETE -- s3cr3t", "DELETE …", "DELETE -- s3cr3t"),
        ] {
            let statement = MigrationStatement::from(sql.to_owned());
            assert_eq!(statement.shortened(), shown);
            assert_eq!(statement.with_values(), with_values);
        }
    }
}
