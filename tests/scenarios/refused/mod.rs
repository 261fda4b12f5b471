//! What nobody may do: each a typed problem in a plain sentence, with nothing changed.

mod frames;
mod http;
mod identity;
mod messages;
mod slow;

use firstlight_protocol::callout::Action;
use firstlight_tests::{
    inproc::{Cast, run},
    world::routing,
};

#[test]
fn a_change_would_be_noticed() {
    run(async {
        let cast = Cast::new().await;
        let empty = cast.server.digest().await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        let open = cast.server.digest().await;
        for table in ["callouts", "callout_people", "outbox", "timers", "inbox_items"] {
            assert!(open.differs_in(&empty).contains(&table), "{table}");
        }
        cast.primary.act(opened.id, Action::Acknowledge).await.unwrap();
        assert!(cast.server.digest().await.differs_in(&open).contains(&"callouts"));
    });
}
