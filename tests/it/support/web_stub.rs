//! A server in the place of a GitLab: it records the requests that arrive, and answers them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request that has arrived, or an answer that has come back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    /// The request line or the status line.
    pub(crate) line: String,
    /// With names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// Reads one.
    pub(crate) fn read(from: &mut impl BufRead) -> Option<Message> {
        let mut line = || {
            let mut line = String::new();
            let length = from.read_line(&mut line).ok()?;
            (length > 0).then(|| line.trim_end().to_owned())
        };
        let mut message = Message {
            line: line()?,
            ..Message::default()
        };
        loop {
            let header = line()?;
            let Some((name, value)) = header.split_once(':') else {
                break;
            };
            message
                .headers
                .push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if let Some(length) = message.header("content-length") {
            message.body = vec![0; length.parse().ok()?];
            from.read_exact(&mut message.body).ok()?;
        }
        Some(message)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The status of an answer.
    pub(crate) fn status(&self) -> u16 {
        self.line.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// The method and the target of a request.
    pub(crate) fn asked(&self) -> (&str, &str) {
        let mut words = self.line.split(' ');
        (words.next().unwrap(), words.next().unwrap())
    }
}

/// Status and body of an answer, and its other headers.
pub(crate) type Answer = (u16, &'static str, Vec<(&'static str, String)>);

/// A GitLab that is none, on 127.0.0.1.
pub(crate) struct Stub {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Message>>>,
}

impl Stub {
    /// Starts one that answers as `answer` says; with TLS if it has a certificate and a key.
    pub(crate) fn start(
        tls: Option<(String, String)>,
        answer: impl Fn(&Message) -> Answer + Send + Sync + 'static,
    ) -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let tls = tls.map(|(certificate, key)| Arc::new(tls_of(&certificate, &key)));
        let (record, answer) = (Arc::clone(&seen), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                let (tls, record, answer) = (tls.clone(), Arc::clone(&record), Arc::clone(&answer));
                std::thread::spawn(move || match tls {
                    None => serve(stream, &record, &*answer),
                    Some(tls) => {
                        let session = ServerConnection::new(tls).unwrap();
                        serve(StreamOwned::new(session, stream), &record, &*answer);
                    }
                });
            }
        });
        Stub { port, seen }
    }

    /// The requests since the last call.
    pub(crate) fn seen(&self) -> Vec<Message> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

fn tls_of(certificate: &str, key: &str) -> ServerConfig {
    let chain = CertificateDer::pem_slice_iter(certificate.as_bytes());
    let chain = chain.map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

/// Answers one request, and closes the connection.
fn serve(
    stream: impl Read + Write,
    record: &Mutex<Vec<Message>>,
    answer: &dyn Fn(&Message) -> Answer,
) {
    let mut stream = BufReader::new(stream);
    let Some(request) = Message::read(&mut stream) else {
        return;
    };
    let (status, body, headers) = answer(&request);
    record.lock().unwrap().push(request);
    let mut text = format!("HTTP/1.1 {status} Said\r\nConnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    let to = stream.get_mut();
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
