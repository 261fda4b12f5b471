//! What a balancer or a service manager asks.

use super::Operations;
use crate::{
    Result,
    extract::Json,
    health::{self, Health},
    lifecycle::Stage,
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// Answer of `/readyz`.
#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    stage: Stage,
    reasons: Vec<&'static str>,
}

pub(super) async fn live() -> Json<Health> {
    health::live().await
}

pub(super) async fn ready(State(operations): State<Operations>) -> Response {
    let stage = operations.lifecycle.stage();
    let reasons = match operations.app() {
        Ok(app) if stage == Stage::Serving => app.health.look(app).await.failing.clone(),
        _ => Vec::new(),
    };
    let ready = stage == Stage::Serving && reasons.is_empty();
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, axum::Json(Readiness { ready, stage, reasons })).into_response()
}

pub(super) async fn health(State(operations): State<Operations>) -> Result<Response> {
    Ok(health::whole(operations.app()?).await.into_response())
}
