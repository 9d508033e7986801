//! The ways to name a target: each imports, and each wrong one says what was tried and why it
//! failed, without the password.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::program::run;
use crate::support::tcp_servers::{PASSWORD, Visit, with_tls};

fn visit() -> Visit {
    Visit::to(with_tls())
}

/// An import whose environment names all but the password.
fn by_environment(visit: &Visit) -> Command {
    let mut import = visit.import(&[]);
    import.env("PGHOST", "localhost");
    import.env("PGPORT", visit.server.port.to_string());
    import.env("PGUSER", "secret");
    import.env("PGDATABASE", &visit.database);
    import
}

#[test]
fn by_urls() {
    let visit = visit();
    let (port, database) = (visit.server.port, &visit.database);
    let url = format!("postgresql://secret:s3%3Acret@localhost:{port}/{database}");
    run(visit.import(&["--database-url", &url])).succeeds();
    visit.was_imported();
    run(visit.import(&[]).env("DATABASE_URL", &url)).succeeds();
    visit.was_imported();
    // What the URL leaves open is the environment's.
    run(by_environment(&visit)
        .args([
            "--database-url",
            "postgresql://localhost?application_name=x",
        ])
        .env("PGPASSWORD", PASSWORD))
    .succeeds();
    visit.was_imported();
    // The first of several places that answers.
    let url = format!("postgresql://secret:s3%3Acret@localhost:1,localhost:{port}/{database}");
    run(visit.import(&["--database-url", &url])).succeeds();
    visit.was_imported();
    let socket = visit.server.directory.to_str().unwrap().replace('/', "%2F");
    let url = format!("postgresql://postgres@{socket}:{port}/{database}");
    run(visit.import(&["--database-url", &url])).succeeds();
    visit.was_imported();
}

#[test]
fn by_the_environment() {
    let visit = visit();
    run(by_environment(&visit).env("PGPASSWORD", PASSWORD)).succeeds();
    visit.was_imported();
    run(by_environment(&visit)
        .env("PGHOST", "no.such.host.invalid")
        .env("PGHOSTADDR", "127.0.0.1")
        .env("PGOPTIONS", "-c work_mem=8MB")
        .env("PGPASSWORD", PASSWORD))
    .succeeds();
    visit.was_imported();
}

#[test]
fn by_a_password_file() {
    let visit = visit();
    let port = visit.server.port;
    let lines = format!("# mine\nlocalhost:1:*:*:no\nlocalhost:{port}:*:secret:s3\\:cret\n");
    let file = visit.put(".pgpass", &lines);
    run(by_environment(&visit)).succeeds();
    visit.was_imported();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    run(by_environment(&visit))
        .exits(4)
        .says(".pgpass is not read: others have access to it; its mode should be 0600")
        .says("the server asks for a password, and there is none")
        .says("hint: put it into PGPASSWORD");
    let other = visit.put("other", "*:*:*:*:wrong");
    run(by_environment(&visit).env("PGPASSFILE", other))
        .exits(4)
        .says("password from line 1 of the password file")
        .says("hint: the password is that of the password file");
}

#[test]
fn by_a_service_file() {
    let visit = visit();
    let (port, database) = (visit.server.port, &visit.database);
    let service = format!(
        "[other]\nhost=no\n\n[ci]\nhost=localhost\nport={port}\ndbname={database}\nuser=secret\npassword={PASSWORD}\n"
    );
    let file = visit.put(".pg_service.conf", &service);
    run(visit.import(&[]).env("PGSERVICE", "ci")).succeeds();
    visit.was_imported();
    // What is typed goes before it, and it before the environment.
    run(visit
        .import(&["--database-url", "service=ci sslmode=disable"])
        .env("PGHOST", "no")
        .env("PGPORT", "1"))
    .succeeds();
    visit.was_imported();
    run(visit.import(&["--database-url", "service=none"]))
        .exits(2)
        .says(&format!(
            "the service \"none\" is not found: {file} has no service of this name"
        ));
    run(visit.import(&["--database-url", "postgresql://localhost:1/?service=ci"]))
        .exits(4)
        .says(&format!(
            "(database, user, password from the service ci of {file})"
        ));
}

#[test]
fn by_a_database_yml() {
    let visit = visit();
    let (port, database) = (visit.server.port, &visit.database);
    let text = format!(
        "default: &default\n  adapter: postgresql\n  encoding: unicode\n  pool: 10\n  host: localhost\n  port: {port}\n\
         production:\n  <<: *default\n  database: {database}\n  username: secret\n  password: \"{PASSWORD}\"\n\
         development:\n  <<: *default\n  database: {database}\n  username: secret\n  password: wrong\n\
         test:\n  <<: *default\n  adapter: sqlite3\n"
    );
    let file = visit.put("database.yml", &text);
    let by = |more: &[&str]| {
        let mut import = visit.import(&["--database-yml", &file]);
        import.args(more);
        import
    };
    run(by(&[])).succeeds();
    visit.was_imported();
    run(by(&["--environment", "development"]))
        .exits(4)
        .says(&format!(
            "(host, port, database, user, password from development of {file}): password authentication failed"
        ));
    run(by(&["--environment", "test"]))
        .exits(2)
        .says("the adapter \"sqlite3\" is not supported");
    run(by(&["--environment", "staging"]))
        .exits(2)
        .says("it has no environment \"staging\"")
        .says("hint: --environment can be default, development, production, test");
    run(by(&["--database-url", "postgresql:///x"])).exits(2);
    run(visit.import(&["--environment", "test"])).exits(2);
    run(visit.import(&["--database-yml", "/no/such/file"]))
        .exits(2)
        .says("cannot read /no/such/file");
    let large = visit.put("large.yml", &"# x\n".repeat(20_000));
    run(visit.import(&["--database-yml", &large]))
        .exits(2)
        .says("is larger than 64 KiB");
}

#[test]
fn wrong_ones_say_why_and_never_the_password() {
    let visit = visit();
    let port = visit.server.port;
    let empty = visit.home.path().to_str().unwrap().to_owned();
    let cases = [
        (
            "user=secret password=hunter2",
            4,
            "password authentication failed for user \"secret\"",
        ),
        (
            "user=secret password=hunter2 port=1",
            4,
            "on localhost:1: connection refused",
        ),
        (
            "user=secret password=hunter2 host=no.such.host.invalid",
            4,
            "there is no such host",
        ),
        (
            &format!("user=secret password=hunter2 host={empty}"),
            4,
            "there is no socket .s.PGSQL.",
        ),
        (
            "user=tls_only password=hunter2 dbname=no_such_database",
            4,
            "database \"no_such_database\" does not exist",
        ),
        (
            "user=nobody_knows password=hunter2",
            4,
            "no pg_hba.conf entry",
        ),
        (
            "user=secret password=hunter2 sslmode=verify",
            2,
            "the sslmode of the database URL is wrong: it should be one of",
        ),
        (
            "user=secret password=hunter2 sslcrl=x",
            2,
            "the value of sslcrl, from the database URL, is not supported",
        ),
        (
            "user=secret password=hunter2 ssl_mode=require",
            2,
            "the parameter ssl_mode, from the database URL, is not known",
        ),
        ("user=secret password='hunter2", 2, "is never closed"),
        (
            "user=secret password=hunter2 hostaddr=a.b",
            2,
            "is not an IP address",
        ),
        (
            "user=secret password=hunter2 target_session_attrs=read-only",
            4,
            "on localhost",
        ),
    ];
    for (more, code, message) in cases {
        let outcome = run(visit.import_by(more)).exits(code).says(message);
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(!said.contains("hunter2"), "{}", outcome.whole());
    }
    let outcome = run(by_environment(&visit).env("PGPASSWORD", "hunter2"))
        .exits(4)
        .says("(host from PGHOST; port from PGPORT; database from PGDATABASE; user from PGUSER; password from PGPASSWORD)")
        .says(&format!("as secret on localhost:{port}"));
    assert!(!outcome.stderr.contains("hunter2"));
    for (name, value, message) in [
        ("PGPORT", "x", "the port \"x\", from PGPORT, is wrong"),
        (
            "PGREQUIREAUTH",
            "scram",
            "the require_auth \"scram\", from PGREQUIREAUTH, is wrong: it should be a list of",
        ),
        ("PGSERVICE", "x", "the service \"x\" is not found"),
        (
            "DATABASE_URL",
            "postgresql://u:hunter2@h:p/d",
            "the port of the URL in DATABASE_URL is wrong",
        ),
        (
            "DATABASE_URL",
            "postgresql://u:hun/ter2@h/d",
            "DATABASE_URL: the database URL has one \"@\" too many",
        ),
    ] {
        let outcome = run(by_environment(&visit).env(name, value))
            .exits(2)
            .says(message);
        assert!(!outcome.stderr.contains("ter2"), "{}", outcome.whole());
    }
}
