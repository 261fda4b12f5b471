//! Reading: rooms, their logs, Welcomes, the state for rejoining; and sending a message over HTTP.

use super::{
    append::{Append, Reply, kind_of},
    check::application_message,
    members::Stretch,
};
use crate::store::sql::{self, Row};
use crate::{
    App, Error, Result, Shared,
    caller::Caller,
    extract::{Json, Path, Query},
    store::{Store, id},
};
use axum::extract::State;
use firstlight_protocol::{
    DeviceId, ErrorCode, MessageId, Problem, RoomId, Timestamp,
    api::{GroupState, InboxPage, LogEntry, LogPage, RoomView, SendMessage, Sent, WelcomeBundle},
    limits::MAX_LOG_PAGE,
};
use futures_util::TryStreamExt;
use serde::Deserialize;
use tls_codec::Serialize as _;
use tokio::sync::oneshot;

/// A page ends with the entry that takes it past this many bytes: commits of a large room have a megabyte each.
const PAGE_BYTES: usize = 4 << 20;

/// Some entries of a log.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) entries: Vec<LogEntry>,
    /// There may be more behind them.
    pub(crate) more: bool,
}

/// A place to read from.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    /// Entries after this sequence number; 0 is from the beginning.
    #[serde(default)]
    after: u64,
    /// At most this many, and never more than 500.
    #[serde(default)]
    limit: Option<usize>,
}

impl After {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(MAX_LOG_PAGE).clamp(1, MAX_LOG_PAGE)
    }
}

/// Rooms of which the calling device is a member.
#[utoipa::path(get, path = "/v1/rooms", tag = "rooms", responses((status = 200, body = Vec<RoomView>)))]
pub(super) async fn rooms(State(app): State<Shared>, caller: Caller) -> Result<Json<Vec<RoomView>>> {
    let mut views = Vec::new();
    for (room, _) in app.store.rooms_of(caller.device).await? {
        views.push(app.store.room_view(room).await?);
    }
    Ok(Json(views))
}

/// One room.
#[utoipa::path(get, path = "/v1/rooms/{room}", tag = "rooms", params(("room" = RoomId, Path)),
    responses((status = 200, body = RoomView), (status = "4XX", body = Problem)))]
pub(super) async fn room(
    State(app): State<Shared>,
    caller: Caller,
    Path(room): Path<RoomId>,
) -> Result<Json<RoomView>> {
    app.store.require_member(room, caller.device).await?;
    Ok(Json(app.store.room_view(room).await?))
}

/// A stretch of a room's log.
#[utoipa::path(get, path = "/v1/rooms/{room}/log", tag = "rooms", params(("room" = RoomId, Path), After),
    responses((status = 200, body = LogPage), (status = "4XX", body = Problem)))]
pub(super) async fn log(
    State(app): State<Shared>,
    caller: Caller,
    Path(room): Path<RoomId>,
    Query(query): Query<After>,
) -> Result<Json<LogPage>> {
    let read = app.store.read_log(room, caller.device, query.after, query.limit()).await?;
    let (stretch, Page { entries, .. }) = read.ok_or(ErrorCode::NotAMember)?;
    let (first, head) = app.store.log_bounds(room).await?;
    Ok(Json(LogPage { entries, head: stretch.until.unwrap_or(head), first }))
}

/// Sends an application message; durable when this answers. The websocket's `send` frame does the same.
#[utoipa::path(post, path = "/v1/rooms/{room}/messages", tag = "rooms", params(("room" = RoomId, Path)),
    request_body = SendMessage, responses((status = 200, body = Sent), (status = "4XX", body = Problem)))]
pub(super) async fn send(
    State(app): State<Shared>,
    caller: Caller,
    Path(room): Path<RoomId>,
    Json(request): Json<SendMessage>,
) -> Result<Json<Sent>> {
    let (reply, answer) = oneshot::channel();
    append(&app, caller.device, room, request.id, request.message.0, Reply::Once(reply)).await?;
    Ok(Json(answer.await.map_err(|_| ErrorCode::Unavailable)??))
}

/// Checks a message's framing and hands it to the writer.
pub(crate) async fn append(
    app: &App,
    sender: DeviceId,
    room: RoomId,
    id: MessageId,
    body: Vec<u8>,
    reply: Reply,
) -> Result<()> {
    let epoch = application_message(room, id, &body)?;
    app.store.append(Append { room, sender, id, epoch, at: app.clock.now(), body, reply }).await
}

/// The state with which a member's device rejoins by external commit.
#[utoipa::path(get, path = "/v1/rooms/{room}/group-info", tag = "rooms", params(("room" = RoomId, Path)),
    responses((status = 200, body = GroupState), (status = "4XX", body = Problem)))]
pub(super) async fn group_info(
    State(app): State<Shared>,
    caller: Caller,
    Path(room): Path<RoomId>,
) -> Result<Json<GroupState>> {
    app.store.require_member(room, caller.device).await?;
    let mut slot = app.groups.lock(room).await;
    let group = app.groups.load(&mut slot, &app.store, room).await?;
    let row = sql::query("SELECT group_info, epoch_seq FROM rooms WHERE room = $1")
        .bind(room.as_bytes())
        .fetch_one(app.store.read())
        .await?;
    let tree = group.public.export_ratchet_tree().tls_serialize_detached();
    Ok(Json(GroupState {
        epoch: group.public.group_context().epoch().as_u64(),
        seq: row.get::<i64>("epoch_seq").cast_unsigned(),
        group_info: row.get::<Vec<u8>>("group_info").into(),
        tree: tree.map_err(|e| Error::internal(format!("ratchet tree: {e}")))?.into(),
    }))
}

/// The Welcome that the calling device was added with.
#[utoipa::path(get, path = "/v1/rooms/{room}/welcomes/{epoch}", tag = "rooms",
    params(("room" = RoomId, Path), ("epoch" = u64, Path)),
    responses((status = 200, body = WelcomeBundle), (status = "4XX", body = Problem)))]
pub(super) async fn welcome(
    State(app): State<Shared>,
    caller: Caller,
    Path((room, epoch)): Path<(RoomId, u64)>,
) -> Result<Json<WelcomeBundle>> {
    let row = sql::query(
        "SELECT w.seq, w.welcome, w.tree FROM welcomes w
         JOIN room_members m ON m.room = w.room AND m.joined_seq = w.seq
         WHERE w.room = $1 AND w.epoch = $2 AND m.device = $3 AND m.suspended = 0",
    )
    .bind(room.as_bytes())
    .bind(epoch.cast_signed())
    .bind(caller.device.as_bytes())
    .fetch_optional(app.store.read())
    .await?
    .ok_or(ErrorCode::NotFound)?;
    Ok(Json(WelcomeBundle {
        room,
        epoch,
        seq: row.get::<i64>("seq").cast_unsigned(),
        welcome: row.get::<Vec<u8>>("welcome").into(),
        tree: row.get::<Vec<u8>>("tree").into(),
    }))
}

/// A stretch of the calling device's inbox.
#[utoipa::path(get, path = "/v1/inbox", tag = "rooms", params(After), responses((status = 200, body = InboxPage)))]
pub(super) async fn inbox(
    State(app): State<Shared>,
    caller: Caller,
    Query(query): Query<After>,
) -> Result<Json<InboxPage>> {
    Ok(Json(app.store.inbox(caller.device, query.after, query.limit()).await?))
}

impl Store {
    /// Up to `limit` entries after `after` of the stretch that `device` may read, with that stretch; `None` if there is none.
    pub(crate) async fn read_log(
        &self,
        room: RoomId,
        device: DeviceId,
        after: u64,
        limit: usize,
    ) -> Result<Option<(Stretch, Page)>> {
        loop {
            let Some(stretch) = self.stretch(room, device).await? else { return Ok(None) };
            let page = self.entries(room, after.max(stretch.after), stretch.until, limit).await?;
            // Who was suspended or removed while the log was read gets nothing that was accepted after that.
            if self.stretch(room, device).await? == Some(stretch) {
                return Ok(Some((stretch, page)));
            }
        }
    }

    /// Up to `limit` entries after `after`, up to `until` if that is set; fewer where they are large.
    async fn entries(&self, room: RoomId, after: u64, until: Option<u64>, limit: usize) -> Result<Page> {
        let mut rows = sql::query(
            "SELECT e.seq, e.at, e.sender, e.id, e.kind, e.body FROM entries e
             WHERE e.room = (SELECT n FROM rooms WHERE room = $1) AND e.seq > $2 AND e.seq <= $3 ORDER BY e.seq LIMIT $4",
        )
        .bind(room.as_bytes())
        .bind(place(after))
        .bind(until.map_or(i64::MAX, place))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch(self.read());
        let (mut entries, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.try_next().await? {
            let entry = entry(room, &row)?;
            bytes += entry.body.len();
            entries.push(entry);
            if bytes >= PAGE_BYTES {
                return Ok(Page { entries, more: true });
            }
        }
        Ok(Page { more: entries.len() >= limit, entries })
    }

    /// The oldest entry that is kept, and the newest.
    pub async fn log_bounds(&self, room: RoomId) -> Result<(u64, u64)> {
        let row = sql::query(
            "SELECT first_seq, (SELECT COALESCE(MAX(seq), 0) FROM entries WHERE entries.room = rooms.n) AS head
             FROM rooms WHERE room = $1",
        )
        .bind(room.as_bytes())
        .fetch_optional(self.read())
        .await?
        .ok_or(ErrorCode::NotFound)?;
        Ok((row.get::<i64>("first_seq").cast_unsigned(), row.get::<i64>("head").cast_unsigned()))
    }
}

/// A sequence number that a client has sent, as the database compares it: one that is too large is the largest, never
/// negative.
pub(super) fn place(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

fn entry(room: RoomId, row: &Row) -> Result<LogEntry> {
    Ok(LogEntry {
        room,
        seq: row.get::<i64>("seq").cast_unsigned(),
        at: Timestamp(row.get("at")),
        sender: id(row.get("sender"))?,
        id: id(row.get("id"))?,
        kind: kind_of(row.get("kind"))?,
        body: row.get::<Vec<u8>>("body").into(),
    })
}
