//! Whether the process runs, and whether it can do its work.

use crate::{Error, Result, Shared, extract::Json};
use axum::extract::State;
use firstlight_protocol::{ErrorCode, Problem};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A part that answers later than this is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// The routes of this room.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// An answer of the health routes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Health {
    /// `live` or `ready`.
    pub status: String,
    /// The server's version.
    pub version: String,
}

fn health(status: &str) -> Json<Health> {
    Json(Health { status: status.into(), version: env!("CARGO_PKG_VERSION").into() })
}

/// The process runs. Restart it if this doesn't answer.
#[utoipa::path(get, path = "/v1/health/live", tag = "health", security(()),
    responses((status = 200, description = "The process runs.", body = Health)))]
async fn live() -> Json<Health> {
    health("live")
}

/// The server can take work: the database answers, the writer commits, the safety net has run. Send nobody here
/// otherwise.
#[utoipa::path(get, path = "/v1/health/ready", tag = "health", security(()),
    responses((status = 200, description = "The server can take work.", body = Health)))]
async fn ready(State(app): State<Shared>) -> Result<Json<Health>> {
    let read = async { sqlx::query("SELECT 1").execute(app.store.read()).await.map_err(Error::from) };
    within("The database does not answer.", read).await?;
    within("The database's writer does not commit.", app.store.write(|_| Box::pin(async { Ok(()) }))).await?;
    if !app.runner.sweeps(app.clock.now()) {
        return Err(
            Problem::with(ErrorCode::Unavailable, "The safety net behind timers and pages does not run.").into()
        );
    }
    Ok(health("ready"))
}

async fn within<T>(otherwise: &'static str, part: impl Future<Output = Result<T>>) -> Result<()> {
    match tokio::time::timeout(PATIENCE, part).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready");
            Err(Problem::with(ErrorCode::Unavailable, otherwise).into())
        }
        Err(_) => Err(Problem::with(ErrorCode::Unavailable, otherwise).into()),
    }
}
