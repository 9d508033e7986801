//! Apache.

use super::requests;
use crate::support::servers::expect_success;
use crate::support::web_servers::{Kind, WebServer};

#[test]
fn passes_on_and_redirects() {
    requests::without_tls(Kind::Apache);
}

#[test]
fn passes_on_and_redirects_with_tls() {
    requests::with_tls(Kind::Apache);
}

#[test]
fn verifies_gitlab() {
    requests::to_a_stranger(Kind::Apache);
}

#[test]
fn the_defaults_are_accepted() {
    let server = WebServer::new(Kind::Apache);
    for options in [
        vec![],
        vec!["--resolve-again"],
        vec!["--no-ipv6", "--max-body", "0"],
    ] {
        server.configure("localhost", &options);
        expect_success(&server.checked());
    }
}
