//! Somebody listens in the place of the server, or sits between, and asks for the password itself.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::process::Uid;
use rustix::thread::set_thread_res_uid;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::archives::SMALL_DUMP;
use crate::support::program::{Outcome, command, run};
use crate::support::tcp_servers::{PASSWORD, Visit, self_signed, with_tls, without_tls};
use crate::support::two_users::{EVE, need_root};

/// What a client says first to PostgreSQL, if it wants TLS (PostgreSQL manual, 53.7, "SSLRequest").
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The requests of PostgreSQL for a password in clear text, and for nothing.
const CLEAR_TEXT: [u8; 9] = [b'R', 0, 0, 0, 8, 0, 0, 0, 3];
const NOTHING: [u8; 9] = [b'R', 0, 0, 0, 8, 0, 0, 0, 0];

/// Somebody else's server on a port of this machine. It records all that clients say to it.
struct Eve {
    port: u16,
    heard: Receiver<Vec<u8>>,
}

impl Eve {
    /// She listens, and talks to each client by `talk`, which returns what she has heard of it.
    fn listens(talk: fn(TcpStream) -> io::Result<Vec<u8>>) -> Eve {
        need_root();
        let (port, ports) = channel();
        let (tell, heard) = channel();
        thread::spawn(move || {
            // The rights of this thread alone. The port is hers, as /proc/net/tcp says.
            set_thread_res_uid(None, Uid::from_raw(EVE), None).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            port.send(listener.local_addr().unwrap().port()).unwrap();
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let patience = Some(Duration::from_secs(20));
                stream.set_read_timeout(patience).unwrap();
                if tell.send(talk(stream).unwrap_or_default()).is_err() {
                    return;
                }
            }
        });
        let port = ports.recv().unwrap();
        Eve { port, heard }
    }

    /// An import into her server, with `more` parameters, which never works: what she has heard, and how it ended.
    fn tempts(&self, scheme: &str, more: &str) -> (Vec<u8>, Outcome) {
        let home = tempfile::tempdir().unwrap();
        let dump = home.path().join("dump.sql");
        std::fs::write(&dump, SMALL_DUMP).unwrap();
        let user = format!("u:{}", PASSWORD.replace(':', "%3A"));
        let url = format!("{scheme}://{user}@127.0.0.1:{}/d?{more}", self.port);
        let mut import = command(["--yes", "--database-url", &url]);
        import.arg(dump).env("HOME", home.path());
        let outcome = run(import);
        let mut heard = Vec::new();
        while let Ok(bytes) = self.heard.recv_timeout(Duration::from_millis(500)) {
            heard.extend(bytes);
        }
        (heard, outcome)
    }

    /// She does not hear the password.
    fn is_refused(&self, scheme: &str, more: &str) -> Outcome {
        let (heard, outcome) = self.tempts(scheme, more);
        assert!(!has_password(&heard), "{scheme} {more}");
        assert!(!heard.is_empty(), "{scheme} {more}: nobody came");
        outcome
    }

    /// She hears it, since the user says so.
    fn hears_it(&self, scheme: &str, more: &str) {
        let (heard, _) = self.tempts(scheme, more);
        assert!(has_password(&heard), "{scheme} {more}: {heard:?}");
    }
}

fn has_password(heard: &[u8]) -> bool {
    memchr::memmem::find(heard, PASSWORD.as_bytes()).is_some()
}

/// All that comes until the other side ends.
fn listen(mut stream: impl Read, mut heard: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return Ok(heard),
            Ok(count) => heard.extend_from_slice(&buffer[..count]),
        }
        // It is enough, and the client may wait for an answer.
        if has_password(&heard) {
            return Ok(heard);
        }
    }
}

/// TLS with a certificate that she has made.
fn tls(stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    let (certificate, key) = self_signed();
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let configuration = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    StreamOwned::new(
        ServerConnection::new(Arc::new(configuration)).unwrap(),
        stream,
    )
}

/// Reads what starts a session of PostgreSQL.
fn startup(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut message = vec![0; 4];
    stream.read_exact(&mut message)?;
    let length = u32::from_be_bytes([message[0], message[1], message[2], message[3]]);
    message.resize(length as usize, 0);
    stream.read_exact(&mut message[4..])?;
    Ok(message)
}

/// Asks a client of PostgreSQL for `request`.
fn asks(mut stream: impl Read + Write, first: Vec<u8>, request: [u8; 9]) -> io::Result<Vec<u8>> {
    let message = if first == SSL_REQUEST {
        startup(&mut stream)?
    } else {
        first
    };
    stream.write_all(&request)?;
    listen(stream, message)
}

fn clear_text_without_tls(mut stream: TcpStream) -> io::Result<Vec<u8>> {
    let first = startup(&mut stream)?;
    if first == SSL_REQUEST {
        stream.write_all(b"N")?;
        // The client comes back without it, or goes on.
        let mut next = [0];
        if stream.peek(&mut next)? == 0 {
            return Ok(first);
        }
    }
    asks(stream, first, CLEAR_TEXT)
}

fn clear_text_over_tls(mut stream: TcpStream) -> io::Result<Vec<u8>> {
    let first = startup(&mut stream)?;
    if first != SSL_REQUEST {
        return asks(stream, first, CLEAR_TEXT);
    }
    stream.write_all(b"S")?;
    asks(tls(stream), first, CLEAR_TEXT)
}

fn nothing(mut stream: TcpStream) -> io::Result<Vec<u8>> {
    let first = startup(&mut stream)?;
    if first == SSL_REQUEST {
        stream.write_all(b"N")?;
        return Ok(first);
    }
    asks(stream, first, NOTHING)
}

#[test]
fn postgresql_gets_no_password_in_clear_text() {
    for talk in [clear_text_without_tls, clear_text_over_tls] {
        let eve = Eve::listens(talk);
        for mode in ["", "sslmode=prefer", "sslmode=allow", "sslmode=disable"] {
            eve.is_refused("postgresql", mode)
                .exits(4)
                .says("the server asks for the password in clear text, and nothing proves")
                .says("hint: have the server verified (sslmode=verify-full)");
        }
        eve.is_refused("postgresql", "require_auth=scram-sha-256")
            .exits(4)
            .says("asks for the method password, which require_auth does not allow");
        eve.hears_it("postgresql", "require_auth=password");
    }
    let eve = Eve::listens(clear_text_over_tls);
    eve.hears_it("postgresql", "sslmode=require");
    eve.is_refused("postgresql", "sslmode=require&require_auth=!password")
        .exits(4)
        .says("asks for the method password");
    let eve = Eve::listens(nothing);
    eve.is_refused("postgresql", "require_auth=scram-sha-256,md5")
        .exits(4)
        .says("the server asks for no proof of the user, which require_auth does not allow");
}

/// A greeting of MySQL 8 (Internals Manual, "Protocol::HandshakeV10"), with TLS.
fn greeting() -> Vec<u8> {
    let mut packet = b"\x0a8.0.40\0".to_vec();
    packet.extend_from_slice(&[9, 0, 0, 0]);
    packet.extend_from_slice(b"abcdefgh\0");
    // LONG_PASSWORD, CONNECT_WITH_DB, PROTOCOL_41, SSL, TRANSACTIONS, SECURE_CONNECTION; PLUGIN_AUTH.
    packet.extend_from_slice(&[0x09, 0xaa, 45, 2, 0, 0x08, 0x00, 21]);
    packet.extend_from_slice(&[0; 10]);
    packet.extend_from_slice(b"abcdefghijkl\0caching_sha2_password\0");
    with_head(0, &packet)
}

fn with_head(number: u8, packet: &[u8]) -> Vec<u8> {
    let length = u8::try_from(packet.len()).unwrap();
    [&[length, 0, 0, number], packet].concat()
}

/// Reads a packet of MySQL.
fn packet(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = [0; 4];
    stream.read_exact(&mut head)?;
    let mut packet = vec![0; usize::from(head[0])];
    stream.read_exact(&mut packet)?;
    Ok(packet)
}

/// Asks for the whole password, as a server does that has not seen the user before.
fn full_authentication(mut stream: TcpStream) -> io::Result<Vec<u8>> {
    stream.write_all(&greeting())?;
    packet(&mut stream)?;
    let mut stream = tls(stream);
    let mut heard = packet(&mut stream)?;
    // She gives no answer to a hash.
    heard.truncate(32);
    stream.write_all(&with_head(3, &[1, 4]))?;
    listen(stream, heard)
}

#[test]
fn mysql_gets_no_password_itself() {
    let eve = Eve::listens(full_authentication);
    for mode in ["", "ssl-mode=PREFERRED"] {
        eve.is_refused("mysql", mode)
            .exits(4)
            .says("the server asks for the password itself, and nothing proves")
            .says("hint: have the server verified, ssl-mode=VERIFY_IDENTITY");
    }
    eve.hears_it("mysql", "ssl-mode=REQUIRED");
}

/// A server of the user `postgres` on this machine may ask for it, and others are believed by their certificates.
#[test]
fn servers_that_are_known_get_it() {
    let clear = "user=clear_text require_auth=";
    for server in [with_tls(), without_tls()] {
        let visit = Visit::to(server);
        let import = |more: &str| {
            let mut import = visit.import_by(more);
            import.env("PGPASSWORD", PASSWORD);
            run(import)
        };
        import("user=clear_text").succeeds();
        visit.was_imported();
        import(&format!("{clear}password,md5")).succeeds();
        visit.was_imported();
        import("user=secret require_auth=scram-sha-256").succeeds();
        visit.was_imported();
        import("user=secret require_auth=!scram-sha-256")
            .exits(4)
            .says("asks for the method scram-sha-256, which require_auth does not allow")
            .says("hint: ask the server's administrator");
        import(&format!("{clear}scram-sha-256"))
            .exits(4)
            .says("asks for the method password");
    }
    let visit = Visit::to(with_tls());
    let ca = visit.put("ca.pem", &visit.server.authority.pem());
    let mut import = visit.import_by(&format!(
        "user=clear_text sslmode=verify-full sslrootcert={ca}"
    ));
    import.env("PGPASSWORD", PASSWORD);
    run(import).succeeds();
    visit.was_imported();
}
