//! Classifies the statements of a MySQL dump.

use super::lexer::{Token, TokenKind, first_tokens};

/// What a statement is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DumpStatement {
    /// A table.
    CreateTable,
    /// Something that is not imported: its kind and name.
    LeftOut(&'static str, String),
    /// `USE db`
    Use(String),
    /// `SET NAMES charset`
    SetNames(String),
    /// `SET … SQL_MODE='…'`
    SetSqlMode(String),
    /// `SET … TIME_ZONE='…'`
    SetTimeZone(String),
    /// Locks, session settings, `DROP … IF EXISTS`: no effect on the data.
    WithoutEffect,
    /// Anything else; it might change data.
    Unknown,
}

/// Statements that begin with these words change no data of a table in the dump.
const WITHOUT_EFFECT: [&str; 19] = [
    "SET",
    "DROP",
    "LOCK",
    "UNLOCK",
    "COMMIT",
    "START",
    "BEGIN",
    "FLUSH",
    "ANALYZE",
    "CREATE",
    "CHANGE",
    "GRANT",
    "STOP",
    "DELIMITER",
    "SELECT",
    "PREPARE",
    "EXECUTE",
    "DEALLOCATE",
    "DO",
];

/// So many tokens are examined; a definer, an algorithm and a security clause may precede the kind.
const ENOUGH: usize = 48;

/// Classifies `statement`, whose text includes its delimiter.
pub(super) fn classify(statement: &str) -> DumpStatement {
    let tokens = first_tokens(statement, ENOUGH);
    let words: Vec<String> = tokens.iter().map(word).collect();
    let is = |at: usize, word: &str| words.get(at).is_some_and(|found| found == word);
    match words.first().map_or("", String::as_str) {
        "" | ";" => DumpStatement::WithoutEffect,
        "USE" => DumpStatement::Use(name(&tokens, 1)),
        "SET" if is(1, "NAMES") => DumpStatement::SetNames(name(&tokens, 2).to_ascii_lowercase()),
        "SET" => set(&tokens),
        "ALTER" if is(1, "TABLE") && (words.iter().any(|w| w == "KEYS")) => {
            DumpStatement::WithoutEffect
        }
        "ALTER" if is(1, "DATABASE") => DumpStatement::WithoutEffect,
        "CREATE" => create(statement, &tokens, &words),
        first if WITHOUT_EFFECT.contains(&first) => DumpStatement::WithoutEffect,
        _ => DumpStatement::Unknown,
    }
}

fn create(statement: &str, tokens: &[Token], words: &[String]) -> DumpStatement {
    let kinds = [
        ("TABLE", "table"),
        ("VIEW", "view"),
        ("TRIGGER", "trigger"),
        ("PROCEDURE", "procedure"),
        ("FUNCTION", "function"),
        ("EVENT", "event"),
        ("SEQUENCE", "sequence"),
        ("PACKAGE", "package"),
        ("SERVER", "server"),
        ("DATABASE", "database"),
        ("SCHEMA", "database"),
        ("USER", "user"),
    ];
    for (at, word) in words.iter().enumerate().skip(1) {
        let Some((_, kind)) = kinds.iter().find(|(keyword, _)| keyword == word) else {
            continue;
        };
        let mut after = at + 1;
        while words
            .get(after)
            .is_some_and(|w| ["IF", "NOT", "EXISTS", "BODY"].contains(&w.as_str()))
        {
            after += 1;
        }
        return match *kind {
            // Old versions of mysqldump write a placeholder table for each view, inside an executable
            // comment.
            "table" if statement.trim_start().starts_with("/*!") => {
                DumpStatement::LeftOut("view", qualified_name(tokens, after))
            }
            "table" => DumpStatement::CreateTable,
            "database" | "user" => DumpStatement::WithoutEffect,
            kind => DumpStatement::LeftOut(kind, qualified_name(tokens, after)),
        };
    }
    DumpStatement::Unknown
}

fn set(tokens: &[Token]) -> DumpStatement {
    if let Some(mode) = value_of(tokens, "SQL_MODE") {
        DumpStatement::SetSqlMode(mode.to_ascii_uppercase())
    } else if let Some(zone) = value_of(tokens, "TIME_ZONE") {
        DumpStatement::SetTimeZone(zone)
    } else {
        DumpStatement::WithoutEffect
    }
}

/// The value in `VARIABLE='value'` of a SET statement.
fn value_of(tokens: &[Token], variable: &str) -> Option<String> {
    tokens.windows(3).find_map(|window| match window {
        [
            name,
            equals,
            Token {
                kind: TokenKind::Text(value),
                ..
            },
        ] if word(name).ends_with(variable) && equals.kind == TokenKind::Symbol('=') => {
            Some(value.clone())
        }
        _ => None,
    })
}

/// A keyword in capitals, or a symbol; `?` for anything else.
fn word(token: &Token) -> String {
    match &token.kind {
        TokenKind::Word(word) => word.to_ascii_uppercase(),
        TokenKind::Symbol(symbol) => symbol.to_string(),
        _ => "?".to_owned(),
    }
}

fn name(tokens: &[Token], at: usize) -> String {
    match tokens.get(at).map(|token| &token.kind) {
        Some(
            TokenKind::Word(name)
            | TokenKind::Identifier(name)
            | TokenKind::DoubleQuoted(name)
            | TokenKind::Text(name),
        ) => name.clone(),
        _ => String::new(),
    }
}

fn qualified_name(tokens: &[Token], at: usize) -> String {
    match tokens.get(at + 1).map(|token| &token.kind) {
        Some(TokenKind::Symbol('.')) => name(tokens, at + 2),
        _ => name(tokens, at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(statement: &str, expected: &DumpStatement) {
        assert_eq!(&classify(statement), expected, "{statement}");
    }

    #[test]
    fn statements_of_a_dump() {
        use DumpStatement::{CreateTable, SetNames, SetSqlMode, Unknown, Use, WithoutEffect};
        check("CREATE TABLE `t` (`a` int);", &CreateTable);
        check("CREATE TABLE IF NOT EXISTS t (a int);", &CreateTable);
        check("/*!40101 SET NAMES utf8 */;", &SetNames("utf8".into()));
        check(
            "/*!40101 SET NAMES 'UTF8MB4' */;",
            &SetNames("utf8mb4".into()),
        );
        check(
            "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO,POSTGRESQL' */;",
            &SetSqlMode("NO_AUTO_VALUE_ON_ZERO,POSTGRESQL".into()),
        );
        check("/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;", &WithoutEffect);
        check(
            "/*!40103 SET TIME_ZONE='+00:00' */;",
            &DumpStatement::SetTimeZone("+00:00".into()),
        );
        check("/*!40000 ALTER TABLE `t` DISABLE KEYS */;", &WithoutEffect);
        check("LOCK TABLES `t` WRITE;", &WithoutEffect);
        check("DROP TABLE IF EXISTS `t`;", &WithoutEffect);
        check(
            "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `x`;",
            &WithoutEffect,
        );
        check("USE `my db`;", &Use("my db".into()));
        check("/*!50001 DROP TABLE IF EXISTS `v`*/;", &WithoutEffect);
        check("UPDATE t SET a = 1;", &Unknown);
        check("INSERT INTO t SELECT 1;", &Unknown);
        check("\\! rm -rf /;", &Unknown);
        check("ALTER TABLE t ADD COLUMN b int;", &Unknown);
    }

    #[test]
    fn what_is_left_out_is_named() {
        let cases = [
            (
                "/*!50001 CREATE VIEW `v` AS SELECT\n 1 AS `a`*/;",
                "view",
                "v",
            ),
            (
                "/*!50001 CREATE TABLE `v` (\n  `a` tinyint NOT NULL\n) ENGINE=MyISAM */;",
                "view",
                "v",
            ),
            (
                "/*!50001 CREATE ALGORITHM=UNDEFINED */ /*!50013 DEFINER=`r`@`%` SQL SECURITY DEFINER */ /*!50001 VIEW `v` AS select 1 */;",
                "view",
                "v",
            ),
            (
                "/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER `tr` BEFORE INSERT ON `t` FOR EACH ROW SET NEW.a = 1 */;;",
                "trigger",
                "tr",
            ),
            (
                "CREATE DEFINER=`a`@`%` PROCEDURE `p`() BEGIN END ;;",
                "procedure",
                "p",
            ),
            (
                "CREATE DEFINER=`a`@`%` FUNCTION `d`.`f`() RETURNS int RETURN 1 ;;",
                "function",
                "f",
            ),
            (
                "/*!50106 CREATE*/ /*!50117 DEFINER=`a`@`%`*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY DO SELECT 1 */ ;;",
                "event",
                "e",
            ),
        ];
        for (statement, kind, name) in cases {
            check(statement, &DumpStatement::LeftOut(kind, name.into()));
        }
    }
}
