//! The destination of the data, as it is named.

use std::path::PathBuf;

use crate::cli::arguments::TargetArgs;
use crate::dump::acceptance::Asked;
use crate::error::Result;
use crate::gitlab::content::Content;
use crate::migrate::Dialect;
use crate::schema::policies::Policies;
use crate::server::Target;
use crate::server::postgresql::migrate::DIALECT;
use crate::server::postgresql::private_server::PrivateServer;

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
