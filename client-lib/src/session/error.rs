//! Why something a person wanted did not happen.

use crate::{
    engine::EngineError,
    storage::{HostError, StorageError},
    transport::{InvalidServer, TransportError},
};
use firstlight_protocol::{
    ErrorCode, Problem,
    cert::{BuildError, ChainError},
    invite::InviteError,
    signed::StatementError,
    wire::Malformed,
};

/// Why something a person wanted did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The server refused, or could not be reached.
    #[error("{0}")]
    Transport(#[from] TransportError),
    /// The engine refused; nothing was changed.
    #[error("Refused by this device: {0}.")]
    Engine(#[from] EngineError),
    /// The state directory could not be read or written.
    #[error("The state directory: {0}.")]
    Storage(#[from] StorageError),
    /// Certificates do not verify.
    #[error("The certificates do not verify: {0}.")]
    Chain(#[from] ChainError),
    /// A certificate can't be made.
    #[error("The certificate can't be made: {0}.")]
    Build(#[from] BuildError),
    /// An invite, or a request made with it, is not in order.
    #[error("The invite: {0}.")]
    Invite(#[from] InviteError),
    /// A signed statement is not believed.
    #[error("The signed statement is not believed: {0}.")]
    Statement(#[from] StatementError),
    /// Not an address that this client talks to.
    #[error("{0}")]
    Server(#[from] InvalidServer),
    /// Something that was stored is not what was stored.
    #[error("The state directory is damaged: {0}.")]
    Damaged(#[from] Malformed),
    /// There is no device in this state directory yet.
    #[error("This device is not set up yet: join with an invite link, or create an organisation.")]
    NotSetUp,
    /// The device waits for an admin.
    #[error("This device waits for an admin of its organisation: it can do nothing before that.")]
    NotEnrolled,
    /// There is a device in this state directory already.
    #[error("There is a device in this state directory already: name another one with --state.")]
    AlreadySetUp,
    /// This device holds no signing key of its organisation.
    #[error("This device can't sign for its organisation: use the device that created or recovered it.")]
    NotASigner,
    /// This device does not hold its organisation's root key.
    #[error(
        "This device does not hold the root key: use the device that created the organisation, or its recovery sheet."
    )]
    NoRootKey,
    /// The system gave no random bytes.
    #[error("The system gives no random bytes.")]
    NoRandomness,
    /// A rule of this client.
    #[error("{0}")]
    Rule(Problem),
}

impl SessionError {
    /// A rule of this client, with its own sentence.
    pub fn rule(code: ErrorCode, sentence: impl Into<String>) -> Self {
        Self::Rule(Problem { title: sentence.into(), ..Problem::new(code) })
    }

    /// Whether trying again later, unchanged, may succeed.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Transport(error) if error.is_passing())
    }

    /// Whether nothing else can be done either: no server, no state directory, no access. Everything else concerns one
    /// request, and must not keep the others from being made.
    pub fn stops_everything(&self) -> bool {
        let about_one = matches!(
            self,
            Self::Transport(
                TransportError::Refused(_) | TransportError::Malformed { .. } | TransportError::TooLarge { .. }
            ) | Self::Engine(_)
                | Self::Chain(_)
                | Self::Statement(_)
                | Self::Rule(_)
        );
        !about_one || self.is_passing() || self.code() == Some(ErrorCode::DeviceRevoked)
    }

    /// The server's code, if it answered with one.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Transport(error) => error.code(),
            Self::Rule(problem) => Some(problem.code),
            _ => None,
        }
    }

    /// As problem details.
    pub fn problem(&self) -> Problem {
        let code = match self {
            Self::Transport(TransportError::Refused(problem)) | Self::Rule(problem) => return problem.clone(),
            Self::Engine(EngineError::NotAdmitted(refused)) => return Problem::from(*refused),
            Self::Transport(TransportError::Unreachable { .. }) => ErrorCode::Unavailable,
            Self::Chain(ChainError::RoleNotAdmitted) => ErrorCode::RoleNotAdmitted,
            Self::Engine(EngineError::Untrusted { why, .. }) => Problem::from(*why).code,
            Self::Chain(chain) => Problem::from(*chain).code,
            Self::Engine(EngineError::NoSuchRoom { .. }) => ErrorCode::NotAMember,
            Self::Engine(EngineError::RoomNotUsable { .. }) => ErrorCode::WrongState,
            Self::Engine(EngineError::TooLarge { .. }) => ErrorCode::TooLarge,
            Self::Storage(StorageError::WrongKey) => ErrorCode::Unauthenticated,
            Self::Engine(EngineError::NotEnrolled) | Self::NotEnrolled | Self::NotSetUp => ErrorCode::Unauthenticated,
            Self::Invite(_) => ErrorCode::InviteInvalid,
            Self::Statement(_) => ErrorCode::BadSignature,
            Self::AlreadySetUp => ErrorCode::Conflict,
            Self::NotASigner | Self::NoRootKey => ErrorCode::Forbidden,
            Self::Server(_) | Self::Build(_) => ErrorCode::InvalidValue,
            Self::Engine(_) => ErrorCode::WrongState,
            _ => ErrorCode::Internal,
        };
        Problem { title: self.to_string(), ..Problem::new(code) }
    }
}

impl From<HostError> for SessionError {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Engine(error) => error.into(),
            HostError::Storage(error) => error.into(),
        }
    }
}
