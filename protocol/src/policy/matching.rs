//! Who is asked first, who else if nobody fits, and whether anybody goes alone.

use super::{MAX_TIMER, Millis};
use crate::{
    callout::Constraint,
    role::{UnknownWord, text_enum},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How long a wish about the responder holds others of the same step back.
///
/// Within a step those who meet every wish that still holds are called first. A wish stops holding so long after the step
/// began; at once when nobody of the step who could still answer meets it; and when the next step begins. The last step
/// holds nobody back. So a wish never delays a step's first page, nor any step. 0: it orders, and holds nobody back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Matching {
    /// Speaks one of the languages.
    pub relax_language_after_ms: Millis,
    /// Is whom the young person would rather talk to.
    pub relax_preference_after_ms: Millis,
    /// Has had the training.
    pub relax_training_after_ms: Millis,
    /// Serves the zone.
    pub relax_zone_after_ms: Millis,
}

impl Default for Matching {
    fn default() -> Self {
        Self {
            relax_language_after_ms: Millis::seconds(90),
            relax_preference_after_ms: Millis::seconds(60),
            relax_training_after_ms: Millis::seconds(60),
            relax_zone_after_ms: Millis::seconds(30),
        }
    }
}

impl Matching {
    /// Orders alone, and holds nobody back.
    pub fn none() -> Self {
        Self {
            relax_language_after_ms: Millis(0),
            relax_preference_after_ms: Millis(0),
            relax_training_after_ms: Millis(0),
            relax_zone_after_ms: Millis(0),
        }
    }

    /// How long a wish holds.
    pub fn relax_after(&self, constraint: Constraint) -> Millis {
        match constraint {
            Constraint::Language => self.relax_language_after_ms,
            Constraint::Preference => self.relax_preference_after_ms,
            Constraint::Training => self.relax_training_after_ms,
            Constraint::Zone => self.relax_zone_after_ms,
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        match Constraint::ALL.iter().find(|c| self.relax_after(**c) > MAX_TIMER) {
            Some(c) => Err(format!("matching.relax_{c}_after_ms: 0 to {} milliseconds.", MAX_TIMER.0)),
            None => Ok(()),
        }
    }
}

text_enum!(
    /// When at least two go.
    NeverAlone {
        /// As many as the officer asks for.
        Never = "never",
        /// Two at least, where the scene is not confirmed safe.
        UnsafeScene = "unsafe_scene",
        /// Two at least.
        Always = "always",
    }
);

#[expect(clippy::derivable_impls, reason = "the enum is made by a macro")]
impl Default for NeverAlone {
    fn default() -> Self {
        Self::Never
    }
}

impl NeverAlone {
    /// Whether nobody goes to this scene alone.
    pub fn applies(self, scene_safe: bool) -> bool {
        match self {
            Self::Never => false,
            Self::UnsafeScene => !scene_safe,
            Self::Always => true,
        }
    }
}
