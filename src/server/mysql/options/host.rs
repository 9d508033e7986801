//! The place of the server: a host and port, or a socket.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::server::options::sockets::is_believable;
use crate::server::options::{Origin, Parameters, check_host};

/// The sockets of the packages of Debian, Red Hat and MySQL.
const SOCKETS: [&str; 3] = [
    "/run/mysqld/mysqld.sock",
    "/var/lib/mysql/mysql.sock",
    "/tmp/mysql.sock",
];

/// The default port.
const DEFAULT_PORT: u16 = 3306;

/// The host that means a socket.
const LOCALHOST: &str = "localhost";

/// A place where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A host, by name or address, and a port.
    Host(String, u16),
    /// A socket.
    Socket(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Host(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Place::Host(host, port) => write!(f, "{host}:{port}"),
            Place::Socket(path) => write!(f, "the socket {}", path.display()),
        }
    }
}

impl Place {
    /// The place that `parameters` name. As with MySQL's clients (manual, 4.2.4), `localhost` or no host
    /// means a socket. A port in the URL means TCP, and so does a default socket that does not exist.
    pub(crate) fn named(parameters: &Parameters) -> Result<Place> {
        let host = parameters.text("host").unwrap_or(LOCALHOST);
        check_host(host)?;
        let number = |text: &str| text.trim().parse().ok().filter(|port| *port > 0);
        let port = parameters.read("port", number, "a number from 1 to 65535")?;
        let on_host = Place::Host(host.to_owned(), port.unwrap_or(DEFAULT_PORT));
        let protocols = |text: &str| match text.to_ascii_lowercase().as_str() {
            "tcp" => Some(false),
            "socket" => Some(true),
            _ => None,
        };
        let asked = parameters.read("protocol", protocols, "tcp or socket")?;
        let socket = parameters.text("socket").map(PathBuf::from);
        let is_typed = |keyword: &str| parameters.origin(keyword).is_some_and(Origin::is_url);
        let is_local = host == LOCALHOST;
        if is_typed("socket") && (asked == Some(false) || !is_local && is_typed("host")) {
            return Err(
                Error::usage("the database URL names both a host and a socket")
                    .hint("leave out one of them"),
            );
        }
        Ok(match (asked, socket) {
            (Some(false), _) => on_host,
            (_, Some(socket)) if is_typed("socket") => Place::Socket(socket),
            (Some(true), socket) => Place::Socket(socket.unwrap_or_else(usual_socket)),
            (None, _) if !is_local || is_typed("port") => on_host,
            (None, Some(socket)) => Place::Socket(socket),
            (None, None) => match usual_socket() {
                socket if is_believable(&socket, "mysql") => Place::Socket(socket),
                _ => on_host,
            },
        })
    }

    /// Whether the server is on this machine: a socket, or `localhost`.
    pub(crate) fn is_here(&self) -> bool {
        match self {
            Place::Socket(_) => true,
            Place::Host(host, _) => host == LOCALHOST,
        }
    }

    /// The name that the server's certificate must have.
    pub(crate) fn name(&self) -> &str {
        match self {
            Place::Socket(_) => LOCALHOST,
            Place::Host(host, _) => host,
        }
    }
}

/// The first of the usual sockets that exists, or else the most common one.
fn usual_socket() -> PathBuf {
    let mut paths = SOCKETS.iter().map(Path::new);
    let found = paths.find(|path| is_believable(path, "mysql"));
    found.unwrap_or(Path::new(SOCKETS[0])).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::mysql::options::parameters::KNOWN;
    use crate::server::mysql::options::url::parse;

    /// The place for `url` with the parameters `more` of an option file.
    fn shown(url: &str, more: &[(&str, &str)]) -> String {
        let mut parameters = parse(url, &Origin::Url).unwrap();
        let mut file = Parameters::new(&KNOWN);
        for (keyword, text) in more {
            let origin = Origin::File("the file".to_owned());
            file.set(keyword, text, &origin).unwrap();
        }
        parameters.fill(file);
        match Place::named(&parameters) {
            Ok(place) => place.to_string(),
            Err(error) => format!("error: {error}"),
        }
    }

    /// A URL, further parameters of an option file, and the expected place.
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

    #[test]
    fn hosts_and_sockets() {
        let socket = ("socket", "/s");
        let cases: [Case<'_>; 16] = [
            ("mysql://h/d", &[], "h:3306"),
            ("mysql://h:1/d", &[socket], "h:1"),
            ("mysql://[::1]/d", &[], "[::1]:3306"),
            ("mysql://localhost/d", &[socket], "the socket /s"),
            ("mysql:///d", &[socket], "the socket /s"),
            ("mysql:///d", &[socket, ("port", "7")], "the socket /s"),
            ("mysql:///d", &[("host", "h"), ("port", "7")], "h:7"),
            ("mysql://localhost:7/d", &[socket], "localhost:7"),
            (
                "mysql://127.0.0.1/d",
                &[socket, ("port", "7")],
                "127.0.0.1:7",
            ),
            ("mysql://%2Fa%2Fs/d", &[("host", "h")], "the socket /a/s"),
            ("mysql:///d?socket=/a", &[socket], "the socket /a"),
            ("mysql:///d?protocol=tcp", &[socket], "localhost:3306"),
            ("mysql://h/d?protocol=SOCKET", &[socket], "the socket /s"),
            (
                "mysql://h/d?socket=/s",
                &[],
                "error: the database URL names both a host and a socket",
            ),
            (
                "mysql://h:0/d",
                &[],
                "error: the port of the database URL is wrong: it should be a number from 1 to 65535",
            ),
            (
                "mysql://u@p%40h/d",
                &[],
                "error: the host has a character that is not allowed",
            ),
        ];
        for (url, more, expected) in cases {
            assert_eq!(shown(url, more), expected, "{url} {more:?}");
        }
    }
}
