//! Files on web servers: nginx.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;

use super::large_archive;
use crate::support::program::{Outcome, command, run};
use crate::support::web_servers::{Kind, WebServer};

/// An nginx with files: `/ranges/` as usual, `/whole/` without ranges, `/away/` which redirects to the first, `/plain/`
/// which redirects to an address without TLS, and `/closed/`, which asks for a password.
fn nginx() -> WebServer {
    let server = WebServer::new(Kind::Nginx);
    let files = server.path("files");
    fs::create_dir(&files).unwrap();
    for (name, content) in [
        ("a.tar", large_archive().to_vec()),
        ("empty.sql", Vec::new()),
        ("x.html", b"<html>".to_vec()),
    ] {
        fs::write(files.join(name), content).unwrap();
    }
    server.put("passwords", "user:{PLAIN}s3cret\n");
    let (directory, files) = (server.directory.display(), files.display());
    let places = format!(
        "location = / {{ return 301 /ranges/; }}\nlocation /ranges/ {{ alias {files}/; }}\nlocation /whole/ {{ alias {files}/; max_ranges 0; }}\n\
         location /away/ {{ rewrite ^/away/(.*)$ /ranges/$1 redirect; }}\n\
         location /plain/ {{ return 302 http://localhost:{}/ranges/a.tar; }}\n\
         location /closed/ {{ alias {files}/; auth_basic x; auth_basic_user_file {directory}/passwords; }}\n",
        server.http
    );
    let configuration = format!(
        "server {{ listen 127.0.0.1:{}; {places} }}\n\
         server {{ listen 127.0.0.1:{} ssl; ssl_certificate {directory}/ci.pem; \
         ssl_certificate_key {directory}/ci.key; {places} }}\n",
        server.http, server.https
    );
    server.put("redirect.conf", &configuration);
    server.put("ca.pem", &server.authority.pem());
    server.start();
    server
}

fn believing(server: &WebServer, mut command: Command) -> Outcome {
    command.env("SSL_CERT_FILE", server.path("ca.pem"));
    run(command)
}

#[test]
fn files_are_read_with_and_without_ranges() {
    let server = nginx();
    let folder = tempfile::tempdir().unwrap();
    let (file, output) = (
        folder.path().join("a.tar"),
        folder.path().join("converted.tar"),
    );
    fs::write(&file, large_archive()).unwrap();
    let converted = |input: &str| {
        let mut convert = command(["convert", "-q", input, "-o"]);
        convert.arg(&output);
        believing(&server, convert).succeeds();
        let bytes = fs::read(&output).unwrap();
        fs::remove_file(&output).unwrap();
        bytes
    };
    let expected = converted(file.to_str().unwrap());
    for place in ["ranges", "whole", "away"] {
        for base in [
            format!("https://localhost:{}", server.https),
            format!("http://127.0.0.1:{}", server.http),
        ] {
            assert!(
                converted(&format!("{base}/{place}/a.tar?x=1")) == expected,
                "{base} {place}"
            );
        }
    }
    let closed = format!(
        "https://user:s3cret@localhost:{}/closed/a.tar",
        server.https
    );
    assert!(converted(&closed) == expected);
}

#[test]
fn what_cannot_be_read_says_why() {
    let server = nginx();
    let base = format!("https://localhost:{}", server.https);
    let inspect = |url: &str| {
        let outcome = believing(&server, command(["inspect", url]));
        assert!(!outcome.stderr.contains("s3cret"), "{}", outcome.stderr);
        outcome
    };
    inspect(&format!("{base}/ranges/none.tar?sig=s3cret"))
        .exits(2)
        .says(&format!(
            "cannot read {base}/ranges/none.tar: the server has no such file"
        ));
    inspect(&format!("{base}/closed/a.tar"))
        .exits(2)
        .says("the storage refuses: 401");
    inspect(&format!(
        "https://user:s3cret@localhost:{}/ranges/none",
        server.https
    ))
    .exits(2)
    .says(&format!("cannot read {base}/ranges/none"));
    inspect(&format!("{base}/plain/"))
        .exits(1)
        .says("it redirects to an address without TLS");
    inspect(&format!("{base}/ranges/empty.sql")).exits(3);
    inspect(&format!("{base}/ranges/x.html"))
        .exits(3)
        .says("the input is neither a backup archive nor a dump");
    inspect(&format!("{base}/ranges/"))
        .exits(2)
        .says("refuses: 403");
    run(command(["inspect", &format!("{base}/ranges/a.tar")]).env("SSL_CERT_FILE", "/dev/null"))
        .exits(2)
        .says("the certificate of the server is not trusted")
        .says("SSL_CERT_FILE=FILE");
}

#[test]
fn reports_show_no_signature() {
    let server = nginx();
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let url = format!("https://localhost:{}/ranges/a.tar?sig=s3cret", server.https);
    let mut import = command([&url, "--mysql-to-postgresql", "--database-url"]);
    import.args(["postgresql://nobody@127.0.0.1:1/none", "--builds-path"]);
    import.arg(folder.path().join("builds"));
    import.arg("--report").arg(&report);
    believing(&server, import).exits(4);
    let text = fs::read_to_string(report).unwrap();
    assert!(
        text.contains("/ranges/a.tar") && !text.contains("s3cret"),
        "{text}"
    );
}

/// A server that gives each request what `answer` makes of its line `Range: bytes=…`.
fn strange(answer: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let Ok(mut client) = client else { return };
            let mut range = String::new();
            for line in BufReader::new(client.try_clone().unwrap()).lines() {
                match line {
                    Ok(line) if line.is_empty() => break,
                    Ok(line) => {
                        if let Some(asked) = line.to_ascii_lowercase().strip_prefix("range: bytes=")
                        {
                            asked.clone_into(&mut range);
                        }
                    }
                    Err(_) => break,
                }
            }
            let _ = client.write_all(answer(&range).as_bytes());
        }
    });
    format!("http://127.0.0.1:{port}/x.sql")
}

#[test]
fn servers_that_send_something_else_are_refused() {
    let partial = |range: &str, body: &str| {
        format!(
            "HTTP/1.1 206 Partial\r\nContent-Range: bytes {range}/100000\r\nETag: \"x\"\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let inspect = |url: &str| run(command(["inspect", url, "--storage-timeout", "2"]));
    // Other bytes than those that were asked for.
    let other = strange(move |_| partial("7-65542", &"x".repeat(65536)));
    inspect(&other)
        .exits(1)
        .says("the server sends other bytes than it is asked for");
    // More of them.
    let more = strange(move |asked| partial(asked, &"x".repeat(1 << 20)));
    inspect(&more)
        .exits(1)
        .says("the server sends other bytes than it is asked for");
    // Fewer.
    let fewer = strange(move |asked| partial(asked, "x"));
    inspect(&fewer).exits(7).says("the connection broke off");
    // A file whose end is where the connection ends, by a fault or not.
    let open = strange(|_| "HTTP/1.0 200 OK\r\n\r\nCREATE TABLE t (a int);\n".to_owned());
    inspect(&open)
        .exits(1)
        .says("the server does not say where the file ends");
    // An error with a page that does not end soon.
    let error = strange(|_| {
        format!(
            "HTTP/1.1 500 No\r\nConnection: close\r\n\r\n{}",
            "x".repeat(1 << 20)
        )
    });
    inspect(&error)
        .exits(7)
        .says("the storage has a problem: 500");
}
