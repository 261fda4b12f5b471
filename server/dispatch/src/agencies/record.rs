//! What a callout remembers of an agency's notice.

use firstlight_protocol::{
    OrgId, PageId, PersonId, Timestamp, agency::AgencyNotice, callout::FailReason, policy::Channel,
};
use serde::{Deserialize, Serialize};

/// One agency's notice of one callout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AgencyCall {
    pub(crate) agency: OrgId,
    pub(super) notified_at: Timestamp,
    /// Reminders so far, the first notice included.
    pub(super) rounds: u16,
    /// Those of them that were ordered after the alarm.
    pub(super) slow_rounds: u16,
    /// When the next reminder is due.
    pub(super) next_at: Option<Timestamp>,
    pub(super) escalate_at: Option<Timestamp>,
    pub(super) alarm_at: Option<Timestamp>,
    pub(super) escalated_at: Option<Timestamp>,
    pub(super) silent_at: Option<Timestamp>,
    pub(super) acknowledged: Option<(PersonId, Timestamp)>,
    pub(super) called_off_at: Option<Timestamp>,
    pub(super) people: Vec<Notified>,
}

/// One person of the agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Notified {
    pub(super) person: PersonId,
    /// Attempts ever made to reach them about this callout.
    pub(super) attempts: u32,
    /// Attempts of this reminder.
    pub(super) burst: u8,
    /// The newest attempts.
    pub(super) kept: Vec<Attempt>,
}

/// One attempt, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attempt {
    pub(super) id: PageId,
    pub(super) attempt: u32,
    pub(super) channel: Channel,
    pub(super) ordered_at: Timestamp,
    pub(super) handed_over_at: Option<Timestamp>,
    pub(super) delivered_at: Option<Timestamp>,
    pub(super) failed: Option<FailReason>,
}

impl Attempt {
    pub(super) fn new(id: PageId, attempt: u32, channel: Channel, ordered_at: Timestamp) -> Self {
        Self { id, attempt, channel, ordered_at, handed_over_at: None, delivered_at: None, failed: None }
    }
}

impl Notified {
    /// The ways that this reminder has taken.
    pub(super) fn tried(&self) -> Vec<Channel> {
        self.kept.iter().rev().take(usize::from(self.burst)).map(|attempt| attempt.channel).collect()
    }
}

impl AgencyCall {
    /// Nobody notified yet, and both clocks running.
    pub(super) fn begin(rule: &AgencyNotice, now: Timestamp) -> Self {
        Self {
            agency: rule.agency,
            notified_at: now,
            rounds: 0,
            slow_rounds: 0,
            next_at: None,
            escalate_at: Some(now + rule.escalate_after_ms.into()),
            alarm_at: Some(now + rule.give_up_alarm_after_ms.into()),
            escalated_at: None,
            silent_at: None,
            acknowledged: None,
            called_off_at: None,
            people: Vec::new(),
        }
    }

    /// Whether somebody there is still to be told.
    pub(super) fn is_waiting(&self) -> bool {
        self.acknowledged.is_none() && self.called_off_at.is_none()
    }

    /// Nothing more happens by itself.
    pub(super) fn stop(&mut self) {
        (self.next_at, self.escalate_at, self.alarm_at) = (None, None, None);
    }

    /// When something happens by itself.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        [self.next_at, self.escalate_at, self.alarm_at].into_iter().flatten().min()
    }

    /// The place of a person in the list, which they have from now on.
    pub(super) fn place(&mut self, person: PersonId) -> usize {
        self.people.iter().position(|n| n.person == person).unwrap_or_else(|| {
            self.people.push(Notified { person, attempts: 0, burst: 0, kept: Vec::new() });
            self.people.len() - 1
        })
    }
}
