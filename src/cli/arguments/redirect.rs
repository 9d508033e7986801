//! `redirect`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The arguments of `redirect`.
#[derive(Debug, Args)]
pub struct RedirectArgs {
    /// The name under which GitLab CI was reached, for example ci.example.com
    #[arg(long, value_name = "NAME", required = true)]
    pub ci_fqdn: Option<String>,
    /// The name of the GitLab, for example gitlab.example.com; with a port if it is not the usual one
    #[arg(long, value_name = "NAME[:PORT]", required = true)]
    pub gitlab_fqdn: Option<String>,
    /// The web server that the configuration is for
    #[arg(long, value_enum, default_value_t, value_name = "SERVER")]
    pub server: WebServer,
    /// How the GitLab is reached
    #[arg(long, value_enum, default_value_t, value_name = "SCHEME")]
    pub gitlab_scheme: Scheme,
    /// The CAs that the GitLab's certificate is verified with [default: those of the operating system]
    #[arg(long, value_name = "FILE")]
    pub gitlab_ca: Option<PathBuf>,
    /// The certificate of the CI's name with its chain; with it, the web server accepts https, too
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The key of the certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// The largest body of a request, such as the trace that a runner sends: 10m, 1g; 0 for no limit
    #[arg(long, value_name = "SIZE", default_value = "10m")]
    pub max_body: String,
    /// The port for http
    #[arg(long, value_name = "PORT", default_value_t = 80)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub http_port: u16,
    /// The port for https
    #[arg(long, value_name = "PORT", default_value_t = 443)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub https_port: u16,
    /// Do not listen on IPv6, on a machine that has none
    #[arg(long)]
    pub no_ipv6: bool,
    /// Look the GitLab's name up again while the web server runs, because its address changes
    ///
    /// nginx then asks the name servers of this machine (/etc/resolv.conf), and does not read /etc/hosts. Without this
    /// option the name is looked up when the web server starts or reloads, as every program of the machine does.
    #[arg(long)]
    pub resolve_again: bool,
    /// The name server that nginx asks, in place of those in /etc/resolv.conf; can be given more than once
    #[arg(long, value_name = "ADDRESS[:PORT]", requires = "resolve_again")]
    pub name_server: Vec<String>,
    /// The file to write; "-" for standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long, short)]
    pub yes: bool,
}

/// A web server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum WebServer {
    /// nginx
    #[default]
    Nginx,
    /// Apache 2.4
    Apache,
}

/// How a server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Scheme {
    /// With TLS
    #[default]
    Https,
    /// Without TLS
    Http,
}
