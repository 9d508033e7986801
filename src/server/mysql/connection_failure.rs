//! Explains why a connection failed, and suggests what to do.

use std::io;

use mysql::error::MySqlError;
use mysql::{DriverError, Error as Cause};
use rustls::AlertDescription;

use super::connection::tunnel::Failure;
use super::options::ConnectionOptions;
use super::options::host::Place;
use super::tls::WORDS;
use crate::server::options::reason::Why;
use crate::server::options::why_tls;

/// Explains why the connection to `target` failed.
pub(crate) fn why(failure: &Failure, target: &ConnectionOptions) -> Why {
    match failure {
        Failure::NoTls => Why::new(
            "the server has no TLS",
            "switch it on in the server (ssl_cert and ssl_key), or name a ssl-mode that does not \
             require it",
        ),
        Failure::NoKey => Why::new(
            "without TLS, the server accepts the password only if it is encrypted with a key that the \
             server sends, and that key cannot be verified",
            "name a ssl-mode that encrypts: ssl-mode=REQUIRED; or, if the network is safe, \
             get-server-public-key=1; only then the server checks the password",
        ),
        Failure::ClearText => Why::new(
            "the server asks for the password itself, and nothing proves that it is the right server",
            "have the server verified, ssl-mode=VERIFY_IDENTITY or ssl-ca=FILE; or, if the network is safe, \
             encrypted without that: ssl-mode=REQUIRED",
        ),
        Failure::Tls(
            rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
            | rustls::Error::PeerIncompatible(_),
        ) => Why::new(
            "TLS: the server does not support the safe versions, 1.2 and 1.3",
            "if the network is safe, disable TLS: ssl-mode=DISABLED",
        ),
        Failure::Tls(cause) => why_tls(cause, target.place.name(), &target.tls.believed(), &WORDS),
        Failure::Io(cause) => why_io(cause, &target.place),
        Failure::Driver(Cause::IoError(cause)) => why_io(cause, &target.place),
        Failure::Driver(Cause::MySqlError(cause)) => why_refused(cause, target),
        Failure::Driver(Cause::DriverError(cause)) => why_driver(cause, &target.place),
        Failure::Driver(cause) => Why::new(cause.to_string(), RIGHT),
    }
}

const RIGHT: &str =
    "check that the server is running, and that host, port, user and password are correct";

fn why_io(cause: &io::Error, place: &Place) -> Why {
    if cause.to_string().contains("failed to lookup address") {
        return Why::new(
            "there is no such host",
            "check that the host is spelled correctly",
        );
    }
    match why_kind(cause.kind(), place) {
        Some(why) => why,
        None => Why::new(cause.to_string(), RIGHT),
    }
}

fn why_kind(kind: io::ErrorKind, place: &Place) -> Option<Why> {
    Some(match kind {
        io::ErrorKind::ConnectionRefused => Why::new(
            "connection refused",
            "check that the server is running and listens there",
        ),
        io::ErrorKind::NotFound if matches!(place, Place::Socket(_)) => Why::new(
            "there is no such socket",
            "check that the server is running, and that the socket is the one in its configuration",
        ),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Why::new(
            "the server does not answer",
            "check the host, and that no firewall blocks the connection",
        ),
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe => Why::new(
            "the server ends the connection",
            "check that it is a MySQL server; its log may say why",
        ),
        _ => return None,
    })
}

fn why_driver(cause: &DriverError, place: &Place) -> Why {
    match cause {
        DriverError::ConnectTimeout => {
            why_kind(io::ErrorKind::TimedOut, place).unwrap_or_else(|| Why::new("", RIGHT))
        }
        DriverError::CouldNotConnect(Some((_, text, kind))) => {
            why_kind(*kind, place).unwrap_or_else(|| Why::new(text, RIGHT))
        }
        DriverError::UnknownAuthPlugin(name) => Why::new(
            format!("the server asks for the authentication {name}, which is not supported"),
            "give the user a password of caching_sha2_password, mysql_native_password or ed25519",
        ),
        DriverError::OldMysqlPasswordDisabled => Why::new(
            "the user's password has the format of MySQL before 4.1, which is not secure",
            "give the user a new password in the server, with old_passwords = 0",
        ),
        DriverError::CleartextPluginDisabled => Why::new(
            "the server asks for the password in clear text",
            "give the user a password of caching_sha2_password, mysql_native_password or ed25519",
        ),
        cause => Why::new(cause.to_string(), RIGHT),
    }
}

/// Explains the server's error (MySQL Server Error Message Reference; MariaDB has the same numbers).
fn why_refused(cause: &MySqlError, target: &ConnectionOptions) -> Why {
    let reason = format!("{} ({})", cause.message, cause.code);
    let hint = match cause.code {
        1045 if target.password.is_none() => {
            "there is no password: put it into ~/.my.cnf (password=…, mode 0600), MYSQL_PWD or \
             DATABASE_URL"
        }
        1045 => {
            "check user and password, and that the user may connect from this host; some users must \
             connect with TLS: ssl-mode=REQUIRED"
        }
        1698 => {
            "this user can connect only through the socket, as the user of the operating system with the \
             same name"
        }
        1044 => "check the name of the database, and that the user has all rights on it",
        1049 => "check the name of the database",
        1129 => {
            "too many connections from this host were interrupted: run mysqladmin flush-hosts on the \
            server"
        }
        1130 => {
            "the server accepts no user from this host: a user has hosts, as in 'git'@'10.0.0.%'"
        }
        1040 | 1203 => "wait until others have gone, or raise max_connections of the server",
        3159 => "name a ssl-mode that encrypts: ssl-mode=REQUIRED",
        _ => return Why { reason, hint: None },
    };
    Why::new(reason, hint)
}
