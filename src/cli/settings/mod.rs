//! The meaning of the arguments and the environment. This module validates only, and runs nothing.

mod destination;
mod migrate;
mod policies;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::arguments::{CheckArgs, ImportArgs, OwnerArgs, PublishArgs, VerifyArgs};
use crate::error::{Error, Result};
use crate::gitlab::secrets::{self, SecretsFile};
use crate::input::source::Source;
use crate::resources::Resources;
use crate::schema::policies::Policies;
use crate::storage::ObjectUrl;
use crate::traces::Owner;
use crate::verify::depth::Depth;
pub use destination::{BuildsPath, Destination};
pub use migrate::{MigrateSettings, Migrating};
pub use policies::policies;
use policies::policies_for;

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
    /// Whose the traces become, if that is not as it is now.
    pub builds_owner: Option<Owner>,
    /// Whether to start even if the file system reports too little space for the traces.
    pub no_space_check: bool,
    /// The maximum inflation of a member, as a multiple of its size.
    pub max_inflation: u32,
    /// Whether an import of what is live already does nothing.
    pub once: bool,
    /// Whether existing data is replaced without asking.
    pub yes: bool,
    /// Whether only errors are printed.
    pub quiet: bool,
    /// How long a publish waits for others who hold the live tables.
    pub wait_for_locks: Duration,
    /// Whether CI stays off in GitLab.
    pub leave_ci_off: bool,
    /// Whether tables that Citus distributes may be replaced by ordinary ones.
    pub undistribute: bool,
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
        let storage = arguments.archive.storage;
        let source = Source::named(arguments.archive, variable)?;
        let destination = Destination::named(arguments.target, variable)?.trying(storage);
        Ok(Settings {
            mysql_to_postgresql: arguments.mysql_to_postgresql,
            resources: Resources::beside(
                source.reserved_bytes() + destination.reserved_bytes(),
                arguments.jobs,
                arguments.memory,
            )?,
            source,
            destination,
            allow_truncated_traces: arguments.allow_truncated_traces,
            allow_no_traces: arguments.allow_no_traces,
            secrets: arguments
                .secrets
                .as_deref()
                .map(secrets::read)
                .transpose()?,
            verify: arguments.verify,
            builds_owner: owner(&arguments.owner)?,
            no_space_check: arguments.no_space_check,
            max_inflation: arguments.inflation.max_inflation,
            once: arguments.once,
            yes: arguments.yes || variable("force").as_deref() == Some("yes"),
            quiet: arguments.telling.quiet,
            wait_for_locks: Duration::from_secs(arguments.publishing.wait_for_locks.into()),
            leave_ci_off: arguments.publishing.leave_ci_off,
            undistribute: arguments.publishing.clusters.undistribute,
            ignore_target_version: arguments.ignore_target_version,
            strict: arguments.strict,
            json: arguments.telling.json,
            policies: policies_for(arguments.conversion, arguments.schema.as_deref())?,
            schema: arguments.schema,
            replace: arguments.replace,
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
    /// Whether tables that Citus distributes may be replaced by ordinary ones.
    pub undistribute: bool,
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
            destination: Destination::named(arguments.target, variable)?.trying(arguments.storage),
            yes: arguments.yes || is_forced,
            wait_for_locks: Duration::from_secs(arguments.publishing.wait_for_locks.into()),
            leave_ci_off: arguments.publishing.leave_ci_off,
            undistribute: arguments.publishing.clusters.undistribute,
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
    /// Whether tables that Citus distributes may be replaced by ordinary ones.
    pub undistribute: bool,
    /// Whose the traces become, if that is not as it is now.
    pub builds_owner: Option<Owner>,
    /// The directory of GitLab's repositories, if it is named.
    pub repositories: Option<PathBuf>,
}

impl CheckSettings {
    /// The settings from `arguments` and the environment. `variable` looks up a variable.
    pub fn new(arguments: CheckArgs, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let storage = arguments.archive.storage;
        Ok(CheckSettings {
            source: Source::named(arguments.archive, &variable)?,
            mysql_to_postgresql: arguments.mysql_to_postgresql,
            destination: Destination::named(arguments.target, variable)?.trying(storage),
            schema: arguments.schema,
            ignore_target_version: arguments.ignore_target_version,
            undistribute: arguments.clusters.undistribute,
            builds_owner: owner(&arguments.owner)?,
            repositories: arguments.repositories_path,
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
        let storage = arguments.archive.storage;
        let source = Source::named(arguments.archive, &variable)?;
        let destination = Destination::named(arguments.target, variable)?.trying(storage);
        Ok(VerifySettings {
            policies: policies_for(arguments.conversion, arguments.schema.as_deref())?,
            schema: arguments.schema,
            resources: Resources::beside(
                source.reserved_bytes() + destination.reserved_bytes(),
                arguments.jobs,
                arguments.memory,
            )?,
            source,
            destination,
            allow_truncated_traces: arguments.allow_truncated_traces,
            allow_no_traces: arguments.allow_no_traces,
            max_inflation: arguments.inflation.max_inflation,
        })
    }
}

/// An error if `path`, which `option` names, is in an object storage, where only a directory will do.
pub fn refuse_storage(path: &Path, option: &str) -> Result<()> {
    match ObjectUrl::in_path(path) {
        None => Ok(()),
        Some(_) => Err(Error::usage(format!("{option}: it is not a directory"))
            .hint("GitLab and GitLab CI read and write their traces in a directory")),
    }
}

/// The owner that is named, if one is.
pub fn owner(arguments: &OwnerArgs) -> Result<Option<Owner>> {
    let named = arguments.builds_owner.as_deref().map(Owner::named);
    let named = named.transpose();
    named.map_err(|error| error.at("--builds-owner"))
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
            Source::Stdin | Source::Several(_) | Source::Object { .. } => panic!("no path: {line}"),
        };
        let by_option = Some(Wanted::Option("8".to_owned()));
        assert_eq!(wanted("ci-import d --backup 8", &environment), by_option);
        let by_environment = Some(Wanted::Environment("7".to_owned()));
        assert_eq!(wanted("ci-import d", &environment), by_environment);
        let empty = [("BACKUP", ""), ("HOME", "/home/x")];
        assert_eq!(wanted("ci-import d", &empty), None);
        assert_eq!(source("ci-import -", &environment).unwrap(), Source::Stdin);
        let several = Source::Several(vec!["a.sql".into(), "b.sql".into()]);
        assert_eq!(
            source("ci-import a.sql b.sql", &environment).unwrap(),
            several
        );
        for (line, expected) in [
            (
                "ci-import a.sql b.sql --backup 8",
                "--backup 8 selects an archive in a folder",
            ),
            (
                "ci-import a.sql -",
                "\"-\" is a pipe, and several inputs must be files",
            ),
        ] {
            let error = source(line, &environment).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
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
    fn policies_are_understood() {
        let home = [("HOME", "/home/x")];
        let line =
            "ci-import a.sql --tinyint1 truthy --enum type --skip-column a.b --skip-column c.d.e";
        let policies = settings(line, &home).unwrap().policies;
        assert_eq!(
            (policies.columns.tinyint1, policies.columns.enums),
            (Tinyint1::Truthy, Enums::Type)
        );
        assert!(!policies.takes_column(None, "c", "d.e") && policies.takes_column(None, "a", "c"));
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
