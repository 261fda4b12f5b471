//! The states of a callout and of each responder, what pages report, and what the engine raises and records.

use crate::{
    OrgId, PersonId,
    role::{UnknownWord, text_enum},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

text_enum!(
    /// The callout as a whole. While it is open, this is how far the responder who is furthest has come.
    CalloutState {
        /// Received, not paged yet; never seen from outside, since the first page goes out in the same step.
        Submitted = "submitted",
        /// People are being called; nobody has answered.
        Paging = "paging",
        /// Somebody is awake. *Not* accepted: calls and the escalation clock go on.
        Acknowledged = "acknowledged",
        /// Somebody is going.
        Accepted = "accepted",
        /// Somebody is on the way.
        EnRoute = "en_route",
        /// Somebody is there.
        Arrived = "arrived",
        /// A responder is with the young person.
        WithYoungPerson = "with_young_person",
        /// The young person is in the care of whoever follows.
        HandedOver = "handed_over",
        /// Done, with reasons.
        Closed = "closed",
        /// Looked back on by a supervisor.
        Reviewed = "reviewed",
        /// Called off.
        Cancelled = "cancelled",
        /// Everyone qualified was called and nobody has accepted yet; paging goes on.
        Unanswered = "unanswered",
        /// A duplicate; another callout goes on for it.
        Merged = "merged",
    }
);

impl CalloutState {
    /// Whether the callout is still running: not closed, reviewed, cancelled or merged.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Closed | Self::Reviewed | Self::Cancelled | Self::Merged)
    }
}

text_enum!(
    /// One responder's part in one callout.
    ResponderState {
        /// Called, has not answered.
        Paged = "paged",
        /// "I am awake."
        Acknowledged = "acknowledged",
        /// "I am going."
        Accepted = "accepted",
        /// On the way.
        EnRoute = "en_route",
        /// There.
        Arrived = "arrived",
        /// With the young person.
        WithYoungPerson = "with_young_person",
        /// Has handed over.
        HandedOver = "handed_over",
        /// "I can't go." One tap, without a reason.
        Declined = "declined",
        /// Had accepted, and can't go after all; paging was opened again.
        Withdrew = "withdrew",
        /// Not needed any more: filled, cancelled, merged or closed.
        StoodDown = "stood_down",
    }
);

impl ResponderState {
    /// Being called: may still answer, and is called again until they do.
    pub fn is_called(self) -> bool {
        matches!(self, Self::Paged | Self::Acknowledged)
    }

    /// Counts towards the responders wanted: accepted and not withdrawn since.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Accepted | Self::EnRoute | Self::Arrived | Self::WithYoungPerson | Self::HandedOver)
    }
}

text_enum!(
    /// Who is called in which order. The first three come from the rota.
    Tier {
        /// On duty.
        Primary = "primary",
        /// Called when no primary has accepted.
        Backup = "backup",
        /// Called when no backup has accepted.
        Supervisor = "supervisor",
        /// Everyone qualified; never on a rota.
        Everyone = "everyone",
        /// Named by a step of the policy, on duty or not; never on a rota.
        Named = "named",
    }
);

impl Tier {
    /// Whether a rota has shifts for it.
    pub fn is_on_rota(self) -> bool {
        matches!(self, Self::Primary | Self::Backup | Self::Supervisor)
    }
}

text_enum!(
    /// A wish about the responder. It decides who is asked first, and never whether somebody is asked.
    Constraint {
        /// Serves the zone.
        Zone = "zone",
        /// Has had the training.
        Training = "training",
        /// Is whom the young person would rather talk to.
        Preference = "preference",
        /// Speaks one of the languages.
        Language = "language",
    }
);

text_enum!(
    /// How far a page has come, as its channel reports it.
    Receipt {
        /// The channel took it: written to a socket, answered with 2xx by a webhook.
        HandedOver = "handed_over",
        /// A device of the person's says it has it.
        Delivered = "delivered",
    }
);

text_enum!(
    /// Why a channel could not take a page.
    FailReason {
        /// No answer in time.
        Timeout = "timeout",
        /// No connection.
        Unreachable = "unreachable",
        /// The receiver answered with an error.
        Rejected = "rejected",
        /// The person has no device connected.
        NotConnected = "not_connected",
        /// The person has blocked the sender ("STOP").
        BlockedSender = "blocked_sender",
        /// The channel was removed, or isn't configured.
        NotConfigured = "not_configured",
        /// The network took it and could not deliver it.
        Undelivered = "undelivered",
        /// The telephone rang, and nobody pressed a key.
        NoAnswer = "no_answer",
        /// The line was busy.
        Busy = "busy",
        /// A machine answered: not an answer (DOMAIN.md, "At night" 3).
        Voicemail = "voicemail",
        /// The number, address or subscription does not exist.
        UnknownNumber = "unknown_number",
        /// Nobody has shown that this contact method reaches the person.
        Unverified = "unverified",
    }
);

impl FailReason {
    /// Why, as a supervisor reads it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Timeout => "no answer from the channel in time",
            Self::Unreachable => "no connection to the channel",
            Self::Rejected => "the channel answered with an error",
            Self::NotConnected => "no device of the person's was connected",
            Self::BlockedSender => "the person's telephone has blocked our number (STOP)",
            Self::NotConfigured => "the contact method was removed, or its channel is not set up",
            Self::Undelivered => "the network took it and could not deliver it",
            Self::NoAnswer => "it rang, and nobody pressed a key",
            Self::Busy => "the line was busy",
            Self::Voicemail => "a machine answered, which is not an answer",
            Self::UnknownNumber => "the number, address or subscription does not exist",
            Self::Unverified => "the contact method is not verified",
        }
    }
}

text_enum!(
    /// What happens next, by itself, if nobody does anything.
    NextStep {
        /// The backups are called.
        PageBackup = "page_backup",
        /// The supervisors are called.
        PageSupervisor = "page_supervisor",
        /// The primaries are called.
        PagePrimary = "page_primary",
        /// Somebody whom the policy names is called.
        PagePerson = "page_person",
        /// Somebody outside is told.
        TellOutside = "tell_outside",
        /// Everyone qualified is called, and the officer is told to call the duty number.
        PageEveryone = "page_everyone",
        /// Those of the same step are called who were held back by a wish about the responder.
        Relax = "relax",
        /// Somebody is called again.
        CallAgain = "call_again",
        /// Everybody who has not answered is called again, slowly, until somebody accepts.
        CallEveryoneAgain = "call_everyone_again",
        /// Half of the ETA is over: the supervisor hears if the responder is not on the way.
        CheckMovement = "check_movement",
        /// The responder should be there: the supervisor hears if not.
        CheckArrival = "check_arrival",
        /// The supervisor hears if the callout is not reviewed.
        CheckReview = "check_review",
    }
);

text_enum!(
    /// What happened to a callout: the word in its timeline and in the audit trail. Ids go beside it, never content.
    Event {
        /// An officer opened it.
        Opened = "opened",
        /// A likely duplicate was found and offered.
        DuplicateOffered = "duplicate_offered",
        /// A tier was called.
        TierPaged = "tier_paged",
        /// A tier had nobody to call; the next one was called at once.
        TierEmpty = "tier_empty",
        /// Somebody whom the policy names was called.
        PersonPaged = "person_paged",
        /// Somebody outside was told.
        OutsideTold = "outside_told",
        /// A wish about the responder holds nobody back any more.
        Relaxed = "relaxed",
        /// A supervisor barred somebody from this callout.
        Barred = "barred",
        /// One page was sent.
        PageSent = "page_sent",
        /// A channel could not take a page.
        PageFailed = "page_failed",
        /// Somebody is awake.
        Acknowledged = "acknowledged",
        /// Somebody is going.
        Accepted = "accepted",
        /// Enough have accepted.
        Filled = "filled",
        /// Somebody can't go.
        Declined = "declined",
        /// Somebody who had accepted can't go after all.
        Withdrew = "withdrew",
        /// An ETA changed.
        EtaChanged = "eta_changed",
        /// Somebody is on the way.
        EnRoute = "en_route",
        /// Somebody is there.
        Arrived = "arrived",
        /// A responder is with the young person.
        WithYoungPerson = "with_young_person",
        /// A responder has handed over.
        HandedOver = "handed_over",
        /// Somebody is not needed any more.
        StoodDown = "stood_down",
        /// Paging began again: somebody withdrew, or more are wanted.
        Reopened = "reopened",
        /// More responders were asked for.
        CalledMore = "called_more",
        /// Everyone was called and nobody has accepted.
        Unanswered = "unanswered",
        /// An alarm was raised.
        AlarmRaised = "alarm_raised",
        /// The callout's room exists.
        RoomLinked = "room_linked",
        /// Closed.
        Closed = "closed",
        /// Reviewed.
        Reviewed = "reviewed",
        /// Cancelled.
        Cancelled = "cancelled",
        /// Merged into another callout.
        Merged = "merged",
    }
);

/// Something a person has to hear about. Raised once per cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Alarm {
    /// Everyone qualified was called and nobody has accepted: "nobody yet: call this number".
    Unanswered,
    /// Everyone qualified was called; some have accepted, but fewer than wanted.
    Unfilled {
        /// How many are still wanted.
        missing: u8,
    },
    /// Nobody was on duty in a tier.
    EmptyTier {
        /// The tier.
        tier: Tier,
    },
    /// Nobody whom a tier called speaks any of the languages.
    NoLanguageMatch {
        /// The tier.
        tier: Tier,
    },
    /// Every channel of a person failed.
    Unreachable {
        /// Whom.
        person: PersonId,
    },
    /// A contact method of a person does not work: they have blocked the sender, or it does not exist.
    ContactBroken {
        /// Whose.
        person: PersonId,
        /// Why.
        reason: FailReason,
    },
    /// Nobody should go alone, and this responder is there alone, or goes on alone.
    Alone {
        /// Who.
        person: PersonId,
    },
    /// An ETA is past the target: a breach is projected.
    ProjectedBreach {
        /// Whose ETA.
        person: PersonId,
    },
    /// Half of the ETA is over and the responder is not on the way.
    NoMovement {
        /// Who.
        person: PersonId,
    },
    /// The ETA is over and the responder has not arrived.
    Overdue {
        /// Who.
        person: PersonId,
    },
    /// Another agency was notified, and nobody there has answered in time.
    AgencySilent {
        /// Which.
        agency: OrgId,
    },
    /// Closed, and not reviewed in time.
    ReviewOverdue,
    /// Something was due and did not happen by itself. The server has mended it; whoever is on duty should look.
    Stalled,
}

impl Alarm {
    /// Whether the officer and the watch commander hear it too; every alarm goes to the supervisors.
    pub fn reaches_police(self) -> bool {
        matches!(self, Self::Unanswered | Self::Unfilled { .. })
    }
}
