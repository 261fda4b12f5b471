//! Whether the process runs, whether it can do its work, and whether a page would go out.

use crate::{
    Error, Result, Shared, bus::LinkState, caller::Caller, extract::Json, listen, paging::ProviderHealth,
    proof::has_room, rota::require_host, store::sql,
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use firstlight_protocol::{ErrorCode, Problem, Role, Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A part that answers later than this is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whoever asks within this of somebody else gets the same answer: looking costs the writer a transaction, and anybody may
/// ask.
const FRESH: Duration = Duration::from_millis(500);

const NO_READ: &str = "The database does not answer.";
const NO_WRITE: &str = "The database's writer does not commit.";
const NO_SWEEP: &str = "The safety net behind timers and pages does not run.";
const NO_CANARY: &str = "The canary does not come through: pages may not go out.";
const NO_REDIS: &str = "Redis can't be used: nodes find work by polling, within two seconds.";
const NO_ATTACHMENTS: &str = "The place for attachments can't be reached.";
const NO_ROOM: &str = "The disk has hardly any room left.";
const ENDS: &str = "The TLS certificate ends within two weeks, or has ended.";
const STALE: &str = "The TLS certificate in the files can't be used; an older one is shown.";

/// The routes of this room.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready)).routes(routes!(public)).routes(routes!(details))
}

/// An answer of the health routes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Health {
    /// `live` or `ready`.
    pub status: String,
    /// The server's version.
    pub version: String,
}

/// How the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Everything works.
    Ok,
    /// It works, and somebody should look.
    Degraded,
    /// It does not work.
    Failing,
}

/// Answer to `GET /v1/health`: for everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PublicHealth {
    /// How it is.
    pub status: Condition,
}

/// How the server is, for those who look after it. It says nothing of people or callouts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WholeHealth {
    /// How it is.
    pub status: Condition,
    /// Why, in plain sentences.
    pub reasons: Vec<String>,
    /// The server's version.
    pub version: String,
    /// The canary.
    pub canary: CanaryHealth,
    /// How this node and the others wake each other; missing where no Redis is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bus: Option<BusHealth>,
    /// The providers that pages go out by.
    pub providers: Vec<ProviderHealth>,
}

/// What the canary shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CanaryHealth {
    /// When the last one came through.
    pub last_success_at: Option<Timestamp>,
    /// How long its first page took, from opening to receipt, in milliseconds.
    pub page_ms: Option<u64>,
    /// How long its second page took after it was due, in milliseconds.
    pub escalation_ms: Option<u64>,
}

/// How nodes that share a store wake each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BusHealth {
    /// How it is.
    pub status: BusStatus,
    /// Since when Redis can't be used.
    pub since: Option<Timestamp>,
}

/// How nodes learn of each other's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BusStatus {
    /// Through Redis, at once.
    Ok,
    /// By looking at the store: nothing is lost, and everything is a little later.
    Polling,
}

impl BusHealth {
    fn of(state: &LinkState) -> Option<Self> {
        match state {
            LinkState::Alone => None,
            LinkState::Connected => Some(Self { status: BusStatus::Ok, since: None }),
            LinkState::Polling { since, .. } => Some(Self { status: BusStatus::Polling, since: Some(*since) }),
        }
    }
}

fn health(status: &str) -> Json<Health> {
    Json(Health { status: status.into(), version: env!("CARGO_PKG_VERSION").into() })
}

/// The process runs. Restart it if this doesn't answer.
#[utoipa::path(get, path = "/v1/health/live", tag = "health", security(()),
    responses((status = 200, description = "The process runs.", body = Health)))]
pub(crate) async fn live() -> Json<Health> {
    health("live")
}

/// The server can take work: the database answers, the writer commits, the safety net has run. Send nobody here
/// otherwise.
#[utoipa::path(get, path = "/v1/health/ready", tag = "health", security(()),
    responses((status = 200, description = "The server can take work.", body = Health)))]
async fn ready(State(app): State<Shared>) -> Result<Json<Health>> {
    match app.health.look(&app).await.failing.first() {
        None => Ok(health("ready")),
        Some(why) => Err(Problem::with(ErrorCode::Unavailable, *why).into()),
    }
}

/// How the server is, in one word: besides what `ready` looks at, whether the canary comes through, the disk has room and
/// the certificate holds. 503 while it fails. The reasons are for those who run it: see `GET /v1/health/details`.
#[utoipa::path(get, path = "/v1/health", tag = "health", security(()), responses(
    (status = 200, description = "It works, perhaps not as it should.", body = PublicHealth),
    (status = 503, description = "It fails.", body = PublicHealth)))]
async fn public(State(app): State<Shared>) -> Response {
    let status = app.health.look(&app).await.condition();
    (code(status), axum::Json(PublicHealth { status })).into_response()
}

/// How the server is, with reasons, the canary and the providers: for the host organisation's supervisors and admins.
#[utoipa::path(get, path = "/v1/health/details", tag = "health", responses(
    (status = 200, description = "It works, perhaps not as it should.", body = WholeHealth),
    (status = 503, description = "It fails.", body = WholeHealth)))]
async fn details(State(app): State<Shared>, caller: Caller) -> Result<Response> {
    require_host(&app, &caller, &[Role::Supervisor, Role::Admin]).await?;
    Ok(whole(&app).await.into_response())
}

/// How the server is, with reasons.
pub(crate) async fn whole(app: &Shared) -> (StatusCode, axum::Json<WholeHealth>) {
    let look = app.health.look(app).await;
    let bus = BusHealth::of(&app.bus.link_state());
    let canary = app.proof.canary();
    let last_success_at = canary.last_success_at();
    let health = WholeHealth {
        status: look.condition(),
        reasons: [&look.failing, &look.missing, &look.odd].into_iter().flatten().map(|r| (*r).to_owned()).collect(),
        version: env!("CARGO_PKG_VERSION").into(),
        providers: app.runner.channels().health(),
        bus,
        canary: CanaryHealth {
            last_success_at,
            page_ms: last_success_at.map(|_| canary.page_ms()),
            escalation_ms: last_success_at.map(|_| canary.escalation_ms()),
        },
    };
    (code(health.status), axum::Json(health))
}

fn code(status: Condition) -> StatusCode {
    if status == Condition::Failing { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
}

/// What one look found.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Without these the server takes no work.
    pub(crate) failing: Vec<&'static str>,
    /// Without these no page may go out.
    missing: Vec<&'static str>,
    /// Somebody should look at these.
    odd: Vec<&'static str>,
}

impl Look {
    fn condition(&self) -> Condition {
        match (self.failing.is_empty(), self.missing.is_empty() && self.odd.is_empty()) {
            (true, true) => Condition::Ok,
            (true, false) => Condition::Degraded,
            (false, _) => Condition::Failing,
        }
    }
}

/// The latest look, shared by all who ask at about the same time.
#[derive(Debug, Default)]
pub struct Latest(Mutex<Option<(Instant, Arc<Look>)>>);

impl Latest {
    pub(crate) async fn look(&self, app: &Shared) -> Arc<Look> {
        let mut latest = self.0.lock().await;
        if let Some((_, look)) = latest.as_ref().filter(|(at, _)| at.elapsed() <= FRESH) {
            return Arc::clone(look);
        }
        let look = Arc::new(Look { failing: failing(app).await, missing: missing(app), odd: odd(app) });
        *latest = Some((Instant::now(), Arc::clone(&look)));
        look
    }
}

/// What a page needs and does not have. While anything is missing, the heartbeat stays out; while nothing has shown yet
/// that pages go out, it stays out too.
pub(crate) async fn vital(app: &Shared) -> Vec<&'static str> {
    let mut vital = failing(app).await;
    vital.extend(missing(app));
    if app.canary_sings().is_none() {
        vital.push(NO_CANARY);
    }
    vital
}

/// Without these the server takes no work.
async fn failing(app: &Shared) -> Vec<&'static str> {
    let read = async { sql::query("SELECT 1").execute(app.store.read()).await.map_err(Error::from) };
    let write = app.store.write(|_| Box::pin(async { Ok(()) }));
    let (read, write) = tokio::join!(answers(read), answers(write));
    let parts = [(read, NO_READ), (write, NO_WRITE), (app.runner.sweeps(app.clock.now()), NO_SWEEP)];
    parts.into_iter().filter(|(works, _)| !works).map(|(_, why)| why).collect()
}

/// Without these somebody has to look.
fn missing(app: &Shared) -> Vec<&'static str> {
    let sings = app.canary_sings() != Some(false);
    let room = has_room(&app.config.data_dir, app.config.proof.min_free_mib);
    [(sings, NO_CANARY), (room, NO_ROOM)].into_iter().filter(|(works, _)| !works).map(|(_, why)| why).collect()
}

/// These hold up no page.
fn odd(app: &Shared) -> Vec<&'static str> {
    let polling = BusHealth::of(&app.bus.link_state()).is_some_and(|bus| bus.status == BusStatus::Polling);
    let soon = app.clock.now() + listen::SOON;
    let (ends, stale) = app.tls.as_ref().map_or((false, false), |tls| (tls.ends_at() <= soon, tls.trouble().is_some()));
    let parts = [(polling, NO_REDIS), (ends, ENDS), (stale, STALE), (!app.blobs.reachable(), NO_ATTACHMENTS)];
    parts.into_iter().filter(|(is, _)| *is).map(|(_, why)| why).collect()
}

async fn answers<T>(part: impl Future<Output = Result<T>>) -> bool {
    match tokio::time::timeout(PATIENCE, part).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready");
            false
        }
        Err(_) => false,
    }
}
