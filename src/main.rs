//! The program `ci-import`: reads the arguments, runs the command and prints its result.

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::error::{ContextKind, ContextValue};

use ci_import::cancellation::Cancellation;
use ci_import::cli::arguments::{
    BackupArgs, CheckArgs, CheckSecretsArgs, Cli, Command, ConvertArgs, FreshArgs, GenerateArgs,
    InfoArgs, InspectArgs, MigrateArgs, PlanArgs, PublishArgs, RedirectAction, RedirectArgs,
    ReplacedArgs, SecretsAction, ShowSecretsArgs, TargetArgs, TellingArgs, VerifyArgs,
};
use ci_import::cli::secrets::SecretsSettings;
use ci_import::cli::settings::{
    self, CheckSettings, Destination, MigrateSettings, PublishSettings, Settings, VerifySettings,
    owner,
};
use ci_import::cli::{guesses, help};
use ci_import::commands::backup::settings::BackupSettings;
use ci_import::commands::import::report::Report;
use ci_import::commands::{
    backup, check, convert, discard, documents, fresh, generate, import, info, inspect, migrate,
    plan, private, publish, recover, redirect, rollback, secrets, verify,
};
use ci_import::error::{DATA_CHANGED, Doing, Error, Kind, Result};

use ci_import::input::source::{Source, refuse_url};
use ci_import::output::Limits;
use ci_import::resources::{Resources, heap};
use ci_import::ui::progress::Progress;
use ci_import::ui::shown::Shown;
use ci_import::ui::terminal;

fn main() -> ExitCode {
    heap::give_large_blocks_back();
    let parsed = help::command().try_get_matches();
    let (done, show_values) = match parsed.and_then(|found| Cli::from_arg_matches(&found)) {
        Ok(cli) => {
            let show_values = cli.show_values;
            (run(cli), show_values)
        }
        Err(error) => (not_parsed(&error), false),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            let told = error.told(show_values);
            terminal::say(&format!("ci-import: error: {told}"));
            error.list().iter().for_each(|line| terminal::say(line));
            if let Some(hint) = error.hint_text() {
                terminal::say(&format!("hint: {hint}"));
            }
            if error.withheld().is_some() && !show_values {
                terminal::say("hint: --show-values shows more, with values of rows");
            }
            ExitCode::from(error.kind().exit_code())
        }
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
fn not_parsed(error: &clap::Error) -> Result<ExitCode> {
    if error.use_stderr() {
        let argument = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(argument)) => Some(argument.clone()),
            _ => None,
        };
        if let Some(refused) = url_as_input() {
            return Err(refused);
        }
        let _ = error.print();
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

fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        None => run_import(cli),
        Some(Command::Backup(arguments)) => run_backup(arguments),
        Some(Command::Info(arguments)) => run_info(&arguments),
        Some(Command::Plan(arguments)) => run_plan(arguments),
        Some(Command::Convert(arguments)) => run_convert(arguments),
        Some(Command::Inspect(arguments)) => run_inspect(arguments),
        Some(Command::Check(arguments)) => run_check(arguments, cli.show_values),
        Some(Command::Verify(arguments)) => run_verify(arguments),
        Some(Command::Publish(arguments)) => run_publish(arguments),
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
        Some(Command::Completions(arguments)) => {
            documents::completions(arguments.shell).map(|()| ExitCode::SUCCESS)
        }
        Some(Command::Man(arguments)) => {
            documents::man(arguments.directory.as_deref()).map(|()| ExitCode::SUCCESS)
        }
    }
}

/// What is printed to standard output.
enum Printed {
    Text(String),
    Json(serde_json::Value),
}

impl Printed {
    fn print(&self) -> Result<()> {
        match self {
            Printed::Text(text) => terminal::print(text),
            Printed::Json(json) => terminal::print_json(json),
        }
    }
}

/// Prints the report of a command that changed something. If that fails, the change is done all the same: the
/// error says so first, with `done`, and gives `hint`.
fn print_report(report: &Printed, done: &str, hint: &str) -> Result<()> {
    report.print().map_err(|error| {
        Error::failed(format!("{done}; only the report is missing: {error}"))
            .caused_by(error)
            .hint(hint)
    })
}

/// Warns of variables that mean something to GitLab's tasks, but nothing here.
fn warn_of_ignored(mysql_to_postgresql: bool) {
    let ignored = guesses::ignored(mysql_to_postgresql, |name| std::env::var(name).ok());
    for warning in ignored {
        terminal::warn(&warning);
    }
}

fn run_import(cli: Cli) -> Result<ExitCode> {
    let settings = Settings::new(cli.import, |name| std::env::var(name).ok())?;
    if !settings.quiet {
        warn_of_ignored(settings.mysql_to_postgresql);
    }
    let progress = Progress::new(settings.quiet);
    let cancellation = Cancellation::on_signals()?;
    let report = import::run(&settings, &progress, &cancellation)?;
    drop(progress);
    print_published(&report, settings.json, settings.quiet, settings.strict)
}

fn run_publish(arguments: PublishArgs) -> Result<ExitCode> {
    let settings = PublishSettings::new(arguments, |name| std::env::var(name).ok())?;
    let progress = Progress::new(settings.quiet);
    let cancellation = Cancellation::on_signals()?;
    let (report, is_strict) = publish::run(&settings, &progress, &cancellation)?;
    drop(progress);
    print_published(&report, settings.json, settings.quiet, is_strict)
}

/// Prints the report of an import, or of a publish of what an import has kept.
fn print_published(
    report: &Report,
    in_json: bool,
    is_quiet: bool,
    is_strict: bool,
) -> Result<ExitCode> {
    let printed = if in_json {
        Printed::Json(report.to_json())
    } else if is_quiet {
        Printed::Text(String::new())
    } else {
        Printed::Text(terminal::in_lines(&report.to_string()))
    };
    let hint = "do not import again; ci-import verify compares the target with the archive";
    print_report(&printed, "the import was published", hint)?;
    Ok(if is_strict && report.has_changes() {
        ExitCode::from(DATA_CHANGED)
    } else {
        ExitCode::SUCCESS
    })
}

fn run_backup(arguments: BackupArgs) -> Result<ExitCode> {
    let settings = BackupSettings::new(arguments, |name| std::env::var(name).ok())?;
    let progress = Progress::new(settings.quiet);
    let made = backup::run(&settings, &progress, &Cancellation::on_signals()?)?;
    drop(progress);
    if made.path.is_none() {
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
    let hint = "the archive is in the folder; ci-import inspect shows what is in it";
    print_report(&printed, "the backup is done", hint)?;
    Ok(ExitCode::SUCCESS)
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
    let source = Source::named(
        arguments.archive.archive,
        arguments.archive.backup,
        |name| std::env::var(name).ok(),
    )?;
    let cancellation = Cancellation::on_signals()?;
    let output = arguments.output.as_deref();
    let limits = Limits {
        resources: Resources::new(None, arguments.memory)?,
        max_inflation: arguments.inflation.max_inflation,
    };
    let changes = {
        let progress = Progress::new(arguments.quiet);
        convert::run(
            &source,
            output,
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

fn run_check(arguments: CheckArgs, show_values: bool) -> Result<ExitCode> {
    let json = arguments.json;
    let settings = CheckSettings::new(arguments, |name| std::env::var(name).ok())?;
    warn_of_ignored(settings.mysql_to_postgresql);
    let mut checks = check::run(
        &settings,
        &Progress::new(false),
        &Cancellation::on_signals()?,
    )?;
    checks.show_values = show_values;
    if json {
        terminal::print_json(&checks.to_json())?;
    } else {
        terminal::print(&terminal::in_lines(&checks.to_string()))?;
    }
    let code = checks
        .failure()
        .map(|kind| ExitCode::from(kind.exit_code()));
    Ok(code.unwrap_or(ExitCode::SUCCESS))
}

fn run_verify(arguments: VerifyArgs) -> Result<ExitCode> {
    let TellingArgs { quiet, json } = arguments.telling;
    let settings = VerifySettings::new(arguments, |name| std::env::var(name).ok())?;
    let cancellation = Cancellation::on_signals()?;
    let findings = verify::run(&settings, &Progress::new(quiet), &cancellation)?;
    if json {
        terminal::print_json(&findings.to_json())?;
    } else if !quiet {
        terminal::print(&terminal::in_lines(&findings.to_string()))?;
    }
    if findings.agree() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Error::failed("the target differs from the archive"))
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
        "the recovery is done",
        hint,
    )?;
    Ok(ExitCode::SUCCESS)
}

fn run_rollback(arguments: ReplacedArgs) -> Result<ExitCode> {
    let destination = Destination::named(arguments.target, |name| std::env::var(name).ok())?;
    let (progress, cancellation) = (Progress::new(true), Cancellation::on_signals()?);
    let done = rollback::run(&destination, arguments.yes, &progress, &cancellation)?;
    if !arguments.quiet {
        let hint = "do not run it again: a second rollback brings the imported data back";
        print_report(
            &Printed::Text(terminal::in_lines(&done.to_string())),
            "the rollback is done",
            hint,
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run_discard(arguments: ReplacedArgs) -> Result<ExitCode> {
    let destination = Destination::named(arguments.target, |name| std::env::var(name).ok())?;
    let (progress, cancellation) = (Progress::new(true), Cancellation::on_signals()?);
    let done = discard::run(&destination, arguments.yes, &progress, &cancellation)?;
    if !arguments.quiet {
        let hint = "it need not run again: the replaced data is removed";
        print_report(
            &Printed::Text(terminal::in_lines(&done.to_string())),
            "the discard is done",
            hint,
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run_fresh(arguments: &FreshArgs) -> Result<ExitCode> {
    let cancellation = Cancellation::on_signals()?;
    let builds = &arguments.builds_path;
    let owner = owner(&arguments.owner)?;
    let done = match fresh::run(builds, owner, arguments.yes, &cancellation)? {
        Some(previous) => format!(
            "{} is empty; the old traces are in {}\n",
            builds.display(),
            previous.display()
        ),
        None => format!("{} is empty\n", builds.display()),
    };
    if !arguments.quiet {
        let hint = "it need not run again";
        print_report(
            &Printed::Text(terminal::in_lines(&done)),
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
        print_report(&printed, "the migrations are done", hint)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run_generate(arguments: &GenerateArgs) -> Result<ExitCode> {
    let path = generate::run(&arguments.what)?;
    let done = format!("{} is created", path.display());
    let hint = "it need not run again";
    print_report(
        &Printed::Text(format!("{}\n", Shown(path.display()))),
        &done,
        hint,
    )?;
    Ok(ExitCode::SUCCESS)
}

fn run_inspect(arguments: InspectArgs) -> Result<ExitCode> {
    let cancellation = Cancellation::on_signals()?;
    let source = Source::named(
        arguments.archive.archive,
        arguments.archive.backup,
        |name| std::env::var(name).ok(),
    )?;
    let resources = Resources::new(Some(1), arguments.memory)?;
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
