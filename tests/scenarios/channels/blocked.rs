//! Numbers and addresses that don't take our messages: used no more, the next way at once, and the supervisor hears it.

use super::{ADVOCATE, Desk, PAGE, by, desk, id, legs, sms};
use firstlight_protocol::{attention::Attention, callout::FailReason, policy::ContactState};
use firstlight_tests::{inproc::run, providers::Texting};

/// What has become of the first contact method, and that it stays so.
async fn is_given_up(desk: &Desk, reason: FailReason, why: &str, state: ContactState, about: Attention) {
    let callout = desk.open().await;
    let next = desk.page(callout, 2, "the next way", |page| page.handed_over_at.is_some()).await;
    assert_eq!(next.handed_over_at, Some(desk.cast.now()), "no time has passed");
    let page = desk.page(callout, 1, "the failed page", |page| page.failed.is_some()).await;
    assert_eq!(page.failed, Some(reason));
    assert_eq!(legs(&page), [("first", "failed", why)], "no other account is asked");
    assert_eq!(desk.state(&desk.cast.primary, 1).await, state);
    assert_eq!(desk.attention().await, [about]);
    assert!(!desk.twilio.phone(ADVOCATE).texts().contains(&PAGE));
    // Called again: by what is left.
    for minutes in 1..=3 {
        desk.cast.minutes(1);
        let again =
            |pages: &[_]| (by(pages, 2).filter(|page| page.handed_over_at.is_some()).count() > minutes).then_some(());
        desk.until(callout, "the next call", again).await;
    }
    assert_eq!(by(&desk.pages(callout).await, 1).count(), 1);
    assert_eq!(desk.attention().await.len(), 1, "said once");
}

#[test]
fn who_has_answered_stop_is_called_by_the_next_way_at_once_and_the_supervisor_hears_it() {
    run(async {
        let desk = desk().await;
        let person = desk.cast.primary.person;
        desk.reach(&desk.cast.primary, vec![sms(1, ADVOCATE), desk.webhook(2)]).await;
        desk.twilio.texting(ADVOCATE, Texting::Refused { code: 21_610 });
        let why = "the person's telephone has blocked our number (STOP) (error 21610)";
        let about = Attention::ContactBlocked { person, contact: id(1) };
        is_given_up(&desk, FailReason::BlockedSender, why, ContactState::Blocked, about).await;
    });
}

#[test]
fn a_number_that_does_not_exist_is_not_used_again() {
    run(async {
        for (texting, code) in [
            (Texting::Refused { code: 21_211 }, 21_211),
            (Texting::Refused { code: 21_614 }, 21_614),
            // Known only after it was sent.
            (Texting::Undelivered { code: 30_005 }, 30_005),
        ] {
            let desk = desk().await;
            let person = desk.cast.primary.person;
            desk.reach(&desk.cast.primary, vec![sms(1, ADVOCATE), desk.webhook(2)]).await;
            desk.twilio.texting(ADVOCATE, texting);
            let why = format!("the number, address or subscription does not exist (error {code})");
            let about = Attention::ContactInvalid { person, contact: id(1) };
            is_given_up(&desk, FailReason::UnknownNumber, &why, ContactState::Invalid, about).await;
        }
    });
}

#[test]
fn a_blocked_number_is_used_again_once_it_is_verified_anew() {
    run(async {
        let desk = desk().await;
        desk.reach(&desk.cast.primary, vec![sms(1, ADVOCATE)]).await;
        desk.twilio.texting(ADVOCATE, Texting::Refused { code: 21_610 });
        let callout = desk.open().await;
        desk.page(callout, 1, "the failed page", |page| page.failed.is_some()).await;
        assert_eq!(desk.state(&desk.cast.primary, 1).await, ContactState::Blocked);
        // They have answered START, and the next code comes.
        desk.twilio.texting(ADVOCATE, Texting::Arrives);
        let code = desk.code(&desk.cast.primary, &sms(1, ADVOCATE)).await;
        desk.confirm(&desk.cast.primary, &sms(1, ADVOCATE), &code).await.unwrap();
        let callout = desk.open().await;
        desk.page(callout, 1, "the delivered page", |page| page.delivered_at.is_some()).await;
    });
}
