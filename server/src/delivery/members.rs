//! Which devices may read which stretch of a room's log.
//!
//! Membership is what the validated MLS commits say. On top of it dispatch can suspend a member: a responder who was
//! stood down gets nothing more from the moment of the stand-down, even before a client has committed the removal.

use crate::store::sql;
use crate::{
    Error, Result,
    store::{Store, Tx, id, word},
};
use firstlight_protocol::{CalloutId, DeviceId, ErrorCode, OrgId, PersonId, RoomId, RoomKind, api::RoomView};

/// The stretch of a log that a device may read: entries after `after`, up to `until` if that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Entries after this one.
    pub after: u64,
    /// The last one, for a device that is no longer a member.
    pub until: Option<u64>,
}

impl Tx<'_> {
    /// Stops serving a room to these devices at once.
    pub async fn suspend_members(&mut self, room: RoomId, devices: &[DeviceId]) -> Result<()> {
        self.set_suspended(room, devices, true).await
    }

    /// Serves the room to these devices again.
    pub async fn resume_members(&mut self, room: RoomId, devices: &[DeviceId]) -> Result<()> {
        self.set_suspended(room, devices, false).await
    }

    /// Stops serving every room to a revoked device; its former room mates' clients commit the removal.
    pub async fn suspend_everywhere(&mut self, device: DeviceId) -> Result<()> {
        let rows = sql::query("SELECT room FROM room_members WHERE device = $1 AND left_seq IS NULL")
            .bind(device.as_bytes())
            .fetch_all(&mut *self.conn)
            .await?;
        for row in rows {
            self.set_suspended(id(row.get("room"))?, &[device], true).await?;
        }
        Ok(())
    }

    async fn set_suspended(&mut self, room: RoomId, devices: &[DeviceId], suspended: bool) -> Result<()> {
        for device in devices {
            sql::query("UPDATE room_members SET suspended = $3 WHERE room = $1 AND device = $2 AND left_seq IS NULL")
                .bind(room.as_bytes())
                .bind(device.as_bytes())
                .bind(suspended)
                .execute(&mut *self.conn)
                .await?;
        }
        self.appender.forget(room);
        self.after.members(room);
        Ok(())
    }

    /// Refuses a device that is not a member now, or is suspended.
    pub async fn require_member(&mut self, room: RoomId, device: DeviceId) -> Result<()> {
        sql::query("SELECT 1 FROM room_members WHERE room = $1 AND device = $2 AND left_seq IS NULL AND suspended = 0")
            .bind(room.as_bytes())
            .bind(device.as_bytes())
            .fetch_optional(&mut *self.conn)
            .await?
            .map(drop)
            .ok_or_else(|| ErrorCode::NotAMember.into())
    }

    /// Devices that are members now, suspended or not, with their people.
    pub async fn room_members(&mut self, room: RoomId) -> Result<Vec<(DeviceId, PersonId)>> {
        let rows = sql::query("SELECT device, person FROM room_members WHERE room = $1 AND left_seq IS NULL")
            .bind(room.as_bytes())
            .fetch_all(&mut *self.conn)
            .await?;
        rows.into_iter().map(|row| Ok((id(row.get("device"))?, id(row.get("person"))?))).collect()
    }
}

impl Store {
    /// What `device` may read of `room`; `None` if it never was a member, or is suspended.
    ///
    /// A device that left and came back may read from its latest joining on: what lies between was not for it.
    pub async fn stretch(&self, room: RoomId, device: DeviceId) -> Result<Option<Stretch>> {
        let row = sql::query(
            "SELECT joined_seq, left_seq, suspended FROM room_members WHERE room = $1 AND device = $2
             ORDER BY n DESC LIMIT 1",
        )
        .bind(room.as_bytes())
        .bind(device.as_bytes())
        .fetch_optional(self.read())
        .await?;
        Ok(row.filter(|row| !row.get::<bool>("suspended")).map(|row| Stretch {
            after: row.get::<i64>("joined_seq").cast_unsigned(),
            until: row.get::<Option<i64>>("left_seq").map(i64::cast_unsigned),
        }))
    }

    /// Refuses a device that is not a member now.
    pub async fn require_member(&self, room: RoomId, device: DeviceId) -> Result<()> {
        match self.stretch(room, device).await? {
            Some(Stretch { until: None, .. }) => Ok(()),
            _ => Err(ErrorCode::NotAMember.into()),
        }
    }

    /// Rooms of which a device is a member now, with how far it has acknowledged each log.
    pub async fn rooms_of(&self, device: DeviceId) -> Result<Vec<(RoomId, u64)>> {
        let rows = sql::query(
            "SELECT m.room, MAX(m.joined_seq, COALESCE(c.seq, 0)) AS seq FROM room_members m
             LEFT JOIN cursors c ON c.device = m.device AND c.room = m.room
             WHERE m.device = $1 AND m.left_seq IS NULL AND m.suspended = 0",
        )
        .bind(device.as_bytes())
        .fetch_all(self.read())
        .await?;
        rows.into_iter().map(|row| Ok((id(row.get("room"))?, row.get::<i64>("seq").cast_unsigned()))).collect()
    }

    /// A room as its members see it.
    pub async fn room_view(&self, room: RoomId) -> Result<RoomView> {
        let row = sql::query(
            "SELECT room, kind, org, callout, epoch,
                    (SELECT COALESCE(MAX(seq), 0) FROM entries WHERE entries.room = rooms.n) AS head
             FROM rooms WHERE room = $1",
        )
        .bind(room.as_bytes())
        .fetch_optional(self.read())
        .await?
        .ok_or(ErrorCode::NotFound)?;
        let members = sql::query("SELECT device FROM room_members WHERE room = $1 AND left_seq IS NULL ORDER BY leaf")
            .bind(room.as_bytes())
            .fetch_all(self.read())
            .await?;
        Ok(RoomView {
            room,
            kind: word::<RoomKind>(row.get("kind"))?,
            org: id::<OrgId>(row.get("org"))?,
            callout: row.get::<Option<Vec<u8>>>("callout").map(id::<CalloutId>).transpose()?,
            epoch: row.get::<i64>("epoch").cast_unsigned(),
            head: row.get::<i64>("head").cast_unsigned(),
            members: members.into_iter().map(|row| id(row.get("device"))).collect::<Result<_, Error>>()?,
        })
    }
}
