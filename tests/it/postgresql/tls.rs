//! TLS as `sslmode` asks for it, with certificates that the tests make.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::program::{finish, run};
use crate::support::tcp_servers::{
    AUTHORITY, Authority, PASSWORD, TcpServer, Visit, self_signed, with_tls, without_tls,
};

#[test]
fn verify_full_with_ca_and_name() {
    let visit = Visit::to(with_tls());
    let ca = visit.put("ca.pem", &visit.server.authority.pem());
    let full = |more: &str| format!("user=tls_only sslmode=verify-full sslrootcert={ca} {more}");
    run(visit.import_by(&full(""))).succeeds();
    visit.was_imported();
    // The name is what is verified, wherever the address comes from.
    run(visit.import_by(&full("hostaddr=127.0.0.1"))).succeeds();
    visit.was_imported();
    let more = full("channel_binding=require").replace("tls_only", "secret");
    run(visit.import_by(&more).env("PGPASSWORD", PASSWORD)).succeeds();
    visit.was_imported();
    // libpq's own place for the CA.
    visit.put(".postgresql/root.crt", &visit.server.authority.pem());
    run(visit.import_by("user=tls_only sslmode=verify-full")).succeeds();
    visit.was_imported();
}

#[test]
fn the_cas_of_the_operating_system() {
    let visit = Visit::to(with_tls());
    let ca = visit.put("ca.pem", &visit.server.authority.pem());
    let more = "user=tls_only sslrootcert=system";
    // The variable says where they are, as it does to OpenSSL.
    run(visit.import_by(more).env("SSL_CERT_FILE", ca)).succeeds();
    visit.was_imported();
    let other = visit.put("other.pem", &Authority::new("another").pem());
    run(visit.import_by(more).env("SSL_CERT_FILE", other))
        .exits(4)
        .says("of an unknown CA, none of the operating system");
}

#[test]
fn a_wrong_ca_and_a_wrong_name() {
    let visit = Visit::to(with_tls());
    let ca = visit.put("ca.pem", &visit.server.authority.pem());
    let other = visit.put("other.pem", &Authority::new("another").pem());
    for mode in ["verify-full", "verify-ca", "require"] {
        let more = format!("user=tls_only sslmode={mode} sslrootcert={other}");
        run(visit.import_by(&more)).exits(4).says(&format!(
            "TLS: the server's certificate is of an unknown CA, none of {other}"
        ));
    }
    let namesake = visit.put("namesake.pem", &Authority::new(AUTHORITY).pem());
    run(visit.import_by(&format!(
        "user=tls_only sslmode=verify-ca sslrootcert={namesake}"
    )))
    .exits(4)
    .says("is from a CA whose name, but not whose key, is in ");
    let by_address = |mode: &str| {
        let more = format!("user=tls_only host=127.0.0.1 sslmode={mode} sslrootcert={ca}");
        run(visit.import_by(&more))
    };
    by_address("verify-full")
        .exits(4)
        .says("TLS: the server's certificate is not for 127.0.0.1, but for")
        .says("localhost")
        .says("hint: name the host as the certificate does");
    by_address("verify-ca").succeeds();
    visit.was_imported();
}

#[test]
fn without_a_ca() {
    let visit = Visit::to(with_tls());
    run(visit.import_by("user=tls_only sslmode=require")).succeeds();
    visit.was_imported();
    for mode in ["verify-ca", "verify-full"] {
        run(visit.import_by(&format!("user=tls_only sslmode={mode}")))
            .exits(2)
            .says(".postgresql/root.crt with the certificates of the CAs does not exist")
            .says("hint: name the file, sslrootcert=FILE");
    }
    let empty = visit.put("empty.pem", "");
    run(visit.import_by(&format!(
        "user=tls_only sslmode=verify-ca sslrootcert={empty}"
    )))
    .exits(2)
    .says("empty.pem has no certificate");
    run(visit.import_by("user=tls_only sslmode=require sslrootcert=system"))
        .exits(2)
        .says("sslrootcert=system needs sslmode=verify-full");
    // Where a CA is known, it must be the server's: as with libpq.
    visit.put(".postgresql/root.crt", &Authority::new("another").pem());
    run(visit.import_by("user=tls_only sslmode=require"))
        .exits(4)
        .says("of an unknown CA");
}

#[test]
fn a_server_without_tls() {
    let visit = Visit::to(without_tls());
    run(visit.import_by("user=plain_only sslmode=require"))
        .exits(4)
        .says("the server has no TLS")
        .says("hint: switch it on");
    for mode in ["disable", "allow", "prefer"] {
        run(visit.import_by(&format!("user=plain_only sslmode={mode}"))).succeeds();
        visit.was_imported();
    }
}

#[test]
fn the_modes_that_try_both() {
    let visit = Visit::to(with_tls());
    for (user, mode) in [
        ("tls_only", "prefer"),
        ("tls_only", "allow"),
        ("plain_only", "prefer"),
        ("plain_only", "allow"),
        ("plain_only", "disable"),
    ] {
        run(visit.import_by(&format!("user={user} sslmode={mode}"))).succeeds();
        visit.was_imported();
    }
    for (user, mode) in [("tls_only", "disable"), ("plain_only", "require")] {
        run(visit.import_by(&format!("user={user} sslmode={mode}")))
            .exits(4)
            .says("no pg_hba.conf entry")
            .says("hint: check the user;");
    }
}

#[test]
fn a_certificate_of_the_client() {
    let visit = Visit::to(with_tls());
    let (certificate, key) = visit.server.authority.for_user("with_certificate");
    let certificate = visit.put("client.pem", &certificate);
    let key = visit.put("client.key", &key);
    let by = format!("user=with_certificate sslmode=require sslcert={certificate} sslkey={key}");
    run(visit.import_by(&by)).succeeds();
    visit.was_imported();
    run(visit.import_by("user=with_certificate sslmode=require"))
        .exits(4)
        .says("requires a valid client certificate");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    run(visit.import_by(&by))
        .exits(2)
        .says("others have access to the private key");
}

#[test]
fn certificates_that_have_expired_or_are_their_own_ca() {
    let server: &'static TcpServer = Box::leak(Box::new(TcpServer::start(Some(2002))));
    let visit = Visit::to(server);
    let ca = visit.put("ca.pem", &server.authority.pem());
    run(visit.import_by(&format!(
        "user=tls_only sslmode=verify-full sslrootcert={ca}"
    )))
    .exits(4)
    .says("TLS: the server's certificate, or its CA's, expired 2002-01-01T00:00:00Z");
    let (certificate, key) = self_signed();
    let ca = visit.put("ca.pem", &certificate);
    server.put_certificate((certificate, key));
    let reload = "SELECT pg_reload_conf()";
    server.connect("postgres").execute(reload, &[]).unwrap();
    // The server reads its files when it comes to it.
    let full = format!("user=tls_only sslmode=verify-full sslrootcert={ca}");
    let started = Instant::now();
    while run(visit.import_by(&full)).code != Some(0) {
        assert!(started.elapsed() < Duration::from_secs(20), "it is refused");
        std::thread::sleep(Duration::from_millis(200));
    }
    visit.was_imported();
    run(visit.import_by(&format!("{full} host=127.0.0.1")))
        .exits(4)
        .says("is not for 127.0.0.1");
}

/// Statements are cancelled over TLS, too: else the import would wait for the one that sleeps.
#[test]
fn an_import_is_interrupted() {
    let visit = Visit::to(with_tls());
    let mut client = visit.server.connect(&visit.database);
    client
        .batch_execute(
            "CREATE FUNCTION sleep() RETURNS event_trigger LANGUAGE plpgsql AS
                 $$ BEGIN PERFORM pg_sleep(60); END $$;
             CREATE EVENT TRIGGER sleep ON ddl_command_start WHEN TAG IN ('CREATE INDEX')
                 EXECUTE FUNCTION sleep()",
        )
        .unwrap();
    let mut import = visit.import_by("user=tls_only sslmode=require");
    let child = import.spawn().unwrap();
    let sleeping = "SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event = 'PgSleep'";
    let started = Instant::now();
    while client.query_one(sleeping, &[]).unwrap().get::<_, i64>(0) == 0 {
        assert!(
            started.elapsed() < Duration::from_secs(50),
            "no index is built"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let started = Instant::now();
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    finish(child, format!("{import:?}"))
        .exits(130)
        .says("interrupted; nothing was published");
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "nothing was cancelled"
    );
}
