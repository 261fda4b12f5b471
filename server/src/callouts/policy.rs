//! The policy over HTTP.

use super::documents::replace;
use crate::{
    Result, Shared,
    agencies::check_rules,
    caller::Caller,
    extract::Json,
    rota::{KEEPERS, require_host},
};
use axum::extract::State;
use firstlight_protocol::{ErrorCode, Problem, Role, api::PolicyDocument, policy::Policy};

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
