//! Nothing is sent to what nobody has shown to reach the person.

use super::{ADVOCATE, PAGE, browser, by, desk_with, email, rule, sms, voice};
use firstlight_protocol::{ErrorCode, policy::ContactState};
use firstlight_server::retention::purge;
use firstlight_server::store::sql;
use firstlight_tests::{inproc::run, providers::Smtp};
use std::time::Duration;

#[test]
fn every_kind_is_verified_by_a_code_that_comes_by_it() {
    run(async {
        let desk = desk_with(Some(Smtp::start()), |_| {}).await;
        let primary = &desk.cast.primary;
        let methods = vec![
            sms(1, ADVOCATE),
            voice(2, ADVOCATE),
            email(3, "advocate-1@example.org"),
            browser(4, &desk.push.subscribe("browser")),
            desk.ntfy(5),
            desk.webhook(6),
        ];
        desk.name(primary, methods.clone(), vec![]).await;
        for (n, method) in (1..).zip(&methods) {
            assert_eq!(desk.state(primary, n).await, ContactState::Unverified);
            let code = desk.code(primary, method).await;
            desk.confirm(primary, method, &code).await.unwrap();
            assert_eq!(desk.state(primary, n).await, ContactState::Verified);
        }
    });
}

#[test]
fn what_is_not_verified_is_never_used() {
    run(async {
        let desk = desk_with(None, |_| {}).await;
        let primary = &desk.cast.primary;
        let methods = vec![sms(1, ADVOCATE), voice(2, ADVOCATE), desk.webhook(3), desk.ntfy(4)];
        desk.name(primary, methods.clone(), vec![rule(Some(1), 0), rule(Some(2), 0), rule(Some(3), 60)]).await;
        let mut app = primary.connect().await;
        let callout = desk.open().await;
        for attempt in 1..=5 {
            assert_eq!(app.page().await.2, attempt, "the app alone");
            desk.cast.minutes(1);
        }
        for (n, method) in (1..).zip(&methods) {
            assert_eq!(by(&desk.pages(callout).await, n).count(), 0);
            assert_eq!(desk.arrived(method), [""; 0]);
        }
    });
}

#[test]
fn a_code_holds_five_tries_and_ten_minutes_for_the_place_that_it_was_sent_to() {
    run(async {
        let desk = desk_with(None, |_| {}).await;
        let (primary, method) = (&desk.cast.primary, sms(1, ADVOCATE));
        desk.name(primary, vec![method.clone()], vec![]).await;
        let confirm = async |code: &str| desk.confirm(primary, &method, code).await.map_err(|problem| problem.code);
        let wrong = |code: &str| if code == "111111" { "222222" } else { "111111" };

        let code = desk.code(primary, &method).await;
        for _ in 0..5 {
            assert_eq!(confirm(wrong(&code)).await, Err(ErrorCode::InvalidValue));
        }
        assert_eq!(confirm(&code).await, Err(ErrorCode::InvalidValue), "too late");

        desk.cast.minutes(30);
        let code = desk.code(primary, &method).await;
        desk.cast.server.advance(Duration::from_secs(601));
        assert_eq!(confirm(&code).await, Err(ErrorCode::InvalidValue), "ten minutes are over");

        desk.cast.minutes(30);
        let code = desk.code(primary, &method).await;
        desk.name(primary, vec![sms(1, "+15555550112")], vec![]).await;
        assert_eq!(confirm(&code).await, Err(ErrorCode::InvalidValue), "it was sent to another number");

        desk.cast.minutes(30);
        desk.name(primary, vec![method.clone()], vec![]).await;
        let code = desk.code(primary, &method).await;
        assert_eq!(confirm(&code).await, Ok(()));
        assert_eq!(confirm(&code).await, Ok(()), "again is harmless");

        // A change of the number begins anew.
        desk.name(primary, vec![sms(1, "+15555550112")], vec![]).await;
        assert_eq!(desk.state(primary, 1).await, ContactState::Unverified);
        let callout = desk.open().await;
        assert_eq!(by(&desk.pages(callout).await, 1).count(), 0);
        assert!(!desk.twilio.phone("+15555550112").texts().contains(&PAGE));
    });
}

#[test]
fn codes_are_forgotten_and_the_pages_of_callouts_are_not() {
    run(async {
        let desk = desk_with(None, |_| {}).await;
        desk.reach(&desk.cast.primary, vec![sms(1, ADVOCATE)]).await;
        let callout = desk.open().await;
        desk.page(callout, 1, "the page", |page| page.delivered_at.is_some()).await;
        desk.settled().await;
        let kinds = async || {
            let kinds = sql::query_scalar::<String>(
                "SELECT DISTINCT kind FROM outbox JOIN legs USING (page) WHERE person = $1 ORDER BY kind",
            );
            let of = kinds.bind(desk.cast.primary.person.as_bytes().to_vec());
            of.fetch_all(desk.cast.server.app().store.read()).await.unwrap()
        };
        purge(desk.cast.server.app()).await.unwrap();
        assert_eq!(kinds().await, ["page", "verify"]);
        desk.cast.minutes(31 * 24 * 60);
        purge(desk.cast.server.app()).await.unwrap();
        assert_eq!(kinds().await, ["page"]);
    });
}
