//! Every page of a callout with each of its tries, and why one failed, in words.

use super::super::{
    context::Context,
    failure::Failure,
    output::{Answer, When},
};
use firstlight_client::session::Session;
use firstlight_protocol::{
    CalloutId, PersonId,
    api::{CalloutPages, PageRecord},
};
use std::collections::HashMap;

pub(super) async fn run(context: &Context, session: &Session, callout: CalloutId) -> Result<Answer, Failure> {
    let pages = session.api().callout_pages(callout).await?;
    let people = session.api().people().await?;
    let names: HashMap<PersonId, String> = people.into_iter().map(|p| (p.person, p.work_name)).collect();
    Ok(show(context, &names, &pages))
}

fn show(context: &Context, names: &HashMap<PersonId, String>, pages: &CalloutPages) -> Answer {
    let mut page = context.page();
    page.title(&format!("Pages of callout {}", pages.callout.short()));
    let when = page.when().clone();
    let rows: Vec<Vec<String>> = pages
        .pages
        .iter()
        .flat_map(|record| {
            let legs = record.legs.iter().map(|leg| {
                let again = if leg.redelivery { " (again)" } else { "" };
                let vendor = format!("  try {}: {}{again}", leg.leg, leg.vendor.as_deref().unwrap_or("?"));
                vec![
                    when.clock(leg.at),
                    vendor,
                    String::new(),
                    leg.state.to_string(),
                    leg.why.clone().unwrap_or_default(),
                ]
            });
            std::iter::once(line(&when, names, record)).chain(legs).collect::<Vec<_>>()
        })
        .collect();
    page.table(&["WHEN", "WHO", "WAY", "STATE", "WHY"], &rows, "none yet");
    Answer::new(pages, page)
}

fn line(when: &When, names: &HashMap<PersonId, String>, record: &PageRecord) -> Vec<String> {
    let who = match record.person {
        Some(person) => names.get(&person).cloned().unwrap_or_else(|| person.short()),
        None => record.kind.to_string(),
    };
    let state = match record {
        _ if record.answered_at.is_some() => "answered",
        _ if record.failed.is_some() => "failed",
        _ if record.delivered_at.is_some() => "delivered",
        _ if record.handed_over_at.is_some() => "handed over",
        _ => "on its way",
    };
    vec![
        when.clock(record.ordered_at),
        format!("{who}, call {}", record.attempt),
        record.channel.map_or("", |channel| channel.word()).to_owned(),
        state.into(),
        record.why.clone().unwrap_or_default(),
    ]
}
