//! What can go wrong between a client and its server. No text here quotes a body, a token or a person.

use firstlight_protocol::{ErrorCode, Problem};

/// A request or a websocket session that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The server answered with a problem: it is reachable, and nothing was changed.
    #[error("{0}")]
    Refused(Problem),
    /// No answer: the name did not resolve, nothing listened, the connection broke, or the deadline passed.
    /// Whether the server acted is unknown unless the request is idempotent.
    #[error("Can't reach the server: {reason}.")]
    Unreachable {
        /// What happened, without the request.
        reason: String,
    },
    /// The answer was larger than a client accepts.
    #[error("The server's answer is larger than {limit} bytes; it was not read.")]
    TooLarge {
        /// The bound, in bytes.
        limit: usize,
    },
    /// The answer is not of the documented shape.
    #[error("The server's answer to {what} is not of the documented shape.")]
    Malformed {
        /// Method and path of the request.
        what: String,
    },
    /// The token store could not be read or written.
    #[error("The sign-in could not be stored: {0}")]
    Vault(#[from] super::VaultError),
}

impl TransportError {
    /// A connection that failed or broke.
    pub fn unreachable(reason: impl Into<String>) -> Self {
        Self::Unreachable { reason: reason.into() }
    }

    /// The server's code, if it answered with one.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(problem) => Some(problem.code),
            _ => None,
        }
    }

    /// Whether trying again later, unchanged, may succeed: no answer, or one that says so.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused(p) => matches!(
                p.code,
                ErrorCode::Unavailable | ErrorCode::RateLimited | ErrorCode::Timeout | ErrorCode::Internal
            ),
            _ => false,
        }
    }

    /// Whether another node of the same server may do better: this one gave no answer, or says that it can't.
    pub(crate) fn is_this_nodes(&self) -> bool {
        self.is_unreachable() || matches!(self.code(), Some(ErrorCode::Unavailable | ErrorCode::Timeout))
    }

    /// Whether the server could not be reached, as opposed to having refused.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

impl From<Problem> for TransportError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}
