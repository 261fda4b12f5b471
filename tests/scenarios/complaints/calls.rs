//! Who is called, how often, and when that ends.

use firstlight_protocol::{
    api::{InboxItem, Notice},
    callout::{Action, Routing, Tier},
};
use firstlight_server::store::sql;
use firstlight_tests::{
    inproc::{Cast, run},
    world::{routing, shift},
};

fn stood_down(item: &InboxItem) -> Option<()> {
    matches!(item.notice, Notice::StandDown { .. }).then_some(())
}

#[test]
fn a_tier_with_nobody_on_call_does_not_wait_its_delay() {
    run(async {
        let cast = Cast::new().await;
        cast.put_rota(1, vec![shift(Tier::Supervisor, &cast.supervisor)]).await;
        let mut supervisor = cast.supervisor.connect().await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        assert_eq!(supervisor.page().await.1, opened.id, "two empty tiers took not a second of virtual time");
    });
}

#[test]
fn one_call_is_not_followed_by_half_an_hour_of_silence() {
    run(async {
        let cast = Cast::new().await;
        let mut primary = cast.primary.connect().await;
        cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        primary.page().await;
        for attempt in 2..=10 {
            cast.minutes(1);
            assert_eq!(primary.page().await.2, attempt);
        }
        // Everyone has been called: from then on in rounds of three minutes, without end.
        for attempt in 11..=17 {
            cast.minutes(4);
            assert_eq!(primary.page().await.2, attempt);
        }
    });
}

#[test]
fn nobody_is_paged_after_they_have_answered() {
    run(async {
        let cast = Cast::new().await;
        let on_duty = vec![shift(Tier::Primary, &cast.primary), shift(Tier::Primary, &cast.backup)];
        cast.put_rota(1, on_duty).await;
        let (mut accepts, mut declines) = (cast.primary.connect().await, cast.backup.connect().await);
        let wanted = Routing { wanted: 2, ..routing("north", cast.now()) };
        let opened = cast.officer.open_callout(wanted).await.unwrap();
        accepts.page().await;
        declines.page().await;
        cast.primary.act(opened.id, Action::Accept { eta_minutes: 50 }).await.unwrap();
        cast.backup.act(opened.id, Action::Decline).await.unwrap();
        // One more is still wanted, so the calls to everybody else go on.
        let mut supervisor = cast.supervisor.connect().await;
        supervisor.page().await;
        for _ in 0..20 {
            cast.minutes(3);
            supervisor.page().await;
        }
        assert_eq!(cast.primary.pages(opened.id).await, [1], "after accepting");
        assert_eq!(cast.backup.pages(opened.id).await, [1], "after declining");
    });
}

#[test]
fn an_acknowledgement_stops_the_calls_to_nobody_else() {
    run(async {
        let cast = Cast::new().await;
        let on_duty = vec![shift(Tier::Primary, &cast.primary), shift(Tier::Primary, &cast.backup)];
        cast.put_rota(1, on_duty).await;
        let (mut awake, mut silent) = (cast.primary.connect().await, cast.backup.connect().await);
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        awake.page().await;
        silent.page().await;
        cast.primary.act(opened.id, Action::Acknowledge).await.unwrap();
        for attempt in 2..=3 {
            cast.minutes(1);
            assert_eq!(silent.page().await.2, attempt, "the other one is called as before");
        }
        cast.backup.act(opened.id, Action::Accept { eta_minutes: 20 }).await.unwrap();
        awake.notice("standing down", stood_down).await;
    });
}

#[test]
fn a_colleague_who_has_left_gets_no_dispatches() {
    run(async {
        let cast = Cast::new().await;
        let mut backup = cast.backup.connect().await;
        let left = cast.primary.connect().await;
        cast.host.revoke(&cast.admin, &[cast.primary.id], cast.now()).await.unwrap();
        left.closed().await;
        // They still stand in the rota: that must not cost time, nor tell them anything.
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        assert_eq!(backup.page().await.1, opened.id, "the next tier at once");
        let told: i64 = sql::query_scalar("SELECT count(*) FROM outbox WHERE person = $1")
            .bind(cast.primary.person.as_bytes().to_vec())
            .fetch_one(cast.server.app().store.read())
            .await
            .unwrap();
        assert_eq!(told, 0);
    });
}
