//! A PostgreSQL connection from `config/database.yml`, as libpq's parameters.

use super::parameters::KNOWN;
use super::url;
use crate::error::{Error, Result};
use crate::server::options::{Entry, Kind, Origin, Parameters};

/// libpq's parameters for `entry`.
pub(crate) fn parameters(entry: Entry, origin: &str) -> Result<Parameters> {
    if entry.kind()? == Kind::Mysql {
        return Err(Error::usage(
            "the adapter is for MySQL; one for PostgreSQL is needed",
        ));
    }
    let file = Origin::File(origin.to_owned());
    // As in Rails, the URL takes precedence over the other keys.
    let mut parameters = match &entry.url {
        Some(url) => url::parse(url, &Origin::UrlIn(origin.to_owned()))?,
        None => Parameters::new(&KNOWN),
    };
    entry.check_encoding(&["unicode", "utf8"])?;
    let search_path = entry.schema_search_path.map(|path| search_path(&path));
    let options = [entry.options, search_path];
    let options: Vec<String> = options.into_iter().flatten().collect();
    let mut beside = Parameters::new(&KNOWN);
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

/// The session option that sets the search path to `path`; blanks and backslashes are escaped for the server.
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
    use crate::server::options;

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
        parameters(options::database_yml::parse(text, environment)?, "the file")
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
            (entry("  adapter: mysql2\n"), "the adapter is for MySQL"),
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
