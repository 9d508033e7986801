//! What was typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Makes the backup archive of a GitLab CI 8.0 server live in PostgreSQL: all of it, or nothing.
///
/// The tables are loaded into a staging schema and the build traces into a staging directory;
/// both are put in the place of what is live at the end, in one step. What they replace is kept:
/// the tables in the schema `ci_import_previous`, the traces in `builds.<epoch>`.
#[derive(Debug, Parser)]
#[command(name = "ci-import", version, args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Exit codes:
  0  done
  1  the import failed; nothing was published
  2  wrong usage
  3  the archive is damaged or not acceptable; nothing was published
  4  the target is not reachable, or refused; nothing was published
  6  the connection broke while the publish was committed; the message says what to look at
  130  interrupted; nothing was published")]
pub struct Cli {
    /// Another job than the import
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The import
    #[command(flatten)]
    pub import: ImportArgs,
}

/// The arguments of the import.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The archive, EPOCH_gitlab_ci_backup.tar, or "-" for a pipe
    #[arg(required = true)]
    pub archive: Option<PathBuf>,
    /// Convert the archive's MySQL dump to PostgreSQL
    #[arg(long)]
    pub mysql_to_postgresql: bool,
    /// The database to import into: postgresql://user@host/database
    ///
    /// Without it the environment names it: DATABASE_URL, or PGHOST and PGDATABASE with the
    /// other variables of libpq. Where nothing names a database, the import makes a private
    /// PostgreSQL of its own. A password is better put into DATABASE_URL, where other users of
    /// the machine do not see it.
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// The directory of the build traces; needed with a database, else beside the private one
    #[arg(long, value_name = "DIR")]
    pub builds_path: Option<PathBuf>,
    /// Where the private PostgreSQL lives
    #[arg(long, value_name = "DIR", conflicts_with = "database_url")]
    pub private_dir: Option<PathBuf>,
    /// How many connections load, and how many threads write traces [default: one for each CPU]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: Option<u16>,
    /// Replace existing CI data without asking (also with force=yes in the environment)
    #[arg(long, short)]
    pub yes: bool,
    /// Say nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
}

/// The other jobs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Looks after the private PostgreSQL
    Private(PrivateArgs),
}

/// The arguments of `private`.
#[derive(Debug, Args)]
pub struct PrivateArgs {
    /// What to do
    #[command(subcommand)]
    pub action: PrivateAction,
    /// Where the private PostgreSQL lives
    #[arg(long, value_name = "DIR", global = true)]
    pub private_dir: Option<PathBuf>,
}

/// What can be done with the private PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum PrivateAction {
    /// Starts it; it runs until it is stopped
    Start,
    /// Stops it
    Stop,
    /// Opens psql in it; it is started for that, and stopped again, if it does not run
    Psql {
        /// Arguments for psql
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Prints its URL for other programs
    Url,
    /// Stops it and removes its database with all data; the traces stay
    Remove {
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}
