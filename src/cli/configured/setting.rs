//! An option that is set without being typed.

use std::path::PathBuf;

use clap::{Arg, Command};

use crate::error::{Error, Result};

/// The option that names the file.
pub(super) const CONFIG: &str = "config";

/// The value of a switch that is off.
pub(super) const OFF: &str = "\0off";

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The variable with this name.
    Variable(String),
    /// The file, and the key in it.
    File(PathBuf, String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Variable(name) => write!(f, "{name} of the environment"),
            Origin::File(path, key) => write!(f, "{key} in {}", path.display()),
        }
    }
}

/// An option that is set, but was not typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The option, as clap identifies it.
    pub(super) id: String,
    /// Its name, without the dashes.
    pub(super) long: String,
    /// Its values; of a switch none.
    pub(super) values: Vec<String>,
    pub(super) origin: Origin,
}

impl Setting {
    /// As it would be typed.
    pub(super) fn arguments(&self) -> Vec<String> {
        if self.values.is_empty() {
            return vec![format!("--{}", self.long)];
        }
        let values = self.values.iter();
        values.map(|it| format!("--{}={it}", self.long)).collect()
    }
}

/// The options that can be configured.
pub(super) fn options(command: &Command) -> impl Iterator<Item = (&Arg, &str)> {
    let named = command.get_arguments();
    let named = named.filter_map(|arg| Some((arg, arg.get_long()?)));
    named.filter(|(_, long)| !["help", "version", CONFIG].contains(long))
}

/// A switch that counts how often it is there. Each time it is there has no value.
pub(super) fn times(count: Option<i64>, shown: &str) -> Result<Option<Vec<String>>> {
    match count {
        Some(0) => Ok(None),
        Some(1) => Ok(Some(Vec::new())),
        _ => Err(Error::usage(format!("{shown} is neither 0 nor 1")).hint("type -vv for more")),
    }
}
