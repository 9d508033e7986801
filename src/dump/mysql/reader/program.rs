//! The programs that write MySQL dumps: which comment names them, where they write keys, and how their dumps end.

/// A program that names itself in the dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// mysqldump and mariadb-dump
    Mysqldump,
    /// mysqldump before its version 10.10, of MySQL 5.0, which may write no last line
    OldMysqldump,
    Mysqlpump,
    PhpMyAdmin,
}

/// Which keys of a table may come after its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeysFollow {
    /// None.
    Never,
    /// All of them, if its definition has none.
    All,
    /// Some of them.
    Some,
}

/// How the settings are restored at the end of phpMyAdmin's dumps, if they were saved at the beginning.
const SAVED: &str = "SET @OLD_COLLATION_CONNECTION=";
const RESTORED: &str = "SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION";

impl Program {
    /// The program that this comment names.
    pub(super) fn of(comment: &str) -> Option<Program> {
        let names = [
            ("MySQL dump ", Program::Mysqldump),
            ("MariaDB dump ", Program::Mysqldump),
            ("Dump created by MySQL pump utility", Program::Mysqlpump),
            ("phpMyAdmin SQL Dump", Program::PhpMyAdmin),
        ];
        let (name, program) = names.iter().find(|(name, _)| comment.starts_with(name))?;
        let is_old = is_before_10_10(&comment[name.len()..]);
        Some(match program {
            Program::Mysqldump if is_old => Program::OldMysqldump,
            program => *program,
        })
    }

    /// The comment that must be at the end of its dumps.
    pub(super) fn needed_comment(self) -> Option<&'static str> {
        self.last_comment()
            .filter(|_| self != Program::OldMysqldump)
    }

    /// The comment at the end of its dumps.
    pub(super) fn last_comment(self) -> Option<&'static str> {
        match self {
            Program::Mysqldump | Program::OldMysqldump => Some("Dump completed"),
            Program::Mysqlpump => Some("Dump end time"),
            Program::PhpMyAdmin => None,
        }
    }

    /// Which keys it writes after the rows.
    pub(super) fn keys_follow(self) -> KeysFollow {
        match self {
            Program::Mysqldump | Program::OldMysqldump => KeysFollow::Never,
            Program::Mysqlpump => KeysFollow::Some,
            Program::PhpMyAdmin => KeysFollow::All,
        }
    }
}

/// Whether `text` begins with such a version: `9.08`, `10.9  Distrib 4.1.22`.
fn is_before_10_10(text: &str) -> bool {
    let version = text.split_whitespace().next();
    let (major, minor) = version
        .and_then(|version| version.split_once('.'))
        .unwrap_or_default();
    let number = |text: &str| text.parse::<u32>().ok();
    let version = number(major).zip(number(minor));
    version.is_some_and(|version| version < (10, 10))
}

/// Whether the SET `statement` saves settings that the end of the dump restores (false), or is this end (true).
pub(super) fn ends_settings(statement: &str) -> Option<bool> {
    let beginning: String = statement.chars().take(100).collect();
    let beginning = beginning.to_ascii_uppercase();
    if beginning.contains(SAVED) {
        return Some(false);
    }
    beginning.contains(RESTORED).then_some(true)
}
