//! The webhook channel: one signed, content-free POST, to a person's own address or to an outside system.
//!
//! Headers and signature follow Standard Webhooks 1.0.0 (standardwebhooks.com): `webhook-id` is the page and stays the
//! same when it is sent again, `webhook-timestamp` is the second of this try, and `webhook-signature` is
//! `v1,base64(HMAC-SHA256(key, id.timestamp.body))`. A key that begins with `whsec_` is the base64 after it; any other
//! key is its own bytes. While keys are being changed there are two, and two signatures with a space between them: a
//! receiver takes whichever it can check.

use super::{
    Message,
    outcome::{Outcome, Sent},
    web::Web,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use firstlight_protocol::{PageId, Secret, Timestamp, api::MessageKind};
use hmac::{Hmac, Mac};
use serde::Serialize;
use sha2::Sha256;

/// What it is called in the record of a page.
const VENDOR: &str = "webhook";

/// The body. Nothing in it says what for, where or for whom.
#[derive(Serialize)]
struct Body<'a> {
    page: PageId,
    kind: MessageKind,
    attempt: u32,
    redelivery: bool,
    timestamp: Timestamp,
    text: &'a str,
}

/// Sends once. Of the answer only the status counts; its body is never read.
pub(super) async fn send(web: &Web, url: &str, keys: &[Secret], message: &Message<'_>, now: Timestamp) -> Sent {
    let Some(url) = web.allowed().check(url) else {
        return Sent::new(VENDOR, Outcome::NotConfigured);
    };
    let Message { page, kind, attempt, redelivery, text, .. } = *message;
    let Ok(body) = serde_json::to_vec(&Body { page, kind, attempt, redelivery, timestamp: now, text }) else {
        return Sent::new(VENDOR, Outcome::NotConfigured);
    };
    let (id, seconds) = (page.to_string(), now.0.div_euclid(1_000).to_string());
    let signatures: Vec<_> = keys.iter().map(|key| sign(key, &id, &seconds, &body)).collect();
    let answer = web
        .client()
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", signatures.join(" "))
        .body(body)
        .send()
        .await;
    Sent::of_http(VENDOR, &answer)
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
            kind: MessageKind::Page,
            attempt: 2,
            redelivery: true,
            timestamp: Timestamp(5),
            text: "Duty: respond",
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
