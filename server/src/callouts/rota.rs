//! Rota, policy, and who is on call.

use super::documents::Document;
use crate::{
    Result, Shared,
    agencies::check_rules,
    caller::Caller,
    extract::{Json, Query},
};
use axum::extract::State;
use firstlight_protocol::{
    ErrorCode, PersonId, Problem, Role, Timestamp,
    api::{OnCallPerson, OnCallView, PolicyDocument, RotaDocument, TierView},
    callout::Tier,
    policy::Policy,
    rota::Rota,
};
use serde::Deserialize;
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use utoipa::IntoParams;

/// Who keeps the documents.
const KEEPERS: [Role; 2] = [Role::Supervisor, Role::Admin];
/// Who reads the rota besides its keepers: the people who stand in it.
const ROTA_READERS: [Role; 3] = [Role::Supervisor, Role::Admin, Role::Advocate];
/// The rota's tiers, in the order in which they are called.
const TIERS: [Tier; 3] = [Tier::Primary, Tier::Backup, Tier::Supervisor];
/// How far ahead a change of duty is looked for.
const AHEAD: Duration = Duration::from_secs(90 * 24 * 3600);

/// The moment asked about.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct At {
    /// In milliseconds since 1970; now, if it is absent.
    pub(super) at: Option<Timestamp>,
}

/// Refuses everybody who is not of the host organisation in one of these roles.
pub(crate) async fn require_host(app: &Shared, caller: &Caller, roles: &[Role]) -> Result<()> {
    if caller.org != crate::runner::host(app).await? {
        return Err(ErrorCode::Forbidden.into());
    }
    caller.require(roles)
}

/// The rota.
#[utoipa::path(get, path = "/v1/rota", tag = "dispatch", responses(
    (status = 200, body = RotaDocument), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn get_rota(State(app): State<Shared>, caller: Caller) -> Result<Json<RotaDocument>> {
    require_host(&app, &caller, &ROTA_READERS).await?;
    let (version, rota) = app.store.document::<Rota>().await?.ok_or(ErrorCode::NotFound)?;
    Ok(Json(RotaDocument { version, rota: (*rota).clone() }))
}

/// Replaces the rota. `version` is the one that was read (0: there is none yet); the answer has the new one.
#[utoipa::path(put, path = "/v1/rota", tag = "dispatch", request_body = RotaDocument, responses(
    (status = 200, body = RotaDocument), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn put_rota(
    State(app): State<Shared>,
    caller: Caller,
    Json(document): Json<RotaDocument>,
) -> Result<Json<RotaDocument>> {
    require_host(&app, &caller, &KEEPERS).await?;
    document.rota.validate()?;
    check_people(&app, &caller, &document.rota).await?;
    let RotaDocument { version, rota } = document;
    let (version, rota) = replace(&app, &caller, version, rota).await?;
    Ok(Json(RotaDocument { version, rota }))
}

/// The policy. Officers read it too: it holds the zones, the sites, and the number to call when nothing works.
#[utoipa::path(get, path = "/v1/policy", tag = "dispatch", responses(
    (status = 200, body = PolicyDocument), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn get_policy(State(app): State<Shared>, caller: Caller) -> Result<Json<PolicyDocument>> {
    if caller.org != crate::runner::host(&app).await? {
        caller.require(&[Role::PoliceOfficer, Role::WatchCommander])?;
    }
    let (version, policy) = app.store.document::<Policy>().await?.ok_or(ErrorCode::NotFound)?;
    Ok(Json(PolicyDocument { version, policy: (*policy).clone() }))
}

/// Replaces the policy, as the rota is replaced. Callouts that are open go on under the new one.
#[utoipa::path(put, path = "/v1/policy", tag = "dispatch", request_body = PolicyDocument, responses(
    (status = 200, body = PolicyDocument), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn put_policy(
    State(app): State<Shared>,
    caller: Caller,
    Json(document): Json<PolicyDocument>,
) -> Result<Json<PolicyDocument>> {
    require_host(&app, &caller, &KEEPERS).await?;
    document.policy.validate()?;
    check_rules(&app, &document.policy)?;
    let PolicyDocument { version, policy } = document;
    let (version, policy) = replace(&app, &caller, version, policy).await?;
    Ok(Json(PolicyDocument { version, policy }))
}

/// Who is on call at a moment, tier by tier.
#[utoipa::path(get, path = "/v1/on-call", tag = "dispatch", params(At), responses(
    (status = 200, body = OnCallView), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn on_call(
    State(app): State<Shared>,
    caller: Caller,
    Query(At { at }): Query<At>,
) -> Result<Json<OnCallView>> {
    require_host(&app, &caller, &ROTA_READERS).await?;
    let at = at.unwrap_or_else(|| app.clock.now());
    let rota = app.store.document::<Rota>().await?.map(|(_, rota)| rota);
    let (on_duty, next_change) = match &rota {
        Some(rota) => (rota.on_call(at)?, rota.next_change(at)?.filter(|change| *change <= at + AHEAD)),
        None => (Vec::new(), None),
    };
    let host = app.store.people_of_org(caller.org).await?;
    let names: HashMap<PersonId, String> = host.into_iter().map(|p| (p.person, p.work_name)).collect();
    let shows_connected = KEEPERS.contains(&caller.role);
    let mut tiers = Vec::with_capacity(TIERS.len());
    for tier in TIERS {
        let mut people: Vec<OnCallPerson> = Vec::new();
        for on in on_duty.iter().filter(|on| on.tier == tier) {
            // Somebody who left the organisation leaves a gap, which is better seen than hidden behind their name.
            let Some(work_name) = names.get(&on.person).cloned() else { continue };
            if people.iter().any(|p| p.person == on.person) {
                continue;
            }
            let connected = if shows_connected { Some(is_connected(&app, on.person).await?) } else { None };
            people.push(OnCallPerson { person: on.person, work_name, connected });
        }
        tiers.push(TierView { tier, people });
    }
    Ok(Json(OnCallView { at, tiers, next_change }))
}

async fn is_connected(app: &Shared, person: PersonId) -> Result<bool> {
    Ok(app.store.devices_of(person).await?.into_iter().any(|device| app.bus.is_connected(device)))
}

/// Everybody on a rota is of the host, in a role that answers callouts.
async fn check_people(app: &Shared, caller: &Caller, rota: &Rota) -> Result<()> {
    let able: HashSet<PersonId> = app
        .store
        .people_of_org(caller.org)
        .await?
        .into_iter()
        .filter(|person| crate::runner::can_respond(person.role))
        .map(|person| person.person)
        .collect();
    match rota.shifts.iter().position(|shift| !able.contains(&shift.person)) {
        None => Ok(()),
        Some(place) => {
            let detail = format!("shift {}: not an advocate or supervisor of your organisation.", place + 1);
            Err(Problem::with(ErrorCode::InvalidValue, detail).into())
        }
    }
}

async fn replace<D: Document>(app: &Shared, caller: &Caller, version: u64, document: D) -> Result<(u64, D)> {
    let (now, device) = (app.clock.now(), caller.device);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let new = tx.replace_document(version, &document, now).await?;
                tx.audit(now, Some(device), D::REPLACED, D::KIND, format!("version {new}")).await?;
                Ok((new, document))
            })
        })
        .await
}
