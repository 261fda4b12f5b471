//! A device says that a page has reached its person's screen.

use crate::{Result, Shared, caller::Caller, extract::Path, runner::Cause};
use axum::{extract::State, http::StatusCode};
use firstlight_dispatch::{Input, PageOutcome, PageReceipt};
use firstlight_protocol::{ErrorCode, PageId, Problem, callout::Receipt};

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
    params(("page" = PageId, Path, description = "The page")), responses(
    (status = 204), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn seen(State(app): State<Shared>, caller: Caller, Path(page): Path<PageId>) -> Result<StatusCode> {
    page_seen(&app, &caller, page).await?;
    Ok(StatusCode::NO_CONTENT)
}
