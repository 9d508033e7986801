//! A target as it is typed: `postgresql://user@host/database`, or libpq's `key=value` (PostgreSQL
//! manual, 34.1.1). No error shows a value: it may be the password, or a piece of it.

use std::iter::Peekable;
use std::str::Chars;

use percent_encoding::percent_decode_str;

use super::parameters::{Origin, Parameters};
use crate::error::{Error, Result};

/// The parameters that `url` gives, as of `origin`.
pub(super) fn parse(url: &str, origin: &Origin) -> Result<Parameters> {
    let schemes = ["mysql:", "mysql2:", "mariadb:"];
    if schemes.iter().any(|scheme| url.starts_with(scheme)) {
        return Err(Error::usage("a MySQL target is not supported yet")
            .hint("name a PostgreSQL database: postgresql://user@host/database"));
    }
    let rest = url
        .strip_prefix("postgresql://")
        .or_else(|| url.strip_prefix("postgres://"));
    match rest {
        Some(rest) => parse_uri(rest, origin),
        None => parse_pairs(url, origin),
    }
}

fn unreadable(why: &str) -> Error {
    Error::usage(format!("the database URL cannot be read: {why}"))
        .hint("it should look like postgresql://user:password@host:5432/database")
}

fn parse_uri(rest: &str, origin: &Origin) -> Result<Parameters> {
    let mut parameters = Parameters::default();
    let mut set = |keyword: &str, text: &str| parameters.set(keyword, &decoded(text)?, origin);
    let (credentials, rest) = match rest.find(['@', '/']) {
        Some(at) if rest[at..].starts_with('@') => (Some(&rest[..at]), &rest[at + 1..]),
        _ => (None, rest),
    };
    if let Some(credentials) = credentials {
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        set("user", user)?;
        set("password", password)?;
    }
    let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (places, database) = before_query.split_once('/').unwrap_or((before_query, ""));
    if before_query.contains('@') {
        return Err(Error::usage("the database URL has an \"@\" too many")
            .hint("an \"@\" in a password is written %40, a \"/\" %2F"));
    }
    let places: Vec<(&str, &str)> = places.split(',').map(place).collect::<Result<_>>()?;
    let listed = |parts: Vec<&str>| {
        let is_empty = parts.iter().all(|part| part.is_empty());
        if is_empty {
            String::new()
        } else {
            parts.join(",")
        }
    };
    set(
        "host",
        &listed(places.iter().map(|(host, _)| *host).collect()),
    )?;
    set(
        "port",
        &listed(places.iter().map(|(_, port)| *port).collect()),
    )?;
    set("dbname", database)?;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (keyword, text) = pair
            .split_once('=')
            .ok_or_else(|| unreadable("a parameter after the \"?\" has no \"=\""))?;
        match (&*decoded(keyword)?, text) {
            // As drivers for Java have it.
            ("ssl", "true") => set("sslmode", "require")?,
            (keyword, text) => set(keyword, text)?,
        }
    }
    Ok(parameters)
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

fn parse_pairs(text: &str, origin: &Origin) -> Result<Parameters> {
    let mut parameters = Parameters::default();
    let mut chars = text.chars().peekable();
    loop {
        skip_blanks(&mut chars);
        if chars.peek().is_none() {
            return Ok(parameters);
        }
        let mut keyword = String::new();
        while let Some(c) = chars.next_if(|c| *c != '=' && !c.is_ascii_whitespace()) {
            keyword.push(c);
        }
        skip_blanks(&mut chars);
        if chars.next() != Some('=') {
            return Err(unreadable(
                "it neither begins with postgresql:// nor is it a list of key=value",
            ));
        }
        skip_blanks(&mut chars);
        parameters.set(&keyword, &value(&mut chars)?, origin)?;
    }
}

fn skip_blanks(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(char::is_ascii_whitespace).is_some() {}
}

/// A value, in quotes or up to the next blank; a backslash takes the next character as it is.
fn value(chars: &mut Peekable<Chars<'_>>) -> Result<String> {
    let is_quoted = chars.next_if_eq(&'\'').is_some();
    let mut value = String::new();
    loop {
        match chars.next() {
            Some('\\') => value.extend(chars.next()),
            Some('\'') if is_quoted => return Ok(value),
            Some(c) if !is_quoted && c.is_ascii_whitespace() => return Ok(value),
            Some(c) => value.push(c),
            None if is_quoted => return Err(unreadable("a \"'\" is never closed")),
            None => return Ok(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parameters of `url`, as `key=value` in order of their names.
    fn shown(url: &str) -> String {
        let names = ["dbname", "host", "password", "port", "sslmode", "user"];
        match parse(url, &Origin::Url) {
            Ok(found) => names
                .iter()
                .filter_map(|name| Some(format!("{name}={}", found.text(name)?)))
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn urls_are_read_as_libpq_reads_them() {
        let cases = [
            ("postgresql://", ""),
            ("postgres://h", "host=h"),
            ("postgresql://u@h:1/d", "dbname=d host=h port=1 user=u"),
            (
                "postgresql://u:p%40%2F@h/d",
                "dbname=d host=h password=p@/ user=u",
            ),
            ("postgresql://u:p?x@h", "host=h password=p?x user=u"),
            ("postgresql://u:a:b@h", "host=h password=a:b user=u"),
            ("postgresql://%2Ftmp/d", "dbname=d host=/tmp"),
            (
                "postgresql:///d?host=/tmp&port=3",
                "dbname=d host=/tmp port=3",
            ),
            ("postgresql://[::1]:5/d", "dbname=d host=::1 port=5"),
            ("postgresql://a:1,b:2/d", "dbname=d host=a,b port=1,2"),
            ("postgresql://a,b/d", "dbname=d host=a,b"),
            (
                "postgresql://h?sslmode=verify-full",
                "host=h sslmode=verify-full",
            ),
            ("postgresql://h?ssl=true", "host=h sslmode=require"),
            ("host=h dbname = 'a b'", "dbname=a b host=h"),
            (r"password='it\'s' user=a\ b", "password=it's user=a b"),
            ("", ""),
        ];
        for (url, expected) in cases {
            assert_eq!(shown(url), expected, "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        let cases = [
            ("postgresql://u:s3@cret@h/d", "\"@\" too many"),
            ("postgresql://u:s3/cret@h/d", "\"@\" too many"),
            ("postgresql://u:s3%cret@h/d", "a \"%\" is not followed"),
            ("postgresql://u:x@h/d?s3cret", "has no \"=\""),
            ("postgresql://u:x@h/d?S3cret=1", "a name that none has"),
            ("postgresql://u:x@[::1/d", "a \"[\" has no \"]\""),
            ("s3cret", "nor is it a list of key=value"),
            ("password='s3cret", "is never closed"),
            ("http://u:s3cret@h/d", "nor is it a list"),
            (
                "mysql://u:s3cret@h/d",
                "a MySQL target is not supported yet",
            ),
        ];
        for (url, expected) in cases {
            let shown = shown(url);
            assert!(shown.starts_with("error: "), "{url}: {shown}");
            assert!(shown.contains(expected), "{url}: {shown}");
            assert!(!shown.to_lowercase().contains("cret"), "{url}: {shown}");
        }
    }
}
