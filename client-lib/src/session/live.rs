//! A device that stays connected: frames in, steps stored, effects carried out beside the socket, forever.
//!
//! A page waits for nothing (DESIGN.md, promise 2): what a frame brought is handed to the caller before any request
//! that follows from it, and requests run beside the socket, one after the other.
//!
//! A short command may run beside a watching one, on the same state directory, and take in what came before the watching
//! one does. So pages and messages are shown from the store, up to where it has come, whoever wrote them there.

use super::{
    Boxed, Session, SessionError,
    drive::{Task, merge},
    roomless::Roomless,
    unseen::Unseen,
};
use crate::{
    clock::{self, Instant, sleep_until},
    engine::{Effect, Event},
    storage::Outcome,
    transport::{Backoff, ServerUrl, Stream, StreamEnd, TransportError},
};
use firstlight_protocol::{
    CalloutId, ErrorCode, PageId, PersonId, Problem, Timestamp,
    api::{Acks, InboxItem, LogEntry, Notice, Sent},
    callout::CalloutView,
    limits::MAX_LOG_PAGE,
    stream::{ClientFrame, Hello, SendFrame, ServerFrame},
};
use futures_util::FutureExt;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::{pending, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

/// A session that lasted longer than this, and than the wait before it, was a good one: the next reconnect is quick
/// again. So a server that takes connections and drops them is not asked more and more often.
const GOOD_SESSION: Duration = Duration::from_secs(2);

/// No server has a say in more than this: a page may be waiting.
const LATEST: Duration = Duration::from_secs(10);

/// A command that opened a callout builds its room itself, within this time.
pub(super) const OWN_COMMAND: Duration = Duration::from_secs(15);
/// A room that could not be built is tried again after this.
const BUILD_AGAIN: Duration = Duration::from_secs(30);

/// What a watching caller sees.
#[derive(Debug)]
pub enum Happening {
    /// The websocket is open; what was missed comes next.
    Connected {
        /// The server's clock.
        server_now: Timestamp,
    },
    /// The websocket is gone; it is tried again by itself.
    Disconnected {
        /// Why.
        reason: String,
        /// After this.
        retry_in: Duration,
    },
    /// The engine has something to show.
    Event(Box<Event>),
    /// Something that this device does by itself did not work.
    Trouble {
        /// What.
        error: SessionError,
    },
    /// A callout's room was built here.
    RoomBuilt {
        /// The callout.
        callout: CalloutId,
        /// The room.
        room: firstlight_protocol::RoomId,
        /// How many people are in it besides this device's.
        people: usize,
    },
}

/// Something that runs beside the socket.
#[derive(Debug)]
enum Work {
    Task(Task),
    /// Build the room of a callout that this device opened.
    BuildRoom(CalloutId),
    /// Add whoever belongs in the room by now.
    CompleteRoom(Box<CalloutView>),
    /// The receipt of a page, where the socket could not carry it.
    Seen(PageId),
}

/// What became of it.
struct Done {
    builds_room: bool,
    outcome: Result<Outcome, SessionError>,
    happenings: Vec<Happening>,
}

/// What comes next on an open connection.
#[allow(clippy::large_enum_variant, reason = "it lives for one step, and a frame is the common case")]
enum Next {
    Frame(Result<ServerFrame, StreamEnd>),
    Done(Done),
    Handed(Outcome),
    Again,
    Look,
}

/// The connection of a watching device.
pub struct Live {
    session: Session,
    ready: VecDeque<Happening>,
    work: VecDeque<Work>,
    running: Option<Boxed<'static, Done>>,
    outgoing: VecDeque<ClientFrame>,
    acks: Acks,
    unseen: Unseen,
    /// Who belonged in each callout's room when its completion was tried last.
    completed: BTreeMap<CalloutId, BTreeSet<PersonId>>,
    roomless: Roomless,
    stream: Option<Stream>,
    /// Where the stream is, was, or was tried last.
    server: ServerUrl,
    opened: Instant,
    connect_at: Instant,
    /// How long it waited before it connected last.
    waited: Duration,
    retry_at: Option<Instant>,
    reconnect: Backoff,
    again: Backoff,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("connected", &self.stream.is_some()).finish_non_exhaustive()
    }
}

impl Live {
    /// Connects with the first [`Self::next`].
    pub fn new(session: Session) -> Self {
        let (now, server) = (Instant::now(), session.api.http().servers().current());
        Self {
            session,
            ready: VecDeque::new(),
            work: VecDeque::new(),
            running: None,
            outgoing: VecDeque::new(),
            acks: Acks::default(),
            unseen: Unseen::default(),
            completed: BTreeMap::new(),
            roomless: Roomless::default(),
            stream: None,
            server,
            opened: now,
            connect_at: now,
            waited: Duration::ZERO,
            retry_at: None,
            reconnect: Backoff::reconnect(),
            again: Backoff::reconnect(),
        }
    }

    /// The next thing that happens. Cancelling it loses nothing. An error is final: the device is revoked, or its state
    /// directory can't be used.
    pub async fn next(&mut self) -> Result<Happening, SessionError> {
        loop {
            if let Some(happening) = self.ready.pop_front() {
                return Ok(happening);
            }
            if self.stream.is_none() {
                sleep_until(self.connect_at).await;
                self.connect().await?;
                continue;
            }
            self.send_waiting().await;
            self.start_work();
            self.step().await?;
        }
    }

    /// Closes the connection in order, after what was received is acknowledged.
    pub async fn close(mut self) {
        self.send_waiting().await;
        if let Some(stream) = self.stream.take() {
            stream.close().await;
        }
    }

    async fn connect(&mut self) -> Result<(), SessionError> {
        match self.open().await {
            Ok((stream, server_now)) => {
                self.stream = Some(stream);
                self.opened = Instant::now();
                self.ready.push_back(Happening::Connected { server_now });
                self.catch_up().await?;
                Ok(())
            }
            // Whatever the server answers, a device that waits for pages goes on trying; only a revoked one stops.
            Err(SessionError::Transport(e)) if e.code() != Some(ErrorCode::DeviceRevoked) => {
                self.disconnected(&e);
                Ok(())
            }
            Err(e) => Err(e),
        }
    }

    async fn open(&mut self) -> Result<(Stream, Timestamp), SessionError> {
        self.unseen.begin(&self.session).await?;
        let api = &self.session.api;
        let ticket = api.ticket().await?.ticket;
        self.server = api.http().servers().current();
        let (inbox, rooms) = self.session.state.read(|engine| (engine.inbox_cursor(), engine.cursors())).await?;
        self.unseen.subscribed(&rooms);
        let (stream, ready) = Stream::open(&self.server, Hello { ticket, inbox: Some(inbox), rooms }).await?;
        api.http().servers().answered(&self.server);
        #[cfg(feature = "native")]
        self.session.learn_addresses(ready.addresses).await?;
        Ok((stream, ready.now))
    }

    /// After connecting: whom to trust, key packages for others, and whatever was left open.
    async fn catch_up(&mut self) -> Result<(), SessionError> {
        self.retry_at = None;
        self.work.clear();
        self.outgoing.clear();
        self.session.handed.clear();
        self.work.extend([Task::Trust, Task::KeyPackages, Task::Rooms].map(Work::Task));
        self.queue_outbox().await?;
        self.queue_openings().await?;
        self.look().await
    }

    /// Shows what the store holds and the caller has not seen, and subscribes to rooms that another process joined.
    async fn look(&mut self) -> Result<(), SessionError> {
        let news = self.unseen.look(&self.session).await?;
        self.ready.extend(news.events.into_iter().map(|event| Happening::Event(Box::new(event))));
        self.outgoing.extend(news.subscribe.into_iter().map(ClientFrame::Subscribe));
        Ok(())
    }

    /// Rooms of callouts that this device opened and did not finish building. A command that has just opened one is
    /// still at it.
    async fn queue_openings(&mut self) -> Result<(), SessionError> {
        for view in self.roomless.due() {
            self.session.adopt_room(&view).await?;
        }
        for opening in self.session.openings().await? {
            let callout = opening.open.id;
            let queued = self.work.iter().any(|work| matches!(work, Work::BuildRoom(known) if *known == callout));
            if clock::now().since(opening.at) < OWN_COMMAND {
                self.again_in(OWN_COMMAND);
            } else if !queued {
                self.work.push_back(Work::BuildRoom(callout));
            }
        }
        Ok(())
    }

    /// Asks for everything that is open again, after this time at the latest.
    fn again_in(&mut self, wait: Duration) {
        let at = Instant::now() + wait;
        self.retry_at = Some(self.retry_at.map_or(at, |known| known.min(at)));
    }

    async fn queue_outbox(&mut self) -> Result<(), SessionError> {
        let effects = self.session.state.read(|engine| engine.outbox()).await?;
        self.queue(effects);
        Ok(())
    }

    fn disconnected(&mut self, error: &TransportError) {
        if self.stream.take().is_some() && self.opened.elapsed() >= self.waited.max(GOOD_SESSION) {
            self.reconnect.reset();
        }
        self.unseen.disconnected();
        let another = error.is_this_nodes() && self.session.api.http().servers().failed(&self.server);
        let random = crate::transport::jitter();
        let retry_in = match error {
            // It is about to stop, and says when to come back, to each another time.
            TransportError::Refused(Problem { code: ErrorCode::Unavailable, retry_after_ms: Some(wait), .. }) => {
                Duration::from_millis(*wait).min(LATEST)
            }
            // Another address has not been asked yet.
            _ if another => Backoff::reconnect().fail(random),
            _ => self.reconnect.fail(random),
        };
        (self.connect_at, self.waited) = (Instant::now() + retry_in, retry_in);
        self.ready.push_back(Happening::Disconnected { reason: error.to_string(), retry_in });
    }

    /// Sends what waits for the socket. A frame leaves the queue after it was sent, so that cancelling repeats it at worst.
    async fn send_waiting(&mut self) {
        if self.acks != Acks::default() {
            self.outgoing.push_back(ClientFrame::Ack(std::mem::take(&mut self.acks)));
        }
        while let (Some(frame), Some(stream)) = (self.outgoing.front(), self.stream.as_mut()) {
            match stream.send(frame).await {
                Ok(()) => drop(self.outgoing.pop_front()),
                Err(end) => self.ended(end).unwrap_or_default(),
            }
        }
    }

    /// The session is over. Only a revoked device has no way back.
    fn ended(&mut self, end: StreamEnd) -> Result<(), SessionError> {
        // The receipts that were not sent go over HTTP; all else is in the engine's outbox or repeated by the server.
        for frame in std::mem::take(&mut self.outgoing) {
            if let ClientFrame::PageSeen { page } = frame {
                self.work.push_back(Work::Seen(page));
            }
        }
        let last = end.is_final();
        let error = TransportError::from(end);
        self.disconnected(&error);
        if last { Err(error.into()) } else { Ok(()) }
    }

    fn start_work(&mut self) {
        if self.running.is_some() {
            return;
        }
        if let Some(work) = self.work.pop_front() {
            self.running = Some(Box::pin(run(self.session.clone(), work)));
        }
    }

    /// Waits for the first of: frames, the running request, what a caller beside this one has stored, the time to try
    /// failed ones again. In this order: a page comes before everything else.
    async fn step(&mut self) -> Result<(), SessionError> {
        let Some(stream) = self.stream.as_mut() else {
            return Ok(());
        };
        let next = {
            let (retry_at, running) = (self.retry_at, &mut self.running);
            let mut frame = pin!(stream.next());
            let mut handed = pin!(self.session.handed.take());
            let mut again = pin!(async {
                match retry_at {
                    Some(at) => sleep_until(at).await,
                    None => pending().await,
                }
            });
            let mut look = pin!(others_may_have_stored());
            poll_fn(|context| {
                if let Poll::Ready(frame) = frame.as_mut().poll(context) {
                    return Poll::Ready(Next::Frame(frame));
                }
                if let Some(Poll::Ready(done)) = running.as_mut().map(|running| running.as_mut().poll(context)) {
                    return Poll::Ready(Next::Done(done));
                }
                if let Poll::Ready(outcome) = handed.as_mut().poll(context) {
                    return Poll::Ready(Next::Handed(outcome));
                }
                if again.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Next::Again);
                }
                look.as_mut().poll(context).map(|()| Next::Look)
            })
            .await
        };
        match next {
            Next::Frame(Ok(frame)) => self.frames(frame).await,
            Next::Frame(Err(end)) => self.ended(end),
            Next::Done(done) => {
                self.running = None;
                self.done(done).await
            }
            Next::Handed(outcome) => self.take(outcome).await,
            Next::Again => {
                self.retry_at = None;
                self.queue_outbox().await?;
                self.queue_openings().await
            }
            Next::Look => self.look().await,
        }
    }

    async fn done(&mut self, done: Done) -> Result<(), SessionError> {
        self.ready.extend(done.happenings);
        match done.outcome {
            Ok(outcome) => {
                self.again.reset();
                self.take(outcome).await
            }
            Err(e) if e.code() == Some(ErrorCode::DeviceRevoked) => Err(e),
            Err(e) if e.is_passing() => {
                // Everything is in the outbox: forget the queue, and ask for all of it again a little later.
                self.work.retain(|work| matches!(work, Work::Seen(_) | Work::BuildRoom(_)));
                let wait = self.again.fail(crate::transport::jitter());
                self.again_in(wait);
                Ok(())
            }
            Err(error) => {
                if done.builds_room {
                    self.again_in(BUILD_AGAIN);
                }
                self.ready.push_back(Happening::Trouble { error });
                Ok(())
            }
        }
    }

    /// Takes the frame and whatever else has arrived by now: one transaction for many entries.
    async fn frames(&mut self, first: ServerFrame) -> Result<(), SessionError> {
        let mut entries: Vec<LogEntry> = Vec::new();
        let mut items: Vec<InboxItem> = Vec::new();
        let mut next = Some(Ok(first));
        while let Some(frame) = next.take() {
            match frame {
                Ok(ServerFrame::Entry(e)) => entries.push(LogEntry {
                    room: e.room,
                    seq: e.seq,
                    at: e.at,
                    sender: e.sender,
                    id: e.id,
                    kind: e.kind,
                    body: e.body,
                }),
                Ok(ServerFrame::Inbox(item)) => items.push(item),
                Ok(other) => {
                    self.store(&mut entries, &mut items).await?;
                    self.other(other).await?;
                }
                Err(end) => {
                    self.store(&mut entries, &mut items).await?;
                    return self.ended(end);
                }
            }
            if entries.len() + items.len() < MAX_LOG_PAGE
                && let Some(stream) = self.stream.as_mut()
            {
                next = stream.next().now_or_never();
            }
        }
        self.store(&mut entries, &mut items).await
    }

    /// The inbox first: a page is more urgent than a message.
    async fn store(&mut self, entries: &mut Vec<LogEntry>, items: &mut Vec<InboxItem>) -> Result<(), SessionError> {
        if !items.is_empty() {
            let outcome = self.session.state.apply(|engine, now| engine.receive_inbox(items, now)).await?;
            for item in items.drain(..) {
                self.notice(item.notice).await?;
            }
            self.take(outcome).await?;
        }
        if !entries.is_empty() {
            let outcome = self.session.state.apply(|engine, now| engine.receive_entries(entries, now)).await?;
            entries.clear();
            self.take(outcome).await?;
        }
        Ok(())
    }

    /// What a notice asks of this device itself.
    async fn notice(&mut self, notice: Notice) -> Result<(), SessionError> {
        match notice {
            Notice::Page { page, .. } | Notice::AgencyNotice { page: Some(page), .. } => {
                self.outgoing.push_back(ClientFrame::PageSeen { page })
            }
            Notice::Callout { view } => {
                self.session.state.remember_duty_number(view.duty_number.as_str()).await?;
                let role = self.session.state.read(|engine| engine.identity().map(|identity| identity.role)).await?;
                if let Some(wait) = role.and_then(|role| self.roomless.note(&view, role)) {
                    self.again_in(wait);
                }
                // Once for each change of who belongs: somebody who can't be added stays out until then.
                let belong: BTreeSet<PersonId> = view.room_people.iter().flatten().copied().collect();
                if self.completed.get(&view.id) != Some(&belong) {
                    self.completed.insert(view.id, belong);
                    self.work.push_back(Work::CompleteRoom(Box::new(view)));
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn other(&mut self, frame: ServerFrame) -> Result<(), SessionError> {
        match frame {
            ServerFrame::Sent(sent) => {
                let answer = Sent { seq: sent.seq, at: sent.at };
                let outcome =
                    self.session.state.apply(|engine, _| engine.published_message(sent.room, sent.id, &answer)).await?;
                self.take(outcome).await
            }
            ServerFrame::Refused(refused) => {
                let pending = self.session.state.read(|engine| engine.pending()).await?;
                let known = refused.id.and_then(|id| pending.into_iter().find(|p| p.id == id));
                match known {
                    Some(pending) => {
                        let outcome = self.session.hand_back(pending.room, pending.id, &refused.problem).await?;
                        if crate::engine::is_retryable(&refused.problem) {
                            let wait = self.again.fail(crate::transport::jitter());
                            self.again_in(wait);
                        }
                        self.take(outcome).await
                    }
                    // Somebody who is stood down while their device joins: the inbox says so, and nobody shall wake for it.
                    None if refused.id.is_none() && refused.problem.code == ErrorCode::NotAMember => Ok(()),
                    None => {
                        self.ready.push_back(Happening::Trouble { error: SessionError::Rule(refused.problem) });
                        Ok(())
                    }
                }
            }
            ServerFrame::Closing(closing) => self.ended(StreamEnd::Closed(closing.problem)),
            ServerFrame::Ready(_) => self.ended(StreamEnd::Malformed),
            ServerFrame::Entry(_) | ServerFrame::Inbox(_) | ServerFrame::Pong {} => Ok(()),
        }
    }

    /// Events to the caller, effects to the socket or beside it.
    async fn take(&mut self, mut outcome: Outcome) -> Result<(), SessionError> {
        self.session.tidy(&mut outcome.events).await?;
        for event in outcome.events {
            match event {
                // Shown from the store, with those that another process has taken in.
                Event::Line { .. } | Event::Notice(_) | Event::Left { .. } => continue,
                Event::Joined { .. } => {
                    // Joining used up a key package.
                    self.work.push_back(Work::Task(Task::KeyPackages));
                    continue;
                }
                _ => {}
            }
            self.ready.push_back(Happening::Event(Box::new(event)));
        }
        self.queue(outcome.effects);
        self.look().await
    }

    fn queue(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ack(acks) => merge(&mut self.acks, acks),
                Effect::Subscribe(cursor) => {
                    self.unseen.subscribed(&[cursor]);
                    self.outgoing.push_back(ClientFrame::Subscribe(cursor));
                }
                Effect::PublishMessage { room, message } => {
                    let frame = SendFrame { id: message.id, room, message: message.message };
                    self.outgoing.push_back(ClientFrame::Send(frame));
                }
                other => self.work.push_back(Work::Task(Task::Effect(other))),
            }
        }
    }
}

/// When a quiet connection looks whether another process has stored something: every second. In a browser nobody else
/// writes, and whoever does beside this connection hands it over.
async fn others_may_have_stored() {
    #[cfg(feature = "native")]
    tokio::time::sleep(Duration::from_secs(1)).await;
    #[cfg(target_arch = "wasm32")]
    pending::<()>().await;
}

async fn run(session: Session, work: Work) -> Done {
    let mut happenings = Vec::new();
    let builds_room = matches!(work, Work::BuildRoom(_));
    let quiet = Outcome::default;
    let outcome = match work {
        Work::Task(task) => session.carry_out(task).await,
        Work::Seen(page) => session.api.page_seen(page).await.map(|()| quiet()).map_err(SessionError::from),
        Work::CompleteRoom(view) => session.complete_callout_room(&view).await.map(|()| quiet()),
        Work::BuildRoom(callout) => match session.unbuilt(callout).await {
            Ok(Some(opening)) => session.finish_opening(opening).await.map(|built| {
                // Nobody was added where another device had built it.
                if !built.people.is_empty() {
                    happenings.push(Happening::RoomBuilt { callout, room: built.room, people: built.people.len() });
                }
                quiet()
            }),
            Ok(None) => Ok(quiet()),
            Err(e) => Err(e),
        },
    };
    Done { builds_room, outcome, happenings }
}
