//! The configuration for nginx.

use super::settings::{PROXIED_PATHS, RedirectSettings};
use crate::cli::arguments::Scheme;

/// The configuration, a file to include in the block `http`.
pub(super) fn configuration(settings: &RedirectSettings) -> String {
    let mut text = head(settings);
    let target = match settings.name_servers {
        None => {
            // Not a host name in itself: nginx looks for a group of this name first.
            let group = format!("gitlab-of-{}", settings.ci);
            text += &format!(
                "# nginx looks this name up when it starts or reloads, as all programs of the machine do (/etc/hosts, DNS).\n\
                 upstream {group} {{\n  server {}:{};\n}}\n\n",
                settings.gitlab.name,
                settings.gitlab_port()
            );
            group
        }
        Some(_) => format!("{}:{}", settings.gitlab.name, settings.gitlab_port()),
    };
    text += "server {\n";
    for line in listens(settings) {
        text += &format!("  listen {line};\n");
    }
    text += &format!("  server_name {};\n  server_tokens off;\n", settings.ci);
    if let Some((certificate, key)) = &settings.tls {
        text += &format!("\n  ssl_certificate {certificate};\n  ssl_certificate_key {key};\n");
    }
    text += &format!(
        "\n  # The largest trace that a runner may send; 0 for no limit.\n  client_max_body_size {};\n\n",
        settings.max_body.written
    );
    text += &proxy_settings(settings);
    // The path as the client has sent it: without a variable nginx would decode %2F in the name of a branch.
    let pass = format!(
        "proxy_pass {}://{target}/ci$request_uri;",
        settings.scheme_name()
    );
    text += &format!(
        "\n  # Runners and triggers: with their method and their body.\n  location /api/ {{\n    {pass}\n  }}\n\n  \
         # Hooks and triggers that start builds, and badges.\n  location ~ \"{PROXIED_PATHS}\" {{\n    {pass}\n  }}\n\n  \
         # Pages.\n  location / {{\n    return 301 {}/ci$request_uri;\n  }}\n}}\n",
        settings.gitlab_url()
    );
    text
}

/// What the file is, where it belongs, and how to test it.
fn head(settings: &RedirectSettings) -> String {
    format!(
        "# nginx: requests to GitLab CI at {ci} go on to the GitLab at {gitlab}/ci.\n\
         # Written by ci-import redirect.\n\
         #\n\
         # GitLab CI from source: save it as /etc/nginx/sites-available/gitlab_ci, in place of the old file, with a link in\n\
         # /etc/nginx/sites-enabled. Omnibus: in /etc/gitlab/gitlab.rb set ci_nginx['enable'] = false and\n\
         # nginx['custom_nginx_config'] = \"include /path/of/this/file;\", then run gitlab-ctl reconfigure.\n\
         #\n\
         # Test:  nginx -t, then reload nginx, then\n\
         #        ci-import redirect check --ci-url {ci_url} --gitlab-url {gitlab}\n\n",
        ci = settings.ci,
        gitlab = settings.gitlab_url(),
        ci_url = settings.ci_url(),
    )
}

/// The addresses to listen on. Requests without TLS are served like those with TLS: a runner that was registered with
/// http sends its traces there, and a redirect would lose them.
fn listens(settings: &RedirectSettings) -> Vec<String> {
    let mut lines = Vec::new();
    let mut listen = |port: u16, ending: &str| {
        lines.push(format!("{port}{ending}"));
        if settings.ipv6 {
            lines.push(format!("[::]:{port}{ending}"));
        }
    };
    listen(settings.http_port, "");
    if settings.tls.is_some() {
        listen(settings.https_port, " ssl");
    }
    lines
}

/// How requests are passed on.
fn proxy_settings(settings: &RedirectSettings) -> String {
    let mut text = String::new();
    if let Some(servers) = &settings.name_servers {
        text += &format!(
            "  # The name servers that nginx asks for the GitLab's address; it does not read /etc/hosts.\n  \
             resolver {};\n  resolver_timeout 10s;\n\n",
            servers.join(" ")
        );
    }
    text += &format!(
        "  proxy_http_version 1.1;\n  proxy_connect_timeout 30s;\n  proxy_send_timeout 300s;\n  \
         proxy_read_timeout 300s;\n  proxy_redirect off;\n  proxy_set_header Host {};\n  \
         proxy_set_header X-Real-IP $remote_addr;\n  \
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n  proxy_set_header X-Forwarded-Proto {};\n",
        settings.gitlab,
        settings.scheme_name()
    );
    if settings.scheme == Scheme::Https
        && let Some(cas) = &settings.gitlab_ca
    {
        text += &format!(
            "\n  # The GitLab must prove who it is.\n  proxy_ssl_server_name on;\n  proxy_ssl_name {};\n  \
             proxy_ssl_verify on;\n  proxy_ssl_verify_depth 5;\n  proxy_ssl_trusted_certificate {cas};\n",
            settings.gitlab.name
        );
    }
    text
}
