//! `ci-import`: the program. What happens, readable in one look.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;

use ci_import::cli::{Cli, Command, PrivateAction, PrivateArgs};
use ci_import::error::{Doing, Error, Result};
use ci_import::halt::Halt;
use ci_import::import;
use ci_import::private_server::PrivateServer;
use ci_import::progress::Progress;
use ci_import::settings::Settings;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        None => run_import(cli),
        Some(Command::Private(arguments)) => look_after_private(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ci-import: error: {error}");
            if let Some(hint) = error.hint_text() {
                eprintln!("hint: {hint}");
            }
            ExitCode::from(error.kind().exit_code())
        }
    }
}

fn run_import(cli: Cli) -> Result<()> {
    let settings = Settings::new(cli.import, |name| std::env::var(name).ok())?;
    let progress = Progress::new(settings.quiet);
    let halt = Halt::on_signals()?;
    let report = import::run(&settings, &progress, &halt)?;
    if !settings.quiet {
        // What is done is done, even if nobody reads about it.
        let _ = write!(std::io::stdout(), "{report}");
    }
    Ok(())
}

fn look_after_private(arguments: &PrivateArgs) -> Result<()> {
    let default = || PrivateServer::default_directory(|name| std::env::var(name).ok());
    let directory = arguments.private_dir.clone().unwrap_or_else(default);
    let server = PrivateServer::at(&directory)?;
    match &arguments.action {
        PrivateAction::Start => {
            server.start()?;
            println!("{}", server.url());
        }
        PrivateAction::Stop => {
            let was = if server.stop()? {
                "stopped"
            } else {
                "was not running"
            };
            eprintln!(
                "ci-import: the private PostgreSQL in {} {was}",
                directory.display()
            );
        }
        PrivateAction::Psql { arguments } => {
            let started = server.start()?;
            let status = server.psql().args(arguments).status().doing("run psql")?;
            if started {
                server.stop()?;
            }
            if !status.success() {
                return Err(Error::failed(format!("psql: {status}")));
            }
        }
        PrivateAction::Url => println!("{}", server.url()),
        PrivateAction::Remove { yes } => {
            confirm_removal(&server, *yes)?;
            server.remove()?;
            eprintln!(
                "ci-import: the private PostgreSQL in {} is removed",
                directory.display()
            );
        }
    }
    Ok(())
}

fn confirm_removal(server: &PrivateServer, yes: bool) -> Result<()> {
    if yes || !server.exists() {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Error::usage(
            "not removed: off a terminal, --yes must say so",
        ));
    }
    eprint!(
        "Remove the database in {} with all its data? [y/N] ",
        server.directory().display()
    );
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Error::failed("not confirmed; nothing was removed"))
}
