//! MariaDB on TCP, with TLS and without, for the tests of how a MySQL target is named and reached.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::sync::OnceLock;

use ci_import::error::Error;
use ci_import::server::mysql::ConnectionOptions;
use mysql::Conn;
use mysql::prelude::Queryable;
use tempfile::TempDir;

use super::servers::{MARIADB_USER, next_number, run_mariadb, server_directory, user_ids};
use super::tcp_servers::{AUTHORITY, Authority, free_port};

/// The password of those who have one.
pub(crate) const PASSWORD: &str = "s3:cret";

/// A MariaDB on 127.0.0.1.
pub(crate) struct MysqlServer {
    pub(crate) directory: PathBuf,
    pub(crate) port: u16,
    /// The CA of its certificate and of its clients'.
    pub(crate) authority: Authority,
}

/// One with TLS.
pub(crate) fn with_tls() -> &'static MysqlServer {
    static SERVER: OnceLock<MysqlServer> = OnceLock::new();
    SERVER.get_or_init(|| MysqlServer::start(true))
}

/// One without.
pub(crate) fn without_tls() -> &'static MysqlServer {
    static SERVER: OnceLock<MysqlServer> = OnceLock::new();
    SERVER.get_or_init(|| MysqlServer::start(false))
}

impl MysqlServer {
    fn start(has_tls: bool) -> MysqlServer {
        let authority = Authority::new(AUTHORITY);
        let certificate = has_tls.then(|| authority.for_localhost(2100));
        let server = MysqlServer::start_with(authority, certificate);
        let mut root = server.connect_as_root();
        root.query_drop("INSTALL SONAME 'auth_ed25519'").unwrap();
        for (user, how) in [
            ("secret", format!("IDENTIFIED BY '{PASSWORD}'")),
            ("tls_only", "REQUIRE SSL".to_owned()),
            ("with_certificate", "REQUIRE X509".to_owned()),
            (
                "edward",
                format!("IDENTIFIED VIA ed25519 USING PASSWORD('{PASSWORD}')"),
            ),
        ] {
            for host in ["127.0.0.1", "localhost"] {
                let user = format!("'{user}'@'{host}'");
                root.query_drop(format!("CREATE USER {user} {how}"))
                    .unwrap();
                root.query_drop(format!("GRANT ALL ON *.* TO {user}"))
                    .unwrap();
            }
        }
        server
    }

    /// One with this certificate and its key, if it shall have any.
    pub(crate) fn start_with(
        authority: Authority,
        certificate: Option<(String, String)>,
    ) -> MysqlServer {
        let user = user_ids(MARIADB_USER);
        let directory = server_directory("mt", user);
        let port = free_port();
        let put = |option: &str, name: &str, text: &str| {
            let path = directory.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            if let Some((user, group)) = user {
                chown(&path, Some(user), Some(group)).unwrap();
            }
            format!("--{option}={}", path.display())
        };
        let mut arguments = vec![
            "--bind-address=127.0.0.1".to_owned(),
            "--skip-name-resolve".to_owned(),
            "--local-infile=1".to_owned(),
            format!("--port={port}"),
        ];
        match certificate {
            Some((certificate, key)) => arguments.extend([
                put("ssl-cert", "server.crt", &certificate),
                put("ssl-key", "server.key", &key),
                put("ssl-ca", "root.crt", &authority.pem()),
            ]),
            None => arguments.push("--skip-ssl".to_owned()),
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run_mariadb(&directory, &arguments);
        MysqlServer {
            directory,
            port,
            authority,
        }
    }

    pub(crate) fn socket(&self) -> String {
        self.directory.join("socket").to_str().unwrap().to_owned()
    }

    pub(crate) fn connect_as_root(&self) -> Conn {
        let options = mysql::OptsBuilder::new()
            .socket(Some(self.socket()))
            .user(Some("root"));
        Conn::new(options).unwrap()
    }
}

/// A database on such a server, and a home directory.
pub(crate) struct MysqlVisit {
    pub(crate) server: &'static MysqlServer,
    pub(crate) home: TempDir,
    pub(crate) database: String,
}

impl MysqlVisit {
    pub(crate) fn to(server: &'static MysqlServer) -> MysqlVisit {
        let database = format!("visit_{}", next_number());
        let mut root = server.connect_as_root();
        root.query_drop(format!("CREATE DATABASE {database}"))
            .unwrap();
        MysqlVisit {
            server,
            home: tempfile::tempdir().unwrap(),
            database,
        }
    }

    /// Writes a file into the home directory that only its owner may read: its path.
    pub(crate) fn put(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The target that `url` names with this home directory and an environment of `variables`.
    pub(crate) fn named(
        &self,
        url: &str,
        variables: &[(&str, &str)],
    ) -> Result<ConnectionOptions, Error> {
        ConnectionOptions::named(url, |name| self.variable(name, variables))
    }

    /// A variable of an environment with this home directory.
    pub(crate) fn variable(&self, name: &str, variables: &[(&str, &str)]) -> Option<String> {
        if name == "HOME" {
            return Some(self.home.path().to_str()?.to_owned());
        }
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    }

    /// The target of a user at a host on TCP; `query` are the URL's parameters.
    pub(crate) fn at(&self, user_and_host: &str, query: &str) -> Result<ConnectionOptions, Error> {
        let (port, database) = (self.server.port, &self.database);
        self.named(
            &format!("mysql://{user_and_host}:{port}/{database}?{query}"),
            &[],
        )
    }

    /// A session with the target at `localhost` for `user`.
    pub(crate) fn session(&self, user: &str, query: &str) -> Result<Conn, Error> {
        self.at(&format!("{user}@localhost"), query)?.connect()
    }
}

/// The session is one with `database`; whether it is encrypted.
#[track_caller]
pub(crate) fn is_encrypted(session: &mut Conn, database: &str) -> bool {
    let current: Option<String> = session.query_first("SELECT DATABASE()").unwrap();
    assert_eq!(current.as_deref(), Some(database));
    let row: Option<(String, String)> = session
        .query_first("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        .unwrap();
    !row.unwrap().1.is_empty()
}

/// The error of `outcome` says `text`, and `hint` as what to do.
#[track_caller]
pub(crate) fn fails<T>(outcome: Result<T, Error>, text: &str, hint: &str) {
    let Err(error) = outcome else {
        panic!("it should say: {text}");
    };
    let message = error.to_string();
    assert!(message.contains(text), "expected: {text}\n{message}");
    let told = error.hint_text().unwrap_or_default();
    assert!(told.contains(hint), "expected as hint: {hint}\n{told}");
    for secret in [PASSWORD, "hunter2"] {
        assert!(
            !message.contains(secret) && !told.contains(secret),
            "{message}"
        );
    }
}
