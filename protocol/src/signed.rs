//! Signatures outside certificates and MLS: statements that organisations and devices sign, and the sign-in challenge.
//!
//! Every signature is over `"firstlight/v1/" ‖ context ‖ 0x00 ‖ payload`, so that one made for one purpose is worth nothing
//! for another, and Ed25519, but for a duty key's. MLS signatures begin with the length of an "MLS 1.0 " label (RFC 9420
//! §5.1.2) and certificates with a DER SEQUENCE, so neither can be mistaken for one of these. Verification is strict: no
//! small-order keys, no second encoding of a signature (`verify_strict` of ed25519-dalek, beyond RFC 8032 §5.1.7).

use crate::cert::ChainError;
use crate::wire::{Malformed, from_cbor, to_cbor};
use crate::{Bytes, DeviceId, ErrorCode, Problem};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{fmt, marker::PhantomData};

/// The largest payload of a statement or of an enrolment request, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 256 * 1024;

/// Something that is signed. The context names the purpose, once and for good.
pub trait Statement: Serialize + DeserializeOwned {
    /// The purpose: lower-case words joined by `-`, unique in this crate.
    const CONTEXT: &'static str;
}

/// Why a statement is not believed, or changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Larger than its limit.
    #[error("the statement is too large")]
    TooLarge,
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
    /// It is signed, but not of its documented shape.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The signer's chain does not verify or is not trusted.
    #[error("{0}")]
    Chain(#[from] ChainError),
    /// The signer's organisation may not state this.
    #[error("that organisation may not make this statement")]
    NotAllowed,
    /// A newer statement, or another one with the same number, is known already.
    #[error("a newer statement is already known")]
    Stale,
    /// A revocation list leaves out what an earlier one revoked: a revocation is for good.
    #[error("the list takes back an earlier revocation")]
    Unrevokes,
}

impl From<StatementError> for Problem {
    fn from(error: StatementError) -> Self {
        let code = match error {
            StatementError::Chain(chain) => return chain.into(),
            StatementError::TooLarge => ErrorCode::TooLarge,
            StatementError::Signature => ErrorCode::BadSignature,
            StatementError::Malformed(_) => ErrorCode::BadRequest,
            StatementError::NotAllowed => ErrorCode::Forbidden,
            StatementError::Stale => ErrorCode::Conflict,
            StatementError::Unrevokes => ErrorCode::InvalidValue,
        };
        Self::with(code, format!("Namely, {error}."))
    }
}

/// A signed statement with the chain of whoever signed it.
///
/// The payload is kept as the bytes that were signed, so no canonical encoding is needed, and it can only be read
/// through a check of the signature. [`crate::cert::Anchors`] says whether the chain is trusted.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Signed<T> {
    /// The statement in CBOR.
    payload: Bytes,
    /// Certificates of the signer, leaf first: (signer, root), (root) or (device, signer, root).
    chain: Vec<Bytes>,
    /// 64 bytes.
    signature: Bytes,
    #[serde(skip)]
    statement: PhantomData<fn() -> T>,
}

impl<T: Statement> Signed<T> {
    /// Signs a statement. `chain` belongs to `key`, leaf first.
    pub fn sign(statement: &T, key: &SigningKey, chain: Vec<Bytes>) -> Self {
        let payload = to_cbor(statement);
        let signature = sign_bytes(T::CONTEXT, &payload, key).to_vec().into();
        Self { payload: payload.into(), chain, signature, statement: PhantomData }
    }

    /// Reads the statement, after its signature by `key` is verified. Nothing of the payload is decoded before.
    pub fn verify(&self, key: &[u8; 32]) -> Result<T, StatementError> {
        if self.payload.len() > MAX_PAYLOAD_BYTES {
            return Err(StatementError::TooLarge);
        }
        verify_bytes(T::CONTEXT, &self.payload, key, &self.signature)?;
        Ok(from_cbor(&self.payload)?)
    }

    /// The signer's chain, as claimed.
    pub fn chain(&self) -> &[Bytes] {
        &self.chain
    }
}

impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        let Self { payload, chain, signature, statement } = self;
        Self { payload: payload.clone(), chain: chain.clone(), signature: signature.clone(), statement: *statement }
    }
}

impl<T> PartialEq for Signed<T> {
    fn eq(&self, other: &Self) -> bool {
        (&self.payload, &self.chain, &self.signature) == (&other.payload, &other.chain, &other.signature)
    }
}

impl<T> Eq for Signed<T> {}

impl<T> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signed({} bytes)", self.payload.len())
    }
}

#[cfg(feature = "openapi")]
impl<T> utoipa::PartialSchema for Signed<T> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::{ArrayBuilder, ObjectBuilder};
        ObjectBuilder::new()
            .description(Some("A signed statement: CBOR payload, chain of the signer (leaf first), Ed25519 signature"))
            .property("payload", Bytes::schema())
            .required("payload")
            .property("chain", ArrayBuilder::new().items(Bytes::schema()))
            .required("chain")
            .property("signature", Bytes::schema())
            .required("signature")
            .into()
    }
}

#[cfg(feature = "openapi")]
impl<T> utoipa::ToSchema for Signed<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        "SignedStatement".into()
    }
}

/// The bytes that a signature or MAC for `context` covers.
pub(crate) fn message(context: &str, payload: &[u8]) -> Vec<u8> {
    [b"firstlight/v1/", context.as_bytes(), b"\0", payload].concat()
}

/// Signs `payload` for the purpose `context`.
pub(crate) fn sign_bytes(context: &str, payload: &[u8], key: &SigningKey) -> [u8; 64] {
    key.sign(&message(context, payload)).to_bytes()
}

/// Verifies a signature of `payload` for the purpose `context`.
pub(crate) fn verify_bytes(
    context: &str,
    payload: &[u8],
    key: &[u8; 32],
    signature: &[u8],
) -> Result<(), StatementError> {
    verify_message(&message(context, payload), key, signature)
}

fn verify_message(message: &[u8], key: &[u8; 32], signature: &[u8]) -> Result<(), StatementError> {
    let signature = Signature::from_slice(signature).map_err(|_| StatementError::Signature)?;
    let key = VerifyingKey::from_bytes(key).map_err(|_| StatementError::Signature)?;
    key.verify_strict(message, &signature).map_err(|_| StatementError::Signature)
}

const SIGN_IN: &str = "sign-in";
const DUTY_SIGN_IN: &str = "duty-sign-in";
const RESTORE: &str = "restore";

/// What a device signs to sign in: the context `sign-in` and the CBOR array `[server, device, challenge]`.
///
/// `server` is the server's origin as in the invite link ([`crate::invite::ServerUrl`]), so that a signature obtained by
/// one server is worth nothing at another. `challenge` is the server's random bytes, used once.
pub fn challenge_message(server: &str, device: DeviceId, challenge: &[u8]) -> Vec<u8> {
    message(SIGN_IN, &challenged(server, device, challenge))
}

/// What a duty key signs: as [`challenge_message`], in the context `duty-sign-in`. The signature is ECDSA over P-256 and
/// SHA-256 and not Ed25519, because it is made by a key that a browser holds and never gives out.
pub fn duty_challenge_message(server: &str, device: DeviceId, challenge: &[u8]) -> Vec<u8> {
    message(DUTY_SIGN_IN, &challenged(server, device, challenge))
}

fn challenged(server: &str, device: DeviceId, challenge: &[u8]) -> Vec<u8> {
    to_cbor(&(server, device, serde_bytes::Bytes::new(challenge)))
}

/// Signs a sign-in challenge with the device's key.
pub fn sign_challenge(key: &SigningKey, server: &str, device: DeviceId, challenge: &[u8]) -> [u8; 64] {
    key.sign(&challenge_message(server, device, challenge)).to_bytes()
}

/// Verifies a signed sign-in challenge with the public key of the device's certificate.
pub fn verify_challenge(
    key: &[u8; 32],
    server: &str,
    device: DeviceId,
    challenge: &[u8],
    signature: &[u8],
) -> Result<(), StatementError> {
    verify_message(&challenge_message(server, device, challenge), key, signature)
}

/// Signs, with an organisation's root key, that this device is one of its admins': what a sign-in challenge of the device
/// says, in the context `restore`.
pub fn sign_restore(root_key: &SigningKey, server: &str, device: DeviceId, challenge: &[u8]) -> [u8; 64] {
    sign_bytes(RESTORE, &challenged(server, device, challenge), root_key)
}

/// Verifies such a signature with the public key of the root's certificate.
pub fn verify_restore(
    root_key: &[u8; 32],
    server: &str,
    device: DeviceId,
    challenge: &[u8],
    signature: &[u8],
) -> Result<(), StatementError> {
    verify_bytes(RESTORE, &challenged(server, device, challenge), root_key, signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Note(String);
    impl Statement for Note {
        const CONTEXT: &'static str = "test-note";
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct OtherNote(String);
    impl Statement for OtherNote {
        const CONTEXT: &'static str = "test-other-note";
    }

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn public(seed: u8) -> [u8; 32] {
        key(seed).verifying_key().to_bytes()
    }

    #[test]
    fn statements_round_trip_in_json_and_cbor() {
        let signed = Signed::sign(&Note("on duty".into()), &key(1), vec![Bytes(vec![1, 2])]);
        assert_eq!(signed.verify(&public(1)).unwrap(), Note("on duty".into()));
        let json = serde_json::to_string(&signed).unwrap();
        assert_eq!(serde_json::from_str::<Signed<Note>>(&json).unwrap(), signed);
        assert_eq!(from_cbor::<Signed<Note>>(&to_cbor(&signed)).unwrap(), signed);
        assert_eq!(signed.chain(), [Bytes(vec![1, 2])]);
    }

    #[test]
    fn another_key_context_payload_or_signature_is_refused() {
        let signed = Signed::sign(&Note("a".into()), &key(1), vec![]);
        assert_eq!(signed.verify(&public(2)), Err(StatementError::Signature));
        let other: Signed<OtherNote> = from_cbor(&to_cbor(&signed)).unwrap();
        assert_eq!(other.verify(&public(1)), Err(StatementError::Signature), "a signature is for one purpose");
        for (i, change) in [0usize, 1].iter().enumerate() {
            let mut bad = signed.clone();
            if *change == 0 {
                bad.payload.0[0] ^= 1
            } else {
                bad.signature.0[5] ^= 1
            }
            assert_eq!(bad.verify(&public(1)), Err(StatementError::Signature), "{i}");
        }
        let mut large = signed.clone();
        large.payload.0.resize(MAX_PAYLOAD_BYTES + 1, 0);
        assert_eq!(large.verify(&public(1)), Err(StatementError::TooLarge));
        let mut short = signed;
        short.signature.0.pop();
        assert_eq!(short.verify(&public(1)), Err(StatementError::Signature));
    }

    #[test]
    fn signed_bytes_of_another_shape_are_malformed() {
        let payload = to_cbor(&7u8);
        let signature = sign_bytes(Note::CONTEXT, &payload, &key(1)).to_vec().into();
        let signed = Signed::<Note> { payload: payload.into(), chain: vec![], signature, statement: PhantomData };
        assert!(matches!(signed.verify(&public(1)), Err(StatementError::Malformed(_))));
    }

    #[test]
    fn a_challenge_is_for_one_server_one_device_and_one_time() {
        let (server, device) = ("https://host.example.org", DeviceId([3; 16]));
        let signature = sign_challenge(&key(1), server, device, &[9; 32]);
        assert_eq!(verify_challenge(&public(1), server, device, &[9; 32], &signature), Ok(()));
        let refused = Err(StatementError::Signature);
        assert_eq!(verify_challenge(&public(2), server, device, &[9; 32], &signature), refused);
        assert_eq!(verify_challenge(&public(1), "https://other.example.org", device, &[9; 32], &signature), refused);
        assert_eq!(verify_challenge(&public(1), server, DeviceId([4; 16]), &[9; 32], &signature), refused);
        assert_eq!(verify_challenge(&public(1), server, device, &[8; 32], &signature), refused);
        assert_eq!(verify_challenge(&public(1), server, device, &[9; 32], &signature[..63]), refused);
        assert_eq!(
            verify_restore(&public(1), server, device, &[9; 32], &signature),
            refused,
            "it is for another purpose"
        );
        let restore = sign_restore(&key(1), server, device, &[9; 32]);
        assert_eq!(verify_restore(&public(1), server, device, &[9; 32], &restore), Ok(()));
        // The identity point as key verifies anything unless small-order keys are refused.
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut forged = [0; 64];
        forged[0] = 1;
        assert_eq!(verify_challenge(&identity, server, device, &[9; 32], &forged), refused);
    }

    #[test]
    fn the_challenge_message_is_the_documented_bytes() {
        let mut expected = b"firstlight/v1/sign-in\0\x83\x68https://\x50".to_vec();
        expected.extend([7; 16]);
        expected.extend(b"\x42\x01\x02");
        assert_eq!(challenge_message("https://", DeviceId([7; 16]), &[1, 2]), expected);
        let duty = [b"firstlight/v1/duty-sign-in\0", &expected[b"firstlight/v1/sign-in\0".len()..]].concat();
        assert_eq!(duty_challenge_message("https://", DeviceId([7; 16]), &[1, 2]), duty);
    }

    proptest! {
        #[test]
        fn garbage_is_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), k in any::<[u8; 32]>()) {
            prop_assert!(verify_bytes("x", &bytes, &k, &bytes).is_err());
            if let Ok(signed) = from_cbor::<Signed<Note>>(&bytes) {
                prop_assert!(signed.verify(&k).is_err());
            }
        }
    }
}
