//! Publish → delivery at 500 sends a second over 100 rooms of 10: from the first byte handed to the system until a
//! reader has decoded the entry.

use crate::{
    pipe::{Kind, Pipe, kind},
    report::{Report, percentile},
    setting::{Room, Town},
};
use firstlight_protocol::{
    MessageId,
    stream::{ClientFrame, SendFrame, ServerFrame},
    wire::{from_cbor, to_cbor},
};
use firstlight_tests::world::{mls::framed, random};
use futures_util::{SinkExt, StreamExt, future::join_all};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio_tungstenite::tungstenite::Message;

const PER_SECOND: usize = 500;
const BODY: usize = 250;

pub(crate) async fn measure(report: &mut Report, town: &Town, rooms: &[Room], time: Duration) {
    eprintln!("latency: {PER_SECOND} sends a second");
    let mut samples = deliveries(town, rooms, PER_SECOND, time).await;
    let rate = samples.len() as f64 / time.as_secs_f64();
    report.told("deliveries while latency was measured", rate, "/s");
    report.at_most("publish → delivery at 500 sends/s, p50", percentile(&mut samples, 0.5), "ms", 1.0);
    report.at_most("publish → delivery at 500 sends/s, p99", percentile(&mut samples, 0.99), "ms", 3.0);
}

/// How long each delivery took while so many messages a second were sent for so long.
pub(crate) async fn deliveries(town: &Town, rooms: &[Room], per_second: usize, time: Duration) -> Vec<Duration> {
    let start = Instant::now();
    let samples = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for (n, room) in rooms.iter().enumerate() {
        let pipes = join_all(room.members.iter().map(|&m| Pipe::open(&town.devices[m]))).await;
        for (i, pipe) in pipes.into_iter().enumerate() {
            let (mut sink, mut frames) = pipe.ws.split();
            let samples = Arc::clone(&samples);
            tasks.push(tokio::spawn(async move {
                while let Some(Ok(message)) = frames.next().await {
                    let Message::Binary(bytes) = message else { continue };
                    if let Kind::Entry = kind(&bytes)
                        && let Ok(ServerFrame::Entry(entry)) = from_cbor(&bytes)
                    {
                        // The id begins with the time at which it was sent.
                        let sent = u64::from_be_bytes(entry.id.0[..8].try_into().expect("eight bytes"));
                        let now = start.elapsed();
                        if let Some(took) = now.checked_sub(Duration::from_nanos(sent)) {
                            samples.lock().expect("samples").push(took);
                        }
                    }
                }
            }));
            if i > 0 {
                tasks.push(tokio::spawn(async move {
                    let _open = sink;
                    std::future::pending::<()>().await;
                }));
                continue;
            }
            let (id, epoch) = (room.id, room.epoch);
            let gap = Duration::from_secs(1) * u32::try_from(rooms.len()).unwrap_or(1)
                / u32::try_from(per_second).unwrap_or(1);
            // Senders start one after another, so that the load is even.
            let first = gap * u32::try_from(n).unwrap_or(0) / u32::try_from(rooms.len()).unwrap_or(1);
            tasks.push(tokio::spawn(async move {
                let body: [u8; BODY] = random();
                tokio::time::sleep(first).await;
                let mut every = tokio::time::interval(gap);
                loop {
                    every.tick().await;
                    let mut bytes: [u8; 16] = random();
                    bytes[..8].copy_from_slice(&(start.elapsed().as_nanos() as u64).to_be_bytes());
                    let message = MessageId(bytes);
                    let body = framed(id, epoch, message, &body).into();
                    let frame = ClientFrame::Send(SendFrame { id: message, room: id, message: body });
                    sink.send(Message::Binary(to_cbor(&frame).into())).await.expect("sending");
                }
            }));
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    samples.lock().expect("samples").clear();
    tokio::time::sleep(time).await;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    std::mem::take(&mut *samples.lock().expect("samples"))
}
