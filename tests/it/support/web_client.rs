//! Requests as they are written: nothing is made better on the way.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::web_stub::Message;

/// A request.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) host: &'a str,
    pub(crate) body: Option<&'a [u8]>,
}

impl Request<'_> {
    fn bytes(&self) -> Vec<u8> {
        let Request {
            method,
            target,
            host,
            body,
        } = self;
        let mut bytes =
            format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        if let Some(body) = body {
            bytes += "Content-Type: application/x-www-form-urlencoded\r\n";
            bytes += &format!("Content-Length: {}\r\n", body.len());
        }
        let mut bytes = (bytes + "\r\n").into_bytes();
        bytes.extend(body.unwrap_or_default());
        bytes
    }

    /// Sends it to `address`, and returns the answer.
    pub(crate) fn send(&self, address: &str) -> Message {
        let mut stream = connected(address);
        // A server that refuses the body answers before it has come.
        let _ = stream.write_all(&self.bytes());
        Message::read(&mut BufReader::new(stream)).expect("an answer")
    }

    /// The same with TLS, to a server whose certificate is for the host and of the CA `authority`.
    pub(crate) fn send_with_tls(&self, address: &str, authority: &str) -> Message {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(self.host.to_owned()).unwrap();
        let session = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(session, connected(address));
        stream
            .write_all(&self.bytes())
            .expect("the server is trusted");
        Message::read(&mut BufReader::new(stream)).expect("an answer")
    }
}

fn connected(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream
}
