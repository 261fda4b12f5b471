//! Everything counted and sampled, as Prometheus reads it.

use super::sample::Sample;
use crate::{Error, Result, Shared};
use axum::{http::header, response::IntoResponse};
use prometheus_client::encoding::text::encode;

/// What OpenMetrics calls itself.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// One scrape.
///
/// # Errors
/// A defect, if it can't be written.
pub(crate) async fn scrape(app: &Shared) -> Result<impl IntoResponse + use<>> {
    let sample = Sample::take(app).await;
    let mut registry = app.bus.metrics().registry();
    registry.register_collector(Box::new(sample));
    let mut text = String::new();
    encode(&mut text, &registry).map_err(Error::internal)?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text))
}
