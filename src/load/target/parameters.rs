//! libpq's parameters (PostgreSQL manual, 34.1.2): which there are, what becomes of each, and
//! where a value came from.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// What becomes of a parameter.
#[derive(Clone, Copy)]
enum Use {
    /// It is honoured.
    Taken,
    /// It changes nothing here: each session sets it itself, or it is for another program.
    Harmless,
    /// Only these values mean what is done anyway; any other one would be disregarded.
    Only(&'static [&'static str]),
}

use Use::{Harmless, Only, Taken};

/// Each parameter with its variable of the environment, if it has one.
const KNOWN: [(&str, Option<&str>, Use); 45] = [
    ("host", Some("PGHOST"), Taken),
    ("hostaddr", Some("PGHOSTADDR"), Taken),
    ("port", Some("PGPORT"), Taken),
    ("dbname", Some("PGDATABASE"), Taken),
    ("user", Some("PGUSER"), Taken),
    ("password", Some("PGPASSWORD"), Taken),
    ("passfile", Some("PGPASSFILE"), Taken),
    ("service", Some("PGSERVICE"), Taken),
    ("options", Some("PGOPTIONS"), Taken),
    ("connect_timeout", Some("PGCONNECT_TIMEOUT"), Taken),
    ("sslmode", Some("PGSSLMODE"), Taken),
    ("sslrootcert", Some("PGSSLROOTCERT"), Taken),
    ("sslcert", Some("PGSSLCERT"), Taken),
    ("sslkey", Some("PGSSLKEY"), Taken),
    ("sslnegotiation", Some("PGSSLNEGOTIATION"), Taken),
    ("sslsni", Some("PGSSLSNI"), Taken),
    ("channel_binding", Some("PGCHANNELBINDING"), Taken),
    ("target_session_attrs", Some("PGTARGETSESSIONATTRS"), Taken),
    ("keepalives", None, Taken),
    ("keepalives_idle", None, Taken),
    ("keepalives_interval", None, Taken),
    ("keepalives_count", None, Taken),
    ("tcp_user_timeout", None, Taken),
    ("application_name", Some("PGAPPNAME"), Harmless),
    ("fallback_application_name", None, Harmless),
    ("client_encoding", Some("PGCLIENTENCODING"), Harmless),
    ("datestyle", Some("PGDATESTYLE"), Harmless),
    ("timezone", Some("PGTZ"), Harmless),
    ("sslcompression", Some("PGSSLCOMPRESSION"), Harmless),
    ("krbsrvname", Some("PGKRBSRVNAME"), Harmless),
    ("gsslib", Some("PGGSSLIB"), Harmless),
    ("gssdelegation", Some("PGGSSDELEGATION"), Only(&["0"])),
    (
        "gssencmode",
        Some("PGGSSENCMODE"),
        Only(&["disable", "prefer"]),
    ),
    ("requiressl", Some("PGREQUIRESSL"), Only(&["0"])),
    ("requirepeer", Some("PGREQUIREPEER"), Only(&[])),
    ("require_auth", Some("PGREQUIREAUTH"), Only(&[])),
    (
        "ssl_min_protocol_version",
        Some("PGSSLMINPROTOCOLVERSION"),
        Only(&["TLSv1", "TLSv1.1", "TLSv1.2"]),
    ),
    (
        "ssl_max_protocol_version",
        Some("PGSSLMAXPROTOCOLVERSION"),
        Only(&["TLSv1.3"]),
    ),
    ("sslpassword", None, Only(&[])),
    ("sslcertmode", Some("PGSSLCERTMODE"), Only(&["allow"])),
    ("sslcrl", Some("PGSSLCRL"), Only(&[])),
    ("sslcrldir", Some("PGSSLCRLDIR"), Only(&[])),
    (
        "load_balance_hosts",
        Some("PGLOADBALANCEHOSTS"),
        Only(&["disable"]),
    ),
    ("replication", None, Only(&["false", "off", "no", "0"])),
    (
        "min_protocol_version",
        Some("PGMINPROTOCOLVERSION"),
        Only(&["3.0"]),
    ),
];

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// What was typed, which needs no telling.
    Url,
    /// A URL that is in this place.
    UrlIn(String),
    /// A variable of the environment.
    Variable(&'static str),
    /// A file, and what in it.
    File(String),
}

impl Origin {
    /// Whether it is a URL: where one has a "/" or "@" too many, any part may be the password's.
    fn is_url(&self) -> bool {
        matches!(self, Origin::Url | Origin::UrlIn(_))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Url => f.write_str("the database URL"),
            Origin::UrlIn(place) => write!(f, "the URL in {place}"),
            Origin::Variable(name) => f.write_str(name),
            Origin::File(place) => f.write_str(place),
        }
    }
}

#[derive(Clone)]
struct Given {
    text: String,
    origin: Origin,
}

/// The parameters that were given.
#[derive(Clone, Default)]
pub(super) struct Parameters {
    given: BTreeMap<&'static str, Given>,
}

impl Parameters {
    /// Those that variables of the environment give.
    pub(super) fn of_environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<Parameters> {
        let mut parameters = Parameters::default();
        for (keyword, name) in KNOWN.iter().filter_map(|(k, v, _)| Some((k, (*v)?))) {
            if let Some(text) = variable(name) {
                parameters.set(keyword, &text, &Origin::Variable(name))?;
            }
        }
        Ok(parameters)
    }

    /// Sets one, in place of what it was. As with libpq an empty value is none.
    pub(super) fn set(&mut self, keyword: &str, text: &str, origin: &Origin) -> Result<()> {
        let Some((keyword, _, treatment)) = KNOWN.iter().find(|(known, ..)| *known == keyword)
        else {
            return Err(unknown(keyword, origin));
        };
        match treatment {
            _ if text.is_empty() => {}
            Harmless => {}
            Only(values) if values.contains(&text) => {}
            Only(_) => return Err(not_supported(keyword, origin)),
            Taken => {
                let (text, origin) = (text.to_owned(), origin.clone());
                self.given.insert(keyword, Given { text, origin });
            }
        }
        Ok(())
    }

    /// Adds those of `other` that are not given yet.
    pub(super) fn fill(&mut self, other: Parameters) {
        for (keyword, given) in other.given {
            self.given.entry(keyword).or_insert(given);
        }
    }

    /// The value of `keyword`.
    pub(super) fn text(&self, keyword: &str) -> Option<&str> {
        self.given.get(keyword).map(|given| given.text.as_str())
    }

    /// Where the value of `keyword` came from.
    pub(super) fn origin(&self, keyword: &str) -> Option<&Origin> {
        self.given.get(keyword).map(|given| &given.origin)
    }

    /// The value of `keyword` as a number.
    pub(super) fn number<T: FromStr>(&self, keyword: &str) -> Result<Option<T>> {
        let number = |text: &str| text.trim().parse().ok();
        self.read(keyword, number, "a number")
    }

    /// The value of `keyword` as `reader` reads it; `expected` says what it should be.
    pub(super) fn read<T>(
        &self,
        keyword: &str,
        reader: impl FnOnce(&str) -> Option<T>,
        expected: &str,
    ) -> Result<Option<T>> {
        let Some(Given { text, origin }) = self.given.get(keyword) else {
            return Ok(None);
        };
        let value = reader(text).ok_or_else(|| wrong(keyword, text, origin, expected))?;
        Ok(Some(value))
    }
}

/// A value that cannot be. Of a URL it is not shown.
fn wrong(keyword: &str, text: &str, origin: &Origin, expected: &str) -> Error {
    if origin.is_url() {
        Error::usage(format!(
            "the {keyword} of {origin} is wrong: it should be {expected}"
        ))
        .hint("a \"/\" in a password is written %2F, an \"@\" %40, a \":\" %3A")
    } else {
        Error::usage(format!(
            "the {keyword} {text:?}, from {origin}, is wrong: it should be {expected}"
        ))
    }
}

fn unknown(keyword: &str, origin: &Origin) -> Error {
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    if keyword.is_empty() || keyword.len() > 40 || !keyword.chars().all(is_name) {
        return Error::usage(format!("{origin}: a parameter has a name that none has"))
            .hint("they are named as in the PostgreSQL manual, 34.1.2: sslmode=verify-full");
    }
    Error::usage(format!(
        "the parameter {keyword}, from {origin}, is not known"
    ))
    .hint("leave it out; those that are known are in the PostgreSQL manual, 34.1.2")
}

fn not_supported(keyword: &str, origin: &Origin) -> Error {
    Error::usage(format!(
        "the value of {keyword}, from {origin}, is not supported"
    ))
    .hint("leave it out, or unset it, if the target is safe without it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_honoured_is_named_with_its_origin() {
        let mut parameters = Parameters::default();
        let origin = Origin::Variable("PGSSLCRL");
        let error = |result: Result<()>| result.unwrap_err().to_string();
        assert_eq!(
            error(parameters.set("sslcrl", "x", &origin)),
            "the value of sslcrl, from PGSSLCRL, is not supported"
        );
        assert_eq!(
            error(parameters.set("sslmod", "x", &Origin::Url)),
            "the parameter sslmod, from the database URL, is not known"
        );
        assert!(parameters.set("sslcrl", "", &origin).is_ok());
        assert!(parameters.set("gssencmode", "disable", &origin).is_ok());
        parameters
            .set("port", "x", &Origin::Variable("PGPORT"))
            .unwrap();
        assert_eq!(
            parameters.number::<u16>("port").unwrap_err().to_string(),
            "the port \"x\", from PGPORT, is wrong: it should be a number"
        );
    }
}
