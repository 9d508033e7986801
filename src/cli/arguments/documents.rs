//! `completions`, `man`, `settings` and `explain`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// The arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// The arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The directory for the pages of all commands [default: the page of ci-import goes to standard output]
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,
}

/// The arguments of `settings`.
#[derive(Debug, Args)]
pub struct SettingsArgs {
    /// The command whose options are listed [default: the import]
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// The arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code: index-left-out [default: all are listed]
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}
