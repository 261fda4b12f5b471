//! The policy over HTTP.

use super::documents::replace;
use crate::{
    Result, Shared,
    agencies::check_rules,
    caller::Caller,
    extract::Json,
    identity::MaybeLocked,
    intake::must_know_lines,
    rota::{KEEPERS, require_host},
};
use axum::extract::State;
use firstlight_protocol::{ErrorCode, Problem, Role, api::PolicyDocument, policy::Policy};

/// The policy. Officers read it too: it holds the zones, the sites, and the number to call when nothing works.
#[utoipa::path(get, path = "/v1/policy", tag = "dispatch", security(("bearer" = []), ("duty" = [])), responses(
    (status = 200, body = PolicyDocument), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn get_policy(
    State(app): State<Shared>,
    MaybeLocked(caller, locked): MaybeLocked,
) -> Result<Json<PolicyDocument>> {
    if caller.org != crate::runner::host(&app).await? {
        caller.require(&[Role::PoliceOfficer, Role::WatchCommander])?;
    }
    let (version, policy) = app.store.document::<Policy>().await?.ok_or(ErrorCode::NotFound)?;
    let policy = (*policy).clone().without_keys();
    // How the host escalates is its own affair: police, and whoever found a locked telephone, need places, times, and the
    // number to call.
    let outside = locked || matches!(caller.role, Role::PoliceOfficer | Role::WatchCommander);
    Ok(Json(PolicyDocument { version, policy: if outside { policy.for_police() } else { policy } }))
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
    must_know_lines(&app, &document.policy).await?;
    let PolicyDocument { version, mut policy } = document;
    if let Some((_, stored)) = app.store.document::<Policy>().await? {
        policy.keep_keys(&stored);
    }
    if let Some(code) = policy.keyless() {
        let detail = format!("outside.{code}: keys: one at least, when it is set for the first time.");
        return Err(Problem::with(ErrorCode::InvalidValue, detail).into());
    }
    let (version, policy) = replace(&app, &caller, version, policy).await?;
    Ok(Json(PolicyDocument { version, policy: policy.without_keys() }))
}
