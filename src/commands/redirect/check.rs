//! `ci-import redirect check`: makes the requests that runners, triggers and browsers make, at the old address and at the
//! GitLab itself, and compares the answers. No request changes anything: the tokens are wrong.

use std::sync::Arc;

use ureq::http::Method;

use super::certificate::reach;
use super::findings::{Findings, Outcome};
use super::http::{Answer, Came, Client, Request};
use super::sites::{Sites, plain};
use crate::cli::arguments::RedirectCheckArgs;
use crate::error::Result;
use crate::server::options::client_configuration;

/// A form with a token that nobody has.
const WRONG_TOKEN: &str = "token=ci-import-redirect-check";

/// So long is the longest trace that a runner sends, if its output_limit was not changed.
const LONG_TRACE: usize = 4 << 20;

/// The status of an answer to a body that is too large (RFC 9110, 15.5.14).
const TOO_LARGE: u16 = 413;

/// Where GitLab has its CI.
const BELOW: &str = "/ci";

/// Makes the requests.
pub fn run(arguments: &RedirectCheckArgs) -> Result<Findings> {
    of_sites(&Sites::new(arguments)?, arguments)
}

/// Makes the requests at sites that are known already.
pub(in crate::commands) fn of_sites(
    sites: &Sites,
    arguments: &RedirectCheckArgs,
) -> Result<Findings> {
    let believed = sites.needs_tls().then(|| sites.authorities.clone());
    let tls = Arc::new(client_configuration(believed, true, None)?);
    let trusted = match &arguments.ca {
        Some(file) => file.display().to_string(),
        None => "the operating system".to_owned(),
    };
    let mut findings = Findings::default();
    for (check, base) in [
        ("GitLab: connection", &sites.gitlab),
        ("CI: connection", &sites.ci),
    ] {
        findings.add(check, reach(base, &tls, &trusted, sites.timeout));
    }
    if findings.works() {
        let requests = Requests {
            client: sites.client(),
            ci: sites.ci.to_string(),
            gitlab: sites.gitlab.to_string(),
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
        findings.add("CI: long trace", self.long_trace(build));
        let page = get(format!("/projects/{project}/builds/{build}"));
        let expected = format!("{}{BELOW}{}", self.gitlab, page.path);
        let came = self.client.send(&self.ci, "", &page);
        findings.add(
            "CI: page of a build",
            judged(came, |came| redirected(came, &expected)),
        );
    }

    /// Sends a trace that is as long as runners of that time let it become.
    fn long_trace(&self, build: u32) -> Outcome {
        let request = Request {
            method: Method::PUT,
            path: format!("/api/v1/builds/{build}.json"),
            form: Some(format!("{WRONG_TOKEN}&trace={}", "x".repeat(LONG_TRACE))),
        };
        let direct = match self.client.send(&self.gitlab, BELOW, &request) {
            Err(cause) => return no_answer(&format!("of GitLab itself: {cause}")),
            Ok(direct) => direct,
        };
        let shown = direct.shown();
        if direct.status == TOO_LARGE {
            return Outcome::Note(format!("{shown}: GitLab itself refuses traces of 4 MiB"));
        }
        let came = self.client.send(&self.ci, "", &request);
        judged(came, |came| match came.status {
            TOO_LARGE => failed(
                format!(
                    "{TOO_LARGE}: the web server refuses the body of a request with a trace of 4 MiB"
                ),
                "write the configuration with --max-body 10m (client_max_body_size of nginx, LimitRequestBody of Apache)",
            ),
            _ => passed_on(came, &direct, false, &self.gitlab),
        })
    }
}

fn post(path: String) -> Request {
    Request {
        method: Method::POST,
        path,
        form: Some(WRONG_TOKEN.to_owned()),
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
