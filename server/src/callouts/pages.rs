//! The pages of a callout, and what becomes of them.

use crate::{
    Result, Shared,
    caller::Caller,
    extract::{Json, Path},
    identity::OnDuty,
    runner::{Cause, page_records},
};
use axum::{extract::State, http::StatusCode};
use firstlight_dispatch::{Input, PageOutcome, PageReceipt};
use firstlight_protocol::{CalloutId, ErrorCode, PageId, Problem, api::CalloutPages, callout::Receipt};

/// The page's receipt becomes "delivered". Again is harmless.
///
/// # Errors
/// `not_found` for a page that is not the caller's.
pub async fn page_seen(app: &Shared, caller: &Caller, page: PageId) -> Result<()> {
    let (person, device, now) = (caller.person, caller.device, app.clock.now());
    app.runner.acting.check(device, now)?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let paged = tx.page(page).await?.filter(|(_, whom)| *whom == person);
                let (callout, _) = paged.ok_or(ErrorCode::NotFound)?;
                let seen = PageReceipt { page, outcome: PageOutcome::Reached(Receipt::Delivered) };
                tx.step_callout(callout, Input::Receipts(vec![seen]), Cause { device: Some(device), now }).await
            })
        })
        .await
}

/// The page has reached the person's screen: its receipt becomes "delivered".
#[utoipa::path(post, path = "/v1/pages/{page}/seen", tag = "dispatch",
    params(("page" = PageId, Path, description = "The page")), security(("bearer" = []), ("duty" = [])), responses(
    (status = 204), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn seen(
    State(app): State<Shared>,
    OnDuty(caller): OnDuty,
    Path(page): Path<PageId>,
) -> Result<StatusCode> {
    page_seen(&app, &caller, page).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every page and message of a callout with each try of it: by which provider, how far it came, and why it failed, in
/// words. For supervisors of the host.
#[utoipa::path(get, path = "/v1/callouts/{callout}/pages", tag = "dispatch",
    params(("callout" = CalloutId, Path, description = "The callout")), responses(
    (status = 200, body = CalloutPages), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Path(callout): Path<CalloutId>,
) -> Result<Json<CalloutPages>> {
    let (world, _, view) = super::handlers::read(&app, &caller, callout).await?;
    if !world.actor(&caller).supervises() {
        return Err(ErrorCode::Forbidden.into());
    }
    let mut pages = page_records(&mut *app.store.read().acquire().await?, callout).await?;
    for known in view.pages.unwrap_or_default() {
        if let Some(page) = pages.iter_mut().find(|page| page.page == known.id) {
            page.answered_at = known.answered_at;
        }
    }
    Ok(Json(CalloutPages { callout, pages }))
}
