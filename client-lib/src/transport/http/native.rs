//! One attempt over the system's sockets.

use super::{ATTEMPT_DEADLINE, Call, limit};
use crate::transport::{ServerUrl, TransportError};
use firstlight_protocol::Secret;
use reqwest::header;
use std::time::Duration;

/// A connection must stand within this time.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// Connections to one server.
#[derive(Debug, Clone)]
pub(super) struct Wire(reqwest::Client);

impl Wire {
    pub(super) fn new(server: &ServerUrl) -> Result<Self, TransportError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("firstlight/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_DEADLINE)
            .timeout(ATTEMPT_DEADLINE)
            .tcp_nodelay(true)
            // A redirect would carry the token to wherever an attacker on the way points.
            .redirect(reqwest::redirect::Policy::none());
        if server.is_loopback() {
            builder = builder.no_proxy();
        }
        builder.build().map(Self).map_err(|e| TransportError::unreachable(root_cause(&e)))
    }

    /// Status and body of the answer. The flag of a failure says that the server certainly did nothing.
    pub(super) async fn send(
        &self,
        url: &str,
        call: &Call,
        token: Option<&Secret>,
    ) -> Result<(u16, Vec<u8>), (TransportError, bool)> {
        let method = reqwest::Method::from_bytes(call.method.as_bytes()).unwrap_or_default();
        let mut request = self.0.request(method, url);
        if let Some(token) = token {
            request = request.bearer_auth(token.reveal());
        }
        if let Some(body) = &call.body {
            request = request.header(header::CONTENT_TYPE, call.kind).body(body.clone());
        }
        let answer = request.send().await.map_err(|e| (broken(&e), e.is_connect()))?;
        let status = answer.status().as_u16();
        match read(answer, limit(status)).await {
            Ok(body) => Ok((status, body)),
            // The status alone says enough of a refusal.
            Err(_) if status >= 300 => Ok((status, Vec::new())),
            Err(e) => Err((e, false)),
        }
    }
}

async fn read(mut answer: reqwest::Response, limit: usize) -> Result<Vec<u8>, TransportError> {
    let announced = answer.content_length().unwrap_or(0);
    if announced > limit as u64 {
        return Err(TransportError::TooLarge { limit });
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
    while let Some(chunk) = answer.chunk().await.map_err(|e| broken(&e))? {
        if body.len() + chunk.len() > limit {
            return Err(TransportError::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn broken(error: &reqwest::Error) -> TransportError {
    let reason = if error.is_timeout() { "it did not answer in time".to_owned() } else { root_cause(error) };
    TransportError::unreachable(reason)
}

/// The innermost cause ("connection refused"): what stands around it repeats the URL.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string().trim_end_matches('.').to_lowercase();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
