//! Opens connections to one place after the other, with and without TLS as the mode requires.

use std::net::IpAddr;

use postgres::config::{SslMode, SslNegotiation};
use postgres::error::SqlState;
use postgres::{CancelToken, Client, Config, NoTls};

use super::authentication::{ClearText, Methods, Rule};
use super::connection_failure::{has_no_tls, of_tls, why};
use super::connector::Connector;
use super::options::ConnectionOptions;
use super::options::hosts::{Listener, Place};
use super::tls::Mode;
use crate::error::{Error, Result};

/// Cancels the statements of a session, over a connection made in the same way.
pub(crate) struct Canceller {
    token: CancelToken,
    /// The ways of the sessions with the target. With different servers, they may differ.
    ways: Vec<Connector>,
}

impl Canceller {
    /// Cancels the running statement, if there is one.
    pub(crate) fn cancel(&self) {
        let _ = self.try_cancel();
    }

    /// The same. Returns whether the server was reached.
    pub(crate) fn try_cancel(&self) -> bool {
        if self.ways.is_empty() {
            return self.token.cancel_query(NoTls).is_ok();
        }
        let mut ways = self.ways.iter();
        ways.any(|way| self.token.cancel_query(way.clone()).is_ok())
    }
}

impl ConnectionOptions {
    /// Returns the canceller for the statements of `client`, a session with this target.
    #[must_use]
    pub(crate) fn canceller(&self, client: &Client) -> Canceller {
        self.canceller_of(client.cancel_token())
    }

    /// The same for the session with this `token`.
    pub(crate) fn canceller_of(&self, token: CancelToken) -> Canceller {
        let rule = Rule {
            methods: Methods::ANY,
            clear_text: ClearText::Refused,
        };
        let ways = self.tls.used().into_iter();
        Canceller {
            token,
            ways: ways.map(|tls| Connector { tls, rule }).collect(),
        }
    }

    /// Connects to the first place that accepts the connection.
    pub(crate) fn connect_somewhere(&self) -> Result<Client> {
        let mut reasons = Vec::new();
        let mut hint = None;
        for place in &self.places {
            let error = match self.connect_to(place)? {
                Ok(client) => return Ok(client),
                Err(error) => error,
            };
            let why = why(&error, place, &self.tls);
            let several = self.places.len() > 1;
            reasons.push(if several {
                format!("{place}: {}", why.reason)
            } else {
                why.reason
            });
            hint = why.hint.or(hint);
        }
        let error = Error::target(format!(
            "cannot connect to {self}{}: {}",
            self.origins,
            reasons.join("; ")
        ));
        Err(match hint {
            Some(hint) => error.hint(hint),
            None => error,
        })
    }

    fn connect_to(&self, place: &Place) -> Result<std::result::Result<Client, postgres::Error>> {
        let mut config = self.config.clone();
        config.application_name("ci-import").port(place.port);
        if let Some(password) = &place.password {
            config.password(password);
        }
        let (host, address) = match &place.listener {
            Listener::Socket(directory) => {
                // As with libpq, sockets do not use TLS.
                config.host_path(directory).ssl_mode(SslMode::Disable);
                return Ok(config.connect(NoTls));
            }
            Listener::Host(host, address) => (host, *address),
        };
        config.host(host);
        address.map(|address| config.hostaddr(address));
        let is_here = is_this_machine(host, address);
        let ways = ways(self.tls.mode);
        let first = self.connect_by(&config, ways[0], is_here, place.port)?;
        let (Err(error), Some(other)) = (&first, ways.get(1)) else {
            return Ok(first);
        };
        if has_no_tls(error) {
            return self.connect_by(&config, *other, is_here, place.port);
        }
        if is_about_tls(error) {
            let again = self.connect_by(&config, *other, is_here, place.port)?;
            // If the second attempt fails, too, the first error explains more.
            if again.is_ok() {
                return Ok(again);
            }
        }
        Ok(first)
    }

    fn connect_by(
        &self,
        config: &Config,
        way: Way,
        is_here: bool,
        port: u16,
    ) -> Result<std::result::Result<Client, postgres::Error>> {
        let mut config = config.clone();
        config.ssl_mode(SslMode::Require);
        let tls = match way {
            Way::Tls => Some(self.tls.connector()?),
            Way::Plain => {
                // The driver then hands the stream to the connector at once.
                config.ssl_negotiation(SslNegotiation::Direct);
                None
            }
        };
        let is_allowed = tls.is_some() && (self.tls.verifies() || self.tls.mode >= Mode::Require)
            || self.methods.names_password();
        let clear_text = match is_here {
            _ if is_allowed => ClearText::Allowed,
            true => ClearText::IfLocal(port),
            false => ClearText::Refused,
        };
        let methods = self.methods;
        let rule = Rule {
            methods,
            clear_text,
        };
        let opened = config.connect(Connector { tls, rule });
        if opened.is_ok() && way == Way::Plain {
            self.tls.opened_plain();
        }
        Ok(opened)
    }
}

/// Whether a host is this machine. Names are not looked up, but for the one that every system has: who answers for them could
/// give another address the next time.
pub(super) fn is_this_machine(host: &str, address: Option<IpAddr>) -> bool {
    let address = address.or_else(|| host.parse().ok());
    address.map_or(host == "localhost", |address: IpAddr| {
        address.to_canonical().is_loopback()
    })
}

/// An attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Tls,
    Plain,
}

/// The attempts that a mode allows, in their order.
fn ways(mode: Mode) -> &'static [Way] {
    match mode {
        Mode::Disable => &[Way::Plain],
        Mode::Allow => &[Way::Plain, Way::Tls],
        Mode::Prefer => &[Way::Tls, Way::Plain],
        Mode::Require | Mode::VerifyCa | Mode::VerifyFull => &[Way::Tls],
    }
}

/// Whether another attempt, with or without TLS, may succeed. A wrong password is not retried, because an
/// attacker could read it.
fn is_about_tls(error: &postgres::Error) -> bool {
    of_tls(error).is_some() || error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}
