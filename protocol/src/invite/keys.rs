//! What an invite's secret is good for: one key to claim the invite with, and one that the server never sees.

use super::InviteError;
use crate::signed::message;
use crate::{InviteId, Secret};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// The keys derived from an invite's secret by HKDF-SHA256 (RFC 5869): input the 32 bytes of the secret, salt the 16
/// bytes of the invite's id, info `firstlight/v1/invite-claim` and `firstlight/v1/invite-request`, 32 bytes each.
#[derive(Clone)]
pub struct InviteKeys {
    invite: InviteId,
    claim: Secret,
    request: Zeroizing<[u8; 32]>,
}

impl InviteKeys {
    /// Derives the keys of an invite from its secret (32 bytes in base64url).
    pub fn derive(invite: InviteId, secret: &Secret) -> Result<Self, InviteError> {
        let bytes = read_secret(secret)?;
        let hkdf = Hkdf::<Sha256>::new(Some(invite.as_bytes()), bytes.as_slice());
        let expand = |info: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            // 32 bytes are far below HKDF's limit of 255 * 32, so this cannot fail.
            hkdf.expand(info, key.as_mut_slice()).map_err(|_| InviteError::Secret)?;
            Ok::<_, InviteError>(key)
        };
        let claim = Secret::from_random(expand(b"firstlight/v1/invite-claim")?.as_slice());
        Ok(Self { invite, claim, request: expand(b"firstlight/v1/invite-request")? })
    }

    /// The invite.
    pub fn invite(&self) -> InviteId {
        self.invite
    }

    /// The claim key in base64url: shown to the server once, as proof of holding the link.
    pub fn claim(&self) -> &Secret {
        &self.claim
    }

    /// SHA-256 of the claim key's text: all that the server stores.
    pub fn claim_digest(&self) -> [u8; 32] {
        self.claim.digest()
    }

    /// HMAC-SHA256 (RFC 2104) under the request key, which never leaves the clients.
    pub(super) fn mac(&self, context: &str, bytes: &[u8]) -> Result<[u8; 32], InviteError> {
        Ok(self.hmac(context, bytes)?.finalize().into_bytes().into())
    }

    /// Checks such a MAC in constant time.
    pub(super) fn check_mac(&self, context: &str, bytes: &[u8], mac: &[u8]) -> Result<(), InviteError> {
        self.hmac(context, bytes)?.verify_slice(mac).map_err(|_| InviteError::Mac)
    }

    fn hmac(&self, context: &str, bytes: &[u8]) -> Result<Hmac<Sha256>, InviteError> {
        let mut hmac = <Hmac<Sha256> as Mac>::new_from_slice(self.request.as_slice()).map_err(|_| InviteError::Mac)?;
        hmac.update(&message(context, bytes));
        Ok(hmac)
    }
}

impl std::fmt::Debug for InviteKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InviteKeys({})", self.invite)
    }
}

/// The 32 bytes of an invite's secret.
pub(super) fn read_secret(secret: &Secret) -> Result<Zeroizing<[u8; 32]>, InviteError> {
    let mut bytes = URL_SAFE_NO_PAD.decode(secret.reveal()).map_err(|_| InviteError::Secret)?;
    let fixed = <[u8; 32]>::try_from(bytes.as_slice()).map(Zeroizing::new).map_err(|_| InviteError::Secret);
    bytes.zeroize();
    fixed
}
