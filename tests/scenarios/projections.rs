//! Everyone sees what their role allows (DOMAIN.md, "Who uses it").

use firstlight_protocol::{
    ErrorCode, OrgKind, Role,
    api::{CalloutList, Notice, Team, Timeline},
    callout::{Action, Event},
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::routing,
};

#[test]
fn police_see_who_is_coming_and_never_how_they_were_reached() {
    run(async {
        let cast = Cast::new().await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        cast.minutes(3);
        cast.backup.connect().await.page().await;
        cast.primary.act(opened.id, Action::Decline).await.unwrap();
        cast.backup.act(opened.id, Action::Accept { eta_minutes: 20 }).await.unwrap();

        let mut views = vec![cast.officer.callout(opened.id).await.unwrap()];
        let list: CalloutList = cast.officer.get("/v1/callouts").await.unwrap();
        views.extend(list.callouts);
        for item in cast.officer.inbox().await {
            match item.notice {
                Notice::Callout { view } => views.push(view),
                Notice::Alarm { alarm, .. } => assert!(alarm.reaches_police()),
                // A view that a newer one has replaced.
                Notice::Expired {} => {}
                other => panic!("not for police: {other:?}"),
            }
        }
        assert!(views.len() > 3);
        for view in views {
            assert_eq!((view.pages, view.timers, view.outcome), (None, None, None));
            assert!(
                view.responders.iter().all(|r| r.person == cast.backup.person),
                "who declined is nobody's business"
            );
            assert!(view.responders.iter().all(|r| r.tier.is_none() && r.speaks.is_none()));
            assert!(view.next_action.is_none_or(|next| next.person.is_none()));
            let internal = [Event::PageSent, Event::PageFailed, Event::Declined, Event::TierPaged, Event::StoodDown];
            assert!(view.timeline.iter().all(|entry| !internal.contains(&entry.event)));
            assert!(view.timeline.iter().all(|entry| entry.person != Some(cast.primary.person)));
        }
    });
}

#[test]
fn a_supervisor_sees_every_page_and_a_responder_their_own_part() {
    run(async {
        let cast = Cast::new().await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        let all = cast.supervisor.callout(opened.id).await.unwrap();
        assert_eq!(all.pages.unwrap().len(), 1);
        assert!(!all.timers.unwrap().is_empty());
        assert_eq!(all.responders.len(), 1);
        let timeline: Timeline = cast.supervisor.get(format!("/v1/callouts/{}/timeline", opened.id)).await.unwrap();
        assert!(timeline.entries.iter().any(|entry| entry.event == Event::TierPaged));

        let own = cast.primary.callout(opened.id).await.unwrap();
        assert_eq!((own.pages, own.timers), (None, None));
        assert!(own.routing.is_some() && own.your_state.is_some());
        let refused = cast.backup.callout(opened.id).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::NotFound, "whoever was not asked doesn't know of it");

        cast.backup.connect().await;
        cast.supervisor.act(opened.id, Action::Accept { eta_minutes: 30 }).await.unwrap();
        let own = cast.primary.callout(opened.id).await.unwrap();
        assert_eq!((own.routing, own.room, own.next_action), (None, None, None), "stood down: nothing more to know");
    });
}

#[test]
fn other_agencies_colleagues_and_admins_see_nothing() {
    run(async {
        let cast = Cast::new().await;
        let (others, chief) =
            cast.host.found_partner(OrgKind::LawEnforcement, "Police 2", &cast.admin, cast.now()).await.unwrap();
        let stranger = others.enrol(&chief, Role::WatchCommander, "Commander 2", cast.now()).await;
        let colleague = cast.police.enrol(&cast.chief, Role::PoliceOfficer, "Officer 2", cast.now()).await;
        let commander = cast.police.enrol(&cast.chief, Role::WatchCommander, "Commander 1", cast.now()).await;
        let caseworker = cast.host.enrol(&cast.admin, Role::Caseworker, "Caseworker 1", cast.now()).await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        for device in [&stranger, &colleague, &caseworker, &cast.admin, &cast.chief] {
            let refused = device.callout(opened.id).await.unwrap_err();
            assert_eq!(refused.code, ErrorCode::NotFound, "{}", device.work_name);
            let list: CalloutList = device.get("/v1/callouts").await.unwrap();
            assert!(list.callouts.is_empty());
            let refused = device.act(opened.id, Action::Accept { eta_minutes: 5 }).await.unwrap_err();
            assert_eq!(refused.code, ErrorCode::NotFound);
            assert!(
                device.inbox().await.iter().all(|i| !matches!(i.notice, Notice::Callout { .. } | Notice::Page { .. }))
            );
        }
        assert_eq!(commander.callout(opened.id).await.unwrap().id, opened.id, "the station's watch commander does");
        let team = commander.get::<Team>(format!("/v1/callouts/{}/team", opened.id)).await.unwrap_err();
        assert_eq!(team.code, ErrorCode::Forbidden);
    });
}
