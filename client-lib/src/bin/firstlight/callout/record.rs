//! The after-action record of a callout.

use super::Which;
use crate::{
    context::Context,
    failure::Failure,
    output::{Answer, Page, took},
    words,
};
use firstlight_client::session::Session;
use firstlight_protocol::{
    Timestamp,
    callout::Welfare,
    policy::Millis,
    record::{CalloutRecord, ResponderTimes, ReviewState},
};
use serde_json::json;

/// Shows the record.
pub(super) async fn show(context: &Context, session: &Session, which: &Which) -> Result<Answer, Failure> {
    let record = session.api().record(which.find(session).await?).await?;
    let mut page = context.page();
    describe(&mut page, &record);
    Ok(Answer::new(&record, page))
}

/// Says how the person is afterwards.
pub(super) async fn say_welfare(
    context: &Context,
    session: &Session,
    which: &Which,
    welfare: Welfare,
) -> Result<Answer, Failure> {
    let callout = which.find(session).await?;
    session.api().say_welfare(callout, welfare).await?;
    let mut page = context.page();
    page.line(match welfare {
        Welfare::Well => "Noted: you are well.",
        Welfare::FollowUp => "Noted: somebody should talk with you. The supervisors see it in the record.",
        Welfare::NotAsked => "Noted: nothing said.",
    });
    Ok(Answer::new(&json!({ "callout": callout, "welfare": welfare }), page))
}

fn describe(page: &mut Page, record: &CalloutRecord) {
    page.title(&format!("After-action record of callout {}", record.callout.short()));
    if !record.purpose.is_real() {
        page.alarm(&format!("  {}: it counts in no figure", record.purpose));
    }
    page.row("ended as", words::state(record.state));
    let place = record.site.as_ref().map_or_else(|| record.zone.to_string(), |site| format!("{}, {site}", record.zone));
    page.row("place", &place);
    let target = format!("somebody there within {}", length(record.target.on_scene_ms));
    let (met, good) = match record.target.met {
        Some(true) => ("met", true),
        Some(false) => ("NOT met", false),
        None => ("not decided", true),
    };
    let text = format!("{target}: {met}");
    page.dressed_row("target", &text, |style, text| if good { style.good(text) } else { style.alarm(text) });
    if record.unanswered {
        page.row("unanswered", "everyone qualified was called before somebody accepted");
    }
    if let Some(matched) = record.language_match {
        page.row("language", if matched { "somebody who accepted spoke it" } else { "nobody who accepted spoke it" });
    }
    let reasons: Vec<String> = record.reasons.iter().map(|reason| plain(&reason.to_string())).collect();
    page.row("reasons", &reasons.join(", "));
    if let Some(support) = record.support {
        page.row("support", &plain(&support.to_string()));
    }
    if let Some(kits) = record.kits_given {
        page.row("kits given", &kits.to_string());
    }
    if let Some(into) = record.merged_into {
        page.row("goes on as", &into.to_string());
    }
    review(page, record);
    times(page, record);
    if !record.responders.is_empty() {
        page.title("Responders");
        let rows: Vec<_> = record.responders.iter().map(|r| responder(record.times.opened_at, r)).collect();
        page.table(&["NAME", "CAME TO", "AWAKE", "GOING", "EN ROUTE", "THERE", "HANDED OVER", "AFTERWARDS"], &rows, "");
    }
}

fn review(page: &mut Page, record: &CalloutRecord) {
    let review = &record.review;
    let due = review.due_at.map(|at| page.when().both(at)).unwrap_or_default();
    match review.state {
        ReviewState::NotDue => {}
        ReviewState::Waiting => page.row("review", &format!("due {due}")),
        ReviewState::Overdue => {
            page.dressed_row("review", &format!("OVERDUE since {due}"), |style, text| style.alarm(text));
        }
        ReviewState::Done => {
            if let Some(at) = record.times.reviewed_at {
                page.time("reviewed", at);
            }
        }
    }
    if let Some(welfare) = review.welfare {
        page.row("welfare", &plain(&welfare.to_string()));
    }
}

fn times(page: &mut Page, record: &CalloutRecord) {
    let t = &record.times;
    page.title("Times");
    let steps = [
        ("first contact", Some(t.first_contact_at)),
        ("callout", Some(t.opened_at)),
        ("first page", t.first_page_at),
        ("somebody awake", t.acknowledged_at),
        ("somebody going", t.accepted_at),
        ("somebody en route", t.en_route_at),
        ("somebody there", t.arrived_at),
        ("with the young person", t.with_young_person_at),
        ("handed over", t.handed_over_at),
        ("ended", t.ended_at),
        ("reviewed", t.reviewed_at),
    ];
    let rows: Vec<Vec<String>> = steps
        .into_iter()
        .filter_map(|(what, at)| {
            let at = at?;
            Some(vec![what.to_owned(), page.when().clock(at), since(t.opened_at, at)])
        })
        .collect();
    page.table(&["WHAT", "WHEN", "AFTER THE CALLOUT"], &rows, "");
}

fn responder(opened: Timestamp, part: &ResponderTimes) -> Vec<String> {
    let after = |at: Option<Timestamp>| at.map(|at| since(opened, at)).unwrap_or_default();
    vec![
        part.work_name.clone().unwrap_or_else(|| part.person.short()),
        words::responder(part.state).to_owned(),
        after(part.acknowledged_at),
        after(part.accepted_at),
        after(part.en_route_at),
        after(part.arrived_at.or(part.with_young_person_at)),
        after(part.handed_over_at),
        part.welfare.map(|welfare| plain(&welfare.to_string())).unwrap_or_default(),
    ]
}

fn since(opened: Timestamp, at: Timestamp) -> String {
    match at.cmp(&opened) {
        std::cmp::Ordering::Less => format!("-{}", took(opened.since(at).as_millis())),
        std::cmp::Ordering::Equal => "0".to_owned(),
        std::cmp::Ordering::Greater => format!("+{}", took(at.since(opened).as_millis())),
    }
}

fn length(time: Millis) -> String {
    took(u128::from(time.0))
}

fn plain(code: &str) -> String {
    code.replace('_', " ")
}
