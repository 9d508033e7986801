//! Runs the commands that have a report: on standard output, and in files.

use std::path::PathBuf;
use std::process::ExitCode;

use super::go_back::{Target, commands};
use super::printed::{Printed, print_report};
use crate::cancellation::Cancellation;
use crate::cli::arguments::{
    ArchiveArgs, CheckArgs, ImportArgs, PublishArgs, TellingArgs, VerifyArgs,
};
use crate::cli::guesses;
use crate::cli::settings::{CheckSettings, PublishSettings, Settings, VerifySettings};
use crate::commands::import::report::Report;
use crate::commands::{check, import, publish, verify};
use crate::error::{DATA_CHANGED, Error, Kind, Result};
use crate::output::report::{Command, Ended, Outcome, Reports, Subject};
use crate::ui::progress::Progress;
use crate::ui::terminal;
use crate::ui::times::PartTime;

/// Looks up a variable of the environment.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Warns of variables that mean something to GitLab's tasks, but nothing here.
fn warn_of_ignored(mysql_to_postgresql: bool) {
    for warning in guesses::ignored(mysql_to_postgresql, variable) {
        terminal::warn(&warning);
    }
}

/// Runs the import.
pub(super) fn run_import(mut arguments: ImportArgs, shows_values: bool) -> Result<ExitCode> {
    let files = std::mem::take(&mut arguments.reports.report);
    let telling = arguments.telling;
    let target = Target::of(&arguments.target);
    let reports = Reporting::begin(
        Command::Import,
        (Some(&arguments.archive), &target),
        files,
        shows_values,
    )?;
    let progress = Progress::new(telling.quiet);
    let imported = import(arguments, &progress);
    let parts = progress.times();
    drop(progress);
    let (report, is_strict) = reports.or_failure(imported, &parts)?;
    published(&report, telling, is_strict, &target, &reports)
}

fn import(arguments: ImportArgs, progress: &Progress) -> Result<(Report, bool)> {
    let settings = Settings::new(arguments, variable)?;
    if !settings.quiet {
        warn_of_ignored(settings.mysql_to_postgresql);
    }
    let report = import::run(&settings, progress, &Cancellation::on_signals()?)?;
    Ok((report, settings.strict))
}

/// Runs `publish`.
pub(super) fn run_publish(mut arguments: PublishArgs, shows_values: bool) -> Result<ExitCode> {
    let files = std::mem::take(&mut arguments.reports.report);
    let telling = arguments.telling;
    let target = Target::of(&arguments.target);
    let reports = Reporting::begin(Command::Publish, (None, &target), files, shows_values)?;
    let progress = Progress::new(telling.quiet);
    let done = PublishSettings::new(arguments, variable)
        .and_then(|settings| publish::run(&settings, &progress, &Cancellation::on_signals()?));
    let parts = progress.times();
    drop(progress);
    let (report, is_strict) = reports.or_failure(done, &parts)?;
    published(&report, telling, is_strict, &target, &reports)
}

/// Tells of an import, or of a publish of what an import has kept.
fn published(
    report: &Report,
    telling: TellingArgs,
    is_strict: bool,
    target: &Target,
    reports: &Reporting,
) -> Result<ExitCode> {
    let printed = if telling.json {
        Printed::Json(report.to_json())
    } else if telling.quiet {
        Printed::Text(String::new())
    } else {
        Printed::Text(terminal::in_lines(&report.to_string()))
    };
    let (outcome, code) = if is_strict && report.has_changes() {
        (Outcome::Changed, DATA_CHANGED)
    } else {
        (Outcome::Done, 0)
    };
    let written = reports.files.write(|| Ended {
        outcome,
        exit_code: code,
        error: None,
        shows_values: reports.shows_values,
        parts: report.parts().to_vec(),
        tables: report.table_times(),
        go_back: if report.has_replaced() {
            commands(target)
        } else {
            Vec::new()
        },
        result: Some(report.to_json()),
    });
    let hint = "do not import again; ci-import verify compares the target with the archive";
    print_report(&printed, written, "the import was published", hint)?;
    Ok(ExitCode::from(code))
}

/// Runs `check`.
pub(super) fn run_check(mut arguments: CheckArgs, shows_values: bool) -> Result<ExitCode> {
    let files = std::mem::take(&mut arguments.reports.report);
    let json = arguments.json;
    let target = Target::of(&arguments.target);
    let reports = Reporting::begin(
        Command::Check,
        (Some(&arguments.archive), &target),
        files,
        shows_values,
    )?;
    let progress = Progress::new(false);
    let checked = CheckSettings::new(arguments, variable).and_then(|settings| {
        warn_of_ignored(settings.mysql_to_postgresql);
        check::run(&settings, &progress, &Cancellation::on_signals()?)
    });
    let parts = progress.times();
    drop(progress);
    let mut checks = reports.or_failure(checked, &parts)?;
    checks.show_values = shows_values;
    let (outcome, code) = match checks.failure() {
        None => (Outcome::Done, 0),
        Some(kind) => (Outcome::NotReady, kind.exit_code()),
    };
    if json {
        terminal::print_json(&checks.to_json())?;
    } else {
        terminal::print(&terminal::in_lines(&checks.to_string()))?;
    }
    reports.files.write(|| Ended {
        outcome,
        exit_code: code,
        error: None,
        shows_values,
        parts,
        tables: Vec::new(),
        go_back: Vec::new(),
        result: Some(checks.to_json()),
    })?;
    Ok(ExitCode::from(code))
}

/// Runs `verify`.
pub(super) fn run_verify(mut arguments: VerifyArgs, shows_values: bool) -> Result<ExitCode> {
    let files = std::mem::take(&mut arguments.reports.report);
    let TellingArgs { quiet, json } = arguments.telling;
    let target = Target::of(&arguments.target);
    let reports = Reporting::begin(
        Command::Verify,
        (Some(&arguments.archive), &target),
        files,
        shows_values,
    )?;
    let progress = Progress::new(quiet);
    let compared = VerifySettings::new(arguments, variable)
        .and_then(|settings| verify::run(&settings, &progress, &Cancellation::on_signals()?));
    let parts = progress.times();
    drop(progress);
    let findings = reports.or_failure(compared, &parts)?;
    if json {
        terminal::print_json(&findings.to_json())?;
    } else if !quiet {
        terminal::print(&terminal::in_lines(&findings.to_string()))?;
    }
    let (outcome, code) = if findings.agree() {
        (Outcome::Done, 0)
    } else {
        (Outcome::Differs, Kind::Failed.exit_code())
    };
    reports.files.write(|| Ended {
        outcome,
        exit_code: code,
        error: None,
        shows_values,
        parts,
        tables: Vec::new(),
        go_back: Vec::new(),
        result: Some(findings.to_json()),
    })?;
    if findings.agree() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Error::failed("the target differs from the archive"))
}

/// The files of reports, and what they may show.
struct Reporting {
    files: Reports,
    shows_values: bool,
}

impl Reporting {
    /// Of `command`, for an `input` and the `target`.
    fn begin(
        command: Command,
        (input, target): (Option<&ArchiveArgs>, &Target),
        files: Vec<PathBuf>,
        shows_values: bool,
    ) -> Result<Reporting> {
        let names = input.iter().flat_map(|input| &input.archive);
        let names: Vec<String> = names.map(|path| path.display().to_string()).collect();
        let subject = Subject {
            input: names.join(" "),
            target: target.shown(),
        };
        Ok(Reporting {
            files: Reports::of(command, subject, files)?,
            shows_values,
        })
    }

    /// Reports a failure. That the report of it cannot be written is told only: the failure is what matters.
    fn or_failure<T>(&self, result: Result<T>, parts: &[PartTime]) -> Result<T> {
        let Err(error) = &result else {
            return result;
        };
        let written = self.files.write(|| Ended {
            outcome: Outcome::Failed,
            exit_code: error.kind().exit_code(),
            error: Some(error),
            shows_values: self.shows_values,
            parts: parts.to_vec(),
            tables: Vec::new(),
            go_back: Vec::new(),
            result: None,
        });
        if let Err(cause) = written {
            terminal::warn(&format!("the report is missing: {cause}"));
        }
        result
    }
}
