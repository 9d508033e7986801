//! Runs the commands that have a report: on standard output, and in files.

use std::process::ExitCode;

use super::go_back::{Target, commands};
use super::printed::{Printed, print_report};
use crate::cancellation::Cancellation;
use crate::cli::arguments::{
    ArchiveArgs, CheckArgs, ImportArgs, PublishArgs, ReportArgs, StorageArgs, TellingArgs,
    VerifyArgs,
};
use crate::cli::guesses;
use crate::cli::settings::{CheckSettings, PublishSettings, Settings, VerifySettings};
use crate::commands::import::report::Report;
use crate::commands::import::{AlreadyLive, Imported};
use crate::commands::{check, import, publish, verify};
use crate::error::codes::Code;
use crate::error::{DATA_CHANGED, Error, Kind, Result};
use crate::input::source::shown;
use crate::output::report::{Command, Ended, Outcome, Reports, Subject};
use crate::storage::Writing;
use crate::ui::progress::Progress;
use crate::ui::terminal;
use crate::ui::times::PartTime;

/// Looks up a variable of the environment.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// How reports that are objects are written.
fn writing(files: &ReportArgs, storage: StorageArgs) -> Writing {
    Writing::within(None, files.overwrite, storage.timeout())
}

/// Warns of variables that mean something to GitLab's tasks, but nothing here.
fn warn_of_ignored(mysql_to_postgresql: bool) {
    for warning in guesses::ignored(mysql_to_postgresql, variable) {
        terminal::warn(Code::VariableNotRead, &warning);
    }
}

/// Runs the import.
pub(super) fn run_import(mut arguments: ImportArgs, shows_values: bool) -> Result<ExitCode> {
    let files = std::mem::take(&mut arguments.reports);
    let telling = arguments.telling;
    let input = Some(&arguments.archive);
    let writing = writing(&files, arguments.archive.storage);
    let target = Target::of(&arguments.target);
    let files = (files, writing);
    let reporting = Reporting::begin(Command::Import, input, &target, files, shows_values)?;
    let ((imported, is_strict), parts) = reporting.run(telling.quiet, |progress| {
        let settings = Settings::new(arguments, variable)?;
        if !settings.quiet {
            warn_of_ignored(settings.mysql_to_postgresql);
        }
        let imported = import::run(&settings, progress, &Cancellation::on_signals()?)?;
        Ok((imported, settings.strict))
    })?;
    match imported {
        Imported::Now(report) => published(&report, telling, is_strict, &target, &reporting),
        Imported::Before(live) => already_live(&live, telling, parts, &reporting),
    }
}

/// Tells of an import whose input was live before.
fn already_live(
    live: &AlreadyLive,
    telling: TellingArgs,
    parts: Vec<PartTime>,
    reporting: &Reporting,
) -> Result<ExitCode> {
    let printed = if telling.json {
        Printed::Json(live.to_json())
    } else if telling.quiet {
        Printed::Text(String::new())
    } else {
        Printed::Text(terminal::in_lines(&live.to_string()))
    };
    let written = reporting.files.write(|| Ended {
        parts,
        result: Some(live.to_json()),
        ..Ended::with(Outcome::AlreadyLive, 0)
    });
    let hint = "nothing was changed: the input was live already";
    print_report(&printed, written, "nothing was to be done", hint)?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `publish`.
pub(super) fn run_publish(mut arguments: PublishArgs, shows_values: bool) -> Result<ExitCode> {
    let files = std::mem::take(&mut arguments.reports);
    let telling = arguments.telling;
    let writing = writing(&files, arguments.storage);
    let target = Target::of(&arguments.target);
    let files = (files, writing);
    let reporting = Reporting::begin(Command::Publish, None, &target, files, shows_values)?;
    let ((report, is_strict), _) = reporting.run(telling.quiet, |progress| {
        let settings = PublishSettings::new(arguments, variable)?;
        publish::run(&settings, progress, &Cancellation::on_signals()?)
    })?;
    published(&report, telling, is_strict, &target, &reporting)
}

/// Tells of an import, or of a publish of what an import has kept.
fn published(
    report: &Report,
    telling: TellingArgs,
    is_strict: bool,
    target: &Target,
    reporting: &Reporting,
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
    let written = reporting.files.write(|| Ended {
        parts: report.parts().to_vec(),
        tables: report.table_times(),
        go_back: if report.has_replaced() {
            commands(target)
        } else {
            Vec::new()
        },
        result: Some(report.to_json()),
        ..Ended::with(outcome, code)
    });
    let hint = "do not import again; ci-import verify compares the target with the archive";
    print_report(&printed, written, "the import was published", hint)?;
    Ok(ExitCode::from(code))
}

/// Runs `check`.
pub(super) fn run_check(mut arguments: CheckArgs, shows_values: bool) -> Result<ExitCode> {
    let files = std::mem::take(&mut arguments.reports);
    let json = arguments.json;
    let input = Some(&arguments.archive);
    let writing = writing(&files, arguments.archive.storage);
    let target = Target::of(&arguments.target);
    let files = (files, writing);
    let reporting = Reporting::begin(Command::Check, input, &target, files, shows_values)?;
    let (mut checks, parts) = reporting.run(false, |progress| {
        let settings = CheckSettings::new(arguments, variable)?;
        warn_of_ignored(settings.mysql_to_postgresql);
        check::run(&settings, progress, &Cancellation::on_signals()?)
    })?;
    checks.show_values = shows_values;
    let (outcome, code) = match checks.failure() {
        None => (Outcome::Done, 0),
        Some(kind) => (Outcome::NotReady, kind.exit_code()),
    };
    let written = reporting.files.write(|| Ended {
        parts,
        result: Some(checks.to_json()),
        ..Ended::with(outcome, code)
    });
    if json {
        terminal::print_json(&checks.to_json())?;
    } else {
        terminal::print(&terminal::in_lines(&checks.to_string()))?;
    }
    written.map(|()| ExitCode::from(code))
}

/// Runs `verify`.
pub(super) fn run_verify(mut arguments: VerifyArgs, shows_values: bool) -> Result<ExitCode> {
    let files = std::mem::take(&mut arguments.reports);
    let TellingArgs { quiet, json } = arguments.telling;
    let input = Some(&arguments.archive);
    let writing = writing(&files, arguments.archive.storage);
    let target = Target::of(&arguments.target);
    let files = (files, writing);
    let reporting = Reporting::begin(Command::Verify, input, &target, files, shows_values)?;
    let (findings, parts) = reporting.run(quiet, |progress| {
        let settings = VerifySettings::new(arguments, variable)?;
        verify::run(&settings, progress, &Cancellation::on_signals()?)
    })?;
    let (outcome, code) = if findings.agree() {
        (Outcome::Done, 0)
    } else {
        (Outcome::Differs, Kind::Failed.exit_code())
    };
    let written = reporting.files.write(|| Ended {
        parts,
        result: Some(findings.to_json()),
        ..Ended::with(outcome, code)
    });
    if json {
        terminal::print_json(&findings.to_json())?;
    } else if !quiet {
        terminal::print(&terminal::in_lines(&findings.to_string()))?;
    }
    written?;
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
        input: Option<&ArchiveArgs>,
        target: &Target,
        (files, writing): (ReportArgs, Writing),
        shows_values: bool,
    ) -> Result<Reporting> {
        let names = input.iter().flat_map(|input| &input.archive);
        let names: Vec<String> = names.map(|path| shown(path)).collect();
        let subject = Subject {
            input: names.join(" "),
            target: target.shown(),
        };
        Ok(Reporting {
            files: Reports::of(command, subject, files.report, writing)?,
            shows_values,
        })
    }

    /// Does the work, and shows its progress unless it is `quiet`. Returns what came of it, and when its parts began and
    /// ended. A failure is reported; that the report of it cannot be written is told only: the failure is what matters.
    fn run<T>(
        &self,
        quiet: bool,
        work: impl FnOnce(&Progress) -> Result<T>,
    ) -> Result<(T, Vec<PartTime>)> {
        let progress = Progress::new(quiet);
        let done = work(&progress);
        let parts = progress.times();
        drop(progress);
        let error = match done {
            Ok(done) => return Ok((done, parts)),
            Err(error) => error,
        };
        let written = self.files.write(|| Ended {
            error: Some((&error, self.shows_values)),
            parts,
            ..Ended::with(Outcome::Failed, error.kind().exit_code())
        });
        if let Err(cause) = written {
            terminal::warn(
                Code::ReportMissing,
                &format!("the report is missing: {cause}"),
            );
        }
        Err(error)
    }
}
