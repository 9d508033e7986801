//! The HTTP client of all storages: which CAs it believes, and how long it waits.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService,
};
use object_store::{ClientConfigKey, ClientOptions};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue, IF_NONE_MATCH};
use reqwest::redirect::Policy;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::error::Error;

/// The metadata service is on the same host.
const METADATA_TIMEOUT: Duration = Duration::from_secs(2);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// So many redirects of a web server are followed.
const MOST_REDIRECTS: usize = 10;

/// How the program names itself.
const USER_AGENT: &str = concat!("ci-import/", env!("CARGO_PKG_VERSION"));

/// How a client is.
pub(super) struct Options<'a> {
    /// The file with the CAs that it believes; those of the operating system if there is none.
    pub(super) ca_bundle: Option<&'a Path>,
    /// How long it waits for the next byte.
    pub(super) silence: Duration,
    /// Whether it follows the redirects of a web server.
    pub(super) with_redirects: bool,
    /// Sent with each request.
    pub(super) headers: HeaderMap,
}

impl Options<'_> {
    /// With the CAs of the operating system, without redirects.
    pub(super) fn of(silence: Duration) -> Self {
        Options {
            ca_bundle: None,
            silence,
            with_redirects: false,
            headers: HeaderMap::new(),
        }
    }
}

/// Makes a client.
pub(super) fn client(options: &Options<'_>) -> crate::error::Result<reqwest::Client> {
    let tls = tls(authorities(options.ca_bundle)?).map_err(|cause| cannot_make(&cause))?;
    let redirects = if options.with_redirects {
        Policy::custom(|attempt| {
            let was_encrypted = attempt
                .previous()
                .last()
                .is_some_and(|url| url.scheme() == "https");
            if was_encrypted && attempt.url().scheme() != "https" {
                attempt.error("it redirects to an address without TLS")
            } else if attempt.previous().len() > MOST_REDIRECTS {
                attempt.error("it redirects too often")
            } else {
                attempt.follow()
            }
        })
    } else {
        Policy::none()
    };
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(options.silence)
        .redirect(redirects)
        // It would send the query, which may sign the address, to another server.
        .referer(false)
        .user_agent(USER_AGENT)
        .default_headers(options.headers.clone())
        .build()
        .map_err(|cause| cannot_make(&cause))
}

/// TLS that believes `authorities`.
fn tls(authorities: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(authorities)
        .with_no_client_auth())
}

fn cannot_make(cause: &dyn std::error::Error) -> Error {
    Error::failed(format!("cannot prepare requests over TLS: {cause}"))
}

/// The CAs in the file `bundle`, or those of the operating system.
fn authorities(bundle: Option<&Path>) -> crate::error::Result<RootCertStore> {
    let mut authorities = RootCertStore::empty();
    let Some(bundle) = bundle else {
        // Without any, the first request over TLS says so.
        let found = rustls_native_certs::load_native_certs();
        authorities.add_parsable_certificates(found.certs);
        return Ok(authorities);
    };
    let refused = |cause: String| {
        Error::usage(format!(
            "cannot read the CA bundle {}: {cause}",
            bundle.display()
        ))
    };
    let certificates = CertificateDer::pem_file_iter(bundle)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|cause| refused(cause.to_string()))?;
    if certificates.is_empty() {
        return Err(refused("it has no certificate in PEM".to_owned()));
    }
    for certificate in certificates {
        authorities
            .add(certificate)
            .map_err(|cause| refused(cause.to_string()))?;
    }
    Ok(authorities)
}

/// Gives a storage's own code our client.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub(super) client: reqwest::Client,
    /// Whether the storage itself has no TLS.
    pub(super) is_plain: bool,
    /// Whether an upload must not replace an object.
    pub(super) keeps_objects: bool,
}

/// A client for uploads that must not replace an object: object_store completes an upload without a condition.
#[derive(Debug)]
struct KeepsObjects(reqwest::Client);

#[async_trait]
impl HttpService for KeepsObjects {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        // The signature covers no such header, and needs not (S3 API reference, "CompleteMultipartUpload").
        let query = request.uri().query().unwrap_or_default();
        if request.method() == Method::POST && query.contains("uploadId=") {
            let any = HeaderValue::from_static("*");
            request.headers_mut().insert(IF_NONE_MATCH, any);
        }
        self.0.call(request).await
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        // The metadata service of a cloud is asked without TLS and without a proxy, and answers at once where there is one.
        let usual = ClientOptions::default();
        let differs = |key| options.get_config_value(&key) != usual.get_config_value(&key);
        let is_metadata = differs(ClientConfigKey::ConnectTimeout)
            || differs(ClientConfigKey::AllowHttp) && !self.is_plain;
        if !is_metadata {
            let client = self.client.clone();
            return Ok(if self.keeps_objects {
                HttpClient::new(KeepsObjects(client))
            } else {
                HttpClient::new(client)
            });
        }
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(RootCertStore::empty()).map_err(unusable)?)
            .connect_timeout(METADATA_TIMEOUT)
            .read_timeout(METADATA_TIMEOUT)
            .no_proxy()
            .build();
        Ok(HttpClient::new(client.map_err(unusable)?))
    }
}

fn unusable(cause: impl std::error::Error + Send + Sync + 'static) -> object_store::Error {
    object_store::Error::Generic {
        store: "metadata",
        source: Box::new(cause),
    }
}
