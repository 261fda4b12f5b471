//! A person's own list: push now, an SMS after a minute, a call after two, until they answer.

use super::{ADVOCATE, Desk, browser, by, desk, rule, sms, voice};
use firstlight_protocol::{
    CalloutId,
    callout::{Action, CalloutState},
};
use firstlight_tests::{
    inproc::run,
    providers::{Answering, Keys},
};

async fn listed() -> Desk {
    let desk = desk().await;
    let methods = vec![voice(1, ADVOCATE), sms(2, ADVOCATE), browser(3, &desk.push.subscribe("browser"))];
    let rules = vec![rule(Some(3), 0), rule(Some(2), 60), rule(Some(1), 120)];
    desk.reach_by(&desk.cast.primary, methods, rules).await;
    desk
}

/// How many pages went out by call, by SMS and by push.
async fn counts(desk: &Desk, callout: CalloutId) -> [usize; 3] {
    let pages = desk.pages(callout).await;
    [1, 2, 3].map(|n| by(&pages, n).filter(|page| page.handed_over_at.is_some()).count())
}

/// Waits until so many have gone out by each.
async fn until(desk: &Desk, callout: CalloutId, wanted: [usize; 3]) {
    let counted = |pages: &[_]| {
        let counts = [1, 2, 3].map(|n| by(pages, n).filter(|page| page.handed_over_at.is_some()).count());
        (counts == wanted).then_some(())
    };
    desk.until(callout, &format!("{wanted:?}"), counted).await;
}

#[test]
fn each_way_has_its_time_and_a_key_ends_it() {
    run(async {
        let desk = listed().await;
        desk.twilio.answering(ADVOCATE, Answering::Person(vec![Keys::press("1"), Keys::HangUp]));
        let mut officer = desk.cast.officer.connect().await;
        let callout = desk.open().await;
        until(&desk, callout, [0, 0, 1]).await;
        desk.cast.seconds(59);
        assert_eq!(counts(&desk, callout).await, [0, 0, 1], "not before a minute");
        desk.cast.seconds(1);
        until(&desk, callout, [0, 1, 1]).await;
        desk.cast.seconds(60);
        until(&desk, callout, [1, 1, 1]).await;
        officer.view("somebody going", |view| view.state == CalloutState::Accepted).await;
        // Whatever passes now: nobody is called who is on the way.
        for _ in 0..5 {
            desk.cast.minutes(2);
        }
        assert_eq!(counts(&desk, callout).await, [1, 1, 1]);
        assert_eq!(desk.twilio.phone(ADVOCATE).rings(), 2, "to say the code, and once for the callout");
    });
}

#[test]
fn an_answer_by_another_way_stops_what_was_still_to_come() {
    run(async {
        let desk = listed().await;
        let callout = desk.open().await;
        until(&desk, callout, [0, 0, 1]).await;
        desk.cast.seconds(60);
        until(&desk, callout, [0, 1, 1]).await;
        desk.cast.primary.act(callout, Action::Accept { eta_minutes: 20 }).await.unwrap();
        for _ in 0..5 {
            desk.cast.minutes(1);
        }
        assert_eq!(counts(&desk, callout).await, [0, 1, 1]);
        assert_eq!(desk.twilio.phone(ADVOCATE).rings(), 1, "to say the code");
    });
}
