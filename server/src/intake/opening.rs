//! How a line opens a callout: once for each call, message or request, and no more than its quota.

use super::codes::caller_digest;
use crate::{
    Result,
    store::{Tx, id},
};
use firstlight_protocol::{
    CalloutId, ErrorCode, Problem, Timestamp,
    api::IntakeCallout,
    attention::Attention,
    callout::{CalloutView, OpenCallout, Purpose},
    line::Line,
    wire::to_cbor,
};
use sha2::{Digest, Sha256};
use sqlx::Row;
use std::time::Duration;

/// The same number on the same line within this is the same officer, who wonders whether it worked.
const REPEATED_WITHIN: Duration = Duration::from_secs(60);
/// A quota counts the callouts of this time.
const QUOTA_OVER: Duration = Duration::from_secs(24 * 3600);
/// How often supervisors hear that a line's quota is used up.
const WARNED_EVERY: Duration = Duration::from_secs(3600);

/// Which request this is: the same one again never opens a second callout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestId([u8; 32]);

impl RequestId {
    /// From what names it where it comes from: a provider's account and its id of the call, a key and its Idempotency-Key.
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new_with_prefix(b"firstlight line request");
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    fn callout(self) -> CalloutId {
        let mut id = [0; 16];
        id.copy_from_slice(&Sha256::new_with_prefix(b"firstlight line callout").chain_update(self.0).finalize()[..16]);
        CalloutId(id)
    }

    /// Its 32 bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Opened {
    /// This request has opened it.
    New(Box<CalloutView>),
    /// It was open: by the same request before, or by the same officer a moment ago.
    Known(Box<CalloutView>),
    /// The line may open no more now.
    Exhausted,
}

impl Tx<'_> {
    /// Opens a callout for a line. `by_phone`: an officer who called or wrote, from `asked.call_back`; calling twice within
    /// a minute is once.
    ///
    /// # Errors
    /// `conflict` where the request was made before with other content; `forbidden` for a line that is not active; and
    /// what the engine refuses.
    pub(crate) async fn open_from_line(
        &mut self,
        line: &Line,
        request: RequestId,
        asked: &IntakeCallout,
        by_phone: bool,
        now: Timestamp,
    ) -> Result<Opened> {
        let line = self
            .line(line.id)
            .await?
            .filter(|line| line.active)
            .ok_or_else(|| Problem::with(ErrorCode::Forbidden, "This line opens no callouts now."))?;
        let content: [u8; 32] = Sha256::digest(to_cbor(asked)).into();
        let caller = by_phone.then(|| caller_digest(asked.call_back.as_str()));
        if let Some(known) = self.known(&line, request, content, caller, now).await? {
            return Ok(Opened::Known(Box::new(known)));
        }
        let opened: i64 = sqlx::query_scalar("SELECT count(*) FROM line_callouts WHERE line = $1 AND at > $2")
            .bind(line.id.as_bytes())
            .bind((now - QUOTA_OVER).0)
            .fetch_one(&mut *self.conn)
            .await?;
        if opened >= i64::from(line.quota) {
            self.warn_of_quota(&line, now).await?;
            return Ok(Opened::Exhausted);
        }
        let routing = asked.routing(&line, now)?;
        let caller_number = asked.text_caller.then(|| asked.call_back.clone());
        let open = OpenCallout { id: request.callout(), routing, purpose: Purpose::Real };
        let view = self.open_callout_from_line(&line, open, caller_number, now).await?;
        sqlx::query(
            "INSERT INTO line_callouts (request, content, line, callout, caller, at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(request.as_bytes())
        .bind(content.as_slice())
        .bind(line.id.as_bytes())
        .bind(view.id.as_bytes())
        .bind(caller.map(|caller| caller.to_vec()))
        .bind(now.0)
        .execute(&mut *self.conn)
        .await?;
        self.audit(now, None, "line.opened", view.id, line.id).await?;
        Ok(Opened::New(Box::new(view)))
    }

    /// Once an hour: whoever is turned away calls again.
    async fn warn_of_quota(&mut self, line: &Line, now: Timestamp) -> Result<()> {
        let due = sqlx::query("UPDATE lines SET warned_at = $2 WHERE line = $1 AND coalesce(warned_at, 0) <= $3")
            .bind(line.id.as_bytes())
            .bind(now.0)
            .bind((now - WARNED_EVERY).0)
            .execute(&mut *self.conn)
            .await?;
        if due.rows_affected() == 0 {
            return Ok(());
        }
        self.raise_attention(Attention::LineExhausted { line: line.id }, now).await
    }

    /// The callout that this request, or the same officer a moment ago, has opened.
    async fn known(
        &mut self,
        line: &Line,
        request: RequestId,
        content: [u8; 32],
        caller: Option<[u8; 32]>,
        now: Timestamp,
    ) -> Result<Option<CalloutView>> {
        let same = sqlx::query("SELECT content, callout, line FROM line_callouts WHERE request = $1")
            .bind(request.as_bytes())
            .fetch_optional(&mut *self.conn)
            .await?;
        let callout = match same {
            // A provider's repeated request may differ in what the network adds; a dispatch system's must not.
            Some(row) if caller.is_none() && row.get::<Vec<u8>, _>("content") != content => {
                let detail = "This Idempotency-Key was used for another callout.";
                return Err(Problem::with(ErrorCode::Conflict, detail).into());
            }
            Some(row) => Some(row.get("callout")),
            None => {
                sqlx::query_scalar(
                    "SELECT callout FROM line_callouts WHERE line = $1 AND caller = $2 AND at > $3 ORDER BY at DESC LIMIT 1",
                )
                .bind(line.id.as_bytes())
                .bind(caller.map(|caller| caller.to_vec()))
                .bind((now - REPEATED_WITHIN).0)
                .fetch_optional(&mut *self.conn)
                .await?
            }
        };
        let Some(callout) = callout.map(id::<CalloutId>).transpose()? else { return Ok(None) };
        self.view_from_line(line, callout, now).await
    }
}
