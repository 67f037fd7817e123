//! Client certificates: who of those that show one may speak, in the modes that Go's TLS has.
//!
//! webpki checks the chain; here is added that a certificate which is itself among the authorities is trusted, as in
//! Go (people give a scraper's own, self-signed certificate as `client_ca_file`), and the list of allowed names.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use std::net::IpAddr;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

#[derive(Debug)]
pub struct ClientVerifier {
    algorithms: WebPkiSupportedAlgorithms,
    is_mandatory: bool,
    verifies: bool,
    authorities: Vec<CertificateDer<'static>>,
    anchors: Vec<TrustAnchor<'static>>,
    subjects: Vec<DistinguishedName>,
    allowed_names: Option<Vec<String>>,
}

impl ClientVerifier {
    pub fn new(
        algorithms: WebPkiSupportedAlgorithms,
        is_mandatory: bool,
        allowed_names: Option<Vec<String>>,
    ) -> ClientVerifier {
        ClientVerifier {
            algorithms,
            is_mandatory,
            verifies: false,
            authorities: Vec::new(),
            anchors: Vec::new(),
            subjects: Vec::new(),
            allowed_names,
        }
    }

    /// The authorities that are named to clients, and whether what clients show has to be theirs.
    pub fn trust(
        &mut self,
        authorities: Vec<CertificateDer<'static>>,
        verifies: bool,
    ) -> Result<(), webpki::Error> {
        for certificate in &authorities {
            let anchor = anchor_from_trusted_cert(certificate)?.to_owned();
            self.subjects.push(DistinguishedName::in_sequence(&anchor.subject));
            self.anchors.push(anchor);
        }
        self.authorities = authorities;
        self.verifies = verifies;
        Ok(())
    }

    /// What clients show has to be of these authorities, which are too many to name; unusable ones are left out.
    pub fn trust_system(&mut self, authorities: &[CertificateDer<'_>]) {
        let usable = authorities.iter().filter_map(|certificate| anchor_from_trusted_cert(certificate).ok());
        self.anchors = usable.map(|anchor| anchor.to_owned()).collect();
        self.verifies = true;
    }

    fn check_chain(
        &self,
        certificate: &EndEntityCert<'_>,
        shown: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let algorithms = self.algorithms.all;
        let usage = KeyUsage::client_auth();
        match certificate.verify_for_usage(algorithms, &self.anchors, others, now, usage, None, None) {
            Ok(_) => Ok(()),
            // Its time was checked before that; and a certificate that is trusted as it is needs nobody to sign it.
            Err(webpki::Error::CaUsedAsEndEntity) if self.authorities.iter().any(|known| known == shown) => {
                Ok(())
            }
            Err(webpki::Error::CertExpired { .. }) => Err(CertificateError::Expired.into()),
            Err(webpki::Error::UnknownIssuer) => Err(CertificateError::UnknownIssuer.into()),
            Err(_) => Err(CertificateError::BadEncoding.into()),
        }
    }

    /// The names are compared as they stand, without wildcards.
    fn check_names(&self, certificate: &EndEntityCert<'_>) -> Result<(), Error> {
        let Some(allowed) = &self.allowed_names else { return Ok(()) };
        let is_name = |allowed: &str| {
            certificate.valid_dns_names().any(|name| name == allowed)
                || certificate.valid_uri_names().any(|name| name == allowed)
                || allowed.parse::<IpAddr>().is_ok_and(|address| {
                    certificate.verify_is_valid_for_subject_name(&ServerName::from(address)).is_ok()
                })
        };
        let is_allowed = allowed.iter().any(|allowed| is_name(allowed));
        if is_allowed { Ok(()) } else { Err(CertificateError::ApplicationVerificationFailure.into()) }
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.is_mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.subjects
    }

    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let certificate = EndEntityCert::try_from(shown).map_err(|_| CertificateError::BadEncoding)?;
        if self.verifies {
            self.check_chain(&certificate, shown, others, now)?;
        }
        self.check_names(&certificate)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
