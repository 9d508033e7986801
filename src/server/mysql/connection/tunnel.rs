//! TLS between the driver and the server. The driver's own TLS always accepts the CAs of browsers, too, and
//! does not report why it failed. So the driver gets a private socket, and a thread on its other end speaks
//! TLS to the server.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mysql::error::MySqlError;
use mysql::{Conn, OptsBuilder};
use rustix::event::{PollFd, PollFlags, poll};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::numbering::{Numbering, Seen};
use super::stream::Stream;
use crate::server::mysql::options::host::Place;
use crate::server::options::peers;

/// The maximum length of a packet while a session is opened.
const MAX_PACKET: usize = 64 * 1024;

/// The number of bytes to read at once.
const CHUNK: usize = 64 * 1024;

/// The length of the request for TLS, which starts like the driver's answer: capabilities, the maximum
/// packet, the character set, and a reserve (Internals Manual, "SSLRequest").
const REQUEST_LENGTH: u8 = 32;
const REQUEST: usize = REQUEST_LENGTH as usize;

/// The bit for TLS, in the second byte of the capabilities.
const CAPABILITY_TLS: u8 = 0x08;

/// The version of the protocol, the same since MySQL 3.21.
const PROTOCOL: u8 = 10;

/// Why a connection failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server has no TLS.
    NoTls,
    /// Without TLS, the password would need a key that cannot be verified.
    NoKey,
    /// The server asks for the password itself, and nobody has verified it.
    ClearText,
    /// TLS failed.
    Tls(rustls::Error),
    /// The server was not reachable, or closed the connection.
    Io(io::Error),
    /// The server or the driver refused.
    Driver(mysql::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.get_ref().and_then(|carried| carried.downcast_ref()) {
            Some(cause) => Failure::Tls(rustls::Error::clone(cause)),
            None => Failure::Io(error),
        }
    }
}

impl From<rustls::Error> for Failure {
    fn from(error: rustls::Error) -> Failure {
        Failure::Tls(error)
    }
}

/// Opens a session with `options` at `place`, over TLS with `configuration`, with a server whose name is
/// `name`. Connecting and the TLS handshake may take as long as `timeout`. Unless it `is_trusted`, it does not get the
/// password itself, only what proves that the client knows it.
pub(crate) fn connect(
    place: &Place,
    options: OptsBuilder,
    name: ServerName<'static>,
    configuration: Arc<ClientConfig>,
    timeout: Option<Duration>,
    is_trusted: bool,
) -> Result<Conn, Failure> {
    let mut server = Stream::reach(place, timeout)?;
    let greeting = read_packet(&mut server)?;
    check_greeting(&greeting[4..])?;
    let directory = tempfile::Builder::new().prefix("ci-import-").tempdir()?;
    let path = directory.path().join("s");
    let listener = UnixListener::bind(&path).map_err(|cause| {
        let text = format!("cannot create the socket {}: {cause}", path.display());
        io::Error::other(text)
    })?;
    let tls = ClientConnection::new(configuration, name)?;
    let thread = thread::Builder::new().name("tls".to_owned());
    let tunnel = thread.spawn(move || {
        let (driver, _) = listener.accept()?;
        drop(listener);
        Tunnel::open(driver, server, tls, &greeting, is_trusted)?.run()
    })?;
    let options = options.socket(Some(path.to_string_lossy()));
    Conn::new(options).map_err(|cause| {
        unblock(&path);
        let failure = tunnel.join();
        match (cause, failure) {
            // The server's error explains more than the end of the connection.
            (cause @ mysql::Error::MySqlError(_), _) => Failure::Driver(cause),
            (_, Ok(Err(failure))) => failure,
            (cause, _) => Failure::Driver(cause),
        }
    })
}

/// Stops the wait for the driver, if it has failed before it connected.
fn unblock(path: &Path) {
    let _ = UnixStream::connect(path);
}

/// Reads a packet, with its header.
fn read_packet(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut packet = vec![0; 4];
    from.read_exact(&mut packet)?;
    let length = u32::from_le_bytes([packet[0], packet[1], packet[2], 0]) as usize;
    if length == 0 || length > MAX_PACKET {
        return Err(not_mysql());
    }
    packet.resize(4 + length, 0);
    from.read_exact(&mut packet[4..])?;
    Ok(packet)
}

fn not_mysql() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the answer is not from a MySQL server",
    )
}

/// An error unless the server sends a greeting and has TLS. Version, session number, eight bytes of salt and
/// a zero precede the capabilities (Internals Manual, "Protocol::HandshakeV10").
fn check_greeting(greeting: &[u8]) -> Result<(), Failure> {
    match greeting {
        [0xff, low, high, message @ ..] => Err(refusal(u16::from_le_bytes([*low, *high]), message)),
        [PROTOCOL, rest @ ..] => {
            let version = memchr::memchr(0, rest).ok_or_else(not_mysql)?;
            let capabilities = rest.get(version + 1 + 4 + 8 + 1..).unwrap_or_default();
            match capabilities {
                [_, high, ..] if high & CAPABILITY_TLS != 0 => Ok(()),
                [_, _, ..] => Err(Failure::NoTls),
                _ => Err(not_mysql().into()),
            }
        }
        _ => Err(not_mysql().into()),
    }
}

/// A server that has too many connections, or refuses this host, sends an error instead of a greeting.
fn refusal(code: u16, message: &[u8]) -> Failure {
    let message = match message {
        [b'#', _, _, _, _, _, rest @ ..] => rest,
        message => message,
    };
    Failure::Driver(mysql::Error::MySqlError(MySqlError {
        state: "08004".to_owned(),
        message: String::from_utf8_lossy(message).into_owned(),
        code,
    }))
}

/// The connection between driver and server.
struct Tunnel {
    driver: UnixStream,
    server: Stream,
    tls: ClientConnection,
    numbering: Numbering,
    /// Whether the server may have the password itself.
    is_trusted: bool,
    /// The buffer for both directions.
    buffer: Vec<u8>,
    /// The bytes from the server that the driver has not taken yet.
    pending: Vec<u8>,
}

impl Tunnel {
    /// Passes on the greeting, and requests TLS from the server with the driver's answer.
    fn open(
        mut driver: UnixStream,
        mut server: Stream,
        mut tls: ClientConnection,
        greeting: &[u8],
        is_trusted: bool,
    ) -> Result<Tunnel, Failure> {
        driver.write_all(greeting)?;
        let mut answer = read_packet(&mut driver)?;
        if answer.len() < 4 + REQUEST {
            return Err(not_mysql().into());
        }
        answer[4 + 1] |= CAPABILITY_TLS;
        let mut request = vec![0; 4 + REQUEST];
        request[0] = REQUEST_LENGTH;
        request[3..].copy_from_slice(&answer[3..4 + REQUEST]);
        server.write_all(&request)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut server)?;
        }
        // The reads from the driver are limited instead.
        tls.set_buffer_limit(None);
        let mut numbering = Numbering::default();
        numbering.towards_server(&mut answer);
        tls.writer().write_all(&answer)?;
        Ok(Tunnel {
            driver,
            server,
            tls,
            numbering,
            is_trusted,
            buffer: vec![0; CHUNK],
            pending: Vec::with_capacity(CHUNK),
        })
    }

    /// Passes on the bytes of both sides, until one of them ends the connection.
    fn run(mut self) -> Result<(), Failure> {
        self.driver.set_nonblocking(true)?;
        self.server.set_nonblocking(true)?;
        loop {
            if !self.take_plaintext()? {
                return Ok(());
            }
            let (driver, server) = self.wait()?;
            if server.contains(PollFlags::OUT) {
                would_block(self.tls.write_tls(&mut self.server))?;
            }
            if server.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR)
                && self.pending.is_empty()
            {
                match would_block(self.tls.read_tls(&mut self.server))? {
                    Some(0) => return Ok(()),
                    Some(_) => _ = self.tls.process_new_packets()?,
                    None => {}
                }
            }
            if driver.contains(PollFlags::OUT)
                && let Some(count) = would_block(self.driver.write(&self.pending))?
            {
                self.pending.drain(..count);
            }
            if driver.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR)
                && let Some(count) = would_block(self.driver.read(&mut self.buffer))?
            {
                if count == 0 {
                    // A server that has closed the connection needs no goodbye.
                    let _ = self.end();
                    return Ok(());
                }
                let bytes = &mut self.buffer[..count];
                self.numbering.towards_server(bytes);
                self.tls.writer().write_all(bytes)?;
            }
        }
    }

    /// Takes decrypted bytes, if the driver has taken the earlier ones. Returns whether the server may send
    /// more.
    fn take_plaintext(&mut self) -> Result<bool, Failure> {
        if !self.pending.is_empty() {
            return Ok(true);
        }
        match would_block(self.tls.reader().read(&mut self.buffer)) {
            Ok(Some(0)) => Ok(false),
            Ok(Some(count)) => {
                let seen = self.numbering.towards_driver(&mut self.buffer[..count]);
                if seen == Seen::FullAuthentication && !self.is_trusted && !self.is_known() {
                    return Err(Failure::ClearText);
                }
                self.pending.extend_from_slice(&self.buffer[..count]);
                Ok(true)
            }
            Ok(None) => Ok(true),
            // Servers close the connection without the TLS alert. The packets show whether the data is
            // complete.
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(cause) => Err(cause.into()),
        }
    }

    /// Whether the server is on this machine, and of a user who may have the password.
    fn is_known(&self) -> bool {
        self.server
            .local_port()
            .is_some_and(|port| peers::is_believable(port, "mysql"))
    }

    /// Waits until a side is ready for pending work. A side without pending work is left out, because its
    /// hangup would be reported forever.
    fn wait(&self) -> io::Result<(PollFlags, PollFlags)> {
        let sends = self.tls.wants_write();
        let is_taken = self.pending.is_empty();
        let mut driver = PollFlags::empty();
        driver.set(PollFlags::IN, !sends);
        driver.set(PollFlags::OUT, !is_taken);
        let mut server = PollFlags::empty();
        server.set(PollFlags::IN, is_taken);
        server.set(PollFlags::OUT, sends);
        let mut sides = Vec::with_capacity(2);
        if !driver.is_empty() {
            sides.push(PollFd::new(&self.driver, driver));
        }
        if !server.is_empty() {
            sides.push(PollFd::new(&self.server, server));
        }
        rustix::io::retry_on_intr(|| poll(&mut sides, None))?;
        let mut found = sides.iter().map(PollFd::revents);
        let mut next = |asked: PollFlags| {
            let found = (!asked.is_empty()).then(|| found.next()).flatten();
            found.unwrap_or(PollFlags::empty())
        };
        Ok((next(driver), next(server)))
    }

    /// Says goodbye to the server, after the driver has.
    fn end(mut self) -> io::Result<()> {
        self.tls.send_close_notify();
        self.server.set_nonblocking(false)?;
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.server)?;
        }
        self.server.end_sending()
    }
}

/// Returns none if the operation would block.
fn would_block(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(cause)
            if matches!(
                cause.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
            ) =>
        {
            Ok(None)
        }
        Err(cause) => Err(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greetings_say_whether_there_is_tls() {
        let greeting = |high: u8| [b"\x0a5.5.5-10\0", &[1; 13][..], &[0xff, high, 8]].concat();
        assert!(check_greeting(&greeting(0xff)).is_ok());
        assert!(matches!(
            check_greeting(&greeting(0xf7)),
            Err(Failure::NoTls)
        ));
        for message in [&b"\xff\x10\x04Too many"[..], b"\xff\x10\x04#08004Too many"] {
            match check_greeting(message) {
                Err(Failure::Driver(mysql::Error::MySqlError(error))) => {
                    assert_eq!((error.code, error.message.as_str()), (1040, "Too many"));
                }
                found => panic!("{found:?}"),
            }
        }
        for other in [&b""[..], b"SSH-2.0", b"\x0a5.5", b"\x0a5.5\0\0", b"\xff"] {
            assert!(
                matches!(check_greeting(other), Err(Failure::Io(_))),
                "{other:?}"
            );
        }
    }
}
