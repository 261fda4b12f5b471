//! The host organisation's dispatch policy, and how each of its people is reached.

mod contact;
mod escalation;
mod matching;
mod place;
mod readiness;
mod rules;

pub use contact::{Channel, ContactMethod, ContactState, ContactStatus};
pub use escalation::{
    Escalation, MAX_OUTSIDE, MAX_OUTSIDE_KEYS, MAX_ROUNDS, MAX_STEPS, MAX_TARGETS, OutsideWebhook, Step, Target,
};
pub use matching::{Matching, NeverAlone};
pub use place::Place;
pub use readiness::ReadinessTimers;
pub use rules::{MAX_RULES, NotificationRule};

use crate::{
    ErrorCode, Problem,
    agency::{AgencyNotice, MAX_AGENCY_NOTICES},
    callout::{Code, Phone},
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap, time::Duration};

/// The shortest timer: short enough for a demonstration, long enough that a timer can't become a busy loop.
pub const MIN_TIMER: Millis = Millis(50);
/// The longest timer.
pub const MAX_TIMER: Millis = Millis::minutes(7 * 24 * 60);
/// The most zones, and the most registered sites.
pub const MAX_PLACES: usize = 1000;
/// The most ways to reach one person, the app included.
pub const MAX_CONTACT_METHODS: usize = 8;

/// A length of time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// So many seconds.
    pub const fn seconds(s: u64) -> Self {
        Self(s * 1000)
    }

    /// So many minutes.
    pub const fn minutes(m: u64) -> Self {
        Self::seconds(m * 60)
    }
}

impl From<Millis> for Duration {
    fn from(ms: Millis) -> Duration {
        Duration::from_millis(ms.0)
    }
}

/// How a host organisation dispatches. Every timer can be changed; the defaults are DOMAIN.md's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The number to call when nobody has accepted, or when nothing works. Required: it is the last resort.
    pub duty_number: Phone,
    /// Whether a responder keys a PIN in before a telephone call takes their answer.
    #[serde(default)]
    pub voice_pin: bool,
    /// The timers.
    #[serde(default)]
    pub timers: Timers,
    /// How many timed calls make one person's turn, 1 to 100. When their turn is over they are called only by the slow
    /// rounds that begin when everyone has been called.
    #[serde(default = "default_calls")]
    pub calls_per_turn: u16,
    /// The registered zones. While the list is empty, every well-formed code is accepted.
    #[serde(default)]
    pub zones: Vec<Code>,
    /// The registered sites. While the list is empty, every well-formed code is accepted.
    #[serde(default)]
    pub sites: Vec<Code>,
    /// What zones and sites are called, by their codes, and in which zone a site lies. It changes no paging.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub places: BTreeMap<Code, Place>,
    /// Who is called after whom. Absent: primary, backup, supervisor, everyone, at the times of `timers`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub escalation: Option<Escalation>,
    /// Who is called after whom in zones that have their own order.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub zone_escalations: BTreeMap<Code, Escalation>,
    /// Outside webhooks that escalations may tell, by a code of the organisation's own; at most [`MAX_OUTSIDE`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub outside: BTreeMap<Code, OutsideWebhook>,
    /// How long a language, a preference, a training and a zone hold others back.
    #[serde(default)]
    pub matching: Matching,
    /// Whether at least two go.
    #[serde(default)]
    pub never_alone: NeverAlone,
    /// When people on duty prove that a page would reach them.
    #[serde(default)]
    pub readiness: ReadinessTimers,
    /// Which other agencies hear of a callout, in parallel; at most [`MAX_AGENCY_NOTICES`].
    #[serde(default)]
    pub agency_notices: Vec<AgencyNotice>,
}

/// The timers of a [`Policy`], each between [`MIN_TIMER`] and [`MAX_TIMER`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Timers {
    /// A person who does not answer is called again after this, on the next channel.
    pub repeat_every_ms: Millis,
    /// The backups are called this long after the first page.
    pub backup_after_ms: Millis,
    /// The supervisors are called this long after the first page; later than the backups.
    pub supervisor_after_ms: Millis,
    /// Everyone qualified is called this long after the first page, and the officer is told; later than the supervisors.
    pub everyone_after_ms: Millis,
    /// From then on everybody who has not answered is called again this often, until somebody accepts.
    pub slow_repeat_ms: Millis,
    /// Somebody who is awake has this long to accept before the calls resume.
    pub acknowledge_grace_ms: Millis,
    /// A channel that has not taken a page after this is passed over: the next one is used at once.
    pub channel_stall_ms: Millis,
    /// Somebody should be on scene this long after the callout was opened.
    pub target_on_scene_ms: Millis,
    /// A closed callout should be reviewed within this.
    pub review_within_ms: Millis,
    /// Callouts of one agency for one place within this are likely duplicates.
    pub duplicate_window_ms: Millis,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            repeat_every_ms: Millis::seconds(60),
            backup_after_ms: Millis::minutes(3),
            supervisor_after_ms: Millis::minutes(6),
            everyone_after_ms: Millis::minutes(10),
            slow_repeat_ms: Millis::minutes(3),
            acknowledge_grace_ms: Millis::minutes(2),
            channel_stall_ms: Millis::seconds(15),
            target_on_scene_ms: Millis::minutes(60),
            review_within_ms: Millis::minutes(24 * 60),
            duplicate_window_ms: Millis::minutes(30),
        }
    }
}

fn default_calls() -> u16 {
    10
}

impl Policy {
    /// The default policy with this duty number.
    pub fn new(duty_number: Phone) -> Self {
        Self {
            duty_number,
            voice_pin: false,
            timers: Timers::default(),
            calls_per_turn: default_calls(),
            zones: Vec::new(),
            sites: Vec::new(),
            places: BTreeMap::new(),
            escalation: None,
            zone_escalations: BTreeMap::new(),
            outside: BTreeMap::new(),
            matching: Matching::default(),
            never_alone: NeverAlone::default(),
            readiness: ReadinessTimers::default(),
            agency_notices: Vec::new(),
        }
    }

    /// Who is called after whom in a zone.
    pub fn escalation_of(&self, zone: &Code) -> Cow<'_, Escalation> {
        match self.zone_escalations.get(zone).or(self.escalation.as_ref()) {
            Some(escalation) => Cow::Borrowed(escalation),
            None => Cow::Owned(Escalation::of(&self.timers)),
        }
    }

    /// The same without keys: what may be shown.
    #[must_use]
    pub fn without_keys(mut self) -> Self {
        self.outside.values_mut().for_each(|outside| outside.keys.clear());
        self
    }

    /// The same without what is the host's own affair: what police need to open a callout.
    #[must_use]
    pub fn for_police(self) -> Self {
        Self {
            escalation: None,
            zone_escalations: BTreeMap::new(),
            outside: BTreeMap::new(),
            agency_notices: Vec::new(),
            ..self
        }
    }

    /// An outside webhook without a key: it could not be signed.
    pub fn keyless(&self) -> Option<&Code> {
        self.outside.iter().find(|(_, outside)| outside.keys.is_empty()).map(|(code, _)| code)
    }

    /// Takes over the keys of outside webhooks that this one leaves out.
    pub fn keep_keys(&mut self, before: &Self) {
        for (code, outside) in self.outside.iter_mut().filter(|(_, outside)| outside.keys.is_empty()) {
            outside.keys = before.outside.get(code).map(|known| known.keys.clone()).unwrap_or_default();
        }
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// `invalid_value`, naming the field.
    pub fn validate(&self) -> Result<(), Problem> {
        let refuse = |detail: String| Err(Problem::with(ErrorCode::InvalidValue, detail));
        let t = &self.timers;
        for (name, value) in [
            ("repeat_every_ms", t.repeat_every_ms),
            ("backup_after_ms", t.backup_after_ms),
            ("supervisor_after_ms", t.supervisor_after_ms),
            ("everyone_after_ms", t.everyone_after_ms),
            ("slow_repeat_ms", t.slow_repeat_ms),
            ("acknowledge_grace_ms", t.acknowledge_grace_ms),
            ("channel_stall_ms", t.channel_stall_ms),
            ("target_on_scene_ms", t.target_on_scene_ms),
            ("review_within_ms", t.review_within_ms),
            ("duplicate_window_ms", t.duplicate_window_ms),
        ] {
            if !(MIN_TIMER..=MAX_TIMER).contains(&value) {
                return refuse(format!("timers.{name}: {} to {} milliseconds.", MIN_TIMER.0, MAX_TIMER.0));
            }
        }
        if !(t.backup_after_ms < t.supervisor_after_ms && t.supervisor_after_ms < t.everyone_after_ms) {
            return refuse("timers: backup_after_ms < supervisor_after_ms < everyone_after_ms.".into());
        }
        if !(1..=100).contains(&self.calls_per_turn) {
            return refuse("calls_per_turn: 1 to 100.".into());
        }
        if self.zones.len() > MAX_PLACES || self.sites.len() > MAX_PLACES {
            return refuse(format!("zones, sites: at most {MAX_PLACES} each."));
        }
        if self.places.len() > 2 * MAX_PLACES {
            return refuse(format!("places: at most {}.", 2 * MAX_PLACES));
        }
        for (code, place) in &self.places {
            if let Err(wrong) = place.check() {
                return refuse(format!("places.{code}: {wrong}"));
            }
            if place.zone.as_ref().is_some_and(|zone| !self.knows_place(zone, None)) {
                return refuse(format!("places.{code}.zone: a registered zone."));
            }
        }
        if self.agency_notices.len() > MAX_AGENCY_NOTICES {
            return refuse(format!("agency_notices: at most {MAX_AGENCY_NOTICES}."));
        }
        self.agency_notices.iter().try_for_each(AgencyNotice::validate)?;
        if self.outside.len() > MAX_OUTSIDE || self.zone_escalations.len() > MAX_PLACES {
            return refuse(format!("outside: at most {MAX_OUTSIDE}; zone_escalations: at most {MAX_PLACES}."));
        }
        for (code, outside) in &self.outside {
            if let Err(wrong) = outside.check() {
                return refuse(format!("outside.{code}: {wrong}"));
            }
        }
        let known = |code: &Code| self.outside.contains_key(code);
        let general = self.escalation.iter().map(|escalation| ("escalation".to_owned(), escalation));
        let zones = self.zone_escalations.iter().map(|(zone, e)| (format!("zone_escalations.{zone}"), e));
        for (name, escalation) in general.chain(zones) {
            if let Err(wrong) = escalation.check(known) {
                return refuse(format!("{name}: {wrong}"));
            }
        }
        if let Some(zone) = self.zone_escalations.keys().find(|zone| !self.knows_place(zone, None)) {
            return refuse(format!("zone_escalations.{zone}: a registered zone."));
        }
        self.matching.check().or_else(refuse)?;
        self.readiness.check().or_else(|wrong| refuse(wrong.into()))
    }

    /// Whether the organisation knows this place.
    pub fn knows_place(&self, zone: &Code, site: Option<&Code>) -> bool {
        let knows = |list: &[Code], code: &Code| list.is_empty() || list.contains(code);
        knows(&self.zones, zone) && site.is_none_or(|site| knows(&self.sites, site))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy::new("555-0100".parse().unwrap())
    }

    #[test]
    fn defaults_are_valid_and_need_only_the_duty_number() {
        assert_eq!(policy().validate(), Ok(()));
        assert_eq!(serde_json::from_str::<Policy>(r#"{"duty_number":"555-0100"}"#).unwrap(), policy());
        let some = r#"{"duty_number":"555-0100","timers":{"backup_after_ms":2000}}"#;
        assert_eq!(serde_json::from_str::<Policy>(some).unwrap().timers.backup_after_ms, Millis(2000));
    }

    #[test]
    fn out_of_bounds_is_named() {
        let mut busy = policy();
        busy.timers.repeat_every_ms = Millis(1);
        assert!(busy.validate().unwrap_err().detail.unwrap().contains("repeat_every_ms"));
        let mut backwards = policy();
        backwards.timers.backup_after_ms = backwards.timers.supervisor_after_ms;
        assert!(backwards.validate().is_err());
        let endless = Policy { calls_per_turn: 101, ..policy() };
        assert!(endless.validate().is_err());
    }

    #[test]
    fn places_are_checked_once_registered() {
        let (north, south): (Code, Code) = ("north".parse().unwrap(), "south".parse().unwrap());
        assert!(policy().knows_place(&north, Some(&south)));
        let registered = Policy { zones: vec![north.clone()], ..policy() };
        assert!(registered.knows_place(&north, Some(&south)));
        assert!(!registered.knows_place(&south, None));
    }

    #[test]
    fn a_place_has_a_name_that_can_be_read_and_a_zone_that_is_known() {
        let named = |place: &str| {
            let text = format!(r#"{{"duty_number":"555-0100","zones":["north"],"places":{{"station-1":{place}}}}}"#);
            serde_json::from_str::<Policy>(&text).unwrap().validate()
        };
        assert_eq!(named(r#"{"name":"Central Station","zone":"north"}"#), Ok(()));
        assert!(named(r#"{"name":" "}"#).unwrap_err().detail.unwrap().contains("places.station-1"));
        assert!(named(r#"{"zone":"south"}"#).is_err());
    }

    #[test]
    fn police_do_not_see_which_other_agencies_are_notified() {
        let notice = AgencyNotice::new(crate::OrgId([1; 16]));
        let notified = Policy { agency_notices: vec![notice], ..policy() };
        assert_eq!(notified.validate(), Ok(()));
        assert!(notified.for_police().agency_notices.is_empty());
    }
}
