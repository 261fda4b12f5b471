//! Invites: how a new device, or a new partner organisation, comes to be trusted without trusting the server.
//!
//! 1. An admin's client makes an invite: an id and a secret of 32 random bytes. It tells the server the id and the digest
//!    of the *claim key* ([`InviteKeys::claim_digest`]), and gives the [`InviteLink`] to the person by another way.
//! 2. The newcomer's client shows the claim key to the server once, and leaves a sealed request there
//!    ([`SigningRequest`] or [`PartnerRequest`] in [`Sealed`]).
//! 3. The admin's client fetches the request, checks its MAC and its proof of possession ([`Sealed::open`]), and signs: a
//!    device certificate, or a [`crate::cert::PartnerStatement`].
//!
//! The server never learns the secret or the MAC key, so it can neither put a key of its own in the place of the
//! newcomer's, nor show the newcomer a root other than the one whose fingerprint stands in the link.

mod keys;
mod link;
mod request;
#[cfg(test)]
mod tests;

pub use keys::InviteKeys;
pub use link::{InviteKind, InviteLink, MAX_LINK_BYTES, ServerUrl};
pub use request::{InviteRequest, PartnerRequest, Sealed, SigningRequest};

use crate::cert::ChainError;
use crate::signed::StatementError;
use crate::{ErrorCode, Problem};

/// Why an invite link or a request is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// The text is not an invite link, was cut off, or was changed.
    #[error("this is not a complete invite link")]
    Link,
    /// Not `https://host[:port]`, or `http://` towards another machine than this one.
    #[error("the server's address is not https://host[:port]")]
    Server,
    /// The secret is not 32 bytes in base64url.
    #[error("the invite's secret is not of the right form")]
    Secret,
    /// The request's MAC does not verify: it was made without the invite's secret, or changed since.
    #[error("the request was not made with this invite's secret")]
    Mac,
    /// The request belongs to another invite.
    #[error("the request belongs to another invite")]
    OtherInvite,
    /// The request is too large, not of its documented shape, or lacks the proof that its maker holds the key.
    #[error("{0}")]
    Request(#[from] StatementError),
    /// The root certificate in a partner's request does not verify, or is not of the organisation that the request names.
    #[error("{0}")]
    Root(#[from] ChainError),
}

impl From<InviteError> for Problem {
    fn from(error: InviteError) -> Self {
        let code = match error {
            InviteError::Request(statement) => return statement.into(),
            InviteError::Root(chain) => return chain.into(),
            InviteError::Link | InviteError::Server | InviteError::Secret => ErrorCode::InvalidValue,
            InviteError::Mac | InviteError::OtherInvite => ErrorCode::InviteInvalid,
        };
        Self::with(code, format!("Namely, {error}."))
    }
}
