//! Sends clients elsewhere before the process is stopped.

use super::Operations;
use crate::{Result, config::is_public, lifecycle::Stage};
use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
};
use firstlight_protocol::{ErrorCode, Problem};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// Begins, and answers at once; `/readyz` says when it is done.
pub(super) async fn drain(
    State(operations): State<Operations>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<Value>)> {
    // A page in a browser of the operator's could send this too; browsers say so.
    if is_public(peer.ip().to_canonical()) || headers.contains_key(header::ORIGIN) {
        let detail = "Only this machine and private networks may do this, and no web page.";
        return Err(Problem::with(ErrorCode::Forbidden, detail).into());
    }
    let app = operations.app()?;
    // Beside the request: whoever asked may leave.
    tokio::spawn(app.lifecycle.drain(app));
    Ok((StatusCode::ACCEPTED, Json(json!({ "stage": Stage::Draining.max(operations.lifecycle.stage()) }))))
}
