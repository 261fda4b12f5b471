//! `/v1/agency-notices`.

use crate::{
    Result, Shared,
    caller::Caller,
    extract::{Json, Path},
    runner::{agency_callouts, host},
};
use axum::extract::State;
use firstlight_dispatch::{Actor, agency_notice_view};
use firstlight_protocol::{
    CalloutId, Problem,
    agency::{AgencyNoticeList, AgencyNoticeView},
};

/// The newest notices of the caller's agency, newest first; for supervisors of the host, those of all agencies.
///
/// For people of a partner who take notices (child welfare workers, probation officers) or were notified. To everybody
/// else the list is empty.
#[utoipa::path(get, path = "/v1/agency-notices", tag = "dispatch", responses(
    (status = 200, body = AgencyNoticeList), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn list(State(app): State<Shared>, caller: Caller) -> Result<Json<AgencyNoticeList>> {
    let is_host = caller.org == host(&app).await?;
    let actor = Actor { person: caller.person, org: caller.org, role: caller.role, host: is_host };
    let mut conn = app.store.read().acquire().await?;
    let notices = match (actor.supervises(), is_host) {
        (true, _) => {
            let callouts = agency_callouts(&mut conn, None).await?;
            callouts.iter().flat_map(|callout| callout.agency_notices().map(|(_, view, _)| view)).collect()
        }
        (false, true) => Vec::new(),
        (false, false) => {
            let callouts = agency_callouts(&mut conn, Some(caller.org)).await?;
            callouts.iter().filter_map(|callout| agency_notice_view(callout, actor)).collect()
        }
    };
    Ok(Json(AgencyNoticeList { notices }))
}

/// "We know": stops the reminders of the caller's agency about this callout, and of no other. Again is harmless, and is
/// answered with who acknowledged first.
#[utoipa::path(post, path = "/v1/agency-notices/{callout}/acknowledge", tag = "dispatch",
    params(("callout" = CalloutId, Path, description = "The callout")), responses(
    (status = 200, body = AgencyNoticeView), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn acknowledge(
    State(app): State<Shared>,
    caller: Caller,
    Path(callout): Path<CalloutId>,
) -> Result<Json<AgencyNoticeView>> {
    let now = app.clock.now();
    app.runner.acting.check(caller.device, now)?;
    let view =
        app.store.write(move |tx| Box::pin(async move { tx.acknowledge_notice(&caller, callout, now).await })).await?;
    Ok(Json(view))
}
