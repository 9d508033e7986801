//! A target as a URL: `postgresql://user@host/database`, or libpq's `key=value` (PostgreSQL manual, 34.1.1).
//! No error shows a value, because it may be part of the password.

use std::iter::Peekable;
use std::str::Chars;

use super::parameters::KNOWN;
use crate::error::{Error, Result};
use crate::server::options::{Origin, Parameters, Parts, is_mysql};

/// The parameters of `url`, with the given origin.
pub(crate) fn parse(url: &str, origin: &Origin) -> Result<Parameters> {
    if is_mysql(url) {
        return Err(
            Error::usage("it is the URL of a MySQL; one of a PostgreSQL is needed")
                .hint("it should begin with postgresql://"),
        );
    }
    let rest = url
        .strip_prefix("postgresql://")
        .or_else(|| url.strip_prefix("postgres://"));
    match rest {
        Some(rest) => parse_uri(rest, origin),
        None => parse_pairs(url, origin),
    }
}

/// An example of a URL.
const EXAMPLE: &str = "postgresql://user:password@host:5432/database";

fn unreadable(why: &str) -> Error {
    Error::usage(format!("the database URL cannot be read: {why}"))
        .hint(format!("it should look like {EXAMPLE}"))
}

fn parse_uri(rest: &str, origin: &Origin) -> Result<Parameters> {
    let parts = Parts::of(rest, EXAMPLE)?;
    let mut parameters = Parameters::new(&KNOWN);
    let mut set = |keyword: &str, text: &str| parameters.set(keyword, text, origin);
    set("user", &parts.user)?;
    set("password", &parts.password)?;
    set("host", &listed(parts.places.iter().map(|(host, _)| host)))?;
    set("port", &listed(parts.places.iter().map(|(_, port)| port)))?;
    set("dbname", &parts.database)?;
    for (keyword, text) in &parts.parameters {
        match (keyword.as_str(), text.as_str()) {
            // Notation of Java drivers.
            ("ssl", "true") => set("sslmode", "require")?,
            (keyword, text) => set(keyword, text)?,
        }
    }
    Ok(parameters)
}

/// `parts` as a list in libpq's notation; none if all are empty.
fn listed<'a>(parts: impl Iterator<Item = &'a String>) -> String {
    let parts: Vec<&str> = parts.map(String::as_str).collect();
    if parts.iter().all(|part| part.is_empty()) {
        return String::new();
    }
    parts.join(",")
}

fn parse_pairs(text: &str, origin: &Origin) -> Result<Parameters> {
    let mut parameters = Parameters::new(&KNOWN);
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

/// A value, in quotes or up to the next blank; a backslash quotes the next character.
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

    /// The parameters of `url`, as `key=value`, sorted by name.
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
            ("postgresql://u:x@h/d?S3cret=1", "an unknown name"),
            ("postgresql://u:x@[::1/d", "a \"[\" has no \"]\""),
            ("s3cret", "nor is it a list of key=value"),
            ("password='s3cret", "is never closed"),
            ("http://u:s3cret@h/d", "nor is it a list"),
            ("mysql://u:s3cret@h/d", "it is the URL of a MySQL"),
        ];
        for (url, expected) in cases {
            let shown = shown(url);
            assert!(shown.starts_with("error: "), "{url}: {shown}");
            assert!(shown.contains(expected), "{url}: {shown}");
            assert!(!shown.to_lowercase().contains("cret"), "{url}: {shown}");
        }
    }
}
