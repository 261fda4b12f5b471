//! Webhooks signed with overlapping keys, and a topic of one's own ntfy server.

use super::{PAGE, desk, id, is_content_free, legs};
use base64::{Engine, engine::general_purpose::STANDARD};
use firstlight_protocol::{Secret, callout::FailReason, policy::ContactMethod};
use firstlight_tests::{
    inproc::run,
    process::{Answer, Request},
};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// What a receiver with this key looks for (Standard Webhooks 1.0.0).
fn signature(request: &Request, key: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    let (id, at) = (request.header("webhook-id").unwrap(), request.header("webhook-timestamp").unwrap());
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(&request.body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[test]
fn while_keys_are_changed_a_webhook_can_be_checked_by_either() {
    run(async {
        let desk = desk().await;
        let (old, new) = ("the old key of a webhook", "whsec_dGhlIG5ldyBrZXkgb2YgYSB3ZWJob29r");
        let ContactMethod::Webhook { url, .. } = desk.webhook(1) else { unreachable!("a webhook") };
        let with = |key: Option<&str>, next: Option<&str>| {
            let (key, next_key) = (key.map(Secret::new), next.map(Secret::new));
            ContactMethod::Webhook { id: id(1), url: url.clone(), key, next_key }
        };
        desk.reach(&desk.cast.primary, vec![with(Some(old), None)]).await;
        let last = async |expected: usize| {
            let callout = desk.open().await;
            desk.page(callout, 1, "the page", |page| page.handed_over_at.is_some()).await;
            let request = desk.hooks.received().into_iter().next_back().unwrap();
            let given: Vec<String> =
                request.header("webhook-signature").unwrap().split(' ').map(str::to_owned).collect();
            assert_eq!(given.len(), expected);
            (request, given)
        };
        let (request, given) = last(1).await;
        assert_eq!(given, [signature(&request, old.as_bytes())]);

        // Both for a while; a change of anything else keeps them; then the new one alone.
        desk.name(&desk.cast.primary, vec![with(Some(old), Some(new))], vec![]).await;
        for _ in 0..2 {
            let (request, given) = last(2).await;
            assert_eq!(given, [signature(&request, old.as_bytes()), signature(&request, b"the new key of a webhook")]);
            desk.name(&desk.cast.primary, vec![with(None, None)], vec![]).await;
        }
        desk.name(&desk.cast.primary, vec![with(Some(new), None)], vec![]).await;
        let (request, given) = last(1).await;
        assert_eq!(given, [signature(&request, b"the new key of a webhook")]);

        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let mut fields: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["attempt", "kind", "page", "redelivery", "text", "timestamp"]);
        assert_eq!((&body["kind"], &body["text"]), (&json!("page"), &json!(PAGE)));
        assert_eq!(body["page"].as_str(), request.header("webhook-id"));
        is_content_free(&format!("{}{body}", request.head));
    });
}

#[test]
fn an_error_of_a_webhook_is_a_failure_and_not_a_page_that_was_sent() {
    run(async {
        let desk = desk().await;
        desk.reach(&desk.cast.primary, vec![desk.webhook(1), desk.webhook(2)]).await;
        for (status, maybe_arrived) in [(500, true), (404, false), (302, false)] {
            desk.hooks.answer("/hook-1", Answer::Status(status));
            let callout = desk.open().await;
            desk.page(callout, 2, "the next way", |page| page.handed_over_at == Some(desk.cast.now())).await;
            let page = desk.page(callout, 1, "the failed page", |page| page.failed.is_some()).await;
            assert_eq!((page.failed, page.handed_over_at), (Some(FailReason::Rejected), None));
            let why = format!("the channel answered with an error (HTTP {status})");
            assert_eq!(legs(&page), [("webhook", "failed", why.as_str())]);
            // Asked again under the same id, and told if it may have it already.
            desk.hooks.answer("/hook-1", Answer::Status(204));
            desk.cast.seconds(2);
            let page = desk.page(callout, 1, "the second try", |page| page.handed_over_at.is_some()).await;
            assert_eq!(page.legs[1].redelivery, maybe_arrived);
            let twice =
                desk.hooks.received().into_iter().filter(|r| r.header("webhook-id") == Some(&page.page.to_string()));
            let said: Vec<Value> = twice.map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
            assert_eq!(said.iter().map(|body| body["redelivery"] == true).collect::<Vec<_>>(), [false, maybe_arrived]);
        }
    });
}

#[test]
fn a_topic_is_published_to_with_its_token_and_rings() {
    run(async {
        let desk = desk().await;
        desk.reach(&desk.cast.primary, vec![desk.ntfy(1)]).await;
        let callout = desk.open().await;
        let page = desk.page(callout, 1, "the page", |page| page.handed_over_at.is_some()).await;
        assert_eq!(legs(&page), [("ntfy", "handed_over", "")]);
        let received = desk.hooks.received();
        let (code, request) = (&received[0], &received[1]);
        assert_eq!(request.header("authorization"), Some("Bearer tk_a-topics-token"));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body, json!({ "topic": "topic-1", "message": PAGE, "priority": 5 }));
        is_content_free(&format!("{}{body}", request.head));
        let code: Value = serde_json::from_slice(&code.body).unwrap();
        assert_eq!(code["priority"], 3, "a code wakes nobody");
        // A server that wants another token says so.
        desk.hooks.answer("/", Answer::Status(403));
        let callout = desk.open().await;
        let page = desk.page(callout, 1, "the failed page", |page| page.failed.is_some()).await;
        assert_eq!(legs(&page)[0].2, "the channel answered with an error (HTTP 403)");
    });
}
