//! Logs: to standard error, for people or for programs. Ids and code words only; nothing that a person wrote.

use crate::config::{Log, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Turns logging on for the whole process. Only the first call has an effect, so tests may each call it.
pub fn init(log: &Log) {
    // The configuration was checked; a filter that doesn't parse must not silence errors all the same.
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    let stderr = fmt::layer().with_writer(std::io::stderr);
    let _ = match log.format {
        LogFormat::Text => registry.with(stderr.with_ansi(std::io::stderr().is_terminal())).try_init(),
        LogFormat::Json => registry.with(stderr.json().flatten_event(true)).try_init(),
    };
}
