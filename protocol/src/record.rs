//! The after-action record of one callout: what happened when, how long it took, how it ended (DOMAIN.md, "After action").
//!
//! Times and codes only. Nothing in it says who the young person is, and nothing can: the server never learns it.

use crate::{
    CalloutId, OrgId, PersonId,
    callout::{CalloutState, Code, OutcomeReason, Purpose, ResponderState, Support, Welfare},
    policy::Millis,
    role::{UnknownWord, text_enum},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

text_enum!(
    /// Where the review of a callout stands.
    ReviewState {
        /// Nothing to review: the callout is open, was cancelled, or was merged into another.
        NotDue = "not_due",
        /// Closed, and there is still time.
        Waiting = "waiting",
        /// Closed, and not reviewed in time.
        Overdue = "overdue",
        /// Reviewed.
        Done = "done",
    }
);

/// When each thing happened for the first time; absent: it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CalloutTimes {
    /// The officer met the young person, as the officer said.
    pub first_contact_at: Timestamp,
    /// The server received the callout.
    pub opened_at: Timestamp,
    /// Somebody was paged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_page_at: Option<Timestamp>,
    /// Somebody was awake; accepting without a word before counts as well.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub acknowledged_at: Option<Timestamp>,
    /// Somebody was going.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub accepted_at: Option<Timestamp>,
    /// Somebody was on the way.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub en_route_at: Option<Timestamp>,
    /// Somebody was there; being with the young person without a word before counts as well.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub arrived_at: Option<Timestamp>,
    /// Somebody was with the young person.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub with_young_person_at: Option<Timestamp>,
    /// Somebody had handed over.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub handed_over_at: Option<Timestamp>,
    /// It was closed, cancelled or merged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_at: Option<Timestamp>,
    /// It was reviewed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reviewed_at: Option<Timestamp>,
}

/// How long things took; absent: they have not happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CalloutDurations {
    /// From first contact until the callout was opened: late calling shows here.
    pub first_contact_to_callout_ms: Millis,
    /// From the callout until the first page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to_first_page_ms: Option<Millis>,
    /// From the callout until somebody was awake.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to_acknowledge_ms: Option<Millis>,
    /// From the callout until somebody was going.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to_accept_ms: Option<Millis>,
    /// From the callout until somebody was there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to_arrive_ms: Option<Millis>,
    /// From arrival until handing over.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub on_scene_ms: Option<Millis>,
    /// From the callout until it ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to_end_ms: Option<Millis>,
}

impl CalloutTimes {
    /// The durations between these times.
    pub fn durations(&self) -> CalloutDurations {
        let between = |from: Timestamp, until: Timestamp| {
            Millis(u64::try_from(until.since(from).as_millis()).unwrap_or(u64::MAX))
        };
        let since_opened = |at: Option<Timestamp>| at.map(|at| between(self.opened_at, at));
        CalloutDurations {
            first_contact_to_callout_ms: between(self.first_contact_at, self.opened_at),
            to_first_page_ms: since_opened(self.first_page_at),
            to_acknowledge_ms: since_opened(self.acknowledged_at),
            to_accept_ms: since_opened(self.accepted_at),
            to_arrive_ms: since_opened(self.arrived_at),
            on_scene_ms: self.arrived_at.zip(self.handed_over_at).map(|(from, until)| between(from, until)),
            to_end_ms: since_opened(self.ended_at),
        }
    }
}

/// One responder's part: the newest time of each step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResponderTimes {
    /// Who.
    pub person: PersonId,
    /// The name they work under; absent when they have left the organisation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub work_name: Option<String>,
    /// How far they came.
    pub state: ResponderState,
    /// Was awake.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub acknowledged_at: Option<Timestamp>,
    /// Was going.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub accepted_at: Option<Timestamp>,
    /// Was on the way.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub en_route_at: Option<Timestamp>,
    /// Was there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub arrived_at: Option<Timestamp>,
    /// Was with the young person.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub with_young_person_at: Option<Timestamp>,
    /// Had handed over.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub handed_over_at: Option<Timestamp>,
    /// Could not go, or could not go after all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub declined_at: Option<Timestamp>,
    /// Was not needed any more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stood_down_at: Option<Timestamp>,
    /// How they are afterwards, as they said themselves; for themselves and for supervisors.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub welfare: Option<Welfare>,
}

impl ResponderTimes {
    /// Somebody of whom nothing is known yet but that they were called.
    pub fn new(person: PersonId, state: ResponderState) -> Self {
        Self {
            person,
            work_name: None,
            state,
            acknowledged_at: None,
            accepted_at: None,
            en_route_at: None,
            arrived_at: None,
            with_young_person_at: None,
            handed_over_at: None,
            declined_at: None,
            stood_down_at: None,
            welfare: None,
        }
    }
}

/// The target that held when the callout was opened, and whether it was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TargetRecord {
    /// Somebody should be there this long after the callout was opened.
    pub on_scene_ms: Millis,
    /// Whether somebody was. Absent: it is still open and there is time; or it was cancelled or merged before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub met: Option<bool>,
}

/// Looking back, within a day of closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReviewRecord {
    /// Where it stands.
    pub state: ReviewState,
    /// When it should be done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub due_at: Option<Timestamp>,
    /// How the responders are, as the supervisor noted; supervisors only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub welfare: Option<Welfare>,
}

/// Answer to `GET /v1/callouts/{callout}/record`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CalloutRecord {
    /// Which.
    pub callout: CalloutId,
    /// Whether it was real, or a drill, which counts in no figure.
    #[serde(default)]
    pub purpose: Purpose,
    /// The agency that opened it.
    pub agency: OrgId,
    /// Its zone.
    pub zone: Code,
    /// Its site.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub site: Option<Code>,
    /// How it stands, or ended.
    pub state: CalloutState,
    /// When things happened.
    pub times: CalloutTimes,
    /// How long they took.
    pub durations: CalloutDurations,
    /// Whether somebody was there in time.
    pub target: TargetRecord,
    /// Whether at some moment everyone qualified had been called and nobody had accepted.
    pub unanswered: bool,
    /// Whether somebody who accepted spoke one of the languages; absent: none was named, or nobody has accepted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language_match: Option<bool>,
    /// Reason codes of closing and review.
    #[serde(default)]
    pub reasons: Vec<OutcomeReason>,
    /// Whether support was accepted; absent until it is closed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub support: Option<Support>,
    /// How many kits were given; absent until it is closed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kits_given: Option<u16>,
    /// The callout that goes on for this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub merged_into: Option<CalloutId>,
    /// Everybody's part: for supervisors all who were called, for responders those who accepted.
    #[serde(default)]
    pub responders: Vec<ResponderTimes>,
    /// Looking back on it.
    pub review: ReviewRecord,
}

/// `PUT /v1/callouts/{callout}/welfare`: how a responder is afterwards, in their own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OwnWelfare {
    /// How they are.
    pub welfare: Welfare,
}
