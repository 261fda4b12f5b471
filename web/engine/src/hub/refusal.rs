//! Why a command was not carried out: a problem, wherever it comes from.

use firstlight_client::{
    engine::EngineError,
    session::SessionError,
    storage::{StorageError, indexed_db::Guard},
    transport::TransportError,
};
use firstlight_protocol::{ErrorCode, Problem, invite::InviteError};

/// An answer, or why there is none.
pub(super) type Done<T> = Result<T, Refusal>;

/// Why a command was not carried out.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) Problem);

impl Refusal {
    /// A value of the argument is not allowed.
    pub(super) fn value(sentence: &str) -> Self {
        Self(Problem::with(ErrorCode::InvalidValue, sentence))
    }
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        Self(error.problem())
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        SessionError::from(error).into()
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        SessionError::from(error).into()
    }
}

impl From<TransportError> for Refusal {
    fn from(error: TransportError) -> Self {
        SessionError::from(error).into()
    }
}

impl From<InviteError> for Refusal {
    fn from(error: InviteError) -> Self {
        SessionError::from(error).into()
    }
}

/// A failed attempt to open a store, with the wait that follows from it.
impl From<(StorageError, Guard)> for Refusal {
    fn from((error, guard): (StorageError, Guard)) -> Self {
        let wait = guard.until.since(firstlight_client::session::now());
        let throttled = matches!(error, StorageError::Throttled);
        let problem = if throttled { ErrorCode::RateLimited.into() } else { Self::from(error).0 };
        if wait.is_zero() {
            return Self(problem);
        }
        Self(problem.retry_after_ms(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }
}
