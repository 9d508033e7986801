//! The file of `--config`: TOML, with the names of options as keys, and a table for each command that has settings of its
//! own.
//!
//! ```toml
//! database-url = "postgresql://app@db/shop"
//! skip-table = ["sessions", "cache"]
//!
//! [verify]
//! jobs = 1
//! ```

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};
use toml::{Table, Value};

use super::setting::{OFF, Origin, options, times};
use crate::cli::password::without_password;
use crate::error::{Doing, Error, Kind, Result};

/// A file that was read.
#[derive(Debug)]
pub(super) struct ConfigFile {
    path: PathBuf,
    table: Table,
}

impl ConfigFile {
    pub(super) fn read(path: &Path) -> Result<ConfigFile> {
        let shown = path.display();
        // As with the option files of MySQL: what is in it could be anybody's.
        if fs::metadata(path).is_ok_and(|found| found.mode() & 0o002 != 0) {
            return Err(
                Error::usage(format!("everybody may write to {shown}, so it is not read"))
                    .hint(format!("chmod o-w {shown}")),
            );
        }
        let text = fs::read_to_string(path)
            .doing(format!("read {shown}"))
            .map_err(|error| error.into_kind(Kind::Usage))?;
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let before = error.span().map_or("", |span| &text[..span.start]);
            let line = before.matches('\n').count() + 1;
            // The text of the line may have a password.
            Error::usage(format!("{shown} line {line}: {}", error.message()))
        })?;
        Ok(ConfigFile {
            path: path.to_owned(),
            table,
        })
    }

    /// A warning if others can read a password.
    pub(super) fn warning(&self) -> Option<String> {
        let url = self.table.get("database-url").and_then(Value::as_str)?;
        let has_password = without_password(url).is_none_or(|safe| safe != url);
        let is_open = fs::metadata(&self.path).is_ok_and(|found| found.mode() & 0o044 != 0);
        let shown = self.path.display();
        (has_password && is_open).then(|| {
            format!("{shown} has a password, and other users can read it; chmod 600 {shown}")
        })
    }

    /// Refuses keys that are neither options nor commands.
    pub(super) fn check(&self, command: &Command) -> Result<()> {
        self.check_table(command, &self.table, "")
    }

    fn check_table(&self, command: &Command, table: &Table, prefix: &str) -> Result<()> {
        for (key, value) in table {
            let shown = format!("{prefix}{key}");
            match (value, command.find_subcommand(key)) {
                (Value::Table(inner), Some(found)) => {
                    self.check_table(found, inner, &format!("{shown}."))?;
                }
                (Value::Table(_), None) => return Err(self.error(&shown, "is no command")),
                (_, _) if has_option(command, key) => {}
                _ => return Err(self.error(&shown, "is no option")),
            }
        }
        Ok(())
    }

    fn error(&self, key: &str, what: &str) -> Error {
        Error::usage(format!("{key} in {} {what}", self.path.display()))
            .hint("ci-import settings lists the options, as they stand in such a file")
    }

    /// What the file says of an option of the command with this `path`, and where. The innermost table counts.
    pub(super) fn values(
        &self,
        path: &[&str],
        arg: &Arg,
        long: &str,
    ) -> Option<Result<(Vec<String>, Origin)>> {
        // The table of the command secrets is no value of the option --secrets.
        let value_in = |table: &'_ Table| -> Option<Value> {
            table.get(long).filter(|value| !value.is_table()).cloned()
        };
        let mut found = value_in(&self.table).map(|value| (value, long.to_owned()));
        let mut table = Some(&self.table);
        for (depth, name) in path.iter().enumerate() {
            table = table
                .and_then(|table| table.get(*name))
                .and_then(Value::as_table);
            if let Some(value) = table.and_then(value_in) {
                found = Some((value, format!("{}.{long}", path[..=depth].join("."))));
            }
        }
        let (value, key) = found?;
        let origin = Origin::File(self.path.clone(), key.clone());
        let values = self.of_value(arg, &value, &key).transpose()?;
        Some(values.map(|values| (values, origin)))
    }

    fn of_value(&self, arg: &Arg, value: &Value, key: &str) -> Result<Option<Vec<String>>> {
        let wrong = |what: &str| Err(self.error(key, what));
        match (arg.get_action(), value) {
            (ArgAction::SetTrue, Value::Boolean(true)) => Ok(Some(Vec::new())),
            (ArgAction::SetTrue, Value::Boolean(false)) => Ok(Some(vec![OFF.to_owned()])),
            (ArgAction::SetTrue, _) => wrong("is neither true nor false"),
            (ArgAction::Count, Value::Integer(count)) => times(Some(*count), key),
            (ArgAction::Append, Value::Array(values)) => {
                let texts: Option<Vec<String>> = values.iter().map(text).collect();
                match texts {
                    Some(texts) => Ok(Some(texts).filter(|texts| !texts.is_empty())),
                    None => wrong("is no list of texts"),
                }
            }
            (_, value) => match text(value) {
                Some(text) => Ok(Some(vec![text])),
                None => wrong("is neither a text nor a whole number"),
            },
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether `command` or one below it has the option.
fn has_option(command: &Command, long: &str) -> bool {
    options(command).any(|(_, known)| known == long)
        || command.get_subcommands().any(|it| has_option(it, long))
}
