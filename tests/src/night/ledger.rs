//! Everything that the server has acknowledged, and whether it still knows it.

use super::Device;
use crate::process::{Result, fail};
use firstlight_protocol::{
    CalloutId, MessageId, RoomId,
    api::LogEntry,
    callout::{CalloutView, Event},
    limits::MAX_LOG_PAGE,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// What was acknowledged. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    acknowledged: Arc<Mutex<Acknowledged>>,
    count: Arc<watch::Sender<usize>>,
}

#[derive(Debug, Default, Clone)]
struct Acknowledged {
    /// Callouts, with what was done to them.
    callouts: BTreeMap<CalloutId, Vec<Event>>,
    /// Messages by room.
    messages: BTreeMap<RoomId, Vec<MessageId>>,
}

/// What was checked before, so that each check looks at what is new.
#[derive(Debug, Default)]
pub struct Checked {
    /// The server's logs as they were read so far.
    logs: BTreeMap<RoomId, Vec<LogEntry>>,
    /// Callouts that were whole when they were closed.
    closed: BTreeSet<CalloutId>,
    /// How long each of those waited for somebody who accepts, in milliseconds.
    pub(super) waits: Vec<u64>,
}

impl Ledger {
    /// The server has answered that this happened to a callout.
    pub fn happened(&self, callout: CalloutId, event: Event) {
        self.hold().callouts.entry(callout).or_default().push(event);
        self.count.send_modify(|count| *count += 1);
    }

    /// The server has answered that this message is durable.
    pub fn sent(&self, room: RoomId, id: MessageId) {
        self.hold().messages.entry(room).or_default().push(id);
        self.count.send_modify(|count| *count += 1);
    }

    /// How much was acknowledged.
    pub fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Waits until so much was acknowledged.
    pub async fn reaches(&self, count: usize) {
        // The sender lives as long as this ledger.
        let _ = self.count.subscribe().wait_for(|now| *now >= count).await;
    }

    /// How many messages were sent.
    pub fn messages(&self) -> usize {
        self.hold().messages.values().map(Vec::len).sum()
    }

    /// How many callouts were opened.
    pub fn callouts(&self) -> usize {
        self.hold().callouts.len()
    }

    /// Asks the server for everything that it had acknowledged before. `supervisor` may see every callout; `readers`
    /// are asked in turn for a room's log until one is a member.
    ///
    /// # Errors
    /// If something is lost, doubled or out of order, or a callout has no next action.
    pub async fn check(&self, supervisor: &Device, readers: &[&Device], checked: &mut Checked) -> Result<()> {
        let acknowledged = self.hold().clone();
        for (callout, events) in &acknowledged.callouts {
            if checked.closed.contains(callout) {
                continue;
            }
            let api = supervisor.session.api();
            let view = supervisor.insist("see a callout", || async { Ok(api.callout(*callout).await?) }).await?;
            knows(&view, events)?;
            goes_on(&view)?;
            if events.contains(&Event::Closed) {
                checked.closed.insert(*callout);
                let accepted = view.timeline.iter().find(|entry| entry.event == Event::Accepted);
                let wait = accepted.map(|entry| entry.at.since(view.opened_at).as_millis());
                checked.waits.extend(wait.and_then(|wait| u64::try_from(wait).ok()));
            }
        }
        for (room, sent) in &acknowledged.messages {
            let log = checked.logs.entry(*room).or_default();
            if missing(*room, log, sent)?.is_some() {
                read_on(*room, readers, log).await?;
            }
            if let Some(lost) = missing(*room, log, sent)? {
                return Err(fail(format!("{room}: the acknowledged message {lost} is lost")));
            }
        }
        Ok(())
    }

    fn hold(&self) -> MutexGuard<'_, Acknowledged> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nothing that was acknowledged is lost.
fn knows(view: &CalloutView, acknowledged: &[Event]) -> Result<()> {
    for event in acknowledged {
        let times = view.timeline.iter().filter(|entry| entry.event == *event).count();
        if times != 1 {
            return Err(fail(format!("callout {}: {event} was acknowledged and is there {times} times", view.id)));
        }
    }
    Ok(())
}

/// Until somebody has accepted, there is a next action with a known time (promise 1 of the design).
fn goes_on(view: &CalloutView) -> Result<()> {
    let waiting = view.state.is_open() && view.accepted < view.wanted;
    if waiting && view.next_action.is_none() {
        return Err(fail(format!("callout {} is {} and nothing happens next", view.id, view.state)));
    }
    Ok(())
}

async fn read_on(room: RoomId, readers: &[&Device], log: &mut Vec<LogEntry>) -> Result<()> {
    for reader in readers {
        let member = reader.session.state().read(|engine| engine.room(room)).await?;
        if member.is_none_or(|room| room.state != firstlight_client::engine::RoomState::Joined) {
            continue;
        }
        loop {
            let after = log.last().map_or(0, |entry| entry.seq);
            let api = reader.session.api();
            let page = reader.insist("read a log", || async { Ok(api.log(room, after, MAX_LOG_PAGE).await?) }).await?;
            for entry in page.entries {
                let next = log.last().map_or(1, |entry| entry.seq + 1);
                if entry.seq != next {
                    return Err(fail(format!("{room}: entry {} stands where {next} should", entry.seq)));
                }
                log.push(entry);
            }
            if log.last().map_or(0, |entry| entry.seq) >= page.head {
                return Ok(());
            }
        }
    }
    Err(fail(format!("nobody can read {room}")))
}

/// The first of these messages that is not there. Nothing may be there twice.
fn missing(room: RoomId, log: &[LogEntry], sent: &[MessageId]) -> Result<Option<MessageId>> {
    let mut there = BTreeSet::new();
    if let Some(twice) = log.iter().find(|entry| !there.insert(entry.id)) {
        return Err(fail(format!("{room}: {} stands in the log twice", twice.id)));
    }
    Ok(sent.iter().find(|id| !there.contains(id)).copied())
}
