//! What the delivery service tells dispatch about callouts' rooms, inside its own transactions.

use crate::{
    Result,
    caller::Caller,
    runner::{Cause, World, load_callout},
    store::Tx,
};
use firstlight_dispatch::{Input, view};
use firstlight_protocol::{CalloutId, ErrorCode, Problem, RoomId, Timestamp};

/// A room was created for a callout: by whoever opened it or a supervisor of the host, and only one ever.
///
/// # Errors
/// `not_found` where the caller may not know of the callout, `forbidden` for others who may, `conflict` where it has
/// another room. The room's transaction fails with it.
pub(crate) async fn room_created(
    tx: &mut Tx<'_>,
    callout: CalloutId,
    room: RoomId,
    by: &Caller,
    now: Timestamp,
) -> Result<()> {
    let existing = load_callout(tx.conn, callout).await?.ok_or(ErrorCode::NotFound)?;
    let world = World::read(tx.conn, now).await?;
    let actor = world.actor(by);
    view(&existing, actor, &world.context()).ok_or(ErrorCode::NotFound)?;
    if existing.opened_by() != by.person && !actor.supervises() {
        return Err(ErrorCode::Forbidden.into());
    }
    if !existing.is_open() {
        let detail = format!("The callout is {}: it gets no room any more.", existing.state());
        return Err(Problem::with(ErrorCode::WrongState, detail).into());
    }
    tx.step_callout(callout, Input::RoomLinked { room }, Cause { device: Some(by.device), now }).await
}

/// Members were added to a room. If it is a callout's, those who are not needed (any more) are taken out again.
pub(crate) async fn members_added(tx: &mut Tx<'_>, room: RoomId, now: Timestamp) -> Result<()> {
    tx.tend_added(room, now).await
}
