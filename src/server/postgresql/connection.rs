//! Opens connections to one place after the other, with and without TLS as the mode requires.

use postgres::config::SslMode;
use postgres::error::SqlState;
use postgres::{CancelToken, Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection_failure::{of_tls, why};
use super::options::ConnectionOptions;
use super::options::hosts::{Listener, Place};
use super::tls::Mode;
use crate::error::{Error, Result};

/// Cancels the statements of a session, over a connection made in the same way.
pub(crate) struct Canceller {
    token: CancelToken,
    tls: Option<MakeRustlsConnect>,
}

impl Canceller {
    /// Cancels the running statement, if there is one.
    pub(crate) fn cancel(&self) {
        let _ = match &self.tls {
            Some(tls) => self.token.cancel_query(tls.clone()),
            None => self.token.cancel_query(NoTls),
        };
    }
}

impl ConnectionOptions {
    /// Returns the canceller for the statements of `client`, a session with this target.
    #[must_use]
    pub(crate) fn canceller(&self, client: &Client) -> Canceller {
        Canceller {
            token: client.cancel_token(),
            tls: self.tls.made(),
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
        let modes: &[SslMode] = match &place.listener {
            // As with libpq, sockets do not use TLS.
            Listener::Socket(directory) => {
                config.host_path(directory);
                &[SslMode::Disable]
            }
            Listener::Host(host, address) => {
                config.host(host);
                address.map(|address| config.hostaddr(address));
                ways(self.tls.mode)
            }
        };
        let mut outcome = self.connect_by(&mut config, modes[0])?;
        if let (Err(error), Some(other)) = (&outcome, modes.get(1))
            && is_about_tls(error)
        {
            let again = self.connect_by(&mut config, *other)?;
            // If the second attempt fails, too, the first error explains more.
            if again.is_ok() {
                outcome = again;
            }
        }
        Ok(outcome)
    }

    fn connect_by(
        &self,
        config: &mut Config,
        mode: SslMode,
    ) -> Result<std::result::Result<Client, postgres::Error>> {
        config.ssl_mode(mode);
        Ok(if mode == SslMode::Disable {
            config.connect(NoTls)
        } else {
            config.connect(self.tls.connector()?)
        })
    }
}

/// The attempts that a mode allows, in their order.
fn ways(mode: Mode) -> &'static [SslMode] {
    match mode {
        Mode::Disable => &[SslMode::Disable],
        Mode::Allow => &[SslMode::Disable, SslMode::Require],
        Mode::Prefer => &[SslMode::Prefer, SslMode::Disable],
        Mode::Require | Mode::VerifyCa | Mode::VerifyFull => &[SslMode::Require],
    }
}

/// Whether another attempt, with or without TLS, may succeed. A wrong password is not retried, because an
/// attacker could read it.
fn is_about_tls(error: &postgres::Error) -> bool {
    of_tls(error).is_some() || error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}
