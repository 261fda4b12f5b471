//! The duty key: how a locked device signs in for its holder's own callouts and nothing else.
//!
//! Somebody who was asleep accepts within seconds and types no passphrase first (DOMAIN.md, "At night" 1), so a device may
//! name a second key, which its browser holds and never gives out. Its tokens have the scope `duty`: every handler is
//! closed to them unless it takes an [`super::OnDuty`]. They carry a role that has callouts of its own and no more, so that
//! even an open handler shows a supervisor's locked telephone what it shows an advocate's.

use super::{SignedIn, challenge, sessions::Attempt, to_the_end, token::Scope};
use crate::store::sql::{self, Executor};
use crate::{
    Error, Result,
    app::{Shared, random},
    caller::Caller,
    extract::Json,
    limit::Peer,
    store::{Store, Tx, id},
};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{
    DeviceId, ErrorCode, Problem, Role, SessionId, Timestamp,
    api::{DutyAccess, DutySignIn, Me, PutDutyKey},
    signed::duty_challenge_message,
};
use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier};

/// Registers the calling device's duty key, in place of the one before. The same key again changes nothing.
///
/// For those who open or answer callouts. Tokens of the key before end at once.
#[utoipa::path(put, path = "/v1/devices/me/duty-key", tag = "identity", request_body = PutDutyKey, responses(
    (status = 204), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn put(
    caller: Caller,
    State(app): State<Shared>,
    Json(PutDutyKey { key }): Json<PutDutyKey>,
) -> Result<StatusCode> {
    if on_duty(caller.role).is_none() {
        return Err(Problem::with(ErrorCode::Forbidden, "Your role neither opens nor answers callouts.").into());
    }
    let now = app.clock.now();
    app.identity.limits.change.check(caller.device, now)?;
    if key.len() != 65 || VerifyingKey::from_sec1_bytes(&key).is_err() {
        return Err(Problem::with(ErrorCode::InvalidValue, "key: an uncompressed P-256 point of 65 bytes.").into());
    }
    let next = SessionId(random()?);
    to_the_end(async move {
        let ended = app
            .store
            .write(move |tx| Box::pin(async move { tx.replace_duty_key(caller.device, next, &key, now).await }))
            .await?;
        app.end_sessions(&ended, now);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Gives the calling device's duty key up; its tokens end at once. Without one nothing changes.
#[utoipa::path(delete, path = "/v1/devices/me/duty-key", tag = "identity",
    responses((status = 204), (status = 401, body = Problem)))]
pub(super) async fn delete(SignedIn(caller): SignedIn, State(app): State<Shared>) -> Result<StatusCode> {
    let now = app.clock.now();
    to_the_end(async move {
        let ended = app
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let ended = tx.end_duty_key(caller.device, now).await?;
                    if !ended.is_empty() {
                        tx.audit(now, Some(caller.device), "duty_key.remove", caller.device, "").await?;
                    }
                    Ok(ended)
                })
            })
            .await?;
        app.end_sessions(&ended, now);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Signs in with the duty key's signature over a challenge, for the caller's own callouts alone.
///
/// A wrong signature counts towards the lockout of the device's sign-in; a right one comes in all the same.
#[utoipa::path(post, path = "/v1/auth/duty", tag = "identity", request_body = DutySignIn, security(()),
    responses((status = 200, body = DutyAccess), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 429, body = Problem)))]
pub(super) async fn sign_in(
    peer: Peer,
    State(app): State<Shared>,
    Json(request): Json<DutySignIn>,
) -> Result<Json<DutyAccess>> {
    let (now, identity) = (app.clock.now(), &app.identity);
    identity.limits.stranger.check_peer(peer, now)?;
    identity.limits.sign_in.check((request.device, peer), now)?;
    let DutySignIn { device, challenge, signature } = request;
    let expires_at = challenge::check(&identity.tokens, device, &challenge, now)?;
    let known = app.store.device(device).await?.ok_or(ErrorCode::BadSignature)?;
    let registered = app.store.duty_key(device).await?;
    let verified = registered.filter(|registered| {
        let message = duty_challenge_message(&identity.name, device, &challenge);
        let signature = Signature::from_slice(&signature).ok();
        signature.is_some_and(|signature| registered.key.verify(&message, &signature).is_ok())
    });
    if verified.is_some() {
        identity.anchors()?.verify_device(&known.chain, now).map_err(Problem::from)?;
    }
    let (challenge, verified_now) = (challenge.0, verified.is_some());
    let attempt = Attempt { device, challenge, expires_at, verified: verified_now, despite_lockout: true };
    to_the_end(async move {
        let session = verified.map(|registered| registered.session);
        let session = app.store.duty_sign_in(attempt, session, now).await?.ok_or(ErrorCode::BadSignature)?;
        let caller = known.caller(session);
        let me = Me {
            org: caller.org,
            org_kind: caller.org_kind,
            person: caller.person,
            device,
            role: caller.role,
            work_name: known.person.work_name,
        };
        // A role that lost its duties since keeps a key that opens nothing.
        let role = on_duty(caller.role).ok_or(ErrorCode::Forbidden)?;
        let (access, access_expires_at) = app.identity.tokens.access(&Caller { role, ..caller }, Scope::Duty, now)?;
        Ok(Json(DutyAccess { access, access_expires_at, me }))
    })
    .await
}

/// As whom somebody acts by a duty key: with callouts of their own, and nobody else's.
fn on_duty(role: Role) -> Option<Role> {
    match role {
        Role::Advocate | Role::Supervisor => Some(Role::Advocate),
        Role::PoliceOfficer | Role::WatchCommander => Some(Role::PoliceOfficer),
        _ => None,
    }
}

/// A key that signs in.
struct Registered {
    session: SessionId,
    key: VerifyingKey,
}

async fn duty_key<'e>(db: impl Executor<'e>, device: DeviceId) -> Result<Option<Registered>> {
    let row = sql::query("SELECT session, key FROM duty_keys WHERE device = $1 AND ended_at IS NULL")
        .bind(device.as_bytes())
        .fetch_optional(db)
        .await?;
    row.map(|row| {
        let key = VerifyingKey::from_sec1_bytes(row.get("key")).map_err(Error::internal)?;
        Ok(Registered { session: id(row.get("session"))?, key })
    })
    .transpose()
}

impl Store {
    async fn duty_key(&self, device: DeviceId) -> Result<Option<Registered>> {
        duty_key(self.read(), device).await
    }

    /// Lets a device in by the key that `session` stands for, or counts the failure. `None`: not by this key, or no longer.
    async fn duty_sign_in(
        &self,
        attempt: Attempt,
        session: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Option<SessionId>> {
        let refused = self
            .write(move |tx| {
                Box::pin(async move {
                    let device = attempt.device;
                    if let Some(refused) = tx.attempt(&attempt, now).await? {
                        return Ok(Err(refused));
                    }
                    // It may have been replaced since it was read.
                    let current = duty_key(&mut *tx.conn, device).await?.map(|registered| registered.session);
                    let session = session.filter(|session| current == Some(*session));
                    if session.is_some() {
                        tx.audit(now, Some(device), "auth.duty", device, "").await?;
                    }
                    Ok(Ok(session))
                })
            })
            .await?;
        Ok(refused?)
    }
}

impl Tx<'_> {
    /// Puts a key in the place of the device's one; answers with what ended by it.
    async fn replace_duty_key(
        &mut self,
        device: DeviceId,
        session: SessionId,
        key: &[u8],
        now: Timestamp,
    ) -> Result<Vec<SessionId>> {
        let same = "SELECT 1 FROM duty_keys WHERE device = $1 AND key = $2 AND ended_at IS NULL";
        let same: Option<i64> =
            sql::query_scalar(same).bind(device.as_bytes()).bind(key).fetch_optional(&mut *self.conn).await?;
        if same.is_some() {
            return Ok(Vec::new());
        }
        let ended = self.end_duty_key(device, now).await?;
        sql::query("INSERT INTO duty_keys (session, device, key, made_at) VALUES ($1, $2, $3, $4)")
            .bind(session.as_bytes())
            .bind(device.as_bytes())
            .bind(key)
            .bind(now.0)
            .execute(&mut *self.conn)
            .await?;
        self.audit(now, Some(device), "duty_key.put", device, "").await?;
        Ok(ended)
    }

    /// Ends a device's duty key, if it has one.
    pub(super) async fn end_duty_key(&mut self, device: DeviceId, now: Timestamp) -> Result<Vec<SessionId>> {
        sql::query("DELETE FROM duty_keys WHERE ended_at < $1")
            .bind((now - super::live::REMEMBER).0)
            .execute(&mut *self.conn)
            .await?;
        let rows =
            sql::query("UPDATE duty_keys SET ended_at = $2 WHERE device = $1 AND ended_at IS NULL RETURNING session")
                .bind(device.as_bytes())
                .bind(now.0)
                .fetch_all(&mut *self.conn)
                .await?;
        if !rows.is_empty() {
            self.after.identity();
        }
        rows.into_iter().map(|row| id(row.get("session"))).collect()
    }
}
