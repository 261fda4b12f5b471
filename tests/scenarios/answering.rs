//! Accepting, dropping out, merging, calling off.

use firstlight_protocol::{
    ErrorCode,
    api::{InboxItem, Notice},
    callout::{Action, CalloutState, CancelReason, ResponderState, Routing, Support, Tier},
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{routing, shift},
};

fn stood_down(item: &InboxItem) -> Option<firstlight_protocol::CalloutId> {
    match item.notice {
        Notice::StandDown { callout } => Some(callout),
        _ => None,
    }
}

#[test]
fn simultaneous_accepts_fill_exactly_what_is_wanted() {
    run(async {
        let cast = Cast::new().await;
        let (third, fourth) = tokio::join!(cast.advocate("Advocate 3"), cast.advocate("Advocate 4"));
        let on_duty = [&cast.primary, &cast.backup, &third, &fourth];
        cast.put_rota(1, on_duty.iter().map(|device| shift(Tier::Primary, device)).collect()).await;
        let mut silent = fourth.connect().await;
        let wanted = Routing { wanted: 2, ..routing("north", cast.now()) };
        let opened = cast.officer.open_callout(wanted).await.unwrap();
        silent.page().await;

        let accept = || Action::Accept { eta_minutes: 20 };
        let (a, b, c) = tokio::join!(
            cast.primary.act(opened.id, accept()),
            cast.backup.act(opened.id, accept()),
            third.act(opened.id, accept()),
        );
        let refused: Vec<_> = [&a, &b, &c].into_iter().filter_map(|r| r.as_ref().err()).collect();
        assert_eq!(refused.len(), 1, "{a:?} {b:?} {c:?}");
        assert_eq!(refused[0].code, ErrorCode::AlreadyFilled);
        assert_eq!(silent.notice("standing down", stood_down).await, opened.id);

        let view = cast.officer.callout(opened.id).await.unwrap();
        assert_eq!((view.state, view.accepted, view.responders.len()), (CalloutState::Accepted, 2, 2));
        let all = cast.supervisor.callout(opened.id).await.unwrap();
        let down = all.responders.iter().filter(|r| r.state == ResponderState::StoodDown).count();
        assert_eq!((all.responders.len(), down), (4, 2), "the loser of the race and the one who was silent");
    });
}

#[test]
fn dropping_out_opens_the_paging_again() {
    run(async {
        let cast = Cast::new().await;
        cast.put_rota(1, vec![shift(Tier::Primary, &cast.primary), shift(Tier::Primary, &cast.backup)]).await;
        let (mut officer, mut other) = (cast.officer.connect().await, cast.backup.connect().await);
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        assert_eq!(other.page().await.2, 1);
        cast.primary.act(opened.id, Action::Accept { eta_minutes: 20 }).await.unwrap();
        other.notice("standing down", stood_down).await;
        officer.view("somebody going", |view| view.state == CalloutState::Accepted).await;

        let view = cast.primary.act(opened.id, Action::Decline).await.unwrap();
        assert_eq!((view.state, view.your_state), (CalloutState::Paging, Some(ResponderState::Withdrew)));
        assert_eq!(other.page().await.2, 2, "at once");
        officer.view("paging again", |view| view.state == CalloutState::Paging).await;
        cast.backup.act(opened.id, Action::Accept { eta_minutes: 40 }).await.unwrap();
        let view = officer.view("somebody else going", |view| view.state == CalloutState::Accepted).await;
        assert_eq!(view.responders.len(), 1);
        assert_eq!(view.responders[0].person, cast.backup.person);
    });
}

#[test]
fn a_likely_duplicate_is_offered_and_merged_never_blocked() {
    run(async {
        let cast = Cast::new().await;
        let colleague =
            cast.police.enrol(&cast.chief, firstlight_protocol::Role::WatchCommander, "Commander 1", cast.now()).await;
        let first = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        cast.minutes(10);
        let second = colleague.open_callout(routing("north", cast.now())).await.unwrap();
        assert_eq!(second.state, CalloutState::Paging, "offering never blocks");
        assert_eq!(second.possible_duplicates, [first.id]);
        let elsewhere = colleague.open_callout(routing("south", cast.now())).await.unwrap();
        assert!(elsewhere.possible_duplicates.is_empty());

        let merged = colleague.act(second.id, Action::Merge { into: first.id }).await.unwrap();
        assert_eq!((merged.state, merged.merged_into), (CalloutState::Merged, Some(first.id)));
        let downs: Vec<_> = cast.primary.inbox().await.iter().filter_map(stood_down).collect();
        assert_eq!(downs, [second.id]);
        assert!(cast.officer.callout(first.id).await.unwrap().state.is_open());

        cast.minutes(31);
        let later = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        assert!(!later.possible_duplicates.contains(&first.id), "half an hour is the limit");
    });
}

#[test]
fn calling_off_stands_everybody_down() {
    run(async {
        let cast = Cast::new().await;
        let mut primary = cast.primary.connect().await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        primary.page().await;
        let cancel = Action::Cancel { reason: CancelReason::NotNeeded };
        let view = cast.officer.act(opened.id, cancel).await.unwrap();
        assert_eq!((view.state, view.next_action), (CalloutState::Cancelled, None));
        assert_eq!(primary.notice("standing down", stood_down).await, opened.id);
        let late = cast.primary.act(opened.id, Action::Accept { eta_minutes: 5 }).await.unwrap_err();
        assert_eq!(late.code, ErrorCode::WrongState);
    });
}

#[test]
fn a_callout_goes_to_its_end_and_is_reviewed() {
    run(async {
        let cast = Cast::new().await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        let id = opened.id;
        for (action, state) in [
            (Action::Accept { eta_minutes: 35 }, CalloutState::Accepted),
            (Action::EnRoute, CalloutState::EnRoute),
            (Action::Arrived, CalloutState::Arrived),
            (Action::WithYoungPerson, CalloutState::WithYoungPerson),
            (Action::HandOver, CalloutState::HandedOver),
            (Action::Close { reasons: vec![], support: Support::Accepted, kits_given: 1 }, CalloutState::Closed),
        ] {
            cast.minutes(1);
            assert_eq!(cast.primary.act(id, action).await.unwrap().state, state);
            assert_eq!(cast.officer.callout(id).await.unwrap().state, state, "the officer sees it");
        }
        let mut supervisor = cast.supervisor.connect().await;
        cast.minutes(24 * 60);
        let unreviewed = |item: &InboxItem| match item.notice {
            Notice::Alarm { alarm, .. } => (alarm == firstlight_protocol::callout::Alarm::ReviewOverdue).then_some(()),
            _ => None,
        };
        supervisor.notice("the missing review", unreviewed).await;
        let review = Action::Review { reasons: vec![], welfare: firstlight_protocol::callout::Welfare::Well };
        assert_eq!(cast.supervisor.act(id, review).await.unwrap().state, CalloutState::Reviewed);
    });
}
