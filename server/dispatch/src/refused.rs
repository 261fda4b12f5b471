//! Why the engine refuses an input. Nothing has changed then.

use firstlight_protocol::{ErrorCode, Problem, callout::CalloutState};

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// This person may not do this to this callout.
    #[error("the role or the part in this callout does not allow it")]
    Forbidden,
    /// Not in this state.
    #[error("not possible while the callout is {0}")]
    WrongState(CalloutState),
    /// As many have accepted as are wanted.
    #[error("enough responders have accepted")]
    AlreadyFilled,
    /// The id was used for something else.
    #[error("the id is in use with other content")]
    Conflict,
    /// A value is out of bounds.
    #[error("{0}")]
    Invalid(Box<Problem>),
}

impl Refused {
    pub(crate) fn invalid(detail: &str) -> Self {
        Self::from(Problem::with(ErrorCode::InvalidValue, detail))
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Invalid(Box::new(problem))
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Forbidden => Problem::new(ErrorCode::Forbidden),
            Refused::WrongState(state) => Problem::with(
                ErrorCode::WrongState,
                format!("The callout is {state}, or your part in it has moved on."),
            ),
            Refused::AlreadyFilled => Problem::new(ErrorCode::AlreadyFilled),
            Refused::Conflict => Problem::new(ErrorCode::Conflict),
            Refused::Invalid(problem) => *problem,
        }
    }
}
