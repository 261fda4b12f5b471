//! The state of one callout: everything the engine remembers, as the runner stores it (CBOR).

use crate::agencies::AgencyCall;
use firstlight_protocol::{
    ActionId, CalloutId, OrgId, PageId, PersonId, RoomId, Timestamp,
    callout::{
        Alarm, CalloutState, Constraint, FailReason, Outcome, Phone, Purpose, ResponderState, Routing, Tier,
        TimelineEntry,
    },
    policy::Channel,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// How many of a responder's pages a callout remembers; the audit trail has them all.
pub const MAX_PAGES_KEPT: usize = 8;
/// How many lines of history a callout keeps; the first one and the newest.
pub(crate) const MAX_TIMELINE: usize = 400;
/// How many action ids a callout remembers.
pub(crate) const MAX_ACTIONS: usize = 256;
/// How many alarms a callout remembers.
pub(crate) const MAX_RAISED: usize = 256;

/// One callout. Opaque to the runner but for what these methods tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callout {
    pub(crate) id: CalloutId,
    pub(crate) opened_by: PersonId,
    pub(crate) agency: OrgId,
    pub(crate) routing: Routing,
    #[serde(default)]
    pub(crate) purpose: Purpose,
    #[serde(default)]
    pub(crate) caller: Option<Phone>,
    /// Whom a supervisor has barred from this one.
    #[serde(default)]
    pub(crate) barred: Vec<PersonId>,
    pub(crate) opened_at: Timestamp,
    /// Time never runs backwards within a callout, even if nodes' clocks differ.
    pub(crate) updated_at: Timestamp,
    pub(crate) revision: u64,
    pub(crate) phase: Phase,
    pub(crate) wanted: u8,
    pub(crate) climb: Climb,
    pub(crate) responders: Vec<Responder>,
    pub(crate) room: Option<RoomId>,
    pub(crate) duplicates: Vec<CalloutId>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) review_due_at: Option<Timestamp>,
    pub(crate) raised: Vec<Raised>,
    pub(crate) timeline: Vec<TimelineEntry>,
    pub(crate) actions: Vec<Done>,
    /// Other agencies that were notified.
    #[serde(default)]
    pub(crate) agencies: Vec<AgencyCall>,
    /// How often the officer without an app was told something: each message has its own id.
    #[serde(default)]
    pub(crate) told: u32,
}

/// Whether the callout is running, and if not, how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    Open,
    Closed,
    Reviewed,
    Cancelled,
    Merged { into: CalloutId },
}

/// Where the escalation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Climb {
    /// Rises with each reopening.
    pub(crate) round: u32,
    /// The tier called last; `Everyone` from the moment on when everyone was called in this round.
    pub(crate) tier: Tier,
    /// When the next step or slow round is due; `None` exactly while nobody (more) is wanted.
    pub(crate) next_at: Option<Timestamp>,
    /// The step called last, from 0. Absent in callouts from before there were steps: it follows from the tier.
    #[serde(default)]
    pub(crate) step: Option<u8>,
    /// How often all steps of this round have been walked.
    #[serde(default)]
    pub(crate) walk: u8,
    /// When the step began: the wishes' time counts from here.
    #[serde(default)]
    pub(crate) since: Option<Timestamp>,
    /// The wishes that hold nobody back in this step any more.
    #[serde(default)]
    pub(crate) relaxed: Vec<Constraint>,
    /// When the next wish is relaxed; `None` where none holds anybody back.
    #[serde(default)]
    pub(crate) relax_at: Option<Timestamp>,
}

/// One person's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Responder {
    pub(crate) person: PersonId,
    pub(crate) tier: Tier,
    /// The step that called them last, from 0; absent as in [`Climb::step`].
    #[serde(default)]
    pub(crate) step: Option<u8>,
    pub(crate) round: u32,
    pub(crate) state: ResponderState,
    /// Pages ever sent to them in this callout.
    pub(crate) attempts: u32,
    /// Calls of this turn.
    pub(crate) calls: u16,
    /// Pages of this call.
    pub(crate) burst: u8,
    /// When they were called last.
    pub(crate) called_at: Option<Timestamp>,
    /// When they are called again.
    pub(crate) next_call_at: Option<Timestamp>,
    /// When the newest page's channel is passed over.
    pub(crate) stall_at: Option<Timestamp>,
    pub(crate) eta_at: Option<Timestamp>,
    pub(crate) check_movement_at: Option<Timestamp>,
    pub(crate) check_arrival_at: Option<Timestamp>,
    pub(crate) pages: Vec<Page>,
}

/// One page and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) id: PageId,
    pub(crate) attempt: u32,
    pub(crate) channel: Channel,
    pub(crate) ordered_at: Timestamp,
    pub(crate) handed_over_at: Option<Timestamp>,
    pub(crate) delivered_at: Option<Timestamp>,
    pub(crate) answered_at: Option<Timestamp>,
    pub(crate) failed: Option<FailReason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Raised {
    pub(crate) alarm: Alarm,
    pub(crate) round: u32,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) id: ActionId,
    pub(crate) digest: [u8; 16],
}

impl Callout {
    /// Its id.
    pub fn id(&self) -> CalloutId {
        self.id
    }

    /// Who opened it.
    pub fn opened_by(&self) -> PersonId {
        self.opened_by
    }

    /// The agency that opened it.
    pub fn agency(&self) -> OrgId {
        self.agency
    }

    /// When it was opened.
    pub fn opened_at(&self) -> Timestamp {
        self.opened_at
    }

    /// The routing fields.
    pub fn routing(&self) -> &Routing {
        &self.routing
    }

    /// Why it was opened.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Where an officer without an app is told what becomes of it.
    pub fn caller(&self) -> Option<&Phone> {
        self.caller.as_ref()
    }

    /// Six characters to say on the telephone: they tell callouts apart, and look nothing up.
    pub fn reference(&self) -> String {
        self.id.short()
    }

    /// When the newest page to a person was taken by its channel: a canary has no view to look it up in.
    pub fn handed_over_at(&self, person: PersonId) -> Option<Timestamp> {
        let responder = self.responders.iter().find(|r| r.person == person)?;
        responder.pages.last()?.handed_over_at
    }

    /// Rises by one with every step that changes anything.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The callout's room, once it exists.
    pub fn room(&self) -> Option<RoomId> {
        self.room
    }

    /// Whether it is running: not closed, cancelled or merged.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Whether people are being called: open, and fewer have accepted than are wanted.
    pub fn is_paging(&self) -> bool {
        self.is_open() && self.accepted() < self.wanted
    }

    /// How many have accepted and not withdrawn.
    pub fn accepted(&self) -> u8 {
        self.count(ResponderState::is_active)
    }

    /// How many are wanted.
    pub fn wanted(&self) -> u8 {
        self.wanted
    }

    /// Everybody who was ever called, or accepted, and how far they are.
    pub fn responders(&self) -> impl Iterator<Item = (PersonId, ResponderState)> {
        self.responders.iter().map(|r| (r.person, r.state))
    }

    /// The state of the callout as a whole: while open, that of the responder who is furthest.
    pub fn state(&self) -> CalloutState {
        match self.phase {
            Phase::Closed => CalloutState::Closed,
            Phase::Reviewed => CalloutState::Reviewed,
            Phase::Cancelled => CalloutState::Cancelled,
            Phase::Merged { .. } => CalloutState::Merged,
            Phase::Open => {
                let furthest = self.responders.iter().filter_map(|r| progress(r.state)).max();
                match furthest {
                    Some(state) if state >= CalloutState::Accepted => state,
                    _ if self.climb.tier == Tier::Everyone => CalloutState::Unanswered,
                    other => other.unwrap_or(CalloutState::Paging),
                }
            }
        }
    }

    /// Whether opening this again with the same id would be the same request: a retry, answered as the first time.
    pub fn is_retried_by(&self, open: &crate::Open) -> bool {
        let same = (&self.routing, self.purpose, &self.caller) == (&open.routing, open.purpose, &open.caller);
        self.id == open.id && self.opened_by == open.by.person && same
    }

    pub(crate) fn count(&self, is: fn(ResponderState) -> bool) -> u8 {
        u8::try_from(self.responders.iter().filter(|r| is(r.state)).count()).unwrap_or(u8::MAX)
    }

    /// Where each responder stands in the list.
    pub(crate) fn places(&self) -> HashMap<PersonId, usize> {
        self.responders.iter().enumerate().map(|(i, r)| (r.person, i)).collect()
    }

    pub(crate) fn position(&self, person: PersonId) -> Option<usize> {
        self.responders.iter().position(|r| r.person == person)
    }
}

impl Climb {
    pub(crate) fn new() -> Self {
        let (round, tier, next_at) = (1, Tier::Primary, None);
        Self { round, tier, next_at, step: None, walk: 0, since: None, relaxed: Vec::new(), relax_at: None }
    }

    /// The step called last, from 0.
    pub(crate) fn step(&self) -> usize {
        self.step.map_or(self.tier as usize, usize::from)
    }

    pub(crate) fn enter(&mut self, step: usize, since: Timestamp, next_at: Timestamp) {
        self.step = u8::try_from(step).ok();
        (self.since, self.next_at, self.relax_at) = (Some(since), Some(next_at), None);
        self.relaxed.clear();
    }

    /// Nobody (more) is wanted.
    pub(crate) fn stop(&mut self) {
        (self.next_at, self.relax_at) = (None, None);
    }
}

impl Responder {
    pub(crate) fn new(person: PersonId, tier: Tier, climb: &Climb) -> Self {
        Self {
            person,
            tier,
            step: u8::try_from(climb.step()).ok(),
            round: climb.round,
            state: ResponderState::Paged,
            attempts: 0,
            calls: 0,
            burst: 0,
            called_at: None,
            next_call_at: None,
            stall_at: None,
            eta_at: None,
            check_movement_at: None,
            check_arrival_at: None,
            pages: Vec::new(),
        }
    }

    /// The step that called them last, from 0.
    pub(crate) fn step(&self) -> usize {
        self.step.map_or(self.tier as usize, usize::from)
    }

    /// The ways that this call has taken. There are no more ways than pages are kept.
    pub(crate) fn tried(&self) -> Vec<Channel> {
        self.pages.iter().rev().take(usize::from(self.burst)).map(|page| page.channel).collect()
    }

    /// Moves on, and stops whatever timers belonged to the state before.
    pub(crate) fn enter(&mut self, state: ResponderState) {
        self.state = state;
        self.next_call_at = None;
        self.stall_at = None;
        if state != ResponderState::Accepted {
            self.check_movement_at = None;
        }
        if !matches!(state, ResponderState::Accepted | ResponderState::EnRoute) {
            self.check_arrival_at = None;
        }
        if !state.is_active() {
            self.eta_at = None;
        }
    }
}

/// What a responder's state means for the callout as a whole.
fn progress(state: ResponderState) -> Option<CalloutState> {
    Some(match state {
        ResponderState::Acknowledged => CalloutState::Acknowledged,
        ResponderState::Accepted => CalloutState::Accepted,
        ResponderState::EnRoute => CalloutState::EnRoute,
        ResponderState::Arrived => CalloutState::Arrived,
        ResponderState::WithYoungPerson => CalloutState::WithYoungPerson,
        ResponderState::HandedOver => CalloutState::HandedOver,
        ResponderState::Paged | ResponderState::Declined | ResponderState::Withdrew | ResponderState::StoodDown => {
            return None;
        }
    })
}
