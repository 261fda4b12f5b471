//! How one person is reached: the channels that a page can take, and the contact methods behind them.

use crate::{
    ContactId, ErrorCode, Problem, Secret, Timestamp,
    callout::Phone,
    role::{UnknownWord, text_enum},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The way one page takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Channel {
    /// The person's connected devices.
    InApp,
    /// A webhook of the person's.
    Webhook {
        /// Which.
        id: ContactId,
    },
    /// A browser's or phone's push service (RFC 8030).
    Push {
        /// Which.
        id: ContactId,
    },
    /// A text message.
    Sms {
        /// Which.
        id: ContactId,
    },
    /// A telephone call.
    Voice {
        /// Which.
        id: ContactId,
    },
    /// An e-mail.
    Email {
        /// Which.
        id: ContactId,
    },
    /// A topic of an ntfy server.
    Ntfy {
        /// Which.
        id: ContactId,
    },
}

impl Channel {
    /// The contact method behind it; the app needs none.
    pub fn contact(self) -> Option<ContactId> {
        match self {
            Self::InApp => None,
            Self::Webhook { id }
            | Self::Push { id }
            | Self::Sms { id }
            | Self::Voice { id }
            | Self::Email { id }
            | Self::Ntfy { id } => Some(id),
        }
    }

    /// Its kind in one word, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::InApp => "in_app",
            Self::Webhook { .. } => "webhook",
            Self::Push { .. } => "push",
            Self::Sms { .. } => "sms",
            Self::Voice { .. } => "voice",
            Self::Email { .. } => "email",
            Self::Ntfy { .. } => "ntfy",
        }
    }

    /// The channel of that kind behind a contact method; `None` for the app and for unknown words.
    pub fn of(word: &str, id: ContactId) -> Option<Self> {
        let kinds = [
            Self::Webhook { id },
            Self::Push { id },
            Self::Sms { id },
            Self::Voice { id },
            Self::Email { id },
            Self::Ntfy { id },
        ];
        kinds.into_iter().find(|channel| channel.word() == word)
    }
}

/// One way to reach a person. Keys, tokens and push secrets are set only: an answer never carries them, and leaving one
/// out keeps the one that is set for the same id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ContactMethod {
    /// The app on the person's devices; everybody has it, and it is tried first.
    InApp,
    /// A web address that gets a signed, content-free request.
    Webhook {
        /// Its id, chosen by the client; the same id replaces it.
        id: ContactId,
        /// Where the request goes: `https://`, or `http://` where the operator allows it; at most 2048 bytes.
        url: String,
        /// The key that signs the requests: 16 to 256 bytes of text.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        key: Option<Secret>,
        /// While keys are being changed: requests carry a signature by this one too. Leaving both keys out keeps both;
        /// a new `key` without it ends the change.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        next_key: Option<Secret>,
    },
    /// A push subscription of a browser or an app (W3C Push API).
    Push {
        /// Its id, chosen by the client; the same id replaces it.
        id: ContactId,
        /// The subscription's `endpoint`: `https://`, at most 2048 bytes.
        endpoint: String,
        /// Its `p256dh` key: an uncompressed P-256 point of 65 bytes, base64url without padding.
        p256dh: String,
        /// Its `auth` secret: 16 bytes, base64url without padding.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        auth: Option<Secret>,
    },
    /// Text messages to a telephone.
    Sms {
        /// Its id, chosen by the client; the same id replaces it.
        id: ContactId,
        /// The number with `+` and country code.
        number: Phone,
    },
    /// Calls to a telephone.
    Voice {
        /// Its id, chosen by the client; the same id replaces it.
        id: ContactId,
        /// The number with `+` and country code.
        number: Phone,
    },
    /// E-mails.
    Email {
        /// Its id, chosen by the client; the same id replaces it.
        id: ContactId,
        /// The address: one `@`, at most 254 bytes.
        address: String,
    },
    /// A topic of an ntfy server.
    Ntfy {
        /// Its id, chosen by the client; the same id replaces it.
        id: ContactId,
        /// The topic's address, such as `https://ntfy.example.org/topic`; at most 2048 bytes.
        url: String,
        /// The access token of the topic, if it needs one: 8 to 256 bytes.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        token: Option<Secret>,
    },
}

text_enum!(
    /// Whether pages go to a contact method. Only a verified one is ever used.
    ContactState {
        /// Nobody has shown yet that it reaches the person.
        Unverified = "unverified",
        /// A code that was sent there came back.
        Verified = "verified",
        /// The person has blocked the sender ("STOP").
        Blocked = "blocked",
        /// It does not exist (any more): an unknown number, a push subscription that is gone.
        Invalid = "invalid",
    }
);

/// What the server knows of a contact method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContactStatus {
    /// Which.
    pub id: ContactId,
    /// Whether it is used.
    pub state: ContactState,
    /// When it was verified.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub verified_at: Option<Timestamp>,
}

fn refuse(detail: &'static str) -> Result<(), Problem> {
    Err(Problem::with(ErrorCode::InvalidValue, detail))
}

impl ContactMethod {
    /// The channel that a page to it takes.
    pub fn channel(&self) -> Channel {
        match self {
            Self::InApp => Channel::InApp,
            Self::Webhook { id, .. } => Channel::Webhook { id: *id },
            Self::Push { id, .. } => Channel::Push { id: *id },
            Self::Sms { id, .. } => Channel::Sms { id: *id },
            Self::Voice { id, .. } => Channel::Voice { id: *id },
            Self::Email { id, .. } => Channel::Email { id: *id },
            Self::Ntfy { id, .. } => Channel::Ntfy { id: *id },
        }
    }

    /// The same without its secrets: what may be shown.
    #[must_use]
    pub fn without_key(mut self) -> Self {
        match &mut self {
            Self::Webhook { key, next_key, .. } => (*key, *next_key) = (None, None),
            Self::Push { auth: secret, .. } | Self::Ntfy { token: secret, .. } => *secret = None,
            Self::InApp | Self::Sms { .. } | Self::Voice { .. } | Self::Email { .. } => {}
        }
        self
    }

    /// Checks shape and bounds; whether the address may be reached from the server is the operator's decision.
    ///
    /// # Errors
    /// `invalid_value`, naming the field.
    pub fn validate(&self) -> Result<(), Problem> {
        match self {
            Self::InApp => Ok(()),
            Self::Webhook { url, key, next_key, .. } => {
                if !is_address(url) {
                    return refuse("url: an http(s) address of at most 2048 characters.");
                }
                if [key, next_key].into_iter().flatten().any(|key| !(16..=256).contains(&key.reveal().len())) {
                    return refuse("key, next_key: 16 to 256 bytes.");
                }
                Ok(())
            }
            Self::Push { endpoint, p256dh, auth, .. } => {
                if !is_address(endpoint) {
                    return refuse("endpoint: an http(s) address of at most 2048 characters.");
                }
                let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
                if !matches!(decoded(p256dh).as_slice(), [4, rest @ ..] if rest.len() == 64) {
                    return refuse("p256dh: an uncompressed P-256 point in base64url.");
                }
                if auth.as_ref().is_some_and(|auth| decoded(auth.reveal()).len() != 16) {
                    return refuse("auth: 16 bytes in base64url.");
                }
                Ok(())
            }
            Self::Sms { number, .. } | Self::Voice { number, .. } => {
                if number.e164().is_none() {
                    return refuse("number: + and country code first, such as +1 213 555 0100.");
                }
                Ok(())
            }
            Self::Email { address, .. } => {
                let well_formed = address.split_once('@').is_some_and(|(local, domain)| {
                    (1..=64).contains(&local.len()) && domain.contains('.') && !domain.contains('@')
                        || matches!((local.is_empty(), domain), (false, "localhost"))
                });
                if !well_formed || address.len() > 254 || !address.bytes().all(is_mailbox_byte) {
                    return refuse("address: an e-mail address of at most 254 characters.");
                }
                Ok(())
            }
            Self::Ntfy { url, token, .. } => {
                if !is_address(url) {
                    return refuse("url: an http(s) address of at most 2048 characters.");
                }
                if token.as_ref().is_some_and(|token| !(8..=256).contains(&token.reveal().len())) {
                    return refuse("token: 8 to 256 bytes.");
                }
                Ok(())
            }
        }
    }
}

fn is_address(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    host.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && url.len() <= 2048
        && url.bytes().all(|b| b.is_ascii_graphic())
}

/// Nothing that could end a header line or a quoted word, or begin a comment or a list (RFC 5321 §4.1.2, without quoting).
fn is_mailbox_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"@.!#$%&'*+-/=?^_`{|}~".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: ContactId = ContactId([250; 16]);

    fn hook(url: &str, key: &str) -> ContactMethod {
        ContactMethod::Webhook { id: ID, url: url.into(), key: Some(Secret::new(key)), next_key: None }
    }

    #[test]
    fn a_webhook_is_checked_and_its_key_never_shown() {
        let good = hook("https://example.org/page", "0123456789abcdef");
        assert_eq!(good.validate(), Ok(()));
        for url in ["ftp://example.org", "https://", "https:///x", "https://example.org/a b", "https://ex\nample.org"] {
            assert!(hook(url, "0123456789abcdef").validate().is_err(), "{url}");
        }
        assert!(hook("https://example.org", "short").validate().is_err());
        assert!(!format!("{good:?}").contains("0123"));
        assert!(!serde_json::to_string(&good.without_key()).unwrap().contains("key"));
    }

    #[test]
    fn numbers_addresses_and_subscriptions_are_checked() {
        let phone = |number: &str| ContactMethod::Sms { id: ID, number: number.parse().unwrap() }.validate();
        assert_eq!(phone("+1 555 555 0100"), Ok(()));
        assert!(phone("555-0100").is_err());
        let mail = |address: &str| ContactMethod::Email { id: ID, address: address.into() }.validate();
        assert_eq!(mail("advocate-1@example.org"), Ok(()));
        for bad in
            ["", "@example.org", "a@", "a@b@example.org", "a b@example.org", "a@example.org\r\nBcc: x", "a@plain"]
        {
            assert!(mail(bad).is_err(), "{bad}");
        }
        let push = |p256dh: &[u8], auth: &[u8]| ContactMethod::Push {
            id: ID,
            endpoint: "https://push.example.org/1".into(),
            p256dh: URL_SAFE_NO_PAD.encode(p256dh),
            auth: Some(Secret::from_random(auth)),
        };
        let mut point = [7; 65];
        assert!(push(&point, &[1; 16]).validate().is_err());
        point[0] = 4;
        let good = push(&point, &[1; 16]);
        assert_eq!(good.validate(), Ok(()));
        assert!(push(&point, &[1; 15]).validate().is_err());
        assert!(!serde_json::to_string(&good.without_key()).unwrap().contains("auth"));
        let topic =
            ContactMethod::Ntfy { id: ID, url: "https://example.org/t".into(), token: Some(Secret::new("short")) };
        assert!(topic.validate().is_err());
        assert_eq!(topic.without_key().validate(), Ok(()));
    }

    #[test]
    fn a_channel_is_the_same_in_json_and_cbor() {
        let all = ["webhook", "push", "sms", "voice", "email", "ntfy"].map(|word| Channel::of(word, ID).unwrap());
        for channel in all.into_iter().chain([Channel::InApp]) {
            assert_eq!(crate::wire::from_cbor::<Channel>(&crate::wire::to_cbor(&channel)).unwrap(), channel);
            let json = serde_json::to_value(channel).unwrap();
            assert_eq!(json["kind"], channel.word());
            assert_eq!(serde_json::from_value::<Channel>(json).unwrap(), channel);
            assert_eq!(channel.contact().is_none(), channel == Channel::InApp);
        }
        assert_eq!(Channel::of("in_app", ID), None);
    }
}
