//! Everything counted and sampled, as Prometheus reads it.

use super::sample::Sample;
use crate::{Error, Result, Shared};
use axum::{http::header, response::IntoResponse};
use firstlight_protocol::{ErrorCode, Problem};
use prometheus_client::encoding::text::encode;

/// What OpenMetrics calls itself.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// One scrape.
///
/// # Errors
/// `unavailable` while the database does not answer.
pub(crate) async fn scrape(app: &Shared) -> Result<impl IntoResponse + use<>> {
    let sample = Sample::take(app).await.map_err(|error| {
        tracing::error!(%error, "metrics could not be read");
        Problem::with(ErrorCode::Unavailable, "The database does not answer.")
    })?;
    let mut registry = app.bus.metrics().registry();
    registry.register_collector(Box::new(sample));
    let mut text = String::new();
    encode(&mut text, &registry).map_err(Error::internal)?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text))
}
