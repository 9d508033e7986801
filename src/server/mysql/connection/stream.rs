//! A connection to the server, by TCP or a socket.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::net::sockopt;

use crate::server::mysql::options::host::Place;
use crate::server::options::keep_alive;

/// A connection to the server.
pub(crate) enum Stream {
    Tcp(TcpStream),
    Socket(UnixStream),
}

impl Stream {
    /// Connects to the first address of `place` that answers. Each later read or write may take as long as
    /// `timeout`.
    pub(crate) fn reach(place: &Place, timeout: Option<Duration>) -> io::Result<Stream> {
        let stream = match place {
            Place::Socket(path) => Stream::Socket(UnixStream::connect(path)?),
            Place::Host(host, port) => {
                let mut failed = io::Error::other("it has no address");
                let reached = (host.as_str(), *port)
                    .to_socket_addrs()?
                    .find_map(|address| {
                        let reached = match timeout {
                            Some(timeout) => TcpStream::connect_timeout(&address, timeout),
                            None => TcpStream::connect(address),
                        };
                        reached.map_err(|cause| failed = cause).ok()
                    });
                let stream = reached.ok_or(failed)?;
                stream.set_nodelay(true)?;
                notice_its_end(&stream)?;
                Stream::Tcp(stream)
            }
        };
        match &stream {
            Stream::Tcp(tcp) => {
                tcp.set_read_timeout(timeout)?;
                tcp.set_write_timeout(timeout)?;
            }
            Stream::Socket(socket) => {
                socket.set_read_timeout(timeout)?;
                socket.set_write_timeout(timeout)?;
            }
        }
        Ok(stream)
    }

    /// The server's port, if the server is on this machine.
    pub(crate) fn local_port(&self) -> Option<u16> {
        match self {
            Stream::Tcp(tcp) => {
                let peer = tcp.peer_addr().ok()?;
                peer.ip().to_canonical().is_loopback().then(|| peer.port())
            }
            Stream::Socket(_) => None,
        }
    }

    pub(crate) fn set_nonblocking(&self, value: bool) -> io::Result<()> {
        match self {
            Stream::Tcp(tcp) => tcp.set_nonblocking(value),
            Stream::Socket(socket) => socket.set_nonblocking(value),
        }
    }

    /// Shuts down the sending side.
    pub(crate) fn end_sending(&self) -> io::Result<()> {
        match self {
            Stream::Tcp(tcp) => tcp.shutdown(Shutdown::Write),
            Stream::Socket(socket) => socket.shutdown(Shutdown::Write),
        }
    }
}

/// Has the system notice a server that is gone.
fn notice_its_end(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, keep_alive::IDLE)?;
    sockopt::set_tcp_keepintvl(stream, keep_alive::INTERVAL)?;
    sockopt::set_tcp_keepcnt(stream, keep_alive::PROBES)?;
    let unanswered = u32::try_from(keep_alive::UNANSWERED.as_millis()).unwrap_or(u32::MAX);
    Ok(sockopt::set_tcp_user_timeout(stream, unanswered)?)
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Tcp(tcp) => tcp.as_fd(),
            Stream::Socket(socket) => socket.as_fd(),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => tcp.read(buffer),
            Stream::Socket(socket) => socket.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(tcp) => tcp.write(bytes),
            Stream::Socket(socket) => socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
