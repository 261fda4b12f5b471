//! Nodes that share a database: who lives, who leads, and what was missed.
//!
//! Each node writes down every second that it lives, in the database's own time, and reads who else does. Whoever was not
//! seen for [`DEAD`] is buried by whoever notices: its claims are given up, so that its timers and half-sent pages go on
//! elsewhere within five seconds. A node that can't say that it lives sends nothing after [`DOUBT`], which is sooner: one
//! that stood still and wakes finds its pages taken over, and sends none of them.
//!
//! What needs to be done once for all (tests of readiness, canary, notices of the rota, retention) is done by the node
//! that has served longest. Two may think so for a moment; each of these rounds reads and writes in one transaction, so
//! the second one finds nothing to do.
//!
//! A server that has its database for itself leads, and lives, always.

mod lead;

pub(crate) use lead::while_leading;

use crate::{
    Result, Shared,
    bus::{LinkState, NodeId},
    clock::Correction,
    store::{Changes, Found, Roll},
};
use firstlight_protocol::Timestamp;
use std::{
    sync::{Mutex, atomic::AtomicI64, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often a node says that it lives, and looks for what it missed.
const EVERY: Duration = Duration::from_secs(1);
/// The same while the bus is down: then this is how work of other nodes is found.
const EVERY_ALONE: Duration = Duration::from_millis(250);
/// Who was silent for so long is dead to the others.
const DEAD: Duration = Duration::from_millis(3_500);
/// A node that has not been heard by the database for so long sends nothing: before the others take over.
const DOUBT: Duration = Duration::from_millis(2_500);
/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often old rows are deleted.
const TIDY: Duration = Duration::from_secs(60);

/// This node among the others.
#[derive(Debug)]
pub struct Nodes {
    name: String,
    shared: bool,
    /// The last time the database heard us, from before the request.
    heard: Mutex<Instant>,
    leads: watch::Sender<bool>,
    leads_since: AtomicI64,
    others: Mutex<Vec<OtherNode>>,
    clock: Correction,
}

/// Another node, as last seen.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OtherNode {
    /// What the operator calls it.
    pub name: String,
    /// How long it has not been seen, in milliseconds.
    pub silent_ms: i64,
}

impl Nodes {
    /// A node that is called `name`; `shared` if others may use its database.
    pub fn new(name: &str, id: NodeId, shared: bool, clock: Correction, now: Timestamp) -> Self {
        let name = if name.is_empty() { format!("node-{:02x}{:02x}", id.0[0], id.0[1]) } else { name.to_owned() };
        Self {
            name,
            shared,
            heard: Mutex::new(Instant::now()),
            leads: watch::Sender::new(!shared),
            leads_since: AtomicI64::new(now.0),
            others: Mutex::default(),
            clock,
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it does what is done once for all nodes.
    pub fn leads(&self) -> bool {
        *self.leads.borrow()
    }

    /// Since when it does, if it does.
    pub fn leads_since(&self) -> Timestamp {
        Timestamp(self.leads_since.load(Ordering::Relaxed))
    }

    /// The others that live.
    pub fn others(&self) -> Vec<OtherNode> {
        crate::bus::lock(&self.others).clone()
    }

    /// How many live, this one with them.
    pub fn alive(&self) -> usize {
        usize::from(self.lives()) + crate::bus::lock(&self.others).len()
    }

    /// Whether the others take it for living, for sure: to be asked before something goes out that they might send as well.
    /// Time during which the process stood still counts.
    pub fn lives(&self) -> bool {
        !self.shared || crate::bus::lock(&self.heard).elapsed() < DOUBT
    }

    fn lead(&self, lead: bool, now: Timestamp) {
        self.leads.send_if_modified(|leads| {
            let changes = *leads != lead;
            if changes {
                *leads = lead;
                self.leads_since.store(now.0, Ordering::Relaxed);
                tracing::info!(node = self.name, lead, "leadership");
            }
            changes
        });
    }
}

/// Says that this node lives, buries the dead and looks for what was missed, until `stop`.
pub async fn run(app: Shared, stop: CancellationToken) {
    if !app.nodes.shared {
        return;
    }
    let mut seen = None;
    let mut tidied = Instant::now();
    loop {
        let round = tokio::time::timeout(PATIENCE, round(&app, &mut seen));
        match round.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the other nodes can't be asked"),
            Err(_) => tracing::warn!("the database does not answer"),
        }
        if !app.nodes.lives() {
            app.nodes.lead(false, app.clock.now());
        }
        if app.nodes.leads() && tidied.elapsed() > TIDY {
            tidied = Instant::now();
            if let Err(error) = app.store.forget_changes().await {
                tracing::warn!(%error, "old rows were not deleted");
            }
        }
        let pause = if app.bus.link_state() == LinkState::Connected { EVERY } else { EVERY_ALONE };
        tokio::select! {
            () = stop.cancelled() => break,
            () = app.bus.in_doubt() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Takes leave at the end, so that whoever stays takes over at once.
pub(crate) async fn leave(app: &Shared) {
    if app.nodes.shared
        && let Err(error) = app.store.leave(app.bus.node()).await
    {
        tracing::warn!(%error, "the other nodes were not told; they notice in some seconds");
    }
}

async fn round(app: &Shared, seen: &mut Option<i64>) -> Result<()> {
    if app.store.was_unsure() {
        // What comes after it finds it settled; whoever should have been told of it looks now. If this fails as well, the
        // next round does it.
        app.store.write(|_| Box::pin(async { Ok(()) })).await?;
        *seen = None;
    }
    let asked = Instant::now();
    let roll = app.store.call_roll(app.bus.node(), &app.nodes.name).await?;
    *crate::bus::lock(&app.nodes.heard) = asked;
    app.nodes.clock.set(roll.now, asked.elapsed());
    bury(app, &roll).await?;
    let living = roll.nodes.iter().filter(|node| node.silent_ms < i64::try_from(DEAD.as_millis()).unwrap_or(i64::MAX));
    let living: Vec<_> = living.collect();
    app.nodes.lead(living.first().is_some_and(|first| first.node == app.bus.node()), app.clock.now());
    let others = living.iter().filter(|node| node.node != app.bus.node());
    *crate::bus::lock(&app.nodes.others) =
        others.map(|node| OtherNode { name: node.name.clone(), silent_ms: node.silent_ms }).collect();
    look(app, roll.turn, seen).await
}

async fn bury(app: &Shared, roll: &Roll) -> Result<()> {
    for dead in &roll.nodes {
        let silent = Duration::from_millis(u64::try_from(dead.silent_ms).unwrap_or_default());
        if dead.node == app.bus.node() || silent < DEAD {
            continue;
        }
        tracing::warn!(node = dead.name, ?silent, "a node is gone; its work is taken over");
        let node = dead.node;
        app.store.write(move |tx| Box::pin(async move { tx.bury(node).await })).await?;
        app.bus.node_gone(node);
    }
    Ok(())
}

/// Does what the bus would have done, had it come through.
async fn look(app: &Shared, turn: i64, seen: &mut Option<i64>) -> Result<()> {
    let Some(mut after) = *seen else {
        // What was there before this node started it reads anyway; but not what changed while it did.
        anything(app).await?;
        *seen = Some(turn);
        return Ok(());
    };
    while after < turn {
        match app.store.changes(after, turn, app.bus.node()).await? {
            Found::Anything(until) => {
                anything(app).await?;
                after = until;
            }
            Found::Changes(changes, until) => {
                if changes.iter().any(|changes| changes.identity) {
                    app.reload_identity().await?;
                }
                for changes in &changes {
                    app.bus.found(changes);
                }
                if until == after {
                    break;
                }
                after = until;
            }
        }
        *seen = Some(after);
    }
    Ok(())
}

/// Everything may have changed.
async fn anything(app: &Shared) -> Result<()> {
    app.reload_identity().await?;
    let rooms = app.store.heads(&app.bus.rooms()).await?;
    let members = rooms.iter().map(|(room, _)| *room).collect();
    let inboxes = app.bus.devices();
    app.bus.found(&Changes { rooms, members, inboxes, dispatch: true, rota: true, identity: true });
    Ok(())
}
