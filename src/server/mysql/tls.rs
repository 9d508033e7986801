//! TLS for each `ssl-mode` (MySQL manual, 6.3.1): whether it is required, and what is verified of the
//! server's certificate.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;

use super::options::parameters::switch;
use crate::error::{Error, Result};
use crate::server::options::{
    Certificates, Parameters, TlsWords, client_configuration, read_certificates,
    system_certificates,
};

/// MySQL's names of the parameters, for errors.
pub(crate) const WORDS: TlsWords = TlsWords {
    ca: "ssl-ca=FILE",
    own: "ssl-cert=FILE and ssl-key=FILE",
    other_name: "name the host as the certificate does, or ask only for the CA: ssl-mode=VERIFY_CA",
};

/// MySQL's `ssl-mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    /// Never.
    Disabled,
    /// If the server supports it.
    Preferred,
    /// Always.
    Required,
    /// Always, with a certificate from a known CA.
    VerifyCa,
    /// Always, with a certificate from a known CA that names the host.
    VerifyIdentity,
}

impl Mode {
    fn named(name: &str) -> Option<Mode> {
        Some(match name.to_ascii_uppercase().replace('-', "_").as_str() {
            "DISABLED" => Mode::Disabled,
            "PREFERRED" => Mode::Preferred,
            "REQUIRED" => Mode::Required,
            "VERIFY_CA" => Mode::VerifyCa,
            "VERIFY_IDENTITY" => Mode::VerifyIdentity,
            _ => return None,
        })
    }

    /// The mode of `parameters`, as `ssl-mode` or in MariaDB's notation: `ssl`, `ssl-verify-server-cert`. The
    /// strictest one counts. A named CA implies its verification, unless TLS is disabled.
    fn of(parameters: &Parameters) -> Result<Mode> {
        let modes = "one of DISABLED, PREFERRED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY";
        let mode = parameters.read("ssl-mode", Mode::named, modes)?;
        let ssl = parameters.read("ssl", switch, "0 or 1")?;
        let verifies = parameters.read("ssl-verify-server-cert", switch, "0 or 1")?;
        if mode == Some(Mode::Disabled) || mode.is_none() && ssl == Some(false) {
            return Ok(Mode::Disabled);
        }
        let others = [
            (ssl == Some(true)).then_some(Mode::Required),
            (verifies == Some(true)).then_some(Mode::VerifyIdentity),
            (mode.is_none() && parameters.text("ssl-ca").is_some()).then_some(Mode::VerifyCa),
        ];
        let strictest = others.into_iter().flatten().chain(mode).max();
        Ok(strictest.unwrap_or(Mode::Preferred))
    }
}

/// The TLS settings of a target.
pub(crate) struct Tls {
    pub(crate) mode: Mode,
    /// The file with the certificates of the CAs.
    ca: Option<PathBuf>,
    /// The client's certificate and key.
    own: Option<(PathBuf, PathBuf)>,
    configuration: OnceLock<Arc<ClientConfig>>,
}

impl Tls {
    /// The TLS settings of `parameters`.
    pub(crate) fn new(parameters: &Parameters) -> Result<Tls> {
        let file = |keyword: &str| parameters.text(keyword).map(PathBuf::from);
        let own = match (file("ssl-cert"), file("ssl-key")) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate, key)),
            _ => {
                return Err(Error::usage("only one of ssl-cert and ssl-key is named")
                    .hint("a client certificate needs both"));
            }
        };
        let tls = Tls {
            mode: Mode::of(parameters)?,
            ca: file("ssl-ca"),
            own,
            configuration: OnceLock::new(),
        };
        if tls.mode == Mode::VerifyCa && tls.ca.is_none() {
            return Err(Error::usage("ssl-mode=VERIFY_CA needs ssl-ca").hint(
                "name a file with the CA's certificate, ssl-ca=FILE; anybody can get a certificate \
                     from a public CA, so public CAs need VERIFY_IDENTITY",
            ));
        }
        Ok(tls)
    }

    /// The place of the trusted CAs, for messages.
    pub(crate) fn believed(&self) -> String {
        match &self.ca {
            Some(file) => file.display().to_string(),
            None => "the operating system".to_owned(),
        }
    }

    /// Whether the server's certificate is verified.
    pub(crate) fn verifies(&self) -> bool {
        self.ca.is_some() || self.mode >= Mode::VerifyCa
    }

    /// The options of a client program for the same.
    pub(crate) fn option_file(&self, is_mariadb: bool) -> Vec<(&'static str, String)> {
        let mut options = tls_options(self.mode, is_mariadb);
        let own = self.own.as_ref();
        for (name, file) in [
            ("ssl-ca", self.ca.as_ref()),
            ("ssl-cert", own.map(|(certificate, _)| certificate)),
            ("ssl-key", own.map(|(_, key)| key)),
        ] {
            options.extend(file.map(|file| (name, file.to_string_lossy().into_owned())));
        }
        options
    }

    /// The TLS configuration of the connections.
    pub(crate) fn configuration(&self) -> Result<Arc<ClientConfig>> {
        if let Some(made) = self.configuration.get() {
            return Ok(made.clone());
        }
        let own = self.own.as_ref().map(|(file, key)| (&**file, &**key));
        let checks_name = self.mode == Mode::VerifyIdentity;
        let made = Arc::new(client_configuration(
            self.certificates()?,
            checks_name,
            own,
        )?);
        Ok(self.configuration.get_or_init(|| made).clone())
    }

    /// The certificates of the CAs to verify the server by; none if it is not verified.
    fn certificates(&self) -> Result<Option<Certificates>> {
        match &self.ca {
            Some(file) => read_certificates(file).map(Some),
            None if self.mode == Mode::VerifyIdentity => system_certificates(&WORDS).map(Some),
            None => Ok(None),
        }
    }
}

/// As in the options of the program: what `mode` asks for.
fn tls_options(mode: Mode, is_mariadb: bool) -> Vec<(&'static str, String)> {
    if is_mariadb {
        // Newer clients verify by default. Without `ssl`, they use TLS if the server has it; with it they insist.
        let verifies = mode >= Mode::VerifyCa;
        let mut options = vec![(
            "loose-ssl-verify-server-cert",
            u8::from(verifies).to_string(),
        )];
        match mode {
            Mode::Preferred => {}
            Mode::Disabled => options.push(("loose-ssl", "0".to_owned())),
            Mode::Required | Mode::VerifyCa | Mode::VerifyIdentity => {
                options.push(("loose-ssl", "1".to_owned()));
            }
        }
        return options;
    }
    let name = match mode {
        Mode::Disabled => "DISABLED",
        Mode::Preferred => "PREFERRED",
        Mode::Required => "REQUIRED",
        Mode::VerifyCa => "VERIFY_CA",
        Mode::VerifyIdentity => "VERIFY_IDENTITY",
    };
    vec![("loose-ssl-mode", name.to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::mysql::options::url::parse;
    use crate::server::options::Origin;

    #[test]
    fn the_strictest_mode_counts() {
        for (query, expected) in [
            ("", Ok(Mode::Preferred)),
            ("ssl-mode=verify-identity", Ok(Mode::VerifyIdentity)),
            ("sslmode=required", Ok(Mode::Required)),
            ("ssl-ca=/ca", Ok(Mode::VerifyCa)),
            ("ssl-ca=/ca&ssl-mode=REQUIRED", Ok(Mode::Required)),
            ("ssl-ca=/ca&ssl-mode=DISABLED", Ok(Mode::Disabled)),
            ("ssl=1", Ok(Mode::Required)),
            ("ssl=0&ssl-ca=/ca", Ok(Mode::Disabled)),
            ("ssl=0&ssl-mode=REQUIRED", Ok(Mode::Required)),
            ("ssl=1&ssl-verify-server-cert=1", Ok(Mode::VerifyIdentity)),
            (
                "ssl-mode=REQUIRED&ssl-verify-server-cert=1",
                Ok(Mode::VerifyIdentity),
            ),
            (
                "ssl-mode=PREFERRED&ssl-verify-server-cert=0",
                Ok(Mode::Preferred),
            ),
            ("ssl-mode=VERIFY_CA", Err("ssl-mode=VERIFY_CA needs ssl-ca")),
            (
                "ssl-mode=require",
                Err("the ssl-mode of the database URL is wrong: it should be one of"),
            ),
            ("ssl=maybe", Err("the ssl of the database URL is wrong")),
            (
                "ssl-cert=/c",
                Err("only one of ssl-cert and ssl-key is named"),
            ),
        ] {
            let parameters = parse(&format!("mysql://h/d?{query}"), &Origin::Url).unwrap();
            match (Tls::new(&parameters), expected) {
                (Ok(tls), Ok(mode)) => assert_eq!(tls.mode, mode, "{query}"),
                (Err(error), Err(message)) => {
                    assert!(error.to_string().starts_with(message), "{query}: {error}");
                }
                (found, _) => panic!("{query}: {:?}", found.map(|tls| tls.mode)),
            }
        }
    }
}
