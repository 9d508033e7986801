//! What is set of a command's options by the environment and the file.

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::file::ConfigFile;
use super::setting::{CONFIG, OFF, Origin, Setting, options, times};
use crate::error::{Error, Result};

/// What the names of the variables begin with.
pub(super) const PREFIX: &str = "CI_IMPORT_";

/// Options that say something about another one, and nothing without it.
const ABOUT: [(&str, &str); 1] = [("environment", "database_yml")];

/// The file that was `typed`, or that the environment names.
pub(super) fn named_file(
    typed: Option<&Path>,
    variables: &[(String, String)],
) -> Result<Option<ConfigFile>> {
    let named = variable_of(CONFIG, variables).map(PathBuf::from);
    let path = typed.map(Path::to_owned).or(named);
    path.map(|path| ConfigFile::read(&path)).transpose()
}

/// The name of the variable for an option.
pub(super) fn variable_name(long: &str) -> String {
    format!("{PREFIX}{}", long.to_ascii_uppercase().replace('-', "_"))
}

/// The value of the variable for an option; an empty one is none.
fn variable_of(long: &str, variables: &[(String, String)]) -> Option<String> {
    let name = variable_name(long);
    let mut variables = variables.iter();
    let found = variables.find(|(known, value)| *known == name && !value.is_empty());
    found.map(|(_, value)| value.clone())
}

/// What is set of the options of `command`, which has this `path`, and was not typed.
pub(super) fn found(
    command: &Command,
    path: &[&str],
    typed: Option<&ArgMatches>,
    variables: &[(String, String)],
    file: Option<&ConfigFile>,
) -> Result<Vec<Setting>> {
    let is_typed = |id: &str| {
        let source = typed.and_then(|typed| {
            let is_known = typed.try_contains_id(id).is_ok();
            is_known.then(|| typed.value_source(id)).flatten()
        });
        source == Some(ValueSource::CommandLine)
    };
    let mut settings: Vec<Setting> = Vec::new();
    for is_file in [false, true] {
        let mut of_source = Vec::new();
        for (arg, long) in options(command) {
            let id = arg.get_id().as_str();
            let is_set = |id: &str| is_typed(id) || settings.iter().any(|it| it.id == id);
            let conflicts = command.get_arg_conflicts_with(arg);
            let is_excluded = conflicts.iter().any(|it| is_set(it.get_id().as_str()));
            if is_set(id) || is_excluded {
                continue;
            }
            let found = if is_file {
                file.and_then(|file| file.values(path, arg, long))
                    .transpose()?
            } else {
                let name = variable_name(long);
                let value = variable_of(long, variables);
                let values = value.map(|value| of_variable(arg, &name, &value));
                let values = values.transpose()?.flatten();
                values.map(|values| (values, Origin::Variable(name)))
            };
            of_source.extend(found.map(|(values, origin)| Setting {
                id: id.to_owned(),
                long: long.to_owned(),
                values,
                origin,
            }));
        }
        settings.extend(of_source);
    }
    let known: Vec<String> = settings.iter().map(|it| it.id.clone()).collect();
    settings.retain(|setting| {
        let about = ABOUT.iter().find(|(id, _)| *id == setting.id);
        about.is_none_or(|(_, other)| is_typed(other) || known.iter().any(|it| it == other))
    });
    // A switch that is off says nothing.
    settings.retain(|setting| setting.values != [OFF]);
    Ok(settings)
}

/// What the `value` of a variable means for an option. None means nothing.
fn of_variable(arg: &Arg, name: &str, value: &str) -> Result<Option<Vec<String>>> {
    Ok(Some(match arg.get_action() {
        ArgAction::SetTrue => match value.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Vec::new(),
            "0" | "false" | "no" | "off" => vec![OFF.to_owned()],
            _ => {
                return Err(Error::usage(format!(
                    "{name} of the environment is neither yes nor no"
                ))
                .hint("set it to yes or no"));
            }
        },
        ArgAction::Append => value.split(',').map(|it| it.trim().to_owned()).collect(),
        ArgAction::Count => {
            return times(value.parse().ok(), &format!("{name} of the environment"));
        }
        _ => vec![value.to_owned()],
    }))
}
