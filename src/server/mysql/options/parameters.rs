//! The parameters of MySQL's and MariaDB's clients (MySQL manual, 4.2.3; MariaDB's of the same names): which
//! exist, how each is handled, and their other names.

use crate::server::options::Known;
use crate::server::options::Use::{self, Harmless, Only, Taken};

/// The parameters, under their names in option files, with dashes.
pub(crate) static KNOWN: Known = Known {
    parameters: &PARAMETERS,
    manual: "MySQL manual, 4.2.3: ssl-mode=VERIFY_IDENTITY",
};

/// The accepted character sets of the session, which is always UTF-8.
pub(crate) const UTF8: [&str; 3] = ["utf8mb4", "utf8", "utf8mb3"];

const PARAMETERS: [(&str, Option<&str>, Use); 42] = [
    ("host", Some("MYSQL_HOST"), Taken),
    ("port", Some("MYSQL_TCP_PORT"), Taken),
    ("socket", Some("MYSQL_UNIX_PORT"), Taken),
    ("protocol", None, Taken),
    ("user", None, Taken),
    ("password", Some("MYSQL_PWD"), Taken),
    ("database", None, Taken),
    ("connect-timeout", None, Taken),
    ("ssl-mode", None, Taken),
    ("ssl", None, Taken),
    ("ssl-verify-server-cert", None, Taken),
    ("ssl-ca", None, Taken),
    ("ssl-cert", None, Taken),
    ("ssl-key", None, Taken),
    ("charset", None, Only(&UTF8)),
    ("collation", None, Harmless),
    ("default-character-set", None, Harmless),
    ("character-sets-dir", None, Harmless),
    ("compress", None, Harmless),
    ("compression-algorithms", None, Harmless),
    ("max-allowed-packet", None, Harmless),
    ("net-buffer-length", None, Harmless),
    ("pool", None, Harmless),
    ("reconnect", None, Harmless),
    ("local-infile", None, Harmless),
    ("prepared-statements", None, Harmless),
    ("plugin-dir", None, Harmless),
    ("get-server-public-key", None, Taken),
    ("server-public-key-path", None, Only(&[])),
    (
        "default-auth",
        None,
        Only(&["mysql_native_password", "caching_sha2_password"]),
    ),
    (
        "enable-cleartext-plugin",
        None,
        Only(&["0", "off", "OFF", "false", "FALSE"]),
    ),
    ("bind-address", None, Only(&[])),
    ("ssl-capath", None, Only(&[])),
    ("ssl-cipher", None, Only(&[])),
    ("ssl-crl", None, Only(&[])),
    ("ssl-crlpath", None, Only(&[])),
    ("ssl-fp", None, Only(&[])),
    ("ssl-fplist", None, Only(&[])),
    ("ssl-passphrase", None, Only(&[])),
    ("ssl-fips-mode", None, Only(&["OFF", "off", "0"])),
    ("tls-ciphersuites", None, Only(&[])),
    (
        // Versions below 1.2 are never used.
        "tls-version",
        None,
        Only(&[
            "TLSv1.2",
            "TLSv1.2,TLSv1.3",
            "TLSv1.1,TLSv1.2",
            "TLSv1.1,TLSv1.2,TLSv1.3",
            "TLSv1,TLSv1.1,TLSv1.2",
            "TLSv1,TLSv1.1,TLSv1.2,TLSv1.3",
        ]),
    ),
];

/// The name in [`KNOWN`] for `keyword` in a URL. An underscore there means a dash, and drivers have their own
/// names.
pub(crate) fn canonical(keyword: &str) -> String {
    let keyword = keyword.replace('_', "-");
    match keyword.as_str() {
        "sslmode" => "ssl-mode".to_owned(),
        "sslca" => "ssl-ca".to_owned(),
        "sslcert" => "ssl-cert".to_owned(),
        "sslkey" => "ssl-key".to_owned(),
        "sslverify" => "ssl-verify-server-cert".to_owned(),
        "username" => "user".to_owned(),
        "encoding" => "charset".to_owned(),
        _ => keyword,
    }
}

/// The value of a switch, as MySQL reads it.
pub(crate) fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "on" | "true" | "yes" => Some(true),
        "0" | "off" | "false" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_drivers_are_known() {
        for (given, name) in [
            ("ssl_mode", "ssl-mode"),
            ("sslmode", "ssl-mode"),
            ("sslca", "ssl-ca"),
            ("ssl-ca", "ssl-ca"),
            ("connect_timeout", "connect-timeout"),
            ("encoding", "charset"),
        ] {
            assert_eq!(canonical(given), name);
            assert!(KNOWN.parameters.iter().any(|(known, ..)| *known == name));
        }
    }
}
