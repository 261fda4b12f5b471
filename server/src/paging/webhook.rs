//! The webhook channel: one signed, content-free POST.
//!
//! Headers and signature follow Standard Webhooks 1.0.0 (standardwebhooks.com): `webhook-id` is the page and stays the
//! same when it is sent again, `webhook-timestamp` is the second of this try, and `webhook-signature` is
//! `v1,base64(HMAC-SHA256(key, id.timestamp.body))`. A key that begins with `whsec_` is the base64 after it; any other
//! key is its own bytes.

use super::address::{Allowed, PublicOnly};
use crate::{Error, Result, config::Paging};
use base64::{Engine, engine::general_purpose::STANDARD};
use firstlight_protocol::{PageId, Secret, Timestamp, callout::FailReason};
use hmac::{Hmac, Mac};
use reqwest::{Client, redirect};
use serde::Serialize;
use sha2::Sha256;

/// All that a lock screen, an e-mail or a voicemail may say (DOMAIN.md, "At night, with one thumb", 2).
const TEXT_PAGE: &str = "Duty: respond";
const TEXT_STAND_DOWN: &str = "Duty: stand down";

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PageKind {
    /// Somebody is asked to respond.
    Page,
    /// They are no longer needed.
    StandDown,
}

impl PageKind {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::StandDown => "stand_down",
        }
    }
}

impl std::str::FromStr for PageKind {
    type Err = ();
    fn from_str(word: &str) -> Result<Self, ()> {
        [Self::Page, Self::StandDown].into_iter().find(|kind| kind.as_str() == word).ok_or(())
    }
}

/// One try of one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outgoing {
    /// The page; the idempotency key.
    pub page: PageId,
    /// What it says.
    pub kind: PageKind,
    /// The how-manieth call to this person in this callout, from 1.
    pub attempt: u32,
    /// An earlier try of this page may have arrived: the server stopped in the middle, or heard no answer.
    pub redelivery: bool,
}

/// How a try went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered 2xx.
    Taken,
    /// There is nowhere to send it: the contact method was removed, or the operator does not allow its address.
    NotConfigured,
    /// Too many pages wait for the same receiver; this one was not tried.
    GivenUp,
    /// The receiver did not take it.
    Failed {
        /// Why.
        reason: FailReason,
        /// Whether it may have arrived all the same.
        uncertain: bool,
    },
}

/// The body. Nothing in it says what for, where or for whom.
#[derive(Serialize)]
struct Body {
    page: PageId,
    kind: PageKind,
    attempt: u32,
    redelivery: bool,
    timestamp: Timestamp,
    text: &'static str,
}

/// The channel.
#[derive(Debug, Clone)]
pub struct Webhooks {
    client: Client,
    allowed: Allowed,
}

impl Webhooks {
    /// Sets the channel up.
    ///
    /// # Errors
    /// A defect, if the TLS library can't be set up.
    pub fn new(settings: &Paging) -> Result<Self> {
        let allowed = Allowed::new(&settings.webhook_allow);
        let client = Client::builder()
            // A redirect could lead to where the first address may not.
            .redirect(redirect::Policy::none())
            .timeout(settings.webhook_timeout_ms.into())
            .dns_resolver(PublicOnly(allowed.clone()))
            // A proxy from the environment would resolve names itself, past the check.
            .no_proxy()
            .pool_max_idle_per_host(2)
            .build()
            .map_err(|e| Error::internal(format!("webhook client: {e}")))?;
        Ok(Self { client, allowed })
    }

    /// Which addresses may be reached.
    pub fn allowed(&self) -> &Allowed {
        &self.allowed
    }

    /// Sends once. Of the answer only the status counts; its body is never read.
    pub async fn send(&self, url: &str, key: &Secret, page: &Outgoing, now: Timestamp) -> Outcome {
        let Some(url) = self.allowed.check(url) else {
            return Outcome::NotConfigured;
        };
        let text = match page.kind {
            PageKind::Page => TEXT_PAGE,
            PageKind::StandDown => TEXT_STAND_DOWN,
        };
        let Outgoing { page: id, kind, attempt, redelivery } = *page;
        let body = Body { page: id, kind, attempt, redelivery, timestamp: now, text };
        let Ok(body) = serde_json::to_vec(&body) else {
            return Outcome::NotConfigured;
        };
        let (id, seconds) = (id.to_string(), now.0.div_euclid(1_000).to_string());
        let signature = sign(key, &id, &seconds, &body);
        let sent = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature)
            .body(body)
            .send()
            .await;
        match sent {
            Ok(answer) if answer.status().is_success() => Outcome::Taken,
            // A gateway in front of the receiver answers 5xx for a page that it has passed on, too.
            Ok(answer) => {
                Outcome::Failed { reason: FailReason::Rejected, uncertain: answer.status().is_server_error() }
            }
            Err(error) if error.is_connect() => Outcome::Failed { reason: FailReason::Unreachable, uncertain: false },
            Err(error) if error.is_timeout() => Outcome::Failed { reason: FailReason::Timeout, uncertain: true },
            Err(_) => Outcome::Failed { reason: FailReason::Unreachable, uncertain: true },
        }
    }
}

fn sign(key: &Secret, id: &str, seconds: &str, body: &[u8]) -> String {
    let text = key.reveal();
    let decoded = text.strip_prefix("whsec_").and_then(|encoded| STANDARD.decode(encoded).ok());
    let key = zeroize::Zeroizing::new(decoded.unwrap_or_else(|| text.as_bytes().to_vec()));
    // HMAC takes a key of any length (RFC 2104 §2).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return String::new() };
    for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
        mac.update(part);
    }
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_of_standard_webhooks() {
        // The example of the Standard Webhooks and Svix documentation.
        let key = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        let plain = Secret::new("0123456789abcdef");
        assert_ne!(sign(&plain, "a", "1", body), sign(&plain, "a", "2", body));
    }

    #[test]
    fn a_body_is_content_free() {
        let body = Body {
            page: PageId([1; 16]),
            kind: PageKind::Page,
            attempt: 2,
            redelivery: true,
            timestamp: Timestamp(5),
            text: TEXT_PAGE,
        };
        let json = serde_json::to_string(&body).unwrap();
        let page = PageId([1; 16]);
        assert_eq!(
            json,
            format!(
                r#"{{"page":"{page}","kind":"page","attempt":2,"redelivery":true,"timestamp":5,"text":"Duty: respond"}}"#
            )
        );
    }
}
