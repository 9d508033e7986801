//! TLS for each `sslmode` (PostgreSQL manual, 34.19): whether it is required, and what is verified of the
//! server's certificate.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::ClientConfig;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{Error, Result};
use crate::server::options::reason::unreadable;
use crate::server::options::{
    Certificates, Parameters, TlsWords, client_configuration, read_certificates,
    system_certificates,
};

/// libpq's names of the parameters, for errors.
pub(crate) const WORDS: TlsWords = TlsWords {
    ca: "sslrootcert=FILE",
    own: "sslcert=FILE and sslkey=FILE",
    other_name: "name the host as the certificate does, and its address by hostaddr, or ask only for \
                 the CA: sslmode=verify-ca",
};

/// libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    /// Never.
    Disable,
    /// Only if the server refuses unencrypted connections.
    Allow,
    /// If the server supports it.
    Prefer,
    /// Always; the certificate is verified if there is a CA file.
    Require,
    /// Always, with a certificate from a known CA.
    VerifyCa,
    /// Always, with a certificate from a known CA that names the host.
    VerifyFull,
}

impl Mode {
    fn named(name: &str) -> Option<Mode> {
        Some(match name {
            "disable" => Mode::Disable,
            "allow" => Mode::Allow,
            "prefer" => Mode::Prefer,
            "require" => Mode::Require,
            "verify-ca" => Mode::VerifyCa,
            "verify-full" => Mode::VerifyFull,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Mode::Disable => "disable",
            Mode::Allow => "allow",
            Mode::Prefer => "prefer",
            Mode::Require => "require",
            Mode::VerifyCa => "verify-ca",
            Mode::VerifyFull => "verify-full",
        }
    }
}

/// The place of the CAs' certificates.
#[derive(Debug, Clone)]
enum Roots {
    /// In this file, if it exists.
    File(PathBuf),
    /// In the certificates of the operating system.
    System,
    /// Nowhere.
    None,
}

/// The TLS settings of a target.
pub(crate) struct Tls {
    pub(crate) mode: Mode,
    roots: Roots,
    /// The client's certificate and key.
    own: Option<(PathBuf, PathBuf)>,
    sends_name: bool,
    connector: OnceLock<MakeRustlsConnect>,
    /// Whether a session was opened without TLS.
    has_plain: AtomicBool,
}

impl Tls {
    /// The TLS settings of `parameters`, with libpq's default files in `home`.
    pub(crate) fn new(parameters: &Parameters, home: Option<&Path>) -> Result<Tls> {
        let modes = "one of disable, allow, prefer, require, verify-ca, verify-full";
        let mode = parameters.read("sslmode", Mode::named, modes)?;
        let in_home = |name: &str| home.map(|home| home.join(".postgresql").join(name));
        let roots = match parameters.text("sslrootcert") {
            Some("system") => Roots::System,
            Some(file) => Roots::File(PathBuf::from(file)),
            None => in_home("root.crt").map_or(Roots::None, Roots::File),
        };
        let is_system = matches!(roots, Roots::System);
        if is_system && mode.is_some_and(|mode| mode != Mode::VerifyFull) {
            return Err(Error::usage("sslrootcert=system needs sslmode=verify-full")
                .hint("anybody can get a certificate from a public CA"));
        }
        let default = if is_system {
            Mode::VerifyFull
        } else {
            Mode::Prefer
        };
        let file = |keyword: &str| parameters.text(keyword).map(PathBuf::from);
        let usual = in_home("postgresql.crt").filter(|file| file.exists());
        let own = file("sslcert").or(usual).and_then(|certificate| {
            let key = file("sslkey").or_else(|| in_home("postgresql.key"))?;
            Some((certificate, key))
        });
        Ok(Tls {
            mode: mode.unwrap_or(default),
            roots,
            own,
            sends_name: parameters.text("sslsni") != Some("0"),
            connector: OnceLock::new(),
            has_plain: AtomicBool::new(false),
        })
    }

    /// No TLS.
    pub(crate) fn none() -> Tls {
        Tls {
            mode: Mode::Disable,
            roots: Roots::None,
            own: None,
            sends_name: true,
            connector: OnceLock::new(),
            has_plain: AtomicBool::new(false),
        }
    }

    /// The place of the trusted CAs, for messages.
    pub(crate) fn believed(&self) -> String {
        match &self.roots {
            Roots::File(file) => file.display().to_string(),
            Roots::System => "the operating system".to_owned(),
            Roots::None => "no file".to_owned(),
        }
    }

    /// The variables of libpq's environment that say the same.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        let mut variables = vec![("PGSSLMODE", self.mode.name().to_owned())];
        match &self.roots {
            Roots::File(file) => variables.push(("PGSSLROOTCERT", shown(file))),
            Roots::System => variables.push(("PGSSLROOTCERT", "system".to_owned())),
            Roots::None => {}
        }
        if let Some((certificate, key)) = &self.own {
            variables.push(("PGSSLCERT", shown(certificate)));
            variables.push(("PGSSLKEY", shown(key)));
        }
        variables
    }

    /// The connector, which makes connections use TLS.
    pub(crate) fn connector(&self) -> Result<MakeRustlsConnect> {
        if let Some(connector) = self.connector.get() {
            return Ok(connector.clone());
        }
        let connector = MakeRustlsConnect::new(self.configuration()?);
        Ok(self.connector.get_or_init(|| connector).clone())
    }

    /// Whether a connection with TLS is one with a server that a known CA has signed.
    pub(crate) fn verifies(&self) -> bool {
        match &self.roots {
            Roots::System => true,
            Roots::File(file) => self.mode >= Mode::VerifyCa || file.exists(),
            Roots::None => self.mode >= Mode::VerifyCa,
        }
    }

    /// Notes that a session was opened without TLS.
    pub(crate) fn opened_plain(&self) {
        self.has_plain.store(true, Ordering::Relaxed);
    }

    /// The ways of the sessions so far: over TLS with this connector, or without TLS.
    pub(crate) fn used(&self) -> Vec<Option<MakeRustlsConnect>> {
        let mut ways: Vec<_> = self
            .connector
            .get()
            .cloned()
            .map(Some)
            .into_iter()
            .collect();
        if self.has_plain.load(Ordering::Relaxed) {
            ways.push(None);
        }
        ways
    }

    fn configuration(&self) -> Result<ClientConfig> {
        if let Some((_, key)) = &self.own {
            check_private(key)?;
        }
        let own = self.own.as_ref().map(|(file, key)| (&**file, &**key));
        let checks_name = self.mode == Mode::VerifyFull;
        let mut configuration = client_configuration(self.certificates()?, checks_name, own)?;
        configuration.enable_sni = self.sends_name;
        Ok(configuration)
    }

    /// The certificates of the CAs to verify the server by; none if it is not verified.
    fn certificates(&self) -> Result<Option<Certificates>> {
        Ok(match &self.roots {
            Roots::File(file) if file.exists() => Some(read_certificates(file)?),
            Roots::System => Some(system_certificates(&WORDS)?),
            Roots::File(_) | Roots::None if self.mode < Mode::VerifyCa => None,
            Roots::File(file) => {
                return Err(Error::usage(format!(
                    "the file {} with the certificates of the CAs does not exist",
                    file.display()
                ))
                .hint("name the file, sslrootcert=FILE, or sslrootcert=system"));
            }
            Roots::None => {
                return Err(Error::usage("no certificate of a CA is named")
                    .hint("name a file with it, sslrootcert=FILE, or sslrootcert=system"));
            }
        })
    }
}

/// An error if others than the owner can access the client's key. As with libpq, the group may if root owns
/// the file.
fn check_private(file: &Path) -> Result<()> {
    let metadata = fs::metadata(file).map_err(|cause| unreadable(file, &cause))?;
    let others = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    if metadata.permissions().mode() & others != 0 {
        let shown = file.display();
        return Err(
            Error::usage(format!("others have access to the private key {shown}"))
                .hint("its mode should be 0600"),
        );
    }
    Ok(())
}
