//! Answers by SMS: `Y 30`, `N`, `HERE`, `STOP`, and noise.

use super::{ADVOCATE, Line, OURS, SID, line, page_by};
use firstlight_protocol::{
    CalloutId,
    api::{Notice, PolicyDocument},
    attention::Attention,
    callout::{Action, CalloutState, ResponderState},
    policy::Policy,
};
use firstlight_tests::{inproc::run, world::routing};
use std::time::Duration;

async fn open(line: &Line) -> CalloutId {
    let id = line.cast.officer.open_callout(routing("north", line.cast.now())).await.unwrap().id;
    line.twilio.wait_for(ADVOCATE, "the page", |phone| phone.texts().contains(&"Duty: respond").then_some(())).await;
    id
}

#[test]
fn yes_with_minutes_accepts_and_here_arrives() {
    run(async {
        let line = line().await;
        page_by(&line, "sms").await;
        let callout = open(&line).await;
        let accepted = format!("Accepted {}, 35 min. Send HERE when you are there.", callout.short());
        assert_eq!(line.text(ADVOCATE, "Y 35").await, [accepted]);
        let view = line.cast.officer.callout(callout).await.unwrap();
        assert_eq!(view.state, CalloutState::Accepted);
        assert_eq!(view.responders[0].eta_at, Some(line.cast.now() + Duration::from_secs(35 * 60)));
        assert_eq!(line.text(ADVOCATE, "y 50").await, ["Noted: 50 min."]);
        assert!(line.text(ADVOCATE, "N").await[0].contains("You have accepted"), "nobody drops out by an SMS");
        assert_eq!(line.text(ADVOCATE, "here").await, ["Noted: you are there."]);
        assert_eq!(line.cast.officer.callout(callout).await.unwrap().state, CalloutState::Arrived);
        assert_eq!(line.text(ADVOCATE, "Y 30").await, ["Nothing waits for your answer."]);
        assert!(line.text(ADVOCATE, "maybe").await[0].starts_with("Not understood"));
        line.says_nothing_of(callout);
    });
}

#[test]
fn the_same_message_again_is_answered_alike_and_a_late_one_changes_nothing() {
    run(async {
        let line = line().await;
        page_by(&line, "sms").await;
        let callout = open(&line).await;
        let url = line.url("incoming-sms");
        let first = line.twilio.text_as("SM77", SID, ADVOCATE, OURS, "N", &url).await;
        assert_eq!(first.1, ["Noted: you cannot go."]);
        // They change their mind in the app; the provider repeats what it got no answer to.
        line.cast
            .supervisor
            .act(callout, Action::CallMore { wanted: 1, people: vec![line.cast.primary.person] })
            .await
            .unwrap();
        line.cast.primary.act(callout, Action::Accept { eta_minutes: 20 }).await.unwrap();
        assert_eq!(line.twilio.text_as("SM77", SID, ADVOCATE, OURS, "N", &url).await, first);
        let view = line.cast.supervisor.callout(callout).await.unwrap();
        assert_eq!(
            view.responders.iter().find(|r| r.person == line.cast.primary.person).unwrap().state,
            ResponderState::Accepted
        );
        line.text(ADVOCATE, "N").await;
        assert_eq!(line.cast.officer.callout(callout).await.unwrap().accepted, 1);
    });
}

#[test]
fn stop_blocks_the_contact_and_the_supervisor_hears_it() {
    run(async {
        let line = line().await;
        page_by(&line, "sms").await;
        assert!(line.text(ADVOCATE, "STOP").await.is_empty(), "the provider has answered it");
        let heard = |about: &Attention| matches!(about, Attention::ContactBlocked { person, .. } if *person == line.cast.primary.person);
        let inbox = line.cast.supervisor.inbox().await;
        assert_eq!(
            inbox.iter().filter(|i| matches!(&i.notice, Notice::Attention { about } if heard(about))).count(),
            1
        );
        let callout = line.cast.officer.open_callout(routing("north", line.cast.now())).await.unwrap().id;
        assert!(line.text(ADVOCATE, "Y 30").await[0].contains("duty messages only"), "no answer counts from there");
        line.text(ADVOCATE, "START").await;
        assert_eq!(line.text(ADVOCATE, "Y 30").await.len(), 1);
        assert_eq!(line.cast.officer.callout(callout).await.unwrap().accepted, 1);
    });
}

#[test]
fn a_stranger_is_told_nothing_and_answered_once_an_hour() {
    run(async {
        let line = line().await;
        page_by(&line, "sms").await;
        let callout = open(&line).await;
        let stranger = "+15555550177";
        assert_eq!(line.text(stranger, "Y 30").await, ["This number takes duty messages only."]);
        for body in ["HERE", "12345678", "who are you?"] {
            assert!(line.text(stranger, body).await.is_empty(), "{body}");
        }
        assert_eq!(line.cast.officer.callout(callout).await.unwrap().accepted, 0);
        line.cast.minutes(61);
        assert_eq!(line.text(stranger, "hello").await.len(), 1);
        let forged = [("MessageSid", "SM5"), ("From", ADVOCATE), ("To", OURS), ("Body", "Y 5")];
        assert_eq!(line.twilio.post(SID, &line.url("incoming-sms"), &forged, true).await, 403);
        assert_eq!(line.cast.officer.callout(callout).await.unwrap().accepted, 0);
    });
}

#[test]
fn minutes_for_the_one_are_never_a_yes_to_another() {
    run(async {
        let line = line().await;
        page_by(&line, "sms").await;
        let first = open(&line).await;
        line.text(ADVOCATE, "Y 30").await;
        let second = line.cast.officer.open_callout(routing("south", line.cast.now())).await.unwrap().id;
        line.twilio.wait_for(ADVOCATE, "the second page", |phone| (phone.texts().len() > 3).then_some(())).await;
        let answer = line.text(ADVOCATE, "Y 45").await;
        assert!(answer[0].contains("Nothing was changed"), "{answer:?}");
        assert_eq!(line.cast.officer.callout(second).await.unwrap().accepted, 0);
        let view = line.cast.officer.callout(first).await.unwrap();
        assert_eq!(view.responders[0].eta_at, Some(line.cast.now() + Duration::from_secs(30 * 60)));
    });
}

#[test]
fn where_a_pin_is_wanted_a_text_says_no_more_than_that_somebody_is_awake() {
    run(async {
        let line = line().await;
        page_by(&line, "sms").await;
        let document: PolicyDocument = line.cast.supervisor.get("/v1/policy").await.unwrap();
        let policy = Policy { voice_pin: true, ..document.policy };
        let document = PolicyDocument { policy, ..document };
        line.cast.supervisor.put::<PolicyDocument>("/v1/policy", &document).await.unwrap();
        let callout = open(&line).await;
        for body in ["Y 5", "N", "HERE"] {
            assert!(line.text(ADVOCATE, body).await[0].contains("PIN"), "{body}");
        }
        assert_eq!(line.cast.officer.callout(callout).await.unwrap().state, CalloutState::Acknowledged);
    });
}
