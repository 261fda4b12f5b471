//! What an officer sends: at most six decisions, and the rest filled in by the client.

use super::code::{Code, Language, Phone};
use crate::{
    CalloutId, ErrorCode, Problem,
    role::{UnknownWord, text_enum},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// The most young people one callout may name; joint operations bring out several hundred at once (DOMAIN.md).
pub const MAX_YOUNG_PEOPLE: u16 = 500;
/// The most responders one callout may want.
pub const MAX_WANTED: u8 = 50;
/// The most languages one callout, or one responder, may name.
pub const MAX_LANGUAGES: usize = 8;
/// The most trainings that one callout may ask for.
pub const MAX_TRAINING: usize = 8;

/// How far a client's clock may run ahead before a time of first contact is refused.
const CLOCK_SKEW: Duration = Duration::from_secs(10 * 60);
/// Late calling is measured, not refused; an older time of first contact than this is a slip of the thumb.
const OLDEST_CONTACT: Duration = Duration::from_secs(30 * 24 * 3600);

text_enum!(
    /// The young people's age band: enough for staffing and protocol, too little to identify anybody.
    AgeBand {
        /// Not known yet.
        Unknown = "unknown",
        /// Under 12.
        Under12 = "under12",
        /// 12 to 14.
        Early = "early",
        /// 15 to 17.
        Late = "late",
        /// 18 and over.
        Adult = "adult",
        /// More than one band.
        Mixed = "mixed",
    }
);

text_enum!(
    /// Whom a young person would rather talk to. It orders and informs, it never keeps somebody from being paged.
    Preference {
        /// No preference, or not asked.
        Any = "any",
        /// A woman.
        Woman = "woman",
        /// A man.
        Man = "man",
    }
);

/// Not said.
impl Default for Preference {
    fn default() -> Self {
        Self::Any
    }
}

text_enum!(
    /// Why a callout was opened. Everything but a real one is marked on every surface and counts in no figure.
    Purpose {
        /// A young person waits.
        Real = "real",
        /// A drill: people are called as ever, and see that it is one.
        Drill = "drill",
        /// The server's own, through the whole pipeline: nobody is called, and nobody sees it.
        Canary = "canary",
    }
);

#[expect(clippy::derivable_impls, reason = "the enum is made by a macro")]
impl Default for Purpose {
    fn default() -> Self {
        Self::Real
    }
}

impl Purpose {
    /// Whether a young person waits.
    pub fn is_real(&self) -> bool {
        *self == Self::Real
    }
}

/// The routing fields of a callout: all that the server learns, and all that a page is decided by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Routing {
    /// The number to call the officer back on.
    pub call_back: Phone,
    /// The zone, as one of the organisation's codes.
    pub zone: Code,
    /// The registered site (a station, a hospital), as one of the organisation's codes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub site: Option<Code>,
    /// When the officer first met the young person; shows late calling.
    pub first_contact_at: Timestamp,
    /// How many young people, 1 to [`MAX_YOUNG_PEOPLE`].
    pub young_people: u16,
    /// Their age band.
    pub age_band: AgeBand,
    /// Languages to match, best first; at most [`MAX_LANGUAGES`]. Empty: any.
    #[serde(default)]
    pub languages: Vec<Language>,
    /// Whom they would rather talk to.
    pub preference: Preference,
    /// Whether the scene is safe for a responder.
    pub scene_safe: bool,
    /// Whether emergency services are needed as well.
    pub emergency_needed: bool,
    /// How many responders are wanted, 1 to [`MAX_WANTED`].
    pub wanted: u8,
    /// Training that a responder should have had, as the organisation's own codes; at most [`MAX_TRAINING`], each of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub training: Vec<Code>,
}

impl Routing {
    /// Checks every bound that the types don't already keep.
    ///
    /// # Errors
    /// `invalid_value`, naming the field.
    pub fn validate(&self, now: Timestamp) -> Result<(), Problem> {
        let refuse = |detail: String| Err(Problem::with(ErrorCode::InvalidValue, detail));
        if !(1..=MAX_YOUNG_PEOPLE).contains(&self.young_people) {
            return refuse(format!("young_people: 1 to {MAX_YOUNG_PEOPLE}."));
        }
        if !(1..=MAX_WANTED).contains(&self.wanted) {
            return refuse(format!("wanted: 1 to {MAX_WANTED}."));
        }
        if self.languages.len() > MAX_LANGUAGES {
            return refuse(format!("languages: at most {MAX_LANGUAGES}."));
        }
        if self.training.len() > MAX_TRAINING {
            return refuse(format!("training: at most {MAX_TRAINING}."));
        }
        if self.first_contact_at > now + CLOCK_SKEW || self.first_contact_at < now - OLDEST_CONTACT {
            return refuse("first_contact_at: a time within the last 30 days, in milliseconds since 1970.".into());
        }
        Ok(())
    }
}

/// The request that opens a callout. The client chooses the id, so that a retry never makes a second callout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenCallout {
    /// The callout's id.
    pub id: CalloutId,
    /// The routing fields.
    pub routing: Routing,
    /// Why it is opened: `real` or `drill`.
    #[serde(skip_serializing_if = "Purpose::is_real", default)]
    pub purpose: Purpose,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routing() -> Routing {
        Routing {
            call_back: "555-0100".parse().unwrap(),
            zone: "north".parse().unwrap(),
            site: None,
            first_contact_at: Timestamp(1_000_000),
            young_people: 1,
            age_band: AgeBand::Early,
            languages: vec!["es".parse().unwrap()],
            preference: Preference::Any,
            scene_safe: true,
            emergency_needed: false,
            wanted: 1,
            training: vec![],
        }
    }

    #[test]
    fn bounds_are_kept_and_named() {
        let now = Timestamp(1_000_000);
        assert_eq!(routing().validate(now), Ok(()));
        let cases: [(&str, Routing); 7] = [
            ("young_people", Routing { young_people: 0, ..routing() }),
            ("young_people", Routing { young_people: 501, ..routing() }),
            ("wanted", Routing { wanted: 0, ..routing() }),
            ("wanted", Routing { wanted: 51, ..routing() }),
            ("languages", Routing { languages: vec!["es".parse().unwrap(); 9], ..routing() }),
            ("training", Routing { training: vec!["t".parse().unwrap(); 9], ..routing() }),
            ("first_contact_at", Routing { first_contact_at: now + Duration::from_secs(3600), ..routing() }),
        ];
        for (field, case) in cases {
            let problem = case.validate(now).unwrap_err();
            assert_eq!(problem.code, ErrorCode::InvalidValue);
            assert!(problem.detail.unwrap().starts_with(field));
        }
    }

    #[test]
    fn the_same_in_json_and_cbor() {
        let open = OpenCallout { id: CalloutId([3; 16]), routing: routing(), purpose: Purpose::Drill };
        assert_eq!(crate::wire::from_cbor::<OpenCallout>(&crate::wire::to_cbor(&open)).unwrap(), open);
        let json = serde_json::to_string(&open).unwrap();
        assert_eq!(serde_json::from_str::<OpenCallout>(&json).unwrap(), open);
        for band in AgeBand::ALL {
            assert_eq!(serde_json::to_string(band).unwrap(), format!("\"{band}\""));
        }
    }
}
