//! Callouts, rota, policy and contact methods over HTTP. The callout's own types stand in [`crate::callout`].

use crate::{
    api::PersonView,
    callout::{Action, CalloutView, TimelineEntry},
    id::{ActionId, CalloutId, ContactId, PersonId},
    policy::{ContactMethod, ContactStatus, NotificationRule, Policy},
    rota::{Rota, Tier},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// `POST /v1/callouts/{callout}/actions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ActOnCallout {
    /// Chosen by the client; idempotency key.
    pub id: ActionId,
    /// What the person does.
    pub action: Action,
}

/// Answer to `GET /v1/callouts`: newest first, as the caller may see them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CalloutList {
    /// Projections.
    pub callouts: Vec<CalloutView>,
}

/// Answer to `GET /v1/callouts/{callout}/timeline`: what happened and when; a supervisor sees all of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Timeline {
    /// Callout.
    pub callout: CalloutId,
    /// In order.
    pub entries: Vec<TimelineEntry>,
}

/// Answer to `GET /v1/callouts/{callout}/team`: whom the policy may page, for the officer's client to add to the room.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Team {
    /// Callout.
    pub callout: CalloutId,
    /// People with their devices' chains, to be verified by the client before it adds them.
    pub people: Vec<PersonView>,
}

/// `PUT /v1/rota` and `GET /v1/rota`: the host organisation's rota with a version for compare-and-set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RotaDocument {
    /// On PUT the version that was read (0 for the first); on GET the current one.
    pub version: u64,
    /// The rota.
    pub rota: Rota,
}

/// `PUT /v1/policy` and `GET /v1/policy`: the host organisation's escalation policy, versioned like the rota.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    /// On PUT the version that was read (0 for the first); on GET the current one.
    pub version: u64,
    /// The policy.
    pub policy: Policy,
}

/// Answer to `GET /v1/on-call?at=`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OnCallView {
    /// The moment asked about.
    pub at: Timestamp,
    /// Who is on call, tier by tier.
    pub tiers: Vec<TierView>,
    /// When this next changes, if it does within 90 days.
    pub next_change: Option<Timestamp>,
}

/// One tier at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TierView {
    /// Tier.
    pub tier: Tier,
    /// People on call in it; empty is a gap.
    pub people: Vec<OnCallPerson>,
}

/// A person on call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OnCallPerson {
    /// Person.
    pub person: PersonId,
    /// Work name.
    pub work_name: String,
    /// Whether a device of theirs is connected now; shown to supervisors and admins.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub connected: Option<bool>,
}

/// `PUT /v1/people/{person}/contacts` and `GET`: how a person is reached, in order. The app is always the first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Contacts {
    /// Methods besides the app. Keys, tokens and push secrets are never given back.
    pub methods: Vec<ContactMethod>,
    /// When each of them is used. Empty: each in turn, one for every call.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub rules: Vec<NotificationRule>,
    /// The one of them that says when the person goes on duty, besides the app; never a call. Absent: the app alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hand_off: Option<ContactId>,
    /// Set by the server alone, and ignored in a PUT: whether each method is used. Only a verified one is.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub states: Vec<ContactStatus>,
}
