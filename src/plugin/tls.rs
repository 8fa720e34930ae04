//! Mutual TLS with core: a certificate of our own for each run, and core's very certificate or nobody. It opens no
//! connection.
//!
//! Core's certificate is a self-signed P-521 authority, which the usual verifier refuses as a client: it is compared
//! byte by byte instead, and its owner proves the key in the handshake as ever. `ring` has no P-521, aws-lc-rs has.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use std::sync::Arc;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Core's certificate.
    #[error("core's certificate is not readable")]
    Client,
    /// Ours.
    #[error("no certificate could be made: {0}")]
    Own(#[from] rcgen::Error),
    /// The rest.
    #[error("no TLS configuration could be made: {0}")]
    Config(#[from] Error),
}

/// Our side of the connection, and our certificate (DER).
///
/// # Errors
/// When `client_pem` is no certificate.
pub fn server(client_pem: &str) -> Result<(Arc<ServerConfig>, Vec<u8>), TlsError> {
    let pinned = CertificateDer::from_pem_slice(client_pem.as_bytes()).map_err(|_| TlsError::Client)?;
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let certificate = own.cert.der().to_vec();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let crypto = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(Pinned { certificate: pinned, crypto: crypto.clone() });
    let mut config = ServerConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![own.cert.der().clone()], key)?;
    // Core's gRPC refuses a connection that did not agree on HTTP/2 here.
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok((Arc::new(config), certificate))
}

/// Accepts one certificate.
#[derive(Debug)]
struct Pinned {
    certificate: CertificateDer<'static>,
    crypto: Arc<CryptoProvider>,
}

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match *end_entity == self.certificate {
            true => Ok(ClientCertVerified::assertion()),
            false => Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.crypto.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.crypto.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }
}
