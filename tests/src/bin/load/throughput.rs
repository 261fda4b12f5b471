//! Saturation: every room's first member sends as fast as a window allows; everybody reads.

use crate::{
    report::Report,
    setting::{Room, Town},
    wire::{Came, Template, Wire},
};
use futures_util::future::join_all;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Size of a message's ciphertext, in bytes.
const BODY: usize = 250;
/// Messages of one sender that wait for their answer. Large rooms have fewer senders, so each has more.
const IN_FLIGHT: usize = 3_000;
/// Frames that are handed to the system together.
const BATCH: usize = 32;
/// Time for the first messages to fill the pipes, before anything is counted.
const RAMP: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Counters {
    accepted: AtomicU64,
    delivered: AtomicU64,
    stop: AtomicBool,
}

/// What a server did at most.
pub(crate) struct Rates {
    /// Durable messages a second.
    pub(crate) accepted: f64,
    /// Deliveries a second.
    pub(crate) delivered: f64,
    /// Cores that the server used.
    pub(crate) cores: f64,
}

pub(crate) async fn measure(report: &mut Report, town: &Town, rooms: &[Room], time: Duration) {
    let (count, size) = (rooms.len(), rooms[0].members.len());
    eprintln!("throughput: {count} rooms of {size}");
    let rates = saturate(town, rooms, time).await;
    let what = format!("{count} rooms of {size}");
    if size == 10 {
        report.at_least(format!("durable accepts, {what}"), rates.accepted, "/s", 30_000.0);
    } else {
        report.told(format!("durable accepts, {what}"), rates.accepted, "/s");
    }
    report.told(format!("deliveries, {what}"), rates.delivered, "/s");
    let each = rates.delivered / rates.cores;
    report.at_least(format!("deliveries per server-CPU-second, {what}"), each, "/s", 250_000.0);
    report.told(format!("server CPU, {what}"), rates.cores, "cores");
}

/// Lets the first member of each room send for so long.
pub(crate) async fn saturate(town: &Town, rooms: &[Room], time: Duration) -> Rates {
    let count = rooms.len();
    let counters = Arc::new(Counters::default());
    let window = (IN_FLIGHT / count).clamp(16, 256);
    let mut tasks = Vec::new();
    for room in rooms {
        let wires = join_all(room.members.iter().map(|&m| Wire::open(&town.devices[m]))).await;
        for (i, wire) in wires.into_iter().enumerate() {
            let counters = Arc::clone(&counters);
            tasks.push(match i {
                0 => tokio::spawn(send(wire, Template::new::<BODY>(room.id, room.epoch), window, counters)),
                _ => tokio::spawn(read(wire, counters)),
            });
        }
    }
    tokio::time::sleep(RAMP).await;
    let (cpu, began) = (town.host.cpu_seconds(), Instant::now());
    let (accepted, delivered) = (counters.accepted.load(Ordering::Relaxed), counters.delivered.load(Ordering::Relaxed));
    tokio::time::sleep(time).await;
    let (cpu, elapsed) = (town.host.cpu_seconds() - cpu, began.elapsed().as_secs_f64());
    let accepted = (counters.accepted.load(Ordering::Relaxed) - accepted) as f64;
    let delivered = (counters.delivered.load(Ordering::Relaxed) - delivered) as f64;
    counters.stop.store(true, Ordering::Relaxed);
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    Rates { accepted: accepted / elapsed, delivered: delivered / elapsed, cores: cpu / elapsed }
}

async fn send(mut wire: Wire, mut template: Template, window: usize, counters: Arc<Counters>) {
    let mut in_flight = 0;
    let mut frames = Vec::new();
    while !counters.stop.load(Ordering::Relaxed) {
        // Refilled in batches, so that many frames share one write.
        if in_flight + BATCH.min(window / 2) <= window {
            frames.clear();
            (in_flight..window).for_each(|_| template.next(&mut frames));
            wire.send(&frames).await;
            in_flight = window;
        }
        let came = wire.came().await;
        in_flight -= came.sent;
        counters.note(came);
    }
}

async fn read(mut wire: Wire, counters: Arc<Counters>) {
    while !counters.stop.load(Ordering::Relaxed) {
        let came = wire.came().await;
        counters.note(came);
    }
}

impl Counters {
    fn note(&self, came: Came) {
        self.accepted.fetch_add(came.sent as u64, Ordering::Relaxed);
        self.delivered.fetch_add(came.entries as u64, Ordering::Relaxed);
    }
}
