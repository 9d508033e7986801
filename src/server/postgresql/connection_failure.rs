//! Explains why a connection failed, and suggests what to do.

use std::error::Error as Cause;
use std::io;

use super::authentication::Refused;
use super::options::hosts::{Listener, Place};
use super::tls::{Tls, WORDS};
use crate::server::options::reason::Why;
use crate::server::options::why_tls;
use postgres::error::SqlState;

/// Explains why the connection to the server at `place` failed.
pub(crate) fn why(error: &postgres::Error, place: &Place, tls: &Tls) -> Why {
    if let Some(cause) = of_tls(error) {
        let host = match &place.listener {
            Listener::Host(host, _) => host.clone(),
            Listener::Socket(directory) => directory.display().to_string(),
        };
        return why_tls(cause, &host, &tls.believed(), &WORDS);
    }
    if let Some(cause) = error.as_db_error() {
        return why_refused(cause, place);
    }
    if let Some(refused) = carried::<Refused>(error) {
        return Why {
            reason: refused.to_string(),
            hint: hint_against(*refused).map(str::to_owned),
        };
    }
    let text = super::error::chain(error);
    if has_no_tls(error) {
        return Why::new(
            "the server has no TLS",
            "switch it on in the server (ssl = on), or name a sslmode that does not require it",
        );
    }
    if text.contains("password missing") {
        return Why::new(
            "the server asks for a password, and there is none",
            "put it into PGPASSWORD, the password file (~/.pgpass, mode 0600) or DATABASE_URL",
        );
    }
    if text.contains("failed to lookup address") {
        return Why::new(
            "there is no such host",
            "check that the host is spelled correctly",
        );
    }
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => Why::new(
            "connection refused",
            "check that the server is running and listens there",
        ),
        Some(io::ErrorKind::NotFound) if matches!(place.listener, Listener::Socket(_)) => Why::new(
            format!("there is no socket .s.PGSQL.{} in it", place.port),
            "check that the server is running, and that directory and port are correct",
        ),
        Some(io::ErrorKind::TimedOut) => Why::new(
            "the server does not answer",
            "check the host, and that no firewall blocks the connection",
        ),
        _ => Why::new(
            text,
            "check that the server is running, and that host, port, user and password are correct",
        ),
    }
}

fn why_refused(error: &postgres::error::DbError, place: &Place) -> Why {
    let reason = error.message().to_owned();
    let hint = match error.code() {
        code if *code == SqlState::INVALID_PASSWORD && place.line.is_some() => {
            "the password is that of the password file"
        }
        code if *code == SqlState::INVALID_PASSWORD => "check user and password",
        code if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "check the user; pg_hba.conf of the server says who may connect, and how"
        }
        code if *code == SqlState::INVALID_CATALOG_NAME => "check the name of the database",
        _ => {
            let hint = error.hint().map(str::to_owned);
            return Why { reason, hint };
        }
    };
    Why::new(reason, hint)
}

/// What to do about a server that asks for too much.
fn hint_against(refused: Refused) -> Option<&'static str> {
    match refused {
        Refused::ClearText => Some(
            "have the server verified (sslmode=verify-full), or encrypted without that (sslmode=require); or, if the \
             network is safe, require_auth=password",
        ),
        Refused::Method(_) => Some(
            "ask the server's administrator for another method in pg_hba.conf, or add this one to require_auth",
        ),
        Refused::Unknown => None,
    }
}

/// Whether the server has no TLS.
pub(crate) fn has_no_tls(error: &postgres::Error) -> bool {
    super::error::chain(error).contains("server does not support TLS")
}

/// The error of TLS, if there is one.
pub(crate) fn of_tls(error: &postgres::Error) -> Option<&rustls::Error> {
    carried(error)
}

/// The error of type `E` among the causes of `error`, if there is one.
fn carried<E: Cause + 'static>(error: &postgres::Error) -> Option<&E> {
    let mut cause: Option<&(dyn Cause + 'static)> = Some(error);
    while let Some(error) = cause {
        // `source` of an I/O error skips the error that it contains.
        let carried = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .and_then(|carried| carried.downcast_ref());
        if let Some(found) = carried.or_else(|| error.downcast_ref()) {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

fn find<E: Cause + 'static>(error: &postgres::Error) -> Option<&E> {
    let mut cause: Option<&(dyn Cause + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}
