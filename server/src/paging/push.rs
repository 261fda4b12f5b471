//! The web push channel: RFC 8030 (delivery), RFC 8291 (encryption for the subscription), RFC 8292 (VAPID).

use super::{
    Message,
    outcome::{Outcome, Sent},
    web::Web,
};
use crate::{Error, Result, identity::own_secret};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use firstlight_protocol::{ContactId, Secret, Timestamp, api::MessageKind, callout::FailReason};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::path::Path;
use web_push_native::{Auth, p256::PublicKey};

/// What it is called in the record of a page.
const VENDOR: &str = "push";
/// The VAPID key's file in the data directory.
pub(crate) const KEY: &str = "vapid.key";
/// How long a push service keeps a page for a telephone that is off: later than this, other calls have long been made.
const TTL_SECONDS: &str = "600";
/// How long a VAPID token holds (at most 24 h, RFC 8292 §2).
const TOKEN_SECONDS: i64 = 12 * 60 * 60;

/// The server's VAPID identity.
#[derive(Debug)]
pub(super) struct Push {
    key: SigningKey,
    contact: String,
}

/// Where a push goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subscription<'a> {
    pub(super) id: ContactId,
    pub(super) endpoint: &'a str,
    pub(super) p256dh: &'a str,
    pub(super) auth: &'a Secret,
}

#[derive(Serialize)]
struct Payload<'a> {
    kind: MessageKind,
    page: String,
    text: &'a str,
}

impl Push {
    /// Reads the server's key from `dir`, or makes it. `contact` is whom a push service may write to (`mailto:` or
    /// `https:`).
    ///
    /// # Errors
    /// A sentence for the operator where the file can't be used.
    pub(super) fn open(dir: &Path, contact: &str) -> Result<Self> {
        let damaged = || Error::internal(format!("{KEY} in the data directory is damaged: remove it"));
        let (secret, _) = own_secret(dir, KEY)?;
        let key = SigningKey::from_slice(secret.as_slice()).map_err(|_| damaged())?;
        Ok(Self { key, contact: contact.to_owned() })
    }

    /// The public key that browsers subscribe with: an uncompressed point, base64url.
    pub(super) fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.verifying_key().to_encoded_point(false).as_bytes())
    }

    /// Sends once.
    pub(super) async fn send(&self, web: &Web, to: Subscription<'_>, message: &Message<'_>, now: Timestamp) -> Sent {
        let nowhere = || Sent::new(VENDOR, Outcome::NotConfigured);
        let Some(url) = web.allowed().check(to.endpoint) else { return nowhere() };
        let Some(body) = encrypt(to, message) else {
            return Sent::broken(VENDOR, FailReason::UnknownNumber).because("a key that is none");
        };
        let authorization = self.authorization(&url.origin().ascii_serialization(), now);
        let answer = web
            .client()
            .post(url)
            .header("authorization", authorization)
            .header("content-encoding", "aes128gcm")
            .header("content-type", "application/octet-stream")
            .header("ttl", TTL_SECONDS)
            .header("urgency", "high")
            .header("topic", topic(to.id, message))
            .body(body)
            .send()
            .await;
        match answer {
            Ok(answer) if matches!(answer.status().as_u16(), 404 | 410) => {
                Sent::broken(VENDOR, FailReason::UnknownNumber).because("the subscription is gone")
            }
            other => Sent::of_http(VENDOR, &other),
        }
    }

    /// RFC 8292 §3: who sends, to which push service, until when.
    fn authorization(&self, audience: &str, now: Timestamp) -> String {
        let expires = now.0.div_euclid(1_000) + TOKEN_SECONDS;
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!(
            "{}.{}",
            part(json!({ "typ": "JWT", "alg": "ES256" })),
            part(json!({ "aud": audience, "exp": expires, "sub": self.contact }))
        );
        let signature: Signature = self.key.sign(signed.as_bytes());
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()));
        format!("vapid t={token}, k={}", self.public_key())
    }
}

fn encrypt(to: Subscription<'_>, message: &Message<'_>) -> Option<Vec<u8>> {
    let key = PublicKey::from_sec1_bytes(&URL_SAFE_NO_PAD.decode(to.p256dh).ok()?).ok()?;
    let auth: [u8; 16] = URL_SAFE_NO_PAD.decode(to.auth.reveal()).ok()?.try_into().ok()?;
    let payload = Payload { kind: message.kind, page: message.page.to_string(), text: message.text };
    web_push_native::encrypt(serde_json::to_vec(&payload).ok()?, &key, &Auth::from(auth)).ok()
}

/// What still waits at the push service is replaced by what comes later for the same callout: a telephone that comes back
/// rings once, and not at all when it was called off. A digest, so that the service can't tell callouts apart by it.
fn topic(contact: ContactId, message: &Message<'_>) -> String {
    let mut hash = Sha256::new_with_prefix(b"firstlight push topic");
    hash.update(contact.as_bytes());
    hash.update(message.callout.map_or(message.page.0, |callout| callout.0));
    // At most 32 characters of base64url (RFC 8030 §5.4).
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..24])
}

#[cfg(test)]
mod tests {
    use super::*;
    use firstlight_protocol::{CalloutId, PageId};
    use p256::ecdsa::{VerifyingKey, signature::Verifier};

    const TO: ContactId = ContactId([1; 16]);

    fn message(callout: u8) -> Message<'static> {
        Message {
            page: PageId([callout; 16]),
            callout: Some(CalloutId([callout; 16])),
            kind: MessageKind::Page,
            attempt: 1,
            redelivery: false,
            text: "Duty: respond",
        }
    }

    #[test]
    fn the_token_is_signed_by_the_key_that_stands_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let push = Push::open(dir.path(), "mailto:ops@example.org").unwrap();
        assert_eq!(Push::open(dir.path(), "").unwrap().public_key(), push.public_key(), "kept");
        let header = push.authorization("https://push.example.org", Timestamp(1_000_000));
        let (token, key) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let key = VerifyingKey::from_sec1_bytes(&decode(key)).unwrap();
        key.verify(signed.as_bytes(), &Signature::from_slice(&decode(signature)).unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&decode(signed.split_once('.').unwrap().1)).unwrap();
        assert_eq!(claims["aud"], "https://push.example.org");
        assert_eq!(claims["exp"], 1_000 + 43_200);
        assert_eq!(claims["sub"], "mailto:ops@example.org");
    }

    #[test]
    fn a_payload_is_readable_by_the_subscription_alone_and_content_free() {
        let secret = p256::SecretKey::from_slice(&[7; 32]).unwrap();
        let p256dh = URL_SAFE_NO_PAD.encode(secret.public_key().to_sec1_bytes());
        let point = {
            use p256::elliptic_curve::sec1::ToEncodedPoint;
            URL_SAFE_NO_PAD.encode(secret.public_key().to_encoded_point(false).as_bytes())
        };
        let auth = Secret::from_random(&[9; 16]);
        let to = Subscription { id: TO, endpoint: "", p256dh: &point, auth: &auth };
        let sealed = encrypt(to, &message(1)).unwrap();
        let open = |auth: [u8; 16]| web_push_native::decrypt(sealed.clone(), &secret, &Auth::from(auth));
        let text = String::from_utf8(open([9; 16]).unwrap()).unwrap();
        let page = PageId([1; 16]);
        assert_eq!(text, format!(r#"{{"kind":"page","page":"{page}","text":"Duty: respond"}}"#));
        assert!(open([8; 16]).is_err());
        assert!(!sealed.windows(4).any(|w| w == b"Duty"));
        assert!(encrypt(Subscription { p256dh: &p256dh[..10], ..to }, &message(1)).is_none());
    }

    #[test]
    fn what_waits_is_replaced_by_what_comes_later_for_the_same_callout() {
        let later = Message { page: PageId([9; 16]), kind: MessageKind::StandDown, ..message(1) };
        assert_eq!(topic(TO, &message(1)), topic(TO, &later));
        assert_ne!(topic(TO, &message(1)), topic(TO, &message(2)));
        assert_ne!(topic(TO, &message(1)), topic(ContactId([2; 16]), &message(1)));
        assert!(topic(TO, &later).len() <= 32);
    }
}
