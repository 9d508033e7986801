//! The programs that write MySQL dumps: which comment names them, where they write keys, and how their dumps end.

/// A program that names itself in the dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// mysqldump and mariadb-dump
    Mysqldump,
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
        let found = names.iter().find(|(name, _)| comment.starts_with(name));
        found.map(|(_, program)| *program)
    }

    /// The comment at the end of its dumps.
    pub(super) fn last_comment(self) -> Option<&'static str> {
        match self {
            Program::Mysqldump => Some("Dump completed"),
            Program::Mysqlpump => Some("Dump end time"),
            Program::PhpMyAdmin => None,
        }
    }

    /// Which keys it writes after the rows.
    pub(super) fn keys_follow(self) -> KeysFollow {
        match self {
            Program::Mysqldump => KeysFollow::Never,
            Program::Mysqlpump => KeysFollow::Some,
            Program::PhpMyAdmin => KeysFollow::All,
        }
    }
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
