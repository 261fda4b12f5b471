//! A certificate and its key, from two files.

use firstlight_protocol::Timestamp;
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::Arc,
};
use tokio_rustls::rustls::{
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use x509_cert::der::Decode;

/// Longest file. A chain of ten certificates has about 20 kB.
const MOST: u64 = 1 << 20;

/// What a handshake shows.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(super) key: Arc<CertifiedKey>,
    /// When the server's own certificate ends.
    pub(super) ends_at: Timestamp,
}

/// The cryptography of all TLS here: the same library as the clients' and the tokens'.
pub(super) fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

/// Reads both files and checks that they belong together.
///
/// # Errors
/// A sentence for the operator. It quotes nothing of the files.
pub(crate) fn read(certificate: &Path, key: &Path) -> Result<Pair, String> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&bytes(certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|_| format!("{} is damaged: it has to be PEM.", certificate.display()))?;
    let Some(own) = chain.first() else {
        return Err(format!("{} holds no certificate: it has to be PEM.", certificate.display()));
    };
    let ends_at = ends_at(own).ok_or_else(|| format!("{} holds no X.509 certificate.", certificate.display()))?;
    let secret = PrivateKeyDer::from_pem_slice(&bytes(key)?)
        .map_err(|_| format!("{} holds no private key: it has to be PEM, without a passphrase.", key.display()))?;
    let pair = CertifiedKey::from_der(chain, secret, &provider()).map_err(|e| {
        format!("{} and {} do not belong together, or can't be used ({e}).", certificate.display(), key.display())
    })?;
    Ok(Pair { key: Arc::new(pair), ends_at })
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MOST).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|e| format!("{} can't be read ({e}).", path.display()))
}

fn ends_at(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let parsed = x509_cert::Certificate::from_der(certificate).ok()?;
    let ends = parsed.tbs_certificate.validity.not_after.to_unix_duration();
    i64::try_from(ends.as_millis()).ok().map(Timestamp)
}
