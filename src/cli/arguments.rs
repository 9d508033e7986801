//! What was typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::archive::DEFAULT_MAX_INFLATION;
use crate::rows::{InvalidUtf8, Nul, ZeroDates};
use crate::schema::policies::{Enums, Times, Timestamps, Tinyint1};
use crate::verify::depth::Depth;

/// Makes the backup archive of a GitLab CI 8.0 server, or any dump of MySQL or PostgreSQL, live in
/// PostgreSQL or MySQL: all of it, or nothing.
///
/// The tables are loaded into a staging schema and the build traces into a staging directory;
/// both are put in the place of what is live at the end, in one step. What they replace is kept:
/// the tables in the schema `ci_import_previous`, in MySQL in the database of that name behind the
/// live one's, the traces in `builds.<epoch>`.
#[derive(Debug, Parser)]
#[command(name = "ci-import", version, args_conflicts_with_subcommands = true)]
#[command(arg_required_else_help = true)]
#[command(after_help = "\
Exit codes:
  0  done
  1  the import failed, nothing was published; or verify found a difference, or a migration failed
  2  wrong usage
  3  the archive is damaged or not acceptable; nothing was published
  4  the target is not reachable, or refused; nothing was published
  5  done, but with --strict: values had to be changed, as the report says
  6  a publish was cut off; ci-import recover finishes or undoes it
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
    /// What is imported
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// Convert the archive's MySQL dump to PostgreSQL; not for a MySQL target, which takes it as it is
    #[arg(long)]
    pub mysql_to_postgresql: bool,
    /// Where to
    #[command(flatten)]
    pub target: TargetArgs,
    /// The schema the tables go to [default: public, or the first of the user's search_path]
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// Replace existing tables by those of a dump that have the same names
    #[arg(long)]
    pub replace: bool,
    /// How many connections load, and how many threads write traces [default: one for each CPU]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: Option<u16>,
    /// How much memory the import may take, in MiB [default: 128]
    ///
    /// Neither the archive's size nor that of a table or trace matters; only a row that is larger
    /// than the budget takes what it needs.
    #[arg(long, value_name = "MIB")]
    pub memory: Option<u64>,
    /// Replace existing CI data without asking (also with force=yes in the environment)
    #[arg(long, short)]
    pub yes: bool,
    /// Import the traces that are whole where the archive of the traces ends too early
    ///
    /// GitLab CI never looked whether tar could write it all. Damage of any other kind is still an
    /// error. The report says where it ends.
    #[arg(long)]
    pub allow_truncated_traces: bool,
    /// Begin even if the file system says that it has no room for the traces
    ///
    /// One that compresses may have it all the same.
    #[arg(long)]
    pub no_space_check: bool,
    /// How thoroughly what was staged is looked at before it is published
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub verify: Depth,
    /// How much it may inflate to
    #[command(flatten)]
    pub inflation: InflationArgs,
    /// Leave the migrations for after the deployment to ci-import migrate (also with a non-empty
    /// SKIP_POST_DEPLOYMENT_MIGRATIONS in the environment)
    #[arg(long)]
    pub skip_post_deployment: bool,
    /// Exit with 5 if a value had to be changed
    #[arg(long)]
    pub strict: bool,
    /// How it is told
    #[command(flatten)]
    pub telling: TellingArgs,
    /// How values and types are converted
    #[command(flatten)]
    pub conversion: ConversionArgs,
}

/// How it is told what is done and what came of it.
#[derive(Debug, Clone, Copy, Args)]
pub struct TellingArgs {
    /// Say nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
    /// Report in JSON
    #[arg(long)]
    pub json: bool,
}

/// An archive or a dump.
#[derive(Debug, Args)]
pub struct ArchiveArgs {
    /// The archive, EPOCH_gitlab_ci_backup.tar, a folder of archives, or a dump of MySQL or
    /// PostgreSQL; "-" for a pipe
    ///
    /// Archives and dumps may be compressed with gzip or zstd, whatever their names say.
    pub archive: Option<PathBuf>,
    /// Which archive of the folder (also with BACKUP=EPOCH in the environment)
    #[arg(long, value_name = "EPOCH")]
    pub backup: Option<String>,
}

/// How much an archive or dump may inflate to.
#[derive(Debug, Clone, Copy, Args)]
pub struct InflationArgs {
    /// How many times its size the dump or the traces may inflate to, beyond 512 MiB
    #[arg(long, value_name = "RATIO", default_value_t = DEFAULT_MAX_INFLATION)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub max_inflation: u32,
}

/// The target: a database and the directory of the build traces.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// The database to import into: postgresql://user@host/database, libpq's key=value, or
    /// mysql://user@host/database
    ///
    /// Without it, and without --database-yml, the environment names it: DATABASE_URL, or PGHOST,
    /// PGHOSTADDR, PGDATABASE or PGSERVICE. What it leaves open is taken from a service file, from
    /// the other variables of libpq, and from the password file, as psql does. Where nothing names a
    /// database, the import makes a private PostgreSQL of its own. What a URL of MySQL leaves open is
    /// taken from ~/.my.cnf and the environment, as mysql does. A password is better put into
    /// DATABASE_URL, ~/.pgpass or ~/.my.cnf, where other users of the machine do not see it.
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// The database to import into, as the config/database.yml of a GitLab names it
    ///
    /// That of an Omnibus package is /var/opt/gitlab/gitlab-rails/etc/database.yml, that of an
    /// installation from source /home/git/gitlab/config/database.yml.
    #[arg(long, value_name = "FILE", conflicts_with = "database_url")]
    pub database_yml: Option<PathBuf>,
    /// Which environment of the database.yml [default: production]
    #[arg(long, value_name = "NAME", requires = "database_yml")]
    pub environment: Option<String>,
    /// The directory of the build traces; an archive needs it with a database, else it is beside the
    /// private one
    #[arg(long, value_name = "DIR")]
    pub builds_path: Option<PathBuf>,
    /// Where the private PostgreSQL lives
    #[arg(long, value_name = "DIR", conflicts_with_all = ["database_url", "database_yml"])]
    pub private_dir: Option<PathBuf>,
}

/// How values and types are converted, and what of a dump is taken.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Conversion")]
pub struct ConversionArgs {
    /// What tinyint(1) becomes
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub tinyint1: Tinyint1,
    /// What dates with a zero year, month or day become
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub zero_dates: ZeroDates,
    /// What becomes of NUL characters in a text, which PostgreSQL cannot hold
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub nul: Nul,
    /// What becomes of a text that is not valid in its character set
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub invalid_utf8: InvalidUtf8,
    /// What enums become
    #[arg(long = "enum", value_enum, default_value_t, value_name = "POLICY")]
    pub enums: Enums,
    /// What time becomes
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub time: Times,
    /// What timestamp becomes; a dump has it in UTC
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub timestamps: Timestamps,
    /// Leave out a column; can be given several times
    #[arg(long, value_name = "TABLE.COLUMN")]
    pub skip_column: Vec<String>,
    /// Leave out a table; can be given several times
    #[arg(long, value_name = "TABLE")]
    pub skip_table: Vec<String>,
    /// Take only this table; can be given several times
    #[arg(long, value_name = "TABLE")]
    pub only_table: Vec<String>,
    /// The database to take, of a dump that has several
    #[arg(long, value_name = "NAME")]
    pub from_database: Option<String>,
}

/// The other jobs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Converts a MySQL dump, or the one in an archive, to a PostgreSQL dump
    Convert(ConvertArgs),
    /// Says what is in an archive or dump, without touching a database
    Inspect(InspectArgs),
    /// Makes the checks that an import makes before it begins, and says what it would do
    ///
    /// Exits with the code that the import would fail with; nothing is changed.
    Check(CheckArgs),
    /// Compares the live tables and traces with the archive or dump they were made from
    ///
    /// Rows and traces by their contents, sequences with the largest id. To be run with the options of
    /// the import, before anybody changes the tables. Exits with 1 if anything differs.
    Verify(VerifyArgs),
    /// Finishes or undoes a publish that was cut off, as every import does at its start
    Recover(TargetArgs),
    /// Brings back the tables and the build traces that the last import has replaced
    ///
    /// What the import had brought takes their place aside; a second rollback brings it back.
    Rollback(ReplacedArgs),
    /// Removes the tables and the build traces that imports have replaced, for good
    Discard(ReplacedArgs),
    /// Runs pending migrations: the built-in ones, and those in a folder
    ///
    /// Those for after a deployment are run with the others, unless --skip-post-deployment or a non-empty
    /// SKIP_POST_DEPLOYMENT_MIGRATIONS in the environment leaves them pending.
    Migrate(MigrateArgs),
    /// Makes the file of a new migration
    Generate(GenerateArgs),
    /// Looks after the private PostgreSQL
    Private(PrivateArgs),
}

/// The arguments of `convert`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// What is converted
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// Where to: a file, compressed if its name ends in .gz, or "-" for standard output
    #[arg(long, short, value_name = "OUTPUT")]
    pub output: Option<PathBuf>,
    /// How much memory the conversion may take, in MiB [default: 128]
    #[arg(long, value_name = "MIB")]
    pub memory: Option<u64>,
    /// How much it may inflate to
    #[command(flatten)]
    pub inflation: InflationArgs,
    /// Convert MySQL to PostgreSQL: the only conversion there is
    #[arg(long)]
    pub mysql_to_postgresql: bool,
    /// Say nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
    /// How values and types are converted
    #[command(flatten)]
    pub conversion: ConversionArgs,
}

/// The arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// What is checked
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// Convert the archive's MySQL dump to PostgreSQL
    #[arg(long)]
    pub mysql_to_postgresql: bool,
    /// Where it would be imported to
    #[command(flatten)]
    pub target: TargetArgs,
    /// The schema the tables would go to [default: public, or the first of the user's search_path]
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// Tell it in JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// What it was imported from
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// Where it was imported to
    #[command(flatten)]
    pub target: TargetArgs,
    /// The schema the tables are in [default: public, or the first of the user's search_path]
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// How many tables are compared at the same time, in MySQL always one [default: one for each CPU]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: Option<u16>,
    /// How much memory it may take, in MiB [default: 128]
    #[arg(long, value_name = "MIB")]
    pub memory: Option<u64>,
    /// How much it may inflate to
    #[command(flatten)]
    pub inflation: InflationArgs,
    /// Convert MySQL to PostgreSQL: the only conversion there is
    #[arg(long)]
    pub mysql_to_postgresql: bool,
    /// How it is told
    #[command(flatten)]
    pub telling: TellingArgs,
    /// How values and types were converted
    #[command(flatten)]
    pub conversion: ConversionArgs,
}

/// The arguments of `rollback` and `discard`.
#[derive(Debug, Args)]
pub struct ReplacedArgs {
    /// Where
    #[command(flatten)]
    pub target: TargetArgs,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Say nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
}

/// The arguments of `migrate`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct MigrateArgs {
    /// Something else than running all that are pending
    #[command(subcommand)]
    pub action: Option<MigrateAction>,
    /// Leave those for after the deployment pending
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
    /// Lists all migrations: whether they were run, their folder, when they were written
    Status {
        /// Which
        #[command(flatten)]
        which: MigrationsArgs,
    },
    /// Runs one that is pending, whichever folder it is in
    Up {
        /// As in 20151001120000
        version: String,
        /// Which
        #[command(flatten)]
        which: MigrationsArgs,
        /// How
        #[command(flatten)]
        how: MigratingArgs,
    },
    /// Undoes one, by its part behind "-- migrate:down"
    Down {
        /// As in 20151001120000 [default: the last one in a file that was run]
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
    /// The folder with migrate/ and post_migrate/ [default: migrations, if it is there]
    #[arg(long, value_name = "DIR")]
    pub migrations: Option<PathBuf>,
    /// The schema that is migrated [default: the first of the user's search_path]
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// Where
    #[command(flatten)]
    pub target: TargetArgs,
    /// How it is told
    #[command(flatten)]
    pub telling: TellingArgs,
}

/// How migrations are run.
#[derive(Debug, Args)]
pub struct MigratingArgs {
    /// Print the SQL and run nothing
    #[arg(long, conflicts_with = "json")]
    pub dry_run: bool,
    /// How long a migration waits for a lock before it gives way, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=600_000))]
    pub lock_timeout: u32,
    /// How many times one that gave way is tried again, after pauses that grow from 0.1 to 30 seconds
    #[arg(long, value_name = "N", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(..=1000))]
    pub lock_retries: u32,
}

/// The arguments of `generate`.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// What is made
    #[command(subcommand)]
    pub what: GenerateWhat,
}

/// What can be made.
#[derive(Debug, Subcommand)]
pub enum GenerateWhat {
    /// A migration that runs before the new code starts
    Migration(NewMigrationArgs),
    /// A migration that runs when no running code depends on the old state any more
    PostDeploymentMigration(NewMigrationArgs),
}

/// A migration to be made.
#[derive(Debug, Args)]
pub struct NewMigrationArgs {
    /// What it will do, as in add_index_to_builds
    pub name: String,
    /// The folder with migrate/ and post_migrate/; it is made if it is not there
    #[arg(long, value_name = "DIR", default_value = crate::migrate::DEFAULT_FOLDER)]
    pub migrations: PathBuf,
}

/// The arguments of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// What is read
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// Tell it in JSON
    #[arg(long)]
    pub json: bool,
    /// The database to look at, of a dump that has several
    #[arg(long, value_name = "NAME")]
    pub from_database: Option<String>,
    /// How much it may inflate to
    #[command(flatten)]
    pub inflation: InflationArgs,
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
