//! Verifying a contact method: a code goes out by that very channel and comes back through the app.
//!
//! The code has six digits, so what protects it is that it holds ten minutes and five tries. It is stored as a salted
//! digest that covers where it was sent: after a change of address or number it is worth nothing.

use super::ContactRow;
use crate::store::sql;
use crate::{
    Result,
    app::{App, Shared, random},
    caller::Caller,
    extract::{Json, Path},
    runner::{Destination, Ordered},
};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{
    ContactId, ErrorCode, PageId, PersonId, Problem, Timestamp,
    api::{ConfirmContact, MessageKind, VerificationSent},
    policy::ContactState,
};
use sha2::{Digest, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How long a code holds.
const HOLDS: Duration = Duration::from_secs(10 * 60);
/// How often a code may be guessed.
const TRIES: i64 = 5;

/// Sends a six-digit code by the contact method itself, to verify it: for the person, and their organisation's admins
/// and supervisors. A code that was sent before is worth nothing from then on.
#[utoipa::path(post, path = "/v1/people/{person}/contacts/{contact}/verify/start", tag = "identity",
    params(("person" = PersonId, Path, description = "The person"), ("contact" = ContactId, Path, description = "The contact method")),
    responses((status = 200, body = VerificationSent), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(in crate::identity) async fn start(
    caller: Caller,
    State(app): State<Shared>,
    Path((person, contact)): Path<(PersonId, ContactId)>,
) -> Result<Json<VerificationSent>> {
    app.may_keep_contacts(&caller, person).await?;
    let row = app.store.contact(person, contact).await?.ok_or(ErrorCode::NotFound)?;
    let expires_at = send_code(&app, &caller, person, &row).await?;
    Ok(Json(VerificationSent { expires_at }))
}

/// Sends a code to a contact method; until when it holds.
pub(super) async fn send_code(app: &App, caller: &Caller, person: PersonId, row: &ContactRow) -> Result<Timestamp> {
    let (now, contact, device) = (app.clock.now(), row.id(), caller.device);
    // By caller and by destination: nobody's telephone rings because somebody else plays with this.
    app.identity.limits.verify.check((b"caller", caller.person), now)?;
    app.identity.limits.verify.check((b"place", row.place()), now)?;
    let code = i64::try_from(u64::from_be_bytes(random()?) % 1_000_000).unwrap_or_default();
    let (salt, page, expires_at) = (random::<16>()?, PageId(random()?), now + HOLDS);
    let digest = digest(&salt, person, row, code);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                sql::query(
                    "INSERT INTO contact_checks (person, contact, salt, digest, sent_at, expires_at, tries_left)
                     VALUES ($1, $2, $3, $4, $5, $6, $7)
                     ON CONFLICT (person, contact) DO UPDATE SET salt = excluded.salt, digest = excluded.digest,
                         sent_at = excluded.sent_at, expires_at = excluded.expires_at, tries_left = excluded.tries_left",
                )
                .bind(person.as_bytes())
                .bind(contact.as_bytes())
                .bind(salt.as_slice())
                .bind(digest.as_slice())
                .bind(now.0)
                .bind(expires_at.0)
                .bind(TRIES)
                .execute(&mut *tx.conn)
                .await?;
                let (to, kind) = (Destination::Contact(contact), MessageKind::Verify);
                let ordered = Ordered { page, callout: None, person: Some(person), to, kind, attempt: 1, arg: code };
                tx.order_page(&ordered, now).await?;
                tx.audit(now, Some(device), "contact.check", person, contact.to_string()).await
            })
        })
        .await?;
    Ok(expires_at)
}

/// Verifies a contact method by the code that was sent there: from now on pages go to it. Again is harmless.
#[utoipa::path(post, path = "/v1/people/{person}/contacts/{contact}/verify", tag = "identity", request_body = ConfirmContact,
    params(("person" = PersonId, Path, description = "The person"), ("contact" = ContactId, Path, description = "The contact method")),
    responses((status = 204), (status = 404, body = Problem), (status = 422, description = "Not the code", body = Problem)))]
pub(in crate::identity) async fn confirm(
    caller: Caller,
    State(app): State<Shared>,
    Path((person, contact)): Path<(PersonId, ContactId)>,
    Json(ConfirmContact { code }): Json<ConfirmContact>,
) -> Result<StatusCode> {
    app.may_keep_contacts(&caller, person).await?;
    check_code(&app, &caller, person, contact, &code).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a contact method into use if this is the code that was sent there.
///
/// # Errors
/// `invalid_value` if it isn't, `not_found` without such a method.
pub(super) async fn check_code(
    app: &App,
    caller: &Caller,
    person: PersonId,
    contact: ContactId,
    code: &str,
) -> Result<()> {
    let (now, device) = (app.clock.now(), caller.device);
    app.identity.limits.change.check(device, now)?;
    let code = code.parse::<u32>().ok().filter(|_| code.len() == 6).map(i64::from);
    let code = code.ok_or_else(|| Problem::with(ErrorCode::InvalidValue, "code: six digits."))?;
    let right = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let row = tx.contact(person, contact).await?.ok_or(ErrorCode::NotFound)?;
                let right = match take_try(tx, person, contact, now).await? {
                    Some((salt, stored)) => bool::from(digest(&salt, person, &row, code).ct_eq(&stored)),
                    None => return Ok(row.state == ContactState::Verified),
                };
                if right {
                    tx.set_contact_state(person, contact, ContactState::Verified, Some(now)).await?;
                    sql::query("DELETE FROM contact_checks WHERE person = $1 AND contact = $2")
                        .bind(person.as_bytes())
                        .bind(contact.as_bytes())
                        .execute(&mut *tx.conn)
                        .await?;
                    tx.audit(now, Some(device), "contact.verified", person, contact.to_string()).await?;
                }
                // A wrong try is written down, so it is no error here: that would undo it.
                Ok(right)
            })
        })
        .await?;
    if right {
        return Ok(());
    }
    let detail = "This is not the code, or it has expired, or was tried too often: ask for another one.";
    Err(Problem::with(ErrorCode::InvalidValue, detail).into())
}

/// Takes one of the tries that a code has left.
async fn take_try(
    tx: &mut crate::store::Tx<'_>,
    person: PersonId,
    contact: ContactId,
    now: Timestamp,
) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    let row = sql::query(
        "UPDATE contact_checks SET tries_left = tries_left - 1
         WHERE person = $1 AND contact = $2 AND tries_left > 0 AND expires_at > $3 RETURNING salt, digest",
    )
    .bind(person.as_bytes())
    .bind(contact.as_bytes())
    .bind(now.0)
    .fetch_optional(&mut *tx.conn)
    .await?;
    Ok(row.map(|row| (row.get("salt"), row.get("digest"))))
}

/// What is stored of a code. The parts before the place have a fixed length.
fn digest(salt: &[u8], person: PersonId, row: &ContactRow, code: i64) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"firstlight contact code");
    hash.update(salt);
    hash.update(person.as_bytes());
    hash.update(row.id().as_bytes());
    hash.update(code.to_be_bytes());
    hash.update(row.place());
    hash.finalize().into()
}
