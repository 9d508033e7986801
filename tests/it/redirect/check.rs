//! `redirect check`, before web servers that do it right, and before those that do not.

use crate::support::program::{Outcome, command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::tcp_servers::{Authority, free_port};
use crate::support::web_servers::{Kind, WebServer, argument};
use crate::support::web_stub::{Answer, Message, Stub};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const HTML: (&str, &str) = ("Content-Type", "text/html; charset=utf-8");

fn answer(status: u16, body: &'static str, (name, value): (&'static str, &str)) -> Answer {
    (status, body, vec![(name, value.to_owned())])
}

/// What GitLab 8.0 says to requests with wrong tokens.
fn gitlab(request: &Message) -> Answer {
    match request.asked() {
        ("POST", "/ci/api/v1/runners/register.json") | ("PUT", "/ci/api/v1/builds/1.json") => {
            answer(403, "{\"message\":\"403 Forbidden\"}", JSON)
        }
        ("POST", "/ci/api/v1/projects/1/refs/ci-import%2Fcheck/trigger") => {
            answer(404, "{\"message\":\"404 Not found\"}", JSON)
        }
        ("GET", "/ci/projects/1/status.png?ref=master") => {
            answer(200, "<svg/>", ("Content-Type", "image/svg+xml"))
        }
        _ => answer(404, "<h1>404</h1>", HTML),
    }
}

fn redirect(status: u16, location: String) -> Answer {
    (status, "", vec![("Location", location)])
}

fn check(ci: &str, gitlab: &str, options: &[&str]) -> Outcome {
    let mut check = command(["redirect", "check", "--ci-url", ci, "--gitlab-url", gitlab]);
    run(check.args(["--timeout", "20"]).args(options))
}

fn url(port: u16) -> String {
    format!("http://localhost:{port}")
}

/// The outcomes of the checks in the JSON, by their names.
fn outcomes(outcome: &Outcome) -> Vec<(String, String)> {
    let json: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let checks = json["checks"].as_array().unwrap().iter();
    checks
        .map(|check| (text(&check["check"]), text(&check["outcome"])))
        .collect()
}

const ALL: [&str; 9] = [
    "GitLab: connection",
    "CI: connection",
    "GitLab: runner's API",
    "CI: runner's API",
    "CI: trigger",
    "CI: hook",
    "CI: badge",
    "CI: long trace",
    "CI: page of a build",
];

#[test]
fn what_the_program_writes_passes() {
    for kind in [Kind::Nginx, Kind::Apache] {
        let server = WebServer::new(kind);
        let stub = Stub::start(Some(server.authority.for_localhost(2100)), gitlab);
        let cas = server.put("ca.pem", &server.authority.pem());
        let mut options: Vec<String> = server.with_tls().into();
        options.extend(["--gitlab-ca", argument(&cas)].map(str::to_owned));
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        server.configure_for("localhost", &format!("localhost:{}", stub.port), &options);
        server.start();
        let ci = format!("https://localhost:{}", server.https);
        let of_gitlab = format!("https://localhost:{}", stub.port);
        let ca = ["--ca", argument(&cas), "--json"];
        let outcome = check(&ci, &of_gitlab, &ca).succeeds();
        let expected = ALL.map(|check| (check.to_owned(), "ok".to_owned()));
        assert_eq!(outcomes(&outcome), expected, "{}", outcome.stdout);
        check(&ci, &of_gitlab, &ca[..2])
            .succeeds()
            .reports("CI: connection ok the certificate is valid until 2100-01-01")
            .reports("CI: trigger ok 404, as GitLab itself")
            .reports("the redirect works; nothing was changed");
        let mut seen = stub.seen().into_iter();
        let post = seen
            .find(|request| request.line.contains("trigger"))
            .unwrap();
        assert_eq!(post.body, b"token=ci-import-redirect-check");
        // A runner that has http.
        check(&url(server.http), &of_gitlab, &ca[..2])
            .succeeds()
            .reports("CI: connection note without TLS");
    }
}

/// What answers at the old address, the checks that fail, those that are noted, and what is told.
type Case<'a> = (&'a Stub, &'a [&'a str], &'a [&'a str], &'a [&'a str]);

#[test]
fn what_must_be_fixed() {
    let real = Stub::start(None, gitlab);
    let of_gitlab = url(real.port);
    let location = {
        let of_gitlab = of_gitlab.clone();
        move |request: &Message| format!("{of_gitlab}/ci{}", request.asked().1)
    };
    let passed = |request: &Message| {
        let mut request = request.clone();
        request.line = request.line.replacen(" /", " /ci/", 1);
        gitlab(&request)
    };
    let is_page = |request: &Message| request.line.contains("/builds/1 ");
    let l = location.clone();
    let all_redirected = Stub::start(None, move |request| redirect(301, l(request)));
    let l = location.clone();
    let only_api = Stub::start(None, move |request| match request.asked().1 {
        target if target.starts_with("/api/") => passed(request),
        _ => redirect(301, l(request)),
    });
    let l = location.clone();
    let unreached = Stub::start(None, move |request| {
        if is_page(request) {
            redirect(301, l(request))
        } else {
            answer(502, "<h1>502</h1>", HTML)
        }
    });
    let other_site = Stub::start(None, |_| answer(404, "<h1>nothing here</h1>", HTML));
    let elsewhere = Stub::start(None, move |request| {
        if is_page(request) {
            redirect(301, "https://other.example.com/\u{202e}".to_owned())
        } else {
            passed(request)
        }
    });
    let temporary = Stub::start(None, move |request| {
        if is_page(request) {
            redirect(302, location(request))
        } else {
            passed(request)
        }
    });
    let cases: [Case<'_>; 6] = [
        (
            &all_redirected,
            &[
                "CI: runner's API",
                "CI: trigger",
                "CI: hook",
                "CI: long trace",
            ],
            &["CI: badge"],
            &[
                "repeats the request as a GET, without its body",
                "hint: the web server must pass this path on",
            ],
        ),
        (
            &only_api,
            &["CI: hook"],
            &["CI: badge"],
            &["CI: trigger ok"],
        ),
        (
            &unreached,
            &[
                "CI: runner's API",
                "CI: trigger",
                "CI: hook",
                "CI: badge",
                "CI: long trace",
            ],
            &[],
            &[
                "502: the web server does not reach",
                "its error log says why",
            ],
        ),
        (
            &other_site,
            &[
                "CI: runner's API",
                "CI: trigger",
                "CI: badge",
                "CI: long trace",
                "CI: page of a build",
            ],
            &["CI: hook"],
            &[
                "404, but GitLab itself says 403",
                "404, which is no redirect",
                "check server_name",
            ],
        ),
        (
            &elsewhere,
            &["CI: page of a build"],
            &[],
            &["301 to https://other.example.com/\\u{202e}, not to"],
        ),
        (&temporary, &[], &["CI: page of a build"], &["302 to"]),
    ];
    for (stub, failed, noted, texts) in cases {
        let code = i32::from(!failed.is_empty());
        let found = outcomes(&check(&url(stub.port), &of_gitlab, &["--json"]).exits(code));
        // Both have no TLS.
        let noted: Vec<&str> = ALL[..2].iter().chain(noted).copied().collect();
        for (word, expected) in [("failed", failed.to_vec()), ("note", noted)] {
            let of_word = found.iter().filter(|(_, outcome)| outcome == word);
            let names: Vec<&str> = of_word.map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, expected, "{word}: {found:?}");
        }
        assert_eq!(found.len(), ALL.len());
        let mut outcome = check(&url(stub.port), &of_gitlab, &[]).exits(code);
        for text in texts {
            outcome = outcome.reports(text);
        }
    }
}

/// A web server's own limit is often 1 MiB, and runners send traces of 4 MiB.
#[test]
fn a_limit_that_is_too_small_for_traces() {
    for kind in [Kind::Nginx, Kind::Apache] {
        let server = WebServer::new(kind);
        let stub = Stub::start(None, gitlab);
        let name = format!("localhost:{}", stub.port);
        server.configure_for(
            "localhost",
            &name,
            &["--gitlab-scheme", "http", "--max-body", "1m"],
        );
        server.start();
        let outcome = check(&url(server.http), &url(stub.port), &["--json"]).exits(1);
        let found = outcomes(&outcome).into_iter();
        let failed = found.filter(|(_, outcome)| outcome == "failed");
        let failed: Vec<_> = failed.map(|(check, _)| check).collect();
        assert_eq!(failed, ["CI: long trace"], "{kind:?}: {}", outcome.stdout);
        check(&url(server.http), &url(stub.port), &[])
            .exits(1)
            .reports("413: the web server refuses the body of a request with a trace of 4 MiB")
            .reports("--max-body 10m");
    }
}

/// The plan asks the old address how far the move is.
#[test]
fn the_plan_sees_what_the_old_address_answers() {
    let real = Stub::start(None, gitlab);
    let of_gitlab = url(real.port);
    let location = {
        let of_gitlab = of_gitlab.clone();
        move |request: &Message| format!("{of_gitlab}/ci{}", request.asked().1)
    };
    let right = {
        let location = location.clone();
        Stub::start(None, move |request| match request.asked().1 {
            "/" | "/projects/1/builds/1" => redirect(301, location(request)),
            _ => {
                let mut request = request.clone();
                request.line = request.line.replacen(" /", " /ci/", 1);
                gitlab(&request)
            }
        })
    };
    let all = Stub::start(None, move |request| redirect(301, location(request)));
    let stopped = Stub::start(None, |_| answer(502, "<h1>502</h1>", HTML));
    let runs = Stub::start(None, |_| redirect(302, "/user_sessions/new".to_owned()));
    let closed = free_port();
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let cases = [
        (
            runs.port,
            ["open", "open", "open"],
            "it runs: its address answers 302",
        ),
        (
            stopped.port,
            ["done", "done", "open"],
            "its address answers 502",
        ),
        (all.port, ["done", "done", "open"], "CI: runner's API: 301"),
        (
            right.port,
            ["done", "done", "done"],
            "runners, triggers and pages arrive",
        ),
        (
            closed,
            ["unknown", "done", "unknown"],
            "its address does not answer",
        ),
    ];
    for (port, expected, told) in cases {
        let mut plan = command([
            "plan",
            archive.to_str().unwrap(),
            "--mysql-to-postgresql",
            "--json",
        ]);
        plan.args(["--ci-url", &url(port), "--gitlab-url", &of_gitlab]);
        let outcome = run(plan.env("HOME", scene.directory.path())).succeeds();
        let json: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        let steps = json["steps"].as_array().unwrap();
        let state = |title: &str| {
            let mut steps = steps.iter();
            let step = steps.find(|step| step["title"].as_str().unwrap().starts_with(title));
            step.unwrap()["state"].as_str().unwrap().to_owned()
        };
        let states = ["Upgrade GitLab CI", "Make the archive", "Redirect"].map(state);
        assert_eq!(states, expected, "{told}: {}", outcome.stdout);
        assert!(outcome.stdout.contains(told), "{told}: {}", outcome.stdout);
    }
    run(command([
        "plan",
        "--ci-url",
        "ci",
        "--gitlab-url",
        &of_gitlab,
    ]))
    .exits(2);
    run(command(["plan", "--ci-url", &of_gitlab])).exits(2);
}

#[test]
fn a_gitlab_that_does_not_answer_as_one() {
    let cases: [(Answer, &str); 5] = [
        (
            answer(
                400,
                "{\"message\":\"400 (Bad request) CI is disabled\"}",
                JSON,
            ),
            "400: CI is switched off in GitLab hint: import the archive",
        ),
        (
            redirect(301, "https://gitlab.example.com/ci".to_owned()),
            "301 to https://gitlab.example.com/ci hint: name the GitLab by the URL",
        ),
        (
            answer(404, "<h1>404</h1>", HTML),
            "404: there is no /ci/api/v1",
        ),
        (
            answer(502, "<h1>GitLab is not responding</h1>", HTML),
            "502 hint: GitLab itself does not work",
        ),
        (
            answer(201, "{}", JSON),
            "201, where GitLab says 403 to a wrong token",
        ),
    ];
    for (answer, expected) in cases {
        let stub = Stub::start(None, move |_| answer.clone());
        check(&url(stub.port), &url(stub.port), &[])
            .exits(1)
            .reports(&format!("GitLab: runner's API FAILED {expected}"))
            .reports("the redirect does not work yet; nothing was changed");
    }
}

#[test]
fn connections_and_certificates() {
    let authority = Authority::new("an authority of the web");
    let directory = tempfile::tempdir().unwrap();
    let cas = directory.path().join("ca.pem");
    std::fs::write(&cas, authority.pem()).unwrap();
    let real = Stub::start(None, gitlab);
    let closed = free_port();
    let plain = Stub::start(None, gitlab);
    for (certificate, expected) in [
        (
            authority.for_names(&["other.example.com"], 2100),
            "not for localhost, but for",
        ),
        (authority.for_localhost(2002), "expired 2002-01-01"),
        (
            Authority::new("a stranger").for_localhost(2100),
            "of an unknown CA",
        ),
    ] {
        let stub = Stub::start(Some(certificate), gitlab);
        let ci = format!("https://localhost:{}", stub.port);
        let outcome = check(&ci, &url(real.port), &["--ca", argument(&cas)]).exits(1);
        outcome
            .reports("CI: connection FAILED")
            .reports(expected)
            .reports("hint:");
        assert!(real.seen().is_empty(), "no request without a connection");
    }
    for (ci, expected) in [
        (url(closed), "cannot be reached: Connection refused"),
        ("http://ci.invalid".to_owned(), "cannot be reached"),
        (format!("https://localhost:{}", plain.port), "TLS"),
    ] {
        check(&ci, &url(real.port), &["--ca", argument(&cas)])
            .exits(1)
            .reports("CI: connection FAILED")
            .reports(expected);
    }
    for (ci, message) in [
        ("ci.example.com", "this is no URL with https or http"),
        ("ftp://ci.example.com", "this is no URL with https or http"),
        ("https://ci.example.com/ci", "a path does not belong here"),
        ("https://user@ci.example.com", "this is not a host name"),
    ] {
        check(ci, &url(real.port), &[]).exits(2).says(message);
    }
}
