//! How a line opens a callout: once for each call, message or request, and no more than its quota.

use super::codes::caller_digest;
use crate::store::sql;
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
    /// This request has opened it before.
    Known(Box<CalloutView>),
    /// The same officer has asked for the same a moment ago, and it is still open.
    Recent(Box<CalloutView>),
    /// The line may open no more now.
    Exhausted,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    /// A dispatch system.
    System,
    /// An officer who called or wrote, from `call_back`: asking for the same twice within a minute may be once.
    Officer,
    /// An officer who has said that this is about somebody else.
    OfficerAgain,
}

impl Tx<'_> {
    /// Opens a callout for a line.
    ///
    /// # Errors
    /// `conflict` where the request was made before with other content; `forbidden` for a line that is not active; and
    /// what the engine refuses.
    pub(crate) async fn open_from_line(
        &mut self,
        line: &Line,
        request: RequestId,
        asked: &IntakeCallout,
        asking: Asking,
        now: Timestamp,
    ) -> Result<Opened> {
        let line = self
            .line(line.id)
            .await?
            .filter(|line| line.active)
            .ok_or_else(|| Problem::with(ErrorCode::Forbidden, "This line opens no callouts now."))?;
        let content: [u8; 32] = Sha256::digest(to_cbor(asked)).into();
        let caller = (asking != Asking::System).then(|| caller_digest(asked.call_back.as_str()));
        if let Some(known) = self.known(&line, request, content, asking, now).await? {
            return Ok(Opened::Known(Box::new(known)));
        }
        if asking == Asking::Officer
            && let Some(recent) = self.recent(&line, caller, content, now).await?
        {
            return Ok(Opened::Recent(Box::new(recent)));
        }
        let opened: i64 = sql::query_scalar("SELECT count(*) FROM line_callouts WHERE line = $1 AND at > $2")
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
        sql::query(
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
        let due = sql::query("UPDATE lines SET warned_at = $2 WHERE line = $1 AND coalesce(warned_at, 0) <= $3")
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

    /// The callout that this request has opened.
    async fn known(
        &mut self,
        line: &Line,
        request: RequestId,
        content: [u8; 32],
        asking: Asking,
        now: Timestamp,
    ) -> Result<Option<CalloutView>> {
        let row = sql::query("SELECT content, callout FROM line_callouts WHERE request = $1")
            .bind(request.as_bytes())
            .fetch_optional(&mut *self.conn)
            .await?;
        let Some(row) = row else { return Ok(None) };
        // A provider's repeated request may differ in what the network adds; a dispatch system's must not.
        if asking == Asking::System && row.get::<Vec<u8>>("content") != content {
            let detail = "This Idempotency-Key was used for another callout.";
            return Err(Problem::with(ErrorCode::Conflict, detail).into());
        }
        self.view_from_line(line, id(row.get("callout"))?, now).await
    }

    /// The callout that the same number has asked for with the same words a moment ago. One that is over answers nobody.
    async fn recent(
        &mut self,
        line: &Line,
        caller: Option<[u8; 32]>,
        content: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<CalloutView>> {
        let callout: Option<Vec<u8>> = sql::query_scalar(
            "SELECT callout FROM line_callouts JOIN callouts USING (callout)
             WHERE line = $1 AND caller = $2 AND content = $3 AND at > $4 AND closed = 0 ORDER BY at DESC LIMIT 1",
        )
        .bind(line.id.as_bytes())
        .bind(caller.map(|caller| caller.to_vec()))
        .bind(content.as_slice())
        .bind((now - REPEATED_WITHIN).0)
        .fetch_optional(&mut *self.conn)
        .await?;
        match callout.map(id::<CalloutId>).transpose()? {
            Some(callout) => self.view_from_line(line, callout, now).await,
            None => Ok(None),
        }
    }
}
