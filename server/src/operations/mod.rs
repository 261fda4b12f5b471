//! For those who run the server, on a listener of its own (`[metrics]`), never the public one. It answers from the first
//! moment on, before the data are open.
//!
//! | path | what |
//! |---|---|
//! | `GET /metrics` | metrics for Prometheus |
//! | `GET /livez` | the process runs; restart it if this doesn't answer |
//! | `GET /readyz` | send clients here; 503 while starting, migrating, draining, or without what a page needs |
//! | `GET /health` | how it is, with reasons, canary and providers |
//! | `POST /drain` | send everybody away and take nobody in; afterwards `readyz` says `drained`, and only a restart goes back |

mod drain;
mod probes;

use crate::{
    Error, Result, Shared,
    config::{Config, Limits},
    lifecycle::Lifecycle,
    listen, telemetry,
};
use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use firstlight_protocol::{ErrorCode, Problem, policy::Millis};
use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What is known of the server, which may not be there yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Operations {
    pub(crate) lifecycle: Lifecycle,
    app: Arc<OnceLock<Shared>>,
}

impl Operations {
    /// The server is there.
    pub(crate) fn begins(&self, app: &Shared) {
        let _ = self.app.set(Shared::clone(app));
    }

    fn app(&self) -> Result<&Shared> {
        let starting = || Problem::with(ErrorCode::Unavailable, "The server is starting.").into();
        self.app.get().ok_or_else(starting)
    }

    /// Begins to listen, if it is wanted. Answers where, and what serves there until `stop`.
    ///
    /// # Errors
    /// With a sentence for the operator where the address can't be used.
    pub(crate) async fn listen(
        &self,
        config: &Config,
        stop: CancellationToken,
    ) -> Result<Option<(SocketAddr, impl Future<Output = ()> + Send + 'static)>> {
        if !config.metrics.enabled {
            return Ok(None);
        }
        let address = config.metrics.listen;
        let listener = TcpListener::bind(address).await.map_err(|e| {
            Error::internal(format!("can't listen on {address} for metrics ({e}): see metrics.listen."))
        })?;
        let address = listener.local_addr().map_err(Error::internal)?;
        // A scraper or two, a balancer, an operator; nobody else has any business here.
        let limits = Limits {
            connections: 32,
            connections_per_address: 16,
            connections_per_loopback: 32,
            drain_ms: Millis(500),
            ..config.limits.clone()
        };
        let router = Router::new()
            .route("/metrics", get(metrics))
            .route("/livez", get(probes::live))
            .route("/readyz", get(probes::ready))
            .route("/health", get(probes::health))
            .route("/drain", post(drain::drain))
            .with_state(self.clone());
        tracing::info!(%address, "metrics and probes");
        Ok(Some((address, async move { listen::run(listener, None, router, &limits, stop).await })))
    }
}

async fn metrics(State(operations): State<Operations>) -> Result<Response> {
    Ok(telemetry::scrape(operations.app()?).await?.into_response())
}

#[cfg(test)]
mod tests;
