//! The session of a dump: what its SET statements say, as far as it changes how the rest is read.
//!
//! Dumps save a variable, set it, and restore it (`SET @saved_sql_mode = @@sql_mode`), so user variables are kept.

use std::collections::HashMap;

use super::expression::{Value, evaluate, split_at_commas};
use super::lexer::{Token, TokenKind};
use super::sql_mode::SqlMode;
use crate::dump::bounds::refused_statement;
use crate::error::Result;

/// So many user variables are kept, and so many characters of each: mysqldump has a dozen, with a short text each.
const MAX_VARIABLES: usize = 500;
const MAX_CHARACTERS: usize = 2000;

/// The state of a session.
#[derive(Debug, Default)]
pub(super) struct Session {
    mode: SqlMode,
    /// The time zone; none is the server's.
    zone: Option<String>,
    /// The character set of the statements, in lower case; none if the dump does not say it.
    client: Option<String>,
    /// Whether INSERTs may write the history of a system-versioned table.
    writes_history: bool,
    variables: HashMap<String, Value>,
    /// The texts of prepared statements.
    prepared: HashMap<String, Value>,
    /// Whether there were more variables than are kept.
    has_more: bool,
}

/// What a SET statement says that the reader has to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SetOutcome {
    /// Whether the way to read quotes may have changed.
    pub(super) mode: bool,
    /// Whether the character set of the statements may have changed.
    pub(super) client: bool,
}

impl Session {
    pub(super) fn mode(&self) -> &SqlMode {
        &self.mode
    }

    pub(super) fn set_mode(&mut self, mode: SqlMode) {
        self.mode = mode;
    }

    pub(super) fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    pub(super) fn set_client(&mut self, charset: String) {
        self.client = Some(charset);
    }

    pub(super) fn writes_history(&self) -> bool {
        self.writes_history
    }

    /// Whether the time zone is UTC.
    pub(super) fn is_utc(&self) -> bool {
        let zones = [
            "+00:00", "-00:00", "+0:00", "-0:00", "UTC", "Etc/UTC", "GMT",
        ];
        let zone = self.zone.as_deref().unwrap_or_default();
        zones.iter().any(|utc| zone.eq_ignore_ascii_case(utc))
    }

    /// Carries out `SET …`, whose tokens are `tokens`. `statement` is for the error.
    pub(super) fn set(&mut self, tokens: &[Token], statement: &str) -> Result<SetOutcome> {
        let mut outcome = SetOutcome::default();
        for assignment in assignments(&tokens[1..]) {
            let Some((target, value)) = target_and_value(assignment) else {
                continue;
            };
            let value = self.evaluate(value);
            match target {
                Target::User(name) => {
                    self.has_more |= !remember(&mut self.variables, name, value);
                }
                Target::Session(name) => match name.as_str() {
                    // A server refuses NULL, and keeps the mode that it has.
                    "sql_mode" if value == Value::Null => {}
                    "sql_mode" => {
                        self.mode = mode_of(&value, statement)?;
                        outcome.mode = true;
                    }
                    "time_zone" => {
                        let known = value.single().filter(|zone| !is_default(zone));
                        self.zone = known.map(str::to_owned);
                    }
                    "character_set_client" => {
                        let known = value.single().filter(|name| !is_default(name));
                        self.client = known.map(str::to_ascii_lowercase);
                        outcome.client = true;
                    }
                    "system_versioning_insert_history" => {
                        let off = ["0", "off", "false", "default", ""];
                        self.writes_history = value.single().is_none_or(|value| {
                            !off.contains(&value.to_ascii_lowercase().as_str())
                        });
                    }
                    _ => {}
                },
                Target::Other => {}
            }
        }
        Ok(outcome)
    }

    /// `SELECT … INTO @variable`: its value is not known.
    pub(super) fn forget(&mut self, variable: &str) {
        let name = variable.trim_start_matches('@').to_ascii_lowercase();
        self.has_more |= !remember(&mut self.variables, name, Value::Unknown);
    }

    /// `PREPARE name FROM …`, whose last tokens are `value`.
    pub(super) fn prepare(&mut self, name: &str, value: &[Token]) {
        let value = self.evaluate(value);
        let _ = remember(&mut self.prepared, name.to_ascii_lowercase(), value);
    }

    /// The text of the prepared statement `name`.
    pub(super) fn prepared(&self, name: &str) -> Value {
        let found = self.prepared.get(&name.to_ascii_lowercase());
        found.cloned().unwrap_or(Value::Unknown)
    }

    /// The value of an expression.
    pub(super) fn evaluate(&self, tokens: &[Token]) -> Value {
        evaluate(tokens, &|name| self.variable(name))
    }

    /// The value of `@name` or `@@name`, in lower case.
    fn variable(&self, name: &str) -> Value {
        let known = |text: &str| Value::OneOf(vec![text.to_owned()]);
        match name {
            "@@sql_mode" => known(self.mode.text()),
            // A value that is restored is the one that was saved, so the server's needs a text, too.
            "@@time_zone" => known(self.zone.as_deref().unwrap_or("SYSTEM")),
            "@@character_set_client" => known(self.client.as_deref().unwrap_or("default")),
            "@@system_versioning_insert_history" => {
                known(if self.writes_history { "1" } else { "0" })
            }
            _ => {
                let found = self.variables.get(name.trim_start_matches('@'));
                let may_be_set = name.starts_with("@@") || self.has_more;
                let absent = if may_be_set {
                    Value::Unknown
                } else {
                    Value::Null
                };
                found.cloned().unwrap_or(absent)
            }
        }
    }
}

fn is_default(value: &str) -> bool {
    value.eq_ignore_ascii_case("default")
}

/// Keeps a value, if there are not too many; whether it did.
fn remember(variables: &mut HashMap<String, Value>, name: String, value: Value) -> bool {
    if variables.len() >= MAX_VARIABLES && !variables.contains_key(&name) {
        return false;
    }
    let is_short = value
        .texts()
        .iter()
        .all(|text| text.len() <= MAX_CHARACTERS);
    variables.insert(name, if is_short { value } else { Value::Unknown });
    true
}

/// The mode that a SET statement asks for. It decides how the rest of the dump is read, so it must be known.
fn mode_of(value: &Value, statement: &str) -> Result<SqlMode> {
    let modes = match value {
        Value::Null | Value::Unknown | Value::Begins(_) => Vec::new(),
        Value::OneOf(texts) => texts
            .iter()
            .map(|text| SqlMode::new(if is_default(text) { "" } else { text }))
            .collect(),
    };
    match modes.split_first() {
        Some((first, rest)) if rest.iter().all(|mode| mode.quoting() == first.quoting()) => {
            Ok(first.clone())
        }
        _ => Err(refused_statement(
            "the dump sets sql_mode to a value that is not known",
            statement,
        )
        .hint("write the modes as a text: SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")),
    }
}

/// The user variables that a SET sets; none if it sets one that decides how the rest of a dump is read.
pub(super) fn user_variables(tokens: &[Token]) -> Option<Vec<String>> {
    let mut variables = Vec::new();
    for assignment in assignments(tokens.get(1..)?) {
        match target_and_value(assignment)?.0 {
            Target::User(name) => variables.push(name),
            Target::Session(name) if DECIDING.contains(&name.as_str()) => return None,
            Target::Session(_) | Target::Other => {}
        }
    }
    Some(variables)
}

/// The variables that decide how a dump is read.
const DECIDING: [&str; 4] = [
    "sql_mode",
    "time_zone",
    "character_set_client",
    "system_versioning_insert_history",
];

/// What is set.
enum Target {
    /// A user variable, in lower case, without `@`.
    User(String),
    /// A variable of the session, in lower case.
    Session(String),
    /// A global variable.
    Other,
}

/// The assignments of a SET statement.
fn assignments(tokens: &[Token]) -> Vec<&[Token]> {
    let end = tokens
        .iter()
        .position(|token| token.kind == TokenKind::Symbol(';'))
        .unwrap_or(tokens.len());
    split_at_commas(&tokens[..end])
}

/// The target of an assignment, and the tokens of its value.
fn target_and_value(tokens: &[Token]) -> Option<(Target, &[Token])> {
    let equals = tokens
        .iter()
        .position(|token| token.kind == TokenKind::Symbol('='))?;
    let value = &tokens[equals + 1..];
    // Before the sign may stand the colon of `:=`.
    let names: Vec<String> = tokens[..equals].iter().filter_map(name_of).collect();
    let first = names.first()?.clone();
    let last = names.last()?.clone();
    if let Some(user) = first
        .strip_prefix('@')
        .filter(|rest| !rest.starts_with('@'))
    {
        let name = if user.is_empty() {
            last
        } else {
            user.to_owned()
        };
        return Some((Target::User(name), value));
    }
    let scope = first.trim_start_matches('@');
    let is_global = names.len() > 1 && ["global", "persist", "persist_only"].contains(&scope);
    if is_global {
        return Some((Target::Other, value));
    }
    let name = last.trim_start_matches('@').to_owned();
    Some((Target::Session(name), value))
}

/// A name, in lower case.
fn name_of(token: &Token) -> Option<String> {
    match &token.kind {
        TokenKind::Word(name)
        | TokenKind::Identifier(name)
        | TokenKind::DoubleQuoted(name)
        | TokenKind::Text(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::mysql::lexer::tokens;
    use crate::dump::quoting::Quoting;

    fn after(statements: &[&str]) -> Result<Session> {
        let mut session = Session::default();
        for statement in statements {
            session.set(&tokens(statement)?, statement)?;
        }
        Ok(session)
    }

    #[test]
    fn modes_are_set_and_restored() {
        let saved = "/*!50003 SET @saved_sql_mode = @@sql_mode */ ;";
        let ansi = "/*!50003 SET sql_mode = 'ANSI_QUOTES' */ ;";
        let back = "/*!50003 SET sql_mode = @saved_sql_mode */ ;";
        for (statements, expected) in [
            (&["SET sql_mode = \"ANSI\";"][..], "ANSI"),
            (&["SET @@session.sql_mode := 'ansi';"], "ANSI"),
            (&["SET @@SQL_MODE='ANSI', @x = 1;"], "ANSI"),
            (&["SET SESSION sql_mode = DEFAULT;"], ""),
            (&["SET GLOBAL sql_mode = 'ANSI';"], ""),
            (&["SET @@GLOBAL.sql_mode = 'ANSI';"], ""),
            (
                &[
                    "SET sql_mode='A'",
                    "SET sql_mode = CONCAT(@@sql_mode, ',B');",
                ],
                "A,B",
            ),
            (
                &[
                    "SET sql_mode='A,ONLY'",
                    "SET sql_mode=(SELECT REPLACE(@@sql_mode,'ONLY',''));",
                ],
                "A,",
            ),
            (
                &[
                    "SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='ANSI'",
                    "SET SQL_MODE=@OLD_SQL_MODE",
                ],
                "",
            ),
            (&["SET sql_mode='A'", saved, ansi, back], "A"),
            (
                &[
                    "SET @o=@@sql_mode, sql_mode='A'",
                    "SET sql_mode=IFNULL(@o, 'B')",
                ],
                "",
            ),
            (&["SET sql_mode=IFNULL(@o, 'B')"], "B"),
            (&["SET sql_mode='A'", saved, ansi], "ANSI_QUOTES"),
            (&["SET @a = 'X'", "SET sql_mode = @A"], "X"),
        ] {
            assert_eq!(
                after(statements).unwrap().mode().text(),
                expected,
                "{statements:?}"
            );
        }
        let error = after(&["SET sql_mode = f();"]).unwrap_err().to_string();
        assert_eq!(
            error,
            "the dump sets sql_mode to a value that is not known: SET …"
        );
        let either = "SET sql_mode = IF(@x, 'ANSI', 'NO_BACKSLASH_ESCAPES')";
        assert!(after(&[either]).is_err());
        let same = after(&["SET sql_mode = IF(@x, 'STRICT_ALL_TABLES', 'NO_ZERO_DATE')"]);
        assert_eq!(same.unwrap().mode().quoting(), Quoting::default());
    }

    #[test]
    fn the_time_zone_is_followed() {
        for (statements, utc) in [
            (&["SET time_zone = \"+00:00\""][..], true),
            (&["SET TIME_ZONE='utc'"], true),
            (&["SET time_zone = 'SYSTEM'"], false),
            (&["SET time_zone = '+02:00'"], false),
            (&[], false),
            (
                &[
                    "SET TIME_ZONE='+00:00'",
                    "SET @z = @@time_zone",
                    "SET time_zone='SYSTEM'",
                    "SET time_zone=@z",
                ],
                true,
            ),
            (&["SET TIME_ZONE='+00:00'", "SET TIME_ZONE=DEFAULT"], false),
        ] {
            assert_eq!(after(statements).unwrap().is_utc(), utc, "{statements:?}");
        }
    }
}
