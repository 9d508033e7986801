//! A MySQL connection from `config/database.yml`, as a client's parameters. The keys are those of the
//! adapters mysql2 and trilogy.

use super::parameters::{KNOWN, UTF8};
use super::url;
use crate::error::{Error, Result};
use crate::server::options::{Entry, Origin, Parameters};

/// The parameters of `entry`, whose place is `origin`.
pub(crate) fn parameters(entry: Entry, origin: &str) -> Result<Parameters> {
    entry.check_encoding(&UTF8)?;
    // As in Rails, the URL takes precedence over the other keys.
    let mut parameters = match &entry.url {
        Some(url) => url::parse(url, &Origin::UrlIn(origin.to_owned()))?,
        None => Parameters::new(&KNOWN),
    };
    let file = Origin::File(origin.to_owned());
    let mut beside = Parameters::new(&KNOWN);
    for (keyword, value) in [
        ("host", entry.host),
        ("port", entry.port),
        ("socket", entry.socket),
        ("user", entry.username),
        ("password", entry.password),
        ("database", entry.database),
        ("connect-timeout", entry.connect_timeout),
        // Rails also accepts symbols.
        (
            "ssl-mode",
            entry
                .ssl_mode
                .or(entry.sslmode)
                .map(|mode| mode.trim_start_matches(':').to_owned()),
        ),
        ("ssl-ca", entry.sslca.or(entry.ssl_ca)),
        ("ssl-cert", entry.sslcert.or(entry.ssl_cert)),
        ("ssl-key", entry.sslkey.or(entry.ssl_key)),
        ("ssl-capath", entry.sslcapath),
        ("ssl-cipher", entry.sslcipher),
        ("ssl-verify-server-cert", entry.sslverify),
    ] {
        beside.set(keyword, &value.unwrap_or_default(), &file)?;
    }
    parameters.fill(beside);
    if parameters.text("database").is_none() {
        return Err(Error::usage("it names no database"));
    }
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::options::database_yml::parse;

    fn found(text: &str) -> Result<Parameters> {
        parameters(parse(text, "p")?, "the file")
    }

    #[test]
    fn a_gitlab_with_mysql() {
        let text = "p:\n  adapter: mysql2\n  encoding: utf8\n  collation: utf8_general_ci\n  \
                    reconnect: false\n  database: d\n  pool: 10\n  username: git\n  password: 's3:cret'\n  \
                    host: localhost\n  socket: /run/s\n  sslca: /ca\n  ssl_mode: :verify_identity\n";
        let found = found(text).unwrap();
        for (keyword, value) in [
            ("database", "d"),
            ("user", "git"),
            ("password", "s3:cret"),
            ("host", "localhost"),
            ("socket", "/run/s"),
            ("ssl-ca", "/ca"),
            ("ssl-mode", "verify_identity"),
        ] {
            assert_eq!(found.text(keyword), Some(value), "{keyword}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (lines, message) in [
            (
                "encoding: latin1",
                "the encoding \"latin1\" is not supported; it must be utf8mb4",
            ),
            (
                "sslcipher: x",
                "the value of ssl-cipher, from the file, is not supported",
            ),
            ("url: 'mysql2://u:s3@cret@h/d'", "\"@\" too many"),
            ("port: 3306", "it names no database"),
        ] {
            let text = format!("p:\n  adapter: mysql2\n  password: s3cret\n  {lines}\n");
            let error = found(&text).err().expect(&text).to_string();
            assert!(error.contains(message), "{text}: {error}");
            assert!(!error.contains("cret"), "{error}");
        }
    }
}
