//! TLS to a server: the verification of its certificate, and the reasons for a failure.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, OtherError,
    RootCertStore, SignatureScheme,
};

use super::reason::{Why, unreadable};
use crate::error::{Error, Result};

/// Certificates of CAs.
pub(crate) type Certificates = Vec<CertificateDer<'static>>;

/// The names of parameters in hints, for a kind of server.
pub(crate) struct TlsWords {
    /// The parameter for the file of the CAs.
    pub(crate) ca: &'static str,
    /// The parameters for the client's certificate and key.
    pub(crate) own: &'static str,
    /// The hint for a certificate with another name.
    pub(crate) other_name: &'static str,
}

/// The client configuration that trusts certificates from the CAs `believed`, or all certificates if that is
/// `None`. With `checks_name` the certificate must name the host. `own` are the files of the client's
/// certificate and key.
pub(crate) fn client_configuration(
    believed: Option<Certificates>,
    checks_name: bool,
    own: Option<(&Path, &Path)>,
) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier {
        believed: believed.map(Believed::new).transpose()?,
        checks_name,
        algorithms: provider.signature_verification_algorithms,
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|cause| Error::failed(format!("cannot prepare TLS: {cause}")).caused_by(cause))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let Some((certificate, key)) = own else {
        return Ok(builder.with_no_client_auth());
    };
    let shown = certificate.display();
    builder
        .with_client_auth_cert(read_certificates(certificate)?, read_key(key)?)
        .map_err(|cause| {
            Error::usage(format!("the client's certificate {shown}: {cause}")).caused_by(cause)
        })
}

/// The certificates in `file`, at least one.
pub(crate) fn read_certificates(file: &Path) -> Result<Certificates> {
    let shown = file.display();
    let bytes = fs::read(file).map_err(|cause| unreadable(file, &cause))?;
    let certificates: std::result::Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(&bytes).collect();
    let certificates = certificates.map_err(|cause| {
        Error::usage(format!("{shown} is not a file with certificates: {cause}")).caused_by(cause)
    })?;
    if certificates.is_empty() {
        return Err(Error::usage(format!("{shown} has no certificate"))
            .hint("certificates must be in PEM: -----BEGIN CERTIFICATE-----"));
    }
    Ok(certificates)
}

/// The private key in `file`.
fn read_key(file: &Path) -> Result<PrivateKeyDer<'static>> {
    let shown = file.display();
    let bytes = fs::read(file).map_err(|cause| unreadable(file, &cause))?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| {
        Error::usage(format!("{shown} has no private key that can be read"))
            .hint("it should be in PEM, and not encrypted")
    })
}

/// The certificates of the operating system.
pub(crate) fn system_certificates(words: &TlsWords) -> Result<Certificates> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let why: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(Error::target(format!(
            "the operating system has no certificates of CAs {}",
            why.join(", ")
        ))
        .hint(format!(
            "apt-get install ca-certificates, or name a file: {}",
            words.ca
        )));
    }
    Ok(found.certs)
}

/// The trusted CAs or servers.
#[derive(Debug)]
struct Believed {
    certificates: Certificates,
    anchors: RootCertStore,
}

impl Believed {
    fn new(certificates: Certificates) -> Result<Believed> {
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

/// Verifies the server's certificate as requested.
#[derive(Debug)]
struct Verifier {
    /// `None` trusts everybody.
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
            // The manual's recipe for a server's certificate (18.9.5) creates one that is its own CA. It is
            // trusted if the file contains it.
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

/// Whether the only fault of a certificate is that it is a CA's. Its dates have been checked before.
fn is_of_a_ca(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) = error
    else {
        return false;
    };
    matches!(cause.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

/// Explains why TLS with `host` failed; its certificate should be from a CA in `believed`.
pub(crate) fn why_tls(error: &rustls::Error, host: &str, believed: &str, words: &TlsWords) -> Why {
    use CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => Why::new(
                format!("TLS: the server's certificate is of an unknown CA, none of {believed}"),
                format!("name a file with the certificate of its CA: {}", words.ca),
            ),
            Bad::BadSignature => Why::new(
                format!(
                    "TLS: the server's certificate is from a CA whose name, but not whose key, is in \
                     {believed}"
                ),
                format!(
                    "if the CA was renewed, name a file with its new certificate: {}",
                    words.ca
                ),
            ),
            Bad::NotValidForNameContext { presented, .. } => Why::new(
                format!("TLS: {}", not_for(host, presented)),
                words.other_name,
            ),
            Bad::ExpiredContext { not_after, .. } => Why::new(
                format!(
                    "TLS: the server's certificate, or its CA's, expired {}",
                    shown(*not_after)
                ),
                "check the clock of this machine",
            ),
            Bad::NotValidYetContext { not_before, .. } => Why::new(
                format!(
                    "TLS: the server's certificate, or its CA's, is not valid before {}",
                    shown(*not_before)
                ),
                "check the clock of this machine",
            ),
            bad => Why::new(
                format!("TLS: the server's certificate is refused: {bad}"),
                "the server needs another certificate",
            ),
        },
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => Why::new(
            "TLS: the server asks for a certificate of the client, and there is none",
            format!("name one: {}", words.own),
        ),
        rustls::Error::AlertReceived(alert) => Why::new(
            format!("TLS: the server ended the connection: {alert:?}"),
            "the server's log says why",
        ),
        error => Why::new(format!("TLS: {error}"), "the server's log may say why"),
    }
}

fn not_for(host: &str, presented: &[String]) -> String {
    if presented.is_empty() {
        return format!(
            "the server's certificate is not for {host}: it has no subject alternative name"
        );
    }
    format!(
        "the server's certificate is not for {host}, but for {}",
        presented.join(", ")
    )
}

fn shown(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "long ago".to_owned(), |t| t.to_string())
}
