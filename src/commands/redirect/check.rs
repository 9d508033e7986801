//! `ci-import redirect check`: makes the requests that runners, triggers and browsers make, at the old address and at the
//! GitLab itself, and compares the answers. No request changes anything: the tokens are wrong.

use std::sync::Arc;
use std::time::Duration;

use ureq::http::Method;

use super::certificate::{WORDS, reach};
use super::findings::{Findings, Outcome};
use super::http::{Answer, Came, Client, Request};
use super::names::Base;
use crate::cli::arguments::{RedirectCheckArgs, Scheme};
use crate::error::Result;
use crate::server::options::{client_configuration, read_certificates, system_certificates};

/// A form with a token that nobody has.
const WRONG_TOKEN: &str = "token=ci-import-redirect-check";

/// Where GitLab has its CI.
const BELOW: &str = "/ci";

/// Makes the requests.
pub fn run(arguments: &RedirectCheckArgs) -> Result<Findings> {
    let ci = Base::parse("--ci-url", &arguments.ci_url)?;
    let gitlab = Base::parse("--gitlab-url", &arguments.gitlab_url)?;
    let timeout = Duration::from_secs(arguments.timeout.into());
    let needs_tls = [&ci, &gitlab]
        .iter()
        .any(|base| base.scheme == Scheme::Https);
    let authorities = match &arguments.ca {
        Some(file) => read_certificates(file)?,
        None if needs_tls => system_certificates(&WORDS)?,
        None => Vec::new(),
    };
    let trusted = match &arguments.ca {
        Some(file) => file.display().to_string(),
        None => "the operating system".to_owned(),
    };
    let believed = needs_tls.then(|| authorities.clone());
    let tls = Arc::new(client_configuration(believed, true, None)?);
    let mut findings = Findings::default();
    for (check, base) in [("GitLab: connection", &gitlab), ("CI: connection", &ci)] {
        findings.add(check, reach(base, &tls, &trusted, timeout));
    }
    if findings.works() {
        let requests = Requests {
            client: Client::new(&authorities, timeout),
            ci: ci.to_string(),
            gitlab: gitlab.to_string(),
        };
        requests.make(arguments, &mut findings);
    }
    Ok(findings)
}

/// What requests need.
struct Requests {
    client: Client,
    ci: String,
    gitlab: String,
}

impl Requests {
    fn make(&self, arguments: &RedirectCheckArgs, findings: &mut Findings) {
        let (project, build) = (arguments.project, arguments.build);
        let register = post("/api/v1/runners/register.json".to_owned());
        let direct = self.client.send(&self.gitlab, BELOW, &register);
        findings.add("GitLab: runner's API", judged(direct, gitlab_itself));
        for (check, request) in [
            ("CI: runner's API", register),
            (
                "CI: trigger",
                // The slash of a branch's name must arrive as it was sent.
                post(format!(
                    "/api/v1/projects/{project}/refs/ci-import%2Fcheck/trigger"
                )),
            ),
            ("CI: hook", post(format!("/projects/{project}/build"))),
            (
                "CI: badge",
                get(format!("/projects/{project}/status.png?ref=master")),
            ),
        ] {
            let outcome = match self.client.send(&self.gitlab, BELOW, &request) {
                Err(cause) => no_answer(&format!("of GitLab itself: {cause}")),
                Ok(direct) => {
                    let is_badge = check == "CI: badge";
                    let came = self.client.send(&self.ci, "", &request);
                    judged(came, |came| {
                        passed_on(came, &direct, is_badge, &self.gitlab)
                    })
                }
            };
            findings.add(check, outcome);
        }
        let page = get(format!("/projects/{project}/builds/{build}"));
        let expected = format!("{}{BELOW}{}", self.gitlab, page.path);
        let came = self.client.send(&self.ci, "", &page);
        findings.add(
            "CI: page of a build",
            judged(came, |came| redirected(came, &expected)),
        );
    }
}

fn post(path: String) -> Request {
    Request {
        method: Method::POST,
        path,
        form: Some(WRONG_TOKEN),
    }
}

fn get(path: String) -> Request {
    Request {
        method: Method::GET,
        path,
        form: None,
    }
}

fn judged(came: Came, judge: impl FnOnce(&Answer) -> Outcome) -> Outcome {
    match came {
        Ok(answer) => judge(&answer),
        Err(cause) => no_answer(&cause),
    }
}

fn no_answer(cause: &str) -> Outcome {
    failed(
        format!("no answer: {cause}"),
        "the log of the web server may say why",
    )
}

fn failed(what: impl Into<String>, hint: impl Into<String>) -> Outcome {
    Outcome::Failed(what.into(), hint.into())
}

/// What GitLab itself says to a runner with a wrong token: 403 (lib/ci/api in GitLab 8.0).
fn gitlab_itself(answer: &Answer) -> Outcome {
    let shown = answer.shown();
    let says_disabled = String::from_utf8_lossy(&answer.body).contains("CI is disabled");
    match answer.status {
        403 => Outcome::Fine("403 for a wrong token, as it should be".to_owned()),
        400 if says_disabled => failed(
            "400: CI is switched off in GitLab",
            "import the archive; the import switches CI on (application_settings.ci_enabled)",
        ),
        300..400 => failed(
            shown,
            "name the GitLab by the URL that it redirects to, in --gitlab-url and in the configuration \
             (--gitlab-fqdn, --gitlab-scheme)",
        ),
        404 => failed(
            "404: there is no /ci/api/v1",
            "check that --gitlab-url is a GitLab 8.0",
        ),
        500.. => failed(shown, "GitLab itself does not work: look into its log"),
        _ => failed(
            format!("{shown}, where GitLab says 403 to a wrong token"),
            "check that --gitlab-url is a GitLab 8.0",
        ),
    }
}

/// The answer at the old address to a request that must be passed on, compared with GitLab's own.
fn passed_on(came: &Answer, direct: &Answer, is_badge: bool, gitlab: &str) -> Outcome {
    let (shown, expected) = (came.shown(), direct.shown());
    if came.is_redirect() && !direct.is_redirect() {
        if is_badge {
            return Outcome::Note(format!(
                "{shown}: not every program follows a redirect to an image"
            ));
        }
        return failed(
            format!("{shown}: a client repeats the request as a GET, without its body"),
            "the web server must pass this path on: ci-import redirect writes such a configuration",
        );
    }
    if came.status != direct.status && (502..=504).contains(&came.status) {
        return failed(
            format!("{shown}: the web server does not reach {gitlab}"),
            "its error log says why: the name of the GitLab, its certificate or the CA (--gitlab-ca)",
        );
    }
    if came.status != direct.status || came.media_type != direct.media_type {
        return failed(
            format!("{shown}, but GitLab itself says {expected}"),
            "another site of the web server answers, or another configuration is active: check server_name, and \
             whether it was reloaded",
        );
    }
    if came.body != direct.body {
        return Outcome::Note(format!("{shown}, as GitLab itself, but with another text"));
    }
    if direct.status >= 500 {
        return failed(shown, "GitLab itself does not work: look into its log");
    }
    Outcome::Fine(format!("{shown}, as GitLab itself"))
}

/// The answer at the old address to a request for a page.
fn redirected(came: &Answer, expected: &str) -> Outcome {
    let shown = came.shown();
    let Some(location) = came.location.as_ref().filter(|_| came.is_redirect()) else {
        return failed(
            format!("{shown}, which is no redirect"),
            "the configuration is not active: check server_name, and whether the web server was reloaded",
        );
    };
    if plain(location) != plain(expected) {
        return failed(
            format!("{shown}, not to {expected}"),
            "write the configuration with --gitlab-fqdn and --gitlab-scheme as in --gitlab-url",
        );
    }
    match came.status {
        301 | 308 => Outcome::Fine(shown),
        _ => Outcome::Note(format!(
            "{shown}: browsers do not remember it, a 301 they do"
        )),
    }
}

/// A URL without a port that its scheme has anyway.
fn plain(url: &str) -> String {
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
