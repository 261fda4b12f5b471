//! The same night as in the crash test, on three nodes, while one thing after another breaks: clients find the next node by
//! themselves, and nothing that was acknowledged is lost.
//!
//! `FIRSTLIGHT_CLUSTER_CALLOUTS` and `FIRSTLIGHT_CLUSTER_MESSAGES` say how many there are at least; things break until
//! then, again and again, as `tests/soak` has it. Without them each thing breaks once.

#![allow(clippy::print_stdout, reason = "a long test tells how far it is")]

use firstlight_protocol::policy::Millis;
use firstlight_server::config::Config;
use firstlight_tests::{
    cluster::Cluster,
    night::{Night, plan, play},
    process::{Result, World, fail},
};
use std::{
    env,
    time::{Duration, Instant},
};

/// Longer than any lease of a node, and than a takeover may take.
const PAST_LEASES: Duration = Duration::from_secs(8);
/// No callout waits longer for somebody who accepts than this, whatever is broken: longer than a client waits for a node
/// that has stopped its clock.
const LONGEST_WAIT_MS: u64 = 30_000;
/// Conversations that go on at the same time.
const ROOMS: usize = 3;
/// Of what is asked for, so much comes between one trouble and the next.
const SHARE: usize = 200;
/// So many things show how fast it goes.
const PACES: usize = 30;

/// What befalls the cluster.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// kill -9.
    NodeDies(usize),
    /// It is stopped well, as for an update.
    NodeStops(usize),
    /// SIGSTOP, past its leases.
    NodeSleeps(usize),
    NodeLosesPostgres(usize),
    NodeLosesRedis(usize),
    RedisDies,
    /// It takes everything, and nothing comes through to anybody.
    RedisIsSilent,
    PostgresDies,
    PostgresStops,
}

/// Each node once more than what it stands on.
const TROUBLES: [Trouble; 11] = [
    Trouble::NodeDies(0),
    Trouble::RedisDies,
    Trouble::NodeDies(1),
    Trouble::PostgresDies,
    Trouble::NodeStops(2),
    Trouble::NodeLosesPostgres(0),
    Trouble::NodeLosesRedis(1),
    Trouble::RedisIsSilent,
    Trouble::NodeSleeps(2),
    Trouble::PostgresStops,
    Trouble::NodeDies(2),
];

/// Clients notice a node that has stopped its clock within five seconds.
fn attentive(config: &mut Config) {
    config.limits.ping_interval_ms = Millis::seconds(1);
    config.limits.drain_ms = Millis::seconds(2);
}

#[test]
fn a_night_goes_on_whatever_breaks() -> Result<()> {
    play(async {
        let mut cluster = Cluster::start(3, attentive)?;
        let devices = cluster.path().join("devices");
        let world = World::found(&cluster.nodes[0].server, &devices, &plan()?, |_, _, _| {})?;
        let mut night = Night::begin(&world, ROOMS).await?;
        let played = break_things(&mut cluster, &mut night).await;
        played.map_err(|e| e.with(&cluster.report()).with(&night.report()))
    })
}

async fn break_things(cluster: &mut Cluster, night: &mut Night) -> Result<()> {
    let least = |name: &str| env::var(name).ok().and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
    let (callouts, messages) = (least("FIRSTLIGHT_CLUSTER_CALLOUTS"), least("FIRSTLIGHT_CLUSTER_MESSAGES"));
    let (began, mut head) = (Instant::now(), None);
    for (round, trouble) in TROUBLES.into_iter().cycle().enumerate() {
        let enough = night.ledger().callouts() >= callouts && night.ledger().messages() >= messages;
        if round >= TROUBLES.len() && enough {
            break;
        }
        let doing = |e: firstlight_tests::process::Failed| e.while_doing(format!("round {round}, {trouble:?}"));
        night.goes_on((messages / SHARE).max(10)).await.map_err(doing)?;
        let broken = Instant::now();
        befall(trouble, cluster, night).await.map_err(doing)?;
        night.goes_on(5).await.map_err(doing)?;
        night.nothing_is_lost().await.map_err(doing)?;
        head = Some(cluster.nodes[0].server.audit(head.as_deref()).map_err(doing)?);
        println!(
            "{:4.0} s: {trouble:?}, well again after {:.1} s; {} callouts, {} messages",
            began.elapsed().as_secs_f32(),
            broken.elapsed().as_secs_f32(),
            night.ledger().callouts(),
            night.ledger().messages()
        );
    }
    night.end().await?;
    cluster.nodes[0].server.audit(head.as_deref())?;
    let waits = night.waits();
    let (median, longest) = (waits.get(waits.len() / 2).copied(), waits.last().copied());
    println!("opened → accepted: {median:?} ms in the middle, {longest:?} ms at most, {} callouts", waits.len());
    if longest.is_none_or(|longest| longest > LONGEST_WAIT_MS) {
        return Err(fail(format!("a callout waited {longest:?} ms for somebody who accepts")));
    }
    Ok(())
}

/// How long it takes until the next thing is acknowledged, on the average of some, in milliseconds.
async fn pace(night: &mut Night) -> Result<u128> {
    let began = Instant::now();
    night.goes_on(PACES).await?;
    Ok(began.elapsed().as_millis() / PACES as u128)
}

/// From the moment it breaks until it is mended.
async fn befall(trouble: Trouble, cluster: &mut Cluster, night: &mut Night) -> Result<()> {
    match trouble {
        Trouble::NodeDies(node) => {
            cluster.nodes[node].server.kill9();
            night.goes_on(10).await?;
            cluster.nodes[node].server.restart()
        }
        Trouble::NodeStops(node) => {
            cluster.nodes[node].server.stop()?;
            night.goes_on(10).await?;
            cluster.nodes[node].server.restart()
        }
        Trouble::NodeSleeps(node) => {
            cluster.nodes[node].server.pause()?;
            tokio::time::sleep(PAST_LEASES).await;
            cluster.nodes[node].server.resume()
        }
        Trouble::NodeLosesPostgres(node) => {
            cluster.nodes[node].to_postgres.black_hole();
            tokio::time::sleep(PAST_LEASES).await;
            cluster.nodes[node].to_postgres.pass();
            Ok(())
        }
        Trouble::NodeLosesRedis(node) => {
            cluster.nodes[node].to_redis.black_hole();
            night.goes_on(10).await?;
            cluster.nodes[node].to_redis.pass();
            Ok(())
        }
        Trouble::RedisDies => {
            cluster.redis.kill9();
            night.goes_on(10).await?;
            cluster.redis.restart()
        }
        Trouble::RedisIsSilent => {
            let well = pace(night).await?;
            cluster.nodes.iter().for_each(|node| node.to_redis.black_hole());
            let silent = pace(night).await?;
            cluster.nodes.iter().for_each(|node| node.to_redis.pass());
            println!("something is acknowledged every {well} ms with Redis, every {silent} ms without");
            Ok(())
        }
        Trouble::PostgresDies => {
            cluster.postgres.kill9();
            cluster.postgres.restart()
        }
        Trouble::PostgresStops => {
            cluster.postgres.stop()?;
            cluster.postgres.restart()
        }
    }
}
