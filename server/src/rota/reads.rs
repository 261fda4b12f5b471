//! What follows from the rota: who is on call, the schedule, gaps, fairness.

use super::plan::{KEEPERS, READERS, require_host};
use crate::store::sql;
use crate::{
    Error, Result, Shared,
    caller::Caller,
    extract::{Json, Query},
    runner::{World, decode_callout},
    store::id,
};
use axum::extract::State;
use firstlight_dispatch::parts;
use firstlight_protocol::{
    ErrorCode, PersonId, Problem, Role, Timestamp,
    api::{FairnessView, GapsView, NamedPerson, OnCallPerson, OnCallView, PersonLoad, ScheduleView, TierView},
    callout::Tier,
    rota::{Answered, Rota},
};
use serde::Deserialize;
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};
use utoipa::IntoParams;

/// The rota's tiers, in the order in which they are called.
const TIERS: [Tier; 3] = [Tier::Primary, Tier::Backup, Tier::Supervisor];
/// How far ahead changes and gaps are looked for, and how far back the fairness report looks.
pub(super) const QUARTER: Duration = Duration::from_secs(90 * 24 * 3600);
/// The most callouts that one fairness report looks through.
const MOST_CALLOUTS: i64 = 20_000;

/// The moment asked about.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct At {
    /// In milliseconds since 1970; now, if it is absent.
    pub(crate) at: Option<Timestamp>,
}

/// The stretch asked about, at most 400 days.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Stretch {
    /// The first moment, in milliseconds since 1970.
    pub(super) from: Option<Timestamp>,
    /// The first moment after it.
    pub(super) until: Option<Timestamp>,
}

impl Stretch {
    /// From now on, for 90 days, where nothing else is said.
    fn ahead(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let from = self.from.unwrap_or(now);
        (from, self.until.unwrap_or(from + QUARTER))
    }

    /// Until now, for 90 days, where nothing else is said.
    fn back(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let until = self.until.unwrap_or(now);
        (self.from.unwrap_or(until - QUARTER), until)
    }
}

async fn rota(app: &Shared) -> Result<Arc<Rota>> {
    Ok(app.store.document::<Rota>().await?.ok_or(ErrorCode::NotFound)?.1)
}

/// The pure functions of a large rota take milliseconds, which a socket would wait for.
async fn computed<T: Send + 'static>(compute: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T> {
    Ok(tokio::task::spawn_blocking(compute).await.map_err(Error::internal)??)
}

/// Everybody of the host by id.
pub(super) async fn names(app: &Shared) -> Result<HashMap<PersonId, String>> {
    let host = crate::runner::host(app).await?;
    Ok(app.store.people_of_org(host).await?.into_iter().map(|p| (p.person, p.work_name)).collect())
}

/// Who is on call at a moment, tier by tier.
#[utoipa::path(get, path = "/v1/on-call", tag = "dispatch", params(At), responses(
    (status = 200, body = OnCallView), (status = "default", description = "Refused", body = Problem)))]
pub(crate) async fn on_call(
    State(app): State<Shared>,
    caller: Caller,
    Query(At { at }): Query<At>,
) -> Result<Json<OnCallView>> {
    require_host(&app, &caller, &READERS).await?;
    let at = at.unwrap_or_else(|| app.clock.now());
    let (on_duty, next_change) = match app.store.document::<Rota>().await? {
        Some((_, rota)) => {
            let ask = move || Ok((rota.on_call(at)?, rota.next_change(at)?.filter(|change| *change <= at + QUARTER)));
            computed(ask).await?
        }
        None => (Vec::new(), None),
    };
    let names = names(&app).await?;
    let shows_connected = KEEPERS.contains(&caller.role);
    let mut tiers = Vec::with_capacity(TIERS.len());
    for tier in TIERS {
        let mut people: Vec<OnCallPerson> = Vec::new();
        for on in on_duty.iter().filter(|on| on.tier == tier) {
            // Somebody who left the organisation leaves a gap, which is better seen than hidden behind their name.
            let Some(work_name) = names.get(&on.person).cloned() else { continue };
            if people.iter().any(|p| p.person == on.person) {
                continue;
            }
            let connected = if shows_connected { Some(is_connected(&app, on.person).await?) } else { None };
            people.push(OnCallPerson { person: on.person, work_name, connected });
        }
        tiers.push(TierView { tier, people });
    }
    Ok(Json(OnCallView { at, tiers, next_change }))
}

async fn is_connected(app: &Shared, person: PersonId) -> Result<bool> {
    Ok(app.store.devices_of(person).await?.into_iter().any(|device| app.bus.is_connected(device)))
}

/// Who is on duty through a stretch of time; the next 90 days, if nothing else is asked for.
#[utoipa::path(get, path = "/v1/rota/schedule", tag = "rota", params(Stretch), responses(
    (status = 200, body = ScheduleView), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn schedule(
    State(app): State<Shared>,
    caller: Caller,
    Query(stretch): Query<Stretch>,
) -> Result<Json<ScheduleView>> {
    require_host(&app, &caller, &READERS).await?;
    let (from, until) = stretch.ahead(app.clock.now());
    let rota = rota(&app).await?;
    let tz = rota.tz.clone();
    let spans = computed(move || rota.schedule(from, until)).await?;
    let names = names(&app).await?;
    let people: BTreeSet<PersonId> = spans.iter().map(|span| span.person).collect();
    let named = |person: PersonId| Some(NamedPerson { person, work_name: names.get(&person)?.clone() });
    Ok(Json(ScheduleView { tz, from, until, spans, people: people.into_iter().filter_map(named).collect() }))
}

/// Where nobody is on duty though somebody has to be; in the next 90 days, if nothing else is asked for.
#[utoipa::path(get, path = "/v1/rota/gaps", tag = "rota", params(Stretch), responses(
    (status = 200, body = GapsView), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn gaps(
    State(app): State<Shared>,
    caller: Caller,
    Query(stretch): Query<Stretch>,
) -> Result<Json<GapsView>> {
    require_host(&app, &caller, &READERS).await?;
    let (from, until) = stretch.ahead(app.clock.now());
    let rota = rota(&app).await?;
    let tz = rota.tz.clone();
    let gaps = computed(move || rota.gaps(from, until)).await?;
    Ok(Json(GapsView { tz, from, until, gaps }))
}

/// Who carries how much: nights, weekends, callouts, and the rest since the last one. The last 90 days, if nothing else
/// is asked for. Advocates see their own line.
#[utoipa::path(get, path = "/v1/rota/fairness", tag = "rota", params(Stretch), responses(
    (status = 200, body = FairnessView), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn fairness(
    State(app): State<Shared>,
    caller: Caller,
    Query(stretch): Query<Stretch>,
) -> Result<Json<FairnessView>> {
    require_host(&app, &caller, &READERS).await?;
    let now = app.clock.now();
    app.runner.figures.check(caller.device, now)?;
    let (from, until) = stretch.back(now);
    let rota = rota(&app).await?;
    let answered = answered(&app, &caller, from, until).await?;
    let loads = computed(move || rota.fairness(from, until, &answered, now)).await?;
    let names = names(&app).await?;
    let all = KEEPERS.contains(&caller.role);
    let shown = loads.into_iter().filter(|load| all || load.person == caller.person);
    let people = shown.map(|load| PersonLoad { work_name: names.get(&load.person).cloned(), load }).collect();
    Ok(Json(FairnessView { from, until, people }))
}

/// Who accepted which real callout that was opened in a stretch of time, or a day before it.
async fn answered(app: &Shared, caller: &Caller, from: Timestamp, until: Timestamp) -> Result<Vec<Answered>> {
    let rows = sql::query(
        "SELECT c.body, f.ended_at FROM callouts c JOIN callout_facts f USING (callout)
         WHERE f.purpose = 'real' AND f.accepted_at IS NOT NULL AND c.opened_at BETWEEN $1 AND $2
         ORDER BY c.opened_at DESC LIMIT $3",
    )
    .bind((from - Duration::from_secs(24 * 3600)).0)
    .bind(until.0)
    .bind(MOST_CALLOUTS)
    .fetch_all(app.store.read())
    .await?;
    let rows: Vec<(Vec<u8>, Option<i64>)> =
        rows.into_iter().map(|row| (row.get("body"), row.get("ended_at"))).collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let world = World::read(&mut *app.store.read().acquire().await?, app.clock.now()).await?;
    // The after-action record as a supervisor sees it, whoever asks: what is shown is filtered afterwards.
    let viewer = world.actor(&Caller { role: Role::Supervisor, ..caller.clone() });
    computed(move || {
        let ctx = world.context();
        let mut answered = Vec::new();
        for (body, ended_at) in rows {
            let callout = decode_callout(&body).map_err(|error| error.problem())?;
            for part in parts(&callout, viewer, &ctx).into_iter().flatten() {
                let left = [part.handed_over_at, part.declined_at, part.stood_down_at].into_iter().flatten().max();
                if let Some(at) = part.accepted_at {
                    let until = left.filter(|left| *left >= at).or(ended_at.map(Timestamp));
                    answered.push(Answered { person: part.person, at, until });
                }
            }
        }
        Ok(answered)
    })
    .await
}

/// A person's live devices, in any order.
pub(super) async fn live_person(app: &Shared, person: PersonId) -> Result<bool> {
    let live: Option<Vec<u8>> =
        sql::query_scalar("SELECT person FROM devices WHERE person = $1 AND revoked_at IS NULL LIMIT 1")
            .bind(person.as_bytes())
            .fetch_optional(app.store.read())
            .await?;
    Ok(live.map(id::<PersonId>).transpose()?.is_some())
}
