//! The server is killed with SIGKILL at random moments, again and again, and started on the same data, while officers
//! open callouts, responders answer them and people talk. Nothing that it acknowledged may be lost, every callout goes on,
//! every message arrives once and in order, and the audit trail stays whole.
//!
//! `FIRSTLIGHT_CRASH_KILLS` sets how often (50), `FIRSTLIGHT_CRASH_SEED` repeats the choices of an earlier run.

#![allow(clippy::print_stdout, reason = "a long test tells how far it is")]

mod device;
mod ledger;
mod story;

use device::{Device, Seen};
use firstlight_protocol::{
    RoomId,
    api::Notice,
    policy::{Millis, Timers},
};
use firstlight_tests::process::{PATIENCE, Plan, Result, ServerProcess, World, at_once, fail, person};
use ledger::Checked;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    collections::BTreeSet,
    env,
    time::{Duration, Instant},
};
use story::{BACKUPS, PRIMARYS, Story, Written, arrived, team_room};
use tokio::{task::JoinSet, time::timeout};

/// How often the server is killed, if nothing else is said.
const KILLS: u32 = 50;
/// The server lives until so many more things were acknowledged, at most, ...
const MOST_ACKNOWLEDGED: usize = 10;
/// ... and so many milliseconds more, at most: long enough to hit whatever follows.
const MOST_MORE: u64 = 30;
/// Debug builds of openmls need more than 2 MiB.
const STACK: usize = 8 << 20;

#[test]
fn nothing_acknowledged_is_lost_however_often_the_server_is_killed() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build()?;
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let kills = number("FIRSTLIGHT_CRASH_KILLS").and_then(|kills| u32::try_from(kills).ok()).unwrap_or(KILLS);
    let seed = number("FIRSTLIGHT_CRASH_SEED").unwrap_or_else(|| rand::rng().random());
    println!("{kills} kills, FIRSTLIGHT_CRASH_SEED={seed}");
    let result = runtime.block_on(run(kills, StdRng::seed_from_u64(seed)));
    result.map_err(|e| e.while_doing(format!("with FIRSTLIGHT_CRASH_SEED={seed}")))
}

/// Everybody's devices.
struct Devices {
    officer: Device,
    primary: Device,
    backup: Device,
    supervisor: Device,
    caseworker: Device,
}

impl Devices {
    fn open(world: &World) -> Result<Self> {
        Ok(Self {
            officer: Device::open(&world.officer)?,
            primary: Device::open(&world.primary)?,
            backup: Device::open(&world.backup)?,
            supervisor: Device::open(&world.supervisor)?,
            caseworker: Device::open(&world.caseworker)?,
        })
    }

    fn all(&self) -> [&Device; 5] {
        [&self.officer, &self.primary, &self.backup, &self.supervisor, &self.caseworker]
    }

    fn connect(&self) {
        self.all().into_iter().for_each(Device::connect);
    }
}

/// Sets the world up, plays, and reports where everybody stands if something went wrong.
async fn run(kills: u32, random: StdRng) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut server = ServerProcess::start(dir.path(), |_| {})?;
    let plan = Plan::with_timers(Timers {
        repeat_every_ms: Millis(500),
        backup_after_ms: Millis(300),
        // Nobody else shall be called in this story, however slow the machine.
        supervisor_after_ms: Millis::minutes(10),
        everyone_after_ms: Millis::minutes(20),
        ..Timers::default()
    })?;
    let world = World::found(&server, &dir.path().join("devices"), &plan, |_, _, _| {})?;
    let devices = Devices::open(&world)?;
    devices.connect();
    let others = [person(&world.backup)?.parse()?, person(&world.caseworker)?.parse()?];
    let team = team_room(&devices.primary, &others).await?;

    let played = play(kills, random, &mut server, &devices, team).await;
    played.map_err(|e| {
        let standing = devices.all().map(Device::report).concat();
        let kept = format!("everything is kept in {}", dir.keep().display());
        e.with(&server.log_tail()).with(&standing).with(&kept)
    })
}

async fn play(
    kills: u32,
    mut random: StdRng,
    server: &mut ServerProcess,
    devices: &Devices,
    team: RoomId,
) -> Result<()> {
    let story = Story::new();
    let mut actors: JoinSet<Result<Written>> = JoinSet::new();
    actors.spawn(story.clone().officer(devices.officer.clone()));
    actors.spawn(story.clone().responder(devices.primary.clone(), PRIMARYS, "primary"));
    actors.spawn(story.clone().responder(devices.backup.clone(), BACKUPS, "backup"));
    for (place, talker) in [&devices.primary, &devices.backup, &devices.caseworker].into_iter().enumerate() {
        actors.spawn(story.clone().talker(talker.clone(), team, place, 3));
    }
    let began = Instant::now();
    let (mut checked, mut head, mut longest) = (Checked::default(), None, Duration::ZERO);
    for kill in 1..=kills {
        let target = story.ledger.count() + random.random_range(1..=MOST_ACKNOWLEDGED);
        tokio::select! {
            alive = timeout(PATIENCE * 2, story.ledger.reaches(target)) => {
                alive.map_err(|_| fail(format!("before kill {kill}, nothing is acknowledged any more")))?;
            }
            Some(ended) = actors.join_next() => {
                let ended = ended?.map(|_| fail("an actor stopped before the end"));
                return Err(ended.unwrap_or_else(|e| e).while_doing(format!("before kill {kill}")));
            }
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..=MOST_MORE))).await;
        let down = Instant::now();
        server.kill9();
        server.restart().map_err(|e| e.while_doing(format!("after kill {kill}")))?;
        longest = longest.max(down.elapsed());
        devices.connect();
        head = Some(verify(server, head.as_deref()).map_err(|e| e.while_doing(format!("after kill {kill}")))?);
        let readers = devices.all();
        let still = story.ledger.check(&devices.supervisor, &readers, &mut checked).await;
        still.map_err(|e| e.while_doing(format!("after kill {kill}")))?;
        if kill % 10 == 0 {
            let (callouts, count) = (story.ledger.callouts(), story.ledger.count());
            println!(
                "{kill} kills after {:.0} s: {callouts} callouts, {count} acknowledged",
                began.elapsed().as_secs_f32()
            );
        }
    }
    story.stop();
    let mut written = Written::new();
    while let Some(ended) =
        timeout(PATIENCE * 4, actors.join_next()).await.map_err(|_| fail("the story does not end"))?
    {
        written.extend(ended?.map_err(|e| e.while_doing("at the end"))?);
    }
    for device in devices.all() {
        device.insist("catch up", || async { device.session.sync().await.1 }).await?;
    }
    // Once more everything, from the beginning.
    story.ledger.check(&devices.supervisor, &devices.all(), &mut Checked::default()).await?;
    verify(server, head.as_deref())?;
    everything_arrived(devices, &written)?;
    pages_are_in_order(devices)?;
    println!(
        "{kills} kills in {:.0} s, down for at most {} ms; {} callouts, {} things acknowledged, none lost",
        began.elapsed().as_secs_f32(),
        longest.as_millis(),
        story.ledger.callouts(),
        story.ledger.count()
    );
    Ok(())
}

/// The audit trail is whole, and still holds what was its end before.
fn verify(server: &ServerProcess, before: Option<&str>) -> Result<String> {
    let mut arguments = vec!["audit", "verify"];
    if let Some(hash) = before {
        arguments.extend(["--expect-head", hash]);
    }
    let answers = server.run(&arguments)?;
    let head = answers.first().and_then(|verdict| verdict["head"].as_str());
    head.map(str::to_owned).ok_or_else(|| fail("the audit trail has no end"))
}

/// Whoever is in a room at the end has heard everything there, each writer's messages once and in order.
fn everything_arrived(devices: &Devices, written: &Written) -> Result<()> {
    for (room, texts) in written {
        let mut readers = 0;
        for device in devices.all() {
            let summary = at_once(device.session.state().read(|engine| engine.room(*room)))?;
            if summary.is_some_and(|room| room.state == firstlight_client::engine::RoomState::Joined) {
                arrived(device, *room, texts)?;
                readers += 1;
            }
        }
        if readers < 2 {
            return Err(fail(format!("only {readers} of the people in {room} could hear what was said there")));
        }
    }
    Ok(())
}

/// Each page came to a device once, and none for a callout from which its person had been stood down. Nothing that a
/// device does by itself went wrong for good.
fn pages_are_in_order(devices: &Devices) -> Result<()> {
    for device in devices.all() {
        let (mut pages, mut stood_down) = (BTreeSet::new(), BTreeSet::new());
        for seen in device.seen() {
            match seen {
                Seen::Trouble(what) => return Err(fail(format!("{} had trouble: {what}", device.who))),
                Seen::Notice(Notice::Page { page, .. }) if !pages.insert(page) => {
                    return Err(fail(format!("{} was paged twice by {page}", device.who)));
                }
                Seen::Notice(Notice::Page { page, callout, .. }) if stood_down.contains(&callout) => {
                    return Err(fail(format!("{} was paged by {page} after standing down", device.who)));
                }
                Seen::Notice(Notice::StandDown { callout }) => drop(stood_down.insert(callout)),
                _ => {}
            }
        }
    }
    Ok(())
}
