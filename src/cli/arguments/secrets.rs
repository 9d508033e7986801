//! `secrets`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ArchiveArgs, InflationArgs, TargetArgs};

/// The arguments of `secrets`.
#[derive(Debug, Args)]
pub struct SecretsArgs {
    /// What to do
    #[command(subcommand)]
    pub action: SecretsAction,
}

/// What can be done with the key.
#[derive(Debug, Subcommand)]
pub enum SecretsAction {
    /// Show what to write into which file, so that GitLab has the key of GitLab CI
    ///
    /// It prints the key: do not let it get into a log.
    Show(ShowSecretsArgs),
    /// Decrypt the encrypted values of an archive or a database in memory, and say how many do not decrypt
    ///
    /// Without an archive, it reads the live tables of the database that is named. It never prints a value or the key.
    /// Exits with 1 if a value does not decrypt.
    Check(CheckSecretsArgs),
}

/// The arguments of `secrets show`.
#[derive(Debug, Args)]
#[group(id = "key", required = true, multiple = false)]
pub struct ShowSecretsArgs {
    /// The directory of GitLab CI: of the installation from source, or /etc/gitlab of an Omnibus package
    #[arg(long, value_name = "DIR", group = "key")]
    pub install: Option<PathBuf>,
    /// A file with the key: secrets.yml, gitlab-secrets.json, gitlab.rb, or the output of show_secrets
    #[arg(long, value_name = "FILE", group = "key")]
    pub secrets: Option<PathBuf>,
}

/// The arguments of `secrets check`.
#[derive(Debug, Args)]
pub struct CheckSecretsArgs {
    /// The input
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// A file with the key: secrets.yml, gitlab-secrets.json, gitlab.rb, or the output of show_secrets
    #[arg(long, value_name = "FILE")]
    pub secrets: PathBuf,
    /// The target, whose live tables are read
    #[command(flatten)]
    pub target: TargetArgs,
    /// The schema of the tables [default: the schema of the GitLab, otherwise the first of the user's search_path]
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// The memory limit, in MiB [default: 128]
    #[arg(long, value_name = "MIB")]
    pub memory: Option<u64>,
    /// The limit of inflation
    #[command(flatten)]
    pub inflation: InflationArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}
