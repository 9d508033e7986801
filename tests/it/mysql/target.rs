//! The ways to name a MySQL target: each connects, and each wrong one says what was tried and why it
//! failed, without the password.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use ci_import::error::Error;
use ci_import::server::Target as AnyTarget;
use ci_import::server::mysql::ConnectionOptions;
use mysql::Conn;
use mysql::prelude::Queryable;

use crate::support::mysql_tcp_servers::{
    MysqlVisit, PASSWORD, fails, is_encrypted, with_tls, without_tls,
};
use crate::support::servers::expect_success;

fn visit() -> MysqlVisit {
    MysqlVisit::to(with_tls())
}

/// The user of a session with what `target` names, in the database of `visit`.
fn user_of(target: Result<ConnectionOptions, Error>, visit: &MysqlVisit) -> String {
    let mut session = target.unwrap().connect().unwrap();
    is_encrypted(&mut session, &visit.database);
    user(&mut session)
}

fn user(session: &mut Conn) -> String {
    session
        .query_first("SELECT CURRENT_USER()")
        .unwrap()
        .unwrap()
}

#[test]
fn by_urls() {
    let visit = visit();
    let (port, database) = (visit.server.port, &visit.database);
    for scheme in ["mysql", "mysql2", "mariadb"] {
        let url = format!("{scheme}://secret:s3%3Acret@127.0.0.1:{port}/{database}");
        assert_eq!(user_of(visit.named(&url, &[]), &visit), "secret@127.0.0.1");
    }
    let socket = visit.server.socket();
    for url in [
        format!(
            "mysql://secret:s3%3Acret@{}/{database}",
            socket.replace('/', "%2F")
        ),
        format!("mysql://secret:s3%3Acret@localhost/{database}?socket={socket}"),
    ] {
        assert_eq!(user_of(visit.named(&url, &[]), &visit), "secret@localhost");
    }
    let url = format!("mysql://edward:{PASSWORD}@localhost:{port}/{database}");
    for query in ["ssl-mode=DISABLED", "ssl-mode=REQUIRED"] {
        let url = format!("{url}?{query}&encoding=utf8mb4&connect_timeout=7");
        assert_eq!(user_of(visit.named(&url, &[]), &visit), "edward@127.0.0.1");
    }
    let url = format!("mysql://secret:{PASSWORD}@localhost:{port}/{database}");
    let variable = |name: &str| visit.variable(name, &[("DATABASE_URL", &url)]);
    let Ok(Some(AnyTarget::Mysql(found))) = AnyTarget::from_database_url(variable) else {
        panic!("it is a MySQL server");
    };
    assert_eq!(user_of(Ok(found), &visit), "secret@127.0.0.1");
    assert!(AnyTarget::from_database_url(|_| None).unwrap().is_none());
}

/// Whoever is known to the server by the socket needs no password.
#[test]
fn by_the_user_of_the_operating_system() {
    let visit = visit();
    let output = Command::new("id").arg("-un").output().unwrap();
    let name = String::from_utf8(expect_success(&output)).unwrap();
    let name = name.trim();
    let mut root = visit.server.connect_as_root();
    if name != "root" {
        root.query_drop(format!(
            "CREATE OR REPLACE USER {name}@localhost IDENTIFIED VIA unix_socket"
        ))
        .unwrap();
        root.query_drop(format!("GRANT ALL ON *.* TO {name}@localhost"))
            .unwrap();
    }
    let url = format!(
        "mysql:///{}?socket={}",
        visit.database,
        visit.server.socket()
    );
    assert_eq!(
        user_of(visit.named(&url, &[]), &visit),
        format!("{name}@localhost")
    );
}

#[test]
fn by_option_files() {
    let visit = visit();
    let (port, socket) = (visit.server.port, visit.server.socket());
    let included = visit.put(
        "more.cnf",
        "[client]\nuser = secret # me\nhost = localhost\n",
    );
    let text = format!(
        "# mine\n[mysqld]\nuser=nobody\n[client]\nsocket={socket}\n!include {included}\n\
         [ci-import]\npassword=\"s3:cret\"\n"
    );
    let file = visit.put(".my.cnf", &text);
    let url = format!("mysql:///{}", visit.database);
    assert_eq!(user_of(visit.named(&url, &[]), &visit), "secret@localhost");
    // What is typed goes before it, and it before the environment.
    let by_port = format!("mysql://localhost:{port}/{}", visit.database);
    let variables = [
        ("MYSQL_PWD", "wrong"),
        ("MYSQL_HOST", "no"),
        ("MYSQL_TCP_PORT", "1"),
    ];
    assert_eq!(
        user_of(visit.named(&by_port, &variables), &visit),
        "secret@127.0.0.1"
    );
    let wrong = visit.named(&format!("mysql://edward@localhost/{}", visit.database), &[]);
    assert_eq!(user_of(wrong, &visit), "edward@localhost");
    let typed = format!("mysql://secret:hunter2@localhost/{}", visit.database);
    fails(
        visit.named(&typed, &[]).unwrap().connect(),
        &format!("(socket from {file} line 5): Access denied for user 'secret'"),
        "check user and password",
    );
    // Others may read it, but not write to it.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(user_of(visit.named(&url, &[]), &visit), "secret@localhost");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let unread = visit.named(&format!("{url}?socket={socket}&user=secret"), &[]);
    fails(
        unread.unwrap().connect(),
        "Access denied for user 'secret'@'localhost' (using password: NO)",
        "there is no password: put it into ~/.my.cnf",
    );
}

#[test]
fn option_files_that_never_end() {
    let visit = visit();
    let file = visit.home.path().join(".my.cnf");
    visit.put(".my.cnf", &format!("!include {}\n", file.display()));
    fails(
        visit.named("mysql:///d", &[]),
        "include more than 100 files, or are nested",
        "",
    );
    fs::create_dir(visit.home.path().join("d")).unwrap();
    visit.put("d/b.cnf", "[client]\nuser=b\nhost=h\n");
    visit.put("d/a.cnf", "[client]\nuser=a\nport=7\n");
    visit.put("d/c.txt", "[client]\nuser=c\n");
    visit.put(
        ".my.cnf",
        &format!("!includedir {}\n", visit.home.path().join("d").display()),
    );
    let target = visit.named("mysql:///d", &[]).unwrap();
    assert_eq!(target.to_string(), "database d as b on h:7");
    visit.put(".my.cnf", &"# x\n".repeat(70_000));
    fails(visit.named("mysql:///d", &[]), "is larger than 256 KiB", "");
}

#[test]
fn by_the_environment() {
    let visit = visit();
    let port = visit.server.port.to_string();
    let variables = [
        ("MYSQL_HOST", "127.0.0.1"),
        ("MYSQL_TCP_PORT", port.as_str()),
        ("MYSQL_PWD", PASSWORD),
    ];
    let url = format!("mysql://secret@/{}", visit.database);
    assert_eq!(
        user_of(visit.named(&url, &variables), &visit),
        "secret@127.0.0.1"
    );
    let variables = [
        ("MYSQL_HOST", "127.0.0.1"),
        ("MYSQL_TCP_PORT", port.as_str()),
        ("MYSQL_PWD", "hunter2"),
    ];
    fails(
        visit.named(&url, &variables).unwrap().connect(),
        "(host from MYSQL_HOST; port from MYSQL_TCP_PORT; password from MYSQL_PWD): Access denied",
        "check user and password",
    );
}

#[test]
fn by_a_database_yml() {
    let visit = visit();
    let (port, database, socket) = (visit.server.port, &visit.database, visit.server.socket());
    let ca = visit.put("ca.pem", &visit.server.authority.pem());
    let text = format!(
        "default: &default\n  adapter: mysql2\n  encoding: utf8\n  collation: utf8_general_ci\n  \
           reconnect: false\n  pool: 10\n  database: {database}\n  username: secret\n  password: \"{PASSWORD}\"\n\
         production:\n  <<: *default\n  host: localhost\n  socket: {socket}\n\
         test:\n  <<: *default\n  adapter: trilogy\n  host: 127.0.0.1\n  port: {port}\n  sslca: {ca}\n  ssl_mode: verify_ca\n\
         development:\n  <<: *default\n  host: 127.0.0.1\n  port: {port}\n  password: hunter2\n"
    );
    let file = visit.put("database.yml", &text);
    let by = |environment: &str| {
        let variable = |name: &str| visit.variable(name, &[]);
        match AnyTarget::from_database_yml(file.as_ref(), environment, variable)? {
            AnyTarget::Mysql(target) => Ok(target),
            AnyTarget::Postgresql(other) => panic!("{other}"),
        }
    };
    assert_eq!(user_of(by("production"), &visit), "secret@localhost");
    assert_eq!(user_of(by("test"), &visit), "secret@127.0.0.1");
    fails(
        by("development").unwrap().connect(),
        &format!(
            "(host, port, database, user, password from development of {file}): Access denied"
        ),
        "check user and password",
    );
}

#[test]
fn wrong_ones_say_why_and_never_the_password() {
    let visit = visit();
    let at = |host_and_rest: &str| {
        let url = format!("mysql://secret:hunter2@{host_and_rest}");
        visit.named(&url, &[]).and_then(|target| target.connect())
    };
    let port = visit.server.port;
    let none = visit.home.path().join("none").to_str().unwrap().to_owned();
    fails(
        at("127.0.0.1:1/d"),
        "on 127.0.0.1:1: connection refused",
        "check that the server is running",
    );
    fails(
        at("no.such.host.invalid/d"),
        "there is no such host",
        "spelled",
    );
    fails(
        at("no.such.host.invalid/d?ssl-mode=DISABLED"),
        "there is no such host",
        "spelled",
    );
    fails(
        at(&format!("/d?socket={none}")),
        "there is no such socket",
        "check that the server is running",
    );
    fails(
        at(&format!("localhost:{port}/d")),
        &format!("cannot connect to database d as secret on localhost:{port}: Access denied"),
        "check user and password",
    );
    let no_database = format!("mysql://secret:{PASSWORD}@localhost:{port}/no_such_database");
    fails(
        visit.named(&no_database, &[]).unwrap().connect(),
        "Unknown database 'no_such_database' (1049)",
        "check the name of the database",
    );
    // What answers is another kind of server.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let other = listener.local_addr().unwrap().port();
    let answer = std::thread::spawn(move || {
        use std::io::Write;
        let (mut stream, _) = listener.accept().unwrap();
        stream
            .write_all(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
            .unwrap();
    });
    fails(
        at(&format!("127.0.0.1:{other}/d?ssl-mode=REQUIRED")),
        "the answer is not from a MySQL server",
        "check that the server is running",
    );
    answer.join().unwrap();
}

/// A server that nobody answers for is given up in time.
#[test]
fn a_server_that_does_not_speak() {
    let visit = visit();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("mysql://u@127.0.0.1:{port}/d?connect_timeout=1");
    fails(
        visit.named(&url, &[]).unwrap().connect(),
        "the server does not answer",
        "firewall",
    );
}

#[test]
fn the_server_says_what_it_is() {
    let visit = MysqlVisit::to(without_tls());
    let target = visit
        .at(&format!("secret:{PASSWORD}@localhost"), "")
        .unwrap();
    let server = target.server().unwrap();
    assert!(server.is_mariadb, "{server:?}");
    assert!(
        server.version.starts_with(|c: char| c.is_ascii_digit()),
        "{server:?}"
    );
    let data = server.data_directory.unwrap();
    assert_eq!(
        data.canonicalize().unwrap(),
        visit.server.directory.join("data")
    );
    let elsewhere = visit
        .at(&format!("secret:{PASSWORD}@127.0.0.1"), "")
        .unwrap();
    assert_eq!(elsewhere.server().unwrap().data_directory, None);
}
