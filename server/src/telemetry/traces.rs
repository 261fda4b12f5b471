//! Traces: where the time of one request or page went, as spans to a collector (OTLP, protobuf over HTTP).
//!
//! A span has times, a fixed name, and at most: the documented route, method and status, a callout's id, a channel's word,
//! a provider by the operator's name for it, which try it was. Log events are not put into spans.

use crate::{Error, Result, config::Traces};
use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use std::{collections::HashMap, time::Duration};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

/// A collector that takes longer gets the next ones.
const PATIENCE: Duration = Duration::from_secs(5);
/// Spans of this program's own; a library's could quote what it was given.
const OWN: &str = "firstlight_server";

/// What sends spans.
///
/// # Errors
/// A sentence for the operator where the settings can't be used.
pub(super) fn provider(settings: &Traces) -> Result<SdkTracerProvider> {
    let mut headers = HashMap::new();
    if let Some(secret) = settings.authorization()? {
        headers.insert("authorization".to_owned(), secret.reveal().to_owned());
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&settings.endpoint)
        .with_headers(headers)
        .with_timeout(PATIENCE)
        .build()
        .map_err(|_| Error::internal("traces.endpoint: spans can't be sent there"))?;
    let resource = Resource::builder_empty()
        .with_service_name("firstlight-server")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        // Nobody outside has a say in what is traced: no parent is taken over from a request's headers.
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(1.0 / f64::from(settings.one_in)))))
        .with_resource(resource.build())
        .build())
}

/// Gives every span of this program's to `provider`.
pub(super) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let own = |meta: &Metadata<'_>| meta.is_span() && meta.target().starts_with(OWN) && *meta.level() <= Level::DEBUG;
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("firstlight"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(own))
}
