//! What came of a drill: who was called when and how, who answered, and all of it against the policy's timers.

use super::drills::load;
use crate::{
    Result, Shared,
    caller::Caller,
    extract::{Json, Path},
    rota::require_host,
    runner::{World, load_callout},
};
use axum::extract::State;
use firstlight_dispatch::{Actor, view};
use firstlight_protocol::{
    CalloutId, ErrorCode, Problem, Role, Timestamp,
    api::{DrillCall, DrillMoment, DrillPerson, DrillReport, DrillTiming, DrillView},
    callout::{CalloutView, Event, PageView, ResponderView, Tier},
    policy::{Millis, Policy},
};

/// A first page goes out within this (DOMAIN.md, "Timers").
const FIRST_PAGE: Millis = Millis::seconds(10);
/// A timer that runs is never early and takes a moment.
const SLACK: Millis = Millis::seconds(1);

/// What came of a drill. For supervisors and admins, while it runs and afterwards.
#[utoipa::path(get, path = "/v1/drills/{callout}/report", tag = "proof",
    params(("callout" = CalloutId, Path, description = "The drill")), responses(
    (status = 200, body = DrillReport), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn report(
    State(app): State<Shared>,
    caller: Caller,
    Path(drill): Path<CalloutId>,
) -> Result<Json<DrillReport>> {
    require_host(&app, &caller, &[Role::Supervisor, Role::Admin]).await?;
    let mut conn = app.store.read().acquire().await?;
    let drill = load(&mut conn, drill).await?.ok_or(ErrorCode::NotFound)?;
    let Some(callout) = load_callout(&mut conn, drill.id).await? else {
        return Ok(Json(DrillReport { drill, state: None, timings: vec![], people: vec![], silent: vec![] }));
    };
    let world = World::read(&mut conn, app.clock.now()).await?;
    let supervisor = Actor { person: caller.person, org: caller.org, role: Role::Supervisor, host: true };
    let ctx = world.context();
    let seen = view(&callout, supervisor, &ctx).ok_or(ErrorCode::NotFound)?;
    Ok(Json(compute(drill, &seen, ctx.policy)))
}

/// Pure: a supervisor's view of the callout, and the policy.
fn compute(drill: DrillView, seen: &CalloutView, policy: &Policy) -> DrillReport {
    let pages = seen.pages.as_deref().unwrap_or_default();
    let people: Vec<DrillPerson> = seen.responders.iter().map(|r| story(r, seen, pages)).collect();
    let silent = people.iter().filter(|p| p.answered_after_ms.is_none() && !p.calls.is_empty()).map(|p| p.person);
    let silent = silent.collect();
    DrillReport { drill, state: Some(seen.state), timings: timings(seen, pages, policy), people, silent }
}

fn after(seen: &CalloutView, at: Timestamp) -> Millis {
    between(seen.opened_at, at)
}

fn between(from: Timestamp, until: Timestamp) -> Millis {
    Millis(u64::try_from(until.since(from).as_millis()).unwrap_or(u64::MAX))
}

fn story(responder: &ResponderView, seen: &CalloutView, pages: &[PageView]) -> DrillPerson {
    let person = responder.person;
    let calls: Vec<&PageView> = pages.iter().filter(|page| page.person == person).collect();
    let answers = [Event::Acknowledged, Event::Accepted, Event::Declined];
    let answered = seen.timeline.iter().find(|line| line.person == Some(person) && answers.contains(&line.event));
    let first = calls.first().map_or(seen.opened_at, |page| page.ordered_at);
    DrillPerson {
        person,
        work_name: responder.work_name.clone(),
        tier: responder.tier,
        answered_after_ms: answered.map(|line| between(first, line.at)),
        calls: calls.into_iter().map(call).collect(),
    }
}

fn call(page: &PageView) -> DrillCall {
    let since = |at: Option<Timestamp>| at.map(|at| between(page.ordered_at, at));
    DrillCall {
        channel: page.channel,
        at: page.ordered_at,
        handed_over_after_ms: since(page.handed_over_at),
        delivered_after_ms: since(page.delivered_at),
        failed: page.failed,
    }
}

fn timings(seen: &CalloutView, pages: &[PageView], policy: &Policy) -> Vec<DrillTiming> {
    let event = |event: Event| seen.timeline.iter().find(|line| line.event == event).map(|line| line.at);
    let tier = |tier: Tier| {
        let called = |event| matches!(event, Event::TierPaged | Event::TierEmpty);
        seen.timeline.iter().find(|line| called(line.event) && line.tier == Some(tier)).map(|line| line.at)
    };
    // Once it is filled, or over, nobody further was needed.
    let enough = event(Event::Filled).or(event(Event::Cancelled)).or(event(Event::Closed));
    let (acknowledged, accepted) = (event(Event::Acknowledged), event(Event::Accepted));
    let timing = |what, at: Option<Timestamp>, otherwise: Option<Timestamp>, wanted: Millis| {
        let kept = at.or(otherwise).is_some_and(|at| after(seen, at).0 <= wanted.0 + SLACK.0);
        DrillTiming { what, after_ms: at.map(|at| after(seen, at)), wanted_ms: wanted, kept }
    };
    let first = event(Event::TierPaged).or(pages.iter().map(|page| page.ordered_at).min());
    let timers = &policy.timers;
    vec![
        timing(DrillMoment::FirstPage, first, None, FIRST_PAGE),
        timing(DrillMoment::Backup, tier(Tier::Backup), enough, timers.backup_after_ms),
        timing(DrillMoment::Supervisor, tier(Tier::Supervisor), enough, timers.supervisor_after_ms),
        timing(DrillMoment::Everyone, tier(Tier::Everyone), enough, timers.everyone_after_ms),
        timing(DrillMoment::Acknowledged, acknowledged, accepted, timers.everyone_after_ms),
        timing(DrillMoment::Accepted, accepted, None, timers.everyone_after_ms),
    ]
}
