//! What the engine has to know about the world at the moment of a step. The runner reads it; the engine only borrows.

use crate::AgencyPerson;
use firstlight_protocol::{
    CalloutId, OrgId, PersonId, Role, Timestamp,
    callout::{Code, Language, Preference, Purpose, Routing, Tier},
    policy::{Channel, Millis, Policy},
    profile::Bar,
    rota::OnDuty,
};
use std::collections::HashSet;

/// The host organisation at the moment of a step.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Its policy.
    pub policy: &'a Policy,
    /// Who is on duty now, from its rota.
    pub on_duty: &'a [OnDuty],
    /// Everybody who may be called at all: active people of the host's who answer callouts. Nobody else is ever paged,
    /// whatever the rota says.
    pub people: &'a [Qualified],
    /// Open callouts of at least the last `duplicate_window_ms`, for duplicates and merging.
    pub recent: &'a [RecentCallout],
    /// Active people of the agencies that the policy notifies.
    pub agencies: &'a [AgencyPerson],
}

/// Somebody who may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qualified {
    /// Who.
    pub person: PersonId,
    /// The name they work under.
    pub work_name: String,
    /// Languages they speak.
    pub languages: Vec<Language>,
    /// Which preference they meet; `Any` if they have not said.
    pub meets: Preference,
    /// Training they have had.
    pub training: Vec<Code>,
    /// Zones they serve; empty: all.
    pub zones: Vec<Code>,
    /// Conflicts of interest: whoever one of these fits is never paged.
    pub bars: Vec<Bar>,
    /// The ways to reach them, in the order to try them. Empty means the app alone.
    pub channels: Vec<Channel>,
    /// When each way is used in a turn; empty: each channel in turn.
    pub rules: Vec<Rule>,
}

/// One line of a person's own list: this way, so long after their turn began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// How.
    pub channel: Channel,
    /// When. The first rule is used at once, whatever stands here; no other is used before the one that precedes it.
    pub after: Millis,
}

/// Another open callout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentCallout {
    /// Which.
    pub id: CalloutId,
    /// The agency that opened it.
    pub agency: OrgId,
    /// Its zone.
    pub zone: Code,
    /// Its site.
    pub site: Option<Code>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Why it was opened.
    pub purpose: Purpose,
}

/// Whoever acts or looks, as their verified certificate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub person: PersonId,
    /// Their organisation.
    pub org: OrgId,
    /// Their role in it.
    pub role: Role,
    /// Whether that organisation is the host.
    pub host: bool,
}

impl Actor {
    /// A supervisor of the host organisation.
    pub fn supervises(&self) -> bool {
        self.host && self.role == Role::Supervisor
    }
}

/// The first of these ways, in turn from the `first`th on, that was not tried.
pub(crate) fn next_untried(ways: &[Channel], first: usize, tried: &[Channel]) -> Option<Channel> {
    let in_turn = ways.iter().skip(first).chain(ways.iter().take(first));
    in_turn.copied().find(|way| !tried.contains(way))
}

impl Qualified {
    /// How the next page goes out: the `attempt`th of all (from 0), in the `call`th call of this turn (from 1), which has
    /// `tried` these ways. Without rules each channel in turn, over and over; with rules that of the call's rule, and those
    /// of the following ones where it fails. `None` when the call has tried them all.
    ///
    /// The ways may have become fewer since the call began: one that turned out to be broken is no way any more.
    pub(crate) fn way(&self, attempt: u32, call: u16, tried: &[Channel]) -> Option<Channel> {
        let ways = self.ways();
        let first = match self.rule(call) {
            Some(rule) => ways.iter().position(|way| *way == rule.channel).unwrap_or(0),
            None => attempt as usize % ways.len().max(1),
        };
        // No rule may keep a person from being reached at all: the ways that none names come in where all others fail.
        next_untried(&ways, first, tried).or_else(|| next_untried(&self.channels, 0, tried))
    }

    /// The different ways to reach them, each once: with rules, those that they name.
    fn ways(&self) -> Vec<Channel> {
        if self.rules.is_empty() {
            return self.channels.clone();
        }
        let mut ways = Vec::with_capacity(self.rules.len());
        for rule in &self.rules {
            if !ways.contains(&rule.channel) {
                ways.push(rule.channel);
            }
        }
        ways
    }

    /// From the `call`th call of a turn (from 1) to the next one.
    pub(crate) fn pause(&self, call: u16, repeat: Millis) -> Millis {
        let place = self.place(call);
        let after = |place: usize| if place == 0 { Some(0) } else { self.rules.get(place).map(|rule| rule.after.0) };
        match (after(place), after(place + 1)) {
            (Some(this), Some(next)) => Millis(next.saturating_sub(this)),
            _ => repeat,
        }
    }

    fn rule(&self, call: u16) -> Option<Rule> {
        self.rules.get(self.place(call)).copied()
    }

    fn place(&self, call: u16) -> usize {
        usize::from(call.saturating_sub(1)) % self.rules.len().max(1)
    }
}

impl<'a> Context<'a> {
    pub(crate) fn qualified(&self, person: PersonId) -> Option<&'a Qualified> {
        self.people.iter().find(|q| q.person == person)
    }

    /// Who is on duty in a tier, for a callout of this zone.
    pub(crate) fn on_duty_in(&self, tier: Tier, routing: &Routing) -> HashSet<PersonId> {
        let serves = |duty: &&OnDuty| duty.tier == tier && duty.zone.as_ref().is_none_or(|z| *z == routing.zone);
        self.on_duty.iter().filter(serves).map(|duty| duty.person).collect()
    }
}
