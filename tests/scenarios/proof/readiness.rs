//! People on duty prove that a page would reach them, and supervisors see who has not.

use super::{number, until_number};
use firstlight_protocol::{
    CheckId, ErrorCode, PersonId,
    api::{
        ConfirmTest, GapKind, InboxItem, Notice, PersonReadiness, ReadinessBoard, ReadinessLevel, SendTest, Unreachable,
    },
    policy::{Channel, Millis},
    rota::Rota,
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{Device, random},
};
use std::time::Duration;

async fn cast() -> Cast {
    let cast = Cast::with(|config| config.proof.readiness_every_ms = Millis::minutes(1)).await;
    // The rota of the cast is in this time zone, and tests wait for its morning: the next one, whatever time it is now,
    // that is far enough away for a round to be due.
    let (rota, mut at) = (Rota::new("America/Los_Angeles"), cast.now() + Duration::from_secs(60));
    while rota.waking(at).unwrap() == at {
        at = at + Duration::from_secs(3600);
    }
    cast.server.advance(rota.waking(at).unwrap().since(cast.now()));
    // Nobody is connected, so nobody is tested, and all are red.
    until_number(&cast, "the first look", "SELECT count(*) FROM readiness_red", 3).await;
    cast
}

async fn board(cast: &Cast) -> ReadinessBoard {
    cast.supervisor.get("/v1/readiness").await.unwrap()
}

fn of(people: &[PersonReadiness], person: PersonId) -> &PersonReadiness {
    people.iter().find(|judged| judged.person == person).expect("a person on the board")
}

fn test(item: &InboxItem) -> Option<(CheckId, u32)> {
    match item.notice {
        Notice::Test { check, attempt } => Some((check, attempt)),
        _ => None,
    }
}

async fn confirm(device: &Device, check: CheckId, code: Option<&str>) -> Result<PersonReadiness, ErrorCode> {
    let body = ConfirmTest { code: code.map(Into::into) };
    device.post(format!("/v1/readiness/{check}/confirm"), &body).await.map_err(|problem| problem.code)
}

#[test]
fn a_slot_is_red_until_its_person_has_confirmed_and_the_supervisor_hears_both() {
    run(async {
        let cast = cast().await;
        let (mut primary, mut supervisor) = (cast.primary.connect().await, cast.supervisor.connect().await);
        let red = |level| {
            let who = cast.primary.person;
            move |item: &InboxItem| match item.notice {
                Notice::Readiness { person, level: now } if (person, now) == (who, level) => Some(()),
                _ => None,
            }
        };
        cast.minutes(1);
        let (check, attempt) = primary.notice("a test", test).await;
        assert_eq!(attempt, 1);
        supervisor.notice("the red slot", red(ReadinessLevel::Red)).await;
        let seen = board(&cast).await;
        assert_eq!(seen.people.len(), 3, "everybody on duty");
        let judged = of(&seen.people, cast.primary.person);
        assert_eq!((judged.level, judged.on_duty), (ReadinessLevel::Red, true));
        assert_eq!(judged.gaps[0].kind, GapKind::NotConfirmed);
        assert_eq!(judged.gaps[0].text, "The app: the test was not confirmed.");

        // Silence: a reminder after an hour, not before.
        cast.minutes(30);
        assert_eq!(cast.primary.inbox().await.iter().filter_map(test).count(), 1);
        cast.minutes(31);
        assert_eq!(primary.notice("a reminder", test).await, (check, 2));

        let judged = confirm(&cast.primary, check, None).await.unwrap();
        assert_eq!(judged.level, ReadinessLevel::Green);
        assert_eq!((judged.ways[0].channel, judged.ways[0].proven_at), (Channel::InApp, Some(cast.now())));
        supervisor.notice("the green slot", red(ReadinessLevel::Green)).await;
        let audited = cast.server.app().store.audit_entries(0, 10_000).await.unwrap();
        assert!(audited.iter().any(|entry| entry.action == "readiness.proven"));
    });
}

#[test]
fn people_on_call_with_no_way_to_reach_them_are_named_with_the_reasons() {
    run(async {
        let cast = cast().await;
        let unreachable =
            async || cast.supervisor.get::<Unreachable>("/v1/readiness/unreachable").await.unwrap().people;
        let kinds = |judged: &PersonReadiness| judged.gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>();
        let people = unreachable().await;
        let judged = of(&people, cast.primary.person);
        assert!(judged.unreachable && judged.level == ReadinessLevel::Red);
        let gaps = kinds(judged);
        assert!(gaps.contains(&GapKind::NotConnected) && gaps.contains(&GapKind::AppOnly), "{gaps:?}");
        assert_eq!(
            of(&board(&cast).await.people, cast.primary.person).level,
            ReadinessLevel::Red,
            "before any callout"
        );

        let _socket = cast.primary.connect().await;
        let people = unreachable().await;
        assert!(!of(&people, cast.primary.person).unreachable, "the app reaches them now");
        assert!(people[0].unreachable, "who can't be paged comes first");

        // Somebody who is on no rota counts too, and a colleague who left is named as such.
        let reserve = cast.advocate("Advocate 3").await;
        assert!(of(&unreachable().await, reserve.person).unreachable);
        cast.host.revoke(&cast.admin, &[cast.backup.id], cast.now()).await.unwrap();
        let people = unreachable().await;
        assert_eq!(kinds(of(&people, cast.backup.person))[0], GapKind::NoDevice);
    });
}

#[test]
fn tests_by_hand_are_for_oneself_or_by_a_supervisor_and_are_limited() {
    run(async {
        let cast = cast().await;
        let send = async |device: &Device, check, person| {
            let body = SendTest { check, person };
            device.post::<PersonReadiness>("/v1/readiness/test", &body).await.map_err(|problem| problem.code)
        };
        let fresh = || CheckId(random());
        let (check, other) = (fresh(), Some(cast.backup.person));
        assert_eq!(send(&cast.primary, fresh(), other).await.unwrap_err(), ErrorCode::Forbidden);
        assert_eq!(send(&cast.officer, fresh(), None).await.unwrap_err(), ErrorCode::Forbidden);
        assert_eq!(send(&cast.primary, check, None).await.unwrap().check, Some(check));
        assert_eq!(send(&cast.primary, check, None).await.unwrap().check, Some(check));
        assert_eq!(cast.primary.inbox().await.iter().filter_map(test).count(), 1, "a retry rings once");
        assert_eq!(send(&cast.supervisor, check, other).await.unwrap_err(), ErrorCode::Conflict);
        send(&cast.supervisor, fresh(), other).await.unwrap();

        for (device, code, refused) in [
            (&cast.backup, None, ErrorCode::NotFound),
            (&cast.primary, Some("000000"), ErrorCode::InvalidValue),
            (&cast.primary, Some("12"), ErrorCode::InvalidValue),
        ] {
            assert_eq!(confirm(device, check, code).await.unwrap_err(), refused, "{code:?}");
        }
        assert_eq!(number(&cast, "SELECT count(*) FROM readiness_proofs").await, 0, "nothing was proven");
        confirm(&cast.primary, check, None).await.unwrap();
        for path in ["/v1/readiness", "/v1/readiness/unreachable"] {
            for device in [&cast.primary, &cast.officer] {
                let refused = device.get::<serde_json::Value>(path).await.unwrap_err();
                assert_eq!(refused.code, ErrorCode::Forbidden, "{path}");
            }
        }
        let own: PersonReadiness = cast.primary.get("/v1/readiness/me").await.unwrap();
        assert_eq!((own.person, own.check), (cast.primary.person, Some(check)));

        // Three at once, the retry among them.
        send(&cast.primary, fresh(), None).await.unwrap();
        assert_eq!(send(&cast.primary, fresh(), None).await.unwrap_err(), ErrorCode::RateLimited);
    });
}

#[test]
fn what_was_confirmed_is_remembered_over_a_restart() {
    run(async {
        let mut cast = cast().await;
        let mut primary = cast.primary.connect().await;
        cast.minutes(1);
        let (check, _) = primary.notice("a test", test).await;
        confirm(&cast.primary, check, None).await.unwrap();
        drop(primary);
        cast.server.restart(Duration::from_secs(3600)).await;
        let _socket = cast.primary.connect().await;
        assert_eq!(of(&board(&cast).await.people, cast.primary.person).level, ReadinessLevel::Green);
        cast.minutes(2);
        assert_eq!(cast.primary.inbox().await.iter().filter_map(test).count(), 1, "nobody is tested twice for it");
    });
}
