//! Legal holds: what a court or a counsel has asked to be kept stays, whatever its age, until the hold is released.
//!
//! The operator places and releases them (`firstlight-server hold`), each with a code word for the reason; both stand in
//! the audit trail. A subject may be held for several reasons, and is held until the last of them is released.

use crate::store::{Store, Tx, id, sql, word};
use crate::{Error, Result};
use firstlight_protocol::{CalloutId, RoomId, Timestamp, callout::Code};
use serde::Serialize;
use std::{fmt, str::FromStr};

/// What can be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Subject {
    /// A callout, with its pages, its room and its room's log.
    Callout(CalloutId),
    /// A room with its log; a callout's room holds the callout too.
    Room(RoomId),
}

/// A hold that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// What is held.
    pub subject: Subject,
    /// Why: a code word of the operator's.
    pub reason: Code,
    /// Since when.
    pub placed_at: Timestamp,
}

impl Subject {
    fn kind(self) -> &'static str {
        match self {
            Self::Callout(_) => "callout",
            Self::Room(_) => "room",
        }
    }

    /// As other entries of the audit trail name it.
    fn id(self) -> String {
        match self {
            Self::Callout(callout) => callout.to_string(),
            Self::Room(room) => room.to_string(),
        }
    }

    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Callout(callout) => callout.0.to_vec(),
            Self::Room(room) => room.0.to_vec(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Callout(callout) => write!(f, "callout:{callout}"),
            Self::Room(room) => write!(f, "room:{room}"),
        }
    }
}

impl FromStr for Subject {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let subject = match text.split_once(':') {
            Some(("callout", id)) => id.parse().ok().map(Self::Callout),
            Some(("room", id)) => id.parse().ok().map(Self::Room),
            _ => None,
        };
        subject.ok_or("write callout:ID or room:ID")
    }
}

impl Tx<'_> {
    /// Places a hold; false if it stands already.
    ///
    /// # Errors
    /// A sentence for the operator if there is no such thing, or nothing of it is left.
    pub async fn place_hold(&mut self, subject: Subject, reason: &Code, now: Timestamp) -> Result<bool> {
        let there = match subject {
            Subject::Callout(_) => "SELECT 1 FROM callouts WHERE callout = $1",
            Subject::Room(_) => "SELECT 1 FROM rooms WHERE room = $1",
        };
        if sql::query(there).bind(subject.bytes()).fetch_optional(&mut *self.conn).await?.is_none() {
            return Err(Error::internal(format!("there is no {subject}: is the id right, or was it purged?")));
        }
        let placed = sql::query(
            "INSERT INTO holds (kind, subject, reason, placed_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(subject.kind())
        .bind(subject.bytes())
        .bind(reason.as_str())
        .bind(now.0)
        .execute(&mut *self.conn)
        .await?;
        if placed.rows_affected() == 0 {
            return Ok(false);
        }
        self.audit(now, None, "hold.add", subject.id(), format!("{} {reason}", subject.kind())).await?;
        Ok(true)
    }

    /// Releases a hold; false if there is none.
    pub async fn release_hold(&mut self, subject: Subject, reason: &Code, now: Timestamp) -> Result<bool> {
        let released = sql::query("DELETE FROM holds WHERE kind = $1 AND subject = $2 AND reason = $3")
            .bind(subject.kind())
            .bind(subject.bytes())
            .bind(reason.as_str())
            .execute(&mut *self.conn)
            .await?;
        if released.rows_affected() == 0 {
            return Ok(false);
        }
        self.audit(now, None, "hold.release", subject.id(), format!("{} {reason}", subject.kind())).await?;
        Ok(true)
    }
}

impl Store {
    /// The holds that stand, oldest first.
    ///
    /// # Errors
    /// If the database can't be read.
    pub async fn holds(&self) -> Result<Vec<Hold>> {
        let rows = sql::query("SELECT kind, subject, reason, placed_at FROM holds ORDER BY placed_at, subject, reason")
            .fetch_all(self.read())
            .await?;
        let hold = |row: &sql::Row| {
            let subject = match row.get("kind") {
                "callout" => Subject::Callout(id(row.get("subject"))?),
                _ => Subject::Room(id(row.get("subject"))?),
            };
            let (reason, placed_at) = (word(row.get("reason"))?, Timestamp(row.get("placed_at")));
            Ok(Hold { subject, reason, placed_at })
        };
        rows.iter().map(hold).collect()
    }
}
