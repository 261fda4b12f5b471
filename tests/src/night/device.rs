//! A device at work while its server dies again and again: a session, its connection, and everything that it saw.

use crate::process::{Cli, PATIENCE, Result, at_once, fail};
use firstlight_client::{
    engine::{EngineError, Event, RoomState},
    session::{Happening, Live, Session, SessionError},
    storage::{Line, LineBody},
};
use firstlight_protocol::{ErrorCode, MessageId, RoomId, api::Notice, mls::Content};
use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle, time::timeout};

/// A request that failed is made again after this; the client has waited several times itself by then.
const AGAIN: Duration = Duration::from_millis(20);
/// More lines than any room here has.
const MANY: usize = 1_000_000;

/// What the connection brought.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "notices are nearly all of them")]
pub enum Seen {
    /// An item of the inbox.
    Notice(Notice),
    /// A Welcome was of no use, and why.
    NotJoined(String),
    /// Something that the device does by itself did not work.
    Trouble(String),
}

/// One person's device.
#[derive(Debug, Clone)]
pub struct Device {
    /// Whose it is: "Advocate 1".
    pub who: String,
    /// What drives it.
    pub session: Session,
    seen: Arc<watch::Sender<Vec<Seen>>>,
    connection: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Device {
    /// The device of this state directory, in this process.
    ///
    /// # Errors
    /// If its state can't be opened.
    pub fn open(cli: &Cli) -> Result<Self> {
        Ok(Self {
            who: cli.who.clone(),
            session: cli.session()?,
            seen: Arc::new(watch::Sender::default()),
            connection: Arc::default(),
        })
    }

    /// Connects, or connects anew: as a program does that was opened again, without the pause of one that has tried in
    /// vain for a while.
    pub fn connect(&self) {
        let (session, seen) = (self.session.clone(), self.seen.clone());
        let connection = tokio::spawn(async move {
            let mut live = Live::new(session);
            loop {
                let new = match live.next().await {
                    Ok(Happening::Event(event)) => match *event {
                        Event::Notice(item) => Seen::Notice(item.notice),
                        Event::Line { .. } => {
                            // Nothing to keep, but whoever waits for it looks.
                            seen.send_modify(|_| {});
                            continue;
                        }
                        Event::Failed { problem, .. } => Seen::Trouble(problem.to_string()),
                        // Somebody who is stood down before their device has joined finds the Welcome gone; whoever
                        // is needed in a room waits for it in the story.
                        Event::WelcomeFailed { room, reason } => Seen::NotJoined(format!("{}: {reason}", room.short())),
                        Event::OutOfSync { reason, .. } => Seen::Trouble(reason.to_string()),
                        _ => continue,
                    },
                    // Said loudly to a person, and right: the server is gone. What was to be sent is kept and sent again,
                    // and the story fails if it never arrives.
                    Ok(Happening::Trouble { error }) if error.to_string().contains("[unavailable]") => continue,
                    Ok(Happening::Trouble { error }) => Seen::Trouble(error.to_string()),
                    Ok(_) => continue,
                    Err(error) => {
                        seen.send_modify(|all| all.push(Seen::Trouble(format!("the connection is over: {error}"))));
                        return;
                    }
                };
                seen.send_modify(|all| all.push(new));
            }
        });
        if let Some(old) = self.hold().replace(connection) {
            old.abort();
        }
    }

    fn hold(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything seen so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    /// The first thing seen, ever, for which `pick` gives something; waits for it without end.
    pub async fn first<T>(&self, mut pick: impl FnMut(&Seen) -> Option<T>) -> T {
        let mut seen = self.seen.subscribe();
        let mut looked_at = 0;
        loop {
            {
                let all = seen.borrow_and_update();
                while let Some(one) = all.get(looked_at) {
                    looked_at += 1;
                    if let Some(found) = pick(one) {
                        return found;
                    }
                }
            }
            // The sender lives as long as this device.
            let _ = seen.changed().await;
        }
    }

    /// As [`Self::first`].
    ///
    /// # Errors
    /// If it does not come in time.
    pub async fn wait_for<T>(&self, what: &str, pick: impl FnMut(&Seen) -> Option<T>) -> Result<T> {
        let found = timeout(PATIENCE, self.first(pick)).await;
        found.map_err(|_| fail(format!("{} waits in vain for {what}", self.who)))
    }

    /// Asks again whenever something was seen, until there is an answer. For questions to the device's store: asking them
    /// of everything ever seen would take longer and longer.
    ///
    /// # Errors
    /// If there is none in time, or `ask` fails.
    pub async fn when<T>(&self, what: &str, ask: impl Fn(&Self) -> Result<Option<T>>) -> Result<T> {
        let mut seen = self.seen.subscribe();
        let asking = async {
            loop {
                seen.mark_unchanged();
                if let Some(answer) = ask(self)? {
                    return Ok(answer);
                }
                let _ = seen.changed().await;
            }
        };
        let answered = timeout(PATIENCE, asking).await;
        answered.unwrap_or_else(|_| Err(fail(format!("{} waits in vain for {what}", self.who))))
    }

    /// Does something until it is answered: what can't be answered while the server is down is asked again. Everything
    /// asked so carries an id of its own, so that asking twice does it once.
    ///
    /// # Errors
    /// If it is refused, or never answered.
    pub async fn insist<T, F>(&self, what: &str, ask: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = std::result::Result<T, SessionError>>,
    {
        let asking = async {
            loop {
                match ask().await {
                    Ok(answer) => return Ok(answer),
                    Err(error) if passes(&error) => tokio::time::sleep(AGAIN).await,
                    Err(error) => return Err(fail(format!("{} could not {what}: {error}", self.who))),
                }
            }
        };
        match timeout(PATIENCE * 2, asking).await {
            Ok(answered) => answered,
            Err(_) => Err(fail(format!("{} was never answered: {what}", self.who))),
        }
    }

    /// Sends a message, and returns when the server has said that it is durable.
    ///
    /// # Errors
    /// If it is refused, or never sent.
    pub async fn send(&self, room: RoomId, content: Content, id: MessageId) -> Result<()> {
        let first = self.session.send(room, content, id).await;
        match first {
            Ok(_) => return Ok(()),
            Err(error) if passes(&error) => {}
            Err(error) => return Err(fail(format!("{} could not send: {error}", self.who))),
        }
        // It is in the device's outbox now, whatever becomes of this call.
        let sending = async {
            while let Some(pending) =
                self.session.state().read(|engine| engine.pending()).await?.into_iter().find(|p| p.id == id)
            {
                if let Some(problem) = pending.failed {
                    return Err(fail(format!("{}'s message was refused: {problem}", self.who)));
                }
                self.insist("send what waits", || async { self.session.sync().await.1 }).await?;
            }
            Ok(())
        };
        match timeout(PATIENCE * 2, sending).await {
            Ok(sent) => sent,
            Err(_) => Err(fail(format!("{}'s message stays where it is", self.who))),
        }
    }

    /// Where it stands, for a report: what it waits for, its newest rooms, and what it saw last.
    pub fn report(&self) -> String {
        let asked = at_once(self.session.state().read(|engine| (engine.pending(), engine.rooms())));
        let Ok((pending, mut rooms)) = asked else { return format!("{}: can't be asked", self.who) };
        rooms.sort_by_key(|room| room.context.callout.is_some());
        let mut report = format!("{}:\n", self.who);
        for wish in pending {
            report += &format!("  wants in {}: {:?}, failed: {:?}\n", wish.room.short(), wish.what, wish.failed);
        }
        for room in rooms.iter().filter(|room| room.state != RoomState::Left) {
            report += &format!(
                "  room {} {:?}: epoch {}, entry {}, {} members\n",
                room.room.short(),
                room.state,
                room.epoch,
                room.cursor,
                room.members.len()
            );
        }
        for seen in self.seen().iter().rev().take(5).rev() {
            let mut seen = format!("{seen:?}");
            seen.truncate(240);
            report += &format!("  saw {seen}\n");
        }
        report
    }

    /// All texts and details in a room, in order.
    ///
    /// # Errors
    /// If one of them can't be read.
    pub fn texts(&self, room: RoomId) -> Result<Vec<String>> {
        self.read(at_once(self.session.state().lines(room, 0, MANY))?)
    }

    /// The newest of them.
    ///
    /// # Errors
    /// As [`Self::texts`].
    pub fn newest_texts(&self, room: RoomId, lines: usize) -> Result<Vec<String>> {
        self.read(at_once(self.session.state().lines_before(room, u64::MAX, lines))?)
    }

    fn read(&self, lines: Vec<Line>) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        for line in lines {
            match line.body {
                LineBody::Message(Content::Text { text, .. }) => texts.push(text),
                LineBody::Message(Content::Details(details)) => texts.push(details.notes),
                LineBody::Unreadable(why) => {
                    return Err(fail(format!("{} can't read line {} of {}: {why:?}", self.who, line.seq, line.room)));
                }
                _ => {}
            }
        }
        Ok(texts)
    }
}

/// The server is down and what was wanted is kept, or this very thing is being done by the device's connection now.
fn passes(error: &SessionError) -> bool {
    error.is_passing()
        || error.code() == Some(ErrorCode::Unavailable)
        || matches!(error, SessionError::Engine(EngineError::RoomExists { .. } | EngineError::IdInUse))
}
