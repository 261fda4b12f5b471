//! Sealing at rest: what reaches a disk is authenticated ciphertext under names that say nothing.
//!
//! A random data key encrypts everything. What the person has (a passphrase) or the system keeps (32 bytes) only wraps
//! that key, in an [`Envelope`] that stands in the clear beside the data; changing the passphrase writes a new envelope
//! and nothing else. Values are XChaCha20-Poly1305 with a random nonce (192 bits: no two will meet), bound to the table
//! and name under which they stand, so that nobody can exchange two of them. Names are HMAC-SHA256.

use super::StorageError;
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use firstlight_protocol::{
    Bytes,
    wire::{from_cbor, to_cbor},
};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Version of the format, part of everything that is authenticated.
pub const FORMAT: u32 = 1;
const NONCE: usize = 24;
/// Largest memory in KiB, and most passes, that an envelope may ask for: a damaged or hostile one must not exhaust the
/// machine.
const MAX_MEMORY: u32 = 1 << 20;
const MAX_PASSES: u32 = 16;

type Key = Zeroizing<[u8; 32]>;

/// What opens a store.
#[derive(Clone)]
pub enum Unlock {
    /// A passphrase; the key comes from it by Argon2id.
    Passphrase(Zeroizing<String>),
    /// 32 bytes that the system keeps (a keychain, a key file outside the state directory).
    Key(Zeroizing<[u8; 32]>),
}

impl Unlock {
    /// By passphrase.
    pub fn passphrase(text: impl Into<String>) -> Self {
        Self::Passphrase(Zeroizing::new(text.into()))
    }
}

impl std::fmt::Debug for Unlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unlock")
    }
}

/// The wrapped data key, and how to unwrap it. Not secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Envelope {
    format: u32,
    method: Method,
    nonce: Bytes,
    wrapped: Bytes,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Method {
    /// RFC 9106; memory in KiB.
    Argon2id {
        salt: Bytes,
        memory: u32,
        passes: u32,
        lanes: u32,
    },
    Key,
}

impl Method {
    /// RFC 9106 §4, second choice: 64 MiB, three passes; one lane, as a browser has one.
    fn argon2id() -> Result<Self, StorageError> {
        Ok(Self::Argon2id { salt: Bytes(random::<16>()?.to_vec()), memory: 64 << 10, passes: 3, lanes: 1 })
    }

    fn wrapping_key(&self, unlock: &Unlock) -> Result<Key, StorageError> {
        match (self, unlock) {
            (Self::Argon2id { salt, memory, passes, lanes }, Unlock::Passphrase(passphrase)) => {
                if *memory > MAX_MEMORY || *passes > MAX_PASSES {
                    return Err(StorageError::Damaged);
                }
                let params = Params::new(*memory, *passes, *lanes, Some(32)).map_err(|_| StorageError::Damaged)?;
                let mut key = Zeroizing::new([0; 32]);
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                    .hash_password_into(passphrase.as_bytes(), salt, &mut *key)
                    .map_err(|_| StorageError::Damaged)?;
                Ok(key)
            }
            (Self::Key, Unlock::Key(key)) => Ok(key.clone()),
            _ => Err(StorageError::WrongKey),
        }
    }
}

/// Encrypts and decrypts what a store holds.
#[derive(Clone)]
pub struct Sealer {
    data_key: Key,
    values: XChaCha20Poly1305,
    names: Key,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// A fresh data key.
    pub fn generate() -> Result<Self, StorageError> {
        Ok(Self::new(Zeroizing::new(random()?)))
    }

    fn new(data_key: Key) -> Self {
        let derived = |purpose: &[u8]| -> Key { Zeroizing::new(hmac(&data_key, &[purpose])) };
        let values = XChaCha20Poly1305::new(derived(b"firstlight/store/values").as_slice().into());
        Self { values, names: derived(b"firstlight/store/names"), data_key }
    }

    /// Wraps the data key for `unlock`.
    pub fn wrap(&self, unlock: &Unlock) -> Result<Envelope, StorageError> {
        let method = match unlock {
            Unlock::Passphrase(_) => Method::argon2id()?,
            Unlock::Key(_) => Method::Key,
        };
        let nonce = random::<NONCE>()?;
        let cipher = XChaCha20Poly1305::new(method.wrapping_key(unlock)?.as_slice().into());
        let payload = Payload { msg: self.data_key.as_slice(), aad: &to_cbor(&(FORMAT, &method)) };
        let wrapped = cipher.encrypt(XNonce::from_slice(&nonce), payload).map_err(|_| StorageError::Damaged)?;
        Ok(Envelope { format: FORMAT, method, nonce: Bytes(nonce.to_vec()), wrapped: Bytes(wrapped) })
    }

    /// Opens an envelope. A wrong passphrase or key is [`StorageError::WrongKey`], as far as it can be told from a
    /// damaged envelope: both fail the same authentication.
    pub fn unwrap(envelope: &[u8], unlock: &Unlock) -> Result<Self, StorageError> {
        let envelope: Envelope = from_cbor(envelope).map_err(|_| StorageError::Damaged)?;
        if envelope.format > FORMAT {
            return Err(StorageError::Newer(envelope.format));
        }
        if envelope.nonce.len() != NONCE {
            return Err(StorageError::Damaged);
        }
        let cipher = XChaCha20Poly1305::new(envelope.method.wrapping_key(unlock)?.as_slice().into());
        let payload = Payload { msg: &envelope.wrapped, aad: &to_cbor(&(envelope.format, &envelope.method)) };
        let key = cipher.decrypt(XNonce::from_slice(&envelope.nonce), payload).map_err(|_| StorageError::WrongKey)?;
        let key = Zeroizing::new(key);
        let key = <[u8; 32]>::try_from(key.as_slice()).map_err(|_| StorageError::Damaged)?;
        Ok(Self::new(Zeroizing::new(key)))
    }

    /// The name under which a key stands in a table.
    pub fn name(&self, table: &str, key: &[u8]) -> [u8; 32] {
        hmac(&self.names, &[table.as_bytes(), &[0], key])
    }

    /// Encrypts a value for its place.
    pub fn seal(&self, table: &str, name: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, StorageError> {
        let nonce = random::<NONCE>()?;
        let payload = Payload { msg: plaintext, aad: &place(table, name) };
        let sealed = self.values.encrypt(XNonce::from_slice(&nonce), payload).map_err(|_| StorageError::Damaged)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts a value that stands in its place.
    pub fn open(&self, table: &str, name: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StorageError> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or(StorageError::Damaged)?;
        let payload = Payload { msg: sealed, aad: &place(table, name) };
        self.values.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| StorageError::Damaged)
    }
}

impl Envelope {
    /// The envelope's bytes: CBOR.
    pub fn encode(&self) -> Vec<u8> {
        to_cbor(self)
    }
}

/// What a value is bound to.
fn place(table: &str, name: &[u8]) -> Vec<u8> {
    [&FORMAT.to_be_bytes(), table.as_bytes(), &[0], name].concat()
}

fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // RFC 2104: a key shorter than the hash's block of 64 bytes is filled up with zeros.
    let mut block = Zeroizing::new([0; 64]);
    block[..32].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as KeyInit>::new(block.as_slice().into());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// Random bytes of the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StorageError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| StorageError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_only_in_its_place() {
        let sealer = Sealer::generate().unwrap();
        let sealed = sealer.seal("entries", b"a", b"content").unwrap();
        assert_eq!(sealer.open("entries", b"a", &sealed).unwrap(), b"content");
        for (table, name) in [("entries", b"b"), ("lines", b"a")] {
            assert!(matches!(sealer.open(table, name, &sealed), Err(StorageError::Damaged)));
        }
        for flip in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[flip] ^= 1;
            assert!(sealer.open("entries", b"a", &bad).is_err());
        }
        assert!(sealer.open("entries", b"a", &sealed[..10]).is_err());
        assert!(Sealer::generate().unwrap().open("entries", b"a", &sealed).is_err());
    }

    #[test]
    fn the_envelope_opens_for_its_key_alone_and_bounds_what_it_asks_for() {
        let sealer = Sealer::generate().unwrap();
        let key = Unlock::Key(Zeroizing::new([7; 32]));
        let mut envelope = sealer.wrap(&key).unwrap();
        let opened = Sealer::unwrap(&envelope.encode(), &key).unwrap();
        assert_eq!(opened.name("t", b"k"), sealer.name("t", b"k"));
        let wrong = Unlock::Key(Zeroizing::new([8; 32]));
        assert!(matches!(Sealer::unwrap(&envelope.encode(), &wrong), Err(StorageError::WrongKey)));
        let passphrase = Unlock::passphrase("seven words");
        assert!(matches!(Sealer::unwrap(&envelope.encode(), &passphrase), Err(StorageError::WrongKey)));
        envelope.method = Method::Argon2id { salt: Bytes(vec![1; 16]), memory: u32::MAX, passes: 3, lanes: 1 };
        assert!(matches!(Sealer::unwrap(&envelope.encode(), &passphrase), Err(StorageError::Damaged)));
        envelope.format = 2;
        assert!(matches!(Sealer::unwrap(&envelope.encode(), &key), Err(StorageError::Newer(2))));
    }
}
