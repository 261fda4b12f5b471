//! What an authenticated websocket costs the server while nothing happens.

use crate::{pipe::Pipe, report::Report, setting::Town};
use futures_util::{StreamExt, stream};

pub(crate) async fn measure(report: &mut Report, town: &Town, sockets: usize) {
    eprintln!("idle: {sockets} websockets");
    // The first ones also pay for what all of them share.
    let warm: Vec<Pipe> = open(town, 200).await;
    let before = town.host.resident();
    let all = open(town, sockets).await;
    let after = town.host.resident();
    report.at_most("memory per idle authenticated websocket", (after - before) / sockets as f64 / 1_024.0, "KiB", 10.0);
    drop((warm, all));
}

async fn open(town: &Town, sockets: usize) -> Vec<Pipe> {
    let opening = stream::iter(0..sockets).map(|n| Pipe::open(&town.devices[n % town.devices.len()]));
    opening.buffer_unordered(64).collect().await
}
