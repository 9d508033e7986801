//! Opens connections, with or without TLS, as the mode requires.

pub(crate) mod numbering;
pub(crate) mod stream;
pub(crate) mod tunnel;

use std::io::ErrorKind;
use std::net::ToSocketAddrs;
use std::path::PathBuf;

use mysql::{Conn, DriverError, Error as Cause, OptsBuilder};
use rustls::pki_types::ServerName;

use super::connection_failure::why;
use super::options::ConnectionOptions;
use super::options::host::Place;
use super::tls::Mode;
use crate::error::{Error, Result};
use crate::server::options::keep_alive;
use tunnel::Failure;

/// A file that cannot exist, because its parent is not a directory.
const NO_KEY: &str = "/dev/null/key";

impl ConnectionOptions {
    /// Opens a session with `database` as the current one.
    pub(crate) fn open(&self, database: &str) -> Result<Conn> {
        self.try_to_open(database)?.map_err(|failure| {
            let why = why(&failure, self);
            let error = Error::target(format!(
                "cannot connect to {self}{}: {}",
                self.origins, why.reason
            ));
            match why.hint {
                Some(hint) => error.hint(hint),
                None => error,
            }
        })
    }

    fn try_to_open(&self, database: &str) -> Result<std::result::Result<Conn, Failure>> {
        let options = OptsBuilder::new()
            .user(Some(&self.user))
            .pass(self.password.as_deref())
            .db_name(Some(database))
            // The driver would ask the server for its socket and try that. Through an ssh tunnel, the socket
            // of that name belongs to another server.
            .prefer_socket(false)
            .tcp_connect_timeout(self.timeout)
            .tcp_keepalive_time_ms(Some(milliseconds(keep_alive::IDLE)))
            .tcp_keepalive_probe_interval_secs(Some(milliseconds(keep_alive::INTERVAL) / 1000))
            .tcp_keepalive_probe_count(Some(keep_alive::PROBES))
            .tcp_user_timeout_ms(Some(milliseconds(keep_alive::UNANSWERED)));
        let is_socket = matches!(self.place, Place::Socket(_));
        let mode = self.tls.mode;
        if mode == Mode::Disabled || mode == Mode::Preferred && is_socket {
            return Ok(self.open_plain(options));
        }
        let name = self.place.name();
        let name = ServerName::try_from(name.to_owned()).map_err(|_| {
            Error::usage(format!(
                "the host {name:?} is not a valid name for a certificate"
            ))
        })?;
        let configuration = self.tls.configuration()?;
        let plain = options.clone();
        // Who wants TLS without a certificate that is known has said so, or trusts any key.
        let is_trusted = mode != Mode::Preferred || self.tls.verifies() || self.trusts_key;
        let opened = tunnel::connect(
            &self.place,
            options,
            name,
            configuration,
            self.timeout,
            is_trusted,
        );
        Ok(match opened {
            Err(Failure::NoTls) if mode == Mode::Preferred => self.open_plain(plain),
            opened => opened,
        })
    }

    /// Connects without TLS, to the first address that answers. A password of `caching_sha2_password` is then
    /// encrypted with the server's key (MySQL manual, 8.4.1.1). The driver requests that key from the server,
    /// unless it has a file with it. An attacker in the network could send another key. So, as with MySQL's
    /// clients, the user must allow the request.
    fn open_plain(&self, options: OptsBuilder) -> std::result::Result<Conn, Failure> {
        let (host, port) = match &self.place {
            Place::Host(host, port) => (host.as_str(), *port),
            Place::Socket(path) => {
                let options = options.socket(Some(path.to_string_lossy()));
                return Conn::new(options).map_err(Failure::Driver);
            }
        };
        let key_file = (!self.trusts_key).then(|| PathBuf::from(NO_KEY));
        let has_file = key_file.is_some();
        let options = options.server_key_path(key_file);
        let mut failure = Failure::Driver(Cause::DriverError(DriverError::CouldNotConnect(None)));
        for address in (host, port).to_socket_addrs()? {
            let options = options.clone().tcp_port(port);
            match Conn::new(options.ip_or_hostname(Some(address.ip().to_string()))) {
                Ok(connection) => return Ok(connection),
                Err(Cause::IoError(cause))
                    if has_file && cause.kind() == ErrorKind::NotADirectory =>
                {
                    return Err(Failure::NoKey);
                }
                Err(cause) => {
                    let is_away = matches!(
                        cause,
                        Cause::DriverError(
                            DriverError::CouldNotConnect(_) | DriverError::ConnectTimeout
                        )
                    );
                    failure = Failure::Driver(cause);
                    if !is_away {
                        break;
                    }
                }
            }
        }
        Err(failure)
    }
}

fn milliseconds(time: std::time::Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
