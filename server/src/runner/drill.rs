//! A drill begins and ends by the same steps as every callout; only nobody has to be at a screen for it.

use super::{record::load, step::Cause, world::World};
use crate::{Result, store::Tx};
use firstlight_dispatch::Actor;
use firstlight_protocol::{
    ActionId, CalloutId, ErrorCode, PersonId, Role, Timestamp,
    api::ActOnCallout,
    callout::{Action, CancelReason, OpenCallout, Purpose, Routing},
};

/// The supervisor who wanted it. That they may has been checked then; a drill goes on without them.
fn supervisor(person: PersonId, world: &World) -> Actor {
    Actor { person, org: world.host, role: Role::Supervisor, host: true }
}

impl Tx<'_> {
    /// Opens a scheduled drill.
    ///
    /// # Errors
    /// As [`Tx::open_callout`].
    pub(crate) async fn open_drill(
        &mut self,
        id: CalloutId,
        by: PersonId,
        routing: Routing,
        now: Timestamp,
    ) -> Result<()> {
        let world = World::read(self.conn, now).await?;
        let by = supervisor(by, &world);
        let request = OpenCallout { id, routing, purpose: Purpose::Drill };
        self.open_as(world, by, request, None, Cause { device: None, now }).await.map(drop)
    }

    /// Calls off a drill whose time is over.
    ///
    /// # Errors
    /// As [`Tx::act_on_callout`].
    pub(crate) async fn call_drill_off(&mut self, id: CalloutId, now: Timestamp) -> Result<()> {
        let callout = load(self.conn, id).await?.ok_or(ErrorCode::NotFound)?;
        let world = World::read(self.conn, now).await?;
        let by = supervisor(callout.opened_by(), &world);
        let request = ActOnCallout { id: ActionId(id.0), action: Action::Cancel { reason: CancelReason::Drill } };
        self.act_as(world, by, id, request, Cause { device: None, now }).await.map(drop)
    }
}
