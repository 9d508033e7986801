//! Connects to a web server, and looks at its certificate.

use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::findings::Outcome;
use super::names::Base;
use crate::cli::arguments::Scheme;
use crate::server::options::{TlsWords, why_tls};

/// The words of `redirect check`.
pub(super) const WORDS: TlsWords = TlsWords {
    ca: "--ca FILE",
    own: "the check has no option for it",
    other_name: "the web server needs a certificate for this name, or it serves another site under it",
};

/// A certificate that is valid for a shorter time is noted.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Connects to `base`, with TLS as `tls` says if it has https. `trusted` says whose certificates are trusted.
pub(super) fn reach(
    base: &Base,
    tls: &Arc<ClientConfig>,
    trusted: &str,
    timeout: Duration,
) -> Outcome {
    let (name, port) = (base.host.name.as_str(), base.port());
    let stream = match connect(name, port, timeout) {
        Ok(stream) => stream,
        Err(cause) => {
            return Outcome::Failed(
                format!("{name}:{port} cannot be reached: {cause}"),
                "check the name in DNS, the port, the firewall, and that the web server runs"
                    .to_owned(),
            );
        }
    };
    if base.scheme == Scheme::Http {
        return Outcome::Note("without TLS, so tokens are sent unencrypted".to_owned());
    }
    match handshake(name, stream, tls) {
        Ok(None) => Outcome::Note("the certificate is valid, its end cannot be read".to_owned()),
        Ok(Some(end)) => {
            let what = format!("the certificate is valid until {end}");
            if end.duration_since(Timestamp::now()) < SOON {
                Outcome::Note(format!("{what}: renew it soon"))
            } else {
                Outcome::Fine(what)
            }
        }
        Err(Trouble::Tls(error)) => {
            let why = why_tls(&error, name, trusted, &WORDS);
            let hint = why.hint.unwrap_or_default();
            Outcome::Failed(why.reason, hint)
        }
        Err(Trouble::Other(cause)) => Outcome::Failed(
            format!("TLS with {name}:{port} failed: {cause}"),
            "check that the web server speaks TLS on this port (listen … ssl; SSLEngine on)"
                .to_owned(),
        ),
    }
}

/// Why a handshake failed.
enum Trouble {
    Tls(rustls::Error),
    Other(String),
}

fn connect(name: &str, port: u16, timeout: Duration) -> std::io::Result<TcpStream> {
    let mut last = std::io::Error::other("the name has no address");
    for address in (name, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => {
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(timeout))?;
                return Ok(stream);
            }
            Err(cause) => last = cause,
        }
    }
    Err(last)
}

/// The end of the certificate's validity, if it can be read.
fn handshake(
    name: &str,
    mut stream: TcpStream,
    tls: &Arc<ClientConfig>,
) -> Result<Option<Timestamp>, Trouble> {
    let server =
        ServerName::try_from(name.to_owned()).map_err(|cause| Trouble::Other(cause.to_string()))?;
    let mut session = ClientConnection::new(Arc::clone(tls), server).map_err(Trouble::Tls)?;
    while session.is_handshaking() {
        if let Err(cause) = session.complete_io(&mut stream) {
            let inner = cause
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<rustls::Error>());
            return Err(match inner {
                Some(error) => Trouble::Tls(error.clone()),
                None => Trouble::Other(cause.to_string()),
            });
        }
    }
    let first = session.peer_certificates().and_then(|chain| chain.first());
    Ok(first.and_then(|certificate| end_of(certificate)))
}

fn end_of(certificate: &[u8]) -> Option<Timestamp> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let end = certificate
        .tbs_certificate
        .validity
        .not_after
        .to_unix_duration();
    Timestamp::from_second(i64::try_from(end.as_secs()).ok()?).ok()
}
