//! What every web server must do with the requests for GitLab CI.

use crate::support::web_client::Request;
use crate::support::web_servers::{CI, Kind, WebServer, argument};
use crate::support::web_stub::{Message, Stub};

/// Requests that GitLab must get as they are: method, target, body.
const PROXIED: [(&str, &str, Option<&[u8]>); 9] = [
    (
        "POST",
        "/api/v1/runners/register.json",
        Some(b"token=a%26b"),
    ),
    (
        "POST",
        "/api/v1/builds/register",
        Some(b"{\"token\":\"t\"}"),
    ),
    (
        "PUT",
        "/api/v1/builds/12.json",
        Some(b"trace=a+b%0A&state=success"),
    ),
    ("DELETE", "/api/v1/runners/delete?token=t", None),
    (
        "POST",
        "/api/v1/projects/1/refs/feature%2Fa%20b/trigger",
        Some(b"token=t&variables[A]=1"),
    ),
    (
        "POST",
        "/projects/1/build?token=t",
        Some(b"{\"before\":\"0\"}"),
    ),
    ("GET", "/projects/12/status?ref=master", None),
    ("GET", "/projects/12/status.png?ref=feature%2Fa", None),
    ("GET", "/projects/12/status.svg", None),
];

/// Requests that get a redirect.
const REDIRECTED: [&str; 11] = [
    "/",
    "/projects",
    "/projects/1/builds/2",
    "/projects/1/builds/2/status.json",
    "/projects/1/refs/feature%2Fa%20b/commits/da39a3ee?x=1&y=%2F",
    "/projects/1/builds",
    "/projects/1/status/more",
    "/projects/a/build",
    "/apis",
    "/admin/runners?a=http://evil.example.com",
    "//evil.example.com/a",
];

fn accepted(_: &Message) -> (u16, &'static str, Vec<(&'static str, String)>) {
    let location = "https://gitlab.example.com/ci/elsewhere".to_owned();
    (201, "{\"id\":1}", vec![("Location", location)])
}

/// The GitLab must have got this request, and nothing else.
#[track_caller]
fn assert_arrived(stub: &Stub, method: &str, target: &str, body: Option<&[u8]>) -> Message {
    let seen = stub.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    let request = seen[0].clone();
    assert_eq!(request.asked(), (method, format!("/ci{target}").as_str()));
    assert_eq!(request.body, body.unwrap_or_default(), "{method} {target}");
    request
}

/// Tries all requests on `addresses` of a server whose GitLab is `gitlab`, a URL; with TLS if `authority` is the CA.
pub(super) fn try_requests(
    addresses: &[String],
    stub: &Stub,
    gitlab: &str,
    authority: Option<&str>,
) {
    let send = |request: Request<'_>, address: &str| match authority {
        None => request.send(address),
        Some(authority) => request.send_with_tls(address, authority),
    };
    let scheme = gitlab.split(':').next().unwrap();
    for address in addresses {
        for (method, target, body) in PROXIED {
            let host = CI;
            let request = Request {
                method,
                target,
                host,
                body,
            };
            let answer = send(request, address);
            assert_eq!(
                (answer.status(), answer.body.as_slice()),
                (201, &b"{\"id\":1}"[..])
            );
            let location = answer.header("location");
            assert_eq!(location, Some("https://gitlab.example.com/ci/elsewhere"));
            let arrived = assert_arrived(stub, method, target, body);
            let host = gitlab.split("//").nth(1);
            assert_eq!(arrived.header("host"), host);
            let client = if address.starts_with('[') {
                "::1"
            } else {
                "127.0.0.1"
            };
            assert_eq!(arrived.header("x-real-ip"), Some(client));
            assert_eq!(arrived.header("x-forwarded-for"), Some(client));
            assert_eq!(arrived.header("x-forwarded-proto"), Some(scheme));
            assert_eq!(arrived.header("x-forwarded-host"), None);
        }
        for target in REDIRECTED {
            let request = Request {
                method: "GET",
                target,
                host: CI,
                body: None,
            };
            let answer = send(request, address);
            assert_eq!(answer.status(), 301, "{target}");
            assert_eq!(
                answer.header("location"),
                Some(format!("{gitlab}/ci{target}").as_str())
            );
        }
        assert!(stub.seen().is_empty());
    }
}

/// http to a GitLab with http, on IPv4 and IPv6.
pub(crate) fn without_tls(kind: Kind) {
    let stub = Stub::start(None, accepted);
    let server = WebServer::new(kind);
    let gitlab = format!("localhost:{}", stub.port);
    server.configure(&gitlab, &["--gitlab-scheme", "http", "--max-body", "1k"]);
    server.start();
    let addresses = ["127.0.0.1", "[::1]"].map(|host| format!("{host}:{}", server.http));
    try_requests(&addresses, &stub, &format!("http://{gitlab}"), None);
    let body = [b'a'; 1025];
    for (length, status) in [(1024, 201), (1025, 413)] {
        let request = Request {
            method: "PUT",
            target: "/api/v1/builds/12",
            host: CI,
            body: Some(&body[..length]),
        };
        assert_eq!(
            request.send(&addresses[0]).status(),
            status,
            "{length} bytes"
        );
        assert_eq!(stub.seen().len(), usize::from(status == 201));
    }
}

/// https and http to a GitLab with https.
pub(super) fn with_tls(kind: Kind) {
    let server = WebServer::new(kind);
    let certificate = server.authority.for_localhost(2100);
    let stub = Stub::start(Some(certificate), accepted);
    let gitlab = format!("localhost:{}", stub.port);
    let authority = server.authority.pem();
    let cas = server.put("gitlab-ca.pem", &authority);
    let mut options: Vec<String> = server.with_tls().into();
    options.extend(["--gitlab-ca".to_owned(), argument(&cas).to_owned()]);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    server.configure(&gitlab, &options);
    server.start();
    let addresses = |port: u16| ["127.0.0.1", "[::1]"].map(|host| format!("{host}:{port}"));
    let url = format!("https://{gitlab}");
    try_requests(&addresses(server.https), &stub, &url, Some(&authority));
    // A runner that was registered with http goes on with it.
    try_requests(&addresses(server.http), &stub, &url, None);
}

/// Nothing is passed on to whoever has no certificate for GitLab's name.
pub(super) fn to_a_stranger(kind: Kind) {
    let server = WebServer::new(kind);
    let certificates = [
        // Of another CA; for another name.
        crate::support::tcp_servers::Authority::new("a stranger").for_localhost(2100),
        server.authority.for_names(&["other.example.com"], 2100),
        server.authority.for_localhost(2002),
    ];
    let cas = server.put("gitlab-ca.pem", &server.authority.pem());
    for certificate in certificates {
        let server = WebServer::new(kind);
        let stub = Stub::start(Some(certificate), accepted);
        let gitlab = format!("localhost:{}", stub.port);
        server.configure(&gitlab, &["--gitlab-ca", argument(&server.put_copy(&cas))]);
        server.start();
        let request = Request {
            method: "POST",
            target: "/api/v1/builds/register",
            host: CI,
            body: Some(b"token=t"),
        };
        let answer = request.send(&format!("127.0.0.1:{}", server.http));
        assert!([500, 502].contains(&answer.status()), "{}", answer.line);
        assert!(stub.seen().is_empty());
    }
}
