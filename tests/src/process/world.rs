//! The people of the stories: a host organisation and a police agency, each device with a directory of its own.

use super::{Cli, Result, ServerProcess, fail};
pub use firstlight_protocol::policy::Timers;
use firstlight_protocol::policy::{Millis, Policy};
use serde_json::{Value, json};
use std::{fs, path::Path, thread};

/// Who is founded, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The policy: timers, and the duty number.
    pub policy: Policy,
    /// Seals every state with this passphrase and the device's name, instead of with a key file (which costs no Argon2).
    pub passphrase: Option<String>,
}

/// Everybody, each with a device that is enrolled, and a rota on which three of them are on call around the clock.
#[derive(Debug)]
pub struct World {
    /// Of the host, "Agency A".
    pub admin: Cli,
    /// On call as primary: "Advocate 1".
    pub primary: Cli,
    /// On call as backup: "Advocate 2".
    pub backup: Cli,
    /// On call as supervisor: "Supervisor 1".
    pub supervisor: Cli,
    /// Of the host, never called: "Caseworker 1".
    pub caseworker: Cli,
    /// Of the partner, "Agency B", which is a police agency.
    pub police_admin: Cli,
    /// "Officer 1".
    pub officer: Cli,
}

impl Plan {
    /// Key files, and these timers.
    ///
    /// # Errors
    /// Never: the duty number is one.
    pub fn with_timers(timers: Timers) -> Result<Self> {
        Ok(Self { policy: Policy { timers, ..Policy::new("555-0100".parse()?) }, passphrase: None })
    }

    /// A night in seconds instead of minutes: one of the policy's minutes lasts `minute`.
    ///
    /// # Errors
    /// As [`Self::with_timers`].
    pub fn fast(minute: Millis) -> Result<Self> {
        let defaults = Timers::default();
        let scaled = |timer: Millis| Millis((timer.0 * minute.0).div_ceil(Millis::minutes(1).0));
        Self::with_timers(Timers {
            repeat_every_ms: scaled(defaults.repeat_every_ms),
            backup_after_ms: scaled(defaults.backup_after_ms),
            supervisor_after_ms: scaled(defaults.supervisor_after_ms),
            everyone_after_ms: scaled(defaults.everyone_after_ms),
            slow_repeat_ms: scaled(defaults.slow_repeat_ms),
            ..defaults
        })
    }

    fn device(&self, dir: &Path, who: &str) -> Cli {
        let state = dir.join(who.to_lowercase().replace(' ', "-"));
        match &self.passphrase {
            Some(passphrase) => Cli::with_passphrase(who, state, format!("{passphrase} {who}")),
            None => Cli::with_key_file(who, state),
        }
    }
}

impl World {
    /// Founds everything with commands, as people would, the devices below `dir`. `told` hears of each part when it is
    /// done: a word for programs, who did it, and a sentence.
    ///
    /// # Errors
    /// If a command fails.
    pub fn found(
        server: &ServerProcess,
        dir: &Path,
        plan: &Plan,
        mut told: impl FnMut(&str, &str, &str),
    ) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let world = Self {
            admin: plan.device(dir, "Admin 1"),
            primary: plan.device(dir, "Advocate 1"),
            backup: plan.device(dir, "Advocate 2"),
            supervisor: plan.device(dir, "Supervisor 1"),
            caseworker: plan.device(dir, "Caseworker 1"),
            police_admin: plan.device(dir, "Admin 2"),
            officer: plan.device(dir, "Officer 1"),
        };
        let token = server.bootstrap_file();
        world.admin.run(
            &[
                &["org", "create", "--server", server.url(), "--kind", "victim_services"][..],
                &["--name", "Agency A", "--admin-name", "Admin 1", "--bootstrap-file", &token.to_string_lossy()],
            ]
            .concat(),
        )?;
        told("host_founded", "Admin 1", "Agency A is founded; its root key never leaves this device");
        let invite = ["invite", "partner", "--kind", "law_enforcement", "--name", "Agency B"];
        let link = link(&world.admin.run(&invite)?)?;
        world.police_admin.run(
            &[
                &["org", "create", "--kind", "law_enforcement", "--name", "Agency B"][..],
                &["--admin-name", "Admin 2", "--invite", &link],
            ]
            .concat(),
        )?;
        world.admin.run(&["org", "approve", "--all"])?;
        told("partner_founded", "Admin 2", "Agency B, a police agency, joins as an organisation of its own");

        let hosts = [
            (&world.primary, "advocate"),
            (&world.backup, "advocate"),
            (&world.supervisor, "supervisor"),
            (&world.caseworker, "caseworker"),
        ];
        thread::scope(|scope| {
            let police = scope.spawn(|| enrol(&world.police_admin, &[(&world.officer, "police_officer")]));
            let host = enrol(&world.admin, &hosts);
            host.and(police.join().unwrap_or_else(|_| Err(fail("enrolling the officer panicked"))))
        })?;
        told("people_enrolled", "Admins", "five people join by invite; their admins' devices sign the certificates");
        let policy = serde_json::to_string(&plan.policy)?;
        world.admin.run_with_input(&["policy", "set", "-"], Some(&policy))?;
        world.admin.run_with_input(&["rota", "set", "-"], Some(&world.rota()?.to_string()))?;
        told("rota_set", "Admin 1", "Advocate 1 is primary, Advocate 2 backup, Supervisor 1 supervisor");
        Ok(world)
    }

    /// Everybody who watches at night.
    pub fn on_call(&self) -> [&Cli; 3] {
        [&self.primary, &self.backup, &self.supervisor]
    }

    /// Around the clock, every day, in a zone without changes of the clock.
    fn rota(&self) -> Result<Value> {
        let shift = |tier: &str, who: &Cli| -> Result<Value> {
            Ok(json!({
                "tier": tier, "person": person(who)?, "repeat": "daily",
                "from": "2026-01-01T00:00:00", "until": "2026-01-02T00:00:00",
            }))
        };
        let [primary, backup, supervisor] = self.on_call();
        let shifts = [shift("primary", primary)?, shift("backup", backup)?, shift("supervisor", supervisor)?];
        Ok(json!({ "tz": "UTC", "shifts": shifts }))
    }
}

/// A person's id.
///
/// # Errors
/// If the device is not enrolled.
pub fn person(who: &Cli) -> Result<String> {
    let me = who.run(&["me"])?;
    me["person"].as_str().map(str::to_owned).ok_or_else(|| fail(format!("{} is nobody", who.who)))
}

/// Invites, requests, one approval for all, and the certificates fetched; side by side where one need not wait.
///
/// # Errors
/// If a command fails, or not everybody is approved.
pub fn enrol(admin: &Cli, people: &[(&Cli, &str)]) -> Result<()> {
    side_by_side(people, |(device, role)| {
        let made = admin.run(&["invite", "create", "--role", role, "--name", &device.who])?;
        device.run_with_input(&["join", "-", "--no-wait"], Some(&format!("{}\n", link(&made)?)))
    })?;
    let approved = admin.run(&["devices", "approve", "--all"])?;
    if approved["approved"].as_array().map(Vec::len) != Some(people.len()) {
        return Err(fail(format!("not everybody's request could be approved: {approved}")));
    }
    side_by_side(people, |(device, _)| device.run(&["join"]))
}

fn link(made: &Value) -> Result<String> {
    made["link"].as_str().map(str::to_owned).ok_or_else(|| fail("an invite without a link"))
}

/// Does the same for everybody at the same time; the first failure is the answer.
fn side_by_side<T: Sync, R>(all: &[T], run: impl Fn(&T) -> Result<R> + Sync) -> Result<()> {
    let run = &run;
    thread::scope(|scope| {
        let threads: Vec<_> = all.iter().map(|one| scope.spawn(move || run(one).map(drop))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(fail("a thread panicked"))))
    })
}
