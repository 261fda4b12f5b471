//! Messages are deleted when their time is over, and nothing else breaks by it.

use firstlight_protocol::{
    CalloutId, MessageId, RoomId, RoomKind,
    callout::{Action, CancelReason},
    mls::RoomContext,
};
use firstlight_server::{
    admin::{self, Outcome, Output},
    retention::{Subject, purge},
    store::sql,
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{Member, routing},
};
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

/// What the operator's `hold` does with this server's database.
async fn hold(cast: &Cast, add: bool, subject: Subject) {
    let (config, now) = (&cast.server.app().config, cast.now());
    let (reason, mut out) = ("court-order".parse().unwrap(), Output { to: Vec::new(), json: true });
    let done = if add {
        admin::add_hold(config, subject, reason, now, &mut out).await
    } else {
        admin::release_hold(config, subject, reason, now, &mut out).await
    };
    assert_eq!(done.unwrap(), Outcome::Good);
}

/// A callout that was answered, had a room and was closed.
async fn ended(cast: &Cast, officer: &Member, zone: &str) -> (CalloutId, RoomId) {
    let callout = officer.device.open_callout(routing(zone, cast.now())).await.unwrap().id;
    let context = RoomContext { kind: RoomKind::Callout, org: cast.host.id, callout: Some(callout) };
    let room = officer.create_room(context, vec![], cast.now()).await.unwrap();
    officer.say(room, "said", cast.now()).await;
    cast.primary.act(callout, Action::Accept { eta_minutes: 20 }).await.unwrap();
    let over = Action::Cancel { reason: CancelReason::Mistake };
    cast.supervisor.act(callout, over).await.unwrap();
    (callout, room)
}

/// Rows that say anything of a callout, but for its figures.
async fn rows_of(cast: &Cast, callout: CalloutId, room: RoomId) -> i64 {
    sql::query_scalar(
        "SELECT (SELECT count(*) FROM callouts WHERE callout = $1) + (SELECT count(*) FROM outbox WHERE callout = $1)
            + (SELECT count(*) FROM callout_people WHERE callout = $1)
            + (SELECT count(*) FROM inbox_items WHERE shows = $1)
            + (SELECT count(*) FROM rooms WHERE callout = $1) + (SELECT count(*) FROM room_members WHERE room = $2)
            + (SELECT count(*) FROM entries JOIN rooms ON rooms.n = entries.room WHERE rooms.room = $2)",
    )
    .bind(callout.as_bytes())
    .bind(room.as_bytes())
    .fetch_one(cast.server.app().store.read())
    .await
    .unwrap()
}

#[test]
fn what_ended_long_ago_is_reduced_to_figures_unless_it_is_held() {
    run(async {
        let cast = Cast::new().await;
        let officer = cast.member(cast.another_officer("Officer 2").await).await;
        let (due, due_room) = ended(&cast, &officer, "north").await;
        let (held, held_room) = ended(&cast, &officer, "south").await;
        let (by_room, its_room) = ended(&cast, &officer, "east").await;
        let open = cast.officer.open_callout(routing("west", cast.now())).await.unwrap().id;
        purge(cast.server.app()).await.unwrap();
        let (all, others) = (rows_of(&cast, held, held_room).await, rows_of(&cast, by_room, its_room).await);
        assert!(all > 6 && others > 6, "{all} {others}");

        // While the server runs, and the server's own entries go on behind it.
        hold(&cast, true, Subject::Callout(held)).await;
        hold(&cast, true, Subject::Room(its_room)).await;
        let nobody = Subject::Callout(CalloutId([7; 16]));
        let mut out = Output { to: Vec::new(), json: true };
        let config = &cast.server.app().config;
        let typo = admin::add_hold(config, nobody, "typo".parse().unwrap(), cast.now(), &mut out).await.unwrap_err();
        assert!(typo.to_string().contains("is the id right"), "{typo}");
        cast.server.advance(DAY * 366);
        purge(cast.server.app()).await.unwrap();

        assert_eq!(rows_of(&cast, due, due_room).await, 0);
        assert!(cast.supervisor.callout(due).await.is_err());
        let figures: i64 = sql::query_scalar("SELECT count(*) FROM callout_facts WHERE callout = $1")
            .bind(due.as_bytes())
            .fetch_one(cast.server.app().store.read())
            .await
            .unwrap();
        assert_eq!(figures, 1, "figures stay");
        for (callout, room, all) in [(held, held_room, all), (by_room, its_room, others)] {
            assert_eq!(rows_of(&cast, callout, room).await, all, "nothing of what is held is gone");
            assert!(cast.supervisor.callout(callout).await.is_ok());
            assert_eq!(officer.device.log(room, 0).await.unwrap().entries.len(), 1, "its log as well");
        }
        assert!(cast.supervisor.callout(open).await.is_ok(), "whatever is open stays");
        // The client of a member takes it in, and asks no more for the room.
        officer.sync(cast.now()).await;
        assert!(officer.device.log(due_room, 0).await.is_err());
        let stale: i64 =
            sql::query_scalar("SELECT count(*) FROM invites").fetch_one(cast.server.app().store.read()).await.unwrap();
        assert_eq!(stale, 0, "invites that are over have gone, with what was answered to them");

        hold(&cast, false, Subject::Callout(held)).await;
        hold(&cast, false, Subject::Room(its_room)).await;
        purge(cast.server.app()).await.unwrap();
        assert_eq!(rows_of(&cast, held, held_room).await + rows_of(&cast, by_room, its_room).await, 0);
        assert_eq!(purge(cast.server.app()).await.unwrap(), 0, "there is nothing more to do");
        assert_eq!(cast.server.app().store.holds().await.unwrap(), []);

        let audit = cast.server.app().store.audit_entries(0, 10_000).await.unwrap();
        let words: Vec<_> = audit.iter().filter(|e| e.action.starts_with("hold.")).map(|e| e.action.as_str()).collect();
        assert_eq!(words, ["hold.add", "hold.add", "hold.release", "hold.release"]);
        assert_eq!(cast.server.app().store.audit_verify().await.unwrap().broken_at, None);
        if !cast.server.app().store.is_shared() {
            cast.server.app().store.check_integrity().await.unwrap();
        }
    });
}
