//! The canary's way through the runner. Its world is one of its own: two who are on duty and are nobody, a second between
//! them, and a sink instead of channels. All the rest is the way of every callout.

use super::{record::load, step::Cause, world::World};
use crate::{Result, proof::Flight, store::Tx};
use firstlight_dispatch::{Actor, Qualified, view};
use firstlight_protocol::{
    ActionId, CalloutId, OrgId, PersonId, Problem, Role, Timestamp,
    api::ActOnCallout,
    callout::{Action, AgeBand, CancelReason, OpenCallout, Preference, Purpose, Routing, Tier},
    policy::{Channel, Millis, Policy},
    rota::OnDuty,
};
use sqlx::SqliteConnection;

/// Nobody: no organisation and no person has these ids.
const NOWHERE: OrgId = OrgId([0; 16]);
const OPENER: PersonId = PersonId([0; 16]);
const FIRST: PersonId = PersonId([1; 16]);
const SECOND: PersonId = PersonId([2; 16]);

/// When the second is called.
const SECOND_AFTER: Millis = Millis::seconds(1);

fn opener() -> Actor {
    Actor { person: OPENER, org: NOWHERE, role: Role::Supervisor, host: true }
}

/// The world in which a canary flies.
pub(super) fn world() -> Result<World> {
    let mut policy = Policy::new("0000".parse().map_err(crate::Error::internal)?);
    policy.timers.backup_after_ms = SECOND_AFTER;
    let nobody = |person| Qualified {
        person,
        work_name: String::new(),
        languages: Vec::new(),
        meets: Preference::Any,
        training: Vec::new(),
        zones: Vec::new(),
        bars: Vec::new(),
        channels: vec![Channel::InApp],
        rules: Vec::new(),
    };
    let duty = |person, tier| OnDuty { tier, person, zone: None };
    let on_duty = vec![duty(FIRST, Tier::Primary), duty(SECOND, Tier::Backup)];
    Ok(World::of(NOWHERE, policy, on_duty, vec![nobody(FIRST), nobody(SECOND)]))
}

impl Tx<'_> {
    /// Opens a canary.
    pub(crate) async fn open_canary(&mut self, id: CalloutId, now: Timestamp) -> Result<()> {
        let routing = Routing {
            call_back: "0000".parse().map_err(crate::Error::internal)?,
            zone: "canary".parse().map_err(crate::Error::internal)?,
            site: None,
            first_contact_at: now,
            young_people: 1,
            age_band: AgeBand::Unknown,
            languages: Vec::new(),
            preference: Preference::Any,
            scene_safe: true,
            emergency_needed: false,
            wanted: 1,
            training: Vec::new(),
        };
        let request = OpenCallout { id, routing, purpose: Purpose::Canary };
        self.open_as(world()?, opener(), request, None, Cause { device: None, now }).await.map(drop)
    }

    /// Calls a canary off, as an officer would.
    pub(crate) async fn call_canary_off(&mut self, id: CalloutId, now: Timestamp) -> Result<()> {
        let request = ActOnCallout { id: ActionId(id.0), action: Action::Cancel { reason: CancelReason::Drill } };
        self.act_as(world()?, opener(), id, request, Cause { device: None, now }).await.map(drop)
    }

    /// Deletes every canary, with all that belongs to it.
    pub(crate) async fn remove_canaries(&mut self) -> Result<()> {
        for delete in [
            "DELETE FROM outbox WHERE callout IN (SELECT callout FROM callouts WHERE purpose = 'canary')",
            "DELETE FROM timers WHERE callout IN (SELECT callout FROM callouts WHERE purpose = 'canary')",
            "DELETE FROM callout_people WHERE callout IN (SELECT callout FROM callouts WHERE purpose = 'canary')",
            "DELETE FROM callouts WHERE purpose = 'canary'",
        ] {
            sqlx::query(delete).execute(&mut *self.conn).await?;
        }
        Ok(())
    }
}

/// What a canary's two pages came to, once both were handed over.
pub(crate) async fn canary_flight(conn: &mut SqliteConnection, id: CalloutId) -> Result<Option<Flight>> {
    let Some(callout) = load(conn, id).await? else { return Ok(None) };
    let world = world()?;
    let seen = view(&callout, opener(), &world.context());
    let seen = seen.ok_or_else(|| Problem::new(firstlight_protocol::ErrorCode::Internal))?;
    let pages = seen.pages.unwrap_or_default();
    let taken = |person| pages.iter().find(|page| page.person == person).and_then(|page| page.handed_over_at);
    let (Some(first), Some(second)) = (taken(FIRST), taken(SECOND)) else { return Ok(None) };
    let due = seen.opened_at + SECOND_AFTER.into();
    Ok(Some(Flight { page: first.since(seen.opened_at), escalation: second.since(due) }))
}
