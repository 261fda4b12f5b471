//! Calls that are going on, in the database: a call survives a restart of the server, and a repeated request finds that it
//! was answered. Gone after a day, with what is remembered of SMS.

use super::{duty::Duty, menu::Menu};
use crate::store::sql::{self, Executor};
use crate::{
    Error, Result,
    store::{Store, Tx},
};
use firstlight_protocol::{
    CalloutId, PersonId, Timestamp,
    callout::{Language, Phone},
    wire::{from_cbor, to_cbor},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How long a call and a message are remembered: a provider repeats a request for minutes, not days.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// Which call or message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sid(pub(super) [u8; 32]);

impl Sid {
    /// From the account and the provider's own id.
    pub(super) fn of(account: &str, sid: &str) -> Self {
        let hash = Sha256::new_with_prefix(b"firstlight call").chain_update(account).chain_update([0]);
        Self(hash.chain_update(sid).finalize().into())
    }
}

/// Who is on the line, and how far the dialogue is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Dialogue {
    /// A responder who is called.
    Page { person: PersonId, callout: CalloutId, languages: Vec<Language>, menu: Menu },
    /// An officer who calls the duty number; without a number where it is hidden.
    Duty { caller: Option<Phone>, duty: Duty },
}

/// A call as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// Rises with every answer.
    pub(super) step: u32,
    pub(super) dialogue: Dialogue,
}

async fn load<'e>(db: impl Executor<'e>, sid: Sid) -> Result<Option<Call>> {
    let row = sql::query("SELECT step, state FROM phone_calls WHERE call = $1")
        .bind(sid.0.as_slice())
        .fetch_optional(db)
        .await?;
    row.map(|row| {
        let state: Vec<u8> = row.get("state");
        let dialogue = from_cbor(&state).map_err(|e| Error::internal(format!("stored call: {e}")))?;
        Ok(Call { step: row.get("step"), dialogue })
    })
    .transpose()
}

impl Store {
    /// A call that is going on.
    pub(super) async fn phone_call(&self, sid: Sid) -> Result<Option<Call>> {
        load(self.read(), sid).await
    }
}

impl Tx<'_> {
    /// Writes a new call down; answers with the one that is known, if this request came before.
    pub(super) async fn begin_call(&mut self, sid: Sid, dialogue: Dialogue, now: Timestamp) -> Result<Call> {
        self.forget_calls(now).await?;
        sql::query("INSERT INTO phone_calls (call, at, step, state) VALUES ($1, $2, 0, $3) ON CONFLICT DO NOTHING")
            .bind(sid.0.as_slice())
            .bind(now.0)
            .bind(to_cbor(&dialogue))
            .execute(&mut *self.conn)
            .await?;
        load(&mut *self.conn, sid).await?.ok_or_else(|| Error::internal("a call was not written"))
    }

    /// Writes the next state of a call down, if nobody else did meanwhile; answers with how it stands then.
    pub(super) async fn go_on(&mut self, sid: Sid, step: u32, dialogue: &Dialogue) -> Result<Call> {
        sql::query("UPDATE phone_calls SET step = step + 1, state = $3 WHERE call = $1 AND step = $2")
            .bind(sid.0.as_slice())
            .bind(step)
            .bind(to_cbor(dialogue))
            .execute(&mut *self.conn)
            .await?;
        load(&mut *self.conn, sid).await?.ok_or_else(|| Error::internal("a call is gone"))
    }

    /// What was answered to this SMS, if it came before.
    pub(super) async fn known_message(&mut self, sid: Sid) -> Result<Option<String>> {
        Ok(sql::query_scalar("SELECT answer FROM phone_messages WHERE message = $1")
            .bind(sid.0.as_slice())
            .fetch_optional(&mut *self.conn)
            .await?)
    }

    /// Remembers what was answered to an SMS.
    pub(super) async fn remember_message(&mut self, sid: Sid, answer: &str, now: Timestamp) -> Result<()> {
        self.forget_calls(now).await?;
        sql::query("INSERT INTO phone_messages (message, at, answer) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(sid.0.as_slice())
            .bind(now.0)
            .bind(answer)
            .execute(&mut *self.conn)
            .await?;
        Ok(())
    }

    async fn forget_calls(&mut self, now: Timestamp) -> Result<()> {
        for sql in ["DELETE FROM phone_calls WHERE at < $1", "DELETE FROM phone_messages WHERE at < $1"] {
            sql::query(sql).bind((now - KEPT).0).execute(&mut *self.conn).await?;
        }
        Ok(())
    }
}
