//! The connection to Redis, by which nodes wake each other.
//!
//! One channel carries everything. A node hears itself too, and that is how it knows that what it says comes through: it
//! says something every second, and if it has not heard itself for [`ECHO_WITHIN`] the link counts as broken, whatever
//! the connection looks like. While it is broken nothing is kept for later: nodes find their work by looking at the
//! store, and once more when the link is back, because something may have been missed in between.

mod servers;

pub use servers::Servers;

use super::{Bus, incoming::Heard, lock, message::Message, outgoing::chunks, presence::digest};
use crate::{clock::Clock, telemetry::BusTraffic};
use firstlight_protocol::Timestamp;
use futures_util::StreamExt;
use redis::aio::{MultiplexedConnection, PubSubStream};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// How often a node says that it lives.
const BEAT: Duration = Duration::from_secs(1);
/// A node that has not heard itself for this long is not connected.
const ECHO_WITHIN: Duration = Duration::from_secs(3);
/// How often nodes tell what they took from allowances.
const TELL_SPENT: Duration = Duration::from_millis(100);
/// Pauses between attempts: twice as long each time, and a random part of that.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Messages of one write.
const BATCH: usize = 64;

/// How the bus reaches other nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LinkState {
    /// It does not: no Redis is configured.
    #[default]
    Alone,
    /// Through Redis.
    Connected,
    /// Redis can't be used. Nodes find work by looking at the store.
    Polling {
        /// Since when.
        since: Timestamp,
        /// What is wrong, for the operator; no secret is in it. Empty before the first attempt has come to its end.
        why: String,
    },
}

impl Bus {
    /// How the bus reaches other nodes.
    pub fn link_state(&self) -> LinkState {
        lock(&self.0.link).clone()
    }

    fn connected(&self) {
        self.0.outgoing.open();
        self.0.allowances.share(true);
        *lock(&self.0.link) = LinkState::Connected;
        tracing::info!("the bus is connected to Redis");
        // Only now is nothing missed any more, so whatever is looked up from here on is complete.
        self.doubt();
    }

    fn lost(&self, now: Timestamp, why: String) {
        let mut state = lock(&self.0.link);
        let since = match &*state {
            LinkState::Polling { why: before, .. } if *before == why => return,
            LinkState::Polling { since, .. } => *since,
            _ => now,
        };
        tracing::warn!(why, "the bus is without Redis: work is found by polling");
        *state = LinkState::Polling { since, why };
    }

    fn disconnected(&self) {
        self.0.outgoing.close();
        self.0.allowances.share(false);
    }

    /// All that is to be told now. Taken together with the digest, under the lock of the sockets, so that a beat says what
    /// comes out of the changes before it, and nothing else.
    fn to_tell(&self, beat: bool) -> Vec<Message> {
        let sockets = lock(&self.0.sockets);
        let waiting = self.0.outgoing.take();
        let snapshot = waiting.snapshot;
        let here = || sockets.iter().map(|(device, w)| (*device, u16::try_from(w.len()).unwrap_or(u16::MAX)));
        let devices: Vec<_> = if snapshot { here().collect() } else { Vec::new() };
        let beat = beat.then(|| Message::Beat { digest: digest(here()) });
        drop(sockets);
        let mut messages = waiting.messages();
        if snapshot {
            messages.extend(parts(devices));
        }
        messages.extend(beat);
        messages
    }

    fn spent(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        for (limit, slots) in self.0.allowances.take() {
            chunks(&mut messages, slots, |slots| Message::Spent { limit: limit.into(), slots });
        }
        messages
    }
}

/// A snapshot; one part of it even where there is nothing.
fn parts(devices: Vec<(firstlight_protocol::DeviceId, u16)>) -> Vec<Message> {
    let mut parts = Vec::new();
    chunks(&mut parts, devices, |devices| Message::Snapshot { first: false, last: false, devices });
    if parts.is_empty() {
        parts.push(Message::Snapshot { first: false, last: false, devices: Vec::new() });
    }
    if let Some(Message::Snapshot { first, .. }) = parts.first_mut() {
        *first = true;
    }
    if let Some(Message::Snapshot { last, .. }) = parts.last_mut() {
        *last = true;
    }
    parts
}

/// Keeps the bus connected until `stop`. Redis may come and go, and need not be there at the start.
pub async fn run(bus: Bus, servers: Servers, clock: Clock, stop: CancellationToken) {
    bus.0.outgoing.link();
    *lock(&bus.0.link) = LinkState::Polling { since: clock.now(), why: String::new() };
    let mut pause = PAUSE.0;
    while !stop.is_cancelled() {
        let began = Instant::now();
        let why = match stop.run_until_cancelled(servers.connect()).await {
            None => break,
            Some(Err(why)) => why,
            Some(Ok(connections)) => {
                let mut link = Link { bus: &bus, channel: servers.channel(), said: connections.said };
                let ended = link.hold(connections.heard, &clock, &stop).await;
                bus.disconnected();
                match ended {
                    Some(why) => why,
                    None => break,
                }
            }
        };
        bus.lost(clock.now(), why);
        // One that held for a while was a good one.
        pause = if began.elapsed() > PAUSE.1 { PAUSE.0 } else { (pause * 2).min(PAUSE.1) };
        let _ = stop.run_until_cancelled(tokio::time::sleep(jitter(pause))).await;
    }
}

/// Between half of it and all of it: nodes that lost the same Redis don't come back in step.
fn jitter(pause: Duration) -> Duration {
    let random = crate::app::random::<4>().map_or(u32::MAX, u32::from_be_bytes);
    pause.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}

/// One connection while it lasts.
struct Link<'a> {
    bus: &'a Bus,
    channel: &'a str,
    said: MultiplexedConnection,
}

impl Link<'_> {
    /// Until the connection breaks, and why; nothing if it was to stop.
    async fn hold(&mut self, heard: PubSubStream, clock: &Clock, stop: &CancellationToken) -> Option<String> {
        let bus = self.bus;
        tokio::select! {
            why = listen(bus, heard, clock) => Some(why),
            why = self.talk() => Some(why),
            () = stop.cancelled() => {
                let _ = timeout(BEAT, self.say(vec![Message::Leave])).await;
                None
            }
        }
    }

    async fn talk(&mut self) -> String {
        let (mut beat, mut spent) = (interval(BEAT), interval(TELL_SPENT));
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        spent.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let messages = tokio::select! {
                _ = beat.tick() => self.bus.to_tell(true),
                () = self.bus.0.outgoing.some() => self.bus.to_tell(false),
                _ = spent.tick() => self.bus.spent(),
            };
            if let Err(error) = self.say(messages).await {
                return servers::reason(&error);
            }
        }
    }

    async fn say(&mut self, messages: Vec<Message>) -> redis::RedisResult<()> {
        for batch in messages.chunks(BATCH) {
            let mut pipe = redis::pipe();
            for message in batch {
                pipe.cmd("PUBLISH").arg(self.channel).arg(self.bus.0.seal.seal(message)).ignore();
            }
            pipe.query_async::<()>(&mut self.said).await?;
            self.bus.metrics().bus(BusTraffic::Sent, batch.len());
        }
        Ok(())
    }
}

/// Hears what comes until nothing does.
async fn listen(bus: &Bus, mut heard: PubSubStream, clock: &Clock) -> String {
    let began = Instant::now();
    let (mut deadline, mut connected) = (began + ECHO_WITHIN, false);
    loop {
        match timeout_at(deadline, heard.next()).await {
            Err(_) => return "it does not pass messages on".into(),
            Ok(None) => return "it closed the connection".into(),
            Ok(Some(message)) => {
                if bus.hear(message.get_payload_bytes(), clock.now()) == Heard::Self_ {
                    deadline = Instant::now() + ECHO_WITHIN;
                    if !connected {
                        connected = true;
                        bus.connected();
                    }
                    bus.0.elsewhere.expire(began);
                }
            }
        }
    }
}
