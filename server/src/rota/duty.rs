//! What people hear of the rota by themselves: whoever goes on or off duty, and supervisors of new gaps.
//!
//! One row holds what was told. The loop compares it with the rota as it is now, tells the difference and writes the row in
//! the same transaction. So nothing is told twice and nothing is lost, however often the server restarts, whether the clock
//! or an edit of the rota has changed who is on duty, and however many changes passed while the server was down.
//!
//! Whoever goes on duty hears it in the app, and by the one contact method that they have chosen for it.

use super::reads::QUARTER;
use crate::store::sql;
use crate::{
    Error, Result, Shared,
    runner::{Destination, Ordered},
    store::{Store, Tx},
};
use firstlight_protocol::{
    ContactId, PageId, PersonId, Problem, Timestamp,
    api::{MessageKind, Notice},
    attention::Attention,
    rota::{Gap, OnDuty, Rota, Span},
    wire::{from_cbor, to_cbor},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Gaps are looked for this often, and whenever the rota is changed.
const DAILY: Duration = Duration::from_secs(24 * 3600);
const HOUR: Duration = Duration::from_secs(3600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long to wait after the database failed.
const PAUSE: Duration = Duration::from_secs(10);

/// What was told so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    on_duty: Vec<OnDuty>,
    gaps: Vec<Gap>,
    /// How far gaps were looked for.
    gaps_until: Timestamp,
    checked_at: Timestamp,
    /// The rota's version then.
    version: u64,
}

/// What has to be told now.
#[derive(Debug, Default, PartialEq)]
struct News {
    hand_offs: Vec<(PersonId, Notice)>,
    /// The rota's local time now, as minutes since midnight.
    minute: i64,
    gap: Option<Attention>,
}

/// Tells until `stop`: at each change of duty, once a day, and when the rota was replaced.
pub(crate) async fn run(app: Shared, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let wake_at = look(&app).await.unwrap_or_else(|error| {
            tracing::error!(%error, "hand-offs and gaps could not be told; it is tried again");
            Some(app.clock.now() + PAUSE)
        });
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.bus.rota_written() => {}
            () = app.clock.sleep_until(wake_at.unwrap_or_default()), if wake_at.is_some() => {}
        }
    }
}

/// Tells what is new; answers when to look again, which without a rota is when there is one.
pub(super) async fn look(app: &Shared) -> Result<Option<Timestamp>> {
    let Some((version, rota)) = app.store.document::<Rota>().await? else { return Ok(None) };
    let told = app.store.told().await?;
    let now = app.clock.now();
    let (known, plan) = (told.clone(), Arc::clone(&rota));
    let compute = tokio::task::spawn_blocking(move || compare(&plan, version, &known, now));
    let (telling, news, next) = compute.await.map_err(Error::internal)??;
    if telling != told {
        app.store.write(move |tx| Box::pin(async move { tx.tell_duty(&telling, &news, now).await })).await?;
    }
    Ok(Some(next))
}

/// What has been told after this, what is told now, and when to look again.
fn compare(rota: &Rota, version: u64, told: &Told, now: Timestamp) -> Result<(Told, News, Timestamp), Problem> {
    let mut after = Told { on_duty: rota.on_call(now)?, ..told.clone() };
    let local = rota.local(now)?;
    let mut news = News { minute: i64::from(local.hour()) * 60 + i64::from(local.minute()), ..News::default() };
    if after.on_duty != told.on_duty {
        let ahead = rota.schedule(now, now + QUARTER)?;
        let missing = |from: &[OnDuty], on: &OnDuty| !from.contains(on);
        let came: Vec<&OnDuty> = after.on_duty.iter().filter(|on| missing(&told.on_duty, on)).collect();
        let went: Vec<&OnDuty> = told.on_duty.iter().filter(|on| missing(&after.on_duty, on)).collect();
        let beside = |others: &[&OnDuty], on: &OnDuty| -> Vec<PersonId> {
            others
                .iter()
                .filter(|other| other.tier == on.tier && other.zone == on.zone)
                .map(|other| other.person)
                .collect()
        };
        for (on, others, begins) in
            went.iter().map(|on| (*on, &came, false)).chain(came.iter().map(|on| (*on, &went, true)))
        {
            let until = begins.then(|| until(&ahead, on, now)).flatten();
            let (tier, zone, with) = (on.tier, on.zone.clone(), beside(others, on));
            news.hand_offs.push((on.person, Notice::HandOff { tier, zone, on: begins, until, with }));
        }
    }
    if told.version != version || now.since(told.checked_at) >= DAILY {
        let horizon = now + QUARTER;
        let gaps = rota.gaps(now, horizon)?;
        let new: Vec<&Gap> = gaps.iter().filter(|gap| is_new(gap, told)).collect();
        news.gap = new.first().map(|gap| Attention::CoverageGap {
            tier: gap.tier,
            from: gap.from,
            until: gap.until,
            more: u32::try_from(new.len() - 1).unwrap_or(u32::MAX),
        });
        after = Told { gaps, gaps_until: horizon, checked_at: now, version, ..after };
    }
    let check = after.checked_at + DAILY;
    let next = rota.next_change(now)?.map_or(check, |change| change.min(check));
    Ok((after, news, next))
}

/// Until when somebody stays on duty, if that ends before the schedule does.
fn until(ahead: &[Span], on: &OnDuty, now: Timestamp) -> Option<Timestamp> {
    let own = ahead.iter().filter(|span| span.person == on.person && span.tier == on.tier && span.zone == on.zone);
    // In order of their beginnings: each that begins before the last one ends carries it on.
    let end = own.fold(now, |end, span| if span.from <= end { end.max(span.until) } else { end });
    (end > now && end < now + QUARTER).then_some(end)
}

/// Whether some part of a gap was not told: neither as a gap, nor as one that lasted to where was looked then, nor, coming
/// into view now, as one at the same hours of the week before. What is missing every week is told once.
fn is_new(gap: &Gap, told: &Told) -> bool {
    let same = |known: &&Gap| known.tier == gap.tier && known.zone == gap.zone;
    let mut from = gap.from;
    for known in told.gaps.iter().filter(same) {
        if known.from <= from {
            let endless = known.until >= told.gaps_until;
            from = from.max(if endless { gap.until } else { known.until });
        }
    }
    // A week, give or take what a change of the clock moves it by.
    let weekly = |known: &Gap| known.from <= from - WEEK + HOUR && gap.until - WEEK <= known.until + HOUR;
    from < gap.until && !(from >= told.gaps_until && told.gaps.iter().filter(same).any(weekly))
}

/// What a contact method says of a hand-off: the time, and neither where nor with whom.
fn hand_off(person: PersonId, contact: ContactId, minute: i64, now: Timestamp) -> Ordered {
    let mut hash = Sha256::new_with_prefix(b"firstlight hand-off");
    for part in [&person.0[..], &contact.0, &now.0.to_be_bytes()] {
        hash.update(part);
    }
    let mut page = PageId([0; 16]);
    page.0.copy_from_slice(&hash.finalize()[..16]);
    let (to, kind) = (Destination::Contact(contact), MessageKind::HandOff);
    Ordered { page, callout: None, person: Some(person), to, kind, attempt: 1, arg: minute }
}

impl Store {
    async fn told(&self) -> Result<Told> {
        let row = sql::query("SELECT * FROM duty_told WHERE one = 1").fetch_optional(self.read()).await?;
        let Some(row) = row else { return Ok(Told::default()) };
        let (on_duty, gaps): (Vec<u8>, Vec<u8>) = (row.get("on_duty"), row.get("gaps"));
        Ok(Told {
            on_duty: from_cbor(&on_duty).map_err(Error::internal)?,
            gaps: from_cbor(&gaps).map_err(Error::internal)?,
            gaps_until: Timestamp(row.get("gaps_until")),
            checked_at: Timestamp(row.get("checked_at")),
            version: row.get::<i64>("version").cast_unsigned(),
        })
    }
}

impl Tx<'_> {
    async fn tell_duty(&mut self, told: &Told, news: &News, now: Timestamp) -> Result<()> {
        let mut beginning = BTreeSet::new();
        for (person, notice) in &news.hand_offs {
            let devices = self.devices_of(*person).await?;
            // Whoever has left, and still stands in the rota, hears nothing of it.
            if matches!(notice, Notice::HandOff { on: true, .. }) && !devices.is_empty() {
                beginning.insert(*person);
            }
            self.push_all(&devices, now, notice).await?;
        }
        // Once for everything that begins now.
        for person in beginning {
            if let Some(contact) = self.tells_hand_off(person).await? {
                self.order_page(&hand_off(person, contact, news.minute, now), now).await?;
            }
        }
        if let Some(gap) = news.gap {
            self.raise_attention(gap, now).await?;
        }
        sql::query(
            "INSERT INTO duty_told (one, on_duty, gaps, gaps_until, checked_at, version) VALUES (1, $1, $2, $3, $4, $5)
             ON CONFLICT (one) DO UPDATE SET on_duty = excluded.on_duty, gaps = excluded.gaps,
                 gaps_until = excluded.gaps_until, checked_at = excluded.checked_at, version = excluded.version",
        )
        .bind(to_cbor(&told.on_duty))
        .bind(to_cbor(&told.gaps))
        .bind(told.gaps_until.0)
        .bind(told.checked_at.0)
        .bind(told.version.cast_signed())
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }
}
