//! The ways to name the target, and to connect to it.
//!
//! Each way yields libpq's parameters with their origins. As with libpq, the URL takes precedence over a
//! service file, and a service file over the environment.

pub(crate) mod database_yml;
pub(crate) mod hosts;
pub(crate) mod parameters;
pub(crate) mod passfile;
pub(crate) mod service;
pub(crate) mod url;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use postgres::Config;
use postgres::config::{ChannelBinding, SslNegotiation, TargetSessionAttrs};

use super::authentication::{EXPECTED, Methods};
use super::tls::{Mode, Tls};
use hosts::{Listener, Place};
use parameters::KNOWN;

use crate::error::{Error, Result};
use crate::server::options::{Entry, Origin, Origins, Parameters, keep_alive, system_user};

/// The default timeout of a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// The variables that name a target; all others only add to it.
const NAMING_VARIABLES: [&str; 4] = ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE"];

/// The parameters that errors mention, and their names in errors.
const TOLD: [(&str, &str); 8] = [
    ("host", "host"),
    ("hostaddr", "address"),
    ("port", "port"),
    ("dbname", "database"),
    ("user", "user"),
    ("password", "password"),
    ("sslmode", "sslmode"),
    ("sslrootcert", "sslrootcert"),
];

/// A PostgreSQL database to import into.
#[derive(Clone)]
pub struct ConnectionOptions {
    /// The possible places of the server; the first that answers is used.
    pub(crate) places: Vec<Place>,
    pub(crate) user: String,
    pub(crate) database: String,
    /// The configuration that all places share.
    pub(crate) config: Config,
    pub(crate) tls: Arc<Tls>,
    /// The methods of authentication that the server may ask for.
    pub(crate) methods: Methods,
    /// The origins of the parameters, for messages.
    pub(crate) origins: Origins,
}

/// Does not show the password.
impl fmt::Display for ConnectionOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "database {} as {} on ", self.database, self.user)?;
        let places: Vec<String> = self.places.iter().map(Place::to_string).collect();
        f.write_str(&places.join(" or "))
    }
}

impl ConnectionOptions {
    /// The target of `url` alone: `postgresql://user@host/database`, or libpq's `key=value`.
    pub fn from_url(url: &str) -> Result<ConnectionOptions> {
        ConnectionOptions::named(url, |_| None)
    }

    /// The target of `url`, completed from libpq's environment. `variable` looks up a variable.
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

    /// The target of libpq's environment (PostgreSQL manual, 34.15), if the environment names one. `variable`
    /// looks up a variable.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<ConnectionOptions>> {
        if NAMING_VARIABLES.iter().all(|name| variable(name).is_none()) {
            return Ok(None);
        }
        ConnectionOptions::complete(Parameters::new(&KNOWN), &variable).map(Some)
    }

    /// The target of an entry of a `database.yml` at `origin`, completed from libpq's environment.
    pub(crate) fn from_entry(
        entry: Entry,
        origin: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<ConnectionOptions> {
        let parameters = database_yml::parameters(entry, origin);
        ConnectionOptions::complete(parameters.map_err(|error| error.at(origin))?, &variable)
    }

    /// The database on the private server that listens in `socket_directory`.
    #[must_use]
    pub fn on_socket(
        socket_directory: &Path,
        port: u16,
        user: &str,
        database: &str,
    ) -> ConnectionOptions {
        let mut config = Config::new();
        config.user(user).dbname(database);
        config.connect_timeout(CONNECT_TIMEOUT);
        ConnectionOptions {
            places: vec![Place::socket(socket_directory, port)],
            user: user.to_owned(),
            database: database.to_owned(),
            config,
            tls: Arc::new(Tls::none()),
            methods: Methods::ANY,
            origins: Origins::default(),
        }
    }

    /// The target of the given parameters, completed from a service file and the environment.
    fn complete(
        mut typed: Parameters,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<ConnectionOptions> {
        let environment = Parameters::of_environment(&KNOWN, variable)?;
        let service = typed.text("service").or(environment.text("service"));
        if let Some(name) = service.map(str::to_owned) {
            typed.fill(service::parameters(&name, variable)?);
        }
        typed.fill(environment);
        ConnectionOptions::of(&typed, variable("HOME").map(PathBuf::from).as_deref())
    }

    fn of(parameters: &Parameters, home: Option<&Path>) -> Result<ConnectionOptions> {
        let system = || system_user().unwrap_or_else(|| "postgres".to_owned());
        let user = parameters.text("user").map_or_else(system, str::to_owned);
        let database = parameters.text("dbname").unwrap_or(&user).to_owned();
        let mut places = hosts::places(parameters)?;
        if let Some(password) = parameters.text("password") {
            for place in &mut places {
                place.password = Some(password.to_owned());
            }
        } else {
            let in_home = || home.map(|home| home.join(".pgpass"));
            let named = parameters.text("passfile").map(PathBuf::from);
            if let Some(file) = named.or_else(in_home) {
                for place in &mut places {
                    place.look_up_password(&file, &database, &user);
                }
            }
        }
        let mut config = configuration(parameters)?;
        config.user(&user).dbname(&database);
        let tls = Tls::new(parameters, home)?;
        let is_direct = config.get_ssl_negotiation() == SslNegotiation::Direct;
        if is_direct && tls.mode < Mode::Require {
            return Err(
                Error::usage("sslnegotiation=direct needs a sslmode that requires TLS")
                    .hint("sslmode=require, or better sslmode=verify-full"),
            );
        }
        Ok(ConnectionOptions {
            origins: origins(parameters, &places),
            tls: Arc::new(tls),
            methods: methods(parameters, &places)?,
            places,
            user,
            database,
            config,
        })
    }
}

/// The methods of authentication that `parameters` allow at these `places`.
fn methods(parameters: &Parameters, places: &[Place]) -> Result<Methods> {
    let named = parameters.read("require_auth", Methods::named, EXPECTED)?;
    let has_socket = places
        .iter()
        .any(|place| matches!(place.listener, Listener::Socket(_)));
    match named {
        Some(methods) if methods != Methods::ANY && has_socket => Err(Error::usage(
            "require_auth is not supported with a socket, on which nobody sits between",
        )
        .hint("name the host instead of the socket, or leave out require_auth (PGREQUIREAUTH)")),
        named => Ok(named.unwrap_or(Methods::ANY)),
    }
}

/// The configuration from `parameters` that all places share.
fn configuration(parameters: &Parameters) -> Result<Config> {
    let mut config = Config::new();
    match parameters.number::<i64>("connect_timeout")? {
        None => config.connect_timeout(CONNECT_TIMEOUT),
        // As with libpq, these values mean no timeout.
        Some(..=0) => &mut config,
        Some(seconds) => config.connect_timeout(Duration::from_secs(seconds.unsigned_abs())),
    };
    if let Some(options) = parameters.text("options") {
        config.options(options);
    }
    let bindings = |text: &str| {
        Some(match text {
            "disable" => ChannelBinding::Disable,
            "prefer" => ChannelBinding::Prefer,
            "require" => ChannelBinding::Require,
            _ => return None,
        })
    };
    let expected = "one of disable, prefer, require";
    if let Some(binding) = parameters.read("channel_binding", bindings, expected)? {
        config.channel_binding(binding);
    }
    let attributes = |text: &str| {
        Some(match text {
            "any" => TargetSessionAttrs::Any,
            // Only a primary accepts writes.
            "read-write" | "primary" => TargetSessionAttrs::ReadWrite,
            "read-only" | "standby" => TargetSessionAttrs::ReadOnly,
            _ => return None,
        })
    };
    let expected = "one of any, read-write, read-only, primary, standby";
    if let Some(wanted) = parameters.read("target_session_attrs", attributes, expected)? {
        config.target_session_attrs(wanted);
    }
    let negotiations = |text: &str| {
        Some(match text {
            "postgres" => SslNegotiation::Postgres,
            "direct" => SslNegotiation::Direct,
            _ => return None,
        })
    };
    let expected = "postgres or direct";
    if let Some(negotiation) = parameters.read("sslnegotiation", negotiations, expected)? {
        config.ssl_negotiation(negotiation);
    }
    keep_alive(parameters, &mut config)?;
    Ok(config)
}

/// Sets when an idle connection is kept alive or closed. Without a word from the user, a server that is gone without
/// having closed the connection is noticed after two minutes; the system would wait for two hours.
fn keep_alive(parameters: &Parameters, config: &mut Config) -> Result<()> {
    config
        .keepalives_idle(keep_alive::IDLE)
        .keepalives_interval(keep_alive::INTERVAL)
        .keepalives_retries(keep_alive::PROBES)
        .tcp_user_timeout(keep_alive::UNANSWERED);
    if let Some(number) = parameters.number::<u32>("keepalives")? {
        config.keepalives(number != 0);
    }
    if let Some(seconds @ 1..) = parameters.number("keepalives_idle")? {
        config.keepalives_idle(Duration::from_secs(seconds));
    }
    if let Some(seconds @ 1..) = parameters.number("keepalives_interval")? {
        config.keepalives_interval(Duration::from_secs(seconds));
    }
    if let Some(count @ 1..) = parameters.number("keepalives_count")? {
        config.keepalives_retries(count);
    }
    if let Some(milliseconds @ 1..) = parameters.number("tcp_user_timeout")? {
        config.tcp_user_timeout(Duration::from_millis(milliseconds));
    }
    Ok(())
}

/// The origins of the parameters that an error may mention, except those from the command line.
fn origins(parameters: &Parameters, places: &[Place]) -> Origins {
    let mut origins = Origins::of(parameters, &TOLD);
    if parameters.origin("user").is_none() {
        origins.add("the operating system", "user");
    }
    if let Some(line) = places.iter().find_map(|place| place.line) {
        origins.add(format!("line {line} of the password file"), "password");
    }
    origins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_never_shown() {
        let target =
            ConnectionOptions::from_url("postgresql://git:s3cret@db.example:5433/gitlab").unwrap();
        assert_eq!(
            target.to_string(),
            "database gitlab as git on db.example:5433"
        );
        let error = ConnectionOptions::from_url("postgresql://git:s3cret@db:x/gitlab")
            .err()
            .unwrap();
        assert!(!error.to_string().contains("s3cret"), "{error}");
        let error = ConnectionOptions::from_url("postgresql://git:s3@cret@db/gitlab")
            .err()
            .unwrap();
        assert!(!error.to_string().contains("cret"), "{error}");
    }

    #[test]
    fn the_environment_names_a_target_or_none() {
        let from = |pairs: &[(&str, &str)]| {
            ConnectionOptions::from_environment(|name| {
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
        let error = from(&[("PGSERVICE", "x"), ("PGSERVICEFILE", "/none")]).err();
        let message = "the service \"x\" is not found: there is no /none";
        assert!(error.unwrap().to_string().starts_with(message));
        let error = from(&[("PGHOST", "h"), ("PGREQUIREAUTH", "md4")]).err();
        let message =
            "the require_auth \"md4\", from PGREQUIREAUTH, is wrong: it should be a list of";
        let error = error.unwrap().to_string();
        assert!(error.starts_with(message), "{error}");
        let error = from(&[("PGHOST", "/tmp/s"), ("PGREQUIREAUTH", "md5")]).err();
        let message = "require_auth is not supported with a socket";
        assert!(error.unwrap().to_string().starts_with(message));
        assert!(ConnectionOptions::from_url("mysql://u@h/d").is_err());
    }

    #[test]
    fn what_is_typed_goes_before_the_environment() {
        let variable = |name: &str| {
            let value = match name {
                "PGHOST" => "no",
                "PGPORT" => "6000",
                "PGUSER" => "u",
                "PGPASSWORD" => "s3cret",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let target = ConnectionOptions::named("postgresql://h/d", variable).unwrap();
        assert_eq!(target.to_string(), "database d as u on h:6000");
        let origins = " (port from PGPORT; user from PGUSER; password from PGPASSWORD)";
        assert_eq!(target.origins.to_string(), origins);
        assert_eq!(target.places[0].password.as_deref(), Some("s3cret"));
    }
}
