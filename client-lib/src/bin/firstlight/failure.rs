//! Why a command did not do what was asked, and the exit code that says so to a program.

use firstlight_client::{session::SessionError, transport::TransportError};
use firstlight_protocol::{ErrorCode, Problem};

/// A command that failed. The text is for people; the code and the exit code are for programs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    /// The command line asks for something that does not exist or is not complete. Exit code 2.
    Usage(String),
    /// The server, or a rule of the client, said no; or this machine could not do it. Exit code 1.
    Refused(Problem),
    /// The server could not be reached. Exit code 3.
    Unreachable(String),
    /// The callout is paging, and what should have followed did not. Exit code 4.
    Partly(Problem),
}

impl Failure {
    /// A failure of this machine, with its own sentence.
    pub(crate) fn local(code: ErrorCode, sentence: impl Into<String>) -> Self {
        Self::Refused(Problem { title: sentence.into(), ..Problem::new(code) })
    }

    /// Something that is not there.
    pub(crate) fn missing(sentence: impl Into<String>) -> Self {
        Self::local(ErrorCode::NotFound, sentence)
    }

    /// What the process exits with.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
            Self::Partly(_) => 4,
        }
    }

    /// As problem details, for `--json`.
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Refused(problem) | Self::Partly(problem) => problem.clone(),
            Self::Usage(sentence) => Problem { title: sentence.clone(), ..Problem::new(ErrorCode::InvalidValue) },
            Self::Unreachable(sentence) => Problem { title: sentence.clone(), ..Problem::new(ErrorCode::Unavailable) },
        }
    }

    /// As one plain sentence with its code.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Refused(problem) | Self::Partly(problem) => problem.to_string(),
            Self::Usage(sentence) | Self::Unreachable(sentence) => sentence.clone(),
        }
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Refused(problem) => Self::Refused(problem),
            TransportError::Unreachable { .. } => Self::Unreachable(error.to_string()),
            TransportError::TooLarge { .. } | TransportError::Malformed { .. } => {
                Self::local(ErrorCode::Internal, error.to_string())
            }
            TransportError::Vault(_) => Self::local(ErrorCode::Internal, error.to_string()),
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Transport(error) => error.into(),
            other => Self::Refused(other.problem()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_exit_code_and_a_problem() {
        let refused: Failure = TransportError::Refused(Problem::new(ErrorCode::Forbidden)).into();
        assert_eq!(refused.exit_code(), 1);
        assert_eq!(refused.sentence(), "Your role may not do this. [forbidden]");
        let lost: Failure = TransportError::unreachable("connection refused").into();
        assert_eq!((lost.exit_code(), lost.problem().code), (3, ErrorCode::Unavailable));
        assert_eq!(lost.problem().title, "Can't reach the server: connection refused.");
        assert_eq!(Failure::Usage("x".into()).exit_code(), 2);
        assert_eq!(Failure::Partly(Problem::new(ErrorCode::Internal)).exit_code(), 4);
    }
}
