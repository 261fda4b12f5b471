//! Other agencies (child welfare, probation) hear of a callout in parallel, each with its own acknowledgement and its own
//! escalation; their silence never delays the advocate (DOMAIN.md, "Timers"). They see their own notice, whether it is
//! acknowledged, and nothing else of the callout.

use crate::{
    CalloutId, ErrorCode, OrgId, PageId, PersonId, Problem, Role, Timestamp,
    callout::{AgeBand, Code, FailReason, Routing},
    policy::{Channel, MAX_TIMER, MIN_TIMER, Millis},
};
use serde::{Deserialize, Serialize};

/// The most rules in one policy.
pub const MAX_AGENCY_NOTICES: usize = 50;
/// The most people named in one rule, and the most who are notified in one agency about one callout.
pub const MAX_NOTIFIED: usize = 50;
/// The most zones named in one rule.
const MAX_ZONES: usize = 100;

/// Whether somebody in this role of an agency hears of callouts, without being named.
pub fn takes_notices(role: Role) -> bool {
    matches!(role, Role::ChildWelfareWorker | Role::ProbationOfficer)
}

/// A rule of the policy: which agency hears of which callouts, who there, and what happens while nobody answers. Of
/// several rules for one agency, the first that covers a callout counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AgencyNotice {
    /// The agency: a partner of the host's.
    pub agency: OrgId,
    /// Only for callouts in these zones; empty: in all.
    #[serde(default)]
    pub zones: Vec<Code>,
    /// Only for these age bands; empty: for all.
    #[serde(default)]
    pub age_bands: Vec<AgeBand>,
    /// Who hears first, in this order: the first at once, one more with each reminder. Empty: at once everybody there
    /// who [`takes_notices`].
    #[serde(default)]
    pub people: Vec<PersonId>,
    /// Whoever was notified hears again this often, each time on their next channel.
    #[serde(default = "remind_every")]
    pub remind_every_ms: Millis,
    /// This long after the first notice, everybody there who [`takes_notices`] hears as well.
    #[serde(default = "escalate_after")]
    pub escalate_after_ms: Millis,
    /// This long after the first notice, the host's supervisors hear that the agency is silent; later than the
    /// escalation. The reminders go on, slowly, and come to an end.
    #[serde(default = "give_up_alarm_after")]
    pub give_up_alarm_after_ms: Millis,
    /// Whether the agency takes part in drills; its notices are then marked as one.
    #[serde(default)]
    pub drills: bool,
}

fn remind_every() -> Millis {
    Millis::minutes(5)
}

fn escalate_after() -> Millis {
    Millis::minutes(15)
}

fn give_up_alarm_after() -> Millis {
    Millis::minutes(30)
}

impl AgencyNotice {
    /// The default timers, for every callout, to everybody in the agency who takes notices.
    pub fn new(agency: OrgId) -> Self {
        Self {
            agency,
            zones: Vec::new(),
            age_bands: Vec::new(),
            people: Vec::new(),
            remind_every_ms: remind_every(),
            escalate_after_ms: escalate_after(),
            give_up_alarm_after_ms: give_up_alarm_after(),
            drills: false,
        }
    }

    /// Whether the agency hears of this callout.
    pub fn covers(&self, routing: &Routing) -> bool {
        (self.zones.is_empty() || self.zones.contains(&routing.zone))
            && (self.age_bands.is_empty() || self.age_bands.contains(&routing.age_band))
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// `invalid_value`, naming the field.
    pub fn validate(&self) -> Result<(), Problem> {
        let refuse = |detail: String| Err(Problem::with(ErrorCode::InvalidValue, format!("agency_notices.{detail}")));
        for (field, value) in [
            ("remind_every_ms", self.remind_every_ms),
            ("escalate_after_ms", self.escalate_after_ms),
            ("give_up_alarm_after_ms", self.give_up_alarm_after_ms),
        ] {
            if !(MIN_TIMER..=MAX_TIMER).contains(&value) {
                return refuse(format!("{field}: {} to {} milliseconds.", MIN_TIMER.0, MAX_TIMER.0));
            }
        }
        if self.escalate_after_ms >= self.give_up_alarm_after_ms {
            return refuse("escalate_after_ms: less than give_up_alarm_after_ms.".into());
        }
        if self.people.len() > MAX_NOTIFIED || self.zones.len() > MAX_ZONES {
            return refuse(format!("people: at most {MAX_NOTIFIED}; zones: at most {MAX_ZONES}."));
        }
        if self.age_bands.len() > AgeBand::ALL.len() {
            return refuse("age_bands: each at most once.".into());
        }
        Ok(())
    }
}

/// One agency's notice of one callout, as the agency's people see it: all that they see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgencyNoticeView {
    /// The callout; it opens nothing to the agency, and names the notice together with `agency`.
    pub callout: CalloutId,
    /// Six characters to say on the telephone.
    pub reference: String,
    /// The agency that is notified.
    pub agency: OrgId,
    /// The zone's code.
    pub zone: Code,
    /// When the first notice went out.
    pub notified_at: Timestamp,
    /// Who acknowledged it; absent while nobody has.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub acknowledged_by: Option<PersonId>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub acknowledged_at: Option<Timestamp>,
    /// The callout was called off, or goes on under another reference.
    pub called_off: bool,
    /// It is a drill: no young person waits.
    pub drill: bool,
}

/// Answer to `GET /v1/agency-notices`: newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgencyNoticeList {
    /// Notices.
    pub notices: Vec<AgencyNoticeView>,
}

/// One agency's notice as the host's supervisors see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgencyNoticeStatus {
    /// What the agency sees.
    pub notice: AgencyNoticeView,
    /// When everybody there was notified, because nobody had answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub escalated_at: Option<Timestamp>,
    /// When the alarm was raised that the agency is silent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub silent_at: Option<Timestamp>,
    /// When somebody there hears of it again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_at: Option<Timestamp>,
    /// The newest attempts to reach each person, oldest first.
    pub pages: Vec<NoticePage>,
}

/// One attempt to notify one person of an agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NoticePage {
    /// The attempt's id; also the idempotency key that its channel got.
    pub id: PageId,
    /// Who was notified.
    pub person: PersonId,
    /// The how-manieth attempt to reach this person about this callout, from 1.
    pub attempt: u32,
    /// How.
    pub channel: Channel,
    /// When the engine ordered it.
    pub ordered_at: Timestamp,
    /// When the channel took it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub handed_over_at: Option<Timestamp>,
    /// When a device of the person's had it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delivered_at: Option<Timestamp>,
    /// Why the channel could not take it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failed: Option<FailReason>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> AgencyNotice {
        AgencyNotice::new(OrgId([1; 16]))
    }

    #[test]
    fn a_rule_needs_only_its_agency() {
        let json = format!(r#"{{"agency":"{}"}}"#, OrgId([1; 16]));
        assert_eq!(serde_json::from_str::<AgencyNotice>(&json).unwrap(), rule());
        assert_eq!(rule().validate(), Ok(()));
    }

    #[test]
    fn out_of_bounds_is_named() {
        for (field, bad) in [
            ("remind_every_ms", AgencyNotice { remind_every_ms: Millis(1), ..rule() }),
            ("escalate_after_ms", AgencyNotice { escalate_after_ms: Millis::minutes(30), ..rule() }),
            ("people", AgencyNotice { people: vec![PersonId([0; 16]); MAX_NOTIFIED + 1], ..rule() }),
            ("age_bands", AgencyNotice { age_bands: vec![AgeBand::Late; 7], ..rule() }),
        ] {
            let detail = bad.validate().unwrap_err().detail.unwrap();
            assert!(detail.starts_with(&format!("agency_notices.{field}")), "{detail}");
        }
    }
}
