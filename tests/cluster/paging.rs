//! A node that stops its clock in the middle of a page: another takes the page over, and what the first one sends when it
//! wakes is either nothing or labelled as a repetition.

#![allow(clippy::print_stdout, reason = "it measures how long a takeover takes")]

use firstlight_protocol::{
    callout::Purpose,
    mls::CalloutDetails,
    policy::{Millis, Timers},
};
use firstlight_tests::{
    cluster::Cluster,
    night::{Device, play, routing},
    process::{Answer, Plan, Receiver, Request, Result, World, fail},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

/// A dead node's pages are taken over within five seconds; the rest is for a busy machine.
const TAKEN_OVER: Duration = Duration::from_secs(10);
/// A node that has woken does at once whatever it still believes to be its own.
const AWAKE: Duration = Duration::from_secs(3);
/// How often.
const ROUNDS: usize = 2;

#[test]
fn a_node_that_slept_past_its_lease_sends_nothing_unlabelled() -> Result<()> {
    play(async {
        let receiver = Receiver::start()?;
        let mut cluster = Cluster::start(3, |config| config.paging.webhook_allow = vec![receiver.host()])?;
        let slept = sleep(&cluster, &receiver).await;
        slept.map_err(|e| e.with(&cluster.report()))
    })
}

async fn sleep(cluster: &Cluster, receiver: &Receiver) -> Result<()> {
    let plan = Plan::with_timers(Timers {
        // Each callout pages once in this test: whatever comes twice is the same page.
        repeat_every_ms: Millis::minutes(10),
        backup_after_ms: Millis::minutes(20),
        supervisor_after_ms: Millis::minutes(30),
        everyone_after_ms: Millis::minutes(40),
        channel_stall_ms: Millis(100),
        ..Timers::default()
    })?;
    let world = World::found(&cluster.nodes[0].server, &cluster.path().join("devices"), &plan, |_, _, _| {})?;
    let key = cluster.path().join("webhook.key");
    fs::write(&key, "0123456789abcdef0123456789abcdef")?;
    receiver.reaches(&world.admin, &world.primary, &key)?;
    let officer = Device::open(&world.officer)?;
    for round in 0..ROUNDS {
        let before = receiver.received().len();
        // The request is under way when its node stops: nobody knows whether it arrived.
        receiver.answer("/page", Answer::Silence);
        // Asked for in the same words again, it would be the same callout.
        let details = CalloutDetails { arrival: format!("Entrance {round}"), ..CalloutDetails::default() };
        officer.session.open_callout(routing("north")?, Purpose::Real, details).await?;
        let page = id(receiver.wait_for(before + 1, TAKEN_OVER)?.last());
        // Any of them may have been the first to send it.
        let sender = &cluster.node(&cluster.sender().await?)?.server;
        sender.pause()?;
        receiver.answer("/page", Answer::Status(204));
        let paused = Instant::now();
        receiver.wait_for(before + 2, TAKEN_OVER).map_err(|e| e.while_doing(format!("round {round}: a takeover")))?;
        println!("round {round}: taken over after {:.1} s", paused.elapsed().as_secs_f32());
        sender.resume()?;
        tokio::time::sleep(AWAKE).await;
        let of_it: Vec<Request> =
            receiver.received().into_iter().skip(before).filter(|request| id(Some(request)) == page).collect();
        println!("round {round}: sent {} times", of_it.len());
    }
    only_the_first_is_unlabelled(&receiver.received())
}

fn id(request: Option<&Request>) -> String {
    request.and_then(|request| request.header("webhook-id")).unwrap_or_default().to_owned()
}

/// Whatever came with the id of something that came before says so.
fn only_the_first_is_unlabelled(received: &[Request]) -> Result<()> {
    let mut seen = BTreeMap::<String, usize>::new();
    for request in received {
        let body: Value = serde_json::from_slice(&request.body)?;
        let times = seen.entry(id(Some(request))).or_default();
        *times += 1;
        if *times > 1 && body["redelivery"] != Value::Bool(true) {
            return Err(fail(format!("{} came {times} times, unlabelled: {body}", id(Some(request)))));
        }
    }
    Ok(())
}
