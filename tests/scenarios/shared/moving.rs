//! An installation moves from SQLite to PostgreSQL, and loses nothing.

use super::on_node;
use firstlight_protocol::{
    RoomKind,
    callout::{Action, CalloutState},
    mls::RoomContext,
};
use firstlight_server::{
    admin::{self, Output},
    config::DatabaseKind,
    store::Moved,
};
use firstlight_tests::{
    inproc::{Cast, fresh_database, run},
    world::routing,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Answer {
    tables: Moved,
    audit_entries: i64,
}

#[test]
fn a_callout_and_a_room_go_on_after_the_move_and_every_row_is_there() {
    run(async {
        let mut cast = Cast::new().await;
        if cast.server.app().store.is_shared() {
            return; // It has moved already.
        }
        let (a, b) = tokio::join!(cast.advocate("Advocate 3"), cast.advocate("Advocate 4"));
        let (a, b) = (cast.member(a).await, cast.member(b).await);
        let context = RoomContext { kind: RoomKind::Advocate, org: cast.host.id, callout: None };
        let room = a.create_room(context, vec![b.device.id], cast.now()).await.unwrap();
        b.sync(cast.now()).await;
        a.say(room, "before", cast.now()).await;
        let running = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        let before = cast.server.digest().await;

        let (url, data) = (fresh_database().await, cast.server.dir().join("data"));
        let mut moved = None;
        let operator = async |config: &firstlight_server::config::Config| {
            let mut out = Output { to: Vec::new(), json: true };
            admin::move_to_postgres(config, &mut out).await.unwrap();
            moved = Some(serde_json::from_slice::<Answer>(&out.to).unwrap());
            let twice = admin::move_to_postgres(config, &mut out).await.unwrap_err().to_string();
            assert!(twice.contains("not empty"), "{twice}");
        };
        cast.server.reconfigure(|config| on_node(config, &url, &data), operator).await;
        let moved = moved.unwrap();
        assert!(cast.server.app().store.is_shared());
        assert_eq!((moved.tables["callouts"], moved.tables["rooms"]), (1, 1));
        assert!(moved.audit_entries > 10 && moved.tables["entries"] > 0 && moved.tables["devices"] > 5);
        assert_eq!(cast.server.digest().await.differs_in(&before), Vec::<&str>::new());

        // Nobody signs in anew, the timer goes on, the log goes on, and new rows find their numbers.
        let mut backup = cast.backup.connect().await;
        cast.minutes(4);
        assert_eq!(backup.page().await.1, running.id);
        let view = cast.backup.act(running.id, Action::Accept { eta_minutes: 20 }).await.unwrap();
        assert_eq!(view.state, CalloutState::Accepted);
        b.say(room, "after", cast.now()).await;
        a.sync(cast.now()).await;
        assert_eq!(a.texts(room), ["before", "after"]);
        let context = RoomContext { kind: RoomKind::Advocate, org: cast.host.id, callout: None };
        a.create_room(context, vec![], cast.now()).await.unwrap();

        // With keys of its own a node would sign out everybody, and hear nobody on the bus.
        let stranger = tempfile::tempdir().unwrap();
        let refused = firstlight_server::serve::serve(
            {
                let mut config = firstlight_server::config::Config {
                    data_dir: stranger.path().join("data"),
                    listen: "127.0.0.1:0".parse().unwrap(),
                    ..Default::default()
                };
                on_node(&mut config, &url, stranger.path());
                assert_eq!(config.database.kind, DatabaseKind::Postgres);
                config
            },
            firstlight_server::clock::Clock::System,
        );
        let refused = refused.await.unwrap_err().to_string();
        assert!(refused.contains("the keys of this node"), "{refused}");
    });
}
