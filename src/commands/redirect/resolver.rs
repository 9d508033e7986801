//! The name servers of this machine, for nginx, which does not use the operating system's lookup while it runs.

use std::fs;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::error::{Doing, Error, Result};

/// Where the machine's name servers are listed (resolv.conf(5)).
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The name servers as nginx writes them: `named`, or if there are none those of the machine.
pub(super) fn name_servers(named: &[String]) -> Result<Vec<String>> {
    if !named.is_empty() {
        return named.iter().map(|text| parse(text)).collect();
    }
    let text = fs::read_to_string(RESOLV_CONF).doing(format!("read {RESOLV_CONF}"))?;
    let servers = of_resolv_conf(&text);
    if servers.is_empty() {
        return Err(Error::failed(format!("{RESOLV_CONF} names no name server"))
            .hint("name one with --name-server"));
    }
    Ok(servers)
}

/// The servers that resolv.conf names. The zone of a link-local address is left out with it: nginx cannot have one.
fn of_resolv_conf(text: &str) -> Vec<String> {
    let words = text.lines().map(str::split_whitespace);
    words
        .filter_map(|mut words| (words.next() == Some("nameserver")).then(|| words.next())?)
        .filter_map(|address| address.parse().ok())
        .map(shown)
        .collect()
}

/// An address that was named, with or without a port.
fn parse(text: &str) -> Result<String> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    if let Some(address) = bare.and_then(|text| text.parse::<Ipv6Addr>().ok()) {
        return Ok(shown(address.into()));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(shown(address));
    }
    match text.parse::<SocketAddr>() {
        Ok(SocketAddr::V6(address)) if address.scope_id() != 0 => Err(not_an_address(text)),
        Ok(address) => Ok(address.to_string()),
        Err(_) => Err(not_an_address(text)),
    }
}

fn not_an_address(text: &str) -> Error {
    Error::usage(format!("--name-server {text:?}: this is not an address"))
        .hint("give an IP address, also with a port: 10.0.0.1 or [fd00::1]:53")
}

fn shown(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolv_conf() {
        let text = "# nameserver 1.1.1.1\nsearch example.com\nnameserver 10.0.0.1\n nameserver\tfd00::1 # a comment\n\
                    nameserver\nnameserver fe80::1%eth0\nnameservers 10.0.0.2\nnameserver 8.8.8.8;\n";
        assert_eq!(of_resolv_conf(text), ["10.0.0.1", "[fd00::1]"]);
    }

    #[test]
    fn named_servers() {
        for (text, expected) in [
            ("10.0.0.1", "10.0.0.1"),
            ("10.0.0.1:5353", "10.0.0.1:5353"),
            ("fd00::1", "[fd00::1]"),
            ("[fd00::1]", "[fd00::1]"),
            ("[fd00::1]:53", "[fd00::1]:53"),
        ] {
            assert_eq!(name_servers(&[text.to_owned()]).unwrap(), [expected]);
        }
        for text in [
            "",
            "dns.example.com",
            "10.0.0.1;",
            "10.0.0.1 valid=1s",
            "fe80::1%1",
            "[fe80::1%1]:53",
        ] {
            assert!(name_servers(&[text.to_owned()]).is_err(), "{text:?}");
        }
    }
}
