//! Parses URLs of databases. No error shows a value, because it may be part of the password.

use percent_encoding::percent_decode_str;

use crate::error::{Error, Result};

/// The schemes of MySQL's URLs: MySQL's, Rails', MariaDB's.
const MYSQL_SCHEMES: [&str; 3] = ["mysql:", "mysql2:", "mariadb:"];

/// Whether `url` has a scheme of MySQL.
pub(crate) fn is_mysql(url: &str) -> bool {
    MYSQL_SCHEMES.iter().any(|scheme| url.starts_with(scheme))
}

/// The parts of a URL after its scheme: `user:password@host:port,host:port/database?keyword=value`, with
/// escapes resolved. Missing parts are empty.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) user: String,
    pub(crate) password: String,
    /// Hosts and their ports, at least one.
    pub(crate) places: Vec<(String, String)>,
    pub(crate) database: String,
    /// Keywords and values after the "?".
    pub(crate) parameters: Vec<(String, String)>,
}

impl Parts {
    /// The parts of `rest`, the text after the scheme of a URL; `example` is for errors.
    pub(crate) fn of(rest: &str, example: &str) -> Result<Parts> {
        let parts = Parts::taken_apart(rest);
        parts.map_err(|error| match error.hint_text() {
            Some(_) => error,
            None => error.hint(format!("it should look like {example}")),
        })
    }

    fn taken_apart(rest: &str) -> Result<Parts> {
        let (credentials, rest) = match rest.find(['@', '/']) {
            Some(at) if rest[at..].starts_with('@') => (&rest[..at], &rest[at + 1..]),
            _ => ("", rest),
        };
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (places, database) = before_query.split_once('/').unwrap_or((before_query, ""));
        let (user, password) = (decoded(user)?, decoded(password)?);
        if before_query.contains('@') {
            return Err(Error::usage("the database URL has one \"@\" too many")
                .hint("an \"@\" in a password is written %40, a \"/\" %2F"));
        }
        let places = places.split(',').map(|text| {
            let (host, port) = place(text)?;
            Ok((decoded(host)?, decoded(port)?))
        });
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let parameters = pairs.map(|pair| {
            let (keyword, text) = pair
                .split_once('=')
                .ok_or_else(|| unreadable("a parameter after the \"?\" has no \"=\""))?;
            Ok((decoded(keyword)?, decoded(text)?))
        });
        Ok(Parts {
            user,
            password,
            places: places.collect::<Result<_>>()?,
            database: decoded(database)?,
            parameters: parameters.collect::<Result<_>>()?,
        })
    }
}

fn unreadable(why: &str) -> Error {
    Error::usage(format!("the database URL cannot be read: {why}"))
}

/// Host and port of `host:port` or `[address]:port`.
fn place(text: &str) -> Result<(&str, &str)> {
    let Some(address) = text.strip_prefix('[') else {
        return Ok(text.split_once(':').unwrap_or((text, "")));
    };
    let (address, rest) = address
        .split_once(']')
        .ok_or_else(|| unreadable("a \"[\" has no \"]\""))?;
    match rest.strip_prefix(':') {
        Some(port) => Ok((address, port)),
        None if rest.is_empty() => Ok((address, "")),
        None => Err(unreadable("after a \"]\" there is neither \":\" nor \"/\"")),
    }
}

fn decoded(text: &str) -> Result<String> {
    let bytes = text.as_bytes();
    let is_escape = |at: usize| {
        let digits = bytes.get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if (0..bytes.len()).any(|at| bytes[at] == b'%' && !is_escape(at)) {
        return Err(unreadable("a \"%\" is not followed by two digits")
            .hint("a \"%\" in a password is written %25"));
    }
    let text = percent_decode_str(text).decode_utf8();
    let text = text.map_err(|_| unreadable("it is not in UTF-8"))?;
    if text.contains('\0') {
        return Err(unreadable("it has a NUL"));
    }
    Ok(text.into_owned())
}

/// An error if `host` is not a valid host. The error does not show it: in a URL with one "@" too many it is
/// part of the password.
pub(crate) fn check_host(host: &str) -> Result<()> {
    if host.contains(['@', '/']) || host.contains(char::is_whitespace) {
        return Err(Error::usage("the host has a character that is not allowed")
            .hint("an \"@\" in a password is written %40, a \"/\" %2F"));
    }
    Ok(())
}
