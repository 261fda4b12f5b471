//! HPKE's own provider, narrowed in the same way.

use hpke_rs_crypto::{
    HpkeCrypto,
    error::Error,
    types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm},
};
use hpke_rs_rust_crypto::{HpkeRustCrypto, HpkeRustCryptoPrng};

/// The two KEMs, SHA-256 and AES-128.
#[derive(Debug)]
pub(super) struct Narrow;

fn x25519(kem: KemAlgorithm) -> Result<(), Error> {
    if kem == KemAlgorithm::DhKem25519 { Ok(()) } else { Err(Error::UnknownKemAlgorithm) }
}

fn xwing(kem: KemAlgorithm) -> Result<(), Error> {
    if kem == KemAlgorithm::XWingDraft06 { Ok(()) } else { Err(Error::UnknownKemAlgorithm) }
}

impl HpkeCrypto for Narrow {
    type HpkePrng = HpkeRustCryptoPrng;

    fn name() -> String {
        HpkeRustCrypto::name()
    }

    fn supports_kdf(kdf: KdfAlgorithm) -> Result<(), Error> {
        if kdf == KdfAlgorithm::HkdfSha256 { Ok(()) } else { Err(Error::UnknownKdfAlgorithm) }
    }

    fn supports_kem(kem: KemAlgorithm) -> Result<(), Error> {
        x25519(kem).or_else(|_| xwing(kem))
    }

    fn supports_aead(aead: AeadAlgorithm) -> Result<(), Error> {
        if aead == AeadAlgorithm::Aes128Gcm { Ok(()) } else { Err(Error::UnknownAeadAlgorithm) }
    }

    fn prng() -> HpkeRustCryptoPrng {
        HpkeRustCrypto::prng()
    }

    fn kdf_extract(kdf: KdfAlgorithm, salt: &[u8], ikm: &[u8]) -> Result<Vec<u8>, Error> {
        Self::supports_kdf(kdf)?;
        HpkeRustCrypto::kdf_extract(KdfAlgorithm::HkdfSha256, salt, ikm)
    }

    fn kdf_expand(kdf: KdfAlgorithm, prk: &[u8], info: &[u8], len: usize) -> Result<Vec<u8>, Error> {
        Self::supports_kdf(kdf)?;
        HpkeRustCrypto::kdf_expand(KdfAlgorithm::HkdfSha256, prk, info, len)
    }

    fn dh(kem: KemAlgorithm, public: &[u8], secret: &[u8]) -> Result<Vec<u8>, Error> {
        x25519(kem)?;
        HpkeRustCrypto::dh(KemAlgorithm::DhKem25519, public, secret)
    }

    fn secret_to_public(kem: KemAlgorithm, secret: &[u8]) -> Result<Vec<u8>, Error> {
        x25519(kem)?;
        HpkeRustCrypto::secret_to_public(KemAlgorithm::DhKem25519, secret)
    }

    /// Only X25519 asks for it: X-Wing's encapsulation makes its own.
    fn kem_key_gen(kem: KemAlgorithm, prng: &mut HpkeRustCryptoPrng) -> Result<(Vec<u8>, Vec<u8>), Error> {
        x25519(kem)?;
        HpkeRustCrypto::kem_key_gen(KemAlgorithm::DhKem25519, prng)
    }

    fn kem_key_gen_derand(kem: KemAlgorithm, seed: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
        xwing(kem)?;
        HpkeRustCrypto::kem_key_gen_derand(KemAlgorithm::XWingDraft06, seed)
    }

    fn kem_encaps(
        kem: KemAlgorithm,
        public: &[u8],
        prng: &mut HpkeRustCryptoPrng,
    ) -> Result<(Vec<u8>, Vec<u8>), Error> {
        xwing(kem)?;
        HpkeRustCrypto::kem_encaps(KemAlgorithm::XWingDraft06, public, prng)
    }

    fn kem_decaps(kem: KemAlgorithm, ciphertext: &[u8], secret: &[u8]) -> Result<Vec<u8>, Error> {
        xwing(kem)?;
        HpkeRustCrypto::kem_decaps(KemAlgorithm::XWingDraft06, ciphertext, secret)
    }

    /// Asked for by curves whose keys need it, and ours is not one.
    fn dh_validate_sk(_: KemAlgorithm, _: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::UnknownKemAlgorithm)
    }

    fn aead_seal(aead: AeadAlgorithm, key: &[u8], nonce: &[u8], aad: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        Self::supports_aead(aead)?;
        HpkeRustCrypto::aead_seal(AeadAlgorithm::Aes128Gcm, key, nonce, aad, message)
    }

    fn aead_open(aead: AeadAlgorithm, key: &[u8], nonce: &[u8], aad: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
        Self::supports_aead(aead)?;
        HpkeRustCrypto::aead_open(AeadAlgorithm::Aes128Gcm, key, nonce, aad, message)
    }
}
