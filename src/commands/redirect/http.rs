//! Requests to a web server. A redirect is an answer like others: it is not followed.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, http};

use crate::server::options::Certificates;

/// So much of a body is read.
const MAX_BODY: u64 = 64 << 10;

/// So many characters of what a server says are shown.
const MAX_SHOWN: usize = 200;

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: http::Method,
    /// With a slash at its start, as it goes on the wire.
    pub(super) path: String,
    /// A form.
    pub(super) form: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    /// Without its parameters.
    pub(super) media_type: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// Whether it sends the client elsewhere.
    pub(super) fn is_redirect(&self) -> bool {
        (300..400).contains(&self.status) && self.location.is_some()
    }

    /// The status, and where a redirect leads.
    pub(super) fn shown(&self) -> String {
        match self.location.as_ref().filter(|_| self.is_redirect()) {
            Some(location) => {
                let location: String = location.chars().take(MAX_SHOWN).collect();
                format!("{} to {location}", self.status)
            }
            None => self.status.to_string(),
        }
    }
}

/// An answer, or why there is none.
pub(super) type Came = Result<Answer, String>;

/// Sends requests.
pub(super) struct Client(Agent);

impl Client {
    /// One that trusts certificates of these CAs, and waits no longer for an answer.
    pub(super) fn new(authorities: &Certificates, timeout: Duration) -> Client {
        let roots = authorities
            .iter()
            .map(|authority| Certificate::from_der(authority).to_owned());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots.collect())))
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .max_redirects(0)
            .http_status_as_error(false)
            // The web server itself is checked, not a proxy of whoever runs the check.
            .proxy(None)
            .timeout_global(Some(timeout))
            .user_agent(concat!("ci-import/", env!("CARGO_PKG_VERSION")))
            .build();
        Client(Agent::new_with_config(config))
    }

    /// The answer to `request` at `origin`, a URL without a path, and `below`, the start of the path.
    pub(super) fn send(&self, origin: &str, below: &str, request: &Request) -> Came {
        let told = |error: &dyn std::fmt::Display| error.to_string();
        let built = http::Request::builder()
            .method(&request.method)
            .uri(format!("{origin}{below}{}", request.path));
        let response = match &request.form {
            None => self.0.run(built.body(()).map_err(|error| told(&error))?),
            Some(form) => {
                let form_type = "application/x-www-form-urlencoded";
                let built = built.header("Content-Type", form_type);
                self.0
                    .run(built.body(form.as_str()).map_err(|error| told(&error))?)
            }
        };
        let response = response.map_err(|error| told(&error))?;
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let media_type = header("content-type").unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        let mut answer = Answer {
            status: response.status().as_u16(),
            location: header("location"),
            media_type: media_type.to_ascii_lowercase(),
            body: Vec::new(),
        };
        let mut reader = response.into_body().into_reader().take(MAX_BODY);
        reader
            .read_to_end(&mut answer.body)
            .map_err(|error| told(&error))?;
        Ok(answer)
    }
}
