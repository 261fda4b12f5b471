//! The calendars behind the feeds (RFC 5545). They say that somebody is on duty and in which tier: nothing of any callout.
//!
//! Times are UTC, computed by the rota's one rule about local time, so that no calendar program has to know the zone.

use super::reads::{QUARTER, live_person, names};
use crate::{Result, Shared, extract::Path, limit::Peer};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use firstlight_protocol::{
    ErrorCode, PersonId, Problem, Secret, Timestamp,
    api::FeedOf,
    rota::{Rota, Span},
};
use icalendar::{Calendar, Component, Event};
use sha2::{Digest, Sha256};
use std::{collections::HashMap, fmt::Write, time::Duration};

/// How far back a calendar goes.
const BACK: Duration = Duration::from_secs(14 * 24 * 3600);

/// A calendar of duty, for calendar programs; whoever knows the address reads it.
#[utoipa::path(get, path = "/v1/ical/{file}", tag = "rota", security(()),
    params(("file" = String, Path, description = "The secret, with `.ics` behind it")),
    responses((status = 200, body = String, content_type = "text/calendar"),
    (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn get(State(app): State<Shared>, peer: Peer, Path(file): Path<Secret>) -> Result<Response> {
    let now = app.clock.now();
    app.feeds.peers.check_peer(peer, now)?;
    let secret = Secret::new(file.reveal().strip_suffix(".ics").ok_or(ErrorCode::NotFound)?);
    let feed = app.store.feed(&secret).await?.ok_or(ErrorCode::NotFound)?;
    app.feeds.feeds.check(feed.id, now)?;
    // Their devices' revocation ended it already; this is for the moment in between.
    if !live_person(&app, feed.made_by).await? {
        return Err(ErrorCode::NotFound.into());
    }
    if let FeedOf::Person(person) = feed.of
        && !live_person(&app, person).await?
    {
        return Err(ErrorCode::NotFound.into());
    }
    let spans = match app.store.document::<Rota>().await? {
        Some((_, rota)) => {
            let computed = tokio::task::spawn_blocking(move || rota.schedule(now - BACK, now + QUARTER)).await;
            computed.map_err(crate::Error::internal)??
        }
        None => Vec::new(),
    };
    let names = if matches!(feed.of, FeedOf::Person(_)) { HashMap::new() } else { names(&app).await? };
    let body = calendar(&spans, feed.of, &names, now);
    // `no-store`, like every answer; and never shown as a page.
    let headers = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=duty.ics"),
    ];
    Ok((headers, body).into_response())
}

fn calendar(spans: &[Span], of: FeedOf, names: &HashMap<PersonId, String>, now: Timestamp) -> String {
    let shown = spans.iter().filter(|span| match of {
        FeedOf::Person(person) => span.person == person,
        FeedOf::Tier(tier) => span.tier == tier,
        FeedOf::Rota => true,
    });
    let mut calendar = Calendar::new();
    calendar.name("Duty");
    for span in shown {
        let mut summary = format!("On duty: {}", span.tier);
        if let Some(zone) = &span.zone {
            let _ = write!(summary, " ({zone})");
        }
        // Only a feed of more than one person has names.
        if let Some(name) = names.get(&span.person) {
            let _ = write!(summary, ": {name}");
        }
        let event = Event::new()
            .uid(&uid(span))
            .summary(&summary)
            .add_property("DTSTAMP", utc(now))
            .add_property("DTSTART", utc(span.from))
            .add_property("DTEND", utc(span.until))
            .add_property("CLASS", "PRIVATE")
            .done();
        calendar.push(event);
    }
    calendar.done().to_string()
}

/// The same turn has the same name each time, so that a calendar moves an event instead of adding another. It tells nobody
/// whose it is.
fn uid(span: &Span) -> String {
    let mut hash = Sha256::new_with_prefix(b"firstlight duty");
    hash.update(span.person.as_bytes());
    let zone = span.zone.as_ref().map_or("", |zone| zone.as_str());
    let id = span.source.id.as_ref().map_or("", |id| id.as_str());
    let text = format!("{}\n{zone}\n{}\n{id}\n{}\n{}", span.tier, span.source.kind, span.source.begins, span.from.0);
    hash.update(text.as_bytes());
    hash.finalize()[..16].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn utc(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}
