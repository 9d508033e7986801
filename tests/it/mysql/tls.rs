//! TLS to a MySQL target as `ssl-mode` asks for it, with certificates that the tests make.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ci_import::error::Error;
use mysql::prelude::Queryable;
use mysql::{Conn, LocalInfileHandler};

use crate::support::mysql_tcp_servers::{
    MysqlServer, MysqlVisit, PASSWORD, fails, is_encrypted, with_tls, without_tls,
};
use crate::support::tcp_servers::{AUTHORITY, Authority, self_signed};

#[test]
fn verify_identity_with_ca_and_name() {
    let visit = MysqlVisit::to(with_tls());
    let ca = visit.put("ca.pem", &visit.server.authority.pem());
    for mode in ["VERIFY_IDENTITY", "VERIFY_CA", "REQUIRED", "PREFERRED"] {
        let query = format!("ssl-mode={mode}&ssl-ca={ca}");
        let mut session = visit.session("tls_only", &query).unwrap();
        assert!(is_encrypted(&mut session, &visit.database), "{mode}");
    }
    // As MariaDB's clients have it.
    let query = format!("ssl-ca={ca}&ssl-verify-server-cert=1");
    assert!(visit.session("tls_only", &query).is_ok());
    let mut session = visit
        .session(&format!("secret:{PASSWORD}"), &query)
        .unwrap();
    assert!(is_encrypted(&mut session, &visit.database));
}

#[test]
fn a_wrong_ca_and_a_wrong_name() {
    let visit = MysqlVisit::to(with_tls());
    let ca = visit.put("ca.pem", &visit.server.authority.pem());
    let other = visit.put("other.pem", &Authority::new("another").pem());
    for mode in ["VERIFY_IDENTITY", "VERIFY_CA", "REQUIRED", "PREFERRED"] {
        fails(
            visit.session("tls_only", &format!("ssl-mode={mode}&ssl-ca={other}")),
            &format!("TLS: the server's certificate is of an unknown CA, none of {other}"),
            "ssl-ca=FILE",
        );
    }
    let namesake = visit.put("namesake.pem", &Authority::new(AUTHORITY).pem());
    fails(
        visit.session("tls_only", &format!("ssl-ca={namesake}")),
        "is from a CA whose name, but not whose key, is in ",
        "ssl-ca=FILE",
    );
    let by_address = |mode: &str| {
        let query = format!("ssl-mode={mode}&ssl-ca={ca}");
        visit.at("tls_only@127.0.0.1", &query).unwrap().connect()
    };
    fails(
        by_address("VERIFY_IDENTITY"),
        "TLS: the server's certificate is not for 127.0.0.1, but for",
        "ssl-mode=VERIFY_CA",
    );
    assert!(is_encrypted(
        &mut by_address("VERIFY_CA").unwrap(),
        &visit.database
    ));
}

#[test]
fn without_a_ca() {
    let visit = MysqlVisit::to(with_tls());
    for query in ["", "ssl-mode=REQUIRED", "ssl=1"] {
        let mut session = visit.session("tls_only", query).unwrap();
        assert!(is_encrypted(&mut session, &visit.database), "{query}");
    }
    fails(
        visit.session("tls_only", "ssl-mode=VERIFY_CA"),
        "ssl-mode=VERIFY_CA needs ssl-ca",
        "name a file with the CA's certificate",
    );
    // The tests' CA is none of those that everybody knows.
    fails(
        visit.session("tls_only", "ssl-mode=VERIFY_IDENTITY"),
        "the operating system",
        "ssl-ca=FILE",
    );
    let missing = visit.home.path().join("missing.pem");
    fails(
        visit.session("tls_only", &format!("ssl-ca={}", missing.display())),
        "cannot read ",
        "",
    );
    let empty = visit.put("empty.pem", "");
    fails(
        visit.session("tls_only", &format!("ssl-ca={empty}")),
        "empty.pem has no certificate",
        "PEM",
    );
    fails(
        visit.session("tls_only", "ssl-mode=DISABLED"),
        "Access denied for user 'tls_only'",
        "",
    );
}

#[test]
fn a_server_without_tls() {
    let visit = MysqlVisit::to(without_tls());
    let user = format!("secret:{PASSWORD}");
    for mode in ["PREFERRED", "DISABLED"] {
        let mut session = visit.session(&user, &format!("ssl-mode={mode}")).unwrap();
        assert!(!is_encrypted(&mut session, &visit.database), "{mode}");
    }
    for query in ["ssl-mode=REQUIRED", "ssl=1", "ssl-mode=VERIFY_IDENTITY"] {
        fails(
            visit.session(&user, query),
            "the server has no TLS",
            "switch it on",
        );
    }
}

#[test]
fn sockets_have_tls_only_if_it_is_asked_for() {
    let visit = MysqlVisit::to(with_tls());
    let ca = visit.put("ca.pem", &visit.server.authority.pem());
    let session = |query: &str| {
        let url = format!(
            "mysql://secret:{PASSWORD}@/{}?socket={}&{query}",
            visit.database,
            visit.server.socket()
        );
        is_encrypted(
            &mut visit.named(&url, &[]).unwrap().connect().unwrap(),
            &visit.database,
        )
    };
    assert!(!session(""));
    assert!(session(&format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={ca}")));
}

#[test]
fn a_certificate_of_the_client() {
    let visit = MysqlVisit::to(with_tls());
    let (certificate, key) = visit.server.authority.for_user("with_certificate");
    let certificate = visit.put("client.pem", &certificate);
    let key = visit.put("client.key", &key);
    let query = format!("ssl-mode=REQUIRED&ssl-cert={certificate}&ssl-key={key}");
    let mut session = visit.session("with_certificate", &query).unwrap();
    assert!(is_encrypted(&mut session, &visit.database));
    fails(
        visit.session("with_certificate", "ssl-mode=REQUIRED"),
        "Access denied for user 'with_certificate'",
        "",
    );
}

/// A session of a user without a password, with a server that has `certificate`, by `ca`.
fn session_with(
    certificate: (String, String),
    authority: Authority,
    ca: &str,
) -> Result<Conn, Error> {
    let server = MysqlServer::start_with(authority, Some(certificate));
    let server: &'static MysqlServer = Box::leak(Box::new(server));
    let mut root = server.connect_as_root();
    root.query_drop("CREATE USER a@'127.0.0.1'").unwrap();
    root.query_drop("GRANT ALL ON *.* TO a@'127.0.0.1'")
        .unwrap();
    let visit = MysqlVisit::to(server);
    let ca = visit.put("ca.pem", ca);
    visit.session("a", &format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={ca}"))
}

#[test]
fn a_certificate_that_has_expired() {
    let authority = Authority::new(AUTHORITY);
    let ca = authority.pem();
    fails(
        session_with(authority.for_localhost(2002), authority, &ca),
        "TLS: the server's certificate, or its CA's, expired 2002-01-01T00:00:00Z",
        "clock",
    );
}

#[test]
fn a_certificate_that_is_its_own_ca() {
    let (certificate, key) = self_signed();
    let ca = certificate.clone();
    session_with((certificate, key), Authority::new("another"), &ca).unwrap();
}

#[test]
fn much_passes_both_ways() {
    let visit = MysqlVisit::to(with_tls());
    let mut session = visit.session("tls_only", "ssl-mode=REQUIRED").unwrap();
    session
        .query_drop("CREATE TABLE t (a LONGTEXT) CHARACTER SET latin1")
        .unwrap();
    let text: String = ('a'..='z').cycle().take(4_000_000).collect();
    for count in [1, 2, 3] {
        session
            .exec_drop("INSERT INTO t VALUES (?)", (&text,))
            .unwrap();
        let rows: Vec<String> = session.query("SELECT a FROM t").unwrap();
        assert_eq!(rows.len(), count);
        assert!(rows.iter().all(|row| *row == text));
    }
}

/// The server refuses in the middle of what is sent, and nobody waits for the other for ever.
#[test]
fn the_server_ends_it_in_the_middle() {
    let visit = MysqlVisit::to(with_tls());
    let mut session = visit.session("tls_only", "ssl-mode=REQUIRED").unwrap();
    session
        .query_drop("CREATE TABLE t (a INT NOT NULL)")
        .unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    session.set_local_infile_handler(Some(LocalInfileHandler::new(move |_, stream| {
        for _ in 0..200_000 {
            stream.write_all(b"no number at all, and much too long\n")?;
            count.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    })));
    let refused = session.query_drop("LOAD DATA LOCAL INFILE 'x' INTO TABLE nothing");
    assert!(refused.unwrap_err().to_string().contains("doesn't exist"));
    let load = "LOAD DATA LOCAL INFILE 'x' INTO TABLE t";
    session.query_drop(load).unwrap();
    assert_eq!(sent.load(Ordering::Relaxed), 200_000);
    let rows: Option<usize> = session.query_first("SELECT count(*) FROM t").unwrap();
    assert_eq!(rows, Some(200_000));
    let id = session.connection_id();
    let mut root = visit.server.connect_as_root();
    root.query_drop(format!("KILL {id}")).unwrap();
    assert!(session.query_drop("SELECT 1").is_err());
    // And when the session ends, so does that of the server.
    let session = visit.session("tls_only", "ssl-mode=REQUIRED").unwrap();
    let id = session.connection_id();
    drop(session);
    let here = format!("SELECT count(*) FROM information_schema.processlist WHERE id = {id}");
    for _ in 0..200 {
        if root.query_first::<u32, _>(&here).unwrap() == Some(0) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("the session is still there");
}
