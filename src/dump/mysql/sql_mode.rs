//! The modes of `sql_mode` that change how a dump is read (MySQL manual, 7.1.11; MariaDB's knowledge base, "SQL_MODE").
//!
//! The others change what a server computes or accepts: a dump has values that it has accepted already.

use crate::dump::quoting::Quoting;

/// A value of `sql_mode`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SqlMode {
    /// As it was set, in capitals, without blanks.
    text: String,
}

/// The modes that a number stands for, if they matter: the bits of the variable in every version.
const BITS: [(u64, &str); 5] = [
    (1 << 2, "ANSI_QUOTES"),
    (1 << 9, "ORACLE"),
    (1 << 18, "ANSI"),
    (1 << 20, "NO_BACKSLASH_ESCAPES"),
    (1 << 28, "HIGH_NOT_PRECEDENCE"),
];

impl SqlMode {
    /// The mode of `SET sql_mode = 'text'`; a number is possible, too.
    pub(super) fn new(text: &str) -> SqlMode {
        if let Ok(number) = text.trim().parse::<u64>() {
            let set = BITS.iter().filter(|(bit, _)| number & bit != 0);
            let names: Vec<&str> = set.map(|(_, name)| *name).collect();
            return SqlMode {
                text: names.join(","),
            };
        }
        SqlMode {
            text: text.to_ascii_uppercase().replace(' ', ""),
        }
    }

    /// As `@@sql_mode` shows it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether one of `modes` is set.
    fn has(&self, modes: &[&str]) -> bool {
        self.text.split(',').any(|mode| modes.contains(&mode))
    }

    /// How quotes and backslashes are read. The combination modes imply `ANSI_QUOTES`.
    pub(super) fn quoting(&self) -> Quoting {
        let ansi = [
            "ANSI_QUOTES",
            "ANSI",
            "ORACLE",
            "MSSQL",
            "DB2",
            "MAXDB",
            "POSTGRESQL",
        ];
        Quoting {
            backslash_escapes: !self.has(&["NO_BACKSLASH_ESCAPES"]),
            ansi_quotes: self.has(&ansi),
        }
    }

    /// Whether `SHOW CREATE TABLE` prints no AUTO_INCREMENT: these modes imply `NO_FIELD_OPTIONS` (MySQL 5.7 manual,
    /// 5.1.10, "Combination SQL Modes").
    pub(super) fn leaves_out_auto_increment(&self) -> bool {
        self.has(&[
            "POSTGRESQL",
            "ORACLE",
            "MSSQL",
            "DB2",
            "MAXDB",
            "NO_FIELD_OPTIONS",
        ])
    }

    /// Whether `NOT a BETWEEN b AND c` is `(NOT a) BETWEEN b AND c`.
    pub(super) fn has_high_not(&self) -> bool {
        self.has(&["HIGH_NOT_PRECEDENCE", "MYSQL323", "MYSQL40"])
    }

    /// The mode in which a row would not arrive as it is written, if one is set.
    pub(super) fn changes_rows(&self) -> Option<&'static str> {
        // In MariaDB an empty text becomes NULL.
        self.has(&["EMPTY_STRING_IS_NULL"])
            .then_some("EMPTY_STRING_IS_NULL")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_that_matter_are_recognised() {
        for (text, backslash_escapes, ansi_quotes) in [
            ("", true, false),
            ("NO_AUTO_VALUE_ON_ZERO", true, false),
            ("no_backslash_escapes", false, false),
            ("STRICT_TRANS_TABLES, ANSI_QUOTES", true, true),
            ("ANSI", true, true),
            ("POSTGRESQL,NO_BACKSLASH_ESCAPES", false, true),
            ("0", true, false),
            ("1048580", false, true),
        ] {
            let expected = Quoting {
                backslash_escapes,
                ansi_quotes,
            };
            assert_eq!(SqlMode::new(text).quoting(), expected, "{text}");
        }
        assert!(SqlMode::new("MSSQL").leaves_out_auto_increment());
        assert!(!SqlMode::new("ANSI").leaves_out_auto_increment());
        assert!(SqlMode::new("MYSQL40").has_high_not());
    }
}
