//! Keys of agencies' dispatch systems: made and revoked by the host's admins and supervisors, shown once.

use super::{lines::keeper, slow};
use crate::store::sql::{self, Row};
use crate::{
    Error, Result, Shared,
    app::random,
    caller::Caller,
    extract::{Json, Path},
    store::{Tx, id, word},
};
use axum::{
    extract::{FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
};
use firstlight_protocol::{
    ErrorCode, IntakeKeyId, LineId, Problem, Secret, Timestamp,
    api::{AddIntakeKey, IntakeKeyAdded, IntakeKeyView, IntakeScope, MAX_KEYS_PER_LINE},
    line::Line,
};
use std::time::Duration;

/// What every key begins with, so that it is recognised where it should not be.
const PREFIX: &str = "flk_";
/// How often the last use is written down.
const NOTED_EVERY: Duration = Duration::from_secs(60);

/// Makes a key for a line: for the host's admins and supervisors. The key is in this answer and nowhere else. The same
/// request again makes nothing, and is answered without the key.
#[utoipa::path(post, path = "/v1/lines/{line}/keys", tag = "intake", request_body = AddIntakeKey,
    params(("line" = LineId, Path, description = "The line")),
    responses((status = 200, body = IntakeKeyAdded), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn add(
    State(app): State<Shared>,
    caller: Caller,
    Path(line): Path<LineId>,
    Json(request): Json<AddIntakeKey>,
) -> Result<Json<IntakeKeyAdded>> {
    let now = app.clock.now();
    keeper(&app, &caller, now).await?;
    request.validate(now)?;
    let secret = Secret::new(format!("{PREFIX}{}", Secret::from_random(&random::<32>()?).reveal()));
    let digest = secret.digest();
    let (key, made) = app
        .store
        .write(move |tx| Box::pin(async move { tx.add_key(&caller, line, request, digest, now).await }))
        .await?;
    Ok(Json(IntakeKeyAdded { key, secret: made.then_some(secret) }))
}

/// The keys of a line, newest first, revoked and expired ones too: for the same callers.
#[utoipa::path(get, path = "/v1/lines/{line}/keys", tag = "intake",
    params(("line" = LineId, Path, description = "The line")),
    responses((status = 200, body = Vec<IntakeKeyView>), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Path(line): Path<LineId>,
) -> Result<Json<Vec<IntakeKeyView>>> {
    keeper(&app, &caller, app.clock.now()).await?;
    app.store.line(line).await?.ok_or(ErrorCode::NotFound)?;
    let rows = sql::query("SELECT * FROM intake_keys WHERE line = $1 ORDER BY made_at DESC, key LIMIT 200")
        .bind(line.as_bytes())
        .fetch_all(app.store.read())
        .await?;
    rows.iter().map(view).collect::<Result<_>>().map(Json)
}

/// Revokes a key, for the same callers: from this answer on it opens nothing.
#[utoipa::path(delete, path = "/v1/lines/{line}/keys/{key}", tag = "intake",
    params(("line" = LineId, Path, description = "The line"), ("key" = IntakeKeyId, Path, description = "The key's id")),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn revoke(
    State(app): State<Shared>,
    caller: Caller,
    Path((line, key)): Path<(LineId, IntakeKeyId)>,
) -> Result<StatusCode> {
    let now = app.clock.now();
    keeper(&app, &caller, now).await?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let row = sql::query("SELECT revoked_at FROM intake_keys WHERE key = $1 AND line = $2")
                    .bind(key.as_bytes())
                    .bind(line.as_bytes())
                    .fetch_optional(&mut *tx.conn)
                    .await?
                    .ok_or(ErrorCode::NotFound)?;
                if row.get::<Option<i64>>("revoked_at").is_some() {
                    return Ok(());
                }
                sql::query("UPDATE intake_keys SET revoked_at = $2 WHERE key = $1")
                    .bind(key.as_bytes())
                    .bind(now.0)
                    .execute(&mut *tx.conn)
                    .await?;
                tx.audit(now, Some(caller.device), "intake_key.revoke", key, line).await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(row: &Row) -> Result<IntakeKeyView> {
    let scopes: String = row.get("scopes");
    let at = |column: &str| row.get::<Option<i64>>(column).map(Timestamp);
    Ok(IntakeKeyView {
        id: id(row.get("key"))?,
        line: id(row.get("line"))?,
        scopes: scopes.split_whitespace().map(word).collect::<Result<_>>()?,
        made_at: Timestamp(row.get("made_at")),
        expires_at: Timestamp(row.get("expires_at")),
        revoked_at: at("revoked_at"),
        last_used_at: at("last_used_at"),
    })
}

impl Tx<'_> {
    async fn add_key(
        &mut self,
        caller: &Caller,
        line: LineId,
        request: AddIntakeKey,
        digest: [u8; 32],
        now: Timestamp,
    ) -> Result<(IntakeKeyView, bool)> {
        self.line(line).await?.ok_or(ErrorCode::NotFound)?;
        let AddIntakeKey { id, scopes, expires_at } = request;
        let known = sql::query("SELECT * FROM intake_keys WHERE key = $1")
            .bind(id.as_bytes())
            .fetch_optional(&mut *self.conn)
            .await?;
        if let Some(known) = known.as_ref().map(view).transpose()? {
            let same = (known.line, &known.scopes, known.expires_at) == (line, &scopes, expires_at);
            return if same { Ok((known, false)) } else { Err(ErrorCode::Conflict.into()) };
        }
        let live: i64 = sql::query_scalar(
            "SELECT count(*) FROM intake_keys WHERE line = $1 AND revoked_at IS NULL AND expires_at > $2",
        )
        .bind(line.as_bytes())
        .bind(now.0)
        .fetch_one(&mut *self.conn)
        .await?;
        if live >= i64::try_from(MAX_KEYS_PER_LINE).unwrap_or(i64::MAX) {
            let detail = format!("At most {MAX_KEYS_PER_LINE} live keys: revoke one.");
            return Err(Problem::with(ErrorCode::TooLarge, detail).into());
        }
        let words = scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ");
        sql::query(
            "INSERT INTO intake_keys (key, line, digest, scopes, made_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.as_bytes())
        .bind(line.as_bytes())
        .bind(digest.as_slice())
        .bind(&words)
        .bind(now.0)
        .bind(expires_at.0)
        .execute(&mut *self.conn)
        .await?;
        self.audit(now, Some(caller.device), "intake_key.add", id, format!("{line} {words}")).await?;
        let (revoked_at, last_used_at) = (None, None);
        Ok((IntakeKeyView { id, line, scopes, made_at: now, expires_at, revoked_at, last_used_at }, true))
    }
}

/// A dispatch system that has shown a live key, and the line for which it speaks. Handlers that take one can't be reached
/// without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyHolder {
    pub(super) key: IntakeKeyId,
    pub(super) line: Line,
    scopes: Vec<IntakeScope>,
}

impl KeyHolder {
    /// Refuses a key without this scope.
    pub(super) fn require(&self, scope: IntakeScope) -> Result<()> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        Err(Problem::with(ErrorCode::Forbidden, format!("This key has no scope \"{scope}\".")).into())
    }
}

impl FromRequestParts<Shared> for KeyHolder {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self> {
        let unknown = || Problem::with(ErrorCode::Unauthenticated, "This needs a live intake key.");
        let now = app.clock.now();
        let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
        let value = values.next().filter(|_| parts.headers.get_all(header::AUTHORIZATION).iter().count() == 1);
        let (scheme, key) = value.and_then(|v| v.to_str().ok()?.split_once(' ')).ok_or_else(unknown)?;
        let key = key.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || !key.starts_with(PREFIX) || key.len() > 100 {
            return Err(unknown().into());
        }
        let digest = Secret::new(key).digest();
        let row = sql::query("SELECT * FROM intake_keys WHERE digest = $1")
            .bind(digest.as_slice())
            .fetch_optional(app.store.read())
            .await?
            .filter(|row| slow::same(&row.get::<Vec<u8>>("digest"), &digest))
            .ok_or_else(unknown)?;
        let known = view(&row)?;
        if known.revoked_at.is_some() || known.expires_at <= now {
            return Err(unknown().into());
        }
        app.phone.intake.check(known.id, now)?;
        let line = app.store.line(known.line).await?.ok_or_else(unknown)?;
        if !app.identity.is_partner(line.agency) {
            return Err(Problem::with(ErrorCode::Forbidden, "This agency is no longer a partner of the host.").into());
        }
        if known.last_used_at.is_none_or(|at| now.since(at) >= NOTED_EVERY) {
            note_use(app, known.id, now).await?;
        }
        Ok(Self { key: known.id, line, scopes: known.scopes })
    }
}

async fn note_use(app: &Shared, key: IntakeKeyId, now: Timestamp) -> Result<()> {
    app.store
        .write(move |tx| {
            Box::pin(async move {
                sql::query("UPDATE intake_keys SET last_used_at = $2 WHERE key = $1")
                    .bind(key.as_bytes())
                    .bind(now.0)
                    .execute(&mut *tx.conn)
                    .await?;
                Ok(())
            })
        })
        .await
}
