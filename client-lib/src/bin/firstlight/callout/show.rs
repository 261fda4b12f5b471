//! Callouts as text: always in view are the time since the call, what happens next and when, and who knows.

use crate::{
    context::Context,
    failure::Failure,
    output::{Answer, Page, Style},
    words,
};
use firstlight_client::session::Session;
use firstlight_protocol::{
    PersonId,
    callout::{CalloutState, CalloutView, Purpose, ResponderState, ResponderView, Routing},
};
use serde_json::json;

/// Lists callouts.
pub(super) async fn list(context: &Context, session: &Session) -> Result<Answer, Failure> {
    let callouts = session.api().callouts().await?;
    let mut page = context.page();
    page.title("Callouts");
    let drills = callouts.iter().filter(|view| !view.purpose.is_real()).count();
    if drills > 0 {
        page.alarm(&format!("  {drills} of these are drills"));
    }
    let rows: Vec<Vec<String>> = callouts
        .iter()
        .map(|view| {
            let place = view.routing.as_ref().map(place).unwrap_or_default();
            vec![
                view.id.short(),
                page.when().both(view.opened_at),
                format!("{}{}", words::purpose(view.purpose), view.state),
                format!("{}/{}", view.accepted, view.wanted),
                place,
            ]
        })
        .collect();
    page.table(&["ID", "OPENED", "STATE", "GOING", "PLACE"], &rows, "none");
    Ok(Answer::new(&json!({ "callouts": callouts }), page))
}

/// One callout.
pub(super) fn show(context: &Context, view: &CalloutView) -> Answer {
    let mut page = context.page();
    describe(&mut page, view);
    Answer::new(view, page)
}

/// Writes one callout on a page.
pub(super) fn describe(page: &mut Page, view: &CalloutView) {
    page.title(&format!("{}Callout {}", words::purpose(view.purpose), view.id.short()));
    if view.purpose == Purpose::Drill {
        page.alarm("  THIS IS A DRILL: no young person waits.");
    }
    page.dressed_row("state", words::state(view.state), |style, text| dress(style, view.state, text));
    if let Some(own) = view.your_state {
        page.row("you", words::responder(own));
    }
    page.time("opened", view.opened_at);
    if let Some(next) = &view.next_action {
        let when = page.when().both(next.at);
        page.row("next", &format!("{}: {when}", words::next(next.what)));
    }
    if let Some(step) = view.step {
        let again = if step.round > 1 { format!(", walk {}", step.round) } else { String::new() };
        page.row("escalation", &format!("step {} of {}{again}", step.number, step.of));
    }
    page.row("responders", &format!("{} going of {} wanted, {} awake", view.accepted, view.wanted, view.acknowledged));
    page.row("duty number", view.duty_number.as_str());
    if let Some(routing) = &view.routing {
        describe_routing(page, routing);
    }
    page.row("callout", &view.id.to_string());
    if let Some(room) = view.room {
        page.row("room", &room.to_string());
    }
    if let Some(into) = view.merged_into {
        page.row("goes on as", &into.to_string());
    }
    if !view.barred.is_empty() {
        let names: Vec<String> = view.barred.iter().map(|p| name_of(&view.responders, *p)).collect();
        page.row("barred", &names.join(", "));
    }
    for duplicate in &view.possible_duplicates {
        page.row("same as?", &format!("{}: \"firstlight callout merge\" if it is", duplicate.short()));
    }
    for raised in &view.alarms {
        let text = words::alarm(raised.alarm, |person| name_of(&view.responders, person));
        let when = page.when().away(raised.at);
        page.alarm(&format!("  {text} ({when})"));
    }
    if !view.responders.is_empty() {
        page.title("Responders");
        let rows: Vec<Vec<String>> = view.responders.iter().map(|r| responder(page, r)).collect();
        page.table(&["NAME", "STATE", "ETA", "TIER"], &rows, "");
    }
    if let Some(outcome) = &view.outcome {
        page.title("Outcome");
        page.time("closed", outcome.closed_at);
        let reasons: Vec<String> = outcome.reasons.iter().map(|r| r.to_string().replace('_', " ")).collect();
        page.row("reasons", &reasons.join(", "));
        page.row("support", &outcome.support.to_string().replace('_', " "));
        page.row("kits given", &outcome.kits_given.to_string());
        if let Some(at) = outcome.reviewed_at {
            page.time("reviewed", at);
        }
    }
}

fn dress(style: Style, state: CalloutState, text: &str) -> String {
    match state {
        CalloutState::Unanswered => style.alarm(text),
        CalloutState::Submitted | CalloutState::Paging | CalloutState::Acknowledged => style.waiting(text),
        CalloutState::Cancelled | CalloutState::Merged => style.dim(text),
        _ => style.good(text),
    }
}

fn describe_routing(page: &mut Page, routing: &Routing) {
    page.row("place", &place(routing));
    page.row("young people", &format!("{}, {}", routing.young_people, words::age_band(routing.age_band)));
    let languages: Vec<&str> = routing.languages.iter().map(|l| l.as_str()).collect();
    page.row("languages", &languages.join(", "));
    if routing.preference != firstlight_protocol::callout::Preference::Any {
        page.row("prefers", &format!("a {}", routing.preference));
    }
    let scene = if routing.scene_safe { "safe" } else { "NOT confirmed safe" };
    let emergency = if routing.emergency_needed { ", emergency services needed" } else { "" };
    page.row("scene", &format!("{scene}{emergency}"));
    if !routing.training.is_empty() {
        let codes: Vec<&str> = routing.training.iter().map(|code| code.as_str()).collect();
        page.row("training", &codes.join(", "));
    }
    page.row("call back", routing.call_back.as_str());
    page.time("first contact", routing.first_contact_at);
}

fn place(routing: &Routing) -> String {
    match &routing.site {
        Some(site) => format!("{}, {site}", routing.zone),
        None => routing.zone.to_string(),
    }
}

fn responder(page: &Page, responder: &ResponderView) -> Vec<String> {
    let name = responder.work_name.clone().unwrap_or_else(|| responder.person.short());
    let coming = matches!(responder.state, ResponderState::Accepted | ResponderState::EnRoute);
    let eta = responder.eta_at.filter(|_| coming).map(|at| page.when().both(at)).unwrap_or_default();
    let tier = responder.tier.map(|tier| words::tier(tier).to_owned()).unwrap_or_default();
    vec![name, words::responder(responder.state).into(), eta, tier]
}

fn name_of(responders: &[ResponderView], person: PersonId) -> String {
    let known = responders.iter().find(|r| r.person == person).and_then(|r| r.work_name.clone());
    known.unwrap_or_else(|| person.short())
}

/// One line about a callout, for a stream of them.
pub(crate) fn summarise(view: &CalloutView) -> String {
    let going: Vec<String> = view
        .responders
        .iter()
        .filter(|r| r.state.is_active())
        .map(|r| format!("{} {}", r.work_name.clone().unwrap_or_else(|| r.person.short()), words::responder(r.state)))
        .collect();
    let going = if going.is_empty() { String::new() } else { format!(" ({})", going.join(", ")) };
    format!("{}callout {}: {}{going}", words::purpose(view.purpose), view.id.short(), words::state(view.state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Style, When};
    use firstlight_protocol::{
        CalloutId, OrgId, PersonId, Timestamp,
        callout::{NextAction, NextStep},
    };
    use std::time::Duration;

    const OPENED: Timestamp = Timestamp(1_772_934_190_000);

    fn view() -> CalloutView {
        CalloutView {
            id: CalloutId([1; 16]),
            revision: 3,
            reference: "101010".into(),
            purpose: Purpose::Real,
            state: CalloutState::Accepted,
            agency: OrgId([2; 16]),
            opened_at: OPENED,
            wanted: 1,
            accepted: 1,
            acknowledged: 0,
            next_action: Some(NextAction {
                what: NextStep::CheckMovement,
                at: OPENED + Duration::from_secs(1_200),
                person: None,
            }),
            step: None,
            responders: vec![ResponderView {
                person: PersonId([3; 16]),
                work_name: Some("Advocate 2".into()),
                state: ResponderState::Accepted,
                eta_at: Some(OPENED + Duration::from_secs(2_100)),
                tier: None,
                speaks: None,
                preferred: None,
                trained: None,
                serves_zone: None,
            }],
            duty_number: "555-0100".parse().unwrap(),
            your_state: None,
            routing: None,
            room: None,
            room_people: None,
            possible_duplicates: Vec::new(),
            merged_into: None,
            outcome: None,
            timeline: Vec::new(),
            pages: None,
            barred: Vec::new(),
            timers: None,
            agency_notices: None,
            alarms: Vec::new(),
        }
    }

    #[test]
    fn time_since_next_step_and_who_are_always_in_view() {
        let mut page = Page::new(Style::Plain, When::utc(OPENED + Duration::from_secs(12)));
        describe(&mut page, &view());
        let text = page.into_text();
        for line in [
            "  state           accepted: somebody is going",
            "  opened          01:43:10 (12 s ago)",
            "  next            the supervisor hears if nobody is on the way: 02:03:10 (in 20 min)",
            "  Advocate 2  going  02:18:10 (in 35 min)",
        ] {
            assert!(text.contains(line), "{line}\n---\n{text}");
        }
        assert_eq!(
            summarise(&view()),
            format!("callout {}: accepted: somebody is going (Advocate 2 going)", view().id.short())
        );
    }

    #[test]
    fn latest_prefers_what_is_open() {
        let older = CalloutView { id: CalloutId([5; 16]), opened_at: Timestamp(1), ..view() };
        let closed = CalloutView { state: CalloutState::Closed, ..view() };
        assert_eq!(super::super::latest(&[closed.clone(), older.clone()]), Some(older.id));
        assert_eq!(super::super::latest(std::slice::from_ref(&closed)), Some(closed.id));
        assert_eq!(super::super::latest(&[]), None);
    }
}
