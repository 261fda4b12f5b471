//! PINs: what a person keys in before a telephone call takes their answer, where the policy wants it.

use crate::store::sql;
use crate::{
    Result, Shared,
    app::random,
    caller::Caller,
    extract::{Json, Path},
    intake::same,
    store::Tx,
};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{ErrorCode, PersonId, Problem, Role, Secret, Timestamp, api::SetPin, attention::Attention};
use std::time::Duration;

/// So many wrong ones in a row, over however many calls, lock the PIN.
const TRIES: i64 = 9;
/// For this long; every other way of answering stays open.
const LOCKED_FOR: Duration = Duration::from_secs(3600);

/// Sets the PIN that a person keys in before a telephone call takes their answer; without one in the body, takes it away.
/// For the person, and their organisation's admins and supervisors.
#[utoipa::path(put, path = "/v1/people/{person}/pin", tag = "identity", request_body = SetPin,
    params(("person" = PersonId, Path, description = "The person")),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn put(
    State(app): State<Shared>,
    caller: Caller,
    Path(person): Path<PersonId>,
    Json(request): Json<SetPin>,
) -> Result<StatusCode> {
    let known = app.store.person(person).await?.filter(|p| p.org == caller.org).ok_or(ErrorCode::NotFound)?;
    if known.person != caller.person {
        caller.require(&[Role::Admin, Role::Supervisor])?;
    }
    let now = app.clock.now();
    app.identity.check_change(&caller, now)?;
    request.validate()?;
    let salt = random::<16>()?;
    let digest = match request.pin {
        Some(pin) => Some(app.phone.slow.digest(pin, salt).await?),
        None => None,
    };
    app.store
        .write(move |tx| {
            Box::pin(async move {
                sql::query("DELETE FROM pins WHERE person = $1").bind(person.as_bytes()).execute(&mut *tx.conn).await?;
                if let Some(digest) = digest {
                    sql::query("INSERT INTO pins (person, salt, digest, set_at) VALUES ($1, $2, $3, $4)")
                        .bind(person.as_bytes())
                        .bind(salt.as_slice())
                        .bind(digest.as_slice())
                        .bind(now.0)
                        .execute(&mut *tx.conn)
                        .await?;
                }
                let what = if digest.is_some() { "set" } else { "removed" };
                tx.audit(now, Some(caller.device), "person.pin", person, what).await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether somebody has a PIN.
pub(super) async fn has_pin(app: &Shared, person: PersonId) -> Result<bool> {
    let found: Option<i64> = sql::query_scalar("SELECT 1 FROM pins WHERE person = $1")
        .bind(person.as_bytes())
        .fetch_optional(app.store.read())
        .await?;
    Ok(found.is_some())
}

/// Whether this is somebody's PIN. Wrong ones are counted; while the PIN is locked, none is right.
pub(super) async fn is_right(app: &Shared, person: PersonId, pin: Secret, now: Timestamp) -> Result<bool> {
    let row = sql::query("SELECT salt, digest, wrong, wrong_at FROM pins WHERE person = $1")
        .bind(person.as_bytes())
        .fetch_optional(app.store.read())
        .await?;
    let Some(row) = row else { return Ok(false) };
    let (wrong, wrong_at): (i64, i64) = (row.get("wrong"), row.get("wrong_at"));
    if wrong >= TRIES && now.since(Timestamp(wrong_at)) < LOCKED_FOR {
        return Ok(false);
    }
    let (salt, digest): (Vec<u8>, Vec<u8>) = (row.get("salt"), row.get("digest"));
    let Ok(salt) = salt.try_into() else { return Ok(false) };
    let right = same(&app.phone.slow.digest(pin, salt).await?, &digest);
    app.store.write(move |tx| Box::pin(async move { tx.note_pin(person, right, now).await })).await?;
    Ok(right)
}

impl Tx<'_> {
    async fn note_pin(&mut self, person: PersonId, right: bool, now: Timestamp) -> Result<()> {
        if right {
            sql::query("UPDATE pins SET wrong = 0 WHERE person = $1")
                .bind(person.as_bytes())
                .execute(&mut *self.conn)
                .await?;
            return Ok(());
        }
        let wrong: Option<i64> = sql::query_scalar(
            "UPDATE pins SET wrong = CASE WHEN wrong >= $2 THEN 1 ELSE wrong + 1 END, wrong_at = $3 WHERE person = $1 RETURNING wrong",
        )
        .bind(person.as_bytes())
        .bind(TRIES)
        .bind(now.0)
        .fetch_optional(&mut *self.conn)
        .await?;
        match wrong {
            Some(TRIES) => self.raise_attention(Attention::PinsTried { person }, now).await,
            _ => Ok(()),
        }
    }
}
