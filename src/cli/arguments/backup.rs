//! `backup`.

use std::path::PathBuf;

use clap::Args;

use super::{ConversionArgs, StorageArgs, TellingArgs};

/// The arguments of `backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// GitLab CI's database: mysql://user@host/database, postgresql://user@host/database, or libpq's key=value
    ///
    /// Without this option and --database-yml, DATABASE_URL or libpq's environment names it. Put passwords into
    /// DATABASE_URL, ~/.pgpass or ~/.my.cnf: other users of the machine can see the arguments of a command.
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// GitLab CI's database, as named in its config/database.yml
    ///
    /// The path of an installation from source is /home/gitlab_ci/gitlab-ci/config/database.yml; of an Omnibus
    /// package, /var/opt/gitlab/gitlab-ci/etc/database.yml.
    #[arg(long, value_name = "FILE", conflicts_with = "database_url")]
    pub database_yml: Option<PathBuf>,
    /// Which environment of the database.yml to use [default: production]
    #[arg(long, value_name = "NAME", requires = "database_yml")]
    pub environment: Option<String>,
    /// The directory of the build traces
    ///
    /// Of an installation from source, /home/gitlab_ci/gitlab-ci/builds; of an Omnibus package,
    /// /var/opt/gitlab/gitlab-ci/builds.
    #[arg(long, value_name = "DIR")]
    pub builds_path: PathBuf,
    /// The folder in which the archive is made, EPOCH_gitlab_ci_backup.tar; "-" for a pipe [default: this one]
    ///
    /// It may be in an object storage: s3://BUCKET/PREFIX/, gs://…, az://…. The archive is made in the directory for
    /// temporary files (TMPDIR) then, read back there, and sent.
    #[arg(long, short, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
    /// The object storage of --output
    #[command(flatten)]
    pub storage: StorageArgs,
    /// The directory of GitLab CI, whose file VERSION the archive names
    /// [default: where an installation from source or an Omnibus package has it]
    #[arg(long, value_name = "DIR")]
    pub install: Option<PathBuf>,
    /// The version of GitLab CI, if no file says it, for example 8.0.5
    #[arg(long, value_name = "VERSION", conflicts_with = "install")]
    pub ci_version: Option<String>,
    /// Convert the MySQL dump to PostgreSQL; an import into PostgreSQL can do so, too
    #[arg(long)]
    pub mysql_to_postgresql: bool,
    /// When the archive is complete, remove archives in the folder that are older than so many seconds
    #[arg(long, value_name = "SECONDS")]
    pub keep_time: Option<u64>,
    /// Start even if the file system reports too little space for the archive
    #[arg(long)]
    pub no_space_check: bool,
    /// The number of threads that compress [default: one for each CPU]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: Option<u16>,
    /// The memory limit, in MiB [default: 128]
    #[arg(long, value_name = "MIB")]
    pub memory: Option<u64>,
    /// The form of the output
    #[command(flatten)]
    pub telling: TellingArgs,
    /// How values and types are converted
    #[command(flatten)]
    pub conversion: ConversionArgs,
}
