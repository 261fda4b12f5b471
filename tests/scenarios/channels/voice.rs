//! Calls: a key is an answer, and nothing else is.

use super::{ADVOCATE, by, desk, legs, voice};
use firstlight_protocol::{
    api::{LegState, PageRecord},
    callout::{CalloutState, FailReason, ResponderState},
};
use firstlight_tests::{
    inproc::run,
    providers::{Answering, Keys},
};

#[test]
fn a_pressed_key_is_on_the_record_and_the_end_of_the_call_does_not_change_it() {
    run(async {
        for (key, state) in [("1", CalloutState::Accepted), ("2", CalloutState::Paging)] {
            let desk = desk().await;
            desk.reach(&desk.cast.primary, vec![voice(1, ADVOCATE)]).await;
            desk.twilio.answering(ADVOCATE, Answering::Person(vec![Keys::press(key), Keys::HangUp]));
            let callout = desk.open().await;
            let answered = |page: &PageRecord| page.legs.iter().any(|leg| leg.state == LegState::Answered);
            desk.page(callout, 1, "the answered call", answered).await;
            // The provider's last word is that the call is completed: it comes after the last that was shown.
            desk.twilio.wait_until_quiet().await;
            let page = desk.page(callout, 1, "the call", |_| true).await;
            assert_eq!(legs(&page), [("first", "answered", "")]);
            assert_eq!((page.failed, page.delivered_at), (None, Some(desk.cast.now())));
            assert!(page.answered_at.is_some());
            assert_eq!(desk.cast.supervisor.callout(callout).await.unwrap().state, state);
        }
    });
}

#[test]
fn a_call_that_nobody_answered_by_a_key_has_failed_and_the_next_way_is_used_at_once() {
    run(async {
        let silent = vec![Keys::Silence; 3];
        for (answering, reason, why) in [
            (Answering::Voicemail, FailReason::NoAnswer, "it rang, and nobody pressed a key"),
            (Answering::Person(silent), FailReason::NoAnswer, "it rang, and nobody pressed a key"),
            (Answering::RingsOut, FailReason::NoAnswer, "it rang, and nobody pressed a key"),
            (Answering::Busy, FailReason::Busy, "the line was busy"),
            (Answering::Fails { code: 0 }, FailReason::Undelivered, "the network took it and could not deliver it"),
        ] {
            let desk = desk().await;
            desk.reach(&desk.cast.primary, vec![voice(1, ADVOCATE), desk.webhook(2)]).await;
            desk.twilio.answering(ADVOCATE, answering.clone());
            let callout = desk.open().await;
            desk.page(callout, 2, "the next way", |page| page.handed_over_at == Some(desk.cast.now())).await;
            let page = by(&desk.pages(callout).await, 1).next().cloned().unwrap();
            assert_eq!(
                (page.failed, page.why.as_deref(), page.delivered_at),
                (Some(reason), Some(why), None),
                "{answering:?}"
            );
            let view = desk.cast.supervisor.callout(callout).await.unwrap();
            assert_eq!((view.accepted, view.acknowledged), (0, 0), "{answering:?}");
            assert_eq!(view.responders[0].state, ResponderState::Paged);
        }
    });
}
