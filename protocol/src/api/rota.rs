//! The rota over HTTP, besides the document itself: changes to it, what follows from it, and calendar feeds.

use crate::{
    id::{FeedId, PersonId},
    rota::{Code, Gap, Load, Span, Tier, Turn},
    time::Timestamp,
    wire::Secret,
};
use serde::{Deserialize, Serialize};

/// Answer to a change of the rota: overrides, absences, swaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RotaChanged {
    /// The rota's version; the same as before if nothing had to be changed.
    pub version: u64,
}

/// `POST /v1/rota/swaps`: offers a turn to somebody. Nothing changes until they accept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OfferSwap {
    /// The swap's name, chosen by the client; idempotency key.
    pub id: Code,
    /// Whose turn it is; absent: the caller's. Only supervisors and admins offer for somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Who is to have it.
    pub to: PersonId,
    /// The turn.
    pub turn: Turn,
    /// A turn of the other person's in return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_return: Option<Turn>,
}

/// The second step of a swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SwapAnswer {
    /// By the person it was offered to: it counts from now on.
    Accept,
    /// By the person it was offered to.
    Decline,
    /// By the person who offered it, as long as it isn't accepted.
    Withdraw,
}

/// `POST /v1/rota/swaps/{swap}`. Supervisors and admins may do it for either person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerSwap {
    /// What is answered.
    pub answer: SwapAnswer,
}

/// Answer to `GET /v1/rota/schedule`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScheduleView {
    /// The rota's time zone.
    pub tz: String,
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// Who is on duty, in order; cut off at both ends.
    pub spans: Vec<Span>,
    /// The names of everybody in it.
    pub people: Vec<NamedPerson>,
}

/// A person's work name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NamedPerson {
    /// Person.
    pub person: PersonId,
    /// Work name.
    pub work_name: String,
}

/// Answer to `GET /v1/rota/gaps`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GapsView {
    /// The rota's time zone.
    pub tz: String,
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// The gaps, in order; cut off at both ends.
    pub gaps: Vec<Gap>,
}

/// Answer to `GET /v1/rota/fairness`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FairnessView {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// What each carries; to advocates, their own alone.
    pub people: Vec<PersonLoad>,
}

/// What one person carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonLoad {
    /// Work name; absent for somebody who left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_name: Option<String>,
    /// In numbers.
    #[serde(flatten)]
    pub load: Load,
}

/// Answer to `POST /v1/rota/absences/import`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AbsencesImported {
    /// The rota's version.
    pub version: u64,
    /// Absences that are in the rota by this calendar, new or known.
    pub kept: u32,
    /// Absences that the calendar has cancelled.
    pub removed: u32,
}

/// What a feed shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FeedOf {
    /// One person's duty; nobody else is named.
    Person(PersonId),
    /// One tier, with work names.
    Tier(Tier),
    /// The whole rota, with work names.
    Rota,
}

/// `POST /v1/feeds`: makes a secret address at which a calendar program finds somebody's duty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MakeFeed {
    /// Chosen by the client. A second request with it makes no second feed, and can't be told the address again.
    pub id: FeedId,
    /// What it shows: advocates' feeds show themselves.
    pub of: FeedOf,
}

/// Answer to `POST /v1/feeds`. The address is given once: the server keeps its digest alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedMade {
    /// Feed.
    pub id: FeedId,
    /// The path on this server, with the secret in it: `/v1/ical/….ics`. Whoever has it can read the feed.
    pub path: Secret,
}

/// A feed as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedView {
    /// Feed.
    pub id: FeedId,
    /// What it shows.
    pub of: FeedOf,
    /// Who made it.
    pub made_by: PersonId,
    /// When.
    pub made_at: Timestamp,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// Answer to `GET /v1/feeds`: the caller's own; for supervisors and admins, everybody's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedList {
    /// Newest first.
    pub feeds: Vec<FeedView>,
}
