//! Redis that drops every message: what comes through the database instead, and how much later.

use super::NODES;
use crate::{
    latency::deliveries,
    report::{Report, percentile},
    setting::{Host, Town, roomy},
};
use firstlight_tests::cluster::Cluster;
use std::time::Duration;

/// Rooms whose members are on all nodes.
const ROOMS: usize = 10;
const SIZE: usize = 6;
const PER_SECOND: usize = 50;
/// Until nodes have noticed.
const NOTICED: Duration = Duration::from_secs(6);

pub(crate) async fn measure(report: &mut Report, time: Duration) {
    eprintln!("silence: {PER_SECOND} messages a second across {NODES} nodes");
    let host = Host::found_on(Cluster::start(NODES, roomy).expect("nodes")).await;
    let town = Town::of(host, ROOMS * SIZE).await;
    let rooms = town.rooms(ROOMS, SIZE).await;
    let nodes = town.host.nodes();
    for (which, silent) in [("with Redis", false), ("Redis drops everything", true)] {
        if silent {
            nodes.iter().for_each(|node| node.to_redis.black_hole());
            tokio::time::sleep(NOTICED).await;
        }
        let mut took = deliveries(&town, &rooms, PER_SECOND, time).await;
        let came = took.len() as f64 / time.as_secs_f64() / (PER_SECOND * SIZE) as f64;
        report.told(format!("publish → delivery across nodes, {which}, p50"), percentile(&mut took, 0.5), "ms");
        report.at_most(
            format!("publish → delivery across nodes, {which}, p99"),
            percentile(&mut took, 0.99),
            "ms",
            2_000.0,
        );
        report.at_least(format!("share of deliveries that came meanwhile, {which}"), came, "of 1", 0.95);
    }
}
