//! nginx.

use std::net::{Ipv4Addr, UdpSocket};

use super::requests;
use crate::support::program::{command, run};
use crate::support::servers::expect_success;
use crate::support::web_client::Request;
use crate::support::web_servers::{CI, Kind, WebServer};
use crate::support::web_stub::Stub;

#[test]
fn passes_on_and_redirects() {
    requests::without_tls(Kind::Nginx);
}

#[test]
fn passes_on_and_redirects_with_tls() {
    requests::with_tls(Kind::Nginx);
}

#[test]
fn verifies_gitlab() {
    requests::to_a_stranger(Kind::Nginx);
}

/// A name server that knows one address for all names. Returns its port.
fn name_server() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut question) {
            // The question ends with its type and class; one for AAAA gets no address.
            let is_ipv4 = question[length - 3] == 1;
            let mut answer = question[..2].to_vec();
            answer.extend([0x81, 0x80, 0, 1, 0, u8::from(is_ipv4), 0, 0, 0, 0]);
            answer.extend(&question[12..length]);
            if is_ipv4 {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4]);
                answer.extend(Ipv4Addr::LOCALHOST.octets());
            }
            socket.send_to(&answer, client).unwrap();
        }
    });
    port
}

/// The name is not known to the machine: only the name server has it.
#[test]
fn looks_the_name_up_while_it_runs() {
    let stub = Stub::start(None, |_| (200, "found", vec![]));
    let server = WebServer::new(Kind::Nginx);
    let asked = format!("127.0.0.1:{}", name_server());
    server.configure(
        &format!("gitlab.invalid:{}", stub.port),
        &[
            "--gitlab-scheme",
            "http",
            "--resolve-again",
            "--name-server",
            &asked,
        ],
    );
    server.start();
    let target = "/api/v1/projects/1/refs/a%2Fb/trigger?token=t";
    let request = Request {
        method: "POST",
        target,
        host: CI,
        body: Some(b"a=b"),
    };
    let answer = request.send(&format!("127.0.0.1:{}", server.http));
    assert_eq!(
        (answer.status(), answer.body.as_slice()),
        (200, &b"found"[..])
    );
    let seen = stub.seen();
    assert_eq!(
        seen[0].asked(),
        ("POST", "/ci/api/v1/projects/1/refs/a%2Fb/trigger?token=t")
    );
    assert_eq!(seen[0].body, b"a=b");
}

/// As it comes without options but those for the ports: CAs and name servers are those of the machine.
#[test]
fn the_defaults_are_accepted() {
    let server = WebServer::new(Kind::Nginx);
    for options in [
        vec![],
        vec!["--resolve-again"],
        vec!["--no-ipv6", "--max-body", "0"],
    ] {
        server.configure("localhost", &options);
        expect_success(&server.checked());
    }
    let names = [
        "redirect",
        "--ci-fqdn",
        CI,
        "--gitlab-fqdn",
        "gitlab.example.com",
    ];
    let text = run(command(names).arg("--no-ipv6")).succeeds().stdout;
    assert!(
        text.contains("  listen 80;\n") && !text.contains("[::]"),
        "{text}"
    );
}
