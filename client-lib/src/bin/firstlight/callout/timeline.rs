//! What happened when; for a supervisor, with what became of every page.

use super::super::{
    context::Context,
    failure::Failure,
    output::{Answer, took},
    words,
};
use firstlight_client::session::Session;
use firstlight_protocol::{CalloutId, PersonId, Timestamp, api::PageRecord, callout::TimelineEntry};
use serde_json::json;
use std::collections::BTreeMap;

/// When, whom it concerns, what, and more about it.
type Row = (Timestamp, Option<PersonId>, String, String);

/// Shows it.
pub(super) async fn run(context: &Context, session: &Session, callout: CalloutId) -> Result<Answer, Failure> {
    let timeline = session.api().timeline(callout).await?;
    let view = session.api().callout(callout).await?;
    // Supervisors alone may see how people are reached: for everybody else the timeline is what happened to the callout.
    let pages = session.api().callout_pages(callout).await.map(|all| all.pages).unwrap_or_default();
    let names = names(session, view.responders.iter().filter_map(|r| Some((r.person, r.work_name.clone()?)))).await;
    let name = |person: PersonId| names.get(&person).cloned().unwrap_or_else(|| person.short());

    let mut rows: Vec<Row> = timeline.entries.iter().map(|entry| happened(entry, name)).collect();
    rows.extend(pages.iter().flat_map(became));
    rows.sort_by_key(|row| row.0);
    let mut page = context.page();
    page.title(&format!("Callout {}", callout.short()));
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(at, who, what, more)| {
            let after = format!("+{}", took(at.since(view.opened_at).as_millis()));
            vec![page.when().clock(at), after, who.map(name).unwrap_or_default(), what, more]
        })
        .collect();
    page.table(&["TIME", "AFTER", "WHO", "WHAT", "MORE"], &rows, "nothing yet");
    Ok(Answer::new(&json!({ "callout": callout, "entries": timeline.entries, "pages": pages }), page))
}

/// Names help; a timeline without them is still one.
async fn names(session: &Session, known: impl Iterator<Item = (PersonId, String)>) -> BTreeMap<PersonId, String> {
    let mut names: BTreeMap<PersonId, String> = known.collect();
    if let Ok(people) = session.api().people().await {
        names.extend(people.into_iter().map(|p| (p.person, p.work_name)));
    }
    names
}

fn happened(entry: &TimelineEntry, name: impl Fn(PersonId) -> String) -> Row {
    let more = match (entry.alarm, entry.constraint, entry.tier, entry.step) {
        (Some(alarm), ..) => words::alarm(alarm, name),
        (None, Some(wish), ..) => wish.to_string(),
        (None, None, Some(tier), Some(step)) => format!("{}, step {step}", words::tier(tier)),
        (None, None, Some(tier), None) => words::tier(tier).to_owned(),
        (None, None, None, Some(step)) => format!("step {step}"),
        (None, None, None, None) => String::new(),
    };
    (entry.at, entry.person, words::event(entry.event).into(), more)
}

/// A page's stations, each at its own time.
fn became(page: &PageRecord) -> Vec<Row> {
    let way = page.channel.map_or_else(|| page.kind.to_string(), |channel| channel.word().to_owned());
    let by = || page.legs.last().and_then(|leg| leg.vendor.clone()).unwrap_or_default();
    let row = |at: Timestamp, what: &str, more: String| {
        (at, page.person, format!("page {}, {way}: {what}", page.attempt), more)
    };
    let mut rows = Vec::new();
    rows.extend(page.handed_over_at.map(|at| row(at, "handed over", by())));
    rows.extend(page.delivered_at.map(|at| row(at, "delivered", String::new())));
    rows.extend(page.answered_at.map(|at| row(at, "answered", String::new())));
    if page.failed.is_some() {
        let at = page.legs.last().map_or(page.ordered_at, |leg| leg.changed_at);
        rows.push(row(at, "FAILED", page.why.clone().unwrap_or_default()));
    }
    rows
}
