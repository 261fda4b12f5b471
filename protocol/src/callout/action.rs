//! What people do with a callout.

use crate::{
    CalloutId, ErrorCode, PersonId, Problem,
    callout::MAX_WANTED,
    role::{UnknownWord, text_enum},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The longest ETA: a day.
pub const MAX_ETA_MINUTES: u16 = 24 * 60;
/// The most people one `call_more` may ask by name.
pub const MAX_ASKED: usize = 50;

text_enum!(
    /// Reason codes of the after-action record; they are counted, never written out.
    OutcomeReason {
        /// The callout came long after first contact.
        CalledLate = "called_late",
        /// The address was wrong.
        WrongAddress = "wrong_address",
        /// Nobody spoke the language.
        NoLanguageMatch = "no_language_match",
        /// It was called twice.
        Duplicate = "duplicate",
        /// Nobody accepted in time.
        Unanswered = "unanswered",
        /// The young person left before support arrived.
        LeftBeforeArrival = "left_before_arrival",
        /// The scene was not safe.
        SceneNotSafe = "scene_not_safe",
        /// Another service took over.
        OtherService = "other_service",
    }
);

text_enum!(
    /// Whether the young person took the support that was offered. Never a condition of anything.
    Support {
        /// Accepted.
        Accepted = "accepted",
        /// Declined for now.
        DeclinedForNow = "declined_for_now",
        /// Not offered, or not known.
        NotOffered = "not_offered",
    }
);

text_enum!(
    /// How the responder is afterwards.
    Welfare {
        /// Not asked yet.
        NotAsked = "not_asked",
        /// Well.
        Well = "well",
        /// Somebody should talk with them.
        FollowUp = "follow_up",
    }
);

text_enum!(
    /// Why a callout is called off.
    CancelReason {
        /// Opened by mistake.
        Mistake = "mistake",
        /// Not needed any more.
        NotNeeded = "not_needed",
        /// A test or a drill.
        Drill = "drill",
        /// The young person left before support arrived.
        LeftBeforeArrival = "left_before_arrival",
    }
);

/// One action on a callout. A repeated action id is answered as the first time, without doing anything
/// again. Who may do what stands with the engine that decides it (`firstlight-dispatch`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// "I am awake." Pauses the calls to this person for a short time; stops nothing else.
    Acknowledge,
    /// "I am going."
    Accept {
        /// Minutes from now, at most [`MAX_ETA_MINUTES`].
        eta_minutes: u16,
    },
    /// "I can't go", before or after accepting. Without a reason.
    Decline,
    /// A new ETA.
    Eta {
        /// Minutes from now, at most [`MAX_ETA_MINUTES`].
        eta_minutes: u16,
    },
    /// On the way.
    EnRoute,
    /// There.
    Arrived,
    /// With the young person.
    WithYoungPerson,
    /// Handed over to whoever follows.
    HandOver,
    /// Done.
    Close {
        /// Reason codes, each at most once.
        #[serde(default)]
        reasons: Vec<OutcomeReason>,
        /// Whether support was accepted.
        support: Support,
        /// How many kits were given.
        #[serde(default)]
        kits_given: u16,
    },
    /// Looked back on.
    Review {
        /// Further reason codes, each at most once.
        #[serde(default)]
        reasons: Vec<OutcomeReason>,
        /// How the responders are.
        welfare: Welfare,
    },
    /// Called off.
    Cancel {
        /// Why.
        reason: CancelReason,
    },
    /// A duplicate of another callout, which goes on.
    Merge {
        /// That callout.
        into: CalloutId,
    },
    /// More responders are wanted, or certain people are to be asked (again).
    CallMore {
        /// How many are wanted in all from now on: more than have accepted, at most [`MAX_WANTED`].
        wanted: u8,
        /// People to call at once, even if they had declined or were stood down; at most [`MAX_ASKED`].
        #[serde(default)]
        people: Vec<PersonId>,
    },
    /// A conflict of interest: this person is not called to this callout, or not any more, and takes no part in it. By a
    /// supervisor. What bars a person from callouts to come stands in their profile.
    Bar {
        /// Who.
        person: PersonId,
    },
}

impl Action {
    /// Checks the bounds of the action's own fields.
    ///
    /// # Errors
    /// `invalid_value`, naming the field.
    pub fn validate(&self) -> Result<(), Problem> {
        let wrong = match self {
            Self::Accept { eta_minutes } | Self::Eta { eta_minutes } if *eta_minutes > MAX_ETA_MINUTES => {
                "eta_minutes: at most a day."
            }
            Self::Close { reasons, .. } | Self::Review { reasons, .. } if repeats(reasons) => {
                "reasons: each code at most once."
            }
            Self::Close { kits_given, .. } if *kits_given > 1000 => "kits_given: at most 1000.",
            Self::CallMore { wanted, .. } if !(1..=MAX_WANTED).contains(wanted) => "wanted: 1 to 50.",
            Self::CallMore { people, .. } if people.len() > MAX_ASKED => "people: at most 50 at once.",
            _ => return Ok(()),
        };
        Err(Problem::with(ErrorCode::InvalidValue, wrong))
    }
}

fn repeats(reasons: &[OutcomeReason]) -> bool {
    reasons.len() > OutcomeReason::ALL.len() || reasons.iter().enumerate().any(|(i, r)| reasons[..i].contains(r))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_the_same_in_json_and_cbor() {
        let actions = [
            Action::Acknowledge,
            Action::Accept { eta_minutes: 35 },
            Action::Close { reasons: vec![OutcomeReason::CalledLate], support: Support::Accepted, kits_given: 1 },
            Action::Merge { into: CalloutId([9; 16]) },
            Action::CallMore { wanted: 3, people: vec![PersonId([200; 16]), PersonId([1; 16])] },
            Action::Cancel { reason: CancelReason::Mistake },
            Action::Bar { person: PersonId([200; 16]) },
        ];
        for action in actions {
            assert_eq!(crate::wire::from_cbor::<Action>(&crate::wire::to_cbor(&action)).unwrap(), action);
            let json = serde_json::to_string(&action).unwrap();
            assert_eq!(serde_json::from_str::<Action>(&json).unwrap(), action);
        }
    }

    #[test]
    fn bounds_are_kept() {
        use OutcomeReason::*;
        let close = |reasons| Action::Close { reasons, support: Support::Accepted, kits_given: 0 };
        assert!(close(vec![CalledLate, Duplicate]).validate().is_ok());
        for bad in [
            Action::Accept { eta_minutes: 1441 },
            Action::Eta { eta_minutes: u16::MAX },
            close(vec![CalledLate, CalledLate]),
            Action::CallMore { wanted: 0, people: vec![] },
            Action::CallMore { wanted: 1, people: vec![PersonId([0; 16]); 51] },
        ] {
            assert_eq!(bad.validate().unwrap_err().code, ErrorCode::InvalidValue);
        }
    }
}
