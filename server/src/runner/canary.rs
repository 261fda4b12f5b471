//! The canary's way through the runner. Its world is one of its own: two who are on duty and are nobody, a second between
//! them, and a sink instead of channels. All the rest is the way of every callout.

use super::{record::load, step::Cause, world::World};
use crate::store::sql::{self, Conn};
use crate::{Result, proof::Flight, store::Tx};
use firstlight_dispatch::{Actor, Input, Open, Qualified, step};
use firstlight_protocol::{
    ActionId, CalloutId, OrgId, PersonId, Problem, Role, Timestamp,
    callout::{Action, AgeBand, CancelReason, Preference, Purpose, Routing, Tier},
    policy::{Channel, Millis, Policy},
    rota::OnDuty,
};

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
        let open = Open { id, by: opener(), routing, purpose: Purpose::Canary, caller: None };
        let world = world()?;
        let opened = firstlight_dispatch::open(open, &world.context(), now).map_err(Problem::from)?;
        // What follows refers to it.
        self.save_callout(&opened.0).await?;
        self.follow(&world, None, opened, Cause { device: None, now }).await.map(drop)
    }

    /// Calls a canary off, as whoever opened it would.
    pub(crate) async fn call_canary_off(&mut self, id: CalloutId, now: Timestamp) -> Result<()> {
        let Some(before) = load(self.conn, id).await? else { return Ok(()) };
        let world = world()?;
        let action = Action::Cancel { reason: CancelReason::Drill };
        let input = Input::Act { by: opener(), id: ActionId(id.0), action };
        let stepped = step(&before, input, &world.context(), now).map_err(Problem::from)?;
        self.follow(&world, Some(&before), stepped, Cause { device: None, now }).await.map(drop)
    }

    /// Deletes every canary, with all that belongs to it.
    pub(crate) async fn remove_canaries(&mut self) -> Result<()> {
        for delete in [
            "DELETE FROM legs WHERE page IN
                 (SELECT page FROM outbox WHERE callout IN (SELECT callout FROM callouts WHERE purpose = 'canary'))",
            "DELETE FROM outbox WHERE callout IN (SELECT callout FROM callouts WHERE purpose = 'canary')",
            "DELETE FROM timers WHERE callout IN (SELECT callout FROM callouts WHERE purpose = 'canary')",
            "DELETE FROM callout_people WHERE callout IN (SELECT callout FROM callouts WHERE purpose = 'canary')",
            "DELETE FROM callouts WHERE purpose = 'canary'",
        ] {
            sql::query(delete).execute(&mut *self.conn).await?;
        }
        Ok(())
    }
}

/// What a canary's two pages came to, once both were handed over.
pub(crate) async fn canary_flight(conn: &mut Conn, id: CalloutId) -> Result<Option<Flight>> {
    let Some(callout) = load(conn, id).await? else { return Ok(None) };
    let taken = (callout.handed_over_at(FIRST), callout.handed_over_at(SECOND));
    let (Some(first), Some(second)) = taken else { return Ok(None) };
    let opened = callout.opened_at();
    Ok(Some(Flight { page: first.since(opened), escalation: second.since(opened + SECOND_AFTER.into()) }))
}
