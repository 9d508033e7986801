//! What the arguments and the environment mean. Nothing is done here, only judged.

use std::path::PathBuf;

use crate::cli::ImportArgs;
use crate::error::{Error, Result};
use crate::load::Target;
use crate::private_server::PrivateServer;

/// Where the archive comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file, or anything else with a path.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

/// Where the data go.
#[derive(Clone)]
pub enum Destination {
    /// A database that was named, and the builds directory.
    Named {
        /// The database.
        target: Box<Target>,
        /// The builds directory.
        builds: PathBuf,
    },
    /// The private server.
    Private {
        /// Its directory.
        directory: PathBuf,
        /// The builds directory, if not the one beside the database.
        builds: Option<PathBuf>,
    },
}

/// An import as it was asked for.
#[derive(Clone)]
pub struct Settings {
    /// The archive.
    pub source: Source,
    /// Whether a MySQL dump may be converted.
    pub mysql_to_postgresql: bool,
    /// The target.
    pub destination: Destination,
    /// Connections that load, threads that write.
    pub jobs: usize,
    /// Whether existing data may be replaced without asking.
    pub yes: bool,
    /// Whether nothing but errors is said.
    pub quiet: bool,
}

impl Settings {
    /// The settings that `arguments` and the environment, looked up by `variable`, ask for.
    pub fn new(arguments: ImportArgs, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let source = match arguments.archive {
            Some(path) if path.as_os_str() == "-" => Source::Stdin,
            Some(path) => Source::Path(path),
            None => return Err(Error::usage("no archive is named")),
        };
        let target = match (&arguments.database_url, &arguments.private_dir) {
            (Some(url), _) => Some(Target::from_url(url)?),
            (None, Some(_)) => None,
            (None, None) => match variable("DATABASE_URL") {
                Some(url) => Some(Target::from_url(&url).map_err(|e| e.at("DATABASE_URL"))?),
                None => Target::from_environment(variable)?,
            },
        };
        let destination = match target {
            Some(target) => {
                let builds = arguments.builds_path.ok_or_else(|| {
                    Error::usage("a database is named, but no directory for the build traces").hint(
                        "add --builds-path; GitLab's own is /home/git/gitlab/builds or \
                         /var/opt/gitlab/gitlab-ci/builds",
                    )
                })?;
                Destination::Named {
                    target: Box::new(target),
                    builds,
                }
            }
            None => Destination::Private {
                directory: arguments
                    .private_dir
                    .unwrap_or_else(|| PrivateServer::default_directory(variable)),
                builds: arguments.builds_path,
            },
        };
        let cpus = || {
            std::thread::available_parallelism()
                .map_or(2, usize::from)
                .clamp(2, 16)
        };
        Ok(Settings {
            source,
            mysql_to_postgresql: arguments.mysql_to_postgresql,
            destination,
            jobs: arguments.jobs.map_or_else(cpus, usize::from),
            yes: arguments.yes || variable("force").as_deref() == Some("yes"),
            quiet: arguments.quiet,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

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
    fn a_named_database_needs_a_builds_path() {
        let error = settings("ci-import a.tar --database-url postgresql://u@h/d", &[])
            .err()
            .unwrap();
        assert_eq!(error.kind().exit_code(), 2);
        assert!(settings("ci-import a.tar", &[("DATABASE_URL", "postgresql://u@h/d")]).is_err());
        let named = settings(
            "ci-import a.tar --builds-path /b",
            &[("PGHOST", "h"), ("PGUSER", "u")],
        );
        assert!(matches!(
            named.unwrap().destination,
            Destination::Named { .. }
        ));
    }

    #[test]
    fn without_a_target_it_is_the_private_server() {
        let environment = [("DATABASE_URL", "")];
        let private = settings("ci-import - -j 3", &environment).unwrap();
        assert!(matches!(
            private.destination,
            Destination::Private { builds: None, .. }
        ));
        assert_eq!(
            (private.source, private.jobs, private.yes),
            (Source::Stdin, 3, false)
        );
        let environment = [("DATABASE_URL", "postgresql://u@h/d"), ("force", "yes")];
        let private = settings("ci-import a.tar --private-dir /p", &environment).unwrap();
        assert!(matches!(private.destination, Destination::Private { .. }));
        assert!(private.yes);
    }
}
