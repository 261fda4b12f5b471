//! The server is killed with SIGKILL at random moments, again and again, and started on the same data, while officers
//! open callouts, responders answer them and people talk. Nothing that it acknowledged may be lost, every callout goes on,
//! every message arrives once and in order, and the audit trail stays whole.
//!
//! `FIRSTLIGHT_CRASH_KILLS` sets how often (50), `FIRSTLIGHT_CRASH_SEED` repeats the choices of an earlier run.

#![allow(clippy::print_stdout, reason = "a long test tells how far it is")]

use firstlight_tests::{
    night::{Night, plan, play},
    process::{Result, ServerProcess, World},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    env,
    time::{Duration, Instant},
};

/// How often the server is killed, if nothing else is said.
const KILLS: u32 = 50;
/// The server lives until so many more things were acknowledged, at most, ...
const MOST_ACKNOWLEDGED: usize = 10;
/// ... and so many milliseconds more, at most: long enough to hit whatever follows.
const MOST_MORE: u64 = 30;

#[test]
fn nothing_acknowledged_is_lost_however_often_the_server_is_killed() -> Result<()> {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let kills = number("FIRSTLIGHT_CRASH_KILLS").and_then(|kills| u32::try_from(kills).ok()).unwrap_or(KILLS);
    let seed = number("FIRSTLIGHT_CRASH_SEED").unwrap_or_else(|| rand::rng().random());
    println!("{kills} kills, FIRSTLIGHT_CRASH_SEED={seed}");
    let result = play(run(kills, StdRng::seed_from_u64(seed)));
    result.map_err(|e| e.while_doing(format!("with FIRSTLIGHT_CRASH_SEED={seed}")))
}

/// Sets the world up, plays, and reports where everybody stands if something went wrong.
async fn run(kills: u32, random: StdRng) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut server = ServerProcess::start(dir.path(), |_| {})?;
    let world = World::found(&server, &dir.path().join("devices"), &plan()?, |_, _, _| {})?;
    let mut night = Night::begin(&world, 1).await?;
    let killed = kill(kills, random, &mut server, &mut night).await;
    killed.map_err(|e| {
        let kept = format!("everything is kept in {}", dir.keep().display());
        e.with(&server.log_tail()).with(&night.report()).with(&kept)
    })
}

async fn kill(kills: u32, mut random: StdRng, server: &mut ServerProcess, night: &mut Night) -> Result<()> {
    let began = Instant::now();
    let (mut head, mut longest) = (None, Duration::ZERO);
    for kill in 1..=kills {
        let more = random.random_range(1..=MOST_ACKNOWLEDGED);
        night.goes_on(more).await.map_err(|e| e.while_doing(format!("before kill {kill}")))?;
        tokio::time::sleep(Duration::from_millis(random.random_range(0..=MOST_MORE))).await;
        let down = Instant::now();
        server.kill9();
        server.restart().map_err(|e| e.while_doing(format!("after kill {kill}")))?;
        longest = longest.max(down.elapsed());
        night.devices.connect();
        let verified = server.audit(head.as_deref());
        head = Some(verified.map_err(|e| e.while_doing(format!("after kill {kill}")))?);
        night.nothing_is_lost().await.map_err(|e| e.while_doing(format!("after kill {kill}")))?;
        if kill % 10 == 0 {
            let (callouts, count) = (night.ledger().callouts(), night.ledger().count());
            println!(
                "{kill} kills after {:.0} s: {callouts} callouts, {count} acknowledged",
                began.elapsed().as_secs_f32()
            );
        }
    }
    night.end().await?;
    server.audit(head.as_deref())?;
    println!(
        "{kills} kills in {:.0} s, down for at most {} ms; {} callouts, {} things acknowledged, none lost",
        began.elapsed().as_secs_f32(),
        longest.as_millis(),
        night.ledger().callouts(),
        night.ledger().count()
    );
    Ok(())
}
