//! `plan`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ArchiveArgs, TargetArgs};

/// How a GitLab was installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Installed {
    /// By an Omnibus package
    Omnibus,
    /// From source
    Source,
}

/// The arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The archive, if it is made
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// GitLab CI's database is a MySQL, and GitLab's a PostgreSQL
    #[arg(long)]
    pub mysql_to_postgresql: bool,
    /// The target of the import
    #[command(flatten)]
    pub target: TargetArgs,
    /// GitLab's file with the key: secrets.yml, gitlab-secrets.json or gitlab.rb; the archive's values are decrypted with it
    #[arg(long, value_name = "FILE", requires = "archive")]
    pub secrets: Option<PathBuf>,
    /// How GitLab is installed [default: as it is found here, otherwise by an Omnibus package]
    #[arg(long, value_enum, value_name = "HOW")]
    pub installed: Option<Installed>,
    /// The URL of GitLab CI, without a path; it is asked whether CI is stopped, and later whether the redirect works
    #[arg(long, value_name = "URL", requires = "gitlab_url")]
    pub ci_url: Option<String>,
    /// The URL of the GitLab, without a path
    #[arg(long, value_name = "URL", requires = "ci_url")]
    pub gitlab_url: Option<String>,
    /// The CAs to verify the certificates of both with [default: those of the operating system]
    #[arg(long, value_name = "FILE", requires = "ci_url")]
    pub ca: Option<PathBuf>,
    /// Print the plan as JSON
    #[arg(long)]
    pub json: bool,
    /// Print the plan as Markdown, for a ticket
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}
