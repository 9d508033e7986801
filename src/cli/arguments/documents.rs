//! `completions`, `man`, `settings`, `explain` and `summary`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use super::StorageArgs;

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

/// The arguments of `summary`.
#[derive(Debug, Args)]
pub struct SummaryArgs {
    /// Reports that --report FILE.json has written, or folders of these; also s3://BUCKET/PREFIX/, gs://…, az://…
    #[arg(value_name = "REPORT", required = true)]
    pub reports: Vec<PathBuf>,
    /// Write the summary to a file, too: a page (.html), Markdown (.md) or JSON (.json); it may be an object
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the object of --output, if it exists; a file is always replaced
    #[arg(long, requires = "output")]
    pub overwrite: bool,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
    /// The object storage of the reports
    #[command(flatten)]
    pub storage: StorageArgs,
}

/// The arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code: index-left-out [default: all are listed]
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}
