//! One account fails, the next one sends: at once, with at most one duplicate, and that one labelled.

use super::{ADVOCATE, FIRST, PAGE, SECOND, by, desk, legs, sms};
use firstlight_protocol::callout::FailReason;
use firstlight_tests::{
    inproc::run,
    providers::{Texting, Trouble},
};
use std::time::Duration;

#[test]
fn an_account_that_refuses_is_passed_over_at_once_and_the_record_says_why() {
    run(async {
        let desk = desk().await;
        desk.reach(&desk.cast.primary, vec![sms(1, ADVOCATE)]).await;
        // A refusal sent nothing. A server's error may come from a gateway that has passed the request on.
        for (trouble, why, maybe_sent) in [
            (Trouble::Refuses { status: 401, code: 20_003 }, "the channel answered with an error (error 20003)", false),
            (Trouble::Refuses { status: 500, code: 20_500 }, "the channel answered with an error (error 20500)", true),
        ] {
            desk.twilio.trouble(FIRST, Some(trouble));
            let callout = desk.open().await;
            let page = desk.page(callout, 1, "the delivered page", |page| page.delivered_at.is_some()).await;
            assert_eq!(legs(&page), [("first", "failed", why), ("second", "delivered", "")]);
            assert_eq!(page.legs.iter().map(|leg| leg.redelivery).collect::<Vec<_>>(), [false, maybe_sent]);
            assert_eq!((page.failed, page.delivered_at), (None, Some(desk.cast.now())), "no time has passed");
        }
        let pages = desk.twilio.phone(ADVOCATE).texts().into_iter().filter(|text| *text == PAGE).count();
        assert_eq!(pages, 2, "one for each callout");
    });
}

#[test]
fn a_connection_that_breaks_instead_of_an_answer_makes_one_labelled_duplicate() {
    run(async {
        let desk = desk().await;
        desk.reach(&desk.cast.primary, vec![sms(1, ADVOCATE)]).await;
        desk.twilio.texting(ADVOCATE, Texting::NeverReported);
        desk.twilio.trouble(FIRST, Some(Trouble::AnswersNothing));
        let callout = desk.open().await;
        let page = desk.page(callout, 1, "the second try", |page| page.handed_over_at.is_some()).await;
        let states: Vec<_> = legs(&page).iter().map(|leg| (leg.0, leg.1)).collect();
        assert_eq!(states, [("first", "failed"), ("second", "handed_over")]);
        assert!(page.legs[1].redelivery, "the first may have arrived");
        // It has: the telephone shows the page twice, and never a third time.
        desk.twilio
            .wait_for(ADVOCATE, "both", |phone| {
                (phone.texts().iter().filter(|t| **t == PAGE).count() == 2).then_some(())
            })
            .await;
        assert_eq!((desk.twilio.asked(FIRST), desk.twilio.asked(SECOND)), (2, 1), "the code, and the page once each");
    });
}

#[test]
fn an_account_that_stalls_is_left_after_five_seconds_and_what_it_sends_later_is_the_only_duplicate() {
    run(async {
        let desk = desk().await;
        desk.reach(&desk.cast.primary, vec![sms(1, ADVOCATE)]).await;
        desk.twilio.trouble(FIRST, Some(Trouble::Stalls(Duration::from_secs(8))));
        let callout = desk.open().await;
        let page = desk.page(callout, 1, "the delivered page", |page| page.delivered_at.is_some()).await;
        let slow = "no answer from the channel in time";
        assert_eq!(legs(&page), [("first", "failed", slow), ("second", "delivered", "")]);
        assert!(page.legs[1].redelivery);
        assert_eq!(page.delivered_at, Some(desk.cast.now()), "no time of the callout's has passed");
        // Three seconds later the first account does what it was asked, and says so.
        let both = |pages: &[_]| by(pages, 1).find(|page| legs(page).iter().all(|leg| leg.1 == "delivered")).cloned();
        let page = desk.until(callout, "the late truth", both).await;
        assert_eq!((page.legs.len(), page.failed), (2, None));
        assert_eq!(desk.twilio.phone(ADVOCATE).texts().iter().filter(|text| **text == PAGE).count(), 2);
    });
}

#[test]
fn what_the_first_account_reports_as_undelivered_the_second_sends() {
    run(async {
        let desk = desk().await;
        desk.reach(&desk.cast.primary, vec![sms(1, ADVOCATE)]).await;
        desk.twilio.trouble(FIRST, Some(Trouble::Loses { code: 30_008 }));
        let callout = desk.open().await;
        let page = desk.page(callout, 1, "the delivered page", |page| page.delivered_at.is_some()).await;
        let lost = "the network took it and could not deliver it (error 30008)";
        assert_eq!(legs(&page), [("first", "failed", lost), ("second", "delivered", "")]);
        assert_eq!((page.failed, page.delivered_at), (None, Some(desk.cast.now())));
    });
}

#[test]
fn where_no_account_delivers_the_next_way_is_used_without_a_second_of_waiting() {
    run(async {
        let desk = desk().await;
        desk.reach(&desk.cast.primary, vec![sms(1, ADVOCATE), desk.webhook(2)]).await;
        desk.twilio.texting(ADVOCATE, Texting::Undelivered { code: 30_003 });
        let callout = desk.open().await;
        let hook = desk.page(callout, 2, "the next way", |page| page.handed_over_at.is_some()).await;
        assert_eq!(hook.handed_over_at, Some(desk.cast.now()));
        let page = desk.page(callout, 1, "the failed page", |page| page.failed.is_some()).await;
        assert_eq!(page.failed, Some(FailReason::Undelivered));
        assert_eq!(page.why.as_deref(), Some("the network took it and could not deliver it"));
        assert_eq!(
            legs(&page).iter().map(|leg| (leg.0, leg.1)).collect::<Vec<_>>(),
            [("first", "failed"), ("second", "failed")]
        );
    });
}

#[test]
fn an_account_that_keeps_failing_is_passed_over_and_tried_again_after_a_rest() {
    run(async {
        let desk = desk().await;
        desk.reach(&desk.cast.primary, vec![sms(1, ADVOCATE)]).await;
        let sent_by = async || {
            let callout = desk.open().await;
            let page = desk.page(callout, 1, "the delivered page", |page| page.delivered_at.is_some()).await;
            page.legs.iter().filter_map(|leg| leg.vendor.clone()).collect::<Vec<_>>()
        };
        desk.twilio.trouble(FIRST, Some(Trouble::Refuses { status: 503, code: 20_503 }));
        for _ in 0..3 {
            assert_eq!(sent_by().await, ["first", "second"]);
        }
        assert_eq!(sent_by().await, ["second"]);
        desk.twilio.trouble(FIRST, None);
        assert_eq!(sent_by().await, ["second"], "not before its rest is over");
        desk.cast.seconds(31);
        assert_eq!(sent_by().await, ["first"]);
        assert_eq!(sent_by().await, ["first"]);
    });
}
