//! `fresh`.

use std::path::PathBuf;

use clap::Args;

use super::OwnerArgs;

/// The arguments of `fresh`.
#[derive(Debug, Args)]
pub struct FreshArgs {
    /// The directory of the build traces
    #[arg(long, value_name = "DIR")]
    pub builds_path: PathBuf,
    /// Whose the directory becomes
    #[command(flatten)]
    pub owner: OwnerArgs,
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub yes: bool,
    /// Print only errors
    #[arg(long, short)]
    pub quiet: bool,
}
