//! Whose a server on this machine is. Anybody can listen on a port above 1023 while the server does not, as anybody can make
//! a socket in /tmp.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::files::{ids_of, is_stranger};

/// The kernel's tables of TCP (proc(5)).
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// The state of a connection that both ends have.
const ESTABLISHED: &str = "01";

/// Whether whoever has the other end of a connection to `port` of this machine is root, oneself or the user `server`. The
/// connection must exist.
pub(crate) fn is_believable(port: u16, server: &str) -> bool {
    let server = ids_of(server).map(|(user, _)| user);
    let tables = TABLES.map(|table| std::fs::read_to_string(table).unwrap_or_default());
    are_of(&tables, port, |user| {
        !is_stranger(user) || Some(user) == server
    })
}

/// Whether there is a connection to `port` of this machine in `tables`, and whoever listens there or has one is a user who
/// `is_known`.
fn are_of(tables: &[String], port: u16, is_known: impl Fn(u32) -> bool) -> bool {
    let lines = tables.iter().flat_map(|table| table.lines().skip(1));
    let mut ends = lines
        .filter_map(End::read)
        .filter(|end| {
            end.port == port && (end.address.is_loopback() || end.address.is_unspecified())
        })
        .peekable();
    let mut is_connected = false;
    ends.all(|end| {
        is_connected |= end.is_established;
        is_known(end.user)
    }) && is_connected
}

/// One end of a connection, or a listener.
struct End {
    address: IpAddr,
    port: u16,
    is_established: bool,
    user: u32,
}

impl End {
    /// Reads a line: number, own address, the other's, state, queues, timer, timeouts, user.
    fn read(line: &str) -> Option<End> {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (address, port) = fields.next()?.split_once(':')?;
        let state = fields.nth(1)?;
        Some(End {
            address: read_address(address)?,
            port: u16::from_str_radix(port, 16).ok()?,
            is_established: state == ESTABLISHED,
            user: fields.nth(3)?.parse().ok()?,
        })
    }
}

/// An address as words in the order of this machine, each in hexadecimal.
fn read_address(text: &str) -> Option<IpAddr> {
    if !text.len().is_multiple_of(8) {
        return None;
    }
    let mut bytes = Vec::with_capacity(16);
    for word in text.as_bytes().chunks(8) {
        let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
        bytes.extend_from_slice(&word.to_ne_bytes());
    }
    if let Ok(bytes) = <[u8; 4]>::try_from(&bytes[..]) {
        return Some(Ipv4Addr::from(bytes).into());
    }
    let bytes = <[u8; 16]>::try_from(bytes).ok()?;
    Some(Ipv6Addr::from(bytes).to_canonical())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_to_oneself_is_found() {
        for address in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                // Some containers have no IPv6.
                assert_eq!(address, "[::1]:0");
                continue;
            };
            let port = listener.local_addr().unwrap().port();
            assert!(
                !is_believable(port, "root"),
                "{address}: nobody is connected"
            );
            let host = if address.starts_with('[') {
                "::1"
            } else {
                "127.0.0.1"
            };
            let _client = TcpStream::connect((host, port)).unwrap();
            let _server = listener.accept().unwrap();
            assert!(is_believable(port, "root"), "{address}");
            let tables = TABLES.map(|table| std::fs::read_to_string(table).unwrap_or_default());
            assert!(!are_of(&tables, port, |_| false), "{address}");
        }
    }

    #[test]
    fn addresses_are_in_the_order_of_the_machine() {
        let word = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
        let here = word([127, 0, 0, 1]);
        assert_eq!(read_address(&here), Some(Ipv4Addr::LOCALHOST.into()));
        let mapped = [word([0; 4]), word([0; 4]), word([0, 0, 0xff, 0xff]), here].concat();
        assert_eq!(read_address(&mapped), Some(Ipv4Addr::LOCALHOST.into()));
        for wrong in ["", "0100007", "0100007F00", "zz00007F"] {
            assert_eq!(read_address(wrong), None, "{wrong}");
        }
    }
}
