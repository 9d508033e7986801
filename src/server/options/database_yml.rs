//! `config/database.yml` of a Rails application such as GitLab: connections by environment.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::Deserialize;

use super::url::is_mysql;
use crate::error::{Error, Result};
use crate::files::is_stranger;
use crate::gitlab::yaml::of_settings;

/// The maximum size of the file.
const MAX_BYTES: u64 = 64 * 1024;

/// A connection. Other keys of Rails (pool, timeouts and so on) are ignored.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Entry {
    pub(crate) adapter: Option<String>,
    pub(crate) encoding: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) hostaddr: Option<String>,
    pub(crate) port: Option<String>,
    pub(crate) socket: Option<String>,
    pub(crate) schema_search_path: Option<String>,
    pub(crate) options: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) passfile: Option<String>,
    pub(crate) connect_timeout: Option<String>,
    pub(crate) sslmode: Option<String>,
    pub(crate) sslrootcert: Option<String>,
    pub(crate) sslcert: Option<String>,
    pub(crate) sslkey: Option<String>,
    pub(crate) sslcrl: Option<String>,
    pub(crate) target_session_attrs: Option<String>,
    // Keys of the MySQL adapters mysql2 and trilogy.
    pub(crate) ssl_mode: Option<String>,
    pub(crate) sslca: Option<String>,
    pub(crate) ssl_ca: Option<String>,
    pub(crate) ssl_cert: Option<String>,
    pub(crate) ssl_key: Option<String>,
    pub(crate) sslcapath: Option<String>,
    pub(crate) sslcipher: Option<String>,
    pub(crate) sslverify: Option<String>,
    /// Whether somebody else than root and the user could have written the file.
    #[serde(skip)]
    pub(crate) is_of_another: bool,
}

/// The variables that lead to passwords and keys of the user.
const SECRETS: [&str; 8] = [
    "HOME",
    "PGPASSWORD",
    "PGPASSFILE",
    "PGSERVICEFILE",
    "PGSSLCERT",
    "PGSSLKEY",
    "MYSQL_PWD",
    "MYSQL_HOME",
];

/// The kind of server of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// PostgreSQL.
    Postgresql,
    /// MySQL or MariaDB.
    Mysql,
}

impl Entry {
    /// The variables that may complete this entry. Whoever has written the file has chosen the host, and must not get
    /// the passwords of the user there.
    pub(crate) fn variables<'a>(
        &self,
        variable: impl Fn(&str) -> Option<String> + 'a,
    ) -> impl Fn(&str) -> Option<String> + 'a {
        let is_of_another = self.is_of_another;
        move |name| {
            if is_of_another && SECRETS.contains(&name) {
                return None;
            }
            variable(name)
        }
    }

    /// An error if somebody else's file leads to files with passwords or keys, which are read with the user's rights.
    fn refuse_files_of_the_user(&self) -> Result<()> {
        let named = [
            &self.passfile,
            &self.service,
            &self.sslcert,
            &self.sslkey,
            &self.ssl_cert,
            &self.ssl_key,
        ];
        let words = [
            "passfile", "service", "sslcert", "sslkey", "ssl-cert", "ssl-key",
        ];
        let url = self.url.as_deref().unwrap_or_default();
        let is_named = named.iter().any(|file| file.is_some());
        if !self.is_of_another || !is_named && !words.iter().any(|word| url.contains(word)) {
            return Ok(());
        }
        Err(Error::usage(
            "it names a file with a password or a key, and belongs to somebody else than root and you",
        )
        .hint("copy it to a file of your own"))
    }

    /// The kind of the adapter, or of the URL that replaces it.
    pub(crate) fn kind(&self) -> Result<Kind> {
        match (self.adapter.as_deref(), &self.url) {
            (Some("postgresql" | "postgis"), _) => Ok(Kind::Postgresql),
            (Some("mysql2" | "mysql" | "trilogy"), _) => Ok(Kind::Mysql),
            (Some(adapter), _) => Err(Error::usage(format!(
                "the adapter {adapter:?} is not supported; it must be postgresql, mysql2, mysql or trilogy"
            ))),
            (None, Some(url)) if is_mysql(url) => Ok(Kind::Mysql),
            (None, Some(_)) => Ok(Kind::Postgresql),
            (None, None) => Err(Error::usage("it names no adapter").hint(
                "it should have \"adapter: postgresql\" or \"adapter: mysql2\", and database, \
                 username, host",
            )),
        }
    }

    /// An error if the encoding is not in `taken`, written in lower case letters and digits only. With
    /// another encoding GitLab would not read what was imported.
    pub(crate) fn check_encoding(&self, taken: &[&str]) -> Result<()> {
        let Some(encoding) = &self.encoding else {
            return Ok(());
        };
        let plain: String = encoding
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        if taken.contains(&plain.to_ascii_lowercase().as_str()) {
            return Ok(());
        }
        Err(Error::usage(format!(
            "the encoding {encoding:?} is not supported; it must be {}",
            taken[0]
        )))
    }
}

/// The connection for `environment` in `file`, and its place for messages.
pub(crate) fn read(file: &Path, environment: &str) -> Result<(Entry, String)> {
    let shown = file.display();
    let mut text = String::new();
    let unreadable = |cause: std::io::Error| super::reason::unreadable(file, &cause);
    let opened = File::open(file).map_err(unreadable)?;
    let metadata = opened.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Error::usage(format!("{shown} is no file")));
    }
    let read = opened.take(MAX_BYTES + 1).read_to_string(&mut text);
    read.map_err(unreadable)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(Error::usage(format!(
            "{shown} is larger than {} KiB, so it is not a database.yml",
            MAX_BYTES / 1024
        )));
    }
    let origin = format!("{environment} of {shown}");
    let mut entry = parse(&text, environment).map_err(|error| error.at(&shown))?;
    entry.is_of_another = is_stranger(metadata.uid()) || metadata.mode() & 0o002 != 0;
    entry
        .refuse_files_of_the_user()
        .map_err(|error| error.at(shown))?;
    Ok((entry, origin))
}

pub(crate) fn parse(text: &str, environment: &str) -> Result<Entry> {
    if let Some(line) = text.lines().position(|line| line.contains("<%")) {
        return Err(Error::usage(format!(
            "line {} has ERB (<% … %>), which only Ruby can run",
            line + 1
        ))
        .hint(
            "name the database by --database-url, or write a file with the values that ERB would insert",
        ));
    }
    let mut entries: BTreeMap<String, Entry> =
        serde_saphyr::from_str_with_options(text, of_settings())
            .map_err(|error| unreadable(&error))?;
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

/// The parser's message is not shown: it may quote the password.
fn unreadable(error: &serde_saphyr::Error) -> Error {
    let place = error.location().map_or_else(String::new, |location| {
        format!(": line {}, column {}", location.line(), location.column())
    });
    Error::usage(format!(
        "it cannot be read as the YAML of a database.yml{place}"
    ))
    .hint("a password with special characters must be in quotes")
}
