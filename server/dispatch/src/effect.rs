//! What the runner has to do after a step. It stores effects and callout in one transaction, then acts.
//!
//! Every change of a callout (a higher revision) also means that each person who may see it gets a new view; that is
//! not an effect of its own.

use crate::AgencyEffect;
use firstlight_protocol::{
    OrgId, PageId, PersonId, Timestamp,
    callout::{Alarm, Code, Constraint, Event, Tier},
    policy::Channel,
};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Call this person, now, by this channel. The page carries nothing of the callout but its id.
    Page {
        /// The page's id and its idempotency key: no other `Page` effect ever has the same.
        id: PageId,
        /// Whom.
        person: PersonId,
        /// In which tier.
        tier: Tier,
        /// The how-manieth page to this person in this callout, from 1.
        attempt: u32,
        /// How.
        channel: Channel,
    },
    /// Tell this person that they are not needed (any more): silence what rings, drop pages not sent yet.
    StandDown {
        /// Whom.
        person: PersonId,
    },
    /// Tell somebody outside, by the policy's webhook of this code: signed, and without content.
    Outside {
        /// The idempotency key: no other effect ever has the same.
        id: PageId,
        /// Which webhook.
        code: Code,
    },
    /// Tell the officer without an app, by SMS to [`Callout::caller`](crate::Callout::caller). Nothing but words of the
    /// organisation's templates and the callout's short reference goes out.
    TellCaller {
        /// The idempotency key: no other effect ever has the same.
        id: PageId,
        /// What.
        what: CallerNews,
    },
    /// Draw somebody's attention to a change.
    Notify {
        /// Whose.
        to: Audience,
        /// To what.
        notice: Notice,
    },
    /// Raise an alarm: to the supervisors always, to police where [`Alarm::reaches_police`] says so.
    Alarm {
        /// What.
        alarm: Alarm,
    },
    /// Something about another agency's notice.
    Agency {
        /// Which agency.
        agency: OrgId,
        /// What.
        what: AgencyEffect,
    },
    /// Append to the audit trail. Ids and codes, never content.
    Record {
        /// What happened.
        event: Event,
        /// Who did it; absent where the engine did.
        by: Option<PersonId>,
        /// Whom it concerns.
        person: Option<PersonId>,
        /// The tier it concerns.
        tier: Option<Tier>,
        /// The page it concerns.
        page: Option<PageId>,
        /// The step of the escalation that it concerns, from 1.
        step: Option<u8>,
        /// The wish that holds nobody back any more.
        constraint: Option<Constraint>,
    },
    /// Give the callout a [`Timer`](crate::Input::Timer) input then; this replaces its only durable timer. `None`: nothing
    /// is due any more, remove it. Last effect of every step that has any.
    WakeAt(Option<Timestamp>),
}

/// Who is to hear something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Whoever opened the callout, and their station's watch commanders.
    Agency,
    /// The host's supervisors.
    Supervisors,
}

/// What somebody is to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Somebody is coming.
    Accepted,
    /// Everyone was called and fewer than wanted have accepted: call the duty number.
    NobodyYet,
    /// Somebody who was coming is not; others are being called.
    Withdrew,
    /// It looks like a callout that is open already: merge them?
    PossibleDuplicate,
    /// It was called off, or merged.
    CalledOff,
}

/// What an officer without an app is to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerNews {
    /// Somebody is being called: at the start, and when somebody who was coming can't after all.
    Paging,
    /// Somebody is coming.
    Accepted {
        /// Minutes until they expect to be there.
        eta_minutes: u16,
    },
    /// Somebody is there.
    Arrived,
    /// Nobody has accepted yet: call the duty number.
    Nobody,
    /// It was called off, or goes on under another reference.
    CalledOff,
}
