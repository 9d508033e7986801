//! The destination of the data, as it is named.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::arguments::{StorageArgs, TargetArgs};
use crate::dump::acceptance::Asked;
use crate::error::Result;
use crate::gitlab::content::Content;
use crate::migrate::Dialect;
use crate::schema::policies::Policies;
use crate::server::Target;
use crate::server::postgresql::migrate::DIALECT;
use crate::server::postgresql::private_server::PrivateServer;
use crate::storage::{ObjectUrl, Objects, Writing};

/// The environment of a database.yml that GitLab uses.
const DEFAULT_ENVIRONMENT: &str = "production";

/// Where the build traces go, as it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildsPath {
    /// A directory.
    Directory(PathBuf),
    /// A prefix of an object storage.
    Prefix {
        /// Its URL.
        url: ObjectUrl,
        /// How long a request is tried.
        timeout: Duration,
    },
}

impl BuildsPath {
    fn named(path: PathBuf) -> Result<BuildsPath> {
        match ObjectUrl::in_path(&path) {
            None => Ok(BuildsPath::Directory(path)),
            Some(url) => Ok(BuildsPath::Prefix {
                url: url.map_err(|error| error.at("--builds-path"))?,
                timeout: StorageArgs::default().timeout(),
            }),
        }
    }

    /// How objects are written there, of which none is ever replaced.
    #[must_use]
    pub fn writing(timeout: Duration) -> Writing {
        Writing::within(None, false, timeout)
    }
}

/// The destination of the data.
#[derive(Clone)]
pub enum Destination {
    /// A named database.
    Named {
        /// The database.
        target: Box<Target>,
        /// Where the traces go, which only an archive has.
        builds: Option<BuildsPath>,
    },
    /// The private server.
    Private {
        /// Its directory.
        directory: PathBuf,
        /// Where the traces go, if not into the directory beside the database.
        builds: Option<BuildsPath>,
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

    /// Where the traces go, if that is named.
    #[must_use]
    pub fn builds(&self) -> Option<&BuildsPath> {
        match self {
            Destination::Named { builds, .. } | Destination::Private { builds, .. } => {
                builds.as_ref()
            }
        }
    }

    /// The same, with requests to an object storage that are tried as long as `storage` says.
    #[must_use]
    pub fn trying(mut self, storage: StorageArgs) -> Destination {
        let (Destination::Named { builds, .. } | Destination::Private { builds, .. }) = &mut self;
        if let Some(BuildsPath::Prefix { timeout, .. }) = builds {
            *timeout = storage.timeout();
        }
        self
    }

    /// What writing traces takes of the memory, in bytes, besides what it always takes.
    #[must_use]
    pub fn reserved_bytes(&self) -> usize {
        match self.builds() {
            Some(BuildsPath::Prefix { timeout, .. }) => {
                Objects::memory_bytes(&BuildsPath::writing(*timeout))
            }
            _ => 0,
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
            builds_path,
            private_dir,
        } = arguments;
        let builds = builds_path.map(BuildsPath::named).transpose()?;
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
