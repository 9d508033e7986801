//! The dump program gets the password, and the kind of connection that was asked for, but no argument with it.

use std::fs::{self, File};

use mysql::prelude::Queryable;

use super::CiServer;
use crate::support::mysql_tcp_servers::{self, MysqlServer};
use crate::support::program::{project, run};
use crate::support::scene::{Dialect, fixture_dump};
use crate::support::servers::{expect_success, mariadb_program_in, next_number};
use crate::support::tcp_servers::{self, PASSWORD, Visit};

/// With all that an option file reads in its own way.
const ODD: &str = r#"a"b\n#c ;'d"#;

/// Makes a database of CI's on `server`, and a user with an odd password: the name of both.
fn with_ci(server: &MysqlServer) -> String {
    let name = format!("ci_{}", next_number());
    let mut root = server.connect_as_root();
    root.query_drop(format!("CREATE DATABASE {name} CHARACTER SET utf8"))
        .unwrap();
    for file in ["gitlab_ci.sql", "awkward.sql"] {
        let mut client = mariadb_program_in(&server.directory, "mariadb");
        client
            .arg(&name)
            .stdin(File::open(project().join("fixtures").join(file)).unwrap());
        expect_success(&client.output().unwrap());
    }
    for host in ["127.0.0.1", "localhost"] {
        let quoted = ODD.replace('\\', "\\\\").replace('\'', "''");
        let user = format!("'{name}'@'{host}'");
        root.query_drop(format!("CREATE USER {user} IDENTIFIED BY '{quoted}'"))
            .unwrap();
        root.query_drop(format!("GRANT ALL ON {name}.* TO {user}"))
            .unwrap();
    }
    name
}

#[test]
fn of_mariadb() {
    for (server, modes) in [
        (
            mysql_tcp_servers::without_tls(),
            &["", "ssl-mode=DISABLED"][..],
        ),
        (
            mysql_tcp_servers::with_tls(),
            &["", "ssl-mode=REQUIRED", "ssl-ca"],
        ),
    ] {
        let name = with_ci(server);
        for mode in modes {
            let mut ci = CiServer::at(String::new());
            let ca = ci.directory.path().join("ca.pem");
            fs::write(&ca, server.authority.pem()).unwrap();
            let mode = match *mode {
                "ssl-ca" => format!("ssl-ca={}", ca.display()),
                mode => mode.to_owned(),
            };
            let password = ODD
                .bytes()
                .map(|byte| format!("%{byte:02X}"))
                .collect::<String>();
            ci.url = format!(
                "mysql://{name}:{password}@localhost:{}/{name}?{mode}",
                server.port
            );
            let outcome = run(ci.backup(&[])).succeeds().reports("15 tables, ");
            assert!(
                !outcome.whole().contains("WARNING"),
                "{mode}: {}",
                outcome.whole()
            );
        }
    }
}

#[test]
fn of_postgresql() {
    for (server, modes) in [
        (tcp_servers::without_tls(), &["", "sslmode=disable"][..]),
        (
            tcp_servers::with_tls(),
            &["", "sslmode=require", "sslmode=disable", "verify"],
        ),
    ] {
        let visit = Visit::to(server);
        fs::write(
            visit.home.path().join("dump.sql"),
            fixture_dump(Dialect::Native),
        )
        .unwrap();
        let mut import = visit.import_by("user=secret");
        run(import.env("PGPASSWORD", PASSWORD)).succeeds();
        let ca = visit.put("ca.pem", &server.authority.pem());
        for user in ["secret", "clear_text"] {
            for mode in modes {
                let mode = match *mode {
                    "verify" => format!("sslmode=verify-full sslrootcert={ca}"),
                    mode => mode.to_owned(),
                };
                let (port, database) = (server.port, &visit.database);
                let ci = CiServer::at(format!(
                    "host=localhost port={port} dbname={database} user={user} {mode}"
                ));
                let mut backup = ci.backup(&[]);
                backup
                    .env("PGPASSWORD", PASSWORD)
                    .env("HOME", visit.home.path());
                run(backup).succeeds().reports("15 tables, ");
            }
        }
    }
}

/// Tables without transactions are of one moment all the same, and that is told.
#[test]
fn of_tables_without_transactions() {
    let server = mysql_tcp_servers::without_tls();
    let name = with_ci(server);
    let mut root = server.connect_as_root();
    root.query_drop(format!("ALTER TABLE {name}.ci_tags ENGINE=MyISAM"))
        .unwrap();
    let socket = server.directory.join("socket");
    let ci = CiServer::at(format!(
        "mysql://root@localhost/{name}?socket={}",
        socket.display()
    ));
    run(ci.backup(&[]))
        .succeeds()
        .reports("tables without transactions, which were locked while the dump was made: ci_tags");
}
