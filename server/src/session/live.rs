//! A socket with a caller: one loop that reads frames, and writes what the bus says is new.

use super::{WRITE_DEADLINE, close, rooms::Rooms};
use crate::{
    Error, Result, Shared,
    bus::{CloseReason, Connection, Dirty},
    caller::Caller,
    delivery::append::{Outcome, Reply},
    lifecycle::come_back,
};
use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use firstlight_protocol::{
    ErrorCode, MessageId, Problem, RoomId,
    limits::MAX_ROOMS_PER_DEVICE,
    stream::{ClientFrame, Hello, Ready, Refused, SendFrame, SentFrame, ServerFrame, close_code},
    wire::{from_cbor, to_cbor},
};
use futures_util::SinkExt;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// Messages of one session that the writer may hold at a time; a faster sender waits.
const IN_FLIGHT: usize = 512;
/// Inbox items read at a time.
const INBOX_PAGE: usize = 100;
/// Frames read before what they caused is written out.
const READ_TURN: usize = 64;

/// An authenticated socket.
pub(super) struct Session {
    app: Shared,
    caller: Caller,
    socket: WebSocket,
    connection: Connection,
    rooms: Rooms,
    inbox: u64,
    in_flight: usize,
    /// Made at the first message that is sent: an idle socket doesn't pay for a channel.
    outcomes: Option<Outcomes>,
    /// Rooms that have more than one turn could send.
    turns: VecDeque<RoomId>,
    /// When the peer was last heard, or asked for a sign of life.
    heard: Instant,
    asked: bool,
    ping: Duration,
}

/// Where the writer's answers come in.
type Outcomes = (mpsc::UnboundedSender<Outcome>, mpsc::UnboundedReceiver<Outcome>);

async fn next_outcome(outcomes: &mut Option<Outcomes>) -> Option<Outcome> {
    match outcomes {
        Some((_, outcomes)) => outcomes.recv().await,
        None => std::future::pending().await,
    }
}

/// Why a session ends.
enum End {
    /// The peer has gone.
    Gone,
    /// The server closes the socket.
    Close(u16, Problem),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        if !matches!(error, Error::Refused(_)) {
            tracing::error!(%error, "session failed");
        }
        Self::Close(close_code::DRAIN, error.problem())
    }
}

impl From<CloseReason> for End {
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::Revoked => Self::Close(close_code::REVOKED, ErrorCode::DeviceRevoked.into()),
            CloseReason::SignedOut => Self::Close(close_code::UNAUTHENTICATED, ErrorCode::Unauthenticated.into()),
            CloseReason::Drain => Self::Close(close_code::DRAIN, come_back()),
        }
    }
}

impl From<axum::Error> for End {
    fn from(_: axum::Error) -> Self {
        Self::Gone
    }
}

type Step<T = ()> = std::result::Result<T, End>;

impl Session {
    /// Opens the session: resumes the inbox and every room by cursor.
    pub(super) async fn open(
        app: Shared,
        caller: Caller,
        hello: Hello,
        socket: WebSocket,
    ) -> std::result::Result<Self, (WebSocket, Error)> {
        // Registered before anything is read: what is appended from here on wakes this session.
        let connection = app.bus.connect(caller.device, caller.session);
        let ping = Duration::from(app.config.limits.ping_interval_ms);
        let mut session = Self {
            rooms: Rooms::new(Shared::clone(&app), caller.device, connection.wake.clone()),
            app,
            caller,
            socket,
            connection,
            inbox: 0,
            in_flight: 0,
            outcomes: None,
            turns: VecDeque::new(),
            heard: Instant::now(),
            asked: false,
            ping,
        };
        // Whatever ended while the ticket was redeemed found no socket to close.
        if let Err(error) = session.app.identity.check_alive(&session.caller) {
            return Err((session.socket, error));
        }
        match session.resume(hello).await {
            Ok(()) => Ok(session),
            Err(error) => Err((session.socket, error)),
        }
    }

    async fn resume(&mut self, hello: Hello) -> Result<()> {
        if hello.rooms.len() > MAX_ROOMS_PER_DEVICE {
            return Err(ErrorCode::TooLarge.into());
        }
        let (head, acked) = self.app.store.inbox_state(self.caller.device).await?;
        self.inbox = hello.inbox.unwrap_or(acked).min(head);
        for (room, acked) in self.app.store.rooms_of(self.caller.device).await? {
            let cursor = hello.rooms.iter().find(|c| c.room == room).map_or(acked, |c| c.seq);
            self.rooms.subscribe(room, cursor).await?;
        }
        // A room that the device has left since: it may still read up to its last entry.
        for cursor in &hello.rooms {
            if !self.rooms.all().contains(&cursor.room) {
                match self.rooms.subscribe(cursor.room, cursor.seq).await {
                    Ok(()) | Err(Error::Refused(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Runs until either side ends it.
    pub(super) async fn run(mut self) {
        let started = Box::pin(self.start()).await;
        let end = match started {
            Ok(()) => loop {
                if let Err(end) = self.step().await {
                    break end;
                }
            },
            Err(end) => end,
        };
        if let End::Close(code, problem) = end {
            Box::pin(close(self.socket, code, problem)).await;
        }
    }

    async fn start(&mut self) -> Step {
        let ready = Ready {
            device: self.caller.device,
            now: self.app.clock.now(),
            ping_ms: self.ping.as_millis() as u64,
            addresses: self.app.config.node.addresses.clone(),
        };
        self.feed(&ServerFrame::Ready(ready)).await?;
        self.send_inbox().await?;
        for room in self.rooms.all() {
            let turn = self.rooms.catch_up(room).await?;
            self.write(turn.frames).await?;
            // Another turn in any case: the tail may have grown while the store was read.
            self.turns.push_back(room);
        }
        self.flush().await
    }

    async fn step(&mut self) -> Step {
        let busy = !self.turns.is_empty();
        tokio::select! {
            dirty = self.connection.wake.wait() => Box::pin(self.woken(dirty)).await?,
            Some(outcome) = next_outcome(&mut self.outcomes) => Box::pin(self.outcome(outcome)).await?,
            message = self.socket.recv(), if self.in_flight < IN_FLIGHT => Box::pin(self.received(message)).await?,
            () = std::future::ready(()), if busy => {}
            () = tokio::time::sleep_until((self.heard + self.ping).into()) => Box::pin(self.quiet()).await?,
        }
        if let Some(room) = self.turns.pop_front() {
            Box::pin(self.turn(room)).await?;
        }
        self.flush().await
    }

    async fn woken(&mut self, dirty: Dirty) -> Step {
        if let Some(reason) = dirty.close {
            return Err(reason.into());
        }
        if dirty.inbox {
            self.send_inbox().await?;
        }
        for room in dirty.rooms {
            self.turn(room).await?;
        }
        Ok(())
    }

    async fn turn(&mut self, room: RoomId) -> Step {
        let turn = self.rooms.turn(room).await?;
        self.write(turn.frames).await?;
        if turn.more {
            self.turns.push_back(room);
        }
        Ok(())
    }

    async fn send_inbox(&mut self) -> Step {
        loop {
            let page = self.app.store.inbox(self.caller.device, self.inbox, INBOX_PAGE).await?;
            let full = page.items.len() == INBOX_PAGE;
            for item in page.items {
                self.inbox = item.seq;
                self.feed(&ServerFrame::Inbox(item)).await?;
            }
            if !full {
                return Ok(());
            }
        }
    }

    async fn outcome(&mut self, first: Outcome) -> Step {
        let mut next = Some(first);
        while let Some(Outcome { id, room, result }) = next {
            self.in_flight -= 1;
            let frame = match result {
                Ok(sent) => ServerFrame::Sent(SentFrame { id, room, seq: sent.seq, at: sent.at }),
                Err(problem) => ServerFrame::Refused(Refused { id: Some(id), problem }),
            };
            self.feed(&frame).await?;
            next = self.outcomes.as_mut().and_then(|(_, outcomes)| outcomes.try_recv().ok());
        }
        Ok(())
    }

    async fn received(&mut self, message: Option<std::result::Result<Message, axum::Error>>) -> Step {
        let mut next = message;
        for turn in 1.. {
            (self.heard, self.asked) = (Instant::now(), false);
            match next {
                Some(Ok(Message::Binary(bytes))) => self.frame(&bytes).await?,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Text(_))) => {
                    let problem = Problem::with(ErrorCode::BadRequest, "Frames are binary messages.");
                    return Err(End::Close(close_code::BAD_FRAME, problem));
                }
                Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
                Some(Err(_)) => {
                    let problem = Problem::with(ErrorCode::TooLarge, "The frame is too large or not well-formed.");
                    return Err(End::Close(close_code::BAD_FRAME, problem));
                }
            }
            // Before the next one is taken: a frame that was taken is handled.
            if self.in_flight >= IN_FLIGHT || turn >= READ_TURN {
                return Ok(());
            }
            // Whatever else has already arrived is taken along, so that answers share a write.
            match futures_util::FutureExt::now_or_never(self.socket.recv()) {
                Some(message) => next = message,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    async fn frame(&mut self, bytes: &[u8]) -> Step {
        let frame = from_cbor(bytes).map_err(|_| {
            let problem = Problem::with(ErrorCode::BadRequest, "The frame is not in the grammar of stream.cddl.");
            End::Close(close_code::BAD_FRAME, problem)
        })?;
        match frame {
            ClientFrame::Hello(_) => {
                let problem = Problem::with(ErrorCode::BadRequest, "Hello was said before.");
                Err(End::Close(close_code::BAD_FRAME, problem))
            }
            ClientFrame::Send(send) => self.send(send).await,
            ClientFrame::Ack(acks) => {
                if acks.rooms.len() > MAX_ROOMS_PER_DEVICE {
                    return Err(End::Close(close_code::BAD_FRAME, ErrorCode::TooLarge.into()));
                }
                self.app.acks.add(self.caller.device, &acks);
                Ok(())
            }
            ClientFrame::Subscribe(cursor) => match self.rooms.subscribe(cursor.room, cursor.seq).await {
                Ok(()) => {
                    let turn = self.rooms.catch_up(cursor.room).await?;
                    self.write(turn.frames).await?;
                    self.turns.push_back(cursor.room);
                    Ok(())
                }
                Err(error) => self.refuse(None, error).await,
            },
            ClientFrame::Ping {} => self.feed(&ServerFrame::Pong {}).await,
            ClientFrame::PageSeen { page } => match crate::callouts::page_seen(&self.app, &self.caller, page).await {
                Ok(()) => Ok(()),
                Err(error) => self.refuse(None, error).await,
            },
        }
    }

    async fn send(&mut self, SendFrame { id, room, message }: SendFrame) -> Step {
        let (answers, _) = self.outcomes.get_or_insert_with(mpsc::unbounded_channel);
        let reply = Reply::Session(answers.clone());
        match crate::delivery::log::append(&self.app, self.caller.device, room, id, message.0, reply).await {
            Ok(()) => {
                self.in_flight += 1;
                Ok(())
            }
            Err(error) => self.refuse(Some(id), error).await,
        }
    }

    /// Nothing was heard for a while: ask, or give up. A revocation that was missed is noticed here at the latest.
    async fn quiet(&mut self) -> Step {
        if let Err(error) = self.app.identity.check_alive(&self.caller) {
            let revoked = self.app.identity.is_revoked(self.caller.device);
            let code = if revoked { close_code::REVOKED } else { close_code::UNAUTHENTICATED };
            return Err(End::Close(code, error.problem()));
        }
        if self.asked {
            return Err(End::Close(close_code::SILENT, Problem::with(ErrorCode::Timeout, "No answer to a ping.")));
        }
        (self.heard, self.asked) = (Instant::now(), true);
        self.socket.feed(Message::Ping(Bytes::new())).await?;
        Ok(())
    }

    async fn refuse(&mut self, id: Option<MessageId>, error: Error) -> Step {
        if !matches!(error, Error::Refused(_)) {
            tracing::error!(%error, "frame failed");
        }
        self.feed(&ServerFrame::Refused(Refused { id, problem: error.problem() })).await
    }

    async fn feed(&mut self, frame: &ServerFrame) -> Step {
        self.write(vec![to_cbor(frame).into()]).await
    }

    /// Puts frames into the socket's buffer; a peer that takes nothing for too long is dropped to its cursor.
    async fn write(&mut self, frames: Vec<Bytes>) -> Step {
        for frame in frames {
            let fed = self.socket.feed(Message::Binary(frame));
            taken(fed, &self.connection).await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Step {
        taken(self.socket.flush(), &self.connection).await
    }
}

/// Waits for the peer to take what it is sent; not for ever, and not when the session has to close.
async fn taken(write: impl Future<Output = std::result::Result<(), axum::Error>>, connection: &Connection) -> Step {
    tokio::select! {
        biased;
        written = tokio::time::timeout(WRITE_DEADLINE, write) => Ok(written.map_err(|_| End::Gone)??),
        reason = connection.wake.closing() => Err(reason.into()),
    }
}
