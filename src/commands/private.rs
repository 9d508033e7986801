//! `ci-import private`: manages the private PostgreSQL.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::cancellation::Cancellation;
use crate::cli::arguments::{PrivateAction, PrivateArgs};
use crate::error::{Doing, Error, Result};
use crate::server::postgresql::private_server::PrivateServer;
use crate::ui::terminal;

/// Runs the action of `arguments`.
pub fn run(arguments: &PrivateArgs) -> Result<()> {
    let default = || PrivateServer::default_directory(|name| std::env::var(name).ok());
    let directory = arguments.private_dir.clone().map_or_else(default, Ok)?;
    let server = PrivateServer::at(&directory)?;
    match &arguments.action {
        PrivateAction::Start => {
            server.start()?;
            terminal::print(&format!("{}\n", server.url())).map_err(|error| {
                Error::failed(format!("the private PostgreSQL is running, but {error}"))
                    .caused_by(error)
                    .hint("ci-import private url prints its URL again")
            })?;
        }
        PrivateAction::Stop => {
            let was = if server.stop()? {
                "stopped"
            } else {
                "was not running"
            };
            terminal::say(&format!(
                "ci-import: the private PostgreSQL in {} {was}",
                directory.display()
            ));
        }
        PrivateAction::Psql { arguments } => {
            let started = server.start()?;
            // Ctrl-C is for psql.
            let ignored = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(signal_hook::consts::SIGINT, ignored)
                .doing("handle signals")?;
            let status = server.psql().args(arguments).status().doing("run psql")?;
            if started {
                server.stop_if_unused()?;
            }
            if !status.success() {
                return Err(Error::failed(format!("psql: {status}")));
            }
        }
        PrivateAction::Url => terminal::print(&format!("{}\n", server.url()))?,
        PrivateAction::Remove { yes } => {
            confirm_removal(&server, *yes)?;
            server.remove()?;
            terminal::say(&format!(
                "ci-import: the private PostgreSQL in {} is removed",
                directory.display()
            ));
        }
    }
    Ok(())
}

fn confirm_removal(server: &PrivateServer, yes: bool) -> Result<()> {
    if yes || !server.exists() {
        return Ok(());
    }
    if !terminal::can_ask() {
        return Err(Error::usage("not removed: without a terminal, add --yes"));
    }
    let directory = server.directory().display();
    if terminal::ask(
        &[&format!(
            "Remove the database in {directory} with all its data?"
        )],
        &Cancellation::default(),
    ) {
        return Ok(());
    }
    Err(Error::failed("not confirmed; nothing was removed"))
}
