//! TLS as `sslmode` asks for it (PostgreSQL manual, 34.19): whether it must be, and what is
//! verified of the server's certificate.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore,
    SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::parameters::Parameters;
use crate::error::{Error, Result};

/// libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    /// Never.
    Disable,
    /// Only where the server takes nothing else.
    Allow,
    /// Where the server has it.
    Prefer,
    /// Always; the certificate is verified where there is a CA to verify it by.
    Require,
    /// Always, with a certificate of a known CA.
    VerifyCa,
    /// Always, with a certificate of a known CA for the very host.
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
}

/// Where the certificates of the CAs are.
#[derive(Debug, Clone)]
enum Roots {
    /// In this file, if it is there.
    File(PathBuf),
    /// Where the operating system has them.
    System,
    /// Nowhere.
    None,
}

/// How TLS is spoken to a target.
pub(super) struct Tls {
    pub(super) mode: Mode,
    roots: Roots,
    /// The client's certificate and its key.
    own: Option<(PathBuf, PathBuf)>,
    sends_name: bool,
    connector: OnceLock<MakeRustlsConnect>,
}

impl Tls {
    /// TLS as `parameters` ask for it, with the files in `home` that libpq takes without asking.
    pub(super) fn new(parameters: &Parameters, home: Option<&Path>) -> Result<Tls> {
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
            return Err(
                Error::usage("sslrootcert=system goes with sslmode=verify-full only")
                    .hint("anybody can have a certificate of a CA that everybody knows"),
            );
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
        })
    }

    /// No TLS.
    pub(super) fn none() -> Tls {
        Tls {
            mode: Mode::Disable,
            roots: Roots::None,
            own: None,
            sends_name: true,
            connector: OnceLock::new(),
        }
    }

    /// Where the CAs are that are believed, for messages.
    pub(super) fn believed(&self) -> String {
        match &self.roots {
            Roots::File(file) => file.display().to_string(),
            Roots::System => "the operating system".to_owned(),
            Roots::None => "no file".to_owned(),
        }
    }

    /// What makes connections speak TLS.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect> {
        if let Some(connector) = self.connector.get() {
            return Ok(connector.clone());
        }
        let connector = MakeRustlsConnect::new(self.configuration()?);
        Ok(self.connector.get_or_init(|| connector).clone())
    }

    /// The connector, if a connection has asked for it.
    pub(super) fn made(&self) -> Option<MakeRustlsConnect> {
        self.connector.get().cloned()
    }

    fn configuration(&self) -> Result<ClientConfig> {
        let provider = Arc::new(ring::default_provider());
        let verifier = self.verifier(&provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|cause| Error::failed(format!("cannot prepare TLS: {cause}")))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut configuration = match &self.own {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let shown = certificate.display();
                builder
                    .with_client_auth_cert(read_certificates(certificate)?, read_key(key)?)
                    .map_err(|cause| {
                        Error::usage(format!("the client's certificate {shown}: {cause}"))
                    })?
            }
        };
        configuration.enable_sni = self.sends_name;
        Ok(configuration)
    }

    fn verifier(&self, provider: &CryptoProvider) -> Result<Verifier> {
        let certificates = match &self.roots {
            Roots::File(file) if file.exists() => Some(read_certificates(file)?),
            Roots::System => Some(system_certificates()?),
            Roots::File(_) | Roots::None if self.mode < Mode::VerifyCa => None,
            Roots::File(file) => {
                return Err(Error::usage(format!(
                    "there is no {}, which should have the certificates of the CAs",
                    file.display()
                ))
                .hint("name the file, sslrootcert=FILE, or sslrootcert=system"));
            }
            Roots::None => {
                return Err(Error::usage("no certificate of a CA is named")
                    .hint("name a file with it, sslrootcert=FILE, or sslrootcert=system"));
            }
        };
        Ok(Verifier {
            believed: certificates.map(Believed::new).transpose()?,
            checks_name: self.mode == Mode::VerifyFull,
            algorithms: provider.signature_verification_algorithms,
        })
    }
}

fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let shown = file.display();
    let bytes = fs::read(file).map_err(|cause| super::unreadable(file, &cause))?;
    let certificates: std::result::Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(&bytes).collect();
    let certificates = certificates
        .map_err(|cause| Error::usage(format!("{shown} is no file of certificates: {cause}")))?;
    if certificates.is_empty() {
        return Err(Error::usage(format!("{shown} has no certificate"))
            .hint("it should have them in PEM: -----BEGIN CERTIFICATE-----"));
    }
    Ok(certificates)
}

/// The client's key. As with libpq nobody else may read it; the group may, if root owns it.
fn read_key(file: &Path) -> Result<PrivateKeyDer<'static>> {
    let shown = file.display();
    let metadata = fs::metadata(file).map_err(|cause| super::unreadable(file, &cause))?;
    let others = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    if metadata.permissions().mode() & others != 0 {
        return Err(
            Error::usage(format!("others have access to the private key {shown}"))
                .hint("its mode should be 0600"),
        );
    }
    PrivateKeyDer::from_pem_file(file).map_err(|_| {
        Error::usage(format!("{shown} has no private key that can be read"))
            .hint("it should be in PEM, and not encrypted")
    })
}

fn system_certificates() -> Result<Vec<CertificateDer<'static>>> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let why: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(Error::target(format!(
            "the operating system has no certificates of CAs {}",
            why.join(", ")
        ))
        .hint("apt-get install ca-certificates, or name a file: sslrootcert=FILE"));
    }
    Ok(found.certs)
}

/// The CAs, or the servers, that are believed.
#[derive(Debug)]
struct Believed {
    certificates: Vec<CertificateDer<'static>>,
    anchors: RootCertStore,
}

impl Believed {
    fn new(certificates: Vec<CertificateDer<'static>>) -> Result<Believed> {
        let mut anchors = RootCertStore::empty();
        let (usable, _) = anchors.add_parsable_certificates(certificates.iter().cloned());
        if usable == 0 {
            return Err(Error::usage(
                "none of the certificates of the CAs can be used: they are not of X.509 version 3",
            ));
        }
        Ok(Believed {
            certificates,
            anchors,
        })
    }
}

/// Verifies what the mode asks for.
#[derive(Debug)]
struct Verifier {
    /// `None` believes everybody, as `sslmode=require` does without a CA.
    believed: Option<Believed>,
    checks_name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let Some(believed) = &self.believed else {
            return Ok(ServerCertVerified::assertion());
        };
        let certificate = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &believed.anchors,
            intermediates,
            now,
            self.algorithms.all,
        )
        .or_else(|error| {
            // The manual's own recipe for a server's certificate (18.9.5) makes one that is its own
            // CA. It is believed if it is itself in the file.
            if believed.certificates.contains(end_entity) && is_of_a_ca(&error) {
                Ok(())
            } else {
                Err(error)
            }
        })?;
        if self.checks_name {
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whether all that is wrong with a certificate is that it is a CA's: its dates are looked at before.
fn is_of_a_ca(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) = error
    else {
        return false;
    };
    matches!(cause.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}
