//! Nights in which things die: people at work on real devices, and a ledger of everything that was acknowledged to them.

mod device;
mod ledger;
mod story;

pub use device::{Device, Seen};
pub use ledger::{Checked, Ledger};
pub use story::{BACKUPS, PRIMARYS, Story, Written, arrived, routing, team_room};

use crate::process::{PATIENCE, Plan, Result, World, at_once, fail, person};
use firstlight_client::engine::RoomState;
use firstlight_protocol::{
    api::Notice,
    policy::{Millis, Timers},
};
use std::{collections::BTreeSet, future::Future};
use tokio::{task::JoinSet, time::timeout};

/// Debug builds of openmls need more than 2 MiB.
const STACK: usize = 8 << 20;

/// Plays on threads with room for unoptimised openmls.
///
/// # Errors
/// As `night`.
pub fn play<T>(night: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build()?.block_on(night)
}

/// Timers for nights in which the primary answers half of the callouts and the backup the others.
///
/// # Errors
/// Never: see [`Plan::with_timers`].
pub fn plan() -> Result<Plan> {
    Plan::with_timers(Timers {
        repeat_every_ms: Millis(500),
        backup_after_ms: Millis(300),
        // Nobody else shall be called in this story, however slow the machine.
        supervisor_after_ms: Millis::minutes(10),
        everyone_after_ms: Millis::minutes(20),
        ..Timers::default()
    })
}

/// Everybody's devices.
#[derive(Debug)]
pub struct Devices {
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

    /// Everybody connects, or connects anew.
    pub fn connect(&self) {
        self.all().into_iter().for_each(Device::connect);
    }
}

/// An officer opens callouts, two responders answer them, three people talk.
#[derive(Debug)]
pub struct Night {
    /// Everybody's devices.
    pub devices: Devices,
    story: Story,
    actors: JoinSet<Result<Written>>,
    checked: Checked,
}

impl Night {
    /// Everybody connects and begins; three people talk in so many rooms at once.
    ///
    /// # Errors
    /// If a device can't be opened, or a room of the conversations can't be made.
    pub async fn begin(world: &World, rooms: usize) -> Result<Self> {
        let devices = Devices::open(world)?;
        devices.connect();
        let others = [person(&world.backup)?.parse()?, person(&world.caseworker)?.parse()?];
        let (story, mut actors) = (Story::default(), JoinSet::new());
        actors.spawn(story.clone().officer(devices.officer.clone()));
        actors.spawn(story.clone().responder(devices.primary.clone(), PRIMARYS, "primary"));
        actors.spawn(story.clone().responder(devices.backup.clone(), BACKUPS, "backup"));
        for _ in 0..rooms {
            let team = team_room(&devices.primary, &others).await?;
            for (place, talker) in [&devices.primary, &devices.backup, &devices.caseworker].into_iter().enumerate() {
                actors.spawn(story.clone().talker(talker.clone(), team, place, 3));
            }
        }
        Ok(Self { devices, story, actors, checked: Checked::default() })
    }

    /// What was acknowledged until now.
    pub fn ledger(&self) -> &Ledger {
        &self.story.ledger
    }

    /// Waits until so many more things were acknowledged.
    ///
    /// # Errors
    /// If nothing is any more, or somebody has given up.
    pub async fn goes_on(&mut self, more: usize) -> Result<()> {
        let target = self.story.ledger.count() + more;
        tokio::select! {
            alive = timeout(PATIENCE * 2, self.story.ledger.reaches(target)) => {
                alive.map_err(|_| fail("nothing is acknowledged any more"))
            }
            Some(ended) = self.actors.join_next() => {
                let ended = ended?.map(|_| fail("an actor stopped before the end"));
                Err(ended.unwrap_or_else(|e| e))
            }
        }
    }

    /// Asks the server for everything that it has acknowledged since this was asked last.
    ///
    /// # Errors
    /// If something is lost, doubled or out of order, or a callout has no next action.
    pub async fn nothing_is_lost(&mut self) -> Result<()> {
        self.story.ledger.check(&self.devices.supervisor, &self.devices.all(), &mut self.checked).await
    }

    /// Everybody finishes what they have begun; then everything is compared once more, from the beginning.
    ///
    /// # Errors
    /// As [`Self::nothing_is_lost`], or if somebody did not hear or see what they should.
    pub async fn end(&mut self) -> Result<()> {
        self.story.stop();
        let mut written = Written::new();
        while let Some(ended) =
            timeout(PATIENCE * 4, self.actors.join_next()).await.map_err(|_| fail("the story does not end"))?
        {
            written.extend(ended?.map_err(|e| e.while_doing("at the end"))?);
        }
        for device in self.devices.all() {
            device.insist("catch up", || async { device.session.sync().await.1 }).await?;
        }
        self.checked = Checked::default();
        self.nothing_is_lost().await?;
        self.everything_arrived(&written)?;
        self.pages_are_in_order()
    }

    /// How long each callout waited for somebody who accepts, in milliseconds, shortest first. Whole after [`Self::end`].
    pub fn waits(&self) -> Vec<u64> {
        let mut waits = self.checked.waits.clone();
        waits.sort_unstable();
        waits
    }

    /// Where everybody stands, for a report.
    pub fn report(&self) -> String {
        self.devices.all().map(Device::report).concat()
    }

    /// Whoever is in a room at the end has heard everything there, each writer's messages once and in order.
    fn everything_arrived(&self, written: &Written) -> Result<()> {
        for (room, texts) in written {
            let mut readers = 0;
            for device in self.devices.all() {
                let summary = at_once(device.session.state().read(|engine| engine.room(*room)))?;
                if summary.is_some_and(|room| room.state == RoomState::Joined) {
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
    fn pages_are_in_order(&self) -> Result<()> {
        for device in self.devices.all() {
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
}
