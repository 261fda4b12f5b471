//! Saturation: every room's first member sends as fast as a window allows; everybody reads.

use crate::{
    pipe::{Kind, Pipe, kind},
    report::Report,
    setting::{Room, Town},
};
use firstlight_protocol::{
    MessageId,
    stream::{ClientFrame, SendFrame},
    wire::to_cbor,
};
use firstlight_tests::world::{mls::framed, random};
use futures_util::{SinkExt, StreamExt, future::join_all};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_tungstenite::tungstenite::{Bytes, Message};

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

pub(crate) async fn measure(report: &mut Report, town: &Town, rooms: &[Room], time: Duration) {
    let (count, size) = (rooms.len(), rooms[0].members.len());
    eprintln!("throughput: {count} rooms of {size}");
    let counters = Arc::new(Counters::default());
    let window = (IN_FLIGHT / count).clamp(16, 256);
    let mut tasks = Vec::new();
    for room in rooms {
        let pipes = join_all(room.members.iter().map(|&m| Pipe::open(&town.devices[m]))).await;
        for (i, pipe) in pipes.into_iter().enumerate() {
            let counters = Arc::clone(&counters);
            let (id, epoch) = (room.id, room.epoch);
            tasks.push(match i {
                0 => tokio::spawn(send(pipe, id, epoch, window, counters)),
                _ => tokio::spawn(read(pipe, counters)),
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
    let what = format!("{count} rooms of {size}");
    if size == 10 {
        report.at_least(format!("durable accepts, {what}"), accepted / elapsed, "/s", 30_000.0);
    } else {
        report.told(format!("durable accepts, {what}"), accepted / elapsed, "/s");
    }
    report.told(format!("deliveries, {what}"), delivered / elapsed, "/s");
    report.at_least(format!("deliveries per server-CPU-second, {what}"), delivered / cpu, "/s", 250_000.0);
    report.told(format!("server CPU, {what}"), cpu / elapsed, "cores");
}

async fn send(mut pipe: Pipe, room: firstlight_protocol::RoomId, epoch: u64, window: usize, counters: Arc<Counters>) {
    let body: [u8; BODY] = random();
    let mut counter = u128::from_be_bytes(random());
    let mut next = || {
        counter = counter.wrapping_add(1);
        let id = MessageId(counter.to_be_bytes());
        let message = framed(room, epoch, id, &body).into();
        Message::Binary(to_cbor(&ClientFrame::Send(SendFrame { id, room, message })).into())
    };
    let mut in_flight = 0;
    while !counters.stop.load(Ordering::Relaxed) {
        // Refilled in batches, so that many frames share one write.
        if in_flight + BATCH.min(window / 2) <= window {
            while in_flight < window {
                pipe.ws.feed(next()).await.expect("sending");
                in_flight += 1;
            }
            pipe.ws.flush().await.expect("sending");
        }
        let (sent, entries) = count(&pipe.frame().await);
        in_flight -= sent;
        counters.accepted.fetch_add(sent as u64, Ordering::Relaxed);
        counters.delivered.fetch_add(entries as u64, Ordering::Relaxed);
    }
}

async fn read(mut pipe: Pipe, counters: Arc<Counters>) {
    while let Some(message) = pipe.ws.next().await {
        if let Ok(Message::Binary(frame)) = message {
            counters.delivered.fetch_add(count(&frame).1 as u64, Ordering::Relaxed);
        }
    }
}

fn count(frame: &Bytes) -> (usize, usize) {
    match kind(frame) {
        Kind::Sent => (1, 0),
        Kind::Entry => (0, 1),
        Kind::Other => (0, 0),
    }
}
