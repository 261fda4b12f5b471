//! What the database knows of attachments.

use crate::{
    Error, Result,
    caller::Caller,
    config::Attachments,
    store::{Store, Tx, id, sql},
};
use firstlight_protocol::{
    AttachmentId, DeviceId, ErrorCode, Problem, RoomId, Timestamp,
    api::{AttachmentView, BeginAttachment},
    attachment::Shape,
};
use std::time::Duration;

/// What a device may send is counted over this time.
const DAY: Duration = Duration::from_secs(86_400);

/// An attachment that is not being deleted.
#[derive(Debug)]
pub(super) struct Kept {
    /// Who sends it.
    pub(super) device: DeviceId,
    /// How it is cut.
    pub(super) shape: Shape,
    /// All chunks are there.
    pub(super) complete: bool,
    /// Where the message that announces it stands in the room's log.
    pub(super) announced: Option<u64>,
}

impl Store {
    /// An attachment of a room.
    pub(super) async fn attachment(&self, room: RoomId, attachment: AttachmentId) -> Result<Kept> {
        let row = sql::query(
            "SELECT a.device, a.size, a.completed_at, e.seq FROM attachments a JOIN rooms r ON r.room = a.room
             LEFT JOIN entries e ON e.id = a.message AND e.room = r.n AND e.sender = a.device
             WHERE a.attachment = $1 AND a.room = $2 AND a.going = 0",
        )
        .bind(attachment.as_bytes())
        .bind(room.as_bytes())
        .fetch_optional(self.read())
        .await?
        .ok_or(ErrorCode::NotFound)?;
        Ok(Kept {
            device: id(row.get("device"))?,
            shape: shape(row.get("size"))?,
            complete: row.get::<Option<i64>>("completed_at").is_some(),
            announced: row.get::<Option<i64>>("seq").map(i64::cast_unsigned),
        })
    }

    /// An attachment with the numbers of its chunks that are there.
    pub(super) async fn attachment_view(&self, attachment: AttachmentId, kept: &Kept) -> Result<AttachmentView> {
        let rows = sql::query("SELECT n FROM attachment_chunks WHERE attachment = $1 ORDER BY n")
            .bind(attachment.as_bytes())
            .fetch_all(self.read())
            .await?;
        let number = |row: &sql::Row| u32::try_from(row.get::<i64>("n")).map_err(Error::internal);
        Ok(AttachmentView {
            id: attachment,
            size: kept.shape.sealed(),
            chunks: kept.shape.chunks(),
            received: rows.iter().map(number).collect::<Result<_>>()?,
            complete: kept.complete,
        })
    }

    /// Whether there is a row of this attachment, whatever becomes of it.
    pub(super) async fn has_attachment(&self, attachment: AttachmentId) -> Result<bool> {
        let row = sql::query("SELECT 1 FROM attachments WHERE attachment = $1")
            .bind(attachment.as_bytes())
            .fetch_optional(self.read())
            .await?;
        Ok(row.is_some())
    }

    /// Attachments that have to go: their message is not in the log, and the last chunk came before `before`; or their
    /// deletion was begun.
    pub(super) async fn attachments_to_go(&self, before: Timestamp, limit: i64) -> Result<Vec<(AttachmentId, Shape)>> {
        let rows = sql::query(
            "SELECT a.attachment, a.size FROM attachments a WHERE a.going = 1 OR (a.touched_at < $1 AND NOT EXISTS (
                 SELECT 1 FROM entries e JOIN rooms r ON r.n = e.room
                 WHERE e.id = a.message AND r.room = a.room AND e.sender = a.device))
             ORDER BY a.touched_at LIMIT $2",
        )
        .bind(before.0)
        .bind(limit)
        .fetch_all(self.read())
        .await?;
        rows.into_iter().map(|row| Ok((id(row.get("attachment"))?, shape(row.get("size"))?))).collect()
    }
}

impl Tx<'_> {
    /// Begins an attachment; the same one again changes nothing.
    pub(super) async fn begin_attachment(
        &mut self,
        caller: &Caller,
        room: RoomId,
        begin: &BeginAttachment,
        limits: &Attachments,
        now: Timestamp,
    ) -> Result<()> {
        self.require_member(room, caller.device).await?;
        let known = sql::query("SELECT room, device, message, size, going FROM attachments WHERE attachment = $1")
            .bind(begin.id.as_bytes())
            .fetch_optional(&mut *self.conn)
            .await?;
        if let Some(row) = known {
            let same = row.get::<Vec<u8>>("room") == room.as_bytes()
                && row.get::<Vec<u8>>("device") == caller.device.as_bytes()
                && row.get::<Vec<u8>>("message") == begin.message.as_bytes()
                && row.get::<i64>("size") == begin.size.cast_signed();
            return match same {
                true if row.get::<i64>("going") == 0 => Ok(()),
                // It is being deleted: once that is done it can begin anew.
                true => Err(Problem::new(ErrorCode::Unavailable).retry_after_ms(60_000).into()),
                false => Err(ErrorCode::Conflict.into()),
            };
        }
        self.within_quotas(caller.device, room, begin.size, limits, now).await?;
        let done = sql::query(
            "INSERT INTO attachments (attachment, room, device, message, size, begun_at, touched_at)
             VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (message) DO NOTHING",
        )
        .bind(begin.id.as_bytes())
        .bind(room.as_bytes())
        .bind(caller.device.as_bytes())
        .bind(begin.message.as_bytes())
        .bind(begin.size.cast_signed())
        .bind(now.0)
        .execute(&mut *self.conn)
        .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(ErrorCode::Conflict.into()) }
    }

    async fn within_quotas(
        &mut self,
        device: DeviceId,
        room: RoomId,
        size: u64,
        limits: &Attachments,
        now: Timestamp,
    ) -> Result<()> {
        let whole =
            sql::query("SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes FROM attachments WHERE room = $1")
                .bind(room.as_bytes())
                .fetch_one(&mut *self.conn)
                .await?;
        if whole.get::<i64>("bytes").cast_unsigned() + size > limits.room_mib << 20 {
            let detail = format!(
                "The attachments of a room may have {} MiB together; old ones go with their messages.",
                limits.room_mib
            );
            return Err(Problem::with(ErrorCode::TooLarge, detail).into());
        }
        let since = now - DAY;
        let day = sql::query(
            "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes, MIN(begun_at) AS first FROM attachments
             WHERE device = $1 AND begun_at > $2",
        )
        .bind(device.as_bytes())
        .bind(since.0)
        .fetch_one(&mut *self.conn)
        .await?;
        if day.get::<i64>("bytes").cast_unsigned() + size > limits.device_daily_mib << 20 {
            let detail = format!("A device may send {} MiB of attachments in 24 hours.", limits.device_daily_mib);
            let wait = day.get::<Option<i64>>("first").map_or(0, |first| (first - since.0).max(0));
            return Err(Problem::with(ErrorCode::RateLimited, detail).retry_after_ms(wait.cast_unsigned()).into());
        }
        Ok(())
    }

    /// Notes that a chunk is there. Refused as not found when the attachment went meanwhile.
    pub(super) async fn note_chunk(&mut self, attachment: AttachmentId, n: u32, now: Timestamp) -> Result<()> {
        let touched = sql::query("UPDATE attachments SET touched_at = $2 WHERE attachment = $1 AND going = 0")
            .bind(attachment.as_bytes())
            .bind(now.0)
            .execute(&mut *self.conn)
            .await?;
        if touched.rows_affected() == 0 {
            return Err(ErrorCode::NotFound.into());
        }
        sql::query(
            "INSERT INTO attachment_chunks (attachment, n) VALUES ($1, $2) ON CONFLICT (attachment, n) DO NOTHING",
        )
        .bind(attachment.as_bytes())
        .bind(i64::from(n))
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }

    /// Marks an attachment as complete, if all its chunks are there.
    pub(super) async fn complete_attachment(
        &mut self,
        attachment: AttachmentId,
        shape: Shape,
        now: Timestamp,
    ) -> Result<()> {
        let row = sql::query("SELECT COUNT(*) AS n FROM attachment_chunks WHERE attachment = $1")
            .bind(attachment.as_bytes())
            .fetch_one(&mut *self.conn)
            .await?;
        let missing = i64::from(shape.chunks()) - row.get::<i64>("n");
        if missing > 0 {
            return Err(Problem::with(ErrorCode::WrongState, format!("{missing} of its chunks are missing.")).into());
        }
        sql::query("UPDATE attachments SET completed_at = COALESCE(completed_at, $2), touched_at = $2 WHERE attachment = $1 AND going = 0")
            .bind(attachment.as_bytes())
            .bind(now.0)
            .execute(&mut *self.conn)
            .await?;
        Ok(())
    }

    /// Marks an attachment as going, if it still has to. From then on nobody reads it and no chunk is taken for it.
    pub(super) async fn let_go(&mut self, attachment: AttachmentId, before: Timestamp) -> Result<bool> {
        let done = sql::query(
            "UPDATE attachments SET going = 1 WHERE attachment = $1 AND (going = 1 OR (touched_at < $2 AND NOT EXISTS (
                 SELECT 1 FROM entries e JOIN rooms r ON r.n = e.room
                 WHERE e.id = attachments.message AND r.room = attachments.room AND e.sender = attachments.device)))",
        )
        .bind(attachment.as_bytes())
        .bind(before.0)
        .execute(&mut *self.conn)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Forgets an attachment whose chunks are deleted.
    pub(super) async fn forget_attachment(&mut self, attachment: AttachmentId) -> Result<()> {
        for sql in
            ["DELETE FROM attachment_chunks WHERE attachment = $1", "DELETE FROM attachments WHERE attachment = $1"]
        {
            sql::query(sql).bind(attachment.as_bytes()).execute(&mut *self.conn).await?;
        }
        Ok(())
    }
}

fn shape(size: i64) -> Result<Shape> {
    Shape::of_sealed(size.cast_unsigned()).ok_or_else(|| Error::internal("stored size of an attachment"))
}
