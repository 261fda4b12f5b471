//! Who is called when nobody answers, in virtual time.

use firstlight_protocol::{
    api::{InboxItem, Notice},
    callout::{Action, Alarm, CalloutState, ResponderState, Tier},
};
use firstlight_tests::{
    inproc::{Cast, DUTY_NUMBER, run},
    world::{routing, shift},
};

fn alarm(wanted: Alarm) -> impl FnMut(&InboxItem) -> Option<()> {
    move |item| matches!(item.notice, Notice::Alarm { alarm, .. } if alarm == wanted).then_some(())
}

#[test]
fn nobody_answers_until_everyone_is_called_and_the_officer_is_told_a_number() {
    run(async {
        let cast = Cast::new().await;
        let off_duty = cast.advocate("Advocate 3").await;
        let mut officer = cast.officer.connect().await;
        let mut primary = cast.primary.connect().await;
        let mut backup = cast.backup.connect().await;
        let mut supervisor = cast.supervisor.connect().await;
        let mut everyone = off_duty.connect().await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        let id = opened.id;
        assert_eq!(primary.page().await.2, 1);

        for attempt in 2..=3 {
            cast.minutes(1);
            assert_eq!(primary.page().await.2, attempt, "called again every minute");
        }
        assert!(cast.backup.pages(id).await.is_empty(), "not before three minutes");
        cast.minutes(1);
        assert_eq!((primary.page().await.2, backup.page().await.2), (4, 1));

        cast.minutes(1);
        assert_eq!((primary.page().await.2, backup.page().await.2), (5, 2), "both go on being called");
        cast.minutes(1);
        assert_eq!((primary.page().await.2, backup.page().await.2), (6, 3));
        assert!(cast.supervisor.pages(id).await.is_empty(), "not before six minutes");
        cast.minutes(1);
        assert_eq!(supervisor.page().await.2, 1);

        cast.minutes(3);
        assert_eq!(supervisor.page().await.2, 2);
        assert!(off_duty.pages(id).await.is_empty(), "not before ten minutes");
        cast.minutes(1);
        assert_eq!(everyone.page().await.2, 1);
        officer.notice("the alarm", alarm(Alarm::Unanswered)).await;
        let view = officer.view("the unanswered callout", |view| view.state == CalloutState::Unanswered).await;
        assert_eq!(view.duty_number.to_string(), DUTY_NUMBER);
        assert!(view.next_action.is_some(), "never without a next action");

        // Unanswered is not the end: the first who accepts is still going.
        off_duty.act(id, Action::Accept { eta_minutes: 50 }).await.unwrap();
        let view = officer.view("somebody going", |view| view.state == CalloutState::Accepted).await;
        assert_eq!(view.responders[0].work_name.as_deref(), Some("Advocate 3"));
    });
}

#[test]
fn an_empty_tier_costs_no_time() {
    run(async {
        let cast = Cast::new().await;
        cast.put_rota(1, vec![shift(Tier::Backup, &cast.backup), shift(Tier::Supervisor, &cast.supervisor)]).await;
        let (mut backup, mut supervisor) = (cast.backup.connect().await, cast.supervisor.connect().await);
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        assert_eq!(backup.page().await.1, opened.id, "without a second of virtual time");
        supervisor.notice("the gap", alarm(Alarm::EmptyTier { tier: Tier::Primary })).await;
        assert!(cast.primary.pages(opened.id).await.is_empty());
    });
}

#[test]
fn acknowledged_is_not_accepted() {
    run(async {
        let cast = Cast::new().await;
        let mut officer = cast.officer.connect().await;
        let mut primary = cast.primary.connect().await;
        let mut backup = cast.backup.connect().await;
        let mut supervisor = cast.supervisor.connect().await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        primary.page().await;
        let view = cast.primary.act(opened.id, Action::Acknowledge).await.unwrap();
        assert_eq!((view.state, view.acknowledged, view.accepted), (CalloutState::Acknowledged, 1, 0));
        officer.view("somebody awake", |view| view.state == CalloutState::Acknowledged).await;

        // The escalation clock goes on, and so do the calls once the grace is over.
        cast.minutes(2);
        assert_eq!(primary.page().await.2, 2);
        cast.minutes(1);
        backup.page().await;
        let view = cast.backup.act(opened.id, Action::Accept { eta_minutes: 30 }).await.unwrap();
        assert_eq!(view.your_state, Some(ResponderState::Accepted));
        let going = officer.view("somebody going", |view| view.state == CalloutState::Accepted).await;
        let eta = going.responders[0].eta_at.unwrap();
        assert_eq!(eta, cast.now() + std::time::Duration::from_secs(30 * 60));

        let stood_down = |item: &InboxItem| matches!(item.notice, Notice::StandDown { .. }).then_some(());
        primary.notice("standing down", stood_down).await;
        let calls = cast.primary.pages(opened.id).await.len();
        cast.minutes(15);
        supervisor
            .notice("half of the ETA without movement", alarm(Alarm::NoMovement { person: cast.backup.person }))
            .await;
        assert_eq!(cast.primary.pages(opened.id).await.len(), calls, "nobody is called after standing down");
        assert_eq!(cast.supervisor.pages(opened.id).await.len(), 0, "filled before the supervisor's turn");
    });
}

#[test]
fn declining_moves_on_at_once() {
    run(async {
        let cast = Cast::new().await;
        let mut backup = cast.backup.connect().await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        cast.primary.act(opened.id, Action::Decline).await.unwrap();
        assert_eq!(backup.page().await.1, opened.id, "the tier has nobody left who could answer");
    });
}
