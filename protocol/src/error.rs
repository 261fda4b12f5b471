//! Errors on the wire: a stable code, a plain sentence, and nothing that a person wrote (RFC 9457 problem details).

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = ($text:literal, $status:literal, $title:literal)),+ $(,)?) => {
        /// A stable error code. Programs decide by it; the sentence beside it is for people.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum ErrorCode { $($(#[$doc])* $variant),+ }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code's word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }

            /// What happened, in a plain sentence.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
        }
    };
}

codes! {
    /// The request is not of the documented shape.
    BadRequest = ("bad_request", 400, "The request is not of the documented shape."),
    /// A field has a value that isn't allowed.
    InvalidValue = ("invalid_value", 422, "A value is not allowed."),
    /// No or no valid access token.
    Unauthenticated = ("unauthenticated", 401, "Sign in first: the access token is missing or not valid."),
    /// The access token has expired; refresh it.
    TokenExpired = ("token_expired", 401, "The access token has expired: refresh it."),
    /// The challenge signature does not verify, or the challenge was used or has expired.
    BadSignature = ("bad_signature", 401, "The signature does not verify, or its challenge is used up."),
    /// The refresh token was used before; its whole family is revoked.
    TokenReused = ("token_reused", 401, "This refresh token was used before; the whole sign-in is revoked. Sign in again."),
    /// The websocket ticket is unknown, used or expired.
    TicketInvalid = ("ticket_invalid", 401, "The websocket ticket is unknown, already used or expired: ask for a new one."),
    /// The device is revoked.
    DeviceRevoked = ("device_revoked", 403, "This device is revoked."),
    /// The access token is of scope `duty`, and this takes a whole sign-in.
    NeedsUnlock = ("needs_unlock", 403, "The duty key is not enough for this: unlock the app."),
    /// The role may not do this.
    Forbidden = ("forbidden", 403, "Your role may not do this."),
    /// The role may not be a member of a room of this kind.
    RoleNotAdmitted = ("role_not_admitted", 403, "A room of this kind does not admit that role."),
    /// The first people of another class of organisation come into a room only if two people want it.
    NeedsConsent = ("needs_consent", 403, "Letting another kind of organisation into this room takes two people."),
    /// It does not exist, or the caller may not know that it does.
    NotFound = ("not_found", 404, "There is no such thing, or you may not see it."),
    /// The id exists with other content.
    Conflict = ("conflict", 409, "This id is already in use with other content."),
    /// The commit was made for another epoch than the room's current one.
    StaleEpoch = ("stale_epoch", 409, "The room has moved on to another epoch: process its log, then build the commit again."),
    /// The state does not allow the action (for instance, accepting a callout that is filled).
    WrongState = ("wrong_state", 409, "That is not possible in the current state."),
    /// The callout has all the responders that it wants.
    AlreadyFilled = ("already_filled", 409, "Enough responders have accepted; you are stood down."),
    /// The invite is unknown, used, withdrawn or expired.
    InviteInvalid = ("invite_invalid", 403, "The invite is unknown, already used, withdrawn or expired: ask for a new one."),
    /// The certificate chain does not lead to the organisation's root, or breaks a certificate rule.
    BadChain = ("bad_chain", 422, "The certificate chain does not verify."),
    /// The MLS message does not parse or does not verify against the room's public state.
    BadMls = ("bad_mls", 422, "The MLS message does not parse, or does not verify against the room's public state."),
    /// The MLS message belongs to another group.
    WrongGroup = ("wrong_group", 422, "The MLS message belongs to another group."),
    /// The caller's device is not a member of the room.
    NotAMember = ("not_a_member", 403, "This device is not a member of the room."),
    /// A request body, frame or batch is larger than allowed.
    TooLarge = ("too_large", 413, "That is larger than allowed."),
    /// Too many requests; try again after `retry_after_ms`.
    RateLimited = ("rate_limited", 429, "Too many requests: wait, then try again."),
    /// A deadline passed before the request was complete.
    Timeout = ("timeout", 408, "The request was not complete in time."),
    /// The server is shutting down or overloaded; nothing was changed.
    Unavailable = ("unavailable", 503, "The server can't take this now; nothing was changed. Try again."),
    /// A defect of the server; nothing was changed.
    Internal = ("internal", 500, "The server failed; nothing was changed. Try again, and tell the operator."),
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error answer: `application/problem+json` over HTTP, the same fields in a `refused` frame on the websocket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// The stable code.
    pub code: ErrorCode,
    /// What happened, in a plain sentence.
    pub title: String,
    /// What exactly, and what to do now; absent where the title says it all. Never quotes content.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// The HTTP status.
    pub status: u16,
    /// Milliseconds to wait before trying again, where that makes sense.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after_ms: Option<u64>,
}

impl Problem {
    /// A problem with the code's own sentence.
    pub fn new(code: ErrorCode) -> Self {
        Self { code, title: code.title().into(), detail: None, status: code.status(), retry_after_ms: None }
    }

    /// A problem with one more sentence about what exactly is wrong.
    pub fn with(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(code) }
    }

    /// Says when to try again.
    pub fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }
}

impl From<ErrorCode> for Problem {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Some(detail) => write!(f, "{} {} [{}]", self.title, detail, self.code),
            None => write!(f, "{} [{}]", self.title, self.code),
        }
    }
}

impl std::error::Error for Problem {}
