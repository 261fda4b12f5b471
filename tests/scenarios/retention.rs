//! Messages are deleted when their time is over, and nothing else breaks by it.

use firstlight_protocol::{MessageId, RoomKind, mls::RoomContext};
use firstlight_server::delivery::retention::purge;
use firstlight_tests::inproc::{Cast, run};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn old_messages_go_and_the_room_goes_on() {
    run(async {
        let cast = Cast::with(|config| config.retention.advocate_days = 7).await;
        let (a, b) = tokio::join!(cast.advocate("Advocate 3"), cast.advocate("Advocate 4"));
        let (a, b) = (cast.member(a).await, cast.member(b).await);
        let context = RoomContext { kind: RoomKind::Advocate, org: cast.host.id, callout: None };
        let room = a.create_room(context, vec![b.device.id], cast.now()).await.unwrap();
        b.sync(cast.now()).await;
        for n in 0..40 {
            a.say(room, &format!("old {n}"), cast.now()).await;
        }
        // Commits since the last snapshot are what the room's public state is rebuilt from; make enough for a new one.
        for _ in 0..34 {
            let renewed = a
                .apply(|engine| engine.update(room, MessageId(firstlight_tests::world::random()), cast.now()))
                .unwrap();
            a.drive(renewed, cast.now()).await;
        }
        assert_eq!(purge(cast.server.app()).await.unwrap(), 0, "nothing is old yet");

        cast.server.advance(DAY * 8);
        a.say(room, "new", cast.now()).await;
        // The server does it by itself every hour; asking for it as well only says when it is done.
        purge(cast.server.app()).await.unwrap();
        let log = a.device.log(room, 0).await.unwrap();
        assert!(log.first > 40, "the log says where it begins: {}", log.first);
        assert_eq!(log.entries.first().unwrap().seq, log.first);
        assert!(
            a.device.log(room, u64::MAX).await.unwrap().entries.is_empty(),
            "no cursor leads before one's beginning"
        );
        let bodies = log.entries.iter().map(|e| e.seq).collect::<Vec<_>>();
        assert!(bodies.windows(2).all(|w| w[0] + 1 == w[1]), "gapless from there on");

        // A member that was away all that time comes back all the same.
        b.sync(cast.now()).await;
        b.say(room, "back", cast.now()).await;
        a.sync(cast.now()).await;
        assert_eq!(a.texts(room).last().map(String::as_str), Some("back"));
        assert!(!b.texts(room).iter().any(|text| text.starts_with("old")), "what is gone is gone");
    });
}
