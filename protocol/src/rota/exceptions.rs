//! What differs from the plan: somebody else for a while, and people who are away.

use super::local::paper;
use crate::{
    PersonId,
    callout::{Code, Tier},
};
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

/// Somebody on duty for a while, in place of somebody else or in addition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Its name; sending the same again changes nothing.
    pub id: Code,
    /// The tier; never `everyone`.
    pub tier: Tier,
    /// Only for callouts of this zone; absent: for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Code>,
    /// Who is on duty.
    pub person: PersonId,
    /// Who is not, in this tier and zone, whatever the plan says; absent: everybody stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<PersonId>,
    /// The first second, as local time.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "2026-03-08T22:00:00"))]
    pub from: DateTime,
    /// The first second after it, as local time.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "2026-03-09T06:00:00"))]
    pub until: DateTime,
}

/// Somebody who is away. They are on duty nowhere: what they would have had is a gap, unless somebody else has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Absence {
    /// Its name; sending the same again changes nothing.
    pub id: Code,
    /// Who.
    pub person: PersonId,
    /// The first second, as local time.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "2026-07-01T00:00:00"))]
    pub from: DateTime,
    /// The first second after it, as local time.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "2026-07-15T00:00:00"))]
    pub until: DateTime,
}

impl Override {
    /// On paper.
    pub(super) fn range(&self) -> (i64, i64) {
        (paper(self.from), paper(self.until))
    }

    pub(super) fn check(&self) -> Result<(), String> {
        super::check_tier(self.tier)?;
        super::check_stretch(self.from, self.until)?;
        match self.replaces == Some(self.person) {
            true => Err("replaces: somebody else.".into()),
            false => Ok(()),
        }
    }
}

impl Absence {
    /// On paper.
    pub(super) fn range(&self) -> (i64, i64) {
        (paper(self.from), paper(self.until))
    }

    pub(super) fn check(&self) -> Result<(), String> {
        super::check_stretch(self.from, self.until)
    }
}
