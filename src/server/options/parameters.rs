//! The parameters of a connection: which exist, how each is handled, and the origin of a value.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// How a parameter is handled.
#[derive(Clone, Copy)]
pub(crate) enum Use {
    /// It is used.
    Taken,
    /// It has no effect here: each session sets it itself, or it is for another program.
    Harmless,
    /// Only these values match what is done anyway. Any other value would be ignored, so it is an error.
    Only(&'static [&'static str]),
}

/// The parameters of a kind of server.
pub(crate) struct Known {
    /// Each parameter with its environment variable, if it has one, and how it is handled.
    pub(crate) parameters: &'static [(&'static str, Option<&'static str>, Use)],
    /// The manual that describes them, with an example.
    pub(crate) manual: &'static str,
}

/// The origin of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The URL on the command line, which messages need not mention.
    Url,
    /// A URL in this place.
    UrlIn(String),
    /// A variable of the environment.
    Variable(&'static str),
    /// A file, and the place in it.
    File(String),
}

impl Origin {
    /// The error with its place, if that is a variable with a URL.
    pub(crate) fn places(&self, error: Error) -> Error {
        match self {
            Origin::UrlIn(name) => error.at(name),
            _ => error,
        }
    }
}

impl Origin {
    /// Whether the origin is a URL. If a URL has one "/" or "@" too many, any part may belong to the
    /// password.
    pub(crate) fn is_url(&self) -> bool {
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
#[derive(Clone)]
pub(crate) struct Parameters {
    known: &'static Known,
    given: BTreeMap<&'static str, Given>,
}

impl Parameters {
    /// No parameters, of those in `known`.
    pub(crate) fn new(known: &'static Known) -> Parameters {
        Parameters {
            known,
            given: BTreeMap::new(),
        }
    }

    /// The parameters from environment variables.
    pub(crate) fn of_environment(
        known: &'static Known,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Parameters> {
        let mut parameters = Parameters::new(known);
        let named = known.parameters.iter();
        for (keyword, name) in named.filter_map(|(k, v, _)| Some((k, (*v)?))) {
            if let Some(text) = variable(name) {
                parameters.set(keyword, &text, &Origin::Variable(name))?;
            }
        }
        Ok(parameters)
    }

    /// Whether the parameter exists.
    pub(crate) fn knows(&self, keyword: &str) -> bool {
        self.entry(keyword).is_some()
    }

    fn entry(&self, keyword: &str) -> Option<(&'static str, Use)> {
        let mut all = self.known.parameters.iter();
        all.find(|(known, ..)| *known == keyword)
            .map(|(known, _, treatment)| (*known, *treatment))
    }

    /// Sets a parameter, in place of its former value. An empty value counts as none.
    pub(crate) fn set(&mut self, keyword: &str, text: &str, origin: &Origin) -> Result<()> {
        let Some((keyword, treatment)) = self.entry(keyword) else {
            return Err(unknown(keyword, origin, self.known.manual));
        };
        match treatment {
            _ if text.is_empty() => {}
            Use::Harmless => {}
            Use::Only(values) if values.contains(&text) => {}
            Use::Only(_) => return Err(not_supported(keyword, origin)),
            Use::Taken => {
                let (text, origin) = (text.to_owned(), origin.clone());
                self.given.insert(keyword, Given { text, origin });
            }
        }
        Ok(())
    }

    /// Adds the parameters of `other` that are not set yet.
    pub(crate) fn fill(&mut self, other: Parameters) {
        for (keyword, given) in other.given {
            self.given.entry(keyword).or_insert(given);
        }
    }

    /// The value of `keyword`.
    pub(crate) fn text(&self, keyword: &str) -> Option<&str> {
        self.given.get(keyword).map(|given| given.text.as_str())
    }

    /// The origin of the value of `keyword`.
    pub(crate) fn origin(&self, keyword: &str) -> Option<&Origin> {
        self.given.get(keyword).map(|given| &given.origin)
    }

    /// The value of `keyword` as a number.
    pub(crate) fn number<T: FromStr>(&self, keyword: &str) -> Result<Option<T>> {
        let number = |text: &str| text.trim().parse().ok();
        self.read(keyword, number, "a number")
    }

    /// The value of `keyword`, parsed by `reader`; `expected` describes a valid value.
    pub(crate) fn read<T>(
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

/// The error for an invalid value. A value from a URL is not shown.
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

fn unknown(keyword: &str, origin: &Origin, manual: &str) -> Error {
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_' || c == '-';
    if keyword.is_empty() || keyword.len() > 40 || !keyword.chars().all(is_name) {
        return Error::usage(format!("{origin}: a parameter has an unknown name"))
            .hint(format!("the {manual} has the names of the parameters"));
    }
    Error::usage(format!(
        "the parameter {keyword}, from {origin}, is not known"
    ))
    .hint(format!(
        "leave it out; those that are known are in the {manual}"
    ))
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

    static KNOWN: Known = Known {
        parameters: &[
            ("port", None, Use::Taken),
            ("sslcrl", None, Use::Only(&[])),
            ("gssencmode", None, Use::Only(&["disable"])),
        ],
        manual: "manual",
    };

    #[test]
    fn what_cannot_be_honoured_is_named_with_its_origin() {
        let mut parameters = Parameters::new(&KNOWN);
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
