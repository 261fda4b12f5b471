//! The listener that Prometheus asks: one path, on an address of its own.

use super::sample::Sample;
use crate::{Error, Result, Shared, config::Limits, listen};
use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};
use firstlight_protocol::{ErrorCode, Problem, policy::Millis};
use prometheus_client::encoding::text::encode;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What OpenMetrics calls itself.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Begins to listen, if metrics are wanted. Answers where, and what serves there until `stop`.
///
/// # Errors
/// With a sentence for the operator where the address can't be used.
pub(crate) async fn serve(
    app: &Shared,
    stop: CancellationToken,
) -> Result<Option<(SocketAddr, impl Future<Output = ()> + Send + 'static)>> {
    if !app.config.metrics.enabled {
        return Ok(None);
    }
    let address = app.config.metrics.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|e| Error::internal(format!("can't listen on {address} for metrics ({e}): see metrics.listen.")))?;
    let address = listener.local_addr().map_err(Error::internal)?;
    // One or two scrapers; nobody else has any business here.
    let limits = Limits {
        connections: 16,
        connections_per_address: 8,
        connections_per_loopback: 16,
        drain_ms: Millis(500),
        ..app.config.limits.clone()
    };
    let router = Router::new().route("/metrics", get(metrics)).with_state(app.clone());
    tracing::info!(%address, "metrics at /metrics");
    Ok(Some((address, async move { listen::run(listener, router, &limits, stop).await })))
}

async fn metrics(State(app): State<Shared>) -> Result<impl IntoResponse> {
    let sample = Sample::take(&app).await.map_err(|error| {
        tracing::error!(%error, "metrics could not be read");
        Problem::with(ErrorCode::Unavailable, "The database does not answer.")
    })?;
    let mut registry = app.bus.metrics().registry();
    registry.register_collector(Box::new(sample));
    let mut text = String::new();
    encode(&mut text, &registry).map_err(Error::internal)?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text))
}
