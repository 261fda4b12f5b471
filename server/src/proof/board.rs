//! The readiness board, and tests that people ask for and confirm.

use super::{checks::Shown, reach::Standing};
use crate::{
    Result, Shared,
    caller::Caller,
    extract::{Json, Path},
    identity::OnDuty,
    rota::require_host,
};
use axum::extract::State;
use firstlight_dispatch::readiness::WayState;
use firstlight_protocol::{
    CheckId, ErrorCode, PersonId, Problem, Role,
    api::{ConfirmTest, PersonReadiness, ReadinessBoard, SendTest, Unreachable},
    policy::Channel,
};

/// Who sees the board.
const WATCHERS: [Role; 2] = [Role::Supervisor, Role::Admin];
/// Who answers callouts, and so has something to prove.
const RESPONDERS: [Role; 2] = [Role::Advocate, Role::Supervisor];

/// The board: everybody on duty now or next, green, amber or red, and what is missing.
#[utoipa::path(get, path = "/v1/readiness", tag = "proof", responses(
    (status = 200, body = ReadinessBoard), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn readiness(State(app): State<Shared>, caller: Caller) -> Result<Json<ReadinessBoard>> {
    require_host(&app, &caller, &WATCHERS).await?;
    let standing = standing(&app).await?;
    Ok(Json(ReadinessBoard { at: standing.now, ahead_ms: standing.timers.ahead_ms, people: standing.on_duty() }))
}

/// Who cannot be paged, of everybody who answers callouts, on duty or not, and whoever has another gap, with the reasons.
#[utoipa::path(get, path = "/v1/readiness/unreachable", tag = "proof", responses(
    (status = 200, body = Unreachable), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn unreachable(State(app): State<Shared>, caller: Caller) -> Result<Json<Unreachable>> {
    require_host(&app, &caller, &WATCHERS).await?;
    let standing = standing(&app).await?;
    Ok(Json(Unreachable { at: standing.now, people: standing.unreachable() }))
}

/// Where the caller stands, with the newest check.
#[utoipa::path(get, path = "/v1/readiness/me", tag = "proof", security(("bearer" = []), ("duty" = [])), responses(
    (status = 200, body = PersonReadiness), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn own(State(app): State<Shared>, OnDuty(caller): OnDuty) -> Result<Json<PersonReadiness>> {
    require_host(&app, &caller, &RESPONDERS).await?;
    answer(&app, caller.person).await
}

/// Sends a test by every way: to the caller, or by a supervisor to anybody who answers callouts. At most three at once,
/// then one a minute: it rings.
#[utoipa::path(post, path = "/v1/readiness/test", tag = "proof", request_body = SendTest, security(("bearer" = []), ("duty" = [])), responses(
    (status = 200, body = PersonReadiness), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn test(
    State(app): State<Shared>,
    OnDuty(caller): OnDuty,
    Json(SendTest { check, person }): Json<SendTest>,
) -> Result<Json<PersonReadiness>> {
    require_host(&app, &caller, &RESPONDERS).await?;
    let (now, person) = (app.clock.now(), person.unwrap_or(caller.person));
    if person != caller.person {
        caller.require(&[Role::Supervisor])?;
    }
    let reach =
        standing(&app).await?.people.remove(&person).filter(|reach| reach.responds).ok_or(ErrorCode::NotFound)?;
    let usable = reach.ways.iter().filter(|way| way.state == WayState::Usable);
    let channels: Vec<Channel> = usable.map(|way| way.channel).collect();
    if channels.is_empty() {
        let detail = "There is no way to reach them: no device, and no verified contact method.";
        return Err(Problem::with(ErrorCode::WrongState, detail).into());
    }
    app.proof.testing.check(person, now)?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                match tx.check_of(check).await? {
                    // The same request again.
                    Some(known) if known == person => Ok(()),
                    Some(_) => Err(ErrorCode::Conflict.into()),
                    None => tx.send_test(check, person, &channels, Some(caller.device), now).await,
                }
            })
        })
        .await?;
    answer(&app, person).await
}

/// The test reached the caller: without `code`, in the app; with the six digits that came another way, by that way.
#[utoipa::path(post, path = "/v1/readiness/{check}/confirm", tag = "proof", request_body = ConfirmTest,
    params(("check" = CheckId, Path, description = "The check")), security(("bearer" = []), ("duty" = [])), responses(
    (status = 200, body = PersonReadiness), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn confirm(
    State(app): State<Shared>,
    OnDuty(caller): OnDuty,
    Path(check): Path<CheckId>,
    Json(ConfirmTest { code }): Json<ConfirmTest>,
) -> Result<Json<PersonReadiness>> {
    require_host(&app, &caller, &RESPONDERS).await?;
    let (now, person, device) = (app.clock.now(), caller.person, caller.device);
    app.proof.confirming.check(person, now)?;
    let shown = match code {
        None => Shown::App,
        Some(code) => Shown::Code(digits(&code)?),
    };
    app.store
        .write(move |tx| Box::pin(async move { tx.confirm_test(check, person, shown, Some(device), now).await }))
        .await?;
    answer(&app, person).await
}

fn digits(code: &str) -> Result<u32, Problem> {
    let six = code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit());
    let refused = || Problem::with(ErrorCode::InvalidValue, "code: six digits.");
    code.parse().ok().filter(|_| six).ok_or_else(refused)
}

async fn standing(app: &Shared) -> Result<Standing> {
    let mut conn = app.store.read().acquire().await?;
    let standing = Standing::read(&mut conn, &app.bus, app.clock.now()).await?;
    standing.ok_or_else(|| {
        Problem::with(ErrorCode::WrongState, "The host organisation has not set its policy and duty number yet.").into()
    })
}

async fn answer(app: &Shared, person: PersonId) -> Result<Json<PersonReadiness>> {
    Ok(Json(standing(app).await?.person(person).ok_or(ErrorCode::NotFound)?))
}
