//! The officer without an app: a call or an SMS with the agency's code.

use super::{Line, OFFICER, OURS, SID, line};
use firstlight_protocol::{
    ErrorCode, LineId,
    api::{AddLine, CalloutList, InboxItem, LineAdded, LineSettings, Notice, PolicyDocument},
    attention::Attention,
    callout::{Action, CalloutState, CalloutView, CancelReason},
    policy::Policy,
};
use firstlight_tests::{
    inproc::run,
    providers::{Keys, Phone, Texting},
};

async fn code(line: &Line, languages: &[&str]) -> String {
    let languages = languages.iter().map(|code| code.parse().unwrap()).collect();
    let settings = LineSettings { zone: "north".parse().unwrap(), site: None, languages, active: true, quota: 50 };
    let body = AddLine { id: LineId([1; 16]), agency: line.cast.police.id, code_digits: 8, settings };
    let added: LineAdded = line.cast.supervisor.post("/v1/lines", &body).await.unwrap();
    added.code.unwrap().reveal().to_owned()
}

async fn callouts(line: &Line) -> Vec<CalloutView> {
    line.cast.supervisor.get::<CalloutList>("/v1/callouts").await.unwrap().callouts
}

async fn told(line: &Line, what: &str) {
    line.twilio
        .wait_for(OFFICER, what, |phone: &Phone| phone.texts().iter().any(|t| t.contains(what)).then_some(()))
        .await;
}

#[test]
fn a_call_with_the_code_opens_and_the_officer_hears_what_becomes_of_it() {
    run(async {
        let line = line().await;
        let code = code(&line, &["en"]).await;
        let url = line.url("incoming-voice");
        line.twilio.call(SID, OFFICER, OURS, vec![Keys::press(&format!("{code}#"))], &url).await;
        let open = callouts(&line).await;
        assert_eq!(open.len(), 1);
        let view = &open[0];
        assert_eq!(view.routing.as_ref().unwrap().call_back.as_str(), OFFICER);
        assert_eq!(view.agency, line.cast.police.id);
        let heard = line.twilio.phone(OFFICER).heard().join(" ");
        assert!(heard.contains("An advocate is being paged"), "{heard}");
        line.cast.primary.act(view.id, Action::Accept { eta_minutes: 25 }).await.unwrap();
        told(&line, "about 25 minutes").await;
        line.cast.primary.act(view.id, Action::Arrived).await.unwrap();
        told(&line, "has arrived").await;
        assert!(line.twilio.phone(OFFICER).texts().iter().all(|text| text.contains(&view.id.short())));
        line.says_nothing_of(view.id);
        // Again within a minute: the same callout.
        line.twilio.call(SID, OFFICER, OURS, vec![Keys::press(&format!("{code}#"))], &url).await;
        assert_eq!(callouts(&line).await.len(), 1);
    });
}

#[test]
fn a_second_call_is_asked_whether_it_is_about_somebody_else() {
    run(async {
        let line = line().await;
        let code = Keys::press(&format!("{}#", code(&line, &["en"]).await));
        let url = line.url("incoming-voice");
        line.twilio.call(SID, OFFICER, OURS, vec![code.clone()], &url).await;
        // Two officers behind one exchange's number: the second young person is another callout.
        line.twilio.call(SID, OFFICER, OURS, vec![code.clone(), Keys::press("2")], &url).await;
        let heard = line.twilio.phone(OFFICER).heard().join(" ");
        assert!(heard.contains("If this is about somebody else, press 2"), "{heard}");
        let open = callouts(&line).await;
        assert_eq!(open.len(), 2);
        // One that is over answers nobody: whoever calls then is heard at once.
        for view in open {
            let reason = CancelReason::Mistake;
            line.cast.supervisor.act(view.id, Action::Cancel { reason }).await.unwrap();
        }
        line.twilio.call(SID, OFFICER, OURS, vec![code], &url).await;
        assert_eq!(callouts(&line).await.iter().filter(|view| view.state == CalloutState::Paging).count(), 1);
    });
}

#[test]
fn a_station_whose_telephones_share_a_number_is_never_turned_away_for_right_codes() {
    run(async {
        let line = line().await;
        let code = code(&line, &[]).await;
        for callout in 1..=8 {
            line.text(OFFICER, &format!("{code} 1")).await;
            assert_eq!(callouts(&line).await.len(), callout);
            line.cast.minutes(2);
        }
    });
}

#[test]
fn a_line_stands_for_a_place_that_the_policy_knows() {
    run(async {
        let line = line().await;
        let mut document: PolicyDocument = line.cast.supervisor.get("/v1/policy").await.unwrap();
        document.policy.zones = vec!["north".parse().unwrap(), "south".parse().unwrap()];
        let saved: PolicyDocument = line.cast.supervisor.put("/v1/policy", &document).await.unwrap();
        code(&line, &[]).await;
        let moved = PolicyDocument {
            policy: Policy { zones: vec!["south".parse().unwrap()], ..saved.policy.clone() },
            ..saved
        };
        let refused = line.cast.supervisor.put::<PolicyDocument>("/v1/policy", &moved).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidValue);
        let zone = "west".parse().unwrap();
        let settings = LineSettings { zone, site: None, languages: vec![], active: true, quota: 5 };
        let path = format!("/v1/lines/{}", LineId([1; 16]));
        let refused = line.cast.supervisor.put::<serde_json::Value>(&path, &settings).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidValue);
    });
}

#[test]
fn an_officer_whom_no_text_message_reaches_is_called_back() {
    run(async {
        let line = line().await;
        let code = code(&line, &[]).await;
        line.twilio.texting(OFFICER, Texting::Undelivered { code: 30_006 });
        let url = line.url("incoming-voice");
        line.twilio.call(SID, OFFICER, OURS, vec![Keys::press(&format!("{code}#"))], &url).await;
        let callout = callouts(&line).await[0].id;
        let mut supervisor = line.cast.supervisor.connect().await;
        let unreached = |item: &InboxItem| match item.notice {
            Notice::Attention { about: Attention::CallerUnreached { callout: of } } if of == callout => Some(()),
            _ => None,
        };
        supervisor.notice("the alarm that the officer was not reached", unreached).await;
    });
}

#[test]
fn an_sms_with_the_code_opens_once_and_says_the_reference() {
    run(async {
        let line = line().await;
        let code = code(&line, &["es"]).await;
        line.text(OFFICER, &format!("{code} 2")).await;
        told(&line, "Referencia").await;
        let again = line.text(OFFICER, &format!("{code} 2")).await;
        let open = callouts(&line).await;
        assert_eq!(open.len(), 1);
        assert!(again[0].contains(&open[0].id.short()));
        assert_eq!(open[0].routing.as_ref().unwrap().young_people, 2);
    });
}

#[test]
fn a_hidden_number_is_asked_for_and_wrong_codes_lock() {
    run(async {
        let line = line().await;
        let code = code(&line, &[]).await;
        let url = line.url("incoming-voice");
        let keys = vec![Keys::press(&format!("{code}#")), Keys::press("5555550144#")];
        line.twilio.call(SID, "anonymous", OURS, keys, &url).await;
        let open = callouts(&line).await;
        assert_eq!(open[0].routing.as_ref().unwrap().call_back.as_str(), "+15555550144");

        let wrong = ["00000000#", "00000001#", "00000002#"].map(Keys::press).to_vec();
        for caller in 0..12 {
            line.twilio.call(SID, &format!("+155555502{caller:02}"), OURS, wrong.clone(), &url).await;
        }
        let inbox = line.cast.supervisor.inbox().await;
        let codes_tried = Notice::Attention { about: Attention::CodesTried {} };
        assert_eq!(inbox.iter().filter(|item| item.notice == codes_tried).count(), 1);
        // A right code from a number that never opened one is not listened to now; from one that did, it is.
        line.twilio.call(SID, OFFICER, OURS, vec![Keys::press(&format!("{code}#"))], &url).await;
        assert_eq!(callouts(&line).await.len(), 1);
        line.cast.minutes(2);
        line.text("+15555550144", &code).await;
        assert_eq!(callouts(&line).await.len(), 2);
    });
}
