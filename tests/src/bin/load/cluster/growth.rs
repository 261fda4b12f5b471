//! Callouts and messages a second, by database and number of nodes.

use super::NODES;
use crate::{
    report::{Report, percentile},
    setting::{Duty, Host, Town, now, roomy},
    throughput::saturate,
};
use firstlight_protocol::{
    CalloutId,
    callout::{CalloutView, OpenCallout, Purpose},
};
use firstlight_tests::{
    cluster::Cluster,
    world::{random, routing},
};
use futures_util::future::join_all;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Callouts that wait for their answer at any time.
const OFFICERS: usize = 64;
/// A device may open fifty at once before its rate limit bites.
const EACH: usize = 25;
/// Rooms of ten that talk.
const ROOMS: usize = 30;

/// What one form of the server took.
struct Took {
    callouts: f64,
    messages: f64,
}

pub(crate) async fn measure(report: &mut Report, time: Duration, quick: bool) {
    let each = if quick { EACH / 5 } else { EACH };
    let alone = all(report, "SQLite, 1 node", Host::found(|_| {}).await, time, each).await;
    let mut first = None;
    for nodes in 1..=NODES {
        let host = Host::found_on(Cluster::straight(nodes, roomy).expect("nodes")).await;
        let name = format!("PostgreSQL, {nodes} {}", if nodes == 1 { "node" } else { "nodes" });
        let took = all(report, &name, host, time, each).await;
        let first = first.get_or_insert(took.callouts);
        if nodes > 1 {
            report.told(format!("callouts, {name}, against one"), took.callouts / *first, "x");
            continue;
        }
        report.told("callouts, PostgreSQL against SQLite", took.callouts / alone.callouts, "x");
        report.told("durable messages, PostgreSQL against SQLite", took.messages / alone.messages, "x");
    }
}

async fn all(report: &mut Report, name: &str, host: Host, time: Duration, each: usize) -> Took {
    eprintln!("{name}: callouts and messages");
    let callouts = callouts(report, name, &host, each).await;
    let town = Town::of(host, 10 * ROOMS).await;
    let rooms = town.rooms(ROOMS, 10).await;
    let rates = saturate(&town, &rooms, time).await;
    report.told(format!("durable messages, {name}"), rates.accepted, "/s");
    report.told(format!("deliveries, {name}"), rates.delivered, "/s");
    report.told(format!("server CPU meanwhile, {name}"), rates.cores, "cores");
    Took { callouts, messages: rates.accepted }
}

/// Every officer opens one callout after another.
async fn callouts(report: &mut Report, name: &str, host: &Host, each: usize) -> f64 {
    let duty = Duty::begin(host, OFFICERS).await;
    let began = Instant::now();
    let opening = duty.officers.iter().enumerate().map(|(who, officer)| {
        let officer = Arc::clone(officer);
        tokio::spawn(async move {
            let mut answers = Vec::with_capacity(each);
            for n in 0..each {
                let asked = Instant::now();
                let routing = routing(&format!("zone-{who}-{n}"), now());
                let body = OpenCallout { id: CalloutId(random()), routing, purpose: Purpose::Real };
                let _: CalloutView = officer.post("/v1/callouts", &body).await.expect("a callout");
                answers.push(asked.elapsed());
            }
            answers
        })
    });
    let opened = join_all(opening).await;
    let rate = (OFFICERS * each) as f64 / began.elapsed().as_secs_f64();
    let mut answers: Vec<Duration> = opened.into_iter().flat_map(|answers| answers.expect("opening")).collect();
    report.told(format!("callouts with {OFFICERS} officers at once, {name}"), rate, "/s");
    report.told(format!("the same, request → durable answer, p99, {name}"), percentile(&mut answers, 0.99), "ms");
    rate
}
