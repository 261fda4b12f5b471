//! Answers by keypress: what counts, what doesn't, and what is never said.

use super::{ADVOCATE, Line, line, page_by};
use firstlight_protocol::{
    Secret,
    api::{PolicyDocument, SetPin},
    callout::{Action, CalloutState, ResponderState, Routing},
    policy::Policy,
};
use firstlight_tests::{
    inproc::run,
    providers::{Answering, Keys},
    world::routing,
};

async fn open(line: &Line) -> firstlight_protocol::CalloutId {
    let cast = &line.cast;
    cast.officer.open_callout(routing("north", cast.now())).await.unwrap().id
}

#[test]
fn one_accepts_and_the_minutes_change_the_eta() {
    run(async {
        let line = line().await;
        page_by(&line, "voice").await;
        line.twilio.answering(ADVOCATE, Answering::Person(vec![Keys::press("1"), Keys::press("45#")]));
        let mut officer = line.cast.officer.connect().await;
        let callout = open(&line).await;
        let view = officer.view("somebody going", |view| {
            view.responders
                .first()
                .is_some_and(|r| r.eta_at == Some(line.cast.now() + std::time::Duration::from_secs(45 * 60)))
        });
        assert_eq!((view.await.state, callout), (CalloutState::Accepted, callout));
        line.says_nothing_of(callout);
    });
}

#[test]
fn hanging_up_after_one_is_going_all_the_same() {
    run(async {
        let line = line().await;
        page_by(&line, "voice").await;
        line.twilio.answering(ADVOCATE, Answering::Person(vec![Keys::press("1"), Keys::HangUp]));
        let mut officer = line.cast.officer.connect().await;
        open(&line).await;
        let view = officer.view("somebody going", |view| view.state == CalloutState::Accepted).await;
        assert_eq!(view.responders[0].eta_at, Some(line.cast.now() + std::time::Duration::from_secs(30 * 60)));
    });
}

#[test]
fn two_declines_and_the_next_person_is_called() {
    run(async {
        let line = line().await;
        page_by(&line, "voice").await;
        line.twilio.answering(ADVOCATE, Answering::Person(vec![Keys::press("2")]));
        let mut backup = line.cast.backup.connect().await;
        let callout = open(&line).await;
        assert_eq!(backup.page().await.1, callout, "at once");
        let view = line.cast.supervisor.callout(callout).await.unwrap();
        let state = |person| view.responders.iter().find(|r| r.person == person).map(|r| r.state);
        assert_eq!(state(line.cast.primary.person), Some(ResponderState::Declined));
    });
}

#[test]
fn a_voicemail_and_a_person_who_presses_nothing_have_not_answered() {
    run(async {
        for silent in [Answering::Voicemail, Answering::Person(vec![Keys::Silence, Keys::Silence, Keys::Silence])] {
            let line = line().await;
            page_by(&line, "voice").await;
            line.twilio.answering(ADVOCATE, silent);
            let callout = open(&line).await;
            let hung_up = |phone: &firstlight_tests::providers::Phone| {
                let over =
                    phone.history().iter().any(|(_, shown)| *shown == firstlight_tests::providers::Shown::HungUp);
                over.then_some(())
            };
            line.twilio.wait_for(ADVOCATE, "the end of the call", hung_up).await;
            let view = line.cast.supervisor.callout(callout).await.unwrap();
            assert_eq!(view.accepted, 0);
            assert_eq!(view.responders[0].state, ResponderState::Paged);
            line.says_nothing_of(callout);
        }
    });
}

#[test]
fn where_the_policy_wants_a_pin_it_is_keyed_first() {
    run(async {
        let line = line().await;
        page_by(&line, "voice").await;
        let cast = &line.cast;
        let PolicyDocument { version, policy } = cast.supervisor.get("/v1/policy").await.unwrap();
        let policy = Policy { voice_pin: true, ..policy };
        cast.supervisor.put::<PolicyDocument>("/v1/policy", &PolicyDocument { version, policy }).await.unwrap();
        let pin = SetPin { pin: Some(Secret::new("4071")) };
        cast.primary.put::<()>(format!("/v1/people/{}/pin", cast.primary.person), &pin).await.unwrap();
        let keys = ["1", "9999#", "4071#", "1"].map(Keys::press).to_vec();
        line.twilio.answering(ADVOCATE, Answering::Person(keys));
        let mut officer = cast.officer.connect().await;
        open(&line).await;
        officer.view("somebody going", |view| view.state == CalloutState::Accepted).await;
        let heard = line.twilio.phone(ADVOCATE).heard().join(" ");
        assert_eq!(heard.matches("That PIN is not right").count(), 2, "{heard}");
    });
}

#[test]
fn a_request_without_the_accounts_signature_is_refused_and_a_repeated_one_changes_nothing() {
    run(async {
        let line = line().await;
        page_by(&line, "voice").await;
        let callout = open(&line).await;
        let url = line.url("incoming-voice");
        let form = [("CallSid", "CA9"), ("From", "+15555550199"), ("To", super::OURS)];
        assert_eq!(line.twilio.post(super::SID, &url, &form, true).await, 403);
        let digits = format!("{}?step=0", line.url("voice/digits"));
        let pressed = [("CallSid", "CA9"), ("Digits", "1")];
        assert_eq!(line.twilio.post(super::SID, &digits, &pressed, true).await, 403);
        // Signed, and of a call that nobody knows.
        assert_eq!(line.twilio.post(super::SID, &digits, &pressed, false).await, 200);
        assert_eq!(line.cast.supervisor.callout(callout).await.unwrap().accepted, 0);
        // The same call's requests twice: the second finds itself answered.
        for _ in 0..2 {
            assert_eq!(line.twilio.post(super::SID, &url, &form, false).await, 200);
        }
    });
}

#[test]
fn a_call_that_comes_too_late_changes_nothing() {
    run(async {
        let line = line().await;
        page_by(&line, "voice").await;
        let wanted = Routing { wanted: 1, ..routing("north", line.cast.now()) };
        let callout = line.cast.officer.open_callout(wanted).await.unwrap().id;
        let view = line.cast.supervisor.callout(callout).await.unwrap();
        let page = view.pages.unwrap().into_iter().find(|page| page.channel.word() == "voice").unwrap().id;
        line.cast.supervisor.act(callout, Action::Accept { eta_minutes: 10 }).await.unwrap();
        let voice = format!("{}?page={page}&leg=1", line.url("voice"));
        let call = [("CallSid", "CA77"), ("From", super::OURS), ("To", ADVOCATE)];
        assert_eq!(line.twilio.post(super::SID, &voice, &call, false).await, 200);
        let digits = format!("{}?step=0", line.url("voice/digits"));
        assert_eq!(line.twilio.post(super::SID, &digits, &[("CallSid", "CA77"), ("Digits", "1")], false).await, 200);
        let view = line.cast.supervisor.callout(callout).await.unwrap();
        assert_eq!(view.accepted, 1);
        assert_ne!(
            view.responders.iter().find(|r| r.person == line.cast.primary.person).unwrap().state,
            ResponderState::Accepted
        );
    });
}
