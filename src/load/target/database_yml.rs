//! `config/database.yml` of a Rails application, as GitLab has one: connections by the names of
//! environments.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::parameters::{Origin, Parameters};
use super::url;
use crate::error::{Error, Result};

/// How large such a file may be.
const MAX_BYTES: u64 = 64 * 1024;

/// A connection. What is not here (pool, timeouts, and other things of Rails) is of no matter.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    adapter: Option<String>,
    encoding: Option<String>,
    url: Option<String>,
    database: Option<String>,
    username: Option<String>,
    password: Option<String>,
    host: Option<String>,
    hostaddr: Option<String>,
    port: Option<String>,
    socket: Option<String>,
    schema_search_path: Option<String>,
    options: Option<String>,
    service: Option<String>,
    passfile: Option<String>,
    connect_timeout: Option<String>,
    sslmode: Option<String>,
    sslrootcert: Option<String>,
    sslcert: Option<String>,
    sslkey: Option<String>,
    sslcrl: Option<String>,
    target_session_attrs: Option<String>,
}

/// The parameters that `file` has for `environment`.
pub(super) fn read(file: &Path, environment: &str) -> Result<Parameters> {
    let shown = file.display();
    let mut text = String::new();
    File::open(file)
        .and_then(|opened| opened.take(MAX_BYTES + 1).read_to_string(&mut text))
        .map_err(|cause| super::unreadable(file, &cause))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(Error::usage(format!(
            "{shown} is larger than {} KiB, and so no database.yml",
            MAX_BYTES / 1024
        )));
    }
    let origin = format!("{environment} of {shown}");
    let found = parse(&text, environment).map_err(|error| error.at(shown))?;
    parameters(found, &origin).map_err(|error| error.at(&origin))
}

fn parse(text: &str, environment: &str) -> Result<Entry> {
    if let Some(line) = text.lines().position(|line| line.contains("<%")) {
        return Err(Error::usage(format!(
            "line {} has ERB (<% … %>), which only Ruby can run",
            line + 1
        ))
        .hint(
            "name the database by --database-url, or write a file with what ERB would put there",
        ));
    }
    let mut entries: BTreeMap<String, Entry> =
        serde_saphyr::from_str_with_options(text, options()).map_err(|error| unreadable(&error))?;
    if let Some(entry) = entries.remove(environment) {
        return Ok(entry);
    }
    let names: Vec<&str> = entries.keys().map(String::as_str).collect();
    Err(
        Error::usage(format!("it has no environment {environment:?}")).hint(if names.is_empty() {
            "the file is empty".to_owned()
        } else {
            format!("--environment can be {}", names.join(", "))
        }),
    )
}

/// No part of the file in errors: it may be the password. And no more work than such a file is worth.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_depth: 16,
            max_nodes: 10_000,
            max_events: 20_000,
            max_aliases: 200,
            max_anchors: 100,
            max_documents: 1,
        },
    }
}

/// The error's own words are not shown: they may quote the password.
fn unreadable(error: &serde_saphyr::Error) -> Error {
    let place = error.location().map_or_else(String::new, |location| {
        format!(": line {}, column {}", location.line(), location.column())
    });
    Error::usage(format!(
        "it cannot be read as the YAML of a database.yml{place}"
    ))
    .hint("a password with special characters must be in quotes")
}

/// libpq's parameters for `entry`.
fn parameters(entry: Entry, origin: &str) -> Result<Parameters> {
    let file = Origin::File(origin.to_owned());
    // As in Rails, the URL goes before what is beside it.
    let mut parameters = match &entry.url {
        Some(url) => url::parse(url, &Origin::UrlIn(origin.to_owned()))?,
        None => Parameters::default(),
    };
    check_adapter(&entry)?;
    check_encoding(&entry)?;
    let search_path = entry.schema_search_path.map(|path| search_path(&path));
    let options = [entry.options, search_path];
    let options: Vec<String> = options.into_iter().flatten().collect();
    let mut beside = Parameters::default();
    for (keyword, value) in [
        ("dbname", entry.database),
        ("user", entry.username),
        ("password", entry.password),
        ("host", entry.host.or(entry.socket)),
        ("hostaddr", entry.hostaddr),
        ("port", entry.port),
        ("options", Some(options.join(" "))),
        ("service", entry.service),
        ("passfile", entry.passfile),
        ("connect_timeout", entry.connect_timeout),
        ("sslmode", entry.sslmode),
        ("sslrootcert", entry.sslrootcert),
        ("sslcert", entry.sslcert),
        ("sslkey", entry.sslkey),
        ("sslcrl", entry.sslcrl),
        ("target_session_attrs", entry.target_session_attrs),
    ] {
        beside.set(keyword, &value.unwrap_or_default(), &file)?;
    }
    parameters.fill(beside);
    if parameters.text("dbname").is_none() && parameters.text("service").is_none() {
        return Err(Error::usage("it names no database"));
    }
    Ok(parameters)
}

fn check_adapter(entry: &Entry) -> Result<()> {
    match entry.adapter.as_deref() {
        Some("postgresql" | "postgis") => Ok(()),
        None if entry.url.is_some() => Ok(()),
        Some("mysql2" | "mysql" | "trilogy") => Err(Error::usage(
            "the adapter is that of MySQL, and a MySQL target is not supported yet",
        )
        .hint("move GitLab to PostgreSQL first, or name another database: --database-url")),
        Some(adapter) => Err(Error::usage(format!(
            "the adapter {adapter:?} is not supported; it must be postgresql"
        ))),
        None => Err(Error::usage("it names no adapter")
            .hint("it should have \"adapter: postgresql\", and database, username, host")),
    }
}

/// What GitLab would read in another encoding would not be what was imported.
fn check_encoding(entry: &Entry) -> Result<()> {
    let Some(encoding) = &entry.encoding else {
        return Ok(());
    };
    let plain: String = encoding
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    if ["unicode", "utf8"].contains(&plain.to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    Err(Error::usage(format!(
        "the encoding {encoding:?} is not supported; it must be unicode"
    )))
}

/// The option of a session that finds its tables in `path`; blanks and backslashes escaped as the
/// server wants them.
fn search_path(path: &str) -> String {
    let mut option = String::from("-csearch_path=");
    for c in path.chars() {
        if c == '\\' || c.is_ascii_whitespace() {
            option.push('\\');
        }
        option.push(c);
    }
    option
}

#[cfg(test)]
mod tests {
    use super::*;

    const GITLAB: &str = "\
default: &default
  adapter: postgresql
  encoding: unicode
  pool: 10
  username: git
  password: \"s3:cret\"
  variables: {statement_timeout: 5}
production:
  <<: *default
  database: gitlabhq_production
  host: /var/opt/gitlab/postgresql
  port: 5432
  socket:
test: &test
  <<: *default
  username: other
  database: 42
";

    fn found(text: &str, environment: &str) -> Result<Parameters> {
        parameters(parse(text, environment)?, "the file")
    }

    #[test]
    fn anchors_and_merges_are_resolved() {
        let production = found(GITLAB, "production").unwrap();
        assert_eq!(production.text("dbname"), Some("gitlabhq_production"));
        assert_eq!(production.text("user"), Some("git"));
        assert_eq!(production.text("password"), Some("s3:cret"));
        assert_eq!(production.text("port"), Some("5432"));
        let test = found(GITLAB, "test").unwrap();
        assert_eq!(test.text("user"), Some("other"));
        assert_eq!(test.text("dbname"), Some("42"));
        assert_eq!(test.text("host"), None);
        let url = "p:\n  url: postgresql://u:x@h/d\n  database: no\n  sslmode: require\n";
        let url = found(url, "p").unwrap();
        assert_eq!(
            (url.text("dbname"), url.text("sslmode")),
            (Some("d"), Some("require"))
        );
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        let entry = |lines: &str| format!("p:\n  password: s3cret\n  database: d\n{lines}");
        let pg = |lines: &str| entry(&format!("  adapter: postgresql\n{lines}"));
        let bomb: String = (1..40).fold("a0: &a0 {adapter: x}\n".to_owned(), |text, n| {
            let before = n - 1;
            text + &format!("a{n}: &a{n} {{l: [*a{before}, *a{before}, *a{before}, *a{before}]}}\n")
        });
        let cases = [
            (GITLAB.to_owned(), "no environment \"p\""),
            (entry(""), "it names no adapter"),
            (
                entry("  adapter: mysql2\n"),
                "MySQL target is not supported yet",
            ),
            (
                entry("  adapter: sqlite3\n"),
                "adapter \"sqlite3\" is not supported",
            ),
            (
                pg("  encoding: latin1\n"),
                "encoding \"latin1\" is not supported",
            ),
            (
                pg("  sslcrl: x\n"),
                "sslcrl, from the file, is not supported",
            ),
            (pg("  port: <%= 1 %>\n"), "line 5 has ERB"),
            (pg("  host: 'x\n"), "it cannot be read as the YAML"),
            ("p: s3cret\n".to_owned(), "it cannot be read as the YAML"),
            (
                "p: {url: 'postgresql://u:s3@cret@h/d'}\n".to_owned(),
                "\"@\" too many",
            ),
            (
                "p: {password: s3cret, adapter: postgresql}".to_owned(),
                "it names no database",
            ),
            (bomb, "it cannot be read as the YAML"),
            (String::new(), "no environment \"p\""),
        ];
        for (text, message) in cases {
            let error = found(&text, "p").err().expect(&text).to_string();
            assert!(error.contains(message), "{text}: {error}");
            assert!(!error.contains("cret"), "{error}");
        }
    }
}
