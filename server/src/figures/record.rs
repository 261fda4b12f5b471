//! One callout's after-action record, and how its responders are afterwards.

use super::facts::{self, Fact};
use crate::store::sql::{self, Conn};
use crate::{
    Result, Shared,
    caller::Caller,
    extract::{Json, Path},
    runner::{World, load_callout},
    store::{Tx, id, word},
};
use axum::{extract::State, http::StatusCode};
use firstlight_dispatch::{Callout, parts};
use firstlight_protocol::{
    CalloutId, ErrorCode, PersonId, Problem, Timestamp,
    callout::{CalloutState, Welfare},
    record::{CalloutRecord, OwnWelfare, ReviewRecord, ReviewState, TargetRecord},
};
use std::collections::HashMap;

/// The after-action record of a callout: every time, how long things took, reason codes, review.
///
/// For supervisors of the host; and for responders who accepted, without how others are.
#[utoipa::path(get, path = "/v1/callouts/{callout}/record", tag = "figures",
    params(("callout" = CalloutId, Path, description = "The callout")), responses(
    (status = 200, body = CalloutRecord), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn get(
    State(app): State<Shared>,
    caller: Caller,
    Path(callout): Path<CalloutId>,
) -> Result<Json<CalloutRecord>> {
    let now = app.clock.now();
    let mut conn = app.store.read().acquire().await?;
    let stored = load_callout(&mut conn, callout).await?.ok_or(ErrorCode::NotFound)?;
    let world = World::read(&mut conn, now).await?;
    let fact = facts::of_callout(&mut conn, callout).await?.ok_or(ErrorCode::NotFound)?;
    let welfare = welfare(&mut conn, callout).await?;
    Ok(Json(record(&stored, fact, &welfare, &world, &caller, now).ok_or(ErrorCode::NotFound)?))
}

fn record(
    callout: &Callout,
    fact: Fact,
    welfare: &HashMap<PersonId, Welfare>,
    world: &World,
    caller: &Caller,
    now: Timestamp,
) -> Option<CalloutRecord> {
    let (actor, ctx) = (world.actor(caller), world.context());
    let supervisor = actor.supervises();
    let mut responders = parts(callout, actor, &ctx)?;
    for part in &mut responders {
        part.welfare = welfare.get(&part.person).copied().filter(|_| supervisor || part.person == caller.person);
    }
    let now_facts = firstlight_dispatch::facts(callout, &ctx);
    let met = fact.within_target(now);
    let review = match fact.review_due_at {
        _ if fact.times.reviewed_at.is_some() => ReviewState::Done,
        Some(due) if fact.state == CalloutState::Closed => {
            if now > due {
                ReviewState::Overdue
            } else {
                ReviewState::Waiting
            }
        }
        _ => ReviewState::NotDue,
    };
    let noted = now_facts.outcome.and_then(|outcome| outcome.welfare).filter(|_| supervisor);
    Some(CalloutRecord {
        callout: fact.callout,
        purpose: callout.purpose(),
        agency: fact.agency,
        zone: fact.zone,
        site: callout.routing().site.clone(),
        state: fact.state,
        times: fact.times,
        durations: fact.times.durations(),
        target: TargetRecord { on_scene_ms: fact.target, met },
        unanswered: fact.unanswered,
        language_match: fact.language_match,
        reasons: fact.reasons,
        support: fact.support,
        kits_given: fact.kits_given,
        merged_into: now_facts.merged_into,
        responders,
        review: ReviewRecord { state: review, due_at: fact.review_due_at, welfare: noted },
    })
}

/// How the caller is after a callout in which they took part. Said again it replaces what was said before.
///
/// For responders who accepted. They and the supervisors read it in the record, and nobody else.
#[utoipa::path(put, path = "/v1/callouts/{callout}/welfare", tag = "figures", request_body = OwnWelfare,
    params(("callout" = CalloutId, Path, description = "The callout")), responses(
    (status = 204), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn put_welfare(
    State(app): State<Shared>,
    caller: Caller,
    Path(callout): Path<CalloutId>,
    Json(OwnWelfare { welfare }): Json<OwnWelfare>,
) -> Result<StatusCode> {
    let now = app.clock.now();
    app.runner.acting.check(caller.device, now)?;
    app.store.write(move |tx| Box::pin(async move { tx.say_welfare(&caller, callout, welfare, now).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Tx<'_> {
    async fn say_welfare(
        &mut self,
        caller: &Caller,
        callout: CalloutId,
        welfare: Welfare,
        now: Timestamp,
    ) -> Result<()> {
        let stored = load_callout(self.conn, callout).await?.ok_or(ErrorCode::NotFound)?;
        let world = World::read(self.conn, now).await?;
        let parts = parts(&stored, world.actor(caller), &world.context()).ok_or(ErrorCode::NotFound)?;
        let own = parts.iter().find(|part| part.person == caller.person);
        if own.is_none_or(|part| part.accepted_at.is_none()) {
            let detail = "This is for those who took part in the callout.";
            return Err(Problem::with(ErrorCode::Forbidden, detail).into());
        }
        sql::query(
            "INSERT INTO callout_welfare (callout, person, welfare, at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (callout, person) DO UPDATE SET welfare = excluded.welfare, at = excluded.at",
        )
        .bind(callout.as_bytes())
        .bind(caller.person.as_bytes())
        .bind(welfare.as_str())
        .bind(now.0)
        .execute(&mut *self.conn)
        .await?;
        // That it was said, not what: the trail is read by more people than the record.
        self.audit(now, Some(caller.device), "callout.welfare", callout, "").await
    }
}

async fn welfare(conn: &mut Conn, callout: CalloutId) -> Result<HashMap<PersonId, Welfare>> {
    let rows = sql::query("SELECT person, welfare FROM callout_welfare WHERE callout = $1")
        .bind(callout.as_bytes())
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| Ok((id(row.get("person"))?, word(row.get("welfare"))?))).collect()
}
