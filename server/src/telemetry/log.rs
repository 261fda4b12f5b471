//! Logs: to standard error, for people or for programs. Ids and code words only; nothing that a person wrote.

use super::traces;
use crate::{
    Result,
    config::{Log, LogFormat, Traces},
};
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, Layer, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// What has to be sent before the process ends.
#[derive(Debug)]
pub struct Telemetry(Option<SdkTracerProvider>);

impl Telemetry {
    /// Sends the spans that are over by now. It may wait for the collector: not for a thread that serves.
    pub fn flush(&self) {
        if let Some(Err(error)) = self.0.as_ref().map(SdkTracerProvider::force_flush) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Turns logging on for the whole process, and tracing if it is wanted. Only the first call has an effect, so tests may
/// each call it.
///
/// # Errors
/// A sentence for the operator where spans can't be sent.
pub fn init(log: &Log, traces: &Traces) -> Result<Telemetry> {
    // The configuration was checked; a filter that doesn't parse must not silence errors all the same.
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let stderr = fmt::layer().with_writer(std::io::stderr);
    let stderr = match log.format {
        LogFormat::Text => stderr.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => stderr.json().flatten_event(true).boxed(),
    };
    let provider = traces.is_on().then(|| traces::provider(traces)).transpose()?;
    let spans = provider.as_ref().map(traces::layer);
    let _ = tracing_subscriber::registry().with(stderr.with_filter(filter)).with(spans).try_init();
    Ok(Telemetry(provider))
}
