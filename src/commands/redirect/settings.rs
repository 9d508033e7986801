//! What the configuration shall do, whichever server it is for.

use std::path::{Path, PathBuf};

use super::names::{Host, Size, parse_size, plain_path};
use super::resolver::name_servers;
use crate::cli::arguments::{RedirectArgs, Scheme, WebServer};
use crate::error::{Error, Result};

/// Where operating systems have their CAs in one file: Debian and Alpine, Red Hat, SUSE.
const SYSTEM_CAS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What else than `/api/` GitLab must get with its method and its body: hooks and triggers that start builds, and badges,
/// which are images that not every program follows a redirect for. The regular expression is the same for all servers.
pub(super) const PROXIED_PATHS: &str = r"^/projects/([0-9]+)/(build|status(\.[a-z]+)?)$";

/// A redirect.
#[derive(Debug, Clone)]
pub(super) struct RedirectSettings {
    /// The name of the CI.
    pub(super) ci: String,
    /// The GitLab.
    pub(super) gitlab: Host,
    /// How it is reached.
    pub(super) scheme: Scheme,
    /// The file of the CAs to verify it with, if it is reached with TLS.
    pub(super) gitlab_ca: Option<String>,
    /// The certificate and the key for https.
    pub(super) tls: Option<(String, String)>,
    /// The largest body.
    pub(super) max_body: Size,
    /// The port for http.
    pub(super) http_port: u16,
    /// The port for https.
    pub(super) https_port: u16,
    /// Whether to listen on IPv6, too.
    pub(super) ipv6: bool,
    /// The name servers for looking the GitLab's name up while the server runs, if this was asked for. Only nginx
    /// needs to know them.
    pub(super) name_servers: Option<Vec<String>>,
}

impl RedirectSettings {
    /// The settings that `arguments` ask for.
    pub(super) fn new(arguments: &RedirectArgs) -> Result<RedirectSettings> {
        let named = |value: &Option<String>| value.clone().unwrap_or_default();
        let ci = Host::name_only("--ci-fqdn", &named(&arguments.ci_fqdn))?.name;
        let gitlab = Host::parse("--gitlab-fqdn", &named(&arguments.gitlab_fqdn))?;
        if ci == gitlab.name && gitlab.port.is_none() {
            return Err(
                Error::usage(format!("{ci} cannot be redirected to itself")).hint(
                    "--ci-fqdn is the old name of GitLab CI, --gitlab-fqdn the name of the GitLab",
                ),
            );
        }
        let scheme = arguments.gitlab_scheme;
        let gitlab_ca = match (scheme, &arguments.gitlab_ca) {
            (Scheme::Https, given) => Some(cas(given.as_deref())?),
            (Scheme::Http, None) => None,
            (Scheme::Http, Some(_)) => {
                return Err(Error::usage("--gitlab-ca needs --gitlab-scheme https")
                    .hint("without TLS there is no certificate to verify"));
            }
        };
        let certificate = &arguments.tls_cert.as_ref().zip(arguments.tls_key.as_ref());
        let tls = match certificate {
            None => None,
            Some((certificate, key)) => Some((
                plain_path("--tls-cert", certificate)?,
                plain_path("--tls-key", key)?,
            )),
        };
        if tls.is_some() && arguments.http_port == arguments.https_port {
            return Err(Error::usage("http and https cannot have the same port")
                .hint("--http-port and --https-port set the ports"));
        }
        let asks_servers = arguments.resolve_again && arguments.server == WebServer::Nginx;
        let name_servers = match (arguments.resolve_again, asks_servers) {
            (true, true) => Some(name_servers(&arguments.name_server)?),
            (true, false) => Some(Vec::new()),
            (false, _) => None,
        };
        Ok(RedirectSettings {
            ci,
            gitlab,
            scheme,
            gitlab_ca,
            tls,
            max_body: parse_size("--max-body", &arguments.max_body)?,
            http_port: arguments.http_port,
            https_port: arguments.https_port,
            ipv6: !arguments.no_ipv6,
            name_servers,
        })
    }

    /// The URL of the GitLab, without a slash at the end.
    pub(super) fn gitlab_url(&self) -> String {
        format!("{}://{}", self.scheme_name(), self.gitlab)
    }

    /// `https` or `http`.
    pub(super) fn scheme_name(&self) -> &'static str {
        self.scheme.name()
    }

    /// The port of the GitLab.
    pub(super) fn gitlab_port(&self) -> u16 {
        self.gitlab.port.unwrap_or(self.scheme.usual_port())
    }

    /// The URL of the CI, as somebody types it for `redirect check`.
    pub(super) fn ci_url(&self) -> String {
        let (scheme, port, usual) = match self.tls {
            Some(_) => ("https", self.https_port, 443),
            None => ("http", self.http_port, 80),
        };
        let port = (port != usual).then(|| format!(":{port}"));
        format!("{scheme}://{}{}", self.ci, port.unwrap_or_default())
    }
}

/// The file with the CAs.
fn cas(given: Option<&Path>) -> Result<String> {
    if let Some(path) = given {
        return plain_path("--gitlab-ca", path);
    }
    let found = SYSTEM_CAS
        .into_iter()
        .find(|path| PathBuf::from(path).is_file());
    found.map(str::to_owned).ok_or_else(|| {
        Error::failed("the operating system has no file with CAs at the usual places")
            .hint("install the package ca-certificates, or name a file with --gitlab-ca")
    })
}
