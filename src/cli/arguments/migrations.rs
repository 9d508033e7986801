//! `migrate` and `generate`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{TargetArgs, TellingArgs};

/// The arguments of `migrate`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct MigrateArgs {
    /// The command, if it is not to run all pending migrations
    #[command(subcommand)]
    pub action: Option<MigrateAction>,
    /// Leave post-deployment migrations pending
    #[arg(long)]
    pub skip_post_deployment: bool,
    /// Which
    #[command(flatten)]
    pub which: MigrationsArgs,
    /// How
    #[command(flatten)]
    pub how: MigratingArgs,
}

/// What can be done with migrations.
#[derive(Debug, Subcommand)]
pub enum MigrateAction {
    /// List all migrations: state, folder, and the time of the version
    Status {
        /// Which
        #[command(flatten)]
        which: MigrationsArgs,
    },
    /// Run one pending migration, from any folder
    Up {
        /// The version of the migration, for example 20151001120000
        version: String,
        /// Which
        #[command(flatten)]
        which: MigrationsArgs,
        /// How
        #[command(flatten)]
        how: MigratingArgs,
    },
    /// Undo one migration: run its part after "-- migrate:down"
    Down {
        /// The version of the migration, for example 20151001120000 [default: the latest one that was run
        /// and has a file]
        version: Option<String>,
        /// Which
        #[command(flatten)]
        which: MigrationsArgs,
        /// How
        #[command(flatten)]
        how: MigratingArgs,
    },
}

/// Which migrations there are, and of what target.
#[derive(Debug, Args)]
pub struct MigrationsArgs {
    /// The folder that contains migrate/ and post_migrate/ [default: migrations, if it exists]
    #[arg(long, value_name = "DIR")]
    pub migrations: Option<PathBuf>,
    /// The schema to migrate [default: the first schema of the user's search_path]
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// The target
    #[command(flatten)]
    pub target: TargetArgs,
    /// The form of the output
    #[command(flatten)]
    pub telling: TellingArgs,
}

/// How migrations are run.
#[derive(Debug, Args)]
pub struct MigratingArgs {
    /// Print the SQL, run nothing
    #[arg(long, conflicts_with = "json")]
    pub dry_run: bool,
    /// How long a migration waits for a lock before it lets others go first, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=600_000))]
    pub lock_timeout: u32,
    /// How many times to retry a migration that got no lock, after pauses that grow from 0.1 to 30 seconds
    #[arg(long, value_name = "N", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(..=1000))]
    pub lock_retries: u32,
}

/// The arguments of `generate`.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// What to create
    #[command(subcommand)]
    pub what: GenerateWhat,
}

/// What can be created.
#[derive(Debug, Subcommand)]
pub enum GenerateWhat {
    /// Create a migration that runs before the new code starts
    Migration(NewMigrationArgs),
    /// Create a migration that runs when no running code needs the old state any more
    PostDeploymentMigration(NewMigrationArgs),
}

/// The arguments of `generate migration` and `generate post-deployment-migration`.
#[derive(Debug, Args)]
pub struct NewMigrationArgs {
    /// The name: what the migration does, for example add_index_to_builds
    pub name: String,
    /// The folder that contains migrate/ and post_migrate/; it is created if it does not exist
    #[arg(long, value_name = "DIR", default_value = crate::migrate::DEFAULT_FOLDER)]
    pub migrations: PathBuf,
}
