//! Rota and policy: replaced whole, by those who keep them, and never over somebody else's change.

use firstlight_protocol::{
    ErrorCode,
    api::{OnCallView, PolicyDocument, RotaDocument},
    policy::Millis,
    rota::Tier,
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{routing, shift},
};

#[test]
fn of_two_changes_to_one_version_one_wins() {
    run(async {
        let cast = Cast::new().await;
        let read: PolicyDocument = cast.supervisor.get("/v1/policy").await.unwrap();
        assert_eq!(read.version, 1);
        let mut shorter = read.clone();
        shorter.policy.timers.backup_after_ms = Millis::seconds(30);
        let mut longer = read;
        longer.policy.timers.backup_after_ms = Millis::seconds(90);
        let (a, b) = tokio::join!(
            cast.supervisor.put::<PolicyDocument>("/v1/policy", &shorter),
            cast.admin.put::<PolicyDocument>("/v1/policy", &longer),
        );
        let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
        assert_eq!(lost.unwrap_err().code, ErrorCode::Conflict);
        let now: PolicyDocument = cast.officer.get("/v1/policy").await.unwrap();
        assert_eq!((now.version, now.policy), (2, won.unwrap().policy));

        // The same for the rota; and the winner's request again is no conflict with itself.
        let rota: RotaDocument = cast.supervisor.get("/v1/rota").await.unwrap();
        let again: RotaDocument = cast.supervisor.put("/v1/rota", &rota).await.unwrap();
        assert_eq!(again.version, 2);
        cast.rota_is_told(2).await;
        let stale = RotaDocument { version: 0, ..rota };
        let stale = cast.admin.put::<RotaDocument>("/v1/rota", &stale);
        assert_eq!(cast.changes_nothing(stale).await.unwrap_err().code, ErrorCode::Conflict);
    });
}

#[test]
fn a_new_policy_holds_for_callouts_that_are_open() {
    run(async {
        let cast = Cast::new().await;
        let mut backup = cast.backup.connect().await;
        let mut document: PolicyDocument = cast.supervisor.get("/v1/policy").await.unwrap();
        document.policy.timers.backup_after_ms = Millis::seconds(30);
        cast.supervisor.put::<PolicyDocument>("/v1/policy", &document).await.unwrap();
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        cast.seconds(30);
        assert_eq!(backup.page().await.1, opened.id);
    });
}

#[test]
fn who_is_on_call_says_so() {
    run(async {
        let cast = Cast::new().await;
        let _socket = cast.primary.connect().await;
        let view: OnCallView = cast.supervisor.get("/v1/on-call").await.unwrap();
        let primary = &view.tiers[0];
        assert_eq!((primary.tier, primary.people.len()), (Tier::Primary, 1));
        assert_eq!(primary.people[0].person, cast.primary.person);
        assert_eq!(primary.people[0].connected, Some(true));
        assert_eq!(view.tiers[1].people[0].connected, Some(false));
        let view: OnCallView = cast.backup.get("/v1/on-call").await.unwrap();
        assert_eq!(view.tiers[0].people[0].connected, None, "only supervisors and admins see that");
        cast.officer.get::<OnCallView>("/v1/on-call").await.unwrap_err();
    });
}

#[test]
fn only_keepers_replace_and_only_with_what_makes_sense() {
    run(async {
        let cast = Cast::new().await;
        let rota: RotaDocument = cast.supervisor.get("/v1/rota").await.unwrap();
        for device in [&cast.primary, &cast.officer, &cast.chief] {
            let refused = cast.changes_nothing(device.put::<RotaDocument>("/v1/rota", &rota)).await.unwrap_err();
            assert_eq!(refused.code, ErrorCode::Forbidden);
        }
        let mut strange = rota.clone();
        strange.rota.tz = "Middle/Earth".into();
        let mut police = rota.clone();
        police.rota.shifts.push(shift(Tier::Primary, &cast.officer));
        let mut backwards = rota;
        backwards.rota.shifts[0].until = backwards.rota.shifts[0].from;
        for document in [strange, police, backwards] {
            let refused =
                cast.changes_nothing(cast.admin.put::<RotaDocument>("/v1/rota", &document)).await.unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidValue);
        }
        let mut policy: PolicyDocument = cast.supervisor.get("/v1/policy").await.unwrap();
        policy.policy.timers.repeat_every_ms = Millis(1);
        let refused = cast.changes_nothing(cast.admin.put::<PolicyDocument>("/v1/policy", &policy)).await.unwrap_err();
        assert!(refused.detail.unwrap().contains("repeat_every_ms"));
    });
}
