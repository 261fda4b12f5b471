//! The callout's room follows the callout.

use super::*;
use crate::callouts::{members_added, room_created};
use crate::store::sql;
use firstlight_protocol::{
    ErrorCode, RoomId,
    callout::{CancelReason, Event},
};

const ROOM: RoomId = RoomId([7; 16]);

impl House {
    async fn link(&self, caller: Caller, room: RoomId) -> Result<()> {
        let now = self.app().clock.now();
        self.app()
            .store
            .write(move |tx| Box::pin(async move { room_created(tx, CALLOUT, room, &caller, now).await }))
            .await
    }

    /// What the delivery service does when a commit adds members.
    async fn join(&self, callers: Vec<Caller>) {
        let now = self.app().clock.now();
        self.app()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    for (leaf, caller) in (1i64..).zip(&callers) {
                        sql::query(
                            "INSERT INTO room_members (room, device, person, leaf, joined_seq) VALUES ($1, $2, $3, $4, 0)",
                        )
                        .bind(ROOM.as_bytes())
                        .bind(caller.device.as_bytes())
                        .bind(caller.person.as_bytes())
                        .bind(leaf)
                        .execute(&mut *tx.conn)
                        .await?;
                    }
                    members_added(tx, ROOM, now).await
                })
            })
            .await
            .unwrap();
    }

    async fn suspended(&self) -> Vec<DeviceId> {
        let rows = sql::query("SELECT device FROM room_members WHERE suspended = 1 ORDER BY device")
            .fetch_all(self.app().store.read())
            .await
            .unwrap();
        rows.iter().map(|row| DeviceId::try_from(row.get::<Vec<u8>>("device").as_slice()).unwrap()).collect()
    }
}

fn to_remove(notices: &[Notice]) -> Option<Vec<DeviceId>> {
    notices.iter().rev().find_map(|n| match n {
        Notice::RemoveFromRoom { room: ROOM, devices } => Some(devices.clone()),
        _ => None,
    })
}

#[tokio::test]
async fn one_room_by_whoever_opened_the_callout() {
    let house = House::new().await;
    assert_eq!(code(house.link(officer(), ROOM).await), ErrorCode::NotFound);
    house.open(&officer(), request(&house)).await.unwrap();
    assert_eq!(code(house.link(stranger(), ROOM).await), ErrorCode::NotFound);
    for caller in [commander(), primary()] {
        assert_eq!(code(house.link(caller, ROOM).await), ErrorCode::Forbidden);
    }
    let first = house.phone(&primary());
    house.link(officer(), ROOM).await.unwrap();
    house.link(officer(), ROOM).await.unwrap();
    assert_eq!(code(house.link(supervisor(), RoomId([8; 16])).await), ErrorCode::Conflict);
    let view = first.view(|v| v.room == Some(ROOM)).await;
    assert!(view.timeline.iter().any(|entry| entry.event == Event::RoomLinked));
    house.act(&officer(), 1, Action::Cancel { reason: CancelReason::Mistake }).await.unwrap();
    assert_eq!(code(house.link(officer(), ROOM).await), ErrorCode::WrongState);
}

#[tokio::test]
async fn whoever_is_not_needed_gets_nothing_more_from_it() {
    let house = House::new().await;
    let (police, first) = (house.phone(&officer()), house.phone(&primary()));
    house.open(&officer(), request(&house)).await.unwrap();
    house.link(officer(), ROOM).await.unwrap();
    house.join(vec![officer(), primary(), backup(), supervisor(), commander()]).await;
    assert!(house.suspended().await.is_empty());

    house.act(&primary(), 1, Action::Accept { eta_minutes: 10 }).await.unwrap();
    assert_eq!(house.suspended().await, [backup().device]);
    assert_eq!(police.until(to_remove).await, [backup().device]);
    assert_eq!(first.until(to_remove).await, [backup().device]);
    assert_eq!(to_remove(&house.phone(&backup()).notices().await), None);
    assert_eq!(code(house.app().store.require_member(ROOM, backup().device).await), ErrorCode::NotAMember);

    // A commit that was on its way brings somebody who is not needed any more.
    house.join(vec![reserve()]).await;
    assert_eq!(house.suspended().await, [backup().device, reserve().device]);

    // The one who accepted can't come after all: everybody is needed again, except for them.
    house.act(&primary(), 2, Action::Decline).await.unwrap();
    assert_eq!(house.suspended().await, [primary().device]);
    house.app().store.require_member(ROOM, backup().device).await.unwrap();
    assert_eq!(police.until(|n| to_remove(n).filter(|d| *d == [primary().device])).await, [primary().device]);

    house.act(&officer(), 3, Action::Cancel { reason: CancelReason::NotNeeded }).await.unwrap();
    let gone = [primary().device, backup().device, reserve().device, supervisor().device];
    assert_eq!(house.suspended().await, gone);
    assert_eq!(police.until(|n| to_remove(n).filter(|d| d.len() == 4)).await, gone);
}
