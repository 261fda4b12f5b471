//! The websocket `/v1/stream`: CBOR frames one by one, with a deadline for silence (protocol/docs/stream.cddl).

#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(feature = "native")]
mod native;

#[cfg(target_arch = "wasm32")]
pub use browser::Stream;
#[cfg(feature = "native")]
pub use native::Stream;

use super::TransportError;
use firstlight_protocol::{
    ErrorCode, Problem,
    stream::{Ready, ServerFrame, close_code},
};
use std::time::Duration;

/// Connecting, the upgrade and the first answer must be done within this time.
const OPEN_DEADLINE: Duration = Duration::from_secs(10);
/// The server may choose its ping interval; a client gives up on silence within these bounds whatever it says.
const SILENCE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(120));

/// Why a session on the websocket is over. Everything received before is in order and without gaps.
#[derive(Debug)]
pub enum StreamEnd {
    /// The connection broke, fell silent, or was drained: connect again and resume by cursor.
    Lost(String),
    /// The server said why: some reasons are final (a revoked device), some are not.
    Closed(Problem),
    /// The server sent what no documented server sends.
    Malformed,
}

impl StreamEnd {
    /// Whether connecting again can help.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Closed(p) if p.code == ErrorCode::DeviceRevoked)
    }
}

impl From<StreamEnd> for TransportError {
    fn from(end: StreamEnd) -> Self {
        match end {
            StreamEnd::Lost(reason) => Self::unreachable(reason),
            StreamEnd::Closed(problem) => Self::Refused(problem),
            StreamEnd::Malformed => Self::Malformed { what: "/v1/stream".into() },
        }
    }
}

/// The first answer has to be `ready`.
fn opened(first: ServerFrame) -> Result<Ready, TransportError> {
    match first {
        ServerFrame::Ready(ready) => Ok(ready),
        ServerFrame::Refused(refused) => Err(refused.problem.into()),
        ServerFrame::Closing(closing) => Err(closing.problem.into()),
        _ => Err(StreamEnd::Malformed.into()),
    }
}

/// How long a server that pings as it says may be silent.
fn silence(ready: &Ready) -> Duration {
    (Duration::from_millis(ready.ping_ms) * 2).clamp(SILENCE.0, SILENCE.1)
}

/// What a close code means where no `closing` frame came before it.
fn closed(code: Option<u16>) -> StreamEnd {
    let code = match code {
        Some(close_code::UNAUTHENTICATED) => ErrorCode::TicketInvalid,
        Some(close_code::REVOKED) => ErrorCode::DeviceRevoked,
        Some(close_code::BAD_FRAME) => ErrorCode::BadRequest,
        Some(close_code::DRAIN) => ErrorCode::Unavailable,
        _ => return StreamEnd::Lost("the connection closed".into()),
    };
    StreamEnd::Closed(code.into())
}
