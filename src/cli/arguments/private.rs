//! `private`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The arguments of `private`.
#[derive(Debug, Args)]
pub struct PrivateArgs {
    /// What to do with it
    #[command(subcommand)]
    pub action: PrivateAction,
    /// The directory of the private PostgreSQL
    #[arg(long, value_name = "DIR", global = true)]
    pub private_dir: Option<PathBuf>,
}

/// What can be done with the private PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum PrivateAction {
    /// Start the server; it runs until ci-import private stop
    Start,
    /// Stop the server
    Stop,
    /// Run psql; if the server is not running, it is started before and stopped after
    Psql {
        /// Arguments for psql
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Print the URL of the database for other programs
    Url,
    /// Stop the server and remove the database with all data; the traces stay
    Remove {
        /// Do not ask for confirmation
        #[arg(long, short)]
        yes: bool,
    },
}
