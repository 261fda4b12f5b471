//! The accept loop. axum's own has no deadline for a request's head and no bound on connections; both are the first
//! things that somebody with bad intent would try.
//!
//! A connection is counted from accept until its last byte, websockets included (the count travels inside the stream),
//! so that draining waits for every one of them.

mod admission;
mod connection;
pub(crate) mod pair;
mod stream;
mod tls;

use crate::config::Limits;
use admission::Admission;
use axum::Router;
use connection::Http;
use firstlight_protocol::Problem;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use stream::Guarded;
pub(crate) use tls::SOON;
pub use tls::Tls;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long the loop rests when the system has no file descriptors left; connections that end free some.
const REST: Duration = Duration::from_millis(100);

/// Serves `router` on `listener`, by TLS if there is any, until `stop`, then lets requests finish for `limits.drain_ms`, then cuts off the rest.
pub async fn run(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    router: Router,
    limits: &Limits,
    stop: CancellationToken,
) {
    let admission = Arc::new(Admission::new(limits));
    let connections = TaskTracker::new();
    let cut = CancellationToken::new();
    let http = Arc::new(Http::new(router, tls.clone(), limits, stop.clone(), cut.clone()));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                refused_by_system(&error).await;
                continue;
            }
        };
        match admission.admit(peer.ip()) {
            Ok(slot) => {
                let _ = stream.set_nodelay(true);
                let stream = Guarded::new(stream, limits.write_timeout_ms.into(), slot, connections.token());
                tokio::spawn(Arc::clone(&http).welcome(stream, peer));
            }
            // Nothing can be said to somebody who waits for a handshake.
            Err(problem) if tls.is_some() => tracing::debug!(%peer, code = %problem.code, "connection turned away"),
            Err(problem) => turn_away(stream, peer, &problem),
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(limits.drain_ms.into(), connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections were cut off: they did not end in time");
        cut.cancel();
    }
}

/// Errors of a single connection (reset before it was accepted) are none of ours; the others need a moment.
async fn refused_by_system(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    if !matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted) {
        tracing::error!(%error, "no connection can be accepted; is the limit of open files too low?");
        tokio::time::sleep(REST).await;
    }
}

/// Answers without reading and without waiting: what doesn't fit into an empty socket buffer isn't sent.
fn turn_away(stream: TcpStream, peer: SocketAddr, problem: &Problem) {
    tracing::debug!(%peer, code = %problem.code, "connection turned away");
    if let Ok(mut stream) = stream.into_std() {
        let _ = io::Write::write(&mut stream, &connection::raw_answer(problem));
        let _ = stream.shutdown(std::net::Shutdown::Write);
    }
}

#[cfg(test)]
mod tests;
