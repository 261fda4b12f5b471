//! The server's one error type: either a refusal that the client is told, or a defect that is logged and hidden.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use firstlight_protocol::{ErrorCode, Problem};

/// Result of everything that can be refused or can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A refusal or a failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client did something that isn't possible; it is told what.
    #[error("{0}")]
    Refused(Problem),
    /// The database failed. The client hears only that nothing was changed.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// Something that should not happen. The text names the place, never content.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// A defect; `what` names the place, never content.
    pub fn internal(what: impl std::fmt::Display) -> Self {
        Self::Internal(what.to_string())
    }

    /// What the client is told.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Refused(problem) => problem.clone(),
            Self::Database(sqlx::Error::PoolTimedOut) => Problem::new(ErrorCode::Unavailable).retry_after_ms(1_000),
            Self::Database(_) | Self::Internal(_) => Problem::new(ErrorCode::Internal),
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        Self::Refused(code.into())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let problem = self.problem();
        if !matches!(self, Self::Refused(_)) {
            tracing::error!(error = %self, "request failed");
        }
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry = problem.retry_after_ms.map(|ms| ms.div_ceil(1_000));
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
