//! The possible places of the server: hosts or sockets with their ports, each with its password.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::passfile::{self, Purpose};
use crate::error::{Error, Result};
use crate::server::options::sockets::is_believable;
use crate::server::options::{Parameters, check_host};

/// The socket directories of Debian's and PostgreSQL's own builds.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// The default port.
const DEFAULT_PORT: u16 = 5432;

/// What a server listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listener {
    /// A host, with its address if that is already known.
    Host(String, Option<IpAddr>),
    /// A socket in this directory.
    Socket(PathBuf),
}

/// A possible place of the server.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) listener: Listener,
    pub(crate) port: u16,
    pub(crate) password: Option<String>,
    /// The line of the password file with the password, if the password is from there.
    pub(crate) line: Option<usize>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.listener {
            Listener::Host(host, _) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Listener::Host(host, _) => write!(f, "{host}:{}", self.port),
            Listener::Socket(directory) => write!(f, "the socket {}", directory.display()),
        }
    }
}

impl Place {
    /// The socket in `directory`.
    pub(crate) fn socket(directory: &Path, port: u16) -> Place {
        Place::of(Listener::Socket(directory.to_owned()), port)
    }

    fn of(listener: Listener, port: u16) -> Place {
        Place {
            listener,
            port,
            password: None,
            line: None,
        }
    }

    /// Takes the password for this place from `file`, if the file has one.
    pub(crate) fn look_up_password(&mut self, file: &Path, database: &str, user: &str) {
        let host = match &self.listener {
            Listener::Host(host, _) => host.as_str(),
            Listener::Socket(directory) if is_usual(directory) => "localhost",
            Listener::Socket(directory) => directory.to_str().unwrap_or_default(),
        };
        let port = self.port;
        let purpose = Purpose {
            host,
            port,
            database,
            user,
        };
        if let Some((password, line)) = passfile::password(file, &purpose) {
            self.password = Some(password);
            self.line = Some(line);
        }
    }
}

fn is_usual(directory: &Path) -> bool {
    SOCKET_DIRECTORIES
        .iter()
        .any(|usual| directory == Path::new(usual))
}

/// The places that `parameters` name, in their order. By default, the socket in its usual directory, or this
/// machine.
pub(crate) fn places(parameters: &Parameters) -> Result<Vec<Place>> {
    let hosts = list(parameters, "host");
    let addresses = list(parameters, "hostaddr");
    let count = hosts.len().max(addresses.len()).max(1);
    let ports = ports(parameters, count)?;
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(Error::usage(format!(
            "there are {} hosts, but {} addresses (hostaddr)",
            hosts.len(),
            addresses.len()
        )));
    }
    let listener = |at: usize| {
        let host = hosts.get(at).copied().filter(|host| !host.is_empty());
        let address = addresses.get(at).copied().filter(|text| !text.is_empty());
        let address = address.map(read_address).transpose()?;
        Ok(match (host, address) {
            (Some(path), None) if path.starts_with('/') => Listener::Socket(PathBuf::from(path)),
            (Some(host), address) => {
                check_host(host)?;
                Listener::Host(host.to_owned(), address)
            }
            (None, Some(address)) => Listener::Host(address.to_string(), Some(address)),
            (None, None) => usual_listener(ports[at]),
        })
    };
    (0..count)
        .map(|at| Ok(Place::of(listener(at)?, ports[at])))
        .collect()
}

fn list<'a>(parameters: &'a Parameters, keyword: &str) -> Vec<&'a str> {
    let text = parameters.text(keyword);
    text.map_or_else(Vec::new, |text| text.split(',').map(str::trim).collect())
}

/// One port for each place, or one for all.
fn ports(parameters: &Parameters, count: usize) -> Result<Vec<u16>> {
    let port = |text: &str| match text.trim() {
        "" => Some(DEFAULT_PORT),
        text => text.parse().ok().filter(|port| *port > 0),
    };
    let read = |text: &str| text.split(',').map(port).collect::<Option<Vec<u16>>>();
    let found = parameters.read("port", read, "a number from 1 to 65535")?;
    let found = found.unwrap_or_else(|| vec![DEFAULT_PORT]);
    match found.len() {
        1 => Ok(vec![found[0]; count]),
        length if length == count => Ok(found),
        length => Err(Error::usage(format!(
            "there are {length} ports for {count} hosts"
        ))),
    }
}

fn read_address(text: &str) -> Result<IpAddr> {
    text.parse().map_err(|_| {
        Error::usage(format!("the hostaddr {text:?} is not an IP address"))
            .hint("put a name into host")
    })
}

fn usual_listener(port: u16) -> Listener {
    let socket = format!(".s.PGSQL.{port}");
    let found = SOCKET_DIRECTORIES
        .into_iter()
        .find(|directory| is_believable(&Path::new(directory).join(&socket), "postgres"));
    match found {
        Some(directory) => Listener::Socket(PathBuf::from(directory)),
        None => Listener::Host("localhost".to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::options::Origin;
    use crate::server::postgresql::options::url::parse;

    fn shown(url: &str) -> String {
        let found = parse(url, &Origin::Url).and_then(|parameters| places(&parameters));
        match found {
            Ok(found) => found
                .iter()
                .map(Place::to_string)
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn hosts_and_ports_are_joined() {
        for (url, expected) in [
            ("postgresql://a", "a:5432"),
            ("postgresql://a:1,b:2", "a:1 b:2"),
            ("postgresql://a,b:2", "a:5432 b:2"),
            ("host=a,b port=7", "a:7 b:7"),
            ("hostaddr=::1 port=7", "[::1]:7"),
            ("host=a hostaddr=127.0.0.1", "a:5432"),
            ("host=/s port=7", "the socket /s"),
            (
                "host=a,b port=1,2,3",
                "error: there are 3 ports for 2 hosts",
            ),
            (
                "hostaddr=a",
                "error: the hostaddr \"a\" is not an IP address",
            ),
            (
                "host=u@h",
                "error: the host has a character that is not allowed",
            ),
            (
                "port=0",
                "error: the port of the database URL is wrong: it should be a number from 1 to 65535",
            ),
        ] {
            assert_eq!(shown(url), expected, "{url}");
        }
    }
}
