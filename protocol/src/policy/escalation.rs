//! Who is called after whom: the steps of an escalation, and what stands outside of it.

use super::{MAX_TIMER, Millis, Timers};
use crate::{
    PersonId, Secret,
    callout::{Code, Tier},
};
use serde::{Deserialize, Serialize};

/// The most steps of one escalation.
pub const MAX_STEPS: usize = 16;
/// The most targets of one step.
pub const MAX_TARGETS: usize = 20;
/// The most times that all steps are walked before the slow rounds.
pub const MAX_ROUNDS: u8 = 10;
/// The most outside webhooks of one policy.
pub const MAX_OUTSIDE: usize = 20;
/// The most keys of one outside webhook: one, and the one that takes its place.
pub const MAX_OUTSIDE_KEYS: usize = 2;

/// Who is called after whom, until as many have accepted as are wanted.
///
/// Each step lasts until the next one's time, counted from its own beginning, so that a step which costs no time (nobody
/// in it, or all of it has answered without filling the callout) brings everything after it forward: nothing is ever later
/// than `after_ms`. After the last step all steps are walked again, `rounds` times in all; then come the slow rounds, which
/// never end (DOMAIN.md, "Timers").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// The steps, in order; 1 to [`MAX_STEPS`]. The last one calls everyone and tells the officer.
    pub steps: Vec<Step>,
    /// How many times all steps are walked before the slow rounds, 1 to [`MAX_ROUNDS`]. In a later walk a step begins anew
    /// the turns of its people who are silent, each `slow_repeat_ms` after the end of the walk before.
    #[serde(default = "once")]
    pub rounds: u8,
}

/// One step of an [`Escalation`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Who is called, all at once; 1 to [`MAX_TARGETS`].
    pub targets: Vec<Target>,
    /// So long after the callout's first page; strictly rising from step to step, and 0 for the first.
    pub after_ms: Millis,
    /// Whether the officer is told "nobody yet: call this number" when the step begins.
    #[serde(default)]
    pub tell_officer: bool,
    /// How many timed calls make the turn of a person whom this step calls, 1 to 100; absent: the policy's
    /// `calls_per_turn`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repeat: Option<u16>,
}

/// Who is called by a step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    /// Whoever is on duty in a tier of the rota: primary, backup or supervisor.
    Tier {
        /// Which.
        tier: Tier,
    },
    /// One person, on duty or not.
    Person {
        /// Who.
        person: PersonId,
    },
    /// Everyone qualified.
    Everyone,
    /// One of the policy's outside webhooks: told, not asked. It can't accept, but a step that has one keeps its time.
    Outside {
        /// Which: a key of the policy's `outside`.
        code: Code,
    },
}

/// Somebody outside (an answering service, another centre's system) who gets a signed request without content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OutsideWebhook {
    /// Where the request goes: `https://`, or `http://` where the operator allows it; at most 2048 bytes.
    pub url: String,
    /// The keys that sign it, each 16 to 256 bytes of text; two while one takes the other's place. Set only: an answer
    /// never carries them, and leaving them out keeps those that are set for the same code.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub keys: Vec<Secret>,
}

fn once() -> u8 {
    1
}

impl Escalation {
    /// The default: primary, backup, supervisor, everyone, at the times of `timers`.
    pub fn of(timers: &Timers) -> Self {
        let step = |target, after_ms| Step { targets: vec![target], after_ms, tell_officer: false, repeat: None };
        let tier = |tier| Target::Tier { tier };
        let everyone = Step { tell_officer: true, ..step(Target::Everyone, timers.everyone_after_ms) };
        Self {
            steps: vec![
                step(tier(Tier::Primary), Millis(0)),
                step(tier(Tier::Backup), timers.backup_after_ms),
                step(tier(Tier::Supervisor), timers.supervisor_after_ms),
                everyone,
            ],
            rounds: 1,
        }
    }

    /// Checks every bound; `outside` says which codes are registered.
    pub(super) fn check(&self, outside: impl Fn(&Code) -> bool) -> Result<(), String> {
        if !(1..=MAX_STEPS).contains(&self.steps.len()) {
            return Err(format!("steps: 1 to {MAX_STEPS}."));
        }
        if !(1..=MAX_ROUNDS).contains(&self.rounds) {
            return Err(format!("rounds: 1 to {MAX_ROUNDS}."));
        }
        for (i, step) in self.steps.iter().enumerate() {
            let last = self.steps[..i].last().map(|s| s.after_ms);
            let wrong = match last {
                None if step.after_ms != Millis(0) => "after_ms: 0, since the first page waits for nothing.",
                Some(before) if step.after_ms <= before => "after_ms: later than the step before.",
                _ => step.check(&outside).err().unwrap_or_default(),
            };
            if !wrong.is_empty() {
                return Err(format!("step {}: {wrong}", i + 1));
            }
        }
        match self.steps.last() {
            Some(last) if last.tell_officer && last.targets.contains(&Target::Everyone) => Ok(()),
            _ => Err("steps: the last one calls everyone and tells the officer.".into()),
        }
    }
}

impl Step {
    fn check(&self, outside: impl Fn(&Code) -> bool) -> Result<(), &'static str> {
        let twice = |(i, target)| self.targets[..i].contains(target);
        let unknown = |target: &Target| matches!(target, Target::Outside { code } if !outside(code));
        let no_tier = |target: &Target| matches!(target, Target::Tier { tier } if !tier.is_on_rota());
        match () {
            () if !(1..=MAX_TARGETS).contains(&self.targets.len()) => Err("targets: 1 to 20."),
            () if self.targets.iter().enumerate().any(twice) => Err("targets: each once."),
            () if self.targets.iter().any(no_tier) => Err("targets: the tiers are primary, backup and supervisor."),
            () if self.targets.iter().any(unknown) => Err("targets: an outside webhook that the policy knows."),
            () if self.after_ms > MAX_TIMER => Err("after_ms: at most a week."),
            () if self.repeat.is_some_and(|n| !(1..=100).contains(&n)) => Err("repeat: 1 to 100."),
            () => Ok(()),
        }
    }
}

impl OutsideWebhook {
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let host = self.url.strip_prefix("https://").or_else(|| self.url.strip_prefix("http://"));
        let well_formed = host.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
            && self.url.len() <= 2048
            && self.url.bytes().all(|b| b.is_ascii_graphic());
        match () {
            () if !well_formed => Err("url: an http(s) address of at most 2048 characters."),
            () if self.keys.len() > MAX_OUTSIDE_KEYS => Err("keys: at most two."),
            () if self.keys.iter().any(|key| !(16..=256).contains(&key.reveal().len())) => {
                Err("keys: 16 to 256 bytes each.")
            }
            () => Ok(()),
        }
    }
}
