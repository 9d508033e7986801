//! How the target is named, and how to connect to it.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::{Client, Config, NoTls};

use super::failure::failure;
use super::staging::{Owner, join};
use crate::error::{Error, Result};
use crate::failpoint;

/// The oldest server that is supported: `AS integer` of sequences came with it.
const OLDEST_SERVER: i32 = 100_000;

/// A table has some indexes, and as many jobs build them; only more jobs than that leave CPUs idle.
const JOBS_PER_HELPER: usize = 4;

/// Where Debian's and PostgreSQL's own builds have their socket.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// What sessions that move rows depend on.
const SESSION: &str = "\
SET search_path = pg_catalog; SET datestyle = 'ISO, YMD'; SET timezone = 'UTC';
SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;
SET client_min_messages = warning";

/// A PostgreSQL database to import into.
#[derive(Clone)]
pub struct Target {
    config: Config,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its version, as it writes it.
    pub version: String,
    /// Where its data are, if it runs on this machine and says so.
    pub data_directory: Option<PathBuf>,
}

/// Without the password.
impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let config = &self.config;
        let database = config
            .get_dbname()
            .or(config.get_user())
            .unwrap_or_default();
        write!(f, "database {database}")?;
        if let Some(user) = config.get_user() {
            write!(f, " as {user}")?;
        }
        let port = config.get_ports().first().copied().unwrap_or(5432);
        match config.get_hosts().first() {
            Some(Host::Tcp(host)) => write!(f, " on {host}:{port}"),
            Some(Host::Unix(directory)) => write!(f, " on the socket {}", directory.display()),
            None => Ok(()),
        }
    }
}

impl Target {
    /// The target that `url` names: `postgresql://user@host/database`, or libpq's `key=value`.
    pub fn from_url(url: &str) -> Result<Target> {
        if url.starts_with("mysql:") || url.starts_with("mysql2:") || url.starts_with("mariadb:") {
            return Err(Error::usage("a MySQL target is not supported yet")
                .hint("name a PostgreSQL database: postgresql://user@host/database"));
        }
        let config = Config::from_str(url).map_err(|cause| {
            Error::usage(format!("the database URL cannot be read: {cause}"))
                .hint("it should look like postgresql://user:password@host:5432/database")
        })?;
        let is_split_wrongly = |host: &Host| matches!(host, Host::Tcp(name) if name.contains('@'));
        if config.get_hosts().iter().any(is_split_wrongly) {
            return Err(Error::usage("the database URL has an \"@\" too many")
                .hint("an \"@\" in a password is written %40"));
        }
        Ok(Target::new(config))
    }

    /// The target that libpq's environment names (PostgreSQL manual, 34.15), if it names one.
    /// `variable` looks up a variable of the environment.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Target>> {
        let not_yet = [
            "PGHOSTADDR",
            "PGPASSFILE",
            "PGSSLROOTCERT",
            "PGSSLCERT",
            "PGOPTIONS",
        ];
        if let Some(name) = not_yet.iter().find(|name| variable(name).is_some()) {
            return Err(
                Error::usage(format!("{name} is set, but not supported yet"))
                    .hint("unset it, or name the target with --database-url"),
            );
        }
        if variable("PGSERVICE").is_some() {
            return Err(
                Error::usage("PGSERVICE is set, but service files are not supported yet")
                    .hint("name the target with --database-url, or unset PGSERVICE"),
            );
        }
        if variable("PGHOST").is_none() && variable("PGDATABASE").is_none() {
            return Ok(None);
        }
        let mut config = Config::new();
        for host in variable("PGHOST").iter().flat_map(|hosts| hosts.split(',')) {
            config.host(host);
        }
        if let Some(port) = variable("PGPORT") {
            let port = port
                .parse()
                .map_err(|_| Error::usage(format!("PGPORT is {port:?}, which is no port")))?;
            config.port(port);
        }
        match variable("PGSSLMODE").as_deref() {
            None | Some("disable") => config.ssl_mode(SslMode::Disable),
            Some("allow" | "prefer") => config.ssl_mode(SslMode::Prefer),
            Some(_) => config.ssl_mode(SslMode::Require),
        };
        if let Some(user) = variable("PGUSER") {
            config.user(&user);
        }
        if let Some(database) = variable("PGDATABASE") {
            config.dbname(&database);
        }
        if let Some(password) = variable("PGPASSWORD") {
            config.password(password);
        }
        Ok(Some(Target::new(config)))
    }

    /// The database on a server of our own that listens in `socket_directory`.
    #[must_use]
    pub fn on_socket(socket_directory: &Path, port: u16, user: &str, database: &str) -> Target {
        let mut config = Config::new();
        config
            .host_path(socket_directory)
            .port(port)
            .user(user)
            .dbname(database);
        Target::new(config)
    }

    fn new(mut config: Config) -> Target {
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            let found = SOCKET_DIRECTORIES
                .into_iter()
                .find(|directory| Path::new(directory).join(".s.PGSQL.5432").exists());
            match found {
                Some(directory) => config.host_path(directory),
                None => config.host("localhost"),
            };
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(30));
        }
        Target { config }
    }

    /// Connects. The session writes dates as the COPY text has them, and finds the server's own
    /// functions only: all other names are qualified.
    pub fn connect(&self) -> Result<Client> {
        if self.config.get_ssl_mode() == SslMode::Require {
            return Err(Error::usage("sslmode=require: TLS is not supported yet"));
        }
        let mut config = self.config.clone();
        config.application_name("ci-import");
        let mut client = config.connect(NoTls).map_err(|cause| {
            let error = failure(format!("connect to {self}"))(cause);
            Error::target(error.to_string())
                .hint("is the server running, and are host, port, user and password right?")
        })?;
        let version: i32 = client
            .query_one("SELECT current_setting('server_version_num')::int", &[])
            .map_err(failure("ask for the server's version"))?
            .get(0);
        failpoint::reached("connected");
        if version < OLDEST_SERVER {
            return Err(Error::target(format!(
                "the server is PostgreSQL {}.{}; 10 is the oldest supported",
                version / 10_000,
                version / 100 % 100
            )));
        }
        Ok(client)
    }

    /// What the server says of itself.
    pub fn server(&self) -> Result<Server> {
        let mut client = self.connect()?;
        let row = client
            .query_one(
                "SELECT current_setting('server_version'),
                        CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE')
                             THEN current_setting('data_directory') END",
                &[],
            )
            .map_err(failure("ask for the server's version"))?;
        let is_here = self.config.get_hosts().iter().all(|host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => name == "localhost",
        });
        let data_directory: Option<String> = row.get(1);
        Ok(Server {
            version: row.get(0),
            data_directory: data_directory.filter(|_| is_here).map(PathBuf::from),
        })
    }

    /// Connects to read rows, as they are.
    pub fn connect_to_read(&self) -> Result<Client> {
        let mut client = self.connect()?;
        client
            .batch_execute(SESSION)
            .map_err(failure("prepare the session"))?;
        Ok(client)
    }

    /// Connects for loading: what is committed need not be on disk before the publish is, and
    /// where `jobs` sessions build indexes at the same time, none needs many helpers. The session
    /// works for the import of `owner`.
    pub(super) fn connect_for_loading(&self, jobs: usize, owner: Owner) -> Result<Client> {
        let mut client = self.connect_to_read()?;
        join(&mut client, owner)?;
        client
            .batch_execute("SET synchronous_commit = off")
            .map_err(failure("prepare the session"))?;
        let helpers = i32::try_from(jobs / JOBS_PER_HELPER).unwrap_or(0);
        // PostgreSQL 10 has no such setting.
        client
            .execute(
                "SELECT set_config(name, least(setting::int, $1)::text, false) FROM pg_settings
                 WHERE name = 'max_parallel_maintenance_workers'",
                &[&helpers],
            )
            .map_err(failure("prepare the session"))?;
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_never_shown() {
        let target = Target::from_url("postgresql://git:s3cret@db.example:5433/gitlab").unwrap();
        assert_eq!(
            target.to_string(),
            "database gitlab as git on db.example:5433"
        );
        let error = Target::from_url("postgresql://git:s3cret@db:x/gitlab")
            .err()
            .unwrap();
        assert!(!error.to_string().contains("s3cret"), "{error}");
        let error = Target::from_url("postgresql://git:s3@cret@db/gitlab")
            .err()
            .unwrap();
        assert!(!error.to_string().contains("cret"), "{error}");
    }

    #[test]
    fn the_environment_names_a_target_or_none() {
        let from = |pairs: &[(&str, &str)]| {
            Target::from_environment(|name| {
                pairs
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(from(&[("PGUSER", "git")]).unwrap().is_none());
        let target = from(&[
            ("PGHOST", "/tmp/s"),
            ("PGPORT", "6000"),
            ("PGDATABASE", "d"),
            ("PGUSER", "u"),
        ]);
        assert_eq!(
            target.unwrap().unwrap().to_string(),
            "database d as u on the socket /tmp/s"
        );
        assert!(from(&[("PGSERVICE", "x")]).is_err());
        assert!(Target::from_url("mysql://u@h/d").is_err());
    }
}
