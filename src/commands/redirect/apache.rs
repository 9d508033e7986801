//! The configuration for Apache 2.4.

use super::settings::{PROXIED_PATHS, RedirectSettings};
use crate::cli::arguments::Scheme;

/// The configuration, a file to include at the top level.
pub(super) fn configuration(settings: &RedirectSettings) -> String {
    let mut text = head(settings);
    let ports = [(settings.http_port, 80), (settings.https_port, 443)];
    let count = if settings.tls.is_some() { 2 } else { 1 };
    for (port, _) in ports
        .iter()
        .take(count)
        .filter(|(port, usual)| port != usual)
    {
        text += &format!(
            "Listen {}{port}\n",
            if settings.ipv6 { "" } else { "0.0.0.0:" }
        );
    }
    text += &virtual_host(settings, settings.http_port, None);
    if let Some(tls) = &settings.tls {
        text += &virtual_host(settings, settings.https_port, Some(tls));
    }
    text
}

/// What the file is, where it belongs, and how to test it.
fn head(settings: &RedirectSettings) -> String {
    let tls = if settings.tls.is_some() || settings.scheme == Scheme::Https {
        " ssl"
    } else {
        ""
    };
    format!(
        "# Apache 2.4: requests to GitLab CI at {ci} go on to the GitLab at {gitlab}/ci.\n\
         # Written by ci-import redirect.\n\
         #\n\
         # Debian: save it as /etc/apache2/sites-available/gitlab_ci.conf, then\n\
         #        a2enmod headers proxy proxy_http rewrite{tls}; a2ensite gitlab_ci\n\
         # The ports 80 and 443 have their Listen in /etc/apache2/ports.conf. Red Hat: /etc/httpd/conf.d/gitlab_ci.conf.\n\
         #\n\
         # Test:  apachectl configtest, then reload Apache, then\n\
         #        ci-import redirect check --ci-url {ci_url} --gitlab-url {gitlab}\n\n",
        ci = settings.ci,
        gitlab = settings.gitlab_url(),
        ci_url = settings.ci_url(),
    )
}

/// The same on each port: a runner that was registered with http sends its traces there, and a redirect would lose them.
fn virtual_host(settings: &RedirectSettings, port: u16, tls: Option<&(String, String)>) -> String {
    let address = if settings.ipv6 { "*" } else { "0.0.0.0" };
    let mut text = format!(
        "<VirtualHost {address}:{port}>\n  ServerName {}\n",
        settings.ci
    );
    if let Some((certificate, key)) = tls {
        text += &format!(
            "\n  SSLEngine on\n  SSLCertificateFile {certificate}\n  SSLCertificateKeyFile {key}\n"
        );
    }
    text += "\n  RewriteEngine on\n\n";
    if settings.max_body.bytes > 0 {
        // LimitRequestBody does not count for what is passed on (http_filters.c).
        text += &format!(
            "  # The largest trace that a runner may send, in bytes.\n  \
             RewriteCond %{{HTTP:Content-Length}} -gt{}\n  RewriteRule ^ - [R=413,L]\n\n",
            settings.max_body.bytes
        );
    }
    text += &proxy_settings(settings);
    let gitlab = settings.gitlab_url();
    // A worker keeps the address that it has looked up for as long as it reuses its connections.
    let again = if settings.name_servers.is_some() {
        " disablereuse=on"
    } else {
        ""
    };
    let outside = PROXIED_PATHS.trim_start_matches("^/");
    text += &format!(
        "\n  # Runners and triggers: with their method, their body, and the path as they have sent it.\n  \
         AllowEncodedSlashes NoDecode\n  \
         ProxyPass /api/ {gitlab}/ci/api/ nocanon connectiontimeout=30 timeout=300{again}\n\n  \
         # Hooks and triggers that start builds, and badges.\n  \
         ProxyPassMatch \"{PROXIED_PATHS}\" {gitlab}/ci/projects/$1/$2 connectiontimeout=30 timeout=300{again}\n\n  \
         # Pages, also with the path as it was sent. Apache adds the query, and refuses one in a backreference.\n  \
         RewriteCond %{{REQUEST_URI}} \"!^/(api/|{outside})\"\n  \
         RewriteCond %{{THE_REQUEST}} \"^\\S+ +(/[^?\\s]*)\"\n  \
         RewriteRule ^ {gitlab}/ci%1 [R=301,NE,L]\n</VirtualHost>\n"
    );
    text
}

/// How requests are passed on. Apache's own headers are off: X-Forwarded-Host would make GitLab write links to the old name.
fn proxy_settings(settings: &RedirectSettings) -> String {
    let mut text = format!(
        "  ProxyRequests off\n  ProxyPreserveHost off\n  ProxyAddHeaders off\n  \
         RequestHeader set X-Real-IP expr=%{{REMOTE_ADDR}}\n  \
         RequestHeader append X-Forwarded-For expr=%{{REMOTE_ADDR}}\n  RequestHeader set X-Forwarded-Proto {}\n",
        settings.scheme_name()
    );
    if settings.scheme == Scheme::Https
        && let Some(cas) = &settings.gitlab_ca
    {
        text += &format!(
            "\n  # The GitLab must prove who it is.\n  SSLProxyEngine on\n  SSLProxyVerify require\n  \
             SSLProxyVerifyDepth 5\n  SSLProxyCheckPeerName on\n  SSLProxyCheckPeerExpire on\n  \
             SSLProxyCACertificateFile {cas}\n"
        );
    }
    text
}
