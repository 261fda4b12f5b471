//! An agency's line: how officers without an app call in, by telephone, by SMS, or through their dispatch system.

use crate::{
    ErrorCode, LineId, OrgId, PersonId, Problem,
    callout::{Code, Language, MAX_LANGUAGES},
};
use serde::{Deserialize, Serialize};

/// The most lines that a host keeps.
pub const MAX_LINES: usize = 1_000;
/// How many digits a line's code may have. Each digit fewer makes it ten times easier to guess.
pub const CODE_DIGITS: std::ops::RangeInclusive<u8> = 6..=8;
/// The most callouts that one line may be allowed to open in 24 hours.
pub const MAX_QUOTA: u16 = 1_000;
/// How many callouts a line may open in 24 hours unless something else is set.
pub const DEFAULT_QUOTA: u16 = 50;

/// An agency's line. Whoever knows its code may open callouts for the agency, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Line {
    /// Its id, chosen by the client that added it.
    pub id: LineId,
    /// The agency for which it opens callouts.
    pub agency: OrgId,
    /// The zone of its callouts, unless the officer names another one.
    pub zone: Code,
    /// The registered site of its callouts, if it stands for one (a station's desk).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub site: Option<Code>,
    /// The languages in which callers are spoken and written to, best first; at most [`MAX_LANGUAGES`]. Empty: English.
    #[serde(default)]
    pub languages: Vec<Language>,
    /// Whether it opens callouts now.
    pub active: bool,
    /// How many callouts it may open in 24 hours, 1 to [`MAX_QUOTA`].
    pub quota: u16,
}

impl Line {
    /// Who stands as the opener of its callouts: nobody's account, so nobody can sign in as it.
    pub fn opener(&self) -> PersonId {
        PersonId(self.id.0)
    }

    /// Checks the bounds that the types don't already keep.
    ///
    /// # Errors
    /// `invalid_value`, naming the field.
    pub fn validate(&self) -> Result<(), Problem> {
        let refuse = |detail: String| Err(Problem::with(ErrorCode::InvalidValue, detail));
        if self.languages.len() > MAX_LANGUAGES {
            return refuse(format!("languages: at most {MAX_LANGUAGES}."));
        }
        if !(1..=MAX_QUOTA).contains(&self.quota) {
            return refuse(format!("quota: 1 to {MAX_QUOTA}."));
        }
        Ok(())
    }
}
