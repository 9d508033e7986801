//! The meaning of the arguments and the environment. This module validates only, and runs nothing.

use std::path::PathBuf;
use std::time::Duration;

use super::arguments::{
    CheckArgs, ConversionArgs, ImportArgs, MigrateAction, MigrateArgs, MigratingArgs,
    MigrationsArgs, PublishArgs, TargetArgs, VerifyArgs,
};
use crate::dump::acceptance::Asked;
use crate::error::{Error, Result};
use crate::gitlab::content::Content;
use crate::gitlab::secrets::{self, SecretsFile};
use crate::input::source::Source;
use crate::migrate::{Dialect, RetryPolicy, Version};
use crate::resources::Resources;
use crate::rows::{ValuePolicies, local_time_zone};
use crate::schema::policies::{GeneratedSupport, Policies, Timestamps};
use crate::server::Target;
use crate::server::postgresql::migrate::DIALECT;
use crate::server::postgresql::private_server::PrivateServer;
use crate::verify::depth::Depth;

/// If it is not empty, post-deployment migrations stay pending. GitLab uses the same name.
const SKIP_POST_DEPLOYMENT: &str = "SKIP_POST_DEPLOYMENT_MIGRATIONS";

/// The environment of a database.yml that GitLab uses.
const DEFAULT_ENVIRONMENT: &str = "production";

/// The destination of the data.
#[derive(Clone)]
pub enum Destination {
    /// A named database, with a builds directory.
    Named {
        /// The database.
        target: Box<Target>,
        /// The builds directory, which only an archive needs.
        builds: Option<PathBuf>,
    },
    /// The private server.
    Private {
        /// Its directory.
        directory: PathBuf,
        /// The builds directory, if not the one beside the database.
        builds: Option<PathBuf>,
    },
}

impl Destination {
    /// The SQL that migrations of it are written in.
    #[must_use]
    pub fn migration_dialect(&self) -> Dialect {
        match self {
            Destination::Named { target, .. } => target.migration_dialect(),
            Destination::Private { .. } => DIALECT,
        }
    }

    /// Which dumps can go there, whether `--mysql-to-postgresql` is given or not; of an archive, or
    /// dumps by themselves. An error if what is asked for is not for this target.
    pub fn asks(
        &self,
        mysql_to_postgresql: bool,
        content: Content,
        policies: &Policies,
    ) -> Result<Asked> {
        match self {
            Destination::Named { target, .. } => {
                target.asks(mysql_to_postgresql, content, policies)
            }
            Destination::Private { .. } => Ok(Asked::by_option(
                mysql_to_postgresql,
                content.is_converted_unasked(),
            )),
        }
    }

    /// The destination from the command line or the environment. `variable` looks up a variable.
    pub fn named(
        arguments: TargetArgs,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Destination> {
        let TargetArgs {
            database_url,
            database_yml,
            environment,
            builds_path: builds,
            private_dir,
        } = arguments;
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let target = match (&database_url, &database_yml, &private_dir) {
            (Some(url), ..) => Some(Target::named(url, variable)?),
            (None, Some(file), _) => {
                let environment = environment.as_deref().unwrap_or(DEFAULT_ENVIRONMENT);
                Some(Target::from_database_yml(file, environment, variable)?)
            }
            (None, None, Some(_)) => None,
            (None, None, None) => match Target::from_database_url(variable)? {
                Some(target) => Some(target),
                None => Target::from_environment(variable)?,
            },
        };
        Ok(match target {
            Some(target) => Destination::Named {
                target: Box::new(target),
                builds,
            },
            None => Destination::Private {
                directory: private_dir
                    .map_or_else(|| PrivateServer::default_directory(variable), Ok)?,
                builds,
            },
        })
    }
}

/// The settings of an import.
#[derive(Clone)]
pub struct Settings {
    /// The archive.
    pub source: Source,
    /// Whether a MySQL dump may be converted.
    pub mysql_to_postgresql: bool,
    /// The target.
    pub destination: Destination,
    /// The number of connections and threads, and the amount of data that may wait in memory.
    pub resources: Resources,
    /// Whether a truncated tar of traces is accepted.
    pub allow_truncated_traces: bool,
    /// Whether an archive without a complete trace is accepted, though it should have some.
    pub allow_no_traces: bool,
    /// The file with the key of encrypted values, if they are checked.
    pub secrets: Option<SecretsFile>,
    /// How thoroughly the staged data is verified before the publish.
    pub verify: Depth,
    /// Whether to start even if the file system reports too little space for the traces.
    pub no_space_check: bool,
    /// The maximum inflation of a member, as a multiple of its size.
    pub max_inflation: u32,
    /// Whether existing data is replaced without asking.
    pub yes: bool,
    /// Whether only errors are printed.
    pub quiet: bool,
    /// How long a publish waits for others who hold the live tables.
    pub wait_for_locks: Duration,
    /// Whether CI stays off in GitLab.
    pub leave_ci_off: bool,
    /// Whether the version of the target's GitLab does not matter.
    pub ignore_target_version: bool,
    /// Whether a changed value is a failure.
    pub strict: bool,
    /// Whether the report is in JSON.
    pub json: bool,
    /// The schema for the tables, if one is named.
    pub schema: Option<String>,
    /// Whether tables of a dump may replace existing ones.
    pub replace: bool,
    /// How values and types are converted.
    pub policies: Policies,
}

impl Settings {
    /// The settings from `arguments` and the environment. `variable` looks up a variable.
    pub fn new(arguments: ImportArgs, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let source = Source::named(
            arguments.archive.archive,
            arguments.archive.backup,
            variable,
        )?;
        let destination = Destination::named(arguments.target, variable)?;
        Ok(Settings {
            source,
            mysql_to_postgresql: arguments.mysql_to_postgresql,
            destination,
            resources: Resources::new(arguments.jobs, arguments.memory)?,
            allow_truncated_traces: arguments.allow_truncated_traces,
            allow_no_traces: arguments.allow_no_traces,
            secrets: arguments
                .secrets
                .as_deref()
                .map(secrets::read)
                .transpose()?,
            verify: arguments.verify,
            no_space_check: arguments.no_space_check,
            max_inflation: arguments.inflation.max_inflation,
            yes: arguments.yes || variable("force").as_deref() == Some("yes"),
            quiet: arguments.telling.quiet,
            wait_for_locks: Duration::from_secs(arguments.publishing.wait_for_locks.into()),
            leave_ci_off: arguments.publishing.leave_ci_off,
            ignore_target_version: arguments.ignore_target_version,
            strict: arguments.strict,
            json: arguments.telling.json,
            schema: arguments.schema,
            replace: arguments.replace,
            policies: policies(arguments.conversion)?,
        })
    }
}

/// The settings of a publish of what an import has kept.
#[derive(Clone)]
pub struct PublishSettings {
    /// The target.
    pub destination: Destination,
    /// Whether existing data is replaced without asking.
    pub yes: bool,
    /// How long the publish waits for others who hold the live tables.
    pub wait_for_locks: Duration,
    /// Whether CI stays off in GitLab.
    pub leave_ci_off: bool,
    /// The number of connections that count rows.
    pub resources: Resources,
    /// Whether only errors are printed.
    pub quiet: bool,
    /// Whether the report is in JSON.
    pub json: bool,
}

impl PublishSettings {
    /// The settings from `arguments` and the environment. `variable` looks up a variable.
    pub fn new(
        arguments: PublishArgs,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<PublishSettings> {
        let is_forced = variable("force").as_deref() == Some("yes");
        Ok(PublishSettings {
            destination: Destination::named(arguments.target, variable)?,
            yes: arguments.yes || is_forced,
            wait_for_locks: Duration::from_secs(arguments.publishing.wait_for_locks.into()),
            leave_ci_off: arguments.publishing.leave_ci_off,
            resources: Resources::new(None, None)?,
            quiet: arguments.telling.quiet,
            json: arguments.telling.json,
        })
    }
}

/// The settings of the checks before an import.
#[derive(Clone)]
pub struct CheckSettings {
    /// The archive.
    pub source: Source,
    /// Whether a MySQL dump may be converted.
    pub mysql_to_postgresql: bool,
    /// The target.
    pub destination: Destination,
    /// The schema for the tables, if one is named.
    pub schema: Option<String>,
    /// Whether the version of the target's GitLab does not matter.
    pub ignore_target_version: bool,
}

impl CheckSettings {
    /// The settings from `arguments` and the environment. `variable` looks up a variable.
    pub fn new(arguments: CheckArgs, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        Ok(CheckSettings {
            source: Source::named(
                arguments.archive.archive,
                arguments.archive.backup,
                &variable,
            )?,
            mysql_to_postgresql: arguments.mysql_to_postgresql,
            destination: Destination::named(arguments.target, variable)?,
            schema: arguments.schema,
            ignore_target_version: arguments.ignore_target_version,
        })
    }
}

/// The settings of a comparison of a target with its archive or dump.
#[derive(Clone)]
pub struct VerifySettings {
    /// The archive.
    pub source: Source,
    /// The target.
    pub destination: Destination,
    /// The schema with the tables, if one is named.
    pub schema: Option<String>,
    /// The number of connections and threads, and the amount of data that may wait in memory.
    pub resources: Resources,
    /// Whether a truncated tar of traces is accepted.
    pub allow_truncated_traces: bool,
    /// Whether an archive without a complete trace is accepted, though it should have some.
    pub allow_no_traces: bool,
    /// The maximum inflation of a member, as a multiple of its size.
    pub max_inflation: u32,
    /// How values and types were converted.
    pub policies: Policies,
}

impl VerifySettings {
    /// The settings from `arguments` and the environment. `variable` looks up a variable.
    pub fn new(arguments: VerifyArgs, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        Ok(VerifySettings {
            source: Source::named(
                arguments.archive.archive,
                arguments.archive.backup,
                &variable,
            )?,
            destination: Destination::named(arguments.target, variable)?,
            schema: arguments.schema,
            resources: Resources::new(arguments.jobs, arguments.memory)?,
            allow_truncated_traces: arguments.allow_truncated_traces,
            allow_no_traces: arguments.allow_no_traces,
            max_inflation: arguments.inflation.max_inflation,
            policies: policies(arguments.conversion)?,
        })
    }
}

/// The action of `migrate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrating {
    /// Run all pending migrations, with or without the post-deployment ones.
    All {
        /// Whether the post-deployment migrations stay pending.
        skip_post_deployment: bool,
    },
    /// List the migrations.
    Status,
    /// Run one migration.
    Up(Version),
    /// Undo one migration, by default the last one.
    Down(Option<Version>),
}

/// The settings of `migrate`.
#[derive(Clone)]
pub struct MigrateSettings {
    /// The action.
    pub migrating: Migrating,
    /// The target.
    pub destination: Destination,
    /// The folder of migrations, if one is named.
    pub folder: Option<PathBuf>,
    /// The schema to migrate, if one is named.
    pub schema: Option<String>,
    /// Whether the SQL is printed instead of being run.
    pub dry_run: bool,
    /// How long migrations wait for locks.
    pub retry_policy: RetryPolicy,
    /// Whether only errors are printed.
    pub quiet: bool,
    /// Whether the report is in JSON.
    pub json: bool,
}

impl MigrateSettings {
    /// The settings from `arguments` and the environment. `variable` looks up a variable.
    pub fn new(arguments: MigrateArgs, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let (migrating, which, how) = match arguments.action {
            None => {
                let skip_post_deployment =
                    arguments.skip_post_deployment || variable(SKIP_POST_DEPLOYMENT).is_some();
                let all = Migrating::All {
                    skip_post_deployment,
                };
                (all, arguments.which, arguments.how)
            }
            Some(MigrateAction::Status { which }) => (Migrating::Status, which, arguments.how),
            Some(MigrateAction::Up {
                version,
                which,
                how,
            }) => (Migrating::Up(parse_version(&version)?), which, how),
            Some(MigrateAction::Down {
                version,
                which,
                how,
            }) => {
                let version = version.as_deref().map(parse_version).transpose()?;
                (Migrating::Down(version), which, how)
            }
        };
        let MigrationsArgs {
            migrations,
            schema,
            target,
            telling,
        } = which;
        if target.builds_path.is_some() {
            return Err(Error::usage(
                "--builds-path: migrations do not use the traces",
            ));
        }
        let MigratingArgs {
            dry_run,
            lock_timeout,
            lock_retries,
        } = how;
        Ok(MigrateSettings {
            migrating,
            destination: Destination::named(target, variable)?,
            folder: migrations,
            schema,
            dry_run,
            retry_policy: RetryPolicy {
                lock_timeout: Duration::from_millis(lock_timeout.into()),
                retries: lock_retries,
            },
            quiet: telling.quiet,
            json: telling.json,
        })
    }
}

fn parse_version(text: &str) -> Result<Version> {
    Version::parse(text).ok_or_else(|| {
        Error::usage(format!("{text} is not the version of a migration"))
            .hint("a version is a UTC time, as in 20151001120000")
    })
}

/// The policies from the arguments.
pub fn policies(arguments: ConversionArgs) -> Result<Policies> {
    let skip_columns = arguments.skip_column.iter().map(|name| {
        let parts = name.split_once('.');
        parts
            .map(|(table, column)| (table.to_owned(), column.to_owned()))
            .ok_or_else(|| Error::usage(format!("--skip-column {name}: name it as TABLE.COLUMN")))
    });
    if arguments.timestamps == Timestamps::Local && local_time_zone().is_none() {
        let named = std::env::var("TZ").unwrap_or_default();
        return Err(Error::usage(format!(
            "--timestamps local: the time zone of this machine (TZ={named:?}) is not known"
        ))
        .hint(
            "set TZ to a name of the time zone database, which the package tzdata has (Europe/Berlin), or to the \
             rules of POSIX (CET-1CEST,M3.5.0,M10.5.0/3)",
        ));
    }
    Ok(Policies {
        values: ValuePolicies {
            zero_dates: arguments.zero_dates,
            invalid_dates: arguments.invalid_dates,
            nul: arguments.nul,
            invalid_utf8: arguments.invalid_utf8,
        },
        tinyint1: arguments.tinyint1,
        enums: arguments.enums,
        time: arguments.time,
        timestamps: arguments.timestamps,
        skip_columns: skip_columns.collect::<Result<_>>()?,
        skip_tables: arguments.skip_table,
        only_tables: arguments.only_table,
        database: arguments.from_database,
        skip_unsupported: false,
        generated: arguments.generated,
        generated_support: GeneratedSupport::default(),
        settles: false,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::arguments::Cli;
    use crate::input::source::Wanted;
    use crate::schema::policies::{Enums, Tinyint1};

    fn settings(line: &str, environment: &[(&str, &str)]) -> Result<Settings> {
        let cli = Cli::try_parse_from(line.split(' ')).expect(line);
        Settings::new(cli.import, |name| {
            environment
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
        assert!(Cli::try_parse_from(["ci-import"]).is_err());
        let both = "ci-import a.tar --database-url postgresql:///x --private-dir /y";
        assert!(Cli::try_parse_from(both.split(' ')).is_err());
        assert!(Cli::try_parse_from(["ci-import", "private", "start"]).is_ok());
    }

    #[test]
    fn the_target_is_the_one_named_first() {
        let environment = [
            ("PGHOST", "h"),
            ("PGUSER", "u"),
            ("DATABASE_URL", "postgresql://v@i/d"),
        ];
        let target =
            |line: &str, environment| match settings(line, environment).unwrap().destination {
                Destination::Named { target, .. } => target.to_string(),
                Destination::Private { .. } => "private".to_owned(),
            };
        assert_eq!(
            target("ci-import a.tar", &environment[..2]),
            "database u as u on h:5432"
        );
        assert_eq!(
            target("ci-import a.tar", &environment),
            "database d as v on i:5432"
        );
        let url = "ci-import a.tar --database-url postgresql://w@j/e";
        assert_eq!(target(url, &environment), "database e as w on j:5432");
    }

    #[test]
    fn an_archive_of_a_folder_is_named_by_option_or_environment() {
        let environment = [("BACKUP", "7"), ("HOME", "/home/x")];
        let source = |line: &str, environment| settings(line, environment).map(|s| s.source);
        let wanted = |line: &str, environment| match source(line, environment).unwrap() {
            Source::Path { wanted, .. } => wanted,
            Source::Stdin => panic!("no path: {line}"),
        };
        let by_option = Some(Wanted::Option("8".to_owned()));
        assert_eq!(wanted("ci-import d --backup 8", &environment), by_option);
        let by_environment = Some(Wanted::Environment("7".to_owned()));
        assert_eq!(wanted("ci-import d", &environment), by_environment);
        let empty = [("BACKUP", ""), ("HOME", "/home/x")];
        assert_eq!(wanted("ci-import d", &empty), None);
        assert_eq!(source("ci-import -", &environment).unwrap(), Source::Stdin);
        let error = source("ci-import - --backup 8", &empty).unwrap_err();
        assert!(
            error.to_string().starts_with("--backup 8 selects"),
            "{error}"
        );
        let error = source("ci-import -j 3", &environment).unwrap_err();
        assert!(error.to_string().contains("BACKUP=7 of the"), "{error}");
        let error = source("ci-import -j 3", &empty).unwrap_err();
        assert_eq!(error.to_string(), "no archive is named");
    }

    #[test]
    fn migrations_for_after_the_deployment_are_left_where_that_is_asked_for() {
        let migrating = |line: &str, value: &str| {
            let cli = Cli::try_parse_from(line.split(' ')).expect(line);
            let Some(crate::cli::arguments::Command::Migrate(arguments)) = cli.command else {
                panic!("{line}");
            };
            let variable = |name: &str| match name {
                "HOME" => Some("/home/x".to_owned()),
                SKIP_POST_DEPLOYMENT => Some(value.to_owned()),
                _ => None,
            };
            MigrateSettings::new(arguments, variable).map(|settings| settings.migrating)
        };
        let all = |skip_post_deployment| Migrating::All {
            skip_post_deployment,
        };
        assert_eq!(migrating("ci-import migrate", "").unwrap(), all(false));
        assert_eq!(migrating("ci-import migrate", "1").unwrap(), all(true));
        assert_eq!(migrating("ci-import migrate", "false").unwrap(), all(true));
        let option = "ci-import migrate --skip-post-deployment";
        assert_eq!(migrating(option, "").unwrap(), all(true));
        let version = Version::parse("20151001120000");
        let down = migrating("ci-import migrate down 20151001120000 --json", "1");
        assert_eq!(down.unwrap(), Migrating::Down(version));
        assert!(migrating("ci-import migrate up 2015", "").is_err());
        assert!(migrating("ci-import migrate --builds-path /b", "").is_err());
    }

    #[test]
    fn policies_are_understood() {
        let home = [("HOME", "/home/x")];
        let line =
            "ci-import a.sql --tinyint1 truthy --enum type --skip-column a.b --skip-column c.d.e";
        let policies = settings(line, &home).unwrap().policies;
        assert_eq!(
            (policies.tinyint1, policies.enums),
            (Tinyint1::Truthy, Enums::Type)
        );
        assert!(!policies.takes_column("c", "d.e") && policies.takes_column("a", "c"));
        assert!(settings("ci-import a.sql --skip-column a", &home).is_err());
    }

    #[test]
    fn without_a_target_it_is_the_private_server() {
        let environment = [("DATABASE_URL", ""), ("HOME", "/home/x")];
        let private = settings("ci-import - -j 3", &environment).unwrap();
        assert!(matches!(
            private.destination,
            Destination::Private { builds: None, .. }
        ));
        assert_eq!(
            (private.source, private.resources.jobs, private.yes),
            (Source::Stdin, 3, false)
        );
        let environment = [("DATABASE_URL", "postgresql://u@h/d"), ("force", "yes")];
        let private = settings("ci-import a.tar --private-dir /p", &environment).unwrap();
        assert!(matches!(private.destination, Destination::Private { .. }));
        assert!(private.yes);
    }
}
