//! What supervisors have to hear of that belongs to no single callout.

use crate::{CalloutId, ContactId, LineId, PersonId, callout::Tier, time::Timestamp};
use serde::{Deserialize, Serialize};

/// Something that a supervisor has to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Attention {
    /// A person's telephone has blocked our number ("STOP"): nothing by this way reaches them any more.
    ContactBlocked {
        /// Whose.
        person: PersonId,
        /// Which way.
        contact: ContactId,
    },
    /// A person's number or address does not exist (any more): nothing by this way reaches them.
    ContactInvalid {
        /// Whose.
        person: PersonId,
        /// Which way.
        contact: ContactId,
    },
    /// Too many wrong codes were tried on the duty number; it takes codes only from numbers that opened before.
    CodesTried {},
    /// Too many wrong PINs in a row were keyed; for an hour this person can't answer by telephone call.
    PinsTried {
        /// Whose.
        person: PersonId,
    },
    /// A line has opened as many callouts as it may in 24 hours, and somebody was turned away.
    LineExhausted {
        /// Which.
        line: LineId,
    },
    /// A line's code was right, and nothing could be opened: its zone or site is not in the policy (any more).
    LineUnusable {
        /// Which.
        line: LineId,
    },
    /// A text message to an officer without the app did not arrive: call them back.
    CallerUnreached {
        /// About which callout.
        callout: CalloutId,
    },
    /// Nobody will be on duty where somebody has to be, within the next 90 days; `GET /v1/rota/gaps` has all of it.
    CoverageGap {
        /// In which tier.
        tier: Tier,
        /// The first moment of the first gap that is new.
        from: Timestamp,
        /// The first moment after it.
        until: Timestamp,
        /// How many more are new.
        more: u32,
    },
}

impl Attention {
    /// The audit trail's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContactBlocked { .. } => "attention.contact_blocked",
            Self::ContactInvalid { .. } => "attention.contact_invalid",
            Self::CodesTried {} => "attention.codes_tried",
            Self::PinsTried { .. } => "attention.pins_tried",
            Self::LineExhausted { .. } => "attention.line_exhausted",
            Self::LineUnusable { .. } => "attention.line_unusable",
            Self::CallerUnreached { .. } => "attention.caller_unreached",
            Self::CoverageGap { .. } => "attention.coverage_gap",
        }
    }
}
