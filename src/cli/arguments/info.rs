//! `info`.

use std::path::PathBuf;

use clap::Args;

/// The arguments of `info`.
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// The directory of the GitLab or GitLab CI to look at
    /// [default: all in the usual places, from source and of an Omnibus package]
    #[arg(long, value_name = "DIR")]
    pub install: Option<PathBuf>,
    /// Look for the usual places below this directory, for instance a mounted disk
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/",
        conflicts_with = "install"
    )]
    pub root: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}
