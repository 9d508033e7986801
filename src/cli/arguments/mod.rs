//! What was typed.

mod backup;
mod documents;
mod fresh;
mod info;
mod input;
mod migrations;
mod plan;
mod private;
mod reading;
mod redirect;
mod secrets;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::rows::{InvalidDates, InvalidUtf8, Nul, ZeroDates};
use crate::schema::policies::{
    Enums, GeneratedColumns, Geometry, OnUpdate, Times, Timestamps, Tinyint1, Vectors,
};
use crate::ui::progress;
use crate::verify::depth::Depth;

pub use backup::BackupArgs;
pub use documents::{CompletionsArgs, ExplainArgs, ManArgs, SettingsArgs, SummaryArgs};
pub use fresh::FreshArgs;
pub use info::InfoArgs;
pub use input::{ArchiveArgs, InflationArgs, StorageArgs};
pub use migrations::{
    GenerateArgs, GenerateWhat, MigrateAction, MigrateArgs, MigratingArgs, MigrationsArgs,
    NewMigrationArgs,
};
pub use plan::{Installed, PlanArgs};
pub use private::{PrivateAction, PrivateArgs};
pub use reading::{ConvertArgs, InspectArgs};
pub use redirect::{RedirectAction, RedirectArgs, RedirectCheckArgs, Scheme, WebServer};
pub use secrets::{CheckSecretsArgs, SecretsAction, SecretsArgs, ShowSecretsArgs};

/// The version, with the commit and the system that a release was built from and for.
const LONG_VERSION: &str = env!("CI_IMPORT_LONG_VERSION");

/// What most people type.
const IMPORT_EXAMPLES: &str = "\
Examples:
  ci-import shop.sql.gz --database-url postgresql://app@db/shop
  ci-import BACKUP.tar --mysql-to-postgresql --builds-path DIR

All options, and the exit codes: ci-import --help";

/// Restores a GitLab CI 8.0 backup or a SQL dump into PostgreSQL or MySQL, atomically.
///
/// The import loads the tables into a staging schema and the build traces into a staging directory.
/// At the end, both replace the live data in one step. The replaced data is kept: the tables in the
/// schema `ci_import_previous` (in MySQL: the database `<name>_ci_import_previous`), the traces in
/// `builds.<epoch>`.
#[derive(Debug, Parser)]
#[command(name = "ci-import", version, long_version = LONG_VERSION)]
#[command(args_conflicts_with_subcommands = true)]
#[command(arg_required_else_help = true)]
#[command(after_help = IMPORT_EXAMPLES)]
#[command(after_long_help = "\
Examples:
  ci-import shop.sql.gz --database-url postgresql://app@db/shop
  ci-import BACKUP.tar --mysql-to-postgresql --builds-path DIR
  mysqldump shop | ci-import - --database-url postgresql://app@db/shop

Exit codes:
  0  done
  1  the import failed, nothing was published; or verify found a difference, or a migration failed;
     or the report could not be written
  2  wrong usage
  3  the archive is damaged or not acceptable; nothing was published
  4  the target is not reachable, or it refused; nothing was published
  5  done, but with --strict: values had to be changed, see the report
  6  a publish was interrupted; ci-import recover completes or undoes it
  7  an object storage or web server could not be reached, or broke off; nothing was published
  130  interrupted; nothing was published")]
pub struct Cli {
    /// The command, if it is not the import
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Show values of rows in the message of an error
    ///
    /// By default a message names the table, row and column, and leaves out values, what the server says about them,
    /// and the texts and numbers of statements: logs are read by many.
    #[arg(long, global = true)]
    pub show_values: bool,
    /// What is written to standard error, and how
    #[command(flatten)]
    pub log: LogArgs,
    /// A file with options, in TOML; ci-import settings lists them as they stand in it
    ///
    /// What is typed wins over variables CI_IMPORT_… of the environment (CI_IMPORT_JOBS for --jobs), and these over the
    /// file.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The import
    #[command(flatten)]
    pub import: ImportArgs,
}

/// What is written to standard error, and how.
#[derive(Debug, Clone, Copy, Args)]
pub struct LogArgs {
    /// How the progress is shown
    #[arg(long, global = true, value_enum, default_value_t, value_name = "HOW")]
    pub progress: progress::Form,
    /// The form of the messages
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM")]
    pub log_format: LogFormat,
    /// Tell more of what is done; twice: of each piece of it
    ///
    /// There are no values of rows and no passwords in it.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The form of messages on standard error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// A line of JSON each, for programs
    Json,
}

/// The arguments of the import.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// What is imported
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// Convert the archive's MySQL dump to PostgreSQL
    ///
    /// Not for a MySQL target, which needs no conversion.
    #[arg(long)]
    pub mysql_to_postgresql: bool,
    /// The target of the import
    #[command(flatten)]
    pub target: TargetArgs,
    /// The schema to import the tables into [default: public for a dump; for an archive the schema of the GitLab,
    /// otherwise the first of the user's search_path]
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// Replace existing tables that a dump has, too
    #[arg(long)]
    pub replace: bool,
    /// The number of connections that load rows, and of threads that write traces [default: one for each CPU]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: Option<u16>,
    /// The memory limit of the import, in MiB [default: 128]
    ///
    /// The size of the archive, of a table or of a trace does not matter. Only a single row that is
    /// larger than the limit takes more.
    #[arg(long, value_name = "MIB")]
    pub memory: Option<u64>,
    /// Replace existing CI data without asking
    ///
    /// force=yes in the environment means the same.
    #[arg(long, short)]
    pub yes: bool,
    /// If this very archive or dump is live already, do nothing and exit with 0
    ///
    /// For whatever may run an import again: a queue, a pipeline. An import records which input it made live.
    #[arg(long)]
    pub once: bool,
    /// If the archive of the traces is truncated, import the traces that are complete
    ///
    /// GitLab CI did not check whether tar could write the whole archive. Any other damage is still an
    /// error. The report says where the archive ends.
    #[arg(long)]
    pub allow_truncated_traces: bool,
    /// If the archive of the traces is empty or truncated before the first one, import no traces
    ///
    /// GitLab CI made such archives if it could not read its builds directory. The live traces are kept
    /// aside, and the builds directory is empty then.
    #[arg(long)]
    pub allow_no_traces: bool,
    /// Start even if the file system reports too little space for the traces
    ///
    /// A file system that compresses its files may still have enough space.
    #[arg(long)]
    pub no_space_check: bool,
    /// Whose the traces become
    #[command(flatten)]
    pub owner: OwnerArgs,
    /// How it is published
    #[command(flatten)]
    pub publishing: PublishingArgs,
    /// Import into a GitLab that is not 8.0, too
    ///
    /// The upgrade of an older one to 8.0 drops the imported tables. A newer one has columns that the archive does
    /// not have.
    #[arg(long)]
    pub ignore_target_version: bool,
    /// A file with the key db_key_base; if encrypted values do not decrypt with it, nothing is published
    ///
    /// The file can be the secrets.yml of GitLab CI, the gitlab-secrets.json or gitlab.rb of an Omnibus package, or the
    /// output of show_secrets. GitLab needs the same key: see ci-import secrets show.
    #[arg(long, value_name = "FILE")]
    pub secrets: Option<PathBuf>,
    /// How thoroughly to verify the staged data before the publish
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub verify: Depth,
    /// The limit of inflation
    #[command(flatten)]
    pub inflation: InflationArgs,
    /// Exit with 5 if a value had to be changed
    #[arg(long)]
    pub strict: bool,
    /// The form of the output
    #[command(flatten)]
    pub telling: TellingArgs,
    /// Where the report is written to, too
    #[command(flatten)]
    pub reports: ReportArgs,
    /// How values and types are converted
    #[command(flatten)]
    pub conversion: ConversionArgs,
}

/// Whose the traces become.
#[derive(Debug, Args)]
pub struct OwnerArgs {
    /// The user, and the group if it is not the user's own, who gets the builds directory and the traces; by names or
    /// numbers: git:git [default: who has the builds directory now; if there is none, who has the directory above it]
    #[arg(long, value_name = "USER[:GROUP]")]
    pub builds_owner: Option<String>,
}

/// How staged data is made live.
#[derive(Debug, Clone, Copy, Args)]
pub struct PublishingArgs {
    /// How long to wait for others who hold the live tables, in seconds
    ///
    /// After that, what is loaded is kept for ci-import publish.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub wait_for_locks: u32,
    /// Do not switch CI on in GitLab at the end
    #[arg(long)]
    pub leave_ci_off: bool,
    /// Whether tables may be replaced that are distributed
    #[command(flatten)]
    pub clusters: ClusterArgs,
}

/// What may become of tables of a cluster.
#[derive(Debug, Clone, Copy, Args)]
pub struct ClusterArgs {
    /// Replace tables that Citus distributes, by ordinary ones of the coordinator
    #[arg(long)]
    pub undistribute: bool,
}

/// The form of the output.
#[derive(Debug, Clone, Copy, Args)]
pub struct TellingArgs {
    /// Print only errors
    #[arg(long, short)]
    pub quiet: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// The files of the report.
#[derive(Debug, Clone, Default, Args)]
pub struct ReportArgs {
    /// Write the report to a file, too: .html, .json, .xml (JUnit) or .md; can be given more than once
    ///
    /// The page of .html needs no network and no other file. A report is written if the command fails, too; a report that
    /// is there is replaced, another file is not. It may be an object in an object storage: s3://BUCKET/KEY, gs://…,
    /// az://….
    #[arg(long, value_name = "FILE")]
    pub report: Vec<PathBuf>,
    /// Replace an object of --report, if it exists
    #[arg(long, requires = "report")]
    pub overwrite: bool,
}

/// The target: a database and the directory of the build traces.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// The target: postgresql://… or mysql://… [default: private PostgreSQL]
    ///
    /// postgresql://user@host/database or mysql://user@host/database.
    /// The parameters of libpq (key=value) are taken, too.
    ///
    /// Without this option and --database-yml, the environment names the database: DATABASE_URL, or
    /// PGHOST, PGHOSTADDR, PGDATABASE or PGSERVICE. Missing parameters come from a service file, the other
    /// libpq variables and the password file, as with psql. If nothing names a database, the import uses a
    /// private PostgreSQL. Missing parameters of a MySQL URL come from ~/.my.cnf and the environment, as with
    /// mysql. Put passwords into DATABASE_URL, ~/.pgpass or ~/.my.cnf: other users of the machine can see
    /// the arguments of a command.
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// The target database, as named in the config/database.yml of a GitLab
    ///
    /// The path of an Omnibus package is /var/opt/gitlab/gitlab-rails/etc/database.yml; of an
    /// installation from source, /home/git/gitlab/config/database.yml.
    #[arg(long, value_name = "FILE", conflicts_with = "database_url")]
    pub database_yml: Option<PathBuf>,
    /// Which environment of the database.yml to use [default: production]
    #[arg(long, value_name = "NAME", requires = "database_yml")]
    pub environment: Option<String>,
    /// Where the build traces of an archive go: a directory, or s3://BUCKET/PREFIX
    ///
    /// It is required for an archive, unless the target is the private PostgreSQL, which has its own. GitLab reads a directory,
    /// and nothing else. Of an object storage (s3://BUCKET/PREFIX, gs://…, az://…) the traces of each import get a prefix of
    /// their own, which the record of the publish in the target names.
    #[arg(long, value_name = "DIR")]
    pub builds_path: Option<PathBuf>,
    /// The directory of the private PostgreSQL
    #[arg(long, value_name = "DIR", conflicts_with_all = ["database_url", "database_yml"])]
    pub private_dir: Option<PathBuf>,
}

/// How values and types are converted, and which parts of a dump are imported.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Conversion")]
pub struct ConversionArgs {
    /// What tinyint(1) becomes
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub tinyint1: Tinyint1,
    /// What a generated column becomes that PostgreSQL cannot compute, if the dump has no values for it
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub generated: GeneratedColumns,
    /// What dates with a zero year, month or day become
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub zero_dates: ZeroDates,
    /// What dates become whose month does not have the day (2023-02-30)
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub invalid_dates: InvalidDates,
    /// What NUL characters in a text become, which PostgreSQL cannot store
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub nul: Nul,
    /// What a text becomes that is not valid in its character set
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub invalid_utf8: InvalidUtf8,
    /// What enums become
    #[arg(long = "enum", value_enum, default_value_t, value_name = "POLICY")]
    pub enums: Enums,
    /// What time becomes
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub time: Times,
    /// What timestamp becomes; dumps contain it in UTC
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub timestamps: Timestamps,
    /// What ON UPDATE CURRENT_TIMESTAMP becomes
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub on_update: OnUpdate,
    /// What a spatial type becomes
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub geometry: Geometry,
    /// What a vector becomes
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    pub vector: Vectors,
    /// A mapping file: names, types, schemas and policies of single tables and columns, in TOML
    ///
    /// ci-import inspect writes one with the policies that a dump needs. verify needs the file of the import.
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// Leave out a column; can be given more than once
    #[arg(long, value_name = "TABLE.COLUMN")]
    pub skip_column: Vec<String>,
    /// Leave out a table; can be given more than once
    #[arg(long, value_name = "TABLE")]
    pub skip_table: Vec<String>,
    /// Import only this table; can be given more than once
    #[arg(long, value_name = "TABLE")]
    pub only_table: Vec<String>,
    /// Which database to import, if the dump has several
    #[arg(long, value_name = "NAME")]
    pub from_database: Option<String>,
    /// Import each database of the dump into the schema with its name
    #[arg(long, conflicts_with = "from_database")]
    pub databases_to_schemas: bool,
}

/// The other commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// On the CI server: make the archive
    ///
    /// It has the database and the build traces. The dump is made by the server's own program, as the tables are at one
    /// moment. The archive gets its name when it is complete and was read back.
    Backup(BackupArgs),
    /// On either server: tell which GitLab or GitLab CI is here
    ///
    /// Also its database, builds and backups, and what a move needs.
    Info(InfoArgs),
    /// List the steps of the whole move: what is done, what is next
    ///
    /// Each step has its command, what it changes, and how it is undone.
    Plan(PlanArgs),
    /// Convert a MySQL dump to a PostgreSQL dump, without a database
    ///
    /// Of an archive it converts the dump in it.
    Convert(ConvertArgs),
    /// Show what is in an archive or dump, without a database
    Inspect(InspectArgs),
    /// Run the checks that an import runs before it starts
    ///
    /// Shows what the import would do, and changes nothing. Exits with the code with which the import would fail.
    Check(CheckArgs),
    /// Compare the live data with the archive or dump it came from
    ///
    /// Compares the contents of rows and traces, and each sequence with the largest id. Run it with the
    /// options of the import, before anybody changes the tables. Exits with 1 if anything differs.
    Verify(VerifyArgs),
    /// Make live what an import has loaded and kept
    ///
    /// An import keeps it if others hold the live tables for too long. This checks the target again as an import does. The
    /// next import, or discard, drops what is kept.
    Publish(PublishArgs),
    /// Complete or undo an interrupted publish
    ///
    /// Every import does so at its start.
    Recover(TargetArgs),
    /// Bring back what the last import replaced
    ///
    /// The imported data is kept in their place: a second rollback brings it back.
    Rollback(ReplacedArgs),
    /// Remove permanently what imports replaced, or kept for publish
    Discard(ReplacedArgs),
    /// Move old build traces aside, and leave an empty directory
    ///
    /// For a GitLab that does not take CI's data over.
    Fresh(FreshArgs),
    /// Run pending migrations, built-in ones and those in a folder
    ///
    /// Post-deployment migrations run with the others, unless --skip-post-deployment or a non-empty
    /// SKIP_POST_DEPLOYMENT_MIGRATIONS in the environment leaves them pending.
    Migrate(MigrateArgs),
    /// Create the file of a new migration
    Generate(GenerateArgs),
    /// Check the key of encrypted values, and show where it belongs
    Secrets(SecretsArgs),
    /// Start, stop, open or remove the private PostgreSQL
    Private(PrivateArgs),
    /// Write a web server's configuration for the old address
    ///
    /// It sends requests for GitLab CI on to GitLab.
    ///
    /// Requests of runners, triggers and hooks are passed on with their method and body. All others get a redirect to the
    /// same page below /ci of the GitLab.
    Redirect(RedirectArgs),
    /// Merge the reports of many runs to one table
    ///
    /// Of a command that was tried again, with the same input and target, the last report counts. Exits with 1 unless all ended
    /// well.
    Summary(SummaryArgs),
    /// List all options with their values, and where each comes from
    ///
    /// The list is a file for --config.
    Settings(SettingsArgs),
    /// Explain the code of a change, note or warning
    Explain(ExplainArgs),
    /// Write the completions for a shell
    Completions(CompletionsArgs),
    /// Write the manual page, or all of them into a directory
    Man(ManArgs),
}

/// The arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The input
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// Convert the archive's MySQL dump to PostgreSQL
    #[arg(long)]
    pub mysql_to_postgresql: bool,
    /// The target of the import
    #[command(flatten)]
    pub target: TargetArgs,
    /// The schema to import the tables into [default: public for a dump; for an archive the schema of the GitLab,
    /// otherwise the first of the user's search_path]
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// Accept a GitLab that is not 8.0, too
    #[arg(long)]
    pub ignore_target_version: bool,
    /// Whether tables may be replaced that are distributed
    #[command(flatten)]
    pub clusters: ClusterArgs,
    /// Whose the traces become
    #[command(flatten)]
    pub owner: OwnerArgs,
    /// The directory of GitLab's repositories, to compare its file system with that of the builds [default: as the
    /// settings of the GitLab on this machine say]
    #[arg(long, value_name = "DIR")]
    pub repositories_path: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Where the report is written to, too
    #[command(flatten)]
    pub reports: ReportArgs,
}

/// The arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The input of the import
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// The target of the import
    #[command(flatten)]
    pub target: TargetArgs,
    /// The schema of the tables [default: public for a dump; for an archive the schema of the GitLab,
    /// otherwise the first of the user's search_path]
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// How many tables to compare at the same time, in MySQL always one [default: one for each CPU]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: Option<u16>,
    /// The memory limit, in MiB [default: 128]
    #[arg(long, value_name = "MIB")]
    pub memory: Option<u64>,
    /// If the archive of the traces is truncated, compare the traces that are complete
    #[arg(long)]
    pub allow_truncated_traces: bool,
    /// If the archive of the traces is empty or truncated before the first one, compare with an empty directory
    #[arg(long)]
    pub allow_no_traces: bool,
    /// The limit of inflation
    #[command(flatten)]
    pub inflation: InflationArgs,
    /// Convert MySQL to PostgreSQL; always on, as it is the only conversion
    #[arg(long)]
    pub mysql_to_postgresql: bool,
    /// The form of the output
    #[command(flatten)]
    pub telling: TellingArgs,
    /// Where the report is written to, too
    #[command(flatten)]
    pub reports: ReportArgs,
    /// How the import converted values and types
    #[command(flatten)]
    pub conversion: ConversionArgs,
}

/// The arguments of `publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// The target of the import
    #[command(flatten)]
    pub target: TargetArgs,
    /// Replace existing CI data without asking (also with force=yes in the environment)
    #[arg(long, short)]
    pub yes: bool,
    /// How it is published
    #[command(flatten)]
    pub publishing: PublishingArgs,
    /// The form of the output
    #[command(flatten)]
    pub telling: TellingArgs,
    /// Where the report is written to, too
    #[command(flatten)]
    pub reports: ReportArgs,
    /// The object storage, if the traces or the report are there
    #[command(flatten)]
    pub storage: StorageArgs,
}

/// The arguments of `rollback` and `discard`.
#[derive(Debug, Args)]
pub struct ReplacedArgs {
    /// The target
    #[command(flatten)]
    pub target: TargetArgs,
    /// The object storage, if the traces are there
    #[command(flatten)]
    pub storage: StorageArgs,
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub yes: bool,
    /// Print only errors
    #[arg(long, short)]
    pub quiet: bool,
}
