//! What becomes a word of a configuration: host names, paths and sizes. Each has only characters that mean themselves
//! there.

use std::fmt;
use std::path::{Path, absolute};

use crate::cli::arguments::Scheme;
use crate::error::{Doing, Error, Result};

/// A host name, with a port if one was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    /// The name, in lower case.
    pub(super) name: String,
    /// The port.
    pub(super) port: Option<u16>,
}

impl Host {
    /// The name in `text`, which has no port.
    pub(super) fn name_only(option: &str, text: &str) -> Result<Host> {
        let host = Host::parse(option, text)?;
        if host.port.is_some() {
            let error = Error::usage(format!("{option} {text:?}: a port does not belong here"));
            return Err(error.hint("--http-port and --https-port set the ports"));
        }
        Ok(host)
    }

    /// The name in `text`, which may have a port.
    pub(super) fn parse(option: &str, text: &str) -> Result<Host> {
        let (name, port) = match text.split_once(':') {
            Some((name, port)) if !port.starts_with('/') => (name, Some(port)),
            _ => (text, None),
        };
        let refused = |why: &str| {
            Error::usage(format!("{option} {text:?}: {why}"))
                .hint("give the name alone, for example gitlab.example.com")
        };
        if !is_host_name(name) {
            return Err(refused("this is not a host name"));
        }
        let port = match port {
            None => None,
            Some(digits) => Some(parse_port(digits).ok_or_else(|| refused("the port is wrong"))?),
        };
        Ok(Host {
            name: name.to_ascii_lowercase(),
            port,
        })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// The URL of a web server: a scheme and a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base {
    /// The scheme.
    pub(super) scheme: Scheme,
    /// The host.
    pub(super) host: Host,
}

impl Base {
    /// The URL in `text`, which may have a slash at its end.
    pub(super) fn parse(option: &str, text: &str) -> Result<Base> {
        let refused = |why: &str| {
            Error::usage(format!("{option} {text:?}: {why}"))
                .hint("give a URL without a path, for example https://ci.example.com")
        };
        let (scheme, rest) = match text.split_once("://") {
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(("http", rest)) => (Scheme::Http, rest),
            _ => return Err(refused("this is no URL with https or http")),
        };
        let name = rest.strip_suffix('/').unwrap_or(rest);
        if name.contains('/') {
            return Err(refused("a path does not belong here"));
        }
        let host = Host::parse(option, name)?;
        Ok(Base { scheme, host })
    }

    /// The port.
    pub(super) fn port(&self) -> u16 {
        self.host.port.unwrap_or(self.scheme.usual_port())
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.host)
    }
}

/// The number of a port, in digits alone.
pub(super) fn parse_port(digits: &str) -> Option<u16> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let port = digits.parse().ok().filter(|port| *port > 0);
    port.filter(|_| is_number)
}

/// Whether `name` is a host name (RFC 1123, 2.1): letters, digits and hyphens between dots.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_of_characters = label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let has_hyphen_outside = label.starts_with('-') || label.ends_with('-');
        (1..=63).contains(&label.len()) && is_of_characters && !has_hyphen_outside
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// The absolute path of `path`, which needs no quotes in a configuration.
pub(super) fn plain_path(option: &str, path: &Path) -> Result<String> {
    let path = absolute(path).doing(format!("read {option}"))?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@,=".contains(c);
    match path.to_str() {
        Some(text) if text.chars().all(is_plain) => Ok(text.to_owned()),
        _ => Err(Error::usage(format!(
            "{option} {}: the path has other characters than letters, digits and /._-+@,=",
            path.display()
        ))
        .hint("these may mean something in a configuration: name another path, or a link")),
    }
}

/// A size in bytes: a number, also with k, m or g.
pub(super) fn parse_size(option: &str, text: &str) -> Result<Size> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => Some(1),
        "k" => Some(1 << 10),
        "m" => Some(1 << 20),
        "g" => Some(1 << 30),
        _ => None,
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: Option<u64> = digits.parse().ok().filter(|_| is_number);
    let bytes = number
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor));
    // The servers count in signed numbers.
    match bytes.filter(|bytes| i64::try_from(*bytes).is_ok()) {
        Some(bytes) => Ok(Size {
            bytes,
            written: text.to_ascii_lowercase(),
        }),
        None => Err(
            Error::usage(format!("{option} {text:?}: this is not a size"))
                .hint("give a number of bytes, or one with k, m or g: 10m"),
        ),
    }
}

/// A size, in bytes and as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Size {
    /// In bytes.
    pub(super) bytes: u64,
    /// With its unit.
    pub(super) written: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names() {
        for (text, name, port) in [
            ("ci.example.com", "ci.example.com", None),
            ("CI.Example.COM", "ci.example.com", None),
            ("gitlab:8443", "gitlab", Some(8443)),
            ("10.0.0.1", "10.0.0.1", None),
            ("a-1.b", "a-1.b", None),
        ] {
            let host = Host::parse("--x", text).unwrap();
            assert_eq!((host.name.as_str(), host.port), (name, port), "{text}");
        }
        let long = format!("{}.example.com", "a".repeat(64));
        let longer = vec!["a".repeat(60); 5].join(".");
        for text in [
            "",
            ".",
            "a..b",
            "a.",
            ".a",
            "-a",
            "a-",
            "a_b",
            "a b",
            "a;b",
            "a\nb",
            "a}",
            "a$b",
            "a\"",
            "ä",
            "https://a",
            "a/b",
            "a:",
            "a:0",
            "a:65536",
            "a:+1",
            "a:1:2",
            "[::1]",
            "*.a",
            "a#",
            "a\\",
            "<a>",
            &long,
            &longer,
        ] {
            assert!(Host::parse("--x", text).is_err(), "{text:?}");
        }
        assert!(Host::name_only("--x", "a:80").is_err());
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", 0),
            ("10m", 10 << 20),
            ("1G", 1 << 30),
            ("512K", 512 << 10),
            ("7", 7),
        ] {
            assert_eq!(parse_size("--x", text).unwrap().bytes, bytes, "{text}");
        }
        for text in [
            "",
            "m",
            "-1",
            "+1",
            "1.5m",
            "1t",
            "1mm",
            "1 m",
            "10m;",
            "99999999999g",
            "9223372036854775808",
        ] {
            assert!(parse_size("--x", text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn paths() {
        let plain = plain_path("--x", Path::new("/etc/ssl/ci.example.com.pem")).unwrap();
        assert_eq!(plain, "/etc/ssl/ci.example.com.pem");
        assert!(
            plain_path("--x", Path::new("ci.pem"))
                .unwrap()
                .starts_with('/')
        );
        for path in [
            "/a b", "/a;b", "/a$b", "/a\nb", "/a\"b", "/a#b", "/a{", "/a\\b", "/ä", "/%{x}",
        ] {
            assert!(plain_path("--x", Path::new(path)).is_err(), "{path:?}");
        }
    }
}
