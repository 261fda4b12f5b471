//! `/v1/callouts`.

use crate::store::sql::Conn;
use crate::{
    Result, Shared,
    caller::Caller,
    extract::{Json, Path},
    identity::OnDuty,
    runner::{Whose, World, list_callouts, load_callout},
};
use axum::extract::State;
use firstlight_dispatch::{Callout, room_people, view};
use firstlight_protocol::{
    CalloutId, ErrorCode, Problem, Role,
    api::{ActOnCallout, CalloutList, Team, Timeline},
    callout::{CalloutView, OpenCallout, Purpose},
};

/// Opens a callout: when this answers, it is durable and the first people are called.
///
/// For police officers, watch commanders, and supervisors of the host (for callouts by telephone). The client chooses the
/// id: the same request again is answered as it stands now, and never makes a second callout.
#[utoipa::path(post, path = "/v1/callouts", tag = "dispatch", request_body = OpenCallout, security(("bearer" = []), ("duty" = [])), responses(
    (status = 200, body = CalloutView), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn open(
    State(app): State<Shared>,
    OnDuty(caller): OnDuty,
    Json(request): Json<OpenCallout>,
) -> Result<Json<CalloutView>> {
    caller.require(&[Role::PoliceOfficer, Role::WatchCommander, Role::Supervisor])?;
    if request.purpose == Purpose::Canary {
        return Err(Problem::with(ErrorCode::InvalidValue, "purpose: \"real\" or \"drill\".").into());
    }
    let now = app.clock.now();
    app.runner.opening.check(caller.device, now)?;
    let drill = request.purpose == Purpose::Drill;
    let view = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let view = tx.open_callout(&caller, request, now).await?;
                if drill {
                    crate::proof::opened_by_hand(tx, view.id, caller.person, now).await?;
                }
                Ok(view)
            })
        })
        .await?;
    if drill {
        app.proof.again_drills.notify_one();
    }
    Ok(Json(view))
}

/// The callouts that the caller may see, newest first: all open ones, and the newest of the others.
#[utoipa::path(get, path = "/v1/callouts", tag = "dispatch", security(("bearer" = []), ("duty" = [])), responses(
    (status = 200, body = CalloutList), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn list(State(app): State<Shared>, OnDuty(caller): OnDuty) -> Result<Json<CalloutList>> {
    let mut conn = app.store.read().acquire().await?;
    let world = World::read(&mut conn, app.clock.now()).await?;
    let actor = world.actor(&caller);
    let whose = match caller.role {
        _ if actor.supervises() => Whose::All,
        Role::WatchCommander => Whose::Agency(caller.org),
        _ => Whose::Person(caller.person),
    };
    let ctx = world.context();
    let callouts = list_callouts(&mut conn, whose).await?;
    Ok(Json(CalloutList { callouts: callouts.iter().filter_map(|callout| view(callout, actor, &ctx)).collect() }))
}

/// One callout, as the caller may see it.
#[utoipa::path(get, path = "/v1/callouts/{callout}", tag = "dispatch",
    params(("callout" = CalloutId, Path, description = "The callout")), security(("bearer" = []), ("duty" = [])), responses(
    (status = 200, body = CalloutView), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn get(
    State(app): State<Shared>,
    OnDuty(caller): OnDuty,
    Path(callout): Path<CalloutId>,
) -> Result<Json<CalloutView>> {
    let (_, _, view) = read(&app, &caller, callout).await?;
    Ok(Json(view))
}

/// What happened to a callout and when; a supervisor sees all of it.
#[utoipa::path(get, path = "/v1/callouts/{callout}/timeline", tag = "dispatch",
    params(("callout" = CalloutId, Path, description = "The callout")), responses(
    (status = 200, body = Timeline), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn timeline(
    State(app): State<Shared>,
    caller: Caller,
    Path(callout): Path<CalloutId>,
) -> Result<Json<Timeline>> {
    let (_, _, view) = read(&app, &caller, callout).await?;
    Ok(Json(Timeline { callout, entries: view.timeline }))
}

/// Who belongs in the callout's room now, with their devices' chains, for a client to verify and add. Until the callout
/// is filled: everybody whom the policy may page. For whoever opened it, and for supervisors of the host.
#[utoipa::path(get, path = "/v1/callouts/{callout}/team", tag = "dispatch",
    params(("callout" = CalloutId, Path, description = "The callout")), responses(
    (status = 200, body = Team), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn team(State(app): State<Shared>, caller: Caller, Path(id): Path<CalloutId>) -> Result<Json<Team>> {
    let (world, callout, _) = read(&app, &caller, id).await?;
    if callout.opened_by() != caller.person && !world.actor(&caller).supervises() {
        return Err(ErrorCode::Forbidden.into());
    }
    let mut people = app.store.person_views(&room_people(&callout, &world.context())).await?;
    for person in &mut people {
        person.devices.retain(|device| device.device != caller.device);
    }
    Ok(Json(Team { callout: id, people }))
}

/// Does something with a callout. The client chooses the action's id: the same one again does nothing more, and is
/// answered as the callout stands now.
#[utoipa::path(post, path = "/v1/callouts/{callout}/actions", tag = "dispatch", request_body = ActOnCallout,
    params(("callout" = CalloutId, Path, description = "The callout")), security(("bearer" = []), ("duty" = [])), responses(
    (status = 200, body = CalloutView), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn act(
    State(app): State<Shared>,
    OnDuty(caller): OnDuty,
    Path(callout): Path<CalloutId>,
    Json(request): Json<ActOnCallout>,
) -> Result<Json<CalloutView>> {
    let now = app.clock.now();
    app.runner.acting.check(caller.device, now)?;
    let view = app
        .store
        .write(move |tx| Box::pin(async move { tx.act_on_callout(&caller, callout, request, now).await }))
        .await?;
    Ok(Json(view))
}

pub(super) async fn read(app: &Shared, caller: &Caller, callout: CalloutId) -> Result<(World, Callout, CalloutView)> {
    let mut conn = app.store.read().acquire().await?;
    let conn: &mut Conn = &mut conn;
    let callout = load_callout(conn, callout).await?.ok_or(ErrorCode::NotFound)?;
    let world = World::read(conn, app.clock.now()).await?;
    let view = view(&callout, world.actor(caller), &world.context()).ok_or(ErrorCode::NotFound)?;
    Ok((world, callout, view))
}
