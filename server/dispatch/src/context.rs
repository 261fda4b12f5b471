//! What the engine has to know about the world at the moment of a step. The runner reads it; the engine only borrows.

use crate::AgencyPerson;
use firstlight_protocol::{
    CalloutId, OrgId, PersonId, Role, Timestamp,
    callout::{Code, Language, Preference, Purpose, Routing, Tier},
    policy::{Channel, Millis, Policy},
    profile::Bar,
    rota::OnDuty,
};

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

impl Qualified {
    /// The channel of the `n`th page, from 0: each in turn, over and over.
    pub(crate) fn channel(&self, n: u32) -> Channel {
        let turn = n as usize % self.channels.len().max(1);
        self.channels.get(turn).copied().unwrap_or(Channel::InApp)
    }

    pub(crate) fn speaks(&self, routing: &Routing) -> bool {
        routing.languages.is_empty()
            || routing.languages.iter().any(|l| self.languages.iter().any(|mine| mine.primary() == l.primary()))
    }

    pub(crate) fn preferred(&self, routing: &Routing) -> bool {
        routing.preference == Preference::Any || routing.preference == self.meets
    }
}

impl<'a> Context<'a> {
    pub(crate) fn qualified(&self, person: PersonId) -> Option<&'a Qualified> {
        self.people.iter().find(|q| q.person == person)
    }

    /// Qualified people of a tier for a zone, best match first, each once.
    pub(crate) fn tier(&self, tier: Tier, routing: &Routing) -> Vec<&'a Qualified> {
        let on_duty = |person: PersonId| {
            self.on_duty.iter().any(|duty| {
                duty.tier == tier && duty.person == person && duty.zone.as_ref().is_none_or(|z| *z == routing.zone)
            })
        };
        let mut people: Vec<_> = self.people.iter().filter(|q| tier == Tier::Everyone || on_duty(q.person)).collect();
        people.sort_by_key(|q| (!q.speaks(routing), !q.preferred(routing), q.person));
        people.dedup_by_key(|q| q.person);
        people
    }
}
