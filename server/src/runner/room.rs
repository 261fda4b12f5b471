//! The callout's room follows the callout: whoever is not needed any more gets nothing from it from that moment on, and
//! the members who stay are asked to remove them.

use super::world::World;
use crate::{Result, store::Tx};
use firstlight_dispatch::{Callout, room_people};
use firstlight_protocol::{DeviceId, PersonId, RoomId, Timestamp, api::Notice};

impl Tx<'_> {
    /// After a step: if it changed who belongs in the room.
    pub(super) async fn tend_room(
        &mut self,
        world: &World,
        before: Option<&Callout>,
        after: &Callout,
        now: Timestamp,
    ) -> Result<()> {
        let Some(room) = after.room() else { return Ok(()) };
        let ctx = world.context();
        let belong = room_people(after, &ctx);
        if before.is_some_and(|before| before.room() == after.room() && room_people(before, &ctx) == belong) {
            return Ok(());
        }
        self.part(world, room, &belong, now).await?;
        let mut back = self.responders_in(world, room, |person| belong.contains(&person)).await?;
        // A revoked device stays out, whatever its holder does with another one.
        back.retain(|device| world.people.iter().any(|person| person.devices.contains(device)));
        if back.is_empty() { Ok(()) } else { self.resume_members(room, &back).await }
    }

    /// After members were added to a room: a commit may have been on its way while somebody was stood down.
    pub(crate) async fn tend_added(&mut self, room: RoomId, now: Timestamp) -> Result<()> {
        let Some(callout) = self.callout_of_room(room).await? else { return Ok(()) };
        let world = World::read(self.conn, now).await?;
        let belong = room_people(&callout, &world.context());
        self.part(&world, room, &belong, now).await
    }

    /// Suspends the responders who don't belong, and asks the others to remove them.
    async fn part(&mut self, world: &World, room: RoomId, belong: &[PersonId], now: Timestamp) -> Result<()> {
        let leave = self.responders_in(world, room, |person| !belong.contains(&person)).await?;
        if leave.is_empty() {
            return Ok(());
        }
        self.suspend_members(room, &leave).await?;
        let members = self.room_members(room).await?;
        let stay: Vec<_> = members.into_iter().map(|(device, _)| device).filter(|d| !leave.contains(d)).collect();
        self.push_all(&stay, now, &Notice::RemoveFromRoom { room, devices: leave }).await
    }

    /// Member devices of people who answer callouts. Dispatch has put them there, so dispatch may take them out; what
    /// others do in the room (the agency, an interpreter) is the members' own affair.
    async fn responders_in(
        &mut self,
        world: &World,
        room: RoomId,
        which: impl Fn(PersonId) -> bool,
    ) -> Result<Vec<DeviceId>> {
        let members = self.room_members(room).await?;
        let answers = |person| world.people.iter().any(|p| p.person == person);
        Ok(members.into_iter().filter(|(_, p)| answers(*p) && which(*p)).map(|(device, _)| device).collect())
    }
}
