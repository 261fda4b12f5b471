//! Every page of a callout with each try of it, as a supervisor reads it.

use crate::{
    CalloutId, PageId, PersonId, Secret, Timestamp,
    callout::FailReason,
    policy::{Channel, ContactStatus},
    role::{UnknownWord, text_enum},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

text_enum!(
    /// What a message is for. Each has a text in every language, none of which says what for, where or for whom.
    MessageKind {
        /// Somebody is asked to respond.
        Page = "page",
        /// They are no longer needed.
        StandDown = "stand_down",
        /// Proof that a page would arrive.
        Test = "test",
        /// What the page of a drill says in place of a real one's words; everything else about it is a `page`.
        Drill = "drill",
        /// The code that verifies a contact method.
        Verify = "verify",
        /// Something to look at in the app.
        Notice = "notice",
        /// Something that a supervisor has to act on.
        Alarm = "alarm",
        /// A shift begins: from when.
        HandOff = "hand_off",
        /// To an officer without the app: somebody is being called.
        CallerPaging = "caller_paging",
        /// Somebody is coming, in so many minutes.
        CallerAccepted = "caller_accepted",
        /// Somebody is there.
        CallerArrived = "caller_arrived",
        /// Nobody has accepted yet: call the duty number.
        CallerNobody = "caller_nobody",
        /// It was called off.
        CallerCalledOff = "caller_called_off",
    }
);

impl MessageKind {
    /// Whether the callout that it belongs to hears what became of it: it decides what is sent next.
    pub fn concerns_callout(self) -> bool {
        matches!(self, Self::Page | Self::Notice)
    }
}

text_enum!(
    /// How far one try of a page has come with its provider.
    LegState {
        /// Being handed over; for good, if the server stopped in that moment: it may have arrived.
        Sending = "sending",
        /// The provider took it.
        HandedOver = "handed_over",
        /// The provider has passed it on; a telephone rings.
        Sent = "sent",
        /// It could not be delivered.
        Failed = "failed",
        /// The provider says that the telephone or device has it.
        Delivered = "delivered",
        /// The person pressed a key.
        Answered = "answered",
    }
);

/// Answer to `GET /v1/callouts/{callout}/pages`: in the order in which they were ordered; for supervisors.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CalloutPages {
    /// Callout.
    pub callout: CalloutId,
    /// Its pages, and its other messages; the newest 2000.
    pub pages: Vec<PageRecord>,
}

/// One page or message, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PageRecord {
    /// The page; also the idempotency key that its channel got.
    pub page: PageId,
    /// What it says.
    pub kind: MessageKind,
    /// To whom; absent for messages to an officer without the app and to outside systems.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub person: Option<PersonId>,
    /// By which of the person's channels.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub channel: Option<Channel>,
    /// The how-manieth call to this person in this callout, from 1.
    pub attempt: u32,
    /// When it was ordered.
    pub ordered_at: Timestamp,
    /// When the channel took it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub handed_over_at: Option<Timestamp>,
    /// When a device or telephone of the person's had it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delivered_at: Option<Timestamp>,
    /// When the person answered, whatever the answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answered_at: Option<Timestamp>,
    /// Why it did not arrive.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failed: Option<FailReason>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
    /// Each try with a provider, in order.
    #[serde(default)]
    pub legs: Vec<PageLeg>,
}

/// One try of a page with a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PageLeg {
    /// Which try, from 1.
    pub leg: u32,
    /// The operator's name of the account or service; absent while it is being chosen.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vendor: Option<String>,
    /// The provider's own id for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reference: Option<String>,
    /// How far it has come.
    pub state: LegState,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<FailReason>,
    /// The same in words, with the provider's error code where it gave one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
    /// An earlier try may have arrived as well.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub redelivery: bool,
    /// When it began.
    pub at: Timestamp,
    /// When its state changed last.
    pub changed_at: Timestamp,
}

/// Answer to `GET /v1/push/key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PushKey {
    /// The server's VAPID public key: an uncompressed P-256 point, base64url without padding.
    pub key: String,
}

/// `PUT /v1/devices/me/push`: the calling device's own push subscription (W3C Push API), as the browser gives it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PutPush {
    /// The subscription's `endpoint`: `https://`, at most 2048 bytes.
    pub endpoint: String,
    /// Its `p256dh` key: an uncompressed P-256 point of 65 bytes, base64url without padding.
    pub p256dh: String,
    /// Its `auth` secret: 16 bytes, base64url without padding.
    pub auth: Secret,
}

/// Answer to `PUT /v1/devices/me/push` and `POST /v1/devices/me/push/verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DevicePush {
    /// The contact method that it is of the person; its id is the device's.
    pub contact: ContactStatus,
    /// While it is not verified: a code has gone to it, and is worth nothing from then on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code_expires_at: Option<Timestamp>,
}

/// `POST /v1/people/{person}/contacts/{contact}/verify` and `POST /v1/devices/me/push/verify`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfirmContact {
    /// The code that was sent: six digits.
    pub code: String,
}

/// Answer to `POST /v1/people/{person}/contacts/{contact}/verify/start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerificationSent {
    /// The code is worth nothing from then on.
    pub expires_at: Timestamp,
}
