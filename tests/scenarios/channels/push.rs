//! Web Push: the stand-in checks the sender's token and decrypts as a browser does.

use super::{ADVOCATE, Desk, PAGE, browser, by, desk, id, is_content_free, legs, sms};
use firstlight_protocol::{
    CalloutId,
    attention::Attention,
    callout::{Action, FailReason},
    policy::{ContactMethod, ContactState},
};
use firstlight_tests::inproc::run;

/// A desk whose primary advocate is reached by push, then by SMS.
async fn pushed() -> (Desk, ContactMethod) {
    let desk = desk().await;
    let method = browser(1, &desk.push.subscribe("browser-1"));
    desk.reach(&desk.cast.primary, vec![method.clone(), sms(2, ADVOCATE)]).await;
    (desk, method)
}

async fn page(desk: &Desk) -> CalloutId {
    let callout = desk.open().await;
    desk.page(callout, 1, "the page", |page| page.handed_over_at.is_some()).await;
    callout
}

#[test]
fn a_push_is_signed_by_the_server_and_holds_nothing_but_the_page() {
    run(async {
        let (desk, _) = pushed().await;
        let callout = page(&desk).await;
        let pushes = desk.push.wait_for("browser-1", 2).await;
        let (push, record) = (&pushes[1], desk.page(callout, 1, "it", |_| true).await);
        let wanted = serde_json::json!({ "kind": "page", "page": record.page, "text": PAGE });
        assert_eq!(push.payload, wanted, "decrypted");
        assert_eq!((push.urgency.as_deref(), push.ttl), (Some("high"), 600));
        is_content_free(&push.payload.to_string());
        assert!(!push.topic.as_ref().unwrap().contains(&callout.to_string()));
        assert_eq!(desk.push.refused(), [""; 0], "token, key and encryption were right each time");
        assert_eq!(legs(&record), [("push", "handed_over", "")]);
        // Standing down replaces what still waits at the push service.
        desk.cast.supervisor.act(callout, Action::Accept { eta_minutes: 10 }).await.unwrap();
        let pushes = desk.push.wait_for("browser-1", 3).await;
        assert_eq!((pushes[2].payload["kind"].as_str(), &pushes[2].topic), (Some("stand_down"), &push.topic));
    });
}

#[test]
fn a_subscription_that_is_gone_is_dropped_and_the_supervisor_hears_it() {
    run(async {
        let (desk, method) = pushed().await;
        desk.push.unsubscribe("browser-1");
        let callout = desk.open().await;
        desk.page(callout, 2, "the next way", |page| page.delivered_at == Some(desk.cast.now())).await;
        let page = desk.page(callout, 1, "the failed page", |page| page.failed.is_some()).await;
        assert_eq!(page.failed, Some(FailReason::UnknownNumber));
        let why = "the number, address or subscription does not exist (the subscription is gone)";
        assert_eq!(legs(&page), [("push", "failed", why)]);
        assert_eq!(desk.state(&desk.cast.primary, 1).await, ContactState::Invalid);
        let person = desk.cast.primary.person;
        assert_eq!(desk.attention().await, [Attention::ContactInvalid { person, contact: id(1) }]);
        desk.cast.minutes(1);
        let again = |pages: &[_]| (by(pages, 2).count() == 2).then_some(());
        desk.until(callout, "the next call", again).await;
        assert_eq!(by(&desk.pages(callout).await, 1).count(), 1, "not tried again");
        assert_eq!(desk.arrived(&method).len(), 1, "the code alone");
    });
}

#[test]
fn each_browser_gets_what_only_it_can_read() {
    run(async {
        let (desk, _) = pushed().await;
        // The keys of one browser with the address of another: what arrives there can't be read, and is refused.
        let (mut mixed, other) = (desk.push.subscribe("browser-2"), desk.push.subscribe("browser-3"));
        mixed.p256dh = other.p256dh;
        let method = browser(3, &mixed);
        desk.name(&desk.cast.backup, vec![method.clone()], vec![]).await;
        let path = format!("/v1/people/{}/contacts/{}/verify/start", desk.cast.backup.person, id(3));
        desk.cast.backup.post::<serde_json::Value>(path, &serde_json::json!({})).await.unwrap();
        firstlight_tests::world::soon("a refusal", async {
            while desk.push.refused().is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        })
        .await;
        assert_eq!(desk.push.refused()[0], "not for it");
        assert!(desk.arrived(&method).is_empty());
        assert_eq!(desk.state(&desk.cast.backup, 3).await, ContactState::Unverified);
    });
}
