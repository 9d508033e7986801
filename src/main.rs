//! The program `ci-import`: reads the arguments, runs the command and tells why it failed.

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::error::{ContextKind, ContextValue};

use ci_import::cli::arguments::Cli;
use ci_import::cli::configured::{Configured, configured};
use ci_import::cli::{guesses, help};
use ci_import::commands::run::run;
use ci_import::error::{Doing, Error, Kind, Result};
use ci_import::input::source::refuse_url;
use ci_import::resources::heap;
use ci_import::storage::{clean_up_after, watchdog};
use ci_import::ui::terminal;

fn main() -> ExitCode {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == watchdog::COMMAND)
    {
        return clean_up_after();
    }
    watchdog::enable();
    heap::give_large_blocks_back();
    let (done, show_values) = parse_and_run();
    match done {
        Ok(code) => code,
        Err(error) => {
            let told = error.told(show_values);
            let mut hints: Vec<&str> = error.hint_text().into_iter().collect();
            if error.withheld().is_some() && !show_values {
                hints.push("--show-values shows more, with values of rows");
            }
            terminal::fail(&told, error.list(), &hints, error.kind());
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// The result of the command, and whether values of rows may be shown.
fn parse_and_run() -> (Result<ExitCode>, bool) {
    let command = help::command();
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let variables: Vec<(String, String)> = variables.collect();
    let configured = match configured(&command, std::env::args_os().collect(), &variables) {
        Ok(configured) => configured,
        Err(error) => return (Err(error), false),
    };
    let parsed = command.try_get_matches_from(&configured.arguments);
    match parsed.and_then(|found| Cli::from_arg_matches(&found)) {
        Ok(cli) => {
            let show_values = cli.show_values;
            (run(cli, &configured.warnings, &variables), show_values)
        }
        Err(error) => (not_parsed(&error, &configured), false),
    }
}

/// The error if an argument by itself is the URL of a database, as with pgloader.
fn url_as_input() -> Option<Error> {
    let arguments: Vec<String> = std::env::args().collect();
    let mut pairs = arguments.windows(2);
    pairs.find_map(|pair| {
        let is_value = pair[0].starts_with('-');
        refuse_url(&pair[1]).filter(|_| !is_value)
    })
}

/// Prints what the parser wants to say: the help, the version, or what is wrong.
fn not_parsed(error: &clap::Error, all: &Configured) -> Result<ExitCode> {
    if error.use_stderr() {
        let argument = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(argument)) => Some(argument.clone()),
            _ => None,
        };
        if let Some(refused) = url_as_input() {
            return Err(refused);
        }
        let _ = error.print();
        let origin = argument.as_deref();
        let origin = origin.and_then(|argument| all.origin_of(argument));
        if let Some(origin) = origin {
            terminal::say(&format!("hint: it comes from {origin}"));
            return Ok(ExitCode::from(Kind::Usage.exit_code()));
        }
        // The parser takes force=yes for a command, and does not say so.
        let assignments = std::env::args().filter(|argument| !argument.starts_with('-'));
        let mut suspects = argument.into_iter().chain(assignments);
        if let Some(hint) = suspects.find_map(|argument| guesses::hint_for(&argument)) {
            terminal::say(&format!("hint: {hint}"));
        }
        return Ok(ExitCode::from(Kind::Usage.exit_code()));
    }
    match error.print() {
        Err(cause) if cause.kind() != ErrorKind::BrokenPipe => {
            Err(cause).doing("write to standard output")
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
