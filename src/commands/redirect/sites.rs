//! The old address and the GitLab: how they are reached, and what the old address answers a browser.

use std::time::Duration;

use ureq::http::Method;

use super::certificate::WORDS;
use super::http::{Client, Request};
use super::names::Base;
use crate::cli::arguments::{RedirectCheckArgs, Scheme};
use crate::error::Result;
use crate::server::options::{Certificates, read_certificates, system_certificates};

/// Both sites.
pub(in crate::commands) struct Sites {
    pub(super) ci: Base,
    pub(super) gitlab: Base,
    /// The CAs of their certificates.
    pub(super) authorities: Certificates,
    pub(super) timeout: Duration,
}

/// What the old address answers a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) enum Front {
    /// A redirect to the GitLab.
    Redirected,
    /// The web server has nothing behind it: the CI is stopped.
    Stopped(String),
    /// Anything else: the CI runs.
    Runs(String),
    /// Nothing.
    Silent(String),
}

impl Sites {
    /// Those that `arguments` name.
    pub(in crate::commands) fn new(arguments: &RedirectCheckArgs) -> Result<Sites> {
        let mut sites = Sites {
            ci: Base::parse("--ci-url", &arguments.ci_url)?,
            gitlab: Base::parse("--gitlab-url", &arguments.gitlab_url)?,
            authorities: Vec::new(),
            timeout: Duration::from_secs(arguments.timeout.into()),
        };
        sites.authorities = match &arguments.ca {
            Some(file) => read_certificates(file)?,
            None if sites.needs_tls() => system_certificates(&WORDS)?,
            None => Vec::new(),
        };
        Ok(sites)
    }

    /// Whether one of them has https.
    pub(super) fn needs_tls(&self) -> bool {
        [&self.ci, &self.gitlab]
            .iter()
            .any(|base| base.scheme == Scheme::Https)
    }

    /// A client for both.
    pub(super) fn client(&self) -> Client {
        Client::new(&self.authorities, self.timeout)
    }

    /// Asks the old address for its first page.
    pub(in crate::commands) fn front(&self) -> Front {
        let request = Request {
            method: Method::GET,
            path: "/".to_owned(),
            form: None,
        };
        let answer = match self.client().send(&self.ci.to_string(), "", &request) {
            Ok(answer) => answer,
            Err(cause) => return Front::Silent(cause),
        };
        let location = answer.location.as_deref().filter(|_| answer.is_redirect());
        let gitlab = plain(&format!("{}/", self.gitlab));
        if location.is_some_and(|location| plain(location).starts_with(&gitlab)) {
            return Front::Redirected;
        }
        match answer.status {
            502..=504 => Front::Stopped(answer.shown()),
            _ => Front::Runs(answer.shown()),
        }
    }
}

/// A URL without a port that its scheme has anyway.
pub(super) fn plain(url: &str) -> String {
    let usual = [("http://", ":80"), ("https://", ":443")];
    for (scheme, port) in usual {
        let Some(rest) = url.strip_prefix(scheme) else {
            continue;
        };
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = host.strip_suffix(port).unwrap_or(host);
        return format!("{scheme}{}{path}", host.to_ascii_lowercase());
    }
    url.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_go_without_saying() {
        for (url, expected) in [
            ("https://A.b:443/c:443", "https://a.b/c:443"),
            ("http://a:80", "http://a"),
            ("https://a:80/", "https://a:80/"),
            ("/a", "/a"),
        ] {
            assert_eq!(plain(url), expected);
        }
    }
}
