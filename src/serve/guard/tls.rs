//! TLS by rustls: its configuration from what the file says, and sessions over sockets that never wait.

use crate::serve::guard::clients::ClientVerifier;
use crate::serve::guard::file::{ClientAuth, Source, Text, Tls, Version, wrong};
use crate::serve::guard::yaml::Fault;
use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{
    NamedGroup, ServerConfig, ServerConnection, SupportedCipherSuite, SupportedProtocolVersion, version,
};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

/// Records that are read for one that holds data, so that a client who sends others without end lets the rest go on.
const RECORDS_PER_READ: usize = 16;

/// The authorities that a system trusts, by which clients are judged where no others are named, as Go does it: the
/// first file that is there.
const SYSTEM_AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt", // Debian, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",   // Fedora
    "/etc/ssl/ca-bundle.pem",             // openSUSE
    "/etc/ssl/cert.pem",
];

/// Reads a file that the configuration names: a path relative to the configuration, and the text that names it.
pub type Fetch<'a> = dyn FnMut(&Text) -> Result<Vec<u8>, Fault> + 'a;

pub fn server_config(tls: &Tls, fetch: &mut Fetch<'_>) -> Result<Arc<ServerConfig>, Fault> {
    let (chain_text, chain) = load(&tls.certificate, fetch)?;
    let chain = certificates(chain_text, &chain)?;
    let (key_text, key) = load(&tls.key, fetch)?;
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|_| wrong(key_text, "there is no private key in PEM in it, or one with a passphrase"))?;
    let provider = provider(tls)?;
    let verifier = verifier(tls, &provider, fetch)?;
    let builder = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&versions(tls.versions))
        .map_err(|error| wrong(chain_text, &error.to_string()))?;
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => wrong(key_text, "the key is not that of the certificate"),
        error => wrong(chain_text, &error.to_string()),
    })?;
    config.ignore_client_order = tls.prefers_own_order;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn load<'s>(source: &'s Source, fetch: &mut Fetch<'_>) -> Result<(&'s Text, Vec<u8>), Fault> {
    match source {
        Source::File(text) => Ok((text, fetch(text)?)),
        Source::Inline(text) => Ok((text, text.text.clone().into_bytes())),
    }
}

fn certificates(text: &Text, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let list: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match list {
        Ok(list) if !list.is_empty() => Ok(list),
        Ok(_) => Err(wrong(text, "there is no certificate in PEM in it")),
        Err(error) => Err(wrong(text, &format!("the certificates are damaged: {error}"))),
    }
}

fn versions((least, most): (Version, Version)) -> Vec<&'static SupportedProtocolVersion> {
    let all = [(Version::Tls12, &version::TLS12), (Version::Tls13, &version::TLS13)];
    all.into_iter().filter(|(known, _)| (least..=most).contains(known)).map(|(_, version)| version).collect()
}

/// What rustls and ring have of the suites and curves asked for. The list of suites says nothing of TLS 1.3, as in Go.
fn provider(tls: &Tls) -> Result<CryptoProvider, Fault> {
    let mut provider = ring::default_provider();
    if !tls.cipher_suites.is_empty() {
        let name = |suite: &SupportedCipherSuite| go_name(suite);
        let all = provider.cipher_suites.clone();
        let (mut suites, of_tls12): (Vec<_>, Vec<_>) =
            all.iter().copied().partition(|suite| suite.tls13().is_some());
        for text in &tls.cipher_suites {
            let Some(suite) = all.iter().find(|suite| name(suite) == text.text) else {
                let known: Vec<String> = of_tls12.iter().map(go_name).collect();
                return Err(wrong(
                    text,
                    &format!("`{}` is not supported; those are {}", text.text, known.join(", ")),
                ));
            };
            if !suites.contains(suite) {
                suites.push(*suite);
            }
        }
        provider.cipher_suites = suites;
    }
    if !tls.curves.is_empty() {
        let group = |text: &Text| {
            let name = match text.text.as_str() {
                "X25519" => NamedGroup::X25519,
                "CurveP256" => NamedGroup::secp256r1,
                "CurveP384" => NamedGroup::secp384r1,
                other => {
                    let what = format!("`{other}` is not supported; those are X25519, CurveP256, CurveP384");
                    return Err(wrong(text, &what));
                }
            };
            let found = provider.kx_groups.iter().copied().find(|group| group.name() == name);
            found.ok_or_else(|| wrong(text, "it is not supported"))
        };
        provider.kx_groups =
            tls.curves.iter().map(group).collect::<Result<Vec<&dyn SupportedKxGroup>, Fault>>()?;
    }
    Ok(provider)
}

/// The suite as Go, and with it the file, names it.
fn go_name(suite: &SupportedCipherSuite) -> String {
    let name = suite.suite().as_str().unwrap_or_default();
    name.replacen("TLS13_", "TLS_", 1)
}

fn verifier(
    tls: &Tls,
    provider: &CryptoProvider,
    fetch: &mut Fetch<'_>,
) -> Result<Option<Arc<ClientVerifier>>, Fault> {
    let is_mandatory = matches!(tls.client_auth, ClientAuth::RequireAny | ClientAuth::RequireAndVerify);
    let verifies = matches!(tls.client_auth, ClientAuth::VerifyIfGiven | ClientAuth::RequireAndVerify);
    if tls.client_auth == ClientAuth::None {
        return Ok(None);
    }
    let algorithms = provider.signature_verification_algorithms;
    let mut verifier = ClientVerifier::new(algorithms, is_mandatory, tls.allowed_names.clone());
    if let Some(source) = &tls.client_ca {
        let (text, pem) = load(source, fetch)?;
        let authorities = certificates(text, &pem)?;
        let found = verifier.trust(authorities, verifies);
        found.map_err(|error| wrong(text, &format!("a certificate in it cannot be used: {error}")))?;
    } else if verifies {
        let text = |path: &str| Text { line: 0, key: "client_ca_file", text: path.to_owned() };
        let pem = SYSTEM_AUTHORITIES.iter().find_map(|path| fetch(&text(path)).ok()).unwrap_or_default();
        let authorities: Vec<_> = CertificateDer::pem_slice_iter(&pem).flatten().collect();
        verifier.trust_system(&authorities);
    }
    Ok(Some(Arc::new(verifier)))
}

/// One client's TLS. It takes bytes as they come and gives out what is to be sent; the socket is another's.
pub struct Session {
    tls: Box<ServerConnection>,
    /// Bytes that are decrypted and not read yet, of which the socket tells nothing.
    unread: usize,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

impl Session {
    pub fn new(config: &Arc<ServerConfig>) -> Option<Session> {
        Some(Session { tls: Box::new(ServerConnection::new(Arc::clone(config)).ok()?), unread: 0 })
    }

    /// Takes bytes of a handshake, which costs a signature and more. An error leaves an alert to be sent.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), ()> {
        while !bytes.is_empty() {
            match self.tls.read_tls(&mut bytes) {
                Ok(count) if count > 0 => {}
                _ => return Err(()),
            }
            self.unread = self.tls.process_new_packets().map_err(|_| ())?.plaintext_bytes_to_read();
        }
        Ok(())
    }

    pub fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    pub fn has_data(&self) -> bool {
        self.unread > 0
    }

    pub fn wants_write(&self) -> bool {
        self.tls.wants_write()
    }

    pub fn read(&mut self, mut socket: &TcpStream, into: &mut [u8]) -> io::Result<usize> {
        for _ in 0..RECORDS_PER_READ {
            match self.take(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                result => return result,
            }
            if self.tls.read_tls(&mut socket)? == 0 {
                return Ok(0);
            }
            match self.tls.process_new_packets() {
                Ok(state) => {
                    self.unread = state.plaintext_bytes_to_read();
                    // TLS answers some records by itself: a key is renewed, a new handshake refused.
                    self.flush(socket)?;
                }
                Err(error) => {
                    // The alert, if the socket takes it.
                    let _ = self.flush(socket);
                    return Err(io::Error::new(ErrorKind::InvalidData, error));
                }
            }
        }
        self.take(into)
    }

    fn take(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let result = self.tls.reader().read(into);
        self.unread = result.as_ref().map_or(0, |count| self.unread.saturating_sub(*count));
        // A client that has closed without saying so has closed all the same.
        result.or_else(|error| if error.kind() == ErrorKind::UnexpectedEof { Ok(0) } else { Err(error) })
    }

    /// Encrypts what there is room for, and sends what the socket takes.
    pub fn write_vectored(&mut self, socket: &TcpStream, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
        loop {
            let count = self.tls.writer().write_vectored(bytes)?;
            let is_flushed = self.flush(socket)?;
            match (count, is_flushed) {
                (0, true) if bytes.iter().all(|slice| slice.is_empty()) => return Ok(0),
                (0, true) => {}
                (0, false) => return Err(ErrorKind::WouldBlock.into()),
                (count, _) => return Ok(count),
            }
        }
    }

    /// `true` when everything has gone.
    pub fn flush(&mut self, mut socket: &TcpStream) -> io::Result<bool> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Says that nothing comes any more.
    pub fn close(&mut self) {
        self.tls.send_close_notify();
    }
}
