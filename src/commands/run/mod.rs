//! Runs the command of a command line, and prints what it says.

mod go_back;
mod printed;
mod reported;

use std::process::ExitCode;

use printed::{Printed, print_report};

use crate::cancellation::Cancellation;
use crate::cli::arguments::{
    BackupArgs, CheckSecretsArgs, Cli, Command, ConvertArgs, FreshArgs, GenerateArgs, InfoArgs,
    InspectArgs, LogArgs, LogFormat, MigrateArgs, PlanArgs, RedirectAction, RedirectArgs,
    ReplacedArgs, SecretsAction, ShowSecretsArgs, SummaryArgs, TargetArgs,
};
use crate::cli::secrets::SecretsSettings;
use crate::cli::settings::{self, Destination, MigrateSettings, owner};
use crate::cli::{configured, help};
use crate::commands::backup::settings::BackupSettings;
use crate::commands::{
    backup, convert, discard, documents, explain, fresh, generate, info, inspect, migrate, plan,
    private, recover, redirect, rollback, secrets, summary,
};
use crate::error::codes::Code;
use crate::error::{Kind, Result};

use crate::input::source::Source;
use crate::output::{Limits, url_in};
use crate::resources::Resources;
use crate::storage::Writing;
use crate::ui::progress::{self, Progress};
use crate::ui::shown::Shown;
use crate::ui::{messages, terminal, tracing_lines};

/// Runs the command that `cli` names. Returns the exit code. `warnings` are about its options; `variables` is the
/// environment.
pub fn run(
    cli: Cli,
    warnings: &[(Code, String)],
    variables: &[(String, String)],
) -> Result<ExitCode> {
    listen(cli.log);
    for (code, warning) in warnings {
        terminal::warn(*code, warning);
    }
    match cli.command {
        None => reported::run_import(cli.import, cli.show_values),
        Some(Command::Backup(arguments)) => run_backup(arguments),
        Some(Command::Info(arguments)) => run_info(&arguments),
        Some(Command::Plan(arguments)) => run_plan(arguments),
        Some(Command::Convert(arguments)) => run_convert(arguments),
        Some(Command::Inspect(arguments)) => run_inspect(arguments),
        Some(Command::Check(arguments)) => reported::run_check(arguments, cli.show_values),
        Some(Command::Verify(arguments)) => reported::run_verify(arguments, cli.show_values),
        Some(Command::Publish(arguments)) => reported::run_publish(arguments, cli.show_values),
        Some(Command::Recover(arguments)) => run_recover(arguments),
        Some(Command::Rollback(arguments)) => run_rollback(arguments),
        Some(Command::Discard(arguments)) => run_discard(arguments),
        Some(Command::Fresh(arguments)) => run_fresh(&arguments),
        Some(Command::Migrate(arguments)) => run_migrate(arguments),
        Some(Command::Generate(arguments)) => run_generate(&arguments),
        Some(Command::Secrets(arguments)) => match arguments.action {
            SecretsAction::Show(arguments) => run_show_secrets(&arguments),
            SecretsAction::Check(arguments) => run_check_secrets(arguments),
        },
        Some(Command::Private(arguments)) => private::run(&arguments).map(|()| ExitCode::SUCCESS),
        Some(Command::Redirect(arguments)) => run_redirect(&arguments),
        Some(Command::Summary(arguments)) => run_summary(&arguments),
        Some(Command::Settings(arguments)) => {
            let command = help::command();
            let file = cli.config.as_deref();
            let list = configured::listed(&command, &arguments.command, file, variables)?;
            terminal::print(&list).map(|()| ExitCode::SUCCESS)
        }
        Some(Command::Explain(arguments)) => {
            explain::run(arguments.code.as_deref()).map(|()| ExitCode::SUCCESS)
        }
        Some(Command::Completions(arguments)) => {
            documents::completions(arguments.shell).map(|()| ExitCode::SUCCESS)
        }
        Some(Command::Man(arguments)) => {
            documents::man(arguments.directory.as_deref()).map(|()| ExitCode::SUCCESS)
        }
    }
}

/// Has messages written as `log` says.
fn listen(log: LogArgs) {
    if log.log_format == LogFormat::Json {
        messages::use_json();
    }
    progress::show_in(log.progress);
    if log.verbose > 0 {
        tracing_lines::listen(log.verbose > 1);
    }
}

fn run_backup(arguments: BackupArgs) -> Result<ExitCode> {
    let settings = BackupSettings::new(arguments, |name| std::env::var(name).ok())?;
    let progress = Progress::new(settings.quiet);
    let made = backup::run(&settings, &progress, &Cancellation::on_signals()?)?;
    drop(progress);
    if made.place.is_none() {
        // Standard output has the archive.
        if !settings.quiet {
            made.to_string().lines().for_each(terminal::say);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let printed = if settings.json {
        Printed::Json(made.to_json())
    } else if settings.quiet {
        Printed::Text(String::new())
    } else {
        Printed::Text(terminal::in_lines(&made.to_string()))
    };
    let hint = "the archive is complete; ci-import inspect shows what is in it";
    print_report(&printed, Ok(()), "the backup is done", hint)?;
    Ok(ExitCode::SUCCESS)
}

fn run_summary(arguments: &SummaryArgs) -> Result<ExitCode> {
    let summary = summary::run(arguments)?;
    if arguments.json {
        terminal::print_json(&summary.to_json())?;
    } else {
        terminal::print(&terminal::in_lines(&summary.to_string()))?;
    }
    Ok(if summary.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(Kind::Failed.exit_code())
    })
}

fn run_info(arguments: &InfoArgs) -> Result<ExitCode> {
    let found = info::run(arguments)?;
    if arguments.json {
        terminal::print_json(&found.to_json())?;
    } else {
        terminal::print(&terminal::in_lines(&found.to_text()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run_plan(arguments: PlanArgs) -> Result<ExitCode> {
    let (json, markdown) = (arguments.json, arguments.markdown);
    let plan = plan::run(
        arguments,
        |name| std::env::var(name).ok(),
        &Cancellation::on_signals()?,
    )?;
    if json {
        terminal::print_json(&plan.to_json())?;
    } else if markdown {
        terminal::print(&plan.to_markdown())?;
    } else {
        terminal::print(&terminal::in_lines(&plan.to_text()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run_convert(arguments: ConvertArgs) -> Result<ExitCode> {
    let policies = settings::policies(arguments.conversion)?;
    let timeout = arguments.archive.storage.timeout();
    let source = Source::named(arguments.archive, |name| std::env::var(name).ok())?;
    let cancellation = Cancellation::on_signals()?;
    let output = arguments.output.as_deref();
    let writing = Writing::within(arguments.memory, arguments.overwrite, timeout);
    let mut reserved = source.reserved_bytes();
    if output.is_some_and(|output| url_in(output).is_some()) {
        reserved += writing.memory_bytes();
    }
    let limits = Limits {
        resources: Resources::beside(reserved, None, arguments.memory)?,
        max_inflation: arguments.inflation.max_inflation,
    };
    let changes = {
        let progress = Progress::new(arguments.quiet);
        convert::run(
            &source,
            (output, &writing),
            &policies,
            &limits,
            &progress,
            &cancellation,
        )?
    };
    if !arguments.quiet {
        // Standard output may contain the dump. The lines are written as such, so their names have no line ends.
        changes.to_string().lines().for_each(terminal::say);
    }
    Ok(ExitCode::SUCCESS)
}

fn run_show_secrets(arguments: &ShowSecretsArgs) -> Result<ExitCode> {
    terminal::print(&secrets::show::run(arguments)?)?;
    Ok(ExitCode::SUCCESS)
}

fn run_check_secrets(arguments: CheckSecretsArgs) -> Result<ExitCode> {
    let settings = SecretsSettings::new(arguments, |name| std::env::var(name).ok())?;
    let cancellation = Cancellation::on_signals()?;
    let report = secrets::check::run(&settings, &Progress::new(false), &cancellation)?;
    if settings.json {
        terminal::print_json(&report.to_json())?;
    } else {
        terminal::print(&terminal::in_lines(&report.to_string()))?;
    }
    report.failure().map_or(Ok(ExitCode::SUCCESS), Err)
}

fn run_recover(target: TargetArgs) -> Result<ExitCode> {
    let destination = Destination::named(target, |name| std::env::var(name).ok())?;
    let recovered = recover::run(&destination, &Progress::new(true))?;
    let told = recovered
        .told()
        .unwrap_or("there is no interrupted publish");
    let hint = "run it again: if nothing is left to do, it says so";
    print_report(
        &Printed::Text(format!("{told}\n")),
        Ok(()),
        "the recovery is done",
        hint,
    )?;
    Ok(ExitCode::SUCCESS)
}

fn run_rollback(arguments: ReplacedArgs) -> Result<ExitCode> {
    let destination = Destination::named(arguments.target, |name| std::env::var(name).ok())?
        .trying(arguments.storage);
    let (progress, cancellation) = (Progress::new(true), Cancellation::on_signals()?);
    let done = rollback::run(&destination, arguments.yes, &progress, &cancellation)?;
    if !arguments.quiet {
        let hint = "do not run it again: a second rollback brings the imported data back";
        print_report(
            &Printed::Text(terminal::in_lines(&done.to_string())),
            Ok(()),
            "the rollback is done",
            hint,
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run_discard(arguments: ReplacedArgs) -> Result<ExitCode> {
    let destination = Destination::named(arguments.target, |name| std::env::var(name).ok())?
        .trying(arguments.storage);
    let (progress, cancellation) = (Progress::new(true), Cancellation::on_signals()?);
    let done = discard::run(&destination, arguments.yes, &progress, &cancellation)?;
    if !arguments.quiet {
        let hint = "it need not run again: the replaced data is removed";
        print_report(
            &Printed::Text(terminal::in_lines(&done.to_string())),
            Ok(()),
            "the discard is done",
            hint,
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run_fresh(arguments: &FreshArgs) -> Result<ExitCode> {
    let cancellation = Cancellation::on_signals()?;
    let builds = &arguments.builds_path;
    settings::refuse_storage(builds, "--builds-path")?;
    let owner = owner(&arguments.owner)?;
    let done = match fresh::run(builds, owner, arguments.yes, &cancellation)? {
        Some(previous) => format!(
            "{} is empty; the old traces are in {previous}\n",
            builds.display()
        ),
        None => format!("{} is empty\n", builds.display()),
    };
    if !arguments.quiet {
        let hint = "it need not run again";
        print_report(
            &Printed::Text(terminal::in_lines(&done)),
            Ok(()),
            "the directory is empty",
            hint,
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run_migrate(arguments: MigrateArgs) -> Result<ExitCode> {
    let settings = MigrateSettings::new(arguments, |name| std::env::var(name).ok())?;
    let progress = Progress::new(settings.quiet);
    let told = migrate::run(&settings, &progress, &Cancellation::on_signals()?)?;
    let printed = if settings.json {
        Printed::Json(told.to_json())
    } else if !settings.quiet || told.was_asked_for() {
        Printed::Text(told.to_string())
    } else {
        Printed::Text(String::new())
    };
    if told.was_asked_for() {
        printed.print()?;
    } else {
        let hint = "ci-import migrate status lists what was done";
        let printed = match printed {
            Printed::Text(text) => Printed::Text(terminal::in_lines(&text)),
            json @ Printed::Json(_) => json,
        };
        print_report(&printed, Ok(()), "the migrations are done", hint)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run_generate(arguments: &GenerateArgs) -> Result<ExitCode> {
    let path = generate::run(&arguments.what)?;
    let done = format!("{} is created", path.display());
    let hint = "it need not run again";
    print_report(
        &Printed::Text(format!("{}\n", Shown(path.display()))),
        Ok(()),
        &done,
        hint,
    )?;
    Ok(ExitCode::SUCCESS)
}

fn run_inspect(arguments: InspectArgs) -> Result<ExitCode> {
    let cancellation = Cancellation::on_signals()?;
    let source = Source::named(arguments.archive, |name| std::env::var(name).ok())?;
    let resources = Resources::beside(source.reserved_bytes(), Some(1), arguments.memory)?;
    let limits = (arguments.inflation.max_inflation, resources.dump);
    let findings = {
        let progress = Progress::new(false);
        inspect::run(
            &source,
            arguments.from_database,
            limits,
            &progress,
            &cancellation,
        )?
    };
    if let Some(path) = &arguments.output {
        findings.write_map(path)?;
        let shown = path.display();
        terminal::say(&format!(
            "ci-import: the mapping file is written; the import takes it by --map {shown}"
        ));
        return Ok(ExitCode::SUCCESS);
    }
    match (arguments.suggest, arguments.json) {
        (false, false) => terminal::print(&terminal::in_lines(&findings.to_text()))?,
        (false, true) => terminal::print_json(&findings.to_json())?,
        (true, false) => {
            terminal::print(&terminal::in_lines(&findings.suggestions_to_text()))?;
        }
        (true, true) => terminal::print_json(&findings.suggestions_to_json())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn run_redirect(arguments: &RedirectArgs) -> Result<ExitCode> {
    let Some(RedirectAction::Check(arguments)) = &arguments.action else {
        return redirect::write(arguments).map(|()| ExitCode::SUCCESS);
    };
    let findings = redirect::check::run(arguments)?;
    if arguments.json {
        terminal::print_json(&findings.to_json())?;
    } else {
        terminal::print(&terminal::in_lines(&findings.to_string()))?;
    }
    Ok(if findings.works() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(Kind::Failed.exit_code())
    })
}
