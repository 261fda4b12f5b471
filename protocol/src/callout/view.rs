//! What one person sees of a callout. What their role may not see is absent, not blanked (DOMAIN.md, "Police see …").

use super::{
    action::{OutcomeReason, Support, Welfare},
    code::Phone,
    routing::{Purpose, Routing},
    state::{Alarm, CalloutState, Constraint, Event, FailReason, NextStep, ResponderState, Tier},
};
use crate::{CalloutId, OrgId, PageId, PersonId, RoomId, agency::AgencyNoticeStatus, policy::Channel, time::Timestamp};
use serde::{Deserialize, Serialize};

/// A callout as one viewer may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CalloutView {
    /// The callout.
    pub id: CalloutId,
    /// Rises with every change; a view with a lower one is out of date.
    pub revision: u64,
    /// Six characters to say on the telephone and to send by SMS. They tell callouts apart, and look nothing up.
    #[serde(default)]
    pub reference: String,
    /// Why it was opened. Anything but `real` has to be shown, everywhere.
    #[serde(default)]
    pub purpose: Purpose,
    /// Its state.
    pub state: CalloutState,
    /// The agency that opened it.
    pub agency: OrgId,
    /// When the server received it.
    pub opened_at: Timestamp,
    /// How many responders are wanted.
    pub wanted: u8,
    /// How many have accepted.
    pub accepted: u8,
    /// How many are awake but have not accepted.
    pub acknowledged: u8,
    /// What happens next by itself, and when; absent when nothing is due.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_action: Option<NextAction>,
    /// Where the escalation stands, while people are being called; supervisors only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step: Option<StepView>,
    /// The responders this viewer may know of: police and responders see those who accepted, supervisors everybody.
    #[serde(default)]
    pub responders: Vec<ResponderView>,
    /// The number to call when nobody has accepted.
    pub duty_number: Phone,
    /// The viewer's own part, if they are a responder.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub your_state: Option<ResponderState>,
    /// The routing fields; not for responders who are stood down.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub routing: Option<Routing>,
    /// The callout's room, once it exists; not for responders who are stood down.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub room: Option<RoomId>,
    /// Who belongs in the callout's room now: whom the policy may page until the callout is filled, then those who
    /// accepted, and the supervisors on duty. For the members' clients, which add and remove.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub room_people: Option<Vec<PersonId>>,
    /// Open callouts that look like the same one; for the officer and supervisors. Merging is offered, never forced.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub possible_duplicates: Vec<CalloutId>,
    /// The callout that goes on for this one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub merged_into: Option<CalloutId>,
    /// The after-action record; for supervisors and responders who took part.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outcome: Option<Outcome>,
    /// What happened when. For all but supervisors: only what concerns the callout as a whole and those who accepted.
    #[serde(default)]
    pub timeline: Vec<TimelineEntry>,
    /// The newest pages of every responder; supervisors only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pages: Option<Vec<PageView>>,
    /// People who are barred from it by their profile or by a supervisor, whoever else may be called; supervisors only.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub barred: Vec<PersonId>,
    /// Every running timer, soonest first; supervisors only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub timers: Option<Vec<NextAction>>,
    /// Which other agencies were notified, and what became of it; supervisors only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agency_notices: Option<Vec<AgencyNoticeStatus>>,
    /// Alarms raised; for police only those that concern them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub alarms: Vec<RaisedAlarm>,
}

/// Where an escalation stands: "step 2 of 4".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StepView {
    /// The step that was called last, from 1.
    pub number: u8,
    /// Of how many.
    pub of: u8,
    /// The how-manieth walk through all steps this is, from 1; more than `rounds` in the slow rounds after them.
    pub round: u8,
    /// How often all steps are walked before the slow rounds.
    pub rounds: u8,
}

/// Something that happens by itself at a known time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NextAction {
    /// What.
    pub what: NextStep,
    /// When.
    pub at: Timestamp,
    /// To whom; only in a supervisor's view.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub person: Option<PersonId>,
}

/// One responder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResponderView {
    /// Who.
    pub person: PersonId,
    /// The name they work under; absent when they have left the organisation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub work_name: Option<String>,
    /// How far they are.
    pub state: ResponderState,
    /// When they expect to be there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub eta_at: Option<Timestamp>,
    /// The tier they were called in; supervisors only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tier: Option<Tier>,
    /// Whether they speak one of the languages; supervisors only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub speaks: Option<bool>,
    /// Whether they are whom the young person would rather talk to; supervisors only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub preferred: Option<bool>,
    /// Whether they have had all the training that was asked for; supervisors only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trained: Option<bool>,
    /// Whether they serve the zone; supervisors only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub serves_zone: Option<bool>,
}

/// One page, as a supervisor sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PageView {
    /// The page; also the idempotency key that its channel got.
    pub id: PageId,
    /// Who was called.
    pub person: PersonId,
    /// In which tier.
    pub tier: Tier,
    /// The how-manieth call to this person in this callout, from 1.
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
    /// When the person answered, whatever the answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answered_at: Option<Timestamp>,
    /// Why the channel could not take it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failed: Option<FailReason>,
}

/// An alarm and when it was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RaisedAlarm {
    /// When.
    pub at: Timestamp,
    /// What.
    pub alarm: Alarm,
}

/// The after-action record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Outcome {
    /// When the callout was closed.
    pub closed_at: Timestamp,
    /// When it was reviewed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reviewed_at: Option<Timestamp>,
    /// Reason codes of closing and review.
    #[serde(default)]
    pub reasons: Vec<OutcomeReason>,
    /// Whether support was accepted.
    pub support: Support,
    /// How many kits were given.
    pub kits_given: u16,
    /// How the responders are; supervisors only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub welfare: Option<Welfare>,
}

/// One line of a callout's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: Event,
    /// Whom it concerns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub person: Option<PersonId>,
    /// The tier it concerns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tier: Option<Tier>,
    /// The step of the escalation that it concerns, from 1; supervisors only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step: Option<u8>,
    /// The wish that holds nobody back any more; supervisors only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub constraint: Option<Constraint>,
    /// Which alarm was raised; supervisors only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub alarm: Option<Alarm>,
}
