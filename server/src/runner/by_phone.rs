//! What reaches a callout without an app: an officer by their agency's line, a responder by telephone.

use super::{record::load, step::Cause, world::World};
use crate::store::sql::Conn;
use crate::{Result, store::Tx};
use firstlight_dispatch::Actor;
use firstlight_protocol::{
    ActionId, CalloutId, ErrorCode, PersonId, Role, Timestamp,
    api::ActOnCallout,
    callout::{Action, CalloutView, OpenCallout, Phone},
    line::Line,
};

/// Who a line is to its callouts: an officer of its agency who opened them, and nothing else.
fn officer(line: &Line, world: &World) -> Actor {
    Actor { person: line.opener(), org: line.agency, role: Role::PoliceOfficer, host: line.agency == world.host }
}

impl Tx<'_> {
    /// Opens a callout for a line, and tells `caller`, by SMS, what becomes of it. The same request again is answered as
    /// it stands now.
    ///
    /// # Errors
    /// As [`Tx::open_callout`].
    pub(crate) async fn open_callout_from_line(
        &mut self,
        line: &Line,
        request: OpenCallout,
        caller: Option<Phone>,
        now: Timestamp,
    ) -> Result<CalloutView> {
        let world = World::read(self.conn, now).await?;
        let by = officer(line, &world);
        self.open_as(world, by, request, caller, Cause { device: None, now }).await
    }

    /// Does something with a callout of a line's, as its officer.
    ///
    /// # Errors
    /// `not_found` for another line's callout, and what the engine refuses.
    pub(crate) async fn act_from_line(
        &mut self,
        line: &Line,
        callout: CalloutId,
        request: ActOnCallout,
        now: Timestamp,
    ) -> Result<CalloutView> {
        let world = World::read(self.conn, now).await?;
        let by = officer(line, &world);
        self.act_as(world, by, callout, request, Cause { device: None, now }).await
    }

    /// Does what a responder says by telephone or SMS. Whoever asks for this has shown that it is them.
    ///
    /// # Errors
    /// `forbidden` for somebody who has left, `not_found` where they may not know of the callout, and what the engine
    /// refuses.
    pub(crate) async fn act_by_phone(
        &mut self,
        person: PersonId,
        callout: CalloutId,
        id: ActionId,
        action: Action,
        now: Timestamp,
    ) -> Result<CalloutView> {
        let world = World::read(self.conn, now).await?;
        let known = world.people.iter().find(|p| p.person == person).ok_or(ErrorCode::Forbidden)?;
        let by = Actor { person, org: world.host, role: known.role, host: true };
        self.act_as(world, by, callout, ActOnCallout { id, action }, Cause { device: None, now }).await
    }

    /// A callout of a line's, as its officer sees it; `None` for another line's.
    pub(crate) async fn view_from_line(
        &mut self,
        line: &Line,
        callout: CalloutId,
        now: Timestamp,
    ) -> Result<Option<CalloutView>> {
        line_view(self.conn, line, callout, now).await
    }
}

/// A callout of a line's, as its officer sees it; `None` for another line's.
///
/// # Errors
/// As [`World::read`].
pub(crate) async fn line_view(
    conn: &mut Conn,
    line: &Line,
    callout: CalloutId,
    now: Timestamp,
) -> Result<Option<CalloutView>> {
    let Some(callout) = load(conn, callout).await?.filter(|callout| callout.opened_by() == line.opener()) else {
        return Ok(None);
    };
    let world = World::read(conn, now).await?;
    Ok(firstlight_dispatch::view(&callout, officer(line, &world), &world.context()))
}
