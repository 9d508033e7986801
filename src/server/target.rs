//! The kinds of target. This is the only place that distinguishes them.

use std::fmt;
use std::path::Path;

use super::about::About;
use super::backup_source::{BackupSource, DumpProgram};
use super::comparison::Verifies;
use super::description::Server;
use super::locked_target::LockedTarget;
use super::migration::InMigrationSession;
use super::mysql::ConnectionOptions as Mysql;
use super::mysql::target::{self as of_mysql, LockedMysql};
use super::options::{self, Kind, Origin};
use super::postgresql::options::ConnectionOptions as Postgresql;
use super::postgresql::target::{self as of_postgresql, LockedPostgresql};
use crate::cancellation::Cancellation;
use crate::dump::Databases;
use crate::dump::acceptance::Asked;
use crate::error::{Error, Result};
use crate::gitlab::content::Content;
use crate::migrate::Dialect;
use crate::schema::policies::Policies;

/// A database to import into.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "there are only a few")]
pub enum Target {
    /// Of a PostgreSQL.
    Postgresql(Postgresql),
    /// Of a MySQL or MariaDB.
    Mysql(Mysql),
}

impl Target {
    /// The target that `url` names together with the environment, in which `variable` looks up a
    /// variable.
    pub fn named(url: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Target> {
        Target::of_url(url, &Origin::Url, &variable)
    }

    /// The target of the URL in the variable `DATABASE_URL`, if it is set.
    pub fn from_database_url(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Target>> {
        const NAME: &str = "DATABASE_URL";
        let Some(url) = variable(NAME) else {
            return Ok(None);
        };
        let target = Target::of_url(&url, &Origin::UrlIn(NAME.to_owned()), &variable);
        target.map(Some)
    }

    fn of_url(
        url: &str,
        origin: &Origin,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Target> {
        if options::is_mysql(url) {
            return Mysql::of_url(url, origin, variable).map(Target::Mysql);
        }
        Postgresql::of_url(url, origin, variable).map(Target::Postgresql)
    }

    /// The target that libpq's environment names, if it names one.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Target>> {
        Ok(Postgresql::from_environment(variable)?.map(Target::Postgresql))
    }

    /// The target that the file `database.yml` has for `environment`.
    pub fn from_database_yml(
        file: &Path,
        environment: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Target> {
        let (entry, origin) = options::read_database_yml(file, environment)?;
        let variable = entry.variables(variable);
        match entry.kind().map_err(|error| error.at(&origin))? {
            Kind::Postgresql => {
                Postgresql::from_entry(entry, &origin, variable).map(Target::Postgresql)
            }
            Kind::Mysql => Mysql::from_entry(entry, &origin, variable).map(Target::Mysql),
        }
    }

    /// Which dumps the target accepts, for this `content`, and with or without `--mysql-to-postgresql`. An
    /// error if the options are not for this target.
    pub fn asks(
        &self,
        mysql_to_postgresql: bool,
        content: Content,
        policies: &Policies,
    ) -> Result<Asked> {
        let takes_all = policies.databases == Databases::All;
        if takes_all && content.has_traces() {
            return Err(Error::usage(
                "--databases-to-schemas is for dumps: an archive of GitLab CI holds one database",
            ));
        }
        if content.has_traces() {
            policies.refuse_map()?;
        }
        match self {
            Target::Mysql(_) if takes_all => Err(Error::usage(
                "--databases-to-schemas: the target is a MySQL server, where a database has no schemas",
            )
            .hint("import one database after the other: --from-database NAME")),
            Target::Postgresql(_) => Ok(Asked::by_option(
                mysql_to_postgresql,
                content.is_converted_unasked(),
            )),
            Target::Mysql(_) if mysql_to_postgresql => Err(Error::usage(
                "--mysql-to-postgresql: the target is a MySQL server, which accepts a MySQL dump unchanged",
            )
            .hint("omit the option, or name a PostgreSQL")),
            Target::Mysql(_) => of_mysql::refuse_conversions(policies).map(|()| Asked::ForMysql),
        }
    }

    /// Connects and takes the lock, which only one import at a time can hold.
    pub fn lock(&self) -> Result<Box<dyn LockedTarget>> {
        Ok(match self {
            Target::Postgresql(target) => Box::new(LockedPostgresql::lock(target)?),
            Target::Mysql(target) => Box::new(LockedMysql::lock(target)?),
        })
    }

    /// The SQL that migrations of this target are written in.
    #[must_use]
    pub fn migration_dialect(&self) -> Dialect {
        match self {
            Target::Postgresql(_) => super::postgresql::migrate::DIALECT,
            Target::Mysql(_) => super::mysql::migrate::DIALECT,
        }
    }

    /// Has `command` use a session that migrates this target: the `schema` that is named, or its own.
    pub fn in_migration_session<C: InMigrationSession>(
        &self,
        schema: Option<&str>,
        cancellation: &Cancellation,
        command: C,
    ) -> Result<C::Done> {
        match self {
            Target::Postgresql(target) => {
                of_postgresql::migrate(target, schema, cancellation, command)
            }
            Target::Mysql(target) => of_mysql::migrate(target, schema, cancellation, command),
        }
    }

    /// What the server says of itself.
    pub fn server(&self) -> Result<Server> {
        match self {
            Target::Postgresql(target) => of_postgresql::server(target),
            Target::Mysql(target) => of_mysql::server(target),
        }
    }

    /// What this database is.
    pub fn about(&self) -> Result<About> {
        match self {
            Target::Postgresql(target) => target.about(),
            Target::Mysql(target) => target.about(),
        }
    }

    /// What this database has of GitLab CI, to be backed up.
    pub fn backup_source(&self) -> Result<BackupSource> {
        match self {
            Target::Postgresql(target) => target.backup_source(),
            Target::Mysql(target) => target.backup_source(),
        }
    }

    /// The program that dumps what is in `source`.
    pub fn dump_program(&self, source: &BackupSource) -> Result<DumpProgram> {
        match self {
            Target::Postgresql(target) => target.dump_program(source),
            Target::Mysql(target) => target.dump_program(source),
        }
    }

    /// Whether it is a MySQL or MariaDB.
    #[must_use]
    pub fn is_mysql(&self) -> bool {
        matches!(self, Target::Mysql(_))
    }

    /// Reads a dump into the tables that this target should have.
    #[must_use]
    pub fn verifies(&self) -> &dyn Verifies {
        match self {
            Target::Postgresql(target) => target,
            Target::Mysql(target) => target,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Postgresql(target) => target.fmt(f),
            Target::Mysql(target) => target.fmt(f),
        }
    }
}
