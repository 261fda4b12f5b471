//! What providers report comes late, twice, backwards, or from somebody else. None of that changes what is true.

use super::{ADVOCATE, Desk, FIRST, PAGE, SECOND, by, desk, legs, sms};
use firstlight_protocol::{
    CalloutId,
    api::PageRecord,
    callout::{Action, FailReason},
};
use firstlight_tests::{inproc::run, providers::Texting};

/// A page by SMS that the provider has taken and says nothing of.
async fn taken() -> (Desk, CalloutId, PageRecord) {
    let desk = desk().await;
    desk.reach(&desk.cast.primary, vec![sms(1, ADVOCATE)]).await;
    desk.twilio.texting(ADVOCATE, Texting::NeverReported);
    let callout = desk.open().await;
    let page = desk.page(callout, 1, "the page", |page| page.handed_over_at.is_some()).await;
    (desk, callout, page)
}

/// A signed report of the first try, of the test's own making.
async fn report(desk: &Desk, page: &PageRecord, status: &str, code: &str) -> u16 {
    let sid = page.legs[0].reference.as_deref().unwrap();
    let form = [("MessageSid", sid), ("MessageStatus", status), ("ErrorCode", code)];
    desk.twilio.post(FIRST, &desk.status_url("first", page, 1), &form, false).await
}

#[test]
fn reports_that_come_twice_or_backwards_end_in_the_same_truth() {
    run(async {
        let desk = desk().await;
        desk.reach(&desk.cast.primary, vec![sms(1, ADVOCATE)]).await;
        for texting in [Texting::ReportedTwice, Texting::ReportedBackwards] {
            desk.twilio.texting(ADVOCATE, texting);
            let callout = desk.open().await;
            let page = desk.page(callout, 1, "the delivered page", |page| page.delivered_at.is_some()).await;
            assert_eq!(legs(&page), [("first", "delivered", "")], "{texting:?}");
            // All of them again, late.
            for status in ["queued", "sent", "sending", "delivered", "undelivered", "failed"] {
                let posted = desk.cast.changes_nothing(report(&desk, &page, status, "30003")).await;
                assert_eq!(posted, 204, "{status}");
            }
            assert_eq!(legs(&desk.page(callout, 1, "it", |_| true).await), [("first", "delivered", "")]);
        }
        assert_eq!(desk.twilio.asked(SECOND), 0);
    });
}

#[test]
fn delivered_after_undelivered_is_a_late_truth() {
    run(async {
        let (desk, callout, page) = taken().await;
        assert_eq!(report(&desk, &page, "undelivered", "30003").await, 204);
        let two = |pages: &[PageRecord]| {
            by(pages, 1).find(|page| page.legs.len() == 2 && page.legs[1].reference.is_some()).cloned()
        };
        desk.until(callout, "the second account's try", two).await;
        assert_eq!(report(&desk, &page, "delivered", "").await, 204);
        let page = desk.page(callout, 1, "the delivered page", |page| page.delivered_at.is_some()).await;
        assert_eq!(page.failed, None);
        let states: Vec<_> = legs(&page).iter().map(|leg| (leg.0, leg.1, leg.2)).collect();
        assert_eq!(states, [("first", "delivered", ""), ("second", "handed_over", "")]);
    });
}

#[test]
fn a_failure_that_is_reported_before_the_answer_to_the_request_counts() {
    run(async {
        let desk = desk().await;
        desk.reach(&desk.cast.primary, vec![sms(1, ADVOCATE), desk.webhook(2)]).await;
        desk.twilio.texting(ADVOCATE, Texting::UndeliveredAtOnce { code: 30_003 });
        let callout = desk.open().await;
        desk.page(callout, 2, "the next way", |page| page.handed_over_at == Some(desk.cast.now())).await;
        let page = desk.page(callout, 1, "the failed page", |page| page.failed.is_some()).await;
        assert_eq!(page.failed, Some(FailReason::Undelivered));
        assert_eq!(legs(&page).iter().map(|leg| leg.0).collect::<Vec<_>>(), ["first", "second"]);
    });
}

#[test]
fn a_failure_that_comes_after_the_answer_calls_nobody_again() {
    run(async {
        let (desk, callout, page) = taken().await;
        desk.cast.primary.act(callout, Action::Accept { eta_minutes: 20 }).await.unwrap();
        assert_eq!(report(&desk, &page, "undelivered", "30003").await, 204);
        let page = desk.page(callout, 1, "the failed page", |page| page.failed.is_some()).await;
        assert_eq!(page.legs.len(), 1);
        assert_eq!(desk.twilio.asked(SECOND), 0);
        assert_eq!(desk.twilio.phone(ADVOCATE).texts().iter().filter(|text| **text == PAGE).count(), 1);
        assert!(page.answered_at.is_some());
    });
}

#[test]
fn forged_reports_are_refused_before_anything_in_them_is_looked_at() {
    run(async {
        let (desk, _, page) = taken().await;
        let url = desk.status_url("first", &page, 1);
        let sid = page.legs[0].reference.clone().unwrap();
        let form = [("MessageSid", sid.as_str()), ("MessageStatus", "delivered")];
        let server = format!("http://{}/v1/telephony", desk.cast.server.http.addr());
        let nonsense = format!("{server}/first/status?page=nonsense&leg=-1");
        let unknown = format!("{server}/third/status?page={}&leg=1", page.page);
        desk.cast
            .changes_nothing(async {
                for url in [&url, &nonsense, &unknown] {
                    assert_eq!(desk.twilio.post(FIRST, url, &form, true).await, 403, "another token: {url}");
                }
                assert_eq!(desk.twilio.post(SECOND, &url, &form, false).await, 403, "another account's token");
                let other = desk.status_url("second", &page, 1);
                assert_eq!(desk.twilio.post(FIRST, &other, &form, false).await, 403, "under another account's name");
                let plain = reqwest::Client::new().post(&url).form(&form).send().await.unwrap();
                assert_eq!(plain.status(), 403, "no signature at all");
                // Signed, and about nothing that this account was given.
                assert_eq!(desk.twilio.post(FIRST, &nonsense, &form, false).await, 404);
                assert_eq!(desk.twilio.post(SECOND, &other, &form, false).await, 404, "another account's message");
                let stranger = [("MessageSid", "SM00"), ("MessageStatus", "delivered")];
                assert_eq!(desk.twilio.post(FIRST, &url, &stranger, false).await, 404, "another message");
                let later = desk.status_url("first", &page, 2);
                assert_eq!(desk.twilio.post(FIRST, &later, &form, false).await, 404, "a try that was never made");
            })
            .await;
    });
}
