//! Drills: real callouts that say what they are.

use super::{number, until_number};
use firstlight_protocol::{
    CalloutId, ErrorCode,
    api::{DrillList, DrillMoment, DrillReport, DrillState, DrillView, InboxItem, Notice, ScheduleDrill},
    callout::{Action, OpenCallout, Purpose, Tier},
    policy::Millis,
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{random, routing},
};
use std::time::Duration;

fn in_ten_minutes(cast: &Cast) -> ScheduleDrill {
    ScheduleDrill {
        id: CalloutId(random()),
        at: cast.now() + Duration::from_secs(600),
        ends_after_ms: Millis::minutes(60),
        routing: routing("north", cast.now()),
    }
}

async fn schedule(cast: &Cast, drill: &ScheduleDrill) -> Result<DrillView, ErrorCode> {
    cast.supervisor.post("/v1/drills", drill).await.map_err(|problem| problem.code)
}

async fn state(cast: &Cast, id: CalloutId) -> DrillView {
    let list: DrillList = cast.supervisor.get("/v1/drills").await.unwrap();
    list.drills.into_iter().find(|drill| drill.id == id).unwrap()
}

fn drill_page(item: &InboxItem) -> Option<CalloutId> {
    match item.notice {
        Notice::Page { callout, purpose: Purpose::Drill, .. } => Some(callout),
        _ => None,
    }
}

#[test]
fn a_scheduled_drill_runs_through_everything_and_is_reported() {
    run(async {
        let cast = Cast::new().await;
        let (mut primary, mut backup) = (cast.primary.connect().await, cast.backup.connect().await);
        let drill = in_ten_minutes(&cast);
        assert_eq!(schedule(&cast, &drill).await.unwrap().state, DrillState::Scheduled);
        assert_eq!(schedule(&cast, &drill).await.unwrap().state, DrillState::Scheduled, "the same request again");
        cast.minutes(9);
        assert!(cast.primary.pages(drill.id).await.is_empty());
        let before: DrillReport = cast.supervisor.get(format!("/v1/drills/{}/report", drill.id)).await.unwrap();
        assert!(before.state.is_none() && before.people.is_empty());

        cast.minutes(1);
        assert_eq!(primary.notice("a page that says drill", drill_page).await, drill.id);
        cast.minutes(3);
        assert_eq!(backup.notice("the backup's page", drill_page).await, drill.id);
        cast.seconds(20);
        let view = cast.backup.act(drill.id, Action::Accept { eta_minutes: 20 }).await.unwrap();
        assert_eq!(view.purpose, Purpose::Drill, "it says so to whoever looks");

        let report: DrillReport = cast.supervisor.get(format!("/v1/drills/{}/report", drill.id)).await.unwrap();
        assert_eq!(report.drill.state, DrillState::Running);
        let timing = |what| report.timings.iter().find(|timing| timing.what == what).unwrap();
        assert_eq!(timing(DrillMoment::FirstPage).after_ms, Some(Millis(0)));
        assert_eq!(timing(DrillMoment::Backup).after_ms, Some(Millis::minutes(3)));
        assert_eq!(timing(DrillMoment::Accepted).after_ms, Some(Millis::seconds(200)));
        assert!(report.timings.iter().all(|timing| timing.kept), "{:?}", report.timings);
        assert_eq!(report.silent, [cast.primary.person]);
        let backup = report.people.iter().find(|person| person.person == cast.backup.person).unwrap();
        assert_eq!((backup.tier, backup.answered_after_ms), (Some(Tier::Backup), Some(Millis::seconds(20))));
        assert!(backup.calls[0].failed.is_none() && backup.calls[0].handed_over_after_ms == Some(Millis(0)));

        // Nobody has to call it off.
        cast.minutes(60);
        until_number(&cast, "the drill's end", "SELECT count(*) FROM drills WHERE state = 'ended'", 1).await;
        assert!(!cast.supervisor.callout(drill.id).await.unwrap().state.is_open());
        assert_eq!(cast.server.app().runner.swept(), 0);
    });
}

#[test]
fn a_drill_that_was_taken_back_calls_nobody_and_a_restart_forgets_none() {
    run(async {
        let mut cast = Cast::new().await;
        let (gone, kept) = (in_ten_minutes(&cast), in_ten_minutes(&cast));
        schedule(&cast, &gone).await.unwrap();
        schedule(&cast, &kept).await.unwrap();
        let refused = cast.primary.delete(&format!("/v1/drills/{}", gone.id)).await;
        assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
        cast.supervisor.delete(&format!("/v1/drills/{}", gone.id)).await.unwrap();
        cast.server.restart(Duration::from_secs(20 * 60)).await;
        let mut primary = cast.primary.connect().await;
        assert_eq!(primary.notice("the drill that was kept", drill_page).await, kept.id);
        assert_eq!(state(&cast, gone.id).await.state, DrillState::Cancelled);
        let running = state(&cast, kept.id).await;
        assert_eq!((running.state, running.at), (DrillState::Running, cast.now()), "late, with its whole time");
        let late = cast.supervisor.delete(&format!("/v1/drills/{}", kept.id)).await.unwrap_err();
        assert_eq!(late.code, ErrorCode::WrongState);
    });
}

#[test]
fn one_that_was_opened_by_hand_is_listed_and_ends_too() {
    run(async {
        let cast = Cast::new().await;
        let id = CalloutId(random());
        let open = |purpose| OpenCallout { id, routing: routing("north", cast.now()), purpose };
        let refused = cast.supervisor.post::<serde_json::Value>("/v1/callouts", &open(Purpose::Canary)).await;
        assert_eq!(refused.unwrap_err().code, ErrorCode::InvalidValue, "a canary is the server's own");
        cast.supervisor.post::<serde_json::Value>("/v1/callouts", &open(Purpose::Drill)).await.unwrap();
        assert_eq!(state(&cast, id).await.state, DrillState::Running);
        cast.minutes(60);
        until_number(&cast, "the drill's end", "SELECT count(*) FROM drills WHERE state = 'ended'", 1).await;
    });
}

#[test]
fn what_can_not_be_scheduled_is_refused() {
    run(async {
        let cast = Cast::new().await;
        let good = in_ten_minutes(&cast);
        let day = Duration::from_secs(24 * 3600);
        for bad in [
            ScheduleDrill { at: cast.now() - Duration::from_secs(1), ..good.clone() },
            ScheduleDrill { at: cast.now() + 91 * day, ..good.clone() },
            ScheduleDrill { ends_after_ms: Millis::minutes(4), ..good.clone() },
            ScheduleDrill { ends_after_ms: Millis::minutes(241), ..good.clone() },
            ScheduleDrill {
                routing: firstlight_protocol::callout::Routing { wanted: 0, ..good.routing.clone() },
                ..good.clone()
            },
        ] {
            assert_eq!(schedule(&cast, &bad).await.unwrap_err(), ErrorCode::InvalidValue);
        }
        assert_eq!(number(&cast, "SELECT count(*) FROM drills").await, 0, "nothing was kept");
        for device in [&cast.primary, &cast.officer] {
            let refused = device.post::<DrillView>("/v1/drills", &good).await.unwrap_err();
            assert_eq!(refused.code, ErrorCode::Forbidden);
        }
        schedule(&cast, &good).await.unwrap();
        let other = ScheduleDrill { ends_after_ms: Millis::minutes(30), ..good };
        assert_eq!(schedule(&cast, &other).await.unwrap_err(), ErrorCode::Conflict);
    });
}
