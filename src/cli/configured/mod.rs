//! Options that are not typed: from variables `CI_IMPORT_…` of the environment, and from the file of `--config`.
//!
//! What is typed wins over the environment, and that wins over the file. An option that excludes one of more weight is
//! left out. What is found is added to the arguments as if it had been typed, so everything is checked as typed
//! options are.

mod file;
mod found;
mod listed;
mod setting;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgMatches, Command};

use crate::error::Result;
use crate::error::codes::Code;
use file::ConfigFile;
use found::{PREFIX, found, named_file, variable_name};
pub use listed::listed;
use setting::{CONFIG, options};
pub use setting::{Origin, Setting};

/// The arguments with what is configured.
#[derive(Debug)]
pub struct Configured {
    /// The arguments.
    pub arguments: Vec<OsString>,
    /// What was added to those that were typed.
    pub settings: Vec<Setting>,
    /// What the user should know about it.
    pub warnings: Vec<(Code, String)>,
}

impl Configured {
    /// Where the option comes from that clap calls `shown`: `--jobs <N>`.
    #[must_use]
    pub fn origin_of(&self, shown: &str) -> Option<&Origin> {
        let name = shown.split([' ', '=']).next()?.strip_prefix("--")?;
        let mut settings = self.settings.iter();
        settings.find(|it| it.long == name).map(|it| &it.origin)
    }
}

/// Adds what is configured to the arguments that were `typed`, the program's name first. `variables` are the environment's.
pub fn configured(
    command: &Command,
    typed: Vec<OsString>,
    variables: &[(String, String)],
) -> Result<Configured> {
    let mut all = Configured {
        arguments: typed,
        settings: Vec::new(),
        warnings: Vec::new(),
    };
    if !may_be_configured(&all.arguments, variables) {
        return Ok(all);
    }
    // What is wrong with what was typed is told when all is parsed.
    let lenient = command.clone().ignore_errors(true);
    let Ok(matches) = lenient.try_get_matches_from(&all.arguments) else {
        return Ok(all);
    };
    let mut built = command.clone();
    built.build();
    let (path, leaf, leaf_matches) = leaf(&built, &matches);
    let file = config_file(leaf_matches, variables)?;
    if let Some(file) = &file {
        file.check(&built)?;
        let warning = file.warning();
        all.warnings
            .extend(warning.map(|it| (Code::SettingsReadable, it)));
    }
    let misspelt = misspelt(&built, variables).into_iter();
    all.warnings
        .extend(misspelt.map(|it| (Code::VariableNotRead, it)));
    all.settings = found(leaf, &path, Some(leaf_matches), variables, file.as_ref())?;
    let at = place_after(&all.arguments, &path);
    let added = all.settings.iter().flat_map(Setting::arguments);
    let added: Vec<OsString> = added.map(OsString::from).collect();
    all.arguments.splice(at..at, added);
    Ok(all)
}

/// Whether something may be configured. Without any arguments the program shows its help.
fn may_be_configured(typed: &[OsString], variables: &[(String, String)]) -> bool {
    let option = format!("--{CONFIG}");
    let mut words = typed.iter().map(|word| word.as_encoded_bytes());
    let has_file = words.any(|word| word.starts_with(option.as_bytes()));
    let has_variable = variables.iter().any(|(name, _)| name.starts_with(PREFIX));
    typed.len() > 1 && (has_file || has_variable)
}

/// The innermost command that was typed: its names, itself, and what was typed of it.
fn leaf<'a>(
    command: &'a Command,
    matches: &'a ArgMatches,
) -> (Vec<&'a str>, &'a Command, &'a ArgMatches) {
    let (mut path, mut command, mut matches) = (Vec::new(), command, matches);
    while let Some((name, inner)) = matches.subcommand() {
        let Some(found) = command.find_subcommand(name) else {
            break;
        };
        path.push(name);
        (command, matches) = (found, inner);
    }
    (path, command, matches)
}

/// The position after the names of the command.
fn place_after(typed: &[OsString], path: &[&str]) -> usize {
    let mut at = 1;
    for name in path {
        let found = typed[at..].iter().position(|word| word == name);
        at += found.map_or(0, |found| found + 1);
    }
    at
}

fn config_file(matches: &ArgMatches, variables: &[(String, String)]) -> Result<Option<ConfigFile>> {
    let typed = matches.try_get_one::<PathBuf>(CONFIG).ok().flatten();
    named_file(typed.map(PathBuf::as_path), variables)
}

/// Warnings of variables that are called nearly as that of an option.
fn misspelt(command: &Command, variables: &[(String, String)]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut waiting = vec![command];
    while let Some(command) = waiting.pop() {
        names.extend(options(command).map(|(_, long)| variable_name(long)));
        waiting.extend(command.get_subcommands());
    }
    names.push(variable_name(CONFIG));
    let ours = variables.iter().map(|(name, _)| name);
    let unknown = ours.filter(|name| name.starts_with(PREFIX) && !names.contains(name));
    unknown
        .filter_map(|name| {
            let distance = |known: &String| strsim::damerau_levenshtein(name, known);
            let near = names.iter().min_by_key(|known| distance(known))?;
            (distance(near) <= 2)
                .then(|| format!("{name} of the environment is not read; perhaps {near} is meant"))
        })
        .collect()
}

#[cfg(test)]
mod tests;
