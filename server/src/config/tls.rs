//! TLS by the server itself.

use super::{
    Config,
    check::{Found, between},
};
use crate::listen::pair;
use firstlight_protocol::policy::Millis;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The server's certificate. Both files are read again while the server runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tls {
    /// The certificate and its chain, PEM, the server's own first. Empty: no TLS here, a proxy does it.
    pub certificate_file: PathBuf,
    /// Its private key, PEM (PKCS #8, PKCS #1 or SEC 1), without a passphrase.
    pub key_file: PathBuf,
    /// How often the files are looked at. SIGHUP has them looked at in the moment.
    pub reload_every_ms: Millis,
    /// A handshake has to be over within this.
    pub handshake_timeout_ms: Millis,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            certificate_file: PathBuf::new(),
            key_file: PathBuf::new(),
            reload_every_ms: Millis::seconds(10),
            handshake_timeout_ms: Millis::seconds(10),
        }
    }
}

impl Tls {
    /// Whether the server does TLS.
    pub fn is_on(&self) -> bool {
        !self.certificate_file.as_os_str().is_empty()
    }

    pub(super) fn check(&self, whole: &Config, found: &mut Found) {
        between(found, "tls.reload_every_ms", self.reload_every_ms.0, 100, 3_600_000);
        between(found, "tls.handshake_timeout_ms", self.handshake_timeout_ms.0, 100, 60_000);
        let key = !self.key_file.as_os_str().is_empty();
        match (self.is_on(), key) {
            (false, false) => return,
            (true, false) => found.push(("tls.key_file", "Name the file with the certificate's private key.".into())),
            (false, true) => found.push(("tls.certificate_file", "Name the file with the key's certificate.".into())),
            (true, true) => {
                if let Err(problem) = pair::read(&self.certificate_file, &self.key_file) {
                    found.push(("tls.certificate_file", problem));
                }
            }
        }
        if !whole.name.starts_with("https://") {
            found.push(("name", "With TLS in the server, the address that clients use begins with https://.".into()));
        }
    }
}
