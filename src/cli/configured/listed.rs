//! All options of a command with their values and where these come from, as a file for `--config`.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, ArgAction, Command};
use toml::Value;

use super::found::{found, named_file};
use super::setting::{Setting, options};
use crate::cli::password::without_password;
use crate::error::{Error, Result};

/// The group that is listed last.
const LAST: &str = "Output";

/// The options of the command with this `path` (of the import if it is empty), as TOML. `file` is the one of
/// `--config`. A password is not shown.
pub fn listed(
    command: &Command,
    path: &[String],
    file: Option<&Path>,
    variables: &[(String, String)],
) -> Result<String> {
    let mut built = command.clone();
    built.build();
    let mut leaf = &built;
    for name in path {
        leaf = leaf.find_subcommand(name).ok_or_else(|| {
            Error::usage(format!("there is no command {}", path.join(" ")))
                .hint("ci-import --help lists the commands")
        })?;
    }
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let file = named_file(file, variables)?;
    if let Some(file) = &file {
        file.check(&built)?;
    }
    let settings = found(leaf, &names, None, variables, file.as_ref())?;
    let shown: Vec<(&Arg, &str)> = options(leaf)
        .filter(|(arg, _)| !arg.is_hide_set())
        .collect();
    let mut headings: Vec<&str> = Vec::new();
    for (arg, _) in &shown {
        if !headings.contains(&heading(arg)) {
            headings.push(heading(arg));
        }
    }
    // Those of all commands come first, but matter least.
    headings.sort_by_key(|heading| *heading == LAST);
    let mut text = String::new();
    for of_group in headings {
        let space = if text.is_empty() { "" } else { "\n" };
        let _ = writeln!(text, "{space}# {of_group}");
        for (arg, long) in shown.iter().filter(|(arg, _)| heading(arg) == of_group) {
            let setting = settings.iter().find(|it| it.long == *long);
            text += &line(arg, long, setting);
        }
    }
    Ok(text)
}

fn heading(arg: &Arg) -> &str {
    arg.get_help_heading().unwrap_or("Options")
}

/// The line of an option: what is set, or as a comment what is the default.
fn line(arg: &Arg, long: &str, setting: Option<&Setting>) -> String {
    let Some(setting) = setting else {
        let defaults = arg.get_default_values();
        let default = defaults.first().map(|it| it.to_string_lossy().into_owned());
        let is_switch = matches!(arg.get_action(), ArgAction::SetTrue | ArgAction::Count);
        let value = match default {
            _ if matches!(arg.get_action(), ArgAction::Count) => "0".to_owned(),
            _ if is_switch => "false".to_owned(),
            Some(default) => shown(&default),
            None => "\"\"".to_owned(),
        };
        let help = arg.get_help().map(ToString::to_string);
        let help = help.unwrap_or_default();
        let help = help.lines().next().unwrap_or_default();
        return format!("# {long} = {value}  # {help}\n");
    };
    let origin = &setting.origin;
    let values: Vec<String> = match long {
        "database-url" => setting.values.iter().map(|it| safe(it)).collect(),
        _ => setting.values.clone(),
    };
    let is_changed = values != setting.values;
    let value = match arg.get_action() {
        ArgAction::SetTrue => "true".to_owned(),
        ArgAction::Count => "1".to_owned(),
        ArgAction::Append => {
            let values: Vec<String> = values.iter().map(|it| shown(it)).collect();
            format!("[{}]", values.join(", "))
        }
        _ => shown(&values.concat()),
    };
    let hidden = if is_changed {
        "; its password is not shown"
    } else {
        ""
    };
    format!("{long} = {value}  # {origin}{hidden}\n")
}

/// A text or a number, as TOML has it.
fn shown(value: &str) -> String {
    match value.parse::<i64>() {
        Ok(number) if number.to_string() == value => value.to_owned(),
        _ => Value::String(value.to_owned()).to_string(),
    }
}

/// `value` without the password of a URL.
fn safe(value: &str) -> String {
    without_password(value).unwrap_or_else(|| "…".to_owned())
}
