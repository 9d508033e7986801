//! A target as a URL: `mysql://user@host/database`. The schemes `mysql2` and `mariadb` are accepted, too.

use super::parameters::{KNOWN, canonical};
use crate::error::{Error, Result};
use crate::server::options::{Origin, Parameters, Parts};

/// An example of a URL.
const EXAMPLE: &str = "mysql://user:password@host:3306/database";

/// The parameters of `url`, with the given origin.
pub(crate) fn parse(url: &str, origin: &Origin) -> Result<Parameters> {
    let rest = ["mysql://", "mysql2://", "mariadb://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme));
    let rest = rest.ok_or_else(|| {
        Error::usage("the database URL cannot be read: it does not begin with mysql://")
            .hint(format!("it should look like {EXAMPLE}"))
    })?;
    let parts = Parts::of(rest, EXAMPLE)?;
    let [(host, port)] = &parts.places[..] else {
        return Err(Error::usage("the database URL names several hosts")
            .hint("name the one that can be written to"));
    };
    let mut parameters = Parameters::new(&KNOWN);
    let mut set = |keyword: &str, text: &str| parameters.set(keyword, text, origin);
    let place = if host.starts_with('/') {
        "socket"
    } else {
        "host"
    };
    set(place, host)?;
    set("port", port)?;
    set("user", &parts.user)?;
    set("password", &parts.password)?;
    set("database", &parts.database)?;
    for (keyword, text) in &parts.parameters {
        set(&canonical(keyword), text)?;
    }
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parameters of `url`, as `key=value`.
    fn shown(url: &str) -> String {
        let names = [
            "database", "host", "password", "port", "socket", "ssl-mode", "user",
        ];
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
    fn urls_are_read() {
        for (url, expected) in [
            ("mysql://u@h/d", "database=d host=h user=u"),
            (
                "mysql2://u:p%40%2F@h:1/d",
                "database=d host=h password=p@/ port=1 user=u",
            ),
            ("mariadb://h/d", "database=d host=h"),
            ("mysql:///d", "database=d"),
            ("mysql://u@[::1]:5/d", "database=d host=::1 port=5 user=u"),
            (
                "mysql://u@%2Frun%2Fs.sock/d",
                "database=d socket=/run/s.sock user=u",
            ),
            (
                "mysql://u@localhost/d?socket=/s",
                "database=d host=localhost socket=/s user=u",
            ),
            (
                "mysql://h/d?sslmode=REQUIRED&charset=utf8",
                "database=d host=h ssl-mode=REQUIRED",
            ),
            (
                "mysql://h/d?ssl_mode=x&encoding=utf8mb4",
                "database=d host=h ssl-mode=x",
            ),
        ] {
            assert_eq!(shown(url), expected, "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (url, expected) in [
            ("mysql://u:s3@cret@h/d", "\"@\" too many"),
            ("mysql://u:s3/cret@h/d", "\"@\" too many"),
            ("mysql://u:s3%cret@h/d", "a \"%\" is not followed"),
            ("mysql://u:x@h/d?S3cret=1", "an unknown name"),
            (
                "mysql://u:s3cret@h/d?sslmod=x",
                "the parameter sslmod, from the database URL, is not known",
            ),
            (
                "mysql://u:s3cret@h/d?charset=latin1",
                "the value of charset, from the database URL, is not supported",
            ),
            (
                "mysql://u:s3cret@h/d?ssl-crl=x",
                "the value of ssl-crl, from the database URL, is not supported",
            ),
            ("mysql://u:s3cret@a,b/d", "names several hosts"),
            ("mysql:u:s3cret@a", "does not begin with mysql://"),
        ] {
            let shown = shown(url);
            assert!(shown.starts_with("error: "), "{url}: {shown}");
            assert!(shown.contains(expected), "{url}: {shown}");
            assert!(!shown.to_lowercase().contains("cret"), "{url}: {shown}");
        }
    }
}
