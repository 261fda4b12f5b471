//! Creating rooms and landing commits: validate against the public state, compare the epoch and set it, in one
//! transaction with the log entry, the members, the Welcomes and the notices.

use super::{
    append::{frame, kind_code},
    check::{Effect, NewRoom, Trust},
    groups::{Group, SNAPSHOT_EVERY, Slot},
    public_storage::Snapshot,
};
use crate::store::sql;
use crate::{
    App, Error, Result, Shared,
    caller::Caller,
    extract::{Json, Path},
    store::{Tx, id},
};
use axum::extract::State;
use firstlight_protocol::{
    DeviceId, ErrorCode, OrgId, OrgKind, PersonId, Problem, RoomId, Timestamp,
    api::{CommitBundle, Committed, CreateRoom, EntryKind, Notice, RoomView, Sent},
    limits::MAX_ROOMS_PER_DEVICE,
};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use tls_codec::Serialize as _;

/// Creates a room, with its first members if a commit comes along.
#[utoipa::path(post, path = "/v1/rooms", tag = "rooms", request_body = CreateRoom,
    responses((status = 200, body = RoomView), (status = "4XX", body = Problem)))]
pub(super) async fn create(
    State(app): State<Shared>,
    caller: Caller,
    Json(request): Json<CreateRoom>,
) -> Result<Json<RoomView>> {
    let room = request.room;
    let digest: [u8; 32] = Sha256::digest(firstlight_protocol::wire::to_cbor(&request)).into();
    let mut slot = app.groups.lock(room).await;
    if let Some(view) = existing(&app, &caller, room, &digest).await? {
        return Ok(Json(view));
    }
    let now = app.clock.now();
    let anchors = app.identity.anchors()?;
    let suites = app.config.suite_ids();
    let trust = trust(&app, &anchors, &suites, &caller, now);
    let new = trust.new_room(&request)?;
    require_place(&app, &caller, &new)?;
    let NewRoom { public, snapshot, context, suite, .. } = new;
    let members = BTreeMap::from([(0, caller.device)]);
    let mut group = Group { public, members, left: BTreeMap::new(), snapshot_epoch: 0 };
    let base = snapshot.encode();
    let landing = match &request.commit {
        Some(bundle) => Some(Landing::prepare(&trust, &mut group, room, bundle)?),
        None => None,
    };
    let row = NewRow { room, digest, suite, group_info: request.group_info.0, snapshot: base, at: now };
    let by = caller.clone();
    app.store
        .write(move |tx| {
            Box::pin(async move {
                tx.insert_room(&row, &context, &by).await?;
                if let Some(landing) = landing {
                    tx.land(&landing, by.device, now).await?;
                }
                Ok(())
            })
        })
        .await?;
    *slot = Some(group);
    Ok(Json(app.store.room_view(room).await?))
}

/// Lands a commit: the winner of a race moves the room on, the losers are told `stale_epoch`.
#[utoipa::path(post, path = "/v1/rooms/{room}/commits", tag = "rooms", params(("room" = RoomId, Path)),
    request_body = CommitBundle, responses((status = 200, body = Committed), (status = "4XX", body = Problem)))]
pub(super) async fn commit(
    State(app): State<Shared>,
    caller: Caller,
    Path(room): Path<RoomId>,
    Json(bundle): Json<CommitBundle>,
) -> Result<Json<Committed>> {
    app.store.require_member(room, caller.device).await?;
    let mut slot = app.groups.lock(room).await;
    if let Some(committed) = app.store.committed(room, caller.device, &bundle).await? {
        return Ok(Json(committed));
    }
    land(&app, &caller, room, &bundle, &mut slot).await.map(Json)
}

async fn land(app: &App, caller: &Caller, room: RoomId, bundle: &CommitBundle, slot: &mut Slot) -> Result<Committed> {
    let now = app.clock.now();
    let anchors = app.identity.anchors()?;
    app.groups.load(slot, &app.store, room).await?;
    // Out of its place until the commit has landed: whatever fails in between, even the client's connection, leaves an
    // empty place to be read anew, never a group that is ahead of the store.
    let mut group = slot.take().ok_or_else(|| Error::internal("group cache"))?;
    let suites = app.config.suite_ids();
    let landing = match Landing::prepare(&trust(app, &anchors, &suites, caller, now), &mut group, room, bundle) {
        Ok(landing) => landing,
        Err(error) => {
            if matches!(error, Error::Refused(_)) {
                // Refusals come before the merge.
                **slot = Some(group);
            }
            return Err(error);
        }
    };
    let device = caller.device;
    let landed = app.store.write(move |tx| Box::pin(async move { tx.land(&landing, device, now).await })).await?;
    **slot = Some(group);
    Ok(landed)
}

fn trust<'a>(
    app: &'a App,
    anchors: &'a firstlight_protocol::cert::Anchors,
    suites: &'a [u16],
    caller: &Caller,
    now: Timestamp,
) -> Trust<'a> {
    Trust { crypto: &app.groups.crypto, anchors, suites, caller: caller.device, person: caller.person, now }
}

/// A partner's people create rooms that belong to their own organisation; a callout's room belongs to the host.
fn require_place(app: &App, caller: &Caller, new: &NewRoom) -> Result<()> {
    let anchors = app.identity.anchors()?;
    let own = new.context.org == caller.org && new.context.callout.is_none();
    let allowed = own || new.context.org == anchors.host();
    if allowed && new.creator.org == caller.org {
        return Ok(());
    }
    Err(Problem::with(ErrorCode::Forbidden, "A room belongs to your organisation or to the host.").into())
}

async fn existing(app: &App, caller: &Caller, room: RoomId, digest: &[u8]) -> Result<Option<RoomView>> {
    let row = sql::query("SELECT created_by, request_digest FROM rooms WHERE room = $1")
        .bind(room.as_bytes())
        .fetch_optional(app.store.read())
        .await?;
    let Some(row) = row else { return Ok(None) };
    if id::<DeviceId>(row.get("created_by"))? == caller.device && row.get::<Vec<u8>>("request_digest") == digest {
        return Ok(Some(app.store.room_view(room).await?));
    }
    Err(ErrorCode::Conflict.into())
}

struct NewRow {
    room: RoomId,
    digest: [u8; 32],
    suite: u16,
    group_info: Vec<u8>,
    snapshot: Vec<u8>,
    at: Timestamp,
}

/// A checked commit with everything that its transaction writes.
struct Landing {
    room: RoomId,
    bundle: CommitBundle,
    added: Vec<(u32, DeviceId, PersonId, OrgId)>,
    removed: Vec<DeviceId>,
    leaving: BTreeSet<OrgKind>,
    rejoined: Option<u32>,
    tree: Option<Vec<u8>>,
    snapshot: Option<Vec<u8>>,
}

impl Landing {
    /// Checks the bundle and merges it into the group in memory. If storing fails, the group has to be forgotten.
    fn prepare(trust: &Trust<'_>, group: &mut Group, room: RoomId, bundle: &CommitBundle) -> Result<Self> {
        let Effect { staged, added, removed, leaving, rejoined, .. } = trust.commit(group, room, bundle)?;
        let keep = !added.is_empty() || rejoined || bundle.epoch + 1 >= group.snapshot_epoch + SNAPSHOT_EVERY;
        let storage = if keep { Snapshot::keep() } else { Snapshot::discard() };
        group.public.merge_commit(&storage, *staged).map_err(|e| Error::internal(format!("merge: {e}")))?;
        group.members.retain(|_, device| !removed.contains(device));
        let mut placed = Vec::with_capacity(added.len());
        let mut own = None;
        for (index, leaf) in group.public.treesync().full_leaves() {
            let index = index.u32();
            if group.members.contains_key(&index) {
                continue;
            }
            match added.iter().find(|identity| identity.key == leaf.signature_key().as_slice()) {
                Some(new) => placed.push((index, new.device, new.person, new.org)),
                None => own = Some(index),
            }
        }
        group.members.extend(placed.iter().map(|(leaf, device, ..)| (*leaf, *device)));
        group.left.extend(leaving.iter().map(|class| (*class, bundle.epoch + 1)));
        let rejoined = own.filter(|_| rejoined);
        group.members.extend(rejoined.map(|leaf| (leaf, trust.caller)));
        if keep {
            group.snapshot_epoch = bundle.epoch + 1;
        }
        let tree = (!placed.is_empty())
            .then(|| group.public.export_ratchet_tree().tls_serialize_detached())
            .transpose()
            .map_err(|e| Error::internal(format!("ratchet tree: {e}")))?;
        let snapshot = keep.then(|| storage.encode());
        Ok(Self { room, bundle: bundle.clone(), added: placed, removed, leaving, rejoined, tree, snapshot })
    }
}

impl Tx<'_> {
    async fn insert_room(
        &mut self,
        new: &NewRow,
        context: &firstlight_protocol::mls::RoomContext,
        by: &Caller,
    ) -> Result<()> {
        match context.callout {
            Some(callout) => crate::callouts::room_created(self, callout, new.room, by, new.at).await?,
            None => self.require_room_for_one_more(by.device).await?,
        }
        sql::query(
            "INSERT INTO rooms (room, kind, org, callout, suite, created_by, created_at, request_digest, epoch, epoch_seq,
                                group_info, snapshot, snapshot_epoch, snapshot_seq)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, $10, 0, 0)",
        )
        .bind(new.room.as_bytes())
        .bind(context.kind.as_str())
        .bind(context.org.as_bytes())
        .bind(context.callout.map(|c| c.0.to_vec()))
        .bind(i64::from(new.suite))
        .bind(by.device.as_bytes())
        .bind(new.at.0)
        .bind(new.digest.as_slice())
        .bind(&new.group_info)
        .bind(&new.snapshot)
        .execute(&mut *self.conn)
        .await?;
        self.insert_member(new.room, by.device, by.person, 0, 0).await?;
        self.audit(new.at, Some(by.device), "room.create", new.room, context.kind).await
    }

    /// A device makes no more rooms than it can be in; the room of a callout is never refused for that.
    async fn require_room_for_one_more(&mut self, device: DeviceId) -> Result<()> {
        let rooms: i64 = sql::query_scalar("SELECT COUNT(*) FROM room_members WHERE device = $1 AND left_seq IS NULL")
            .bind(device.as_bytes())
            .fetch_one(&mut *self.conn)
            .await?;
        if usize::try_from(rooms).unwrap_or(usize::MAX) < MAX_ROOMS_PER_DEVICE {
            return Ok(());
        }
        Err(Problem::with(ErrorCode::TooLarge, "This device is in as many rooms as it may be.").into())
    }

    async fn insert_member(
        &mut self,
        room: RoomId,
        device: DeviceId,
        person: PersonId,
        leaf: u32,
        seq: i64,
    ) -> Result<()> {
        sql::query("INSERT INTO room_members (room, device, person, leaf, joined_seq) VALUES ($1, $2, $3, $4, $5)")
            .bind(room.as_bytes())
            .bind(device.as_bytes())
            .bind(person.as_bytes())
            .bind(leaf)
            .bind(seq)
            .execute(&mut *self.conn)
            .await?;
        Ok(())
    }

    /// Writes a checked commit, if the room is still at the epoch that it was checked against.
    async fn land(&mut self, landing: &Landing, by: DeviceId, at: Timestamp) -> Result<Committed> {
        let Landing { room, bundle, .. } = landing;
        // It may have been removed or suspended since the bundle was checked.
        self.require_member(*room, by).await?;
        let row = sql::query(
            "UPDATE rooms SET epoch = epoch + 1, group_info = $3,
                 epoch_seq = 1 + (SELECT COALESCE(MAX(seq), 0) FROM entries WHERE entries.room = rooms.n)
             WHERE room = $1 AND epoch = $2 RETURNING n, epoch_seq",
        )
        .bind(room.as_bytes())
        .bind(bundle.epoch.cast_signed())
        .bind(&bundle.group_info.0)
        .fetch_optional(&mut *self.conn)
        .await?
        .ok_or(ErrorCode::StaleEpoch)?;
        let seq: i64 = row.get("epoch_seq");
        sql::query("INSERT INTO entries (room, seq, at, sender, id, kind, body) VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(row.get::<i64>("n"))
            .bind(seq)
            .bind(at.0)
            .bind(by.as_bytes())
            .bind(bundle.id.as_bytes())
            .bind(kind_code(EntryKind::Commit))
            .bind(&bundle.commit.0)
            .execute(&mut *self.conn)
            .await?;
        if let Some(snapshot) = &landing.snapshot {
            sql::query("UPDATE rooms SET snapshot = $2, snapshot_epoch = $3, snapshot_seq = $4 WHERE room = $1")
                .bind(room.as_bytes())
                .bind(snapshot)
                .bind(bundle.epoch.cast_signed() + 1)
                .bind(seq)
                .execute(&mut *self.conn)
                .await?;
        }
        self.members(landing, by, seq, at).await?;
        for class in &landing.leaving {
            sql::query(
                "INSERT INTO room_classes_left (room, org_kind, epoch) VALUES ($1, $2, $3)
                 ON CONFLICT (room, org_kind) DO UPDATE SET epoch = excluded.epoch",
            )
            .bind(room.as_bytes())
            .bind(class.as_str())
            .bind(bundle.epoch.cast_signed() + 1)
            .execute(&mut *self.conn)
            .await?;
        }
        self.appender.forget(*room);
        let sent = Sent { seq: seq.cast_unsigned(), at };
        self.after.entry(
            *room,
            sent.seq,
            frame(*room, &sent, by, bundle.id, EntryKind::Commit, bundle.commit.0.clone()),
        );
        Ok(Committed { epoch: bundle.epoch + 1, seq: sent.seq, at })
    }

    async fn members(&mut self, landing: &Landing, by: DeviceId, seq: i64, at: Timestamp) -> Result<()> {
        let Landing { room, bundle, added, removed, rejoined, .. } = landing;
        if added.is_empty() && removed.is_empty() {
            return Ok(());
        }
        if let Some(leaf) = rejoined {
            // The same membership in another leaf: what it could read, it can still read.
            sql::query("UPDATE room_members SET leaf = $3 WHERE room = $1 AND device = $2 AND left_seq IS NULL")
                .bind(room.as_bytes())
                .bind(by.as_bytes())
                .bind(leaf)
                .execute(&mut *self.conn)
                .await?;
            return self.audit(at, Some(by), "room.rejoin", room, "").await;
        }
        for device in removed {
            sql::query("UPDATE room_members SET left_seq = $3 WHERE room = $1 AND device = $2 AND left_seq IS NULL")
                .bind(room.as_bytes())
                .bind(device.as_bytes())
                .bind(seq)
                .execute(&mut *self.conn)
                .await?;
            let notice = Notice::RoomLeft { room: *room, seq: seq.cast_unsigned() };
            self.push_inbox(*device, at, &notice).await?;
            self.audit(at, Some(by), "room.remove", room, device).await?;
        }
        let epoch = bundle.epoch + 1;
        if let (Some(welcome), Some(tree)) = (&bundle.welcome, &landing.tree) {
            sql::query("INSERT INTO welcomes (room, epoch, seq, at, welcome, tree) VALUES ($1, $2, $3, $4, $5, $6)")
                .bind(room.as_bytes())
                .bind(epoch.cast_signed())
                .bind(seq)
                .bind(at.0)
                .bind(&welcome.0)
                .bind(tree)
                .execute(&mut *self.conn)
                .await?;
        }
        for (leaf, device, person, org) in added {
            self.insert_member(*room, *device, *person, *leaf, seq).await?;
            let notice = Notice::Welcome { room: *room, epoch, seq: seq.cast_unsigned() };
            self.push_inbox(*device, at, &notice).await?;
            self.audit(at, Some(by), "room.add", room, format!("{device} {org}")).await?;
        }
        self.after.members(*room);
        if !added.is_empty() {
            crate::callouts::members_added(self, *room, at).await?;
        }
        Ok(())
    }
}

impl crate::store::Store {
    /// The answer that a repeated bundle got the first time.
    async fn committed(&self, room: RoomId, by: DeviceId, bundle: &CommitBundle) -> Result<Option<Committed>> {
        let row = sql::query(
            "SELECT e.seq, e.at, e.sender, e.body, r.room FROM entries e JOIN rooms r ON r.n = e.room WHERE e.id = $1",
        )
        .bind(bundle.id.as_bytes())
        .fetch_optional(self.read())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let same = id::<RoomId>(row.get("room"))? == room
            && id::<DeviceId>(row.get("sender"))? == by
            && row.get::<Vec<u8>>("body") == bundle.commit.0;
        if !same {
            return Err(ErrorCode::Conflict.into());
        }
        let seq: i64 = row.get("seq");
        Ok(Some(Committed {
            epoch: bundle.epoch.saturating_add(1),
            seq: seq.cast_unsigned(),
            at: Timestamp(row.get("at")),
        }))
    }
}
