//! `redirect`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// The arguments of `redirect`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct RedirectArgs {
    /// The command, if it is not to write the configuration
    #[command(subcommand)]
    pub action: Option<RedirectAction>,
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

/// What else can be done about the redirect.
#[derive(Debug, Subcommand)]
pub enum RedirectAction {
    /// Make the requests of runners, triggers and browsers at both addresses, and say what must be fixed
    ///
    /// No request changes anything: the tokens are wrong. The answers at the old address are compared with those of
    /// GitLab itself. Exits with 1 if something must be fixed.
    Check(RedirectCheckArgs),
}

/// The arguments of `redirect check`.
#[derive(Debug, Args)]
pub struct RedirectCheckArgs {
    /// The URL of the old address, without a path
    #[arg(long, value_name = "URL")]
    pub ci_url: String,
    /// The URL of the GitLab, without a path
    #[arg(long, value_name = "URL")]
    pub gitlab_url: String,
    /// The CAs to verify both certificates with [default: those of the operating system]
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The id of a project of the CI
    #[arg(long, value_name = "ID", default_value_t = 1)]
    pub project: u32,
    /// The id of a build of the project
    #[arg(long, value_name = "ID", default_value_t = 1)]
    pub build: u32,
    /// How long to wait for each answer
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub timeout: u32,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
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

impl Scheme {
    /// The name in a URL.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Https => "https",
            Scheme::Http => "http",
        }
    }

    /// The port that a URL does not name.
    #[must_use]
    pub fn usual_port(self) -> u16 {
        match self {
            Scheme::Https => 443,
            Scheme::Http => 80,
        }
    }
}
