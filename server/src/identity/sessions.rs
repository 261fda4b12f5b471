//! Sign-ins in the store: each a family of refresh tokens, of which only the newest is good.

use super::token::Refresh;
use crate::store::sql;
use crate::{
    Error, Result,
    caller::Caller,
    store::{Store, Tx, id},
};
use firstlight_protocol::{DeviceId, ErrorCode, OrgId, Problem, SessionId, Timestamp, limits::REFRESH_LIFETIME};
use std::time::Duration;

/// Wrong signatures in a row before a device has to wait (DOMAIN.md, "What the law turns into", 6).
const FAILURES: i64 = 5;
/// How long it waits. Short, because anybody who knows the device's id can bring it about; open sessions go on.
const LOCKOUT: Duration = Duration::from_secs(60);
/// Sign-ins of one device at a time; the oldest ends when there is one more.
const PER_DEVICE: i64 = 8;
/// Ended sign-ins are forgotten after this; the audit trail keeps them.
pub(crate) const FORGET: Duration = Duration::from_secs(86_400);

/// How a sign-in went. A failure is an outcome and not an error, because it has to be written down.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Signed in; the sign-ins that made room for this one.
    SignedIn(Vec<SessionId>),
    /// Refused.
    Refused(Problem),
}

/// How a refresh went.
#[derive(Debug)]
pub(super) enum Refreshed {
    /// The next token stands; for this caller.
    Next(Box<Caller>),
    /// An old token was used: the whole sign-in has ended.
    Reused,
}

/// An answer to a challenge, and whether its signature was right.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) device: DeviceId,
    pub(super) challenge: Vec<u8>,
    pub(super) expires_at: Timestamp,
    pub(super) verified: bool,
    /// A right signature comes in although wrong ones locked the device: nobody guesses one, and a page must not be missed
    /// because somebody else knows the device's id.
    pub(super) despite_lockout: bool,
}

impl Store {
    /// Opens a sign-in for a device whose signature was checked, or counts the failure.
    pub(super) async fn sign_in(&self, attempt: Attempt, refresh: Refresh, now: Timestamp) -> Result<Outcome> {
        self.write(move |tx| {
            Box::pin(async move {
                let device = attempt.device;
                if let Some(refused) = tx.attempt(&attempt, now).await? {
                    return Ok(Outcome::Refused(refused));
                }
                let ended = tx.make_room(device, now).await?;
                sql::query(
                    "INSERT INTO sessions (session, device, created_at, generation, refresh, refresh_expires_at)
                     VALUES ($1, $2, $3, $4, $5, $6)",
                )
                .bind(refresh.session.as_bytes())
                .bind(device.as_bytes())
                .bind(now.0)
                .bind(refresh.generation.cast_signed())
                .bind(refresh.token.digest().as_slice())
                .bind((now + REFRESH_LIFETIME).0)
                .execute(&mut *tx.conn)
                .await?;
                tx.audit(now, Some(device), "auth.sign_in", refresh.session, "").await?;
                Ok(Outcome::SignedIn(ended))
            })
        })
        .await
    }

    /// Replaces a refresh token by `next`, or ends the whole sign-in if it was replaced before.
    pub(super) async fn refresh(&self, old: Refresh, next: Refresh, now: Timestamp) -> Result<Refreshed> {
        self.write(move |tx| {
            Box::pin(async move {
                let row =
                    sql::query("SELECT device, refresh, refresh_expires_at, ended_at FROM sessions WHERE session = $1")
                        .bind(old.session.as_bytes())
                        .fetch_optional(&mut *tx.conn)
                        .await?
                        .ok_or(ErrorCode::Unauthenticated)?;
                let device: DeviceId = id(row.get("device"))?;
                let over =
                    row.get::<Option<i64>>("ended_at").is_some() || row.get::<i64>("refresh_expires_at") <= now.0;
                if over {
                    return Err(ErrorCode::Unauthenticated.into());
                }
                let current: Vec<u8> = row.get("refresh");
                if !bool::from(subtle::ConstantTimeEq::ct_eq(current.as_slice(), old.token.digest().as_slice())) {
                    tx.end_session(old.session, now).await?;
                    tx.audit(now, Some(device), "auth.refresh_reused", old.session, old.generation).await?;
                    return Ok(Refreshed::Reused);
                }
                sql::query(
                    "UPDATE sessions SET generation = $2, refresh = $3, refresh_expires_at = $4 WHERE session = $1",
                )
                .bind(next.session.as_bytes())
                .bind(next.generation.cast_signed())
                .bind(next.token.digest().as_slice())
                .bind((now + REFRESH_LIFETIME).0)
                .execute(&mut *tx.conn)
                .await?;
                tx.caller(device, next.session).await.map(|caller| Refreshed::Next(Box::new(caller)))
            })
        })
        .await
    }

    /// Ends a sign-in because its holder asks for it.
    pub(super) async fn sign_out(&self, caller: Caller, now: Timestamp) -> Result<()> {
        self.write(move |tx| {
            Box::pin(async move {
                tx.end_session(caller.session, now).await?;
                tx.audit(now, Some(caller.device), "auth.sign_out", caller.session, "").await
            })
        })
        .await
    }
}

impl Tx<'_> {
    /// Uses the challenge of an attempt up, or counts its failure. Answers with the refusal, if it is one: an outcome and
    /// not an error, because it has to be written down.
    pub(super) async fn attempt(&mut self, attempt: &Attempt, now: Timestamp) -> Result<Option<Problem>> {
        if let Some(refused) = self.admit(attempt, now).await? {
            return Ok(Some(refused));
        }
        let fresh = self.answer(&attempt.challenge, attempt.expires_at, now).await?;
        Ok((!fresh).then(|| ErrorCode::BadSignature.into()))
    }

    /// Checks the lockout and counts a failure. Answers with the refusal, if it is one.
    async fn admit(&mut self, attempt: &Attempt, now: Timestamp) -> Result<Option<Problem>> {
        let &Attempt { device, verified, despite_lockout, .. } = attempt;
        let row = sql::query("SELECT failures, locked_until, revoked_at FROM devices WHERE device = $1")
            .bind(device.as_bytes())
            .fetch_optional(&mut *self.conn)
            .await?
            .ok_or(ErrorCode::BadSignature)?;
        let (failures, locked_until): (i64, i64) = (row.get("failures"), row.get("locked_until"));
        if locked_until > now.0 && !(verified && despite_lockout) {
            let wait = Timestamp(locked_until).since(now).as_millis();
            let problem = Problem::with(ErrorCode::RateLimited, "Too many wrong signatures: this device has to wait.");
            return Ok(Some(problem.retry_after_ms(u64::try_from(wait).unwrap_or(u64::MAX))));
        }
        if verified && row.get::<Option<i64>>("revoked_at").is_some() {
            return Ok(Some(ErrorCode::DeviceRevoked.into()));
        }
        let (failures, locked_until) = match (verified, failures + 1) {
            (true, _) => (0, 0),
            (false, FAILURES..) => (0, (now + LOCKOUT).0),
            (false, more) => (more, 0),
        };
        sql::query("UPDATE devices SET failures = $2, locked_until = $3 WHERE device = $1")
            .bind(device.as_bytes())
            .bind(failures)
            .bind(locked_until)
            .execute(&mut *self.conn)
            .await?;
        if locked_until > 0 {
            self.audit(now, None, "auth.lockout", device, FAILURES).await?;
        }
        Ok((!verified).then(|| ErrorCode::BadSignature.into()))
    }

    /// Uses up a challenge; false if it was used before.
    async fn answer(&mut self, challenge: &[u8], expires_at: Timestamp, now: Timestamp) -> Result<bool> {
        sql::query("DELETE FROM answered_challenges WHERE expires_at <= $1")
            .bind(now.0)
            .execute(&mut *self.conn)
            .await?;
        let used = sql::query(
            "INSERT INTO answered_challenges (challenge, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(challenge)
        .bind(expires_at.0)
        .execute(&mut *self.conn)
        .await?;
        Ok(used.rows_affected() == 1)
    }

    /// Ends a device's oldest sign-ins down to one below the bound, and forgets those that are long over.
    async fn make_room(&mut self, device: DeviceId, now: Timestamp) -> Result<Vec<SessionId>> {
        sql::query("DELETE FROM sessions WHERE device = $1 AND (ended_at < $2 OR refresh_expires_at < $2)")
            .bind(device.as_bytes())
            .bind((now - FORGET).0)
            .execute(&mut *self.conn)
            .await?;
        let rows = sql::query(
            "UPDATE sessions SET ended_at = $3 WHERE session IN (
                SELECT session FROM sessions WHERE device = $1 AND ended_at IS NULL
                ORDER BY created_at DESC, session LIMIT 1000000 OFFSET $2
             ) RETURNING session",
        )
        .bind(device.as_bytes())
        .bind(PER_DEVICE - 1)
        .bind(now.0)
        .fetch_all(&mut *self.conn)
        .await?;
        if !rows.is_empty() {
            self.after.identity();
        }
        rows.into_iter().map(|row| id(row.get("session"))).collect()
    }

    async fn end_session(&mut self, session: SessionId, now: Timestamp) -> Result<()> {
        sql::query("UPDATE sessions SET ended_at = $2 WHERE session = $1 AND ended_at IS NULL")
            .bind(session.as_bytes())
            .bind(now.0)
            .execute(&mut *self.conn)
            .await?;
        self.after.identity();
        Ok(())
    }

    /// Ends every sign-in of a device, its refresh families with them.
    pub(super) async fn end_sessions_of_device(&mut self, device: DeviceId, now: Timestamp) -> Result<()> {
        sql::query("UPDATE sessions SET ended_at = $2 WHERE device = $1 AND ended_at IS NULL")
            .bind(device.as_bytes())
            .bind(now.0)
            .execute(&mut *self.conn)
            .await?;
        self.after.identity();
        Ok(())
    }

    /// Ends every sign-in of an organisation's devices.
    pub(super) async fn end_sessions_of_org(&mut self, org: OrgId, now: Timestamp) -> Result<Vec<SessionId>> {
        let rows = sql::query(
            "UPDATE sessions SET ended_at = $2 WHERE ended_at IS NULL
             AND device IN (SELECT device FROM devices WHERE org = $1) RETURNING session",
        )
        .bind(org.as_bytes())
        .bind(now.0)
        .fetch_all(&mut *self.conn)
        .await?;
        self.after.identity();
        rows.into_iter().map(|row| id(row.get("session"))).collect()
    }

    /// The caller that a device is in a sign-in.
    pub(super) async fn caller(&mut self, device: DeviceId, session: SessionId) -> Result<Caller> {
        let device = self.device(device).await?.ok_or_else(|| Error::internal("a sign-in without a device"))?;
        if device.revoked_at.is_some() {
            return Err(ErrorCode::DeviceRevoked.into());
        }
        Ok(device.caller(session))
    }
}

impl super::Device {
    /// The caller that this device is in a sign-in.
    pub(super) fn caller(&self, session: SessionId) -> Caller {
        let super::Person { org, org_kind, person, role, .. } = self.person;
        Caller { org, org_kind, person, device: self.device, role, session }
    }
}
