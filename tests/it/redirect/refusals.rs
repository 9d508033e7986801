//! What does not get into a configuration, and files that stay.

use std::fs;

use crate::support::program::{command, run};

const NAMES: [&str; 4] = [
    "--ci-fqdn",
    "ci.example.com",
    "--gitlab-fqdn",
    "gitlab.example.com",
];

#[test]
fn words_that_would_mean_something() {
    for (option, value, message) in [
        ("--ci-fqdn", "ci.example.com;", "this is not a host name"),
        ("--ci-fqdn", "ci.example.com {", "this is not a host name"),
        ("--ci-fqdn", "ci\n}", "this is not a host name"),
        (
            "--ci-fqdn",
            "ci.example.com:80",
            "a port does not belong here",
        ),
        (
            "--ci-fqdn",
            "gitlab.example.com",
            "cannot be redirected to itself",
        ),
        ("--gitlab-fqdn", "$host", "this is not a host name"),
        (
            "--gitlab-fqdn",
            "https://gitlab.example.com",
            "this is not a host name",
        ),
        (
            "--gitlab-fqdn",
            "gitlab.example.com:443;",
            "the port is wrong",
        ),
        (
            "--gitlab-ca",
            "/etc/ssl/a b",
            "the path has other characters",
        ),
        ("--max-body", "10m; deny all", "this is not a size"),
        ("--max-body", "ten", "this is not a size"),
    ] {
        let kept = NAMES.chunks(2).filter(|pair| pair[0] != option).flatten();
        let mut redirect = command(["redirect", option, value]);
        run(redirect.args(kept))
            .exits(2)
            .says(message)
            .says("hint:");
    }
    for (options, message) in [
        (
            ["--tls-cert", "/a;b", "--tls-key", "/k"],
            "the path has other characters",
        ),
        (
            ["--tls-cert", "/c", "--tls-key", "/a\nb"],
            "the path has other characters",
        ),
        (
            ["--gitlab-scheme", "http", "--gitlab-ca", "/ca"],
            "--gitlab-ca needs",
        ),
    ] {
        let mut redirect = command(["redirect"]);
        run(redirect.args(NAMES).args(options))
            .exits(2)
            .says(message);
    }
    let mut redirect = command(["redirect"]);
    redirect
        .args(NAMES)
        .args(["--resolve-again", "--name-server", "dns.example.com"]);
    run(redirect).exits(2).says("this is not an address");
}

#[test]
fn a_file_is_replaced_only_if_asked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gitlab_ci");
    let redirect = |options: &[&str]| {
        let mut redirect = command(["redirect"]);
        redirect.args(NAMES).arg("-o").arg(&path).args(options);
        run(redirect)
    };
    redirect(&[]).succeeds();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("server_name ci.example.com;"), "{text}");
    let mut printed = command(["redirect"]);
    assert_eq!(run(printed.args(NAMES)).succeeds().stdout, text);
    fs::write(&path, "old").unwrap();
    redirect(&[]).exits(2).says("exists already").says("--yes");
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    redirect(&["--yes"]).succeeds();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}
