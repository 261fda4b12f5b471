//! People as they are, at night.

use crate::random::Random;
use firstlight_protocol::callout::{Action, Support, Welfare};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Wakes at once, and goes.
    Quick,
    /// Wakes at the so-many-th page.
    Sleeper(u32),
    /// Never answers.
    Ignores,
    Declines,
    /// "I am awake", and falls asleep again.
    AcknowledgesOnly,
    /// Is awake first, and goes some pages later.
    AcknowledgesFirst,
    /// Goes, and can't after all.
    Withdraws,
    /// Does anything at all, possible or not.
    Erratic,
}

impl Nature {
    pub(crate) fn any(random: &mut Random) -> Self {
        match random.between(0, 99) {
            0..22 => Self::Quick,
            22..42 => Self::Sleeper(random.between(2, 6) as u32),
            42..58 => Self::Ignores,
            58..72 => Self::Declines,
            72..78 => Self::AcknowledgesOnly,
            78..86 => Self::AcknowledgesFirst,
            86..94 => Self::Withdraws,
            _ => Self::Erratic,
        }
    }

    /// What somebody does on their `nth` page of a callout, from 1, and after how many milliseconds.
    pub(crate) fn answer(self, nth: u32, random: &mut Random) -> Option<(i64, Action)> {
        let soon = random.between(2_000, 60_000) as i64;
        let accept = Action::Accept { eta_minutes: random.between(2, 110) as u16 };
        match self {
            Self::Quick | Self::Withdraws => (nth == 1 || random.chance(30)).then_some((soon, accept)),
            Self::Sleeper(n) => (nth >= n).then_some((soon, accept)),
            Self::Ignores => None,
            Self::Declines => Some((soon, Action::Decline)),
            Self::AcknowledgesOnly => Some((soon, Action::Acknowledge)),
            Self::AcknowledgesFirst if nth < 3 => Some((soon, Action::Acknowledge)),
            Self::AcknowledgesFirst => Some((soon, accept)),
            Self::Erratic => Some((soon, anything(random))),
        }
    }

    /// What somebody who has accepted does next, and after how many milliseconds.
    pub(crate) fn goes_on(self, last: &Action, random: &mut Random) -> Option<(i64, Action)> {
        let minutes = |random: &mut Random, low: u64, high: u64| random.between(low * 60_000, high * 60_000) as i64;
        let next = match last {
            Action::Accept { .. } if self == Self::Withdraws => (minutes(random, 1, 12), Action::Decline),
            // Some say nothing more: the supervisor hears.
            _ if random.chance(15) => return None,
            Action::Accept { .. } if random.chance(10) => {
                (minutes(random, 1, 5), Action::Eta { eta_minutes: random.between(1, 60) as u16 })
            }
            Action::Accept { .. } | Action::Eta { .. } => (minutes(random, 1, 15), Action::EnRoute),
            Action::EnRoute => (minutes(random, 5, 30), Action::Arrived),
            Action::Arrived => (minutes(random, 1, 5), Action::WithYoungPerson),
            Action::WithYoungPerson => (minutes(random, 1, 10), Action::HandOver),
            Action::HandOver => {
                (minutes(random, 1, 5), Action::Close { reasons: vec![], support: Support::Accepted, kits_given: 1 })
            }
            _ => return None,
        };
        Some(next)
    }
}

fn anything(random: &mut Random) -> Action {
    match random.between(0, 7) {
        0 => Action::EnRoute,
        1 => Action::HandOver,
        2 => Action::Close { reasons: vec![], support: Support::DeclinedForNow, kits_given: 0 },
        3 => Action::Review { reasons: vec![], welfare: Welfare::Well },
        4 => Action::Eta { eta_minutes: 5 },
        5 => Action::Decline,
        6 => Action::Acknowledge,
        _ => Action::Accept { eta_minutes: 0 },
    }
}
