//! What a group changed, as a row: for the nodes that share the database.
//!
//! It says what the bus says, in the transaction of the change itself. A node that hears of everything over the bus finds
//! nothing new here; one whose messages were lost looks every second and knows exactly what to look at.

use super::{Store, sql};
use crate::{Result, bus::NodeId};
use firstlight_protocol::{
    DeviceId, RoomId,
    wire::{from_cbor, to_cbor},
};
use serde::{Deserialize, Serialize};

/// Rows that are read at a time.
const READ: i64 = 500;
/// How long rows are kept, in milliseconds: a node that slept longer looks at everything.
const KEPT_MS: i64 = 300_000;
/// The database's time, in milliseconds.
pub(super) const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// What a group changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Changes {
    /// Logs that reach so far now.
    pub(crate) rooms: Vec<(RoomId, u64)>,
    /// Rooms whose members changed.
    pub(crate) members: Vec<RoomId>,
    /// Inboxes that grew.
    pub(crate) inboxes: Vec<DeviceId>,
    /// A timer or a page was written.
    pub(crate) dispatch: bool,
    /// The rota was replaced.
    pub(crate) rota: bool,
    /// Sign-ins ended, devices were revoked, or what the server trusts was replaced.
    pub(crate) identity: bool,
}

/// What a node that looks finds.
#[derive(Debug)]
pub(crate) enum Found {
    /// These, by other nodes; and the turn up to which that is all.
    Changes(Vec<Changes>, i64),
    /// Too much was missed: anything may have changed up to this turn.
    Anything(i64),
}

impl Changes {
    pub(super) fn row(&self) -> Vec<u8> {
        to_cbor(self)
    }
}

impl Store {
    /// What other nodes changed after turn `after`, if the newest is `turn`.
    pub(crate) async fn changes(&self, after: i64, turn: i64, node: NodeId) -> Result<Found> {
        let rows = sql::query("SELECT turn, node, body FROM changes WHERE turn > $1 ORDER BY turn LIMIT $2")
            .bind(after)
            .bind(READ)
            .fetch_all(self.read_for_dispatch())
            .await?;
        // Every group has a row, so the first one has to be the next one.
        let next = rows.first().map(|row| row.get::<i64>("turn"));
        if after < turn && next != Some(after + 1) {
            return Ok(Found::Anything(turn));
        }
        let (mut found, mut until) = (Vec::new(), after);
        for row in &rows {
            until = row.get("turn");
            if row.get::<&[u8]>("node") == node.0.as_slice() {
                continue;
            }
            match from_cbor(row.get("body")) {
                Ok(changes) => found.push(changes),
                // Of another version: whatever it is.
                Err(_) => return Ok(Found::Anything(turn)),
            }
        }
        Ok(Found::Changes(found, until))
    }

    /// Deletes rows that nobody needs any more.
    pub(crate) async fn forget_changes(&self) -> Result<()> {
        let old = sqlx::AssertSqlSafe(format!("DELETE FROM changes WHERE at < {NOW} - $1"));
        sql::query(old).bind(KEPT_MS).execute(self.read_for_dispatch()).await?;
        Ok(())
    }
}

/// Rooms in one query.
const CHUNK: usize = 64;

impl Store {
    /// How far the logs of these rooms reach; those that don't exist any more are left out.
    pub(crate) async fn heads(&self, rooms: &[RoomId]) -> Result<Vec<(RoomId, u64)>> {
        let places: Vec<String> = (1..=CHUNK).map(|place| format!("${place}")).collect();
        let text = format!(
            "SELECT room, (SELECT COALESCE(MAX(seq), 0) FROM entries WHERE entries.room = rooms.n) AS head
             FROM rooms WHERE room IN ({})",
            places.join(",")
        );
        let mut heads = Vec::with_capacity(rooms.len());
        for chunk in rooms.chunks(CHUNK) {
            // Always the same number of values, so that the statement is prepared once.
            let mut query = sql::query(sqlx::AssertSqlSafe(text.clone()));
            for place in 0..CHUNK {
                query = query.bind(chunk.get(place).map(|room| room.as_bytes()));
            }
            for row in query.fetch_all(self.read()).await? {
                heads.push((super::id(row.get("room"))?, row.get::<i64>("head").cast_unsigned()));
            }
        }
        Ok(heads)
    }
}
