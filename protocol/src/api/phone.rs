//! Agencies' lines, keys of their dispatch systems, and what those systems send and get.

use crate::{
    CalloutId, ErrorCode, IntakeKeyId, LineId, OrgId, Problem, Secret, Timestamp,
    callout::{AgeBand, CalloutState, CancelReason, Code, Language, Phone, Preference, Routing},
    line::{CODE_DIGITS, DEFAULT_QUOTA, Line},
    role::{UnknownWord, text_enum},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The longest life of an intake key, in days.
pub const MAX_KEY_DAYS: u16 = 730;
/// The most live keys of one line.
pub const MAX_KEYS_PER_LINE: usize = 20;
/// How many digits a PIN has.
pub const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=8;

/// `POST /v1/lines`: adds an agency's line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddLine {
    /// Chosen by the client; the same request again adds nothing.
    pub id: LineId,
    /// The agency for which it opens callouts: a partner of the host, or the host itself.
    pub agency: OrgId,
    /// How many digits its code has, 6 to 8.
    #[serde(default = "default_digits")]
    pub code_digits: u8,
    /// What can be changed later.
    #[serde(flatten)]
    pub settings: LineSettings,
}

/// `PUT /v1/lines/{line}`: what of a line can be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LineSettings {
    /// The zone of its callouts, unless the officer names another one.
    pub zone: Code,
    /// The registered site of its callouts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub site: Option<Code>,
    /// The languages in which callers are spoken and written to, best first.
    #[serde(default)]
    pub languages: Vec<Language>,
    /// Whether it opens callouts.
    #[serde(default = "yes")]
    pub active: bool,
    /// How many callouts it may open in 24 hours.
    #[serde(default = "default_quota")]
    pub quota: u16,
}

fn default_digits() -> u8 {
    *CODE_DIGITS.end()
}

fn default_quota() -> u16 {
    DEFAULT_QUOTA
}

fn yes() -> bool {
    true
}

/// Answer to `POST /v1/lines` and `POST /v1/lines/{line}/code`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LineAdded {
    /// The line.
    pub line: Line,
    /// Its code, this once: the server keeps a keyed digest alone. Absent when the same request came again; a lost code is
    /// replaced, never shown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Secret>,
}

text_enum!(
    /// What an intake key may do, for the callouts of its own line alone.
    IntakeScope {
        /// Open callouts.
        Open = "open",
        /// See what police may see of them.
        Read = "read",
        /// Call them off.
        Cancel = "cancel",
    }
);

/// `POST /v1/lines/{line}/keys`: makes a key for an agency's dispatch system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddIntakeKey {
    /// Chosen by the client; the same request again makes nothing.
    pub id: IntakeKeyId,
    /// What it may do; at least one.
    pub scopes: Vec<IntakeScope>,
    /// When it ends, at most two years from now.
    pub expires_at: Timestamp,
}

/// An intake key as it is listed: never the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IntakeKeyView {
    /// Its id.
    pub id: IntakeKeyId,
    /// The line for which it speaks.
    pub line: LineId,
    /// What it may do.
    pub scopes: Vec<IntakeScope>,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to within a minute.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_used_at: Option<Timestamp>,
}

/// Answer to `POST /v1/lines/{line}/keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IntakeKeyAdded {
    /// The key as it is listed.
    pub key: IntakeKeyView,
    /// The key itself, this once: the server keeps its digest alone. Absent when the same request came again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secret: Option<Secret>,
}

/// `PUT /v1/people/{person}/pin`: what the person keys in before a telephone call takes their answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetPin {
    /// 4 to 8 digits, not all the same and not counting up or down; absent: the person has none any more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pin: Option<Secret>,
}

/// `POST /v1/intake/callouts`: a dispatch system opens a callout. Codes and numbers alone: no name, no address, no case
/// narrative fits in, and unknown fields are refused. What is left out takes the line's or the careful value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct IntakeCallout {
    /// The number to call the officer back on.
    pub call_back: Phone,
    /// The zone; otherwise the line's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zone: Option<Code>,
    /// The registered site; otherwise, where the zone is the line's too, the line's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub site: Option<Code>,
    /// When the officer first met the young person; otherwise now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_contact_at: Option<Timestamp>,
    /// How many young people; otherwise 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub young_people: Option<u16>,
    /// Their age band; otherwise unknown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub age_band: Option<AgeBand>,
    /// Languages to match, best first.
    #[serde(default)]
    pub languages: Vec<Language>,
    /// Whom they would rather talk to; otherwise any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub preference: Option<Preference>,
    /// Whether the scene is safe for a responder; otherwise it counts as not known to be safe.
    #[serde(default)]
    pub scene_safe: bool,
    /// Whether emergency services are needed as well.
    #[serde(default)]
    pub emergency_needed: bool,
    /// How many responders are wanted; otherwise 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub wanted: Option<u8>,
    /// Whether SMS to the call-back number tell of acceptance and arrival.
    #[serde(default)]
    pub text_caller: bool,
}

impl IntakeCallout {
    /// With no more than a call-back number: what a telephone call or an SMS says.
    pub fn new(call_back: Phone) -> Self {
        Self {
            call_back,
            zone: None,
            site: None,
            first_contact_at: None,
            young_people: None,
            age_band: None,
            languages: Vec::new(),
            preference: None,
            scene_safe: false,
            emergency_needed: false,
            wanted: None,
            text_caller: true,
        }
    }

    /// The routing fields, with the line's values for what is left out.
    ///
    /// # Errors
    /// `invalid_value`, naming the field.
    pub fn routing(&self, line: &Line, now: Timestamp) -> Result<Routing, Problem> {
        let elsewhere = self.zone.as_ref().is_some_and(|zone| *zone != line.zone);
        let routing = Routing {
            call_back: self.call_back.clone(),
            zone: self.zone.clone().unwrap_or_else(|| line.zone.clone()),
            site: self.site.clone().or_else(|| line.site.clone().filter(|_| !elsewhere)),
            first_contact_at: self.first_contact_at.unwrap_or(now),
            young_people: self.young_people.unwrap_or(1),
            age_band: self.age_band.unwrap_or(AgeBand::Unknown),
            languages: self.languages.clone(),
            preference: self.preference.unwrap_or(Preference::Any),
            scene_safe: self.scene_safe,
            emergency_needed: self.emergency_needed,
            wanted: self.wanted.unwrap_or(1),
            training: Vec::new(),
        };
        routing.validate(now)?;
        Ok(routing)
    }
}

/// `POST /v1/intake/callouts/{callout}/cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct IntakeCancel {
    /// Why.
    pub reason: CancelReason,
}

/// What a dispatch system sees of a callout of its line: what police may see, and of the responders no more than that
/// they come, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IntakeStatus {
    /// The callout.
    pub id: CalloutId,
    /// What people say on the telephone: the end of the id.
    pub reference: String,
    /// Rises with every change.
    pub revision: u64,
    /// Its state.
    pub state: CalloutState,
    /// When the server received it.
    pub opened_at: Timestamp,
    /// How many responders are wanted.
    pub wanted: u8,
    /// How many have accepted.
    pub accepted: u8,
    /// When the first of them expects to be there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub eta_at: Option<Timestamp>,
    /// The number to call when nobody has accepted.
    pub duty_number: Phone,
}

impl AddIntakeKey {
    /// Checks its bounds.
    ///
    /// # Errors
    /// `invalid_value`, naming the field.
    pub fn validate(&self, now: Timestamp) -> Result<(), Problem> {
        let refuse = |detail: String| Err(Problem::with(ErrorCode::InvalidValue, detail));
        let once = (1..=IntakeScope::ALL.len()).contains(&self.scopes.len())
            && self.scopes.iter().enumerate().all(|(i, scope)| !self.scopes[..i].contains(scope));
        if !once {
            return refuse("scopes: at least one of open, read, cancel, each at most once.".into());
        }
        let longest = now + std::time::Duration::from_secs(u64::from(MAX_KEY_DAYS) * 86_400);
        if self.expires_at <= now || self.expires_at > longest {
            return refuse(format!("expires_at: a time within the next {MAX_KEY_DAYS} days."));
        }
        Ok(())
    }
}

impl SetPin {
    /// Checks the PIN's shape: what everybody tries first is refused.
    ///
    /// # Errors
    /// `invalid_value`.
    pub fn validate(&self) -> Result<(), Problem> {
        let Some(pin) = &self.pin else { return Ok(()) };
        let digits = pin.reveal().as_bytes();
        let shaped = PIN_DIGITS.contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
        let runs = |step: i16| digits.windows(2).all(|pair| i16::from(pair[1]) - i16::from(pair[0]) == step);
        if !shaped || [0, 1, -1].into_iter().any(runs) {
            let detail = "pin: 4 to 8 digits, not all the same and not counting up or down.";
            return Err(Problem::with(ErrorCode::InvalidValue, detail));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callout::{MAX_WANTED, MAX_YOUNG_PEOPLE};

    fn line() -> Line {
        Line {
            id: LineId([1; 16]),
            agency: OrgId([2; 16]),
            zone: "north".parse().unwrap(),
            site: Some("station-1".parse().unwrap()),
            languages: Vec::new(),
            active: true,
            quota: DEFAULT_QUOTA,
        }
    }

    #[test]
    fn what_is_left_out_is_the_lines_or_the_careful_value() {
        let now = Timestamp(1_000_000);
        let least: IntakeCallout = serde_json::from_str(r#"{"call_back":"555-0100"}"#).unwrap();
        let routing = least.routing(&line(), now).unwrap();
        assert_eq!((routing.zone, routing.site), (line().zone, line().site));
        assert_eq!((routing.scene_safe, routing.young_people, routing.wanted), (false, 1, 1));
        let elsewhere = IntakeCallout { zone: Some("south".parse().unwrap()), ..least.clone() };
        assert_eq!(elsewhere.routing(&line(), now).unwrap().site, None, "the line's site lies in the line's zone");
        let many = IntakeCallout { young_people: Some(MAX_YOUNG_PEOPLE + 1), ..least.clone() };
        assert!(many.routing(&line(), now).is_err());
        assert!(IntakeCallout { wanted: Some(MAX_WANTED + 1), ..least }.routing(&line(), now).is_err());
        assert!(serde_json::from_str::<IntakeCallout>(r#"{"call_back":"555-0100","name":"x"}"#).is_err());
    }

    #[test]
    fn a_line_reads_flat() {
        let text = format!(r#"{{"id":"{}","agency":"{}","zone":"north"}}"#, LineId([1; 16]), OrgId([2; 16]));
        let add: AddLine = serde_json::from_str(&text).unwrap();
        assert_eq!((add.code_digits, add.settings.quota, add.settings.active), (8, DEFAULT_QUOTA, true));
        let more = text.replace("north\"", "north\",\"name\":\"x\"");
        assert!(serde_json::from_str::<AddLine>(&more).is_err());
    }

    #[test]
    fn a_pin_that_everybody_tries_first_is_refused() {
        let pin = |text: &str| SetPin { pin: Some(Secret::new(text)) }.validate();
        for good in ["4071", "12340", "90210735"] {
            assert_eq!(pin(good), Ok(()), "{good}");
        }
        for bad in ["", "407", "407135790", "1111", "1234", "9876", "40a1", "٤٠٧١"] {
            assert!(pin(bad).is_err(), "{bad}");
        }
        assert_eq!(SetPin { pin: None }.validate(), Ok(()));
    }

    #[test]
    fn a_key_has_scopes_and_an_end() {
        let now = Timestamp(0);
        let key = |scopes: &[IntakeScope], days: u64| {
            let expires_at = now + std::time::Duration::from_secs(days * 86_400);
            AddIntakeKey { id: IntakeKeyId([1; 16]), scopes: scopes.to_vec(), expires_at }.validate(now)
        };
        assert_eq!(key(&[IntakeScope::Open, IntakeScope::Read], 365), Ok(()));
        assert!(key(&[], 365).is_err());
        assert!(key(&[IntakeScope::Open, IntakeScope::Open], 365).is_err());
        assert!(key(&[IntakeScope::Open], 0).is_err());
        assert!(key(&[IntakeScope::Open], 731).is_err());
    }
}
