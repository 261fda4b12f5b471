//! The hot path: application messages, appended in groups.
//!
//! The writer is the only one who appends, so it keeps each room's head, epoch and members in memory and gives out
//! gapless sequence numbers without asking the database. All of a group's messages go in with a few statements and share
//! one fsync. A message must be encrypted to the room's current epoch: then nobody who was removed can read anything that
//! was accepted after their removal. A sender that lost the race gets `stale_epoch` and encrypts again.

use crate::store::sql::{self, Conn};
use crate::{Error, Result, store::AfterCommit};
use bytes::Bytes;
use firstlight_protocol::{
    DeviceId, ErrorCode, MessageId, Problem, RoomId, Timestamp,
    api::{EntryKind, Sent},
    stream::{Entry, ServerFrame},
    wire::to_cbor,
};
use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};
use tokio::sync::{mpsc, oneshot};

/// Rows in one INSERT; fixed sizes, so that the statement is prepared once.
const CHUNKS: [usize; 3] = [64, 8, 1];

/// A message on its way into a room's log. Its MLS framing was checked by the session that hands it in.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) room: RoomId,
    pub(crate) sender: DeviceId,
    pub(crate) id: MessageId,
    pub(crate) epoch: u64,
    pub(crate) at: Timestamp,
    pub(crate) body: Vec<u8>,
    pub(crate) reply: Reply,
}

/// Who hears of the outcome, after the commit.
#[derive(Debug)]
pub(crate) enum Reply {
    /// An HTTP request.
    Once(oneshot::Sender<Result<Sent, Problem>>),
    /// A websocket session; bounded by the session's own limit of messages in flight.
    Session(mpsc::UnboundedSender<Outcome>),
}

/// What became of a message.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) id: MessageId,
    pub(crate) room: RoomId,
    pub(crate) result: Result<Sent, Problem>,
}

/// What the writer knows of a room.
#[derive(Debug)]
struct Room {
    n: i64,
    epoch: u64,
    head: u64,
    members: HashSet<DeviceId>,
}

/// Collects a group's messages, writes them, and answers after the commit.
#[derive(Debug, Default)]
pub(crate) struct Appender {
    rooms: HashMap<RoomId, Room>,
    pending: Vec<Append>,
    decided: Vec<(Reply, Outcome)>,
}

impl Appender {
    pub(crate) fn push(&mut self, append: Append) {
        self.pending.push(append);
    }

    /// Reads the room anew before the next message: its epoch, members or log were changed by a job.
    pub(crate) fn forget(&mut self, room: RoomId) {
        self.rooms.remove(&room);
    }

    /// The same for all rooms: another node has written.
    pub(crate) fn forget_all(&mut self) {
        self.rooms.clear();
    }

    /// Writes what was pushed so far.
    pub(crate) async fn flush(&mut self, conn: &mut Conn, after: &mut AfterCommit) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        for append in &self.pending {
            if !self.rooms.contains_key(&append.room)
                && let Some(room) = load(conn, append.room).await?
            {
                self.rooms.insert(append.room, room);
            }
        }
        let mut known = self.known(conn).await?;
        let mut rows = Vec::with_capacity(self.pending.len());
        for append in std::mem::take(&mut self.pending) {
            let result = self.place(&append, &mut known);
            let result = result.map(|(n, sent, new)| {
                if new {
                    rows.push((n, sent.clone(), append.sender, append.id, append.room, append.body));
                }
                sent
            });
            self.decided.push((append.reply, Outcome { id: append.id, room: append.room, result }));
        }
        self.insert(conn, rows, after).await
    }

    /// Answers everyone. After a failed commit nothing is known any more.
    pub(crate) fn finish(&mut self, committed: bool) {
        if !committed {
            self.rooms.clear();
            for Append { id, room, reply, .. } in self.pending.drain(..) {
                self.decided.push((reply, Outcome { id, room, result: Err(Problem::new(ErrorCode::Unavailable)) }));
            }
        }
        for (reply, mut outcome) in self.decided.drain(..) {
            if !committed {
                outcome.result = Err(Problem::new(ErrorCode::Unavailable));
            }
            // A sender that has gone away finds its message in the log.
            match reply {
                Reply::Once(reply) => drop(reply.send(outcome.result)),
                Reply::Session(reply) => drop(reply.send(outcome)),
            }
        }
    }

    /// Decides one message: refused, seen before, or its new place.
    fn place(
        &mut self,
        append: &Append,
        known: &mut HashMap<MessageId, (RoomId, DeviceId, Sent)>,
    ) -> Result<(i64, Sent, bool), Problem> {
        let room = self.rooms.get_mut(&append.room).ok_or(ErrorCode::NotAMember)?;
        if !room.members.contains(&append.sender) {
            return Err(ErrorCode::NotAMember.into());
        }
        if let Some((in_room, sender, sent)) = known.get(&append.id) {
            let same = *in_room == append.room && *sender == append.sender;
            return if same { Ok((room.n, sent.clone(), false)) } else { Err(ErrorCode::Conflict.into()) };
        }
        if append.epoch != room.epoch {
            return Err(ErrorCode::StaleEpoch.into());
        }
        room.head += 1;
        let sent = Sent { seq: room.head, at: append.at };
        known.insert(append.id, (append.room, append.sender, sent.clone()));
        Ok((room.n, sent, true))
    }

    /// Which of the pending ids are in the log already: a repeated send gets its first answer.
    async fn known(&self, conn: &mut Conn) -> Result<HashMap<MessageId, (RoomId, DeviceId, Sent)>> {
        let mut known = HashMap::new();
        let ids: Vec<Vec<u8>> = self.pending.iter().map(|a| a.id.0.to_vec()).collect();
        for chunk in ids.chunks(CHUNKS[0]) {
            let mut query = sql::query(known_text());
            // Always the same number of values, so that the statement is prepared once; the rest is NULL.
            for i in 0..CHUNKS[0] {
                query = query.bind(chunk.get(i).cloned());
            }
            for row in query.fetch_all(&mut *conn).await? {
                let sent = Sent { seq: row.get::<i64>("seq").cast_unsigned(), at: Timestamp(row.get("at")) };
                let room = crate::store::id(row.get("room"))?;
                known.insert(crate::store::id(row.get("id"))?, (room, crate::store::id(row.get("sender"))?, sent));
            }
        }
        Ok(known)
    }

    async fn insert(&self, conn: &mut Conn, rows: Vec<NewRow>, after: &mut AfterCommit) -> Result<()> {
        let mut rest = rows;
        for size in CHUNKS {
            while rest.len() >= size {
                let tail = rest.split_off(size);
                let chunk = std::mem::replace(&mut rest, tail);
                let mut query = sql::query(insert_text(size));
                for (n, sent, sender, id, room, body) in chunk {
                    after.entry(room, sent.seq, frame(room, &sent, sender, id, EntryKind::Message, body.clone()));
                    query = query.bind(n).bind(sent.seq.cast_signed()).bind(sent.at.0).bind(sender.as_bytes());
                    query = query.bind(id.as_bytes()).bind(kind_code(EntryKind::Message)).bind(body);
                }
                query.execute(&mut *conn).await?;
            }
        }
        Ok(())
    }
}

/// Asks for a chunk of ids.
fn known_text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let values = (1..=CHUNKS[0]).map(|place| format!("${place}")).collect::<Vec<_>>().join(",");
        format!(
            "SELECT r.room AS room, e.sender, e.id, e.seq, e.at FROM entries e JOIN rooms r ON r.n = e.room
             WHERE e.id IN ({values})"
        )
    });
    TEXT.as_str()
}

/// Adds a chunk of this size.
fn insert_text(size: usize) -> &'static str {
    static TEXTS: LazyLock<[String; CHUNKS.len()]> = LazyLock::new(|| {
        CHUNKS.map(|size| {
            let row = |row: usize| {
                let places = (1..=7).map(|place| format!("${}", row * 7 + place)).collect::<Vec<_>>();
                format!("({})", places.join(","))
            };
            let rows = (0..size).map(row).collect::<Vec<_>>().join(",");
            format!("INSERT INTO entries (room, seq, at, sender, id, kind, body) VALUES {rows}")
        })
    });
    let chunk = CHUNKS.iter().position(|chunk| *chunk == size).unwrap_or_default();
    TEXTS[chunk].as_str()
}

type NewRow = (i64, Sent, DeviceId, MessageId, RoomId, Vec<u8>);

/// The number under which a kind of entry is stored.
pub(crate) fn kind_code(kind: EntryKind) -> i64 {
    match kind {
        EntryKind::Commit => 1,
        EntryKind::Message => 2,
    }
}

/// The kind of a stored number.
pub(crate) fn kind_of(code: i64) -> Result<EntryKind> {
    match code {
        1 => Ok(EntryKind::Commit),
        2 => Ok(EntryKind::Message),
        _ => Err(Error::internal("stored entry kind is unknown to this version")),
    }
}

/// An entry as the frame that every member's socket gets: encoded once per entry, not once per reader.
pub(crate) fn frame(
    room: RoomId,
    sent: &Sent,
    sender: DeviceId,
    id: MessageId,
    kind: EntryKind,
    body: Vec<u8>,
) -> Bytes {
    let entry = Entry { room, seq: sent.seq, at: sent.at, sender, id, kind, body: body.into() };
    Bytes::from(to_cbor(&ServerFrame::Entry(entry)))
}

async fn load(conn: &mut Conn, id: RoomId) -> Result<Option<Room>> {
    let row = sql::query(
        "SELECT n, epoch, (SELECT COALESCE(MAX(seq), 0) FROM entries WHERE entries.room = rooms.n) AS head
         FROM rooms WHERE room = $1",
    )
    .bind(id.as_bytes())
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let members = sql::query("SELECT device FROM room_members WHERE room = $1 AND left_seq IS NULL AND suspended = 0")
        .bind(id.as_bytes())
        .fetch_all(&mut *conn)
        .await?;
    let members = members.into_iter().map(|row| crate::store::id(row.get("device"))).collect::<Result<_>>()?;
    let (epoch, head): (i64, i64) = (row.get("epoch"), row.get("head"));
    Ok(Some(Room { n: row.get("n"), epoch: epoch.cast_unsigned(), head: head.cast_unsigned(), members }))
}
