//! `/v1/lines`: agencies' lines, kept by the host's admins and supervisors.

use super::codes;
use crate::store::sql;
use crate::{
    Result, Shared,
    caller::Caller,
    extract::{Json, Path},
    rota::{KEEPERS, require_host},
};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{
    ErrorCode, LineId, OrgId, Problem, Secret, Timestamp,
    api::{AddLine, LineAdded, LineSettings},
    line::{CODE_DIGITS, Line, MAX_LINES},
    policy::Policy,
};

/// Codes are drawn until one is free; with a thousand lines and a million codes the first almost always is.
const DRAWS: usize = 8;

/// Refuses everybody but the host's admins and supervisors, and counts their changes.
pub(super) async fn keeper(app: &Shared, caller: &Caller, now: Timestamp) -> Result<()> {
    require_host(app, caller, &KEEPERS).await?;
    app.identity.check_change(caller, now)
}

/// A line whose place the policy doesn't know would fail at its first real call.
async fn must_know_place(app: &Shared, line: &Line) -> Result<()> {
    match app.store.document::<Policy>().await? {
        Some((_, policy)) if !policy.knows_place(&line.zone, line.site.as_ref()) => {
            Err(Problem::with(ErrorCode::InvalidValue, "zone, site: registered ones of the policy.").into())
        }
        _ => Ok(()),
    }
}

/// Refuses a policy that takes its place from a line in use.
pub(crate) async fn must_know_lines(app: &Shared, policy: &Policy) -> Result<()> {
    let lines = app.store.lines().await?;
    match lines.iter().find(|line| line.active && !policy.knows_place(&line.zone, line.site.as_ref())) {
        Some(line) => {
            let detail = format!(
                "zones, sites: line {} stands for one that is missing; change the line first.",
                line.id.short()
            );
            Err(Problem::with(ErrorCode::InvalidValue, detail).into())
        }
        None => Ok(()),
    }
}

/// Agencies' lines to the duty number: for the host's admins and supervisors. Codes are never listed.
#[utoipa::path(get, path = "/v1/lines", tag = "intake",
    responses((status = 200, body = Vec<Line>), (status = 403, body = Problem)))]
pub(super) async fn list(State(app): State<Shared>, caller: Caller) -> Result<Json<Vec<Line>>> {
    keeper(&app, &caller, app.clock.now()).await?;
    app.store.lines().await.map(Json)
}

/// Adds a line, for the same callers. Its code is in this answer and nowhere else. The same request again adds nothing, and
/// is answered without the code.
#[utoipa::path(post, path = "/v1/lines", tag = "intake", request_body = AddLine,
    responses((status = 200, body = LineAdded), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub(super) async fn add(
    State(app): State<Shared>,
    caller: Caller,
    Json(request): Json<AddLine>,
) -> Result<Json<LineAdded>> {
    let now = app.clock.now();
    keeper(&app, &caller, now).await?;
    let AddLine { id, agency, code_digits, settings } = request;
    let line = line(id, agency, settings);
    line.validate()?;
    must_know_place(&app, &line).await?;
    if !CODE_DIGITS.contains(&code_digits) {
        return Err(Problem::with(ErrorCode::InvalidValue, "code_digits: 6 to 8.").into());
    }
    if !app.identity.is_partner(agency) {
        return Err(Problem::with(ErrorCode::InvalidValue, "agency: the host or a partner of it.").into());
    }
    if let Some(known) = app.store.line(id).await? {
        return if known == line { Ok(Json(LineAdded { line, code: None })) } else { Err(ErrorCode::Conflict.into()) };
    }
    if app.store.lines().await?.len() >= MAX_LINES {
        return Err(Problem::with(ErrorCode::TooLarge, format!("At most {MAX_LINES} lines.")).into());
    }
    let (added, device) = (line.clone(), caller.device);
    let code = draw(&app, code_digits, move |tx, digest| {
        let line = added.clone();
        Box::pin(async move {
            tx.save_line(&line, Some(digest), now).await?;
            tx.audit(now, Some(device), "line.add", line.id, line.agency).await
        })
    })
    .await?;
    Ok(Json(LineAdded { line, code: Some(code) }))
}

/// Changes a line, for the same callers.
#[utoipa::path(put, path = "/v1/lines/{line}", tag = "intake", request_body = LineSettings,
    params(("line" = LineId, Path, description = "The line")),
    responses((status = 200, body = Line), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(super) async fn change(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<LineId>,
    Json(settings): Json<LineSettings>,
) -> Result<Json<Line>> {
    let now = app.clock.now();
    keeper(&app, &caller, now).await?;
    let known = app.store.line(id).await?.ok_or(ErrorCode::NotFound)?;
    let line = line(id, known.agency, settings);
    line.validate()?;
    must_know_place(&app, &line).await?;
    let changed = line.clone();
    app.store
        .write(move |tx| {
            Box::pin(async move {
                tx.line(id).await?.ok_or(ErrorCode::NotFound)?;
                tx.save_line(&changed, None, now).await?;
                let detail = if changed.active { "active" } else { "not active" };
                tx.audit(now, Some(caller.device), "line.change", id, detail).await
            })
        })
        .await?;
    Ok(Json(line))
}

/// Gives a line a new code, for the same callers: the old one opens nothing from now on.
#[utoipa::path(post, path = "/v1/lines/{line}/code", tag = "intake",
    params(("line" = LineId, Path, description = "The line")),
    responses((status = 200, body = LineAdded), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn renew_code(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<LineId>,
) -> Result<Json<LineAdded>> {
    let now = app.clock.now();
    keeper(&app, &caller, now).await?;
    let line = app.store.line(id).await?.ok_or(ErrorCode::NotFound)?;
    let device = caller.device;
    let code = draw(&app, *CODE_DIGITS.end(), move |tx, digest| {
        Box::pin(async move {
            let done = sql::query("UPDATE lines SET code = $2 WHERE line = $1 AND removed_at IS NULL")
                .bind(id.as_bytes())
                .bind(digest.as_slice())
                .execute(&mut *tx.conn)
                .await?;
            if done.rows_affected() == 0 {
                return Err(ErrorCode::NotFound.into());
            }
            tx.audit(now, Some(device), "line.code", id, "").await
        })
    })
    .await?;
    Ok(Json(LineAdded { line, code: Some(code) }))
}

/// Removes a line with its keys, for the same callers. Its open callouts go on.
#[utoipa::path(delete, path = "/v1/lines/{line}", tag = "intake",
    params(("line" = LineId, Path, description = "The line")),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn remove(State(app): State<Shared>, caller: Caller, Path(id): Path<LineId>) -> Result<StatusCode> {
    let now = app.clock.now();
    keeper(&app, &caller, now).await?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                tx.line(id).await?.ok_or(ErrorCode::NotFound)?;
                for sql in [
                    "UPDATE lines SET removed_at = $2, active = 0 WHERE line = $1",
                    "UPDATE intake_keys SET revoked_at = coalesce(revoked_at, $2) WHERE line = $1",
                ] {
                    sql::query(sql).bind(id.as_bytes()).bind(now.0).execute(&mut *tx.conn).await?;
                }
                tx.audit(now, Some(caller.device), "line.remove", id, "").await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Draws a code that no other line has, and writes its digest down with `save`.
async fn draw<F>(app: &Shared, digits: u8, save: F) -> Result<Secret>
where
    F: for<'t> Fn(&'t mut crate::store::Tx<'_>, [u8; 32]) -> futures_util::future::BoxFuture<'t, Result<()>>
        + Clone
        + Send
        + Sync
        + 'static,
{
    let salt = app.store.line_salt().await?;
    for _ in 0..DRAWS {
        let code = codes::make(digits)?;
        let digest = app.phone.codes.slow.digest(code.clone(), salt).await?;
        let save = save.clone();
        let saved = app.store.write(move |tx| {
            Box::pin(async move {
                if tx.has_code(digest).await? {
                    return Ok(false);
                }
                save(tx, digest).await?;
                Ok(true)
            })
        });
        if saved.await? {
            return Ok(code);
        }
    }
    Err(Problem::with(ErrorCode::Unavailable, "No free code was found: try again, with more digits.").into())
}

fn line(id: LineId, agency: OrgId, settings: LineSettings) -> Line {
    let LineSettings { zone, site, languages, active, quota } = settings;
    Line { id, agency, zone, site, languages, active, quota }
}
