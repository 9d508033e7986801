//! Why a connection failed, in words, and what to do about it.

use std::error::Error as Cause;
use std::io;

use postgres::error::SqlState;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError};

use super::place::{Listener, Place};
use super::tls::Tls;

/// A reason and, where there is one, a hint.
pub(super) struct Why {
    pub(super) reason: String,
    pub(super) hint: Option<String>,
}

impl Why {
    fn new(reason: impl Into<String>, hint: &str) -> Why {
        Why {
            reason: reason.into(),
            hint: Some(hint.to_owned()),
        }
    }
}

/// Why the server at `place` could not be connected to.
pub(super) fn why(error: &postgres::Error, place: &Place, tls: &Tls) -> Why {
    if let Some(cause) = of_tls(error) {
        return why_tls(cause, place, tls);
    }
    if let Some(cause) = error.as_db_error() {
        return why_refused(cause, place);
    }
    let text = super::super::failure::chain(error);
    if text.contains("server does not support TLS") {
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
        return Why::new("there is no such host", "is the host spelled rightly?");
    }
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => Why::new(
            "connection refused",
            "is the server running, and does it listen there?",
        ),
        Some(io::ErrorKind::NotFound) if matches!(place.listener, Listener::Socket(_)) => Why::new(
            format!("there is no socket .s.PGSQL.{} in it", place.port),
            "is the server running, and are directory and port right?",
        ),
        Some(io::ErrorKind::TimedOut) => Why::new(
            "nobody answers",
            "is the host right, and does a firewall let it through?",
        ),
        _ => Why::new(
            text,
            "is the server running, and are host, port, user and password right?",
        ),
    }
}

fn why_refused(error: &postgres::error::DbError, place: &Place) -> Why {
    let reason = error.message().to_owned();
    let hint = match error.code() {
        code if *code == SqlState::INVALID_PASSWORD && place.line.is_some() => {
            "the password is that of the password file"
        }
        code if *code == SqlState::INVALID_PASSWORD => "are user and password right?",
        code if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "is the user right? pg_hba.conf of the server says who may connect, and how"
        }
        code if *code == SqlState::INVALID_CATALOG_NAME => "is the database right?",
        _ => {
            let hint = error.hint().map(str::to_owned);
            return Why { reason, hint };
        }
    };
    Why::new(reason, hint)
}

fn why_tls(error: &rustls::Error, place: &Place, tls: &Tls) -> Why {
    use CertificateError as Bad;
    let believed = tls.believed();
    match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => Why::new(
                format!("TLS: the server's certificate is of an unknown CA, none of {believed}"),
                "name a file with the certificate of its CA: sslrootcert=FILE",
            ),
            Bad::BadSignature => Why::new(
                format!(
                    "TLS: the server's certificate is of a CA that has its name, but not its key, \
                     in {believed}"
                ),
                "the CA was made anew? name a file with its present certificate: sslrootcert=FILE",
            ),
            Bad::NotValidForNameContext { presented, .. } => Why::new(
                format!("TLS: {}", not_for(place, presented)),
                "name the host as the certificate does, and its address by hostaddr, or ask only \
                 for the CA: sslmode=verify-ca",
            ),
            Bad::ExpiredContext { not_after, .. } => Why::new(
                format!(
                    "TLS: the server's certificate, or its CA's, expired {}",
                    shown(*not_after)
                ),
                "is this machine's clock right?",
            ),
            Bad::NotValidYetContext { not_before, .. } => Why::new(
                format!(
                    "TLS: the server's certificate, or its CA's, is valid from {} on",
                    shown(*not_before)
                ),
                "is this machine's clock right?",
            ),
            bad => Why::new(
                format!("TLS: the server's certificate is refused: {bad}"),
                "the server needs another certificate",
            ),
        },
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => Why::new(
            "TLS: the server asks for a certificate of the client, and there is none",
            "name one: sslcert=FILE and sslkey=FILE",
        ),
        rustls::Error::AlertReceived(alert) => Why::new(
            format!("TLS: the server ends it: {alert:?}"),
            "the server's log says why",
        ),
        error => Why::new(format!("TLS: {error}"), "the server's log may say why"),
    }
}

fn not_for(place: &Place, presented: &[String]) -> String {
    let host = match &place.listener {
        Listener::Host(host, _) => host.clone(),
        Listener::Socket(directory) => directory.display().to_string(),
    };
    if presented.is_empty() {
        return format!(
            "the server's certificate is not for {host}: it has no subject alternative name"
        );
    }
    format!(
        "the server's certificate is not for {host}, but for {}",
        presented.join(", ")
    )
}

fn shown(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "long ago".to_owned(), |t| t.to_string())
}

/// What TLS says, if it was that.
pub(super) fn of_tls(error: &postgres::Error) -> Option<&rustls::Error> {
    let mut cause: Option<&(dyn Cause + 'static)> = Some(error);
    while let Some(error) = cause {
        // An I/O error shows the source of what it carries, not that itself.
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
