//! PostgreSQL on TCP, with TLS and without, for the tests of how a target is named and reached.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use tempfile::TempDir;

use super::archives::SMALL_DUMP;
use super::program::command;
use super::servers::{
    POSTGRESQL_USER, SHARED_MEMORY, as_user, expect_success, next_number, postgresql_programs,
    server_directory, start, user_ids, wait_for,
};

/// The password of the users `secret` and `clear_text`.
pub(crate) const PASSWORD: &str = "s3:cret";

/// The name of the servers' CAs.
pub(crate) const AUTHORITY: &str = "an authority of the tests";

/// Who may connect how; the user `postgres` may on the socket only.
const ACCESS: &str = "\
local all all trust
hostssl all tls_only 127.0.0.1/32 trust
hostssl all with_certificate 127.0.0.1/32 cert
hostnossl all plain_only 127.0.0.1/32 trust
host all secret 127.0.0.1/32 scram-sha-256
host all clear_text 127.0.0.1/32 password
";

/// A CA of the tests.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Authority {
        let mut parameters = named(name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Authority(CertifiedIssuer::self_signed(parameters, key).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server's certificate for `localhost`, valid until the first day of `year`, and its key.
    pub(crate) fn for_localhost(&self, year: i32) -> (String, String) {
        self.for_names(&["localhost"], year)
    }

    /// The same for other names.
    pub(crate) fn for_names(&self, names: &[&str], year: i32) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = CertificateParams::new(names).unwrap();
        parameters.not_before = date_time_ymd(2001, 1, 1);
        parameters.not_after = date_time_ymd(year, 1, 1);
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// A client's certificate for the user `name`, and its key.
    pub(crate) fn for_user(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = named(name);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// A certificate for `localhost` that is its own CA, as the manual of PostgreSQL has one made.
pub(crate) fn self_signed() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = parameters.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn named(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::new(vec![]).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

/// A free port of 127.0.0.1, another one each time. A connection gets none of these by itself, as it might one of 32768 or more
/// (Linux, `ip_local_port_range`), before the server that it is for has taken it.
pub(crate) fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    loop {
        // Other tests that run now begin elsewhere.
        let number = std::process::id() * 40 + GIVEN.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + u16::try_from(number % 12_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A PostgreSQL on 127.0.0.1.
pub(crate) struct TcpServer {
    pub(crate) directory: PathBuf,
    pub(crate) port: u16,
    /// The CA of its certificate and of its clients'.
    pub(crate) authority: Authority,
}

/// One with TLS.
pub(crate) fn with_tls() -> &'static TcpServer {
    static SERVER: OnceLock<TcpServer> = OnceLock::new();
    SERVER.get_or_init(|| TcpServer::start(Some(2100)))
}

/// One without.
pub(crate) fn without_tls() -> &'static TcpServer {
    static SERVER: OnceLock<TcpServer> = OnceLock::new();
    SERVER.get_or_init(|| TcpServer::start(None))
}

impl TcpServer {
    /// Starts one; with TLS if its certificate shall be `valid_until` the begin of a year.
    pub(crate) fn start(valid_until: Option<i32>) -> TcpServer {
        let programs = postgresql_programs();
        let user = user_ids(POSTGRESQL_USER);
        let directory = server_directory("tcp", user);
        let data = directory.join("data");
        let mut initdb = as_user(programs.join("initdb"), user);
        initdb.args(["-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-D"]);
        expect_success(&initdb.arg(&data).output().expect("initdb runs"));
        let authority = Authority::new(AUTHORITY);
        let port = free_port();
        let server = TcpServer {
            directory,
            port,
            authority,
        };
        server.put("data/pg_hba.conf", ACCESS);
        let mut postgres = as_user(programs.join("postgres"), user);
        postgres
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&server.directory);
        postgres.arg("-p").arg(port.to_string());
        for setting in ["listen_addresses=127.0.0.1", "fsync=off", SHARED_MEMORY] {
            postgres.args(["-c", setting]);
        }
        if let Some(year) = valid_until {
            server.put_certificate(server.authority.for_localhost(year));
            server.put("data/root.crt", &server.authority.pem());
            postgres.args(["-c", "ssl=on", "-c", "ssl_ca_file=root.crt"]);
        }
        start(postgres, &server.directory);
        wait_for(&server.directory, || {
            server.try_to_connect("postgres").is_ok()
        });
        let mut users = String::new();
        for name in ["secret", "clear_text"] {
            users += &format!("CREATE ROLE {name} SUPERUSER LOGIN PASSWORD '{PASSWORD}';");
        }
        for name in ["tls_only", "with_certificate", "plain_only"] {
            users += &format!("CREATE ROLE {name} SUPERUSER LOGIN;");
        }
        server.connect("postgres").batch_execute(&users).unwrap();
        server
    }

    /// Writes a file that the server alone may read.
    fn put(&self, name: &str, text: &str) {
        let path = self.directory.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        if let Some((user, group)) = user_ids(POSTGRESQL_USER) {
            chown(&path, Some(user), Some(group)).unwrap();
        }
    }

    /// Gives it a certificate with its key, in the place of the one it has.
    pub(crate) fn put_certificate(&self, (certificate, key): (String, String)) {
        self.put("data/server.crt", &certificate);
        self.put("data/server.key", &key);
    }

    fn try_to_connect(&self, database: &str) -> Result<postgres::Client, postgres::Error> {
        postgres::Config::new()
            .host_path(&self.directory)
            .port(self.port)
            .user("postgres")
            .dbname(database)
            .connect(postgres::NoTls)
    }

    pub(crate) fn connect(&self, database: &str) -> postgres::Client {
        self.try_to_connect(database).unwrap()
    }
}

/// A database on such a server, a small dump, and a home directory.
pub(crate) struct Visit {
    pub(crate) server: &'static TcpServer,
    pub(crate) home: TempDir,
    pub(crate) database: String,
}

impl Visit {
    pub(crate) fn to(server: &'static TcpServer) -> Visit {
        let database = format!("visit_{}", next_number());
        server
            .connect("postgres")
            .batch_execute(&format!("CREATE DATABASE {database}"))
            .unwrap();
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("dump.sql"), SMALL_DUMP).unwrap();
        Visit {
            server,
            home,
            database,
        }
    }

    /// Writes a file into the home directory that only its owner may read: its path.
    pub(crate) fn put(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The import of the small dump, with more arguments.
    pub(crate) fn import(&self, arguments: &[&str]) -> Command {
        let mut import = command([self.home.path().join("dump.sql")]);
        import.args(arguments).env("HOME", self.home.path());
        import
    }

    /// The same into this database on `localhost`; `more` are other parameters of libpq.
    pub(crate) fn import_by(&self, more: &str) -> Command {
        let (port, database) = (self.server.port, &self.database);
        let pairs = format!("host=localhost port={port} dbname={database} {more}");
        self.import(&["--database-url", &pairs])
    }

    /// The dump is in the database.
    #[track_caller]
    pub(crate) fn was_imported(&self) {
        let mut client = self.server.connect(&self.database);
        let row = client.query_one("SELECT name FROM ci_tags", &[]).unwrap();
        assert_eq!(row.get::<_, String>(0), "a");
        client.batch_execute("DROP TABLE ci_tags").unwrap();
    }
}
