//! One HTTP connection: deadlines, small buffers, an end when the server stops.

use super::{stream::Guarded, tls::Tls};
use crate::config::Limits;
use axum::{Router, body::Body, extract::ConnectInfo, http::StatusCode};
use firstlight_protocol::{ErrorCode, Problem};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{net::SocketAddr, pin::Pin, sync::Arc, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Largest head of a request, in bytes.
const MAX_HEAD: usize = 16 << 10;
/// Most header lines of a request.
const MAX_HEADERS: usize = 64;
/// Largest buffer per direction, in bytes. Buffers begin smaller, and end when a websocket begins.
const MAX_BUFFER: usize = 64 << 10;
/// How long the answer to a half-sent head may take to leave.
const PARTING: Duration = Duration::from_secs(1);

/// What all connections share.
pub(super) struct Http {
    router: Router,
    tls: Option<Arc<Tls>>,
    builder: http1::Builder,
    stop: CancellationToken,
    cut: CancellationToken,
}

impl Http {
    pub(super) fn new(
        router: Router,
        tls: Option<Arc<Tls>>,
        limits: &Limits,
        stop: CancellationToken,
        cut: CancellationToken,
    ) -> Self {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from(limits.header_timeout_ms))
            .max_header_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_BUFFER);
        Self { router, tls, builder, stop, cut }
    }

    /// Serves a new connection, after its handshake if there is TLS.
    pub(super) async fn welcome(self: Arc<Self>, stream: Guarded, peer: SocketAddr) {
        let Some(tls) = &self.tls else { return self.serve(stream, peer).await };
        let accepted = tokio::select! {
            accepted = tls.accept(stream) => accepted,
            () = self.stop.cancelled() => None,
        };
        if let Some(stream) = accepted {
            self.serve(stream, peer).await;
        }
    }

    /// Answers requests until the client leaves, a deadline passes or the server stops.
    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: SocketAddr) {
        let router = self.router.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request.map(Body::new))
        });
        let mut connection = self.builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let mut stopping = false;
        let result = loop {
            let ended = tokio::select! {
                result = &mut connection => Some(result),
                () = self.stop.cancelled(), if !stopping => None,
                () = self.cut.cancelled() => return,
            };
            if let Some(result) = ended {
                break result;
            }
            stopping = true;
            Pin::new(&mut connection).graceful_shutdown();
        };
        let Err(error) = result else { return };
        tracing::debug!(%peer, %error, "connection ended");
        // Only a client that has begun a request waits for an answer; an idle connection is just closed.
        if error.is_timeout()
            && let Some(parts) = connection.into_parts()
            && !parts.read_buf.is_empty()
        {
            let answer = raw_answer(&Problem::with(ErrorCode::Timeout, "The request's head did not arrive in time."));
            let mut stream = parts.io.into_inner();
            let _ = tokio::time::timeout(PARTING, stream.write_all(&answer)).await;
        }
    }
}

/// A whole answer in bytes, for where there is no request that hyper could answer.
pub(super) fn raw_answer(problem: &Problem) -> Vec<u8> {
    let body = serde_json::to_string(problem).unwrap_or_default();
    let reason = StatusCode::from_u16(problem.status).ok().and_then(|s| s.canonical_reason()).unwrap_or("Error");
    let retry = problem.retry_after_ms.map(|ms| format!("retry-after: {}\r\n", ms.div_ceil(1_000))).unwrap_or_default();
    format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n{retry}connection: \
         close\r\n\r\n{body}",
        problem.status,
        body.len()
    )
    .into_bytes()
}
