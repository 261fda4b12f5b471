//! `/v1/intake/callouts`: what an agency's dispatch system does. protocol/docs/intake.md maps its fields to the names of
//! NENA's and OASIS's standards.

use super::{
    keys::KeyHolder,
    opening::{Asking, Opened, RequestId},
};
use crate::{
    Error, Result, Shared,
    extract::{Json, Path},
    runner::line_view,
};
use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use firstlight_protocol::{
    ActionId, CalloutId, ErrorCode, Problem,
    api::{ActOnCallout, IntakeCallout, IntakeCancel, IntakeScope, IntakeStatus},
    callout::{Action, CalloutView},
};
use std::time::Duration;

/// The longest Idempotency-Key.
const MAX_IDEMPOTENCY_KEY: usize = 128;

/// The header that tells a repeated request from a new one; required, since a dispatch system repeats what it hears no
/// answer to (draft-ietf-httpapi-idempotency-key-header).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IdempotencyKey(String);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let value = parts.headers.get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let value = value.trim().trim_matches('"');
        if value.is_empty() || value.len() > MAX_IDEMPOTENCY_KEY {
            let detail = "The header Idempotency-Key is required: 1 to 128 characters that name this request.";
            return Err(Problem::with(ErrorCode::BadRequest, detail).into());
        }
        Ok(Self(value.to_owned()))
    }
}

fn status(view: CalloutView) -> IntakeStatus {
    let CalloutView { id, revision, state, opened_at, wanted, accepted, duty_number, responders, .. } = view;
    let eta_at = responders.iter().filter_map(|responder| responder.eta_at).min();
    IntakeStatus { id, reference: id.short(), revision, state, opened_at, wanted, accepted, eta_at, duty_number }
}

/// Opens a callout for the key's line: when this answers, it is durable and the first people are called. The same request
/// with the same Idempotency-Key is answered as it stands now; another one with it is a conflict. Scope: open.
#[utoipa::path(post, path = "/v1/intake/callouts", tag = "intake", request_body = IntakeCallout,
    security(("intake_key" = [])),
    params(("Idempotency-Key" = String, Header, description = "Names this request; 1 to 128 characters")),
    responses((status = 200, body = IntakeStatus), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn open(
    State(app): State<Shared>,
    holder: KeyHolder,
    idempotency: IdempotencyKey,
    Json(asked): Json<IntakeCallout>,
) -> Result<Json<IntakeStatus>> {
    holder.require(IntakeScope::Open)?;
    let now = app.clock.now();
    let request = RequestId::of(&[b"intake", holder.key.as_bytes(), idempotency.0.as_bytes()]);
    let opened = app
        .store
        .write(move |tx| {
            Box::pin(async move { tx.open_from_line(&holder.line, request, &asked, Asking::System, now).await })
        })
        .await?;
    match opened {
        Opened::New(view) | Opened::Known(view) | Opened::Recent(view) => Ok(Json(status(*view))),
        Opened::Exhausted => {
            let detail = "This line has opened as many callouts as it may in 24 hours: call the duty number.";
            let wait = Duration::from_secs(3600).as_millis();
            let problem = Problem::with(ErrorCode::RateLimited, detail);
            Err(problem.retry_after_ms(u64::try_from(wait).unwrap_or(u64::MAX)).into())
        }
    }
}

/// What has become of a callout of the key's line: what police may see. Scope: read.
#[utoipa::path(get, path = "/v1/intake/callouts/{callout}", tag = "intake", security(("intake_key" = [])),
    params(("callout" = CalloutId, Path, description = "The callout")),
    responses((status = 200, body = IntakeStatus), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(super) async fn get(
    State(app): State<Shared>,
    holder: KeyHolder,
    Path(callout): Path<CalloutId>,
) -> Result<Json<IntakeStatus>> {
    holder.require(IntakeScope::Read)?;
    let mut conn = app.store.read().acquire().await?;
    let view = line_view(&mut conn, &holder.line, callout, app.clock.now()).await?;
    Ok(Json(status(view.ok_or(ErrorCode::NotFound)?)))
}

/// Calls a callout of the key's line off. Calling it off again changes nothing. Scope: cancel.
#[utoipa::path(post, path = "/v1/intake/callouts/{callout}/cancel", tag = "intake", request_body = IntakeCancel,
    security(("intake_key" = [])), params(("callout" = CalloutId, Path, description = "The callout")),
    responses((status = 200, body = IntakeStatus), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn cancel(
    State(app): State<Shared>,
    holder: KeyHolder,
    Path(callout): Path<CalloutId>,
    Json(IntakeCancel { reason }): Json<IntakeCancel>,
) -> Result<Json<IntakeStatus>> {
    holder.require(IntakeScope::Cancel)?;
    let now = app.clock.now();
    // One cancellation per callout: whatever its reason, a second one finds it done.
    let mut id = [0; 16];
    id.copy_from_slice(&RequestId::of(&[b"cancel", callout.as_bytes()]).as_bytes()[..16]);
    let view = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let line = &holder.line;
                let known = tx.view_from_line(line, callout, now).await?.ok_or(ErrorCode::NotFound)?;
                if known.state == firstlight_protocol::callout::CalloutState::Cancelled {
                    return Ok(known);
                }
                let request = ActOnCallout { id: ActionId(id), action: Action::Cancel { reason } };
                tx.act_from_line(line, callout, request, now).await
            })
        })
        .await?;
    Ok(Json(status(view)))
}
