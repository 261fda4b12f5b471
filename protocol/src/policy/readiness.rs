//! When people on duty prove that a page would reach them.

use super::Millis;
use serde::{Deserialize, Serialize};

/// The timers of readiness checks. `ahead_ms` of 0 turns them off: then nobody is tested but by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ReadinessTimers {
    /// So long before a shift its person is tested, in waking hours where that is possible; at most two days.
    pub ahead_ms: Millis,
    /// Who has not confirmed a test is tested again after this; a second silence is red on the board. 1 minute to a day.
    pub remind_every_ms: Millis,
    /// A confirmed test counts for a shift that begins within this, and for a longer duty it is due again after this;
    /// 1 hour to a week.
    pub fresh_for_ms: Millis,
}

impl Default for ReadinessTimers {
    fn default() -> Self {
        Self {
            ahead_ms: Millis::minutes(12 * 60),
            remind_every_ms: Millis::minutes(60),
            fresh_for_ms: Millis::minutes(24 * 60),
        }
    }
}

impl ReadinessTimers {
    /// Checks the bounds; the error says which one.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let (minute, day) = (Millis::minutes(1), Millis::minutes(24 * 60));
        match self {
            Self { ahead_ms, .. } if ahead_ms.0 > 2 * day.0 => Err("readiness.ahead_ms: at most two days."),
            Self { remind_every_ms, .. } if !(minute..=day).contains(remind_every_ms) => {
                Err("readiness.remind_every_ms: 1 minute to a day.")
            }
            Self { fresh_for_ms, .. } if !(Millis(60 * minute.0)..=Millis(7 * day.0)).contains(fresh_for_ms) => {
                Err("readiness.fresh_for_ms: 1 hour to a week.")
            }
            _ => Ok(()),
        }
    }
}
