//! A device's inbox: notices in a gapless sequence of its own, kept until the device has acknowledged them.

use super::log::place;
use crate::store::sql;
use crate::{
    Result,
    store::{Store, Tx},
};
use firstlight_protocol::{
    CalloutId, DeviceId, Timestamp,
    api::{InboxItem, InboxPage, Notice},
    wire::{from_cbor, to_cbor},
};
use std::time::Duration;

/// A connected device has fetched a view long before.
const FETCHED: Duration = Duration::from_secs(60);

impl Tx<'_> {
    /// Puts a notice into a device's inbox; its sockets hear of it after the commit. Answers with its place.
    pub async fn push_inbox(&mut self, device: DeviceId, at: Timestamp, notice: &Notice) -> Result<u64> {
        let row = sql::query(
            "INSERT INTO inboxes (device, head) VALUES ($1, 1)
             ON CONFLICT (device) DO UPDATE SET head = inboxes.head + 1 + inboxes.skip RETURNING head, skip",
        )
        .bind(device.as_bytes())
        .fetch_one(&mut *self.conn)
        .await?;
        let (head, skip): (i64, i64) = (row.get("head"), row.get("skip"));
        if skip > 0 {
            sql::query("UPDATE inboxes SET skip = 0 WHERE device = $1")
                .bind(device.as_bytes())
                .execute(&mut *self.conn)
                .await?;
        }
        let shows = match notice {
            Notice::Callout { view } => Some(view.id),
            _ => None,
        };
        if let Some(callout) = shows {
            self.expire_views(device, callout, at).await?;
        }
        sql::query("INSERT INTO inbox_items (device, seq, prev, at, notice, shows) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(device.as_bytes())
            .bind(head)
            .bind((skip > 0).then_some(head - 1 - skip))
            .bind(at.0)
            .bind(to_cbor(notice))
            .bind(shows.map(|callout| callout.0.to_vec()))
            .execute(&mut *self.conn)
            .await?;
        self.after.inbox(device);
        Ok(head.cast_unsigned())
    }

    /// A device that is away needs the newest view of a callout alone; the places of older ones stay.
    async fn expire_views(&mut self, device: DeviceId, callout: CalloutId, now: Timestamp) -> Result<()> {
        sql::query("UPDATE inbox_items SET notice = $4, shows = NULL WHERE device = $1 AND shows = $2 AND at < $3")
            .bind(device.as_bytes())
            .bind(callout.as_bytes())
            .bind((now - FETCHED).0)
            .bind(to_cbor(&Notice::Expired {}))
            .execute(&mut *self.conn)
            .await?;
        Ok(())
    }
}

impl Store {
    /// Up to `limit` items after `after`.
    pub async fn inbox(&self, device: DeviceId, after: u64, limit: usize) -> Result<InboxPage> {
        let rows = sql::query(
            "SELECT seq, prev, at, notice FROM inbox_items WHERE device = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        )
        .bind(device.as_bytes())
        .bind(place(after))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(self.read())
        .await?;
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let notice: Vec<u8> = row.get("notice");
            items.push(InboxItem {
                seq: row.get::<i64>("seq").cast_unsigned(),
                prev: row.get::<Option<i64>>("prev").map(i64::cast_unsigned),
                at: Timestamp(row.get("at")),
                // One that this version can't read (a newer one wrote it) is not fatal, but it keeps its place: a client
                // takes nothing behind a gap.
                notice: from_cbor(&notice).unwrap_or(Notice::Expired {}),
            });
        }
        let (head, _) = self.inbox_state(device).await?;
        Ok(InboxPage { items, head })
    }

    /// The newest item's place, and the place up to which the device has acknowledged.
    pub async fn inbox_state(&self, device: DeviceId) -> Result<(u64, u64)> {
        let row = sql::query("SELECT head, acked FROM inboxes WHERE device = $1")
            .bind(device.as_bytes())
            .fetch_optional(self.read())
            .await?;
        Ok(row.map_or((0, 0), |row| (row.get::<i64>("head").cast_unsigned(), row.get::<i64>("acked").cast_unsigned())))
    }
}
