//! The ways to name the target, and to connect to it.
//!
//! Each way yields parameters of MySQL's clients with their origins. As in these clients, the URL takes
//! precedence over option files, and option files over the environment.

pub(crate) mod database_yml;
pub(crate) mod host;
pub(crate) mod option_files;
pub(crate) mod parameters;
pub(crate) mod url;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::tls::Tls;
use host::Place;
use parameters::{KNOWN, switch};

use crate::error::{Error, Result};
use crate::server::options::{Entry, Origin, Origins, Parameters, system_user};

/// The default timeout of a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// The parameters that errors mention, for TCP and for sockets.
const TOLD_OF_HOSTS: [(&str, &str); 7] = [
    ("host", "host"),
    ("port", "port"),
    ("database", "database"),
    ("user", "user"),
    ("password", "password"),
    ("ssl-mode", "ssl-mode"),
    ("ssl-ca", "ssl-ca"),
];
const TOLD_OF_SOCKETS: [(&str, &str); 4] = [
    ("socket", "socket"),
    ("database", "database"),
    ("user", "user"),
    ("password", "password"),
];

/// A database of a MySQL or MariaDB server to import into.
#[derive(Clone)]
pub struct ConnectionOptions {
    pub(crate) place: Place,
    pub(crate) user: String,
    pub(crate) password: Option<String>,
    pub(crate) database: String,
    /// The timeout of a connection; unlimited if none.
    pub(crate) timeout: Option<Duration>,
    pub(crate) tls: Arc<Tls>,
    /// Whether the client may encrypt a password with the key that the server sends.
    pub(crate) trusts_key: bool,
    /// The origins of the parameters, for messages.
    pub(crate) origins: Origins,
}

/// Does not show the password.
impl fmt::Display for ConnectionOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConnectionOptions {
            database,
            user,
            place,
            ..
        } = self;
        write!(f, "database {database} as {user} on {place}")
    }
}

impl ConnectionOptions {
    /// The target of `url` alone: `mysql://user@host/database`.
    pub fn from_url(url: &str) -> Result<ConnectionOptions> {
        ConnectionOptions::of(&url::parse(url, &Origin::Url)?)
    }

    /// The target of `url`, completed from the option files and the environment of MySQL's clients.
    /// `variable` looks up a variable.
    pub fn named(
        url: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<ConnectionOptions> {
        ConnectionOptions::of_url(url, &Origin::Url, &variable)
    }

    /// As [`ConnectionOptions::named`], for a `url` from `origin`.
    pub(crate) fn of_url(
        url: &str,
        origin: &Origin,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<ConnectionOptions> {
        let parameters = url::parse(url, origin).map_err(|error| origin.places(error));
        ConnectionOptions::complete(parameters?, variable)
    }

    /// The target of an entry of a `database.yml` at `origin`, completed from the option files and the
    /// environment.
    pub(crate) fn from_entry(
        entry: Entry,
        origin: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<ConnectionOptions> {
        let parameters = database_yml::parameters(entry, origin);
        ConnectionOptions::complete(parameters.map_err(|error| error.at(origin))?, &variable)
    }

    /// The target of the given parameters, completed from option files and the environment.
    fn complete(
        mut typed: Parameters,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<ConnectionOptions> {
        typed.fill(option_files::parameters(variable)?);
        typed.fill(Parameters::of_environment(&KNOWN, variable)?);
        ConnectionOptions::of(&typed)
    }

    fn of(parameters: &Parameters) -> Result<ConnectionOptions> {
        let database = parameters.text("database").ok_or_else(|| {
            Error::usage("no database is named")
                .hint("put it at the end of the URL: mysql://user@host/database")
        })?;
        let place = Place::named(parameters)?;
        let mut origins = match place {
            Place::Host(..) => Origins::of(parameters, &TOLD_OF_HOSTS),
            Place::Socket(_) => Origins::of(parameters, &TOLD_OF_SOCKETS),
        };
        if parameters.text("user").is_none() {
            origins.add("the operating system", "user");
        }
        let system = || system_user().unwrap_or_else(|| "root".to_owned());
        let user = parameters.text("user").map_or_else(system, str::to_owned);
        let timeout = match parameters.number::<u64>("connect-timeout")? {
            None => Some(CONNECT_TIMEOUT),
            Some(0) => None,
            Some(seconds) => Some(Duration::from_secs(seconds)),
        };
        Ok(ConnectionOptions {
            place,
            user,
            password: parameters.text("password").map(str::to_owned),
            database: database.to_owned(),
            timeout,
            tls: Arc::new(Tls::new(parameters)?),
            trusts_key: parameters
                .read("get-server-public-key", switch, "0 or 1")?
                .unwrap_or(false),
            origins,
        })
    }

    /// The name of the live database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_never_shown() {
        let target =
            ConnectionOptions::from_url("mysql://git:s3cret@db.example:3307/gitlab").unwrap();
        let shown = "database gitlab as git on db.example:3307";
        assert_eq!(target.to_string(), shown);
        for url in [
            "mysql://git:s3cret@db:x/gitlab",
            "mysql://git:s3@cret@db/gitlab",
        ] {
            let error = ConnectionOptions::from_url(url).err().unwrap();
            assert!(!error.to_string().contains("cret"), "{error}");
        }
        let error = ConnectionOptions::from_url("mysql://git@db").err().unwrap();
        assert_eq!(error.to_string(), "no database is named");
    }

    #[test]
    fn what_is_typed_goes_before_option_files_and_these_before_the_environment() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(".my.cnf");
        std::fs::write(&file, "[client]\nuser=u\npassword=s3cret\nport=7\n").unwrap();
        let variable = |name: &str| {
            Some(match name {
                "HOME" => home.path().to_str()?.to_owned(),
                "MYSQL_HOST" => "h".to_owned(),
                "MYSQL_TCP_PORT" => "8".to_owned(),
                "MYSQL_PWD" => "no".to_owned(),
                _ => return None,
            })
        };
        let target = ConnectionOptions::named("mysql:///d", variable).unwrap();
        assert_eq!(target.to_string(), "database d as u on h:7");
        assert_eq!(target.password.as_deref(), Some("s3cret"));
        let shown = file.display();
        assert_eq!(
            target.origins.to_string(),
            format!(
                " (host from MYSQL_HOST; port from {shown} line 4; user from {shown} line 2; password \
                 from {shown} line 3)"
            )
        );
        let target = ConnectionOptions::named("mysql://v:w@i:9/d", variable).unwrap();
        assert_eq!(target.to_string(), "database d as v on i:9");
        assert_eq!(target.password.as_deref(), Some("w"));
    }
}
