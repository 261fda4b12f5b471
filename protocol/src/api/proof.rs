//! Proof before it is needed: readiness of the people on duty, and drills.

use crate::{
    callout::{CalloutState, FailReason, Routing, Tier},
    id::{CalloutId, CheckId, PersonId},
    policy::{Channel, Millis},
    role::{UnknownWord, text_enum},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

text_enum!(
    /// Whether a page would reach somebody, as far as the server can know.
    ReadinessLevel {
        /// Every way to them is proven.
        Green = "green",
        /// Not proven yet, and there is time.
        Amber = "amber",
        /// A page may not reach them: somebody has to do something now.
        Red = "red",
    }
);

text_enum!(
    /// What is missing between a person and a page.
    GapKind {
        /// They have no device any more: they have left, or were revoked, or never joined.
        NoDevice = "no_device",
        /// Their role answers no callouts.
        WrongRole = "wrong_role",
        /// No device of theirs is connected now.
        NotConnected = "not_connected",
        /// They have no verified contact method besides the app.
        AppOnly = "app_only",
        /// A contact method was never verified: nothing is sent there.
        Unverified = "unverified",
        /// A contact method has blocked the sender.
        Blocked = "blocked",
        /// A contact method does not exist (any more).
        Invalid = "invalid",
        /// A way to them was never proven.
        NeverProven = "never_proven",
        /// The last proof is too old to count.
        ProofTooOld = "proof_too_old",
        /// A test is out and was not confirmed yet.
        NotConfirmed = "not_confirmed",
        /// The channel could not take the last test.
        TestFailed = "test_failed",
    }
);

/// One thing that is missing, for programs and in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
// The API's description has one name for each type, and a rota has gaps as well.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ReadinessGap))]
pub struct Gap {
    /// What.
    pub kind: GapKind,
    /// Which way it concerns; absent: the person as a whole.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub channel: Option<Channel>,
    /// Why the channel could not take the test.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<FailReason>,
    /// A plain sentence.
    pub text: String,
}

impl Gap {
    /// A gap of the person as a whole.
    pub fn person(kind: GapKind) -> Self {
        Self::new(kind, None, None)
    }

    /// A gap of one way to them.
    pub fn way(kind: GapKind, channel: Channel, reason: Option<FailReason>) -> Self {
        Self::new(kind, Some(channel), reason)
    }

    fn new(kind: GapKind, channel: Option<Channel>, reason: Option<FailReason>) -> Self {
        let way = channel.map_or("Nothing", name_of);
        let text = match kind {
            GapKind::NoDevice => "No device: not joined yet, or revoked.".to_owned(),
            GapKind::WrongRole => "Their role answers no callouts.".to_owned(),
            GapKind::NotConnected => "No device of theirs is connected now.".to_owned(),
            GapKind::AppOnly => "Nothing but the app: there is no verified contact method.".to_owned(),
            GapKind::Unverified => format!("{way} is not verified: nothing is sent there."),
            GapKind::Blocked => format!("{way} has blocked our messages (STOP)."),
            GapKind::Invalid => format!("{way} does not exist any more."),
            GapKind::NeverProven => format!("{way} was never proven."),
            GapKind::ProofTooOld => format!("{way} was proven too long ago."),
            GapKind::NotConfirmed => format!("{way}: the test was not confirmed."),
            GapKind::TestFailed => match reason {
                Some(reason) => format!("{way}: the test failed ({}).", reason.as_str().replace('_', " ")),
                None => format!("{way}: the test failed."),
            },
        };
        Self { kind, channel, reason, text }
    }
}

/// What a channel is called in a sentence, at its beginning.
fn name_of(channel: Channel) -> &'static str {
    match channel {
        Channel::InApp => "The app",
        Channel::Webhook { .. } => "A webhook",
        Channel::Push { .. } => "A push subscription",
        Channel::Sms { .. } => "A number for texts",
        Channel::Voice { .. } => "A number for calls",
        Channel::Email { .. } => "An e-mail address",
        Channel::Ntfy { .. } => "An ntfy topic",
    }
}

/// One way to a person, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WayReadiness {
    /// Which.
    pub channel: Channel,
    /// Where it stands.
    pub level: ReadinessLevel,
    /// When the person last showed that something sent this way had reached them; its age is the proof's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proven_at: Option<Timestamp>,
    /// When the newest test went out this way.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tested_at: Option<Timestamp>,
}

/// Whether one person can be paged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonReadiness {
    /// Who.
    pub person: PersonId,
    /// Their work name; absent when they have left the organisation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub work_name: Option<String>,
    /// Where they stand.
    pub level: ReadinessLevel,
    /// Whether a page could not go out to them at all: no connected device, and no verified contact method.
    pub unreachable: bool,
    /// The tiers in which they are on duty, or will be; empty when they are not.
    #[serde(default)]
    pub tiers: Vec<Tier>,
    /// Whether they are on duty now.
    pub on_duty: bool,
    /// When this duty begins or began; absent: more than a day ago, or there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duty_from: Option<Timestamp>,
    /// When it ends; absent: later than is looked ahead.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub duty_until: Option<Timestamp>,
    /// The newest check, which is confirmed by its id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub check: Option<CheckId>,
    /// The ways that a page may take, in the order in which they are tried.
    #[serde(default)]
    pub ways: Vec<WayReadiness>,
    /// What is missing, worst first.
    #[serde(default)]
    pub gaps: Vec<Gap>,
}

/// Answer to `GET /v1/readiness`: everybody on duty now or next, red first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadinessBoard {
    /// When it was so.
    pub at: Timestamp,
    /// How far ahead the board looks.
    pub ahead_ms: Millis,
    /// People.
    pub people: Vec<PersonReadiness>,
}

/// Answer to `GET /v1/readiness/unreachable`: everybody who answers callouts or stands on the rota and has a gap, on
/// duty or not; those whom no page can reach come first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unreachable {
    /// When it was so.
    pub at: Timestamp,
    /// People.
    pub people: Vec<PersonReadiness>,
}

/// `POST /v1/readiness/test`: sends a test by every way, to oneself or, by a supervisor, to somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SendTest {
    /// Chosen by the client; idempotency key.
    pub check: CheckId,
    /// Whom; absent: the caller.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub person: Option<PersonId>,
}

/// `POST /v1/readiness/{check}/confirm`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfirmTest {
    /// The six digits of the test that came by another way, which is what they prove. Absent: this device got the
    /// test, which proves the app.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
}

text_enum!(
    /// Where a drill stands.
    DrillState {
        /// It will begin.
        Scheduled = "scheduled",
        /// People are called, or have answered.
        Running = "running",
        /// It is over.
        Ended = "ended",
        /// It was taken back before it began.
        Cancelled = "cancelled",
        /// It could not begin.
        Failed = "failed",
    }
);

/// `POST /v1/drills`: a drill that begins by itself. It is a callout with this id from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ScheduleDrill {
    /// The callout's id, chosen by the client; idempotency key.
    pub id: CalloutId,
    /// When it begins: from now to 90 days ahead.
    pub at: Timestamp,
    /// It ends by itself after this, whoever has answered; 5 minutes to 4 hours.
    #[serde(default = "one_hour")]
    pub ends_after_ms: Millis,
    /// What is asked for. The time of first contact is set to that of the drill.
    pub routing: Routing,
}

fn one_hour() -> Millis {
    Millis::minutes(60)
}

/// A drill: scheduled, or opened by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DrillView {
    /// Its id, and the callout's.
    pub id: CalloutId,
    /// When it begins or began.
    pub at: Timestamp,
    /// When it ends by itself.
    pub ends_at: Timestamp,
    /// Who wants it.
    pub by: PersonId,
    /// Where it stands.
    pub state: DrillState,
    /// Why it could not begin.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<String>,
}

/// Answer to `GET /v1/drills`: those to come first, then the newest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DrillList {
    /// Drills.
    pub drills: Vec<DrillView>,
}

/// One call of a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DrillCall {
    /// How.
    pub channel: Channel,
    /// When.
    pub at: Timestamp,
    /// How long the channel took to take it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub handed_over_after_ms: Option<Millis>,
    /// How long it took until a device of the person's had it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delivered_after_ms: Option<Millis>,
    /// Why the channel could not take it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failed: Option<FailReason>,
}

/// One person in a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DrillPerson {
    /// Who.
    pub person: PersonId,
    /// Their work name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub work_name: Option<String>,
    /// The tier in which they were called.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tier: Option<Tier>,
    /// From the first call to "I am awake", "I am going" or "I can't go"; absent: they did not answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answered_after_ms: Option<Millis>,
    /// The newest calls to them.
    pub calls: Vec<DrillCall>,
}

/// One moment of a drill against the policy's timer for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DrillTiming {
    /// What.
    pub what: DrillMoment,
    /// How long after the drill began it happened; absent: it did not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after_ms: Option<Millis>,
    /// By when it should have happened.
    pub wanted_ms: Millis,
    /// Whether it happened by then. What was not needed any more counts as kept.
    pub kept: bool,
}

text_enum!(
    /// What a drill is measured by.
    DrillMoment {
        /// Somebody was called.
        FirstPage = "first_page",
        /// The backups were called.
        Backup = "backup",
        /// The supervisors were called.
        Supervisor = "supervisor",
        /// Everyone qualified was called.
        Everyone = "everyone",
        /// Somebody was awake.
        Acknowledged = "acknowledged",
        /// Somebody was going.
        Accepted = "accepted",
    }
);

/// Answer to `GET /v1/drills/{id}/report`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DrillReport {
    /// The drill.
    pub drill: DrillView,
    /// Where its callout stands; absent before it begins.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<CalloutState>,
    /// The moments that count, against the policy as it is now.
    pub timings: Vec<DrillTiming>,
    /// Who was called, in the order of their first calls.
    pub people: Vec<DrillPerson>,
    /// Those among them who did not answer while they were being called.
    pub silent: Vec<PersonId>,
}
