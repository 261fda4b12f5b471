//! After the night: records, figures, what leaves the organisation, metrics.

use firstlight_protocol::{
    CalloutId, ErrorCode, OrgKind, Problem, Role, Secret,
    api::{ActOnCallout, InboxItem, Notice},
    callout::{Action, Alarm, CancelReason, OpenCallout, OutcomeReason, Purpose, Support, Welfare},
    figures::{FigureExport, FigureTable, Figures, ShareFigure},
    policy::Millis,
    record::{CalloutRecord, OwnWelfare, ReviewState},
};
use firstlight_server::store::sql;
use firstlight_tests::{
    inproc::{Cast, run},
    world::{Device, random, routing},
};
use reqwest::Method;
use std::{collections::BTreeSet, time::Duration};

/// A callout that is answered, so many minutes after each other, and closed.
async fn answered(cast: &Cast, zone: &str, minutes: (u64, u64)) -> CalloutId {
    let mut routing = routing(zone, cast.now());
    routing.first_contact_at = cast.now() - Duration::from_secs(20 * 60);
    let id = cast.officer.open_callout(routing).await.unwrap().id;
    cast.minutes(minutes.0);
    cast.primary.act(id, Action::Accept { eta_minutes: 30 }).await.unwrap();
    cast.minutes(minutes.1);
    cast.primary.act(id, Action::Arrived).await.unwrap();
    let reasons = vec![OutcomeReason::CalledLate];
    let close = Action::Close { reasons, support: Support::Accepted, kits_given: 1 };
    cast.primary.act(id, close).await.unwrap();
    id
}

async fn text(device: &Device, path: &str) -> (String, reqwest::header::HeaderMap) {
    let token: Secret = device.sign_in().await.unwrap().access;
    let answer = device.http.send(Method::GET, path, Some(&token), None).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    (String::from_utf8(answer.body).unwrap(), answer.headers)
}

async fn refused(device: &Device, path: &str) -> ErrorCode {
    device.get::<serde_json::Value>(path).await.unwrap_err().code
}

#[test]
fn the_record_has_every_time_and_each_sees_what_is_theirs() {
    run(async {
        let cast = Cast::new().await;
        let opened = cast.now();
        let id = answered(&cast, "north", (2, 30)).await;
        let path = format!("/v1/callouts/{id}/record");
        let after = |minutes: u64| opened + Duration::from_secs(minutes * 60);

        let welfare = format!("/v1/callouts/{id}/welfare");
        let say = OwnWelfare { welfare: Welfare::FollowUp };
        cast.primary.put::<()>(&welfare, &say).await.unwrap();
        let bystander: Problem = cast.backup.put::<()>(&welfare, &say).await.unwrap_err();
        assert_eq!(bystander.code, ErrorCode::NotFound);

        let record: CalloutRecord = cast.supervisor.get(&path).await.unwrap();
        let times = record.times;
        assert_eq!(times.first_contact_at, opened - Duration::from_secs(1_200));
        assert_eq!((times.opened_at, times.first_page_at), (opened, Some(opened)));
        assert_eq!((times.acknowledged_at, times.accepted_at), (Some(after(2)), Some(after(2))));
        assert_eq!((times.arrived_at, times.ended_at), (Some(after(32)), Some(after(32))));
        assert_eq!(record.durations.to_arrive_ms, Some(Millis::minutes(32)));
        assert_eq!(record.durations.first_contact_to_callout_ms, Millis::minutes(20));
        assert_eq!(record.target.met, Some(true));
        assert_eq!((record.reasons, record.kits_given), (vec![OutcomeReason::CalledLate], Some(1)));
        let due = after(32) + Duration::from_secs(24 * 3_600);
        assert_eq!((record.review.state, record.review.due_at), (ReviewState::Waiting, Some(due)));
        assert_eq!(record.responders[0].accepted_at, Some(after(2)));
        assert_eq!(record.responders[0].welfare, Some(Welfare::FollowUp));

        cast.minutes(24 * 60 + 1);
        let late: CalloutRecord = cast.supervisor.get(&path).await.unwrap();
        assert_eq!(late.review.state, ReviewState::Overdue);
        cast.supervisor
            .act(id, Action::Review { reasons: vec![OutcomeReason::WrongAddress], welfare: Welfare::Well })
            .await
            .unwrap();
        let done: CalloutRecord = cast.supervisor.get(&path).await.unwrap();
        assert_eq!((done.review.state, done.review.welfare), (ReviewState::Done, Some(Welfare::Well)));
        assert_eq!(done.reasons, [OutcomeReason::CalledLate, OutcomeReason::WrongAddress]);

        // Whoever took part sees their own welfare and no word of the supervisor's; nobody else sees the record.
        let own: CalloutRecord = cast.primary.get(&path).await.unwrap();
        assert_eq!((own.responders[0].welfare, own.review.welfare), (Some(Welfare::FollowUp), None));
        for stranger in [&cast.officer, &cast.backup, &cast.admin] {
            assert_eq!(refused(stranger, &path).await, ErrorCode::NotFound);
        }
    });
}

#[test]
fn a_night_becomes_figures_and_a_drill_counts_in_none() {
    run(async {
        let cast = Cast::new().await;
        for minutes in [(1, 20), (2, 30), (4, 70)] {
            answered(&cast, "north", minutes).await;
            cast.minutes(60);
        }
        for _ in 0..2 {
            answered(&cast, "south", (3, 40)).await;
            cast.minutes(60);
        }
        let off = cast.officer.open_callout(routing("south", cast.now())).await.unwrap().id;
        cast.officer.act(off, Action::Cancel { reason: CancelReason::Mistake }).await.unwrap();
        let before = cast.officer.open_callout(routing("south", cast.now())).await.unwrap().id;
        let again = cast.officer.open_callout(routing("south", cast.now())).await.unwrap().id;
        cast.officer.act(again, Action::Merge { into: before }).await.unwrap();
        let mut supervisor = cast.supervisor.connect().await;
        cast.minutes(11);
        let unanswered = |item: &InboxItem| match item.notice {
            Notice::Alarm { callout, alarm: Alarm::Unanswered } if callout == before => Some(()),
            _ => None,
        };
        supervisor.notice("the alarm for a callout that nobody answers", unanswered).await;
        cast.primary.act(before, Action::Accept { eta_minutes: 10 }).await.unwrap();

        let table: FigureTable = cast.supervisor.get("/v1/figures?by=zone").await.unwrap();
        let zones: Vec<_> = table.rows.iter().map(|row| (row.key.as_str(), row.figures.callouts)).collect();
        assert_eq!(zones, [("north", Some(3)), ("south", Some(5))]);
        let north = &table.rows[0].figures;
        let arrive = north.to_arrive.unwrap();
        assert_eq!(arrive.measured, Some(3));
        assert_eq!((arrive.median_ms, arrive.p90_ms), (Some(Millis::minutes(32)), Some(Millis::minutes(74))));
        assert_eq!(north.within_target, Some(ShareFigure { of: Some(3), met: Some(2), per_cent: Some(67) }));
        assert_eq!(north.called_late, Some(3));
        let total = &table.total;
        assert_eq!((total.duplicates, total.cancelled, total.unanswered), (Some(1), Some(1), Some(1)));

        let drill =
            OpenCallout { id: CalloutId(random()), routing: routing("north", cast.now()), purpose: Purpose::Drill };
        cast.supervisor.post::<serde_json::Value>("/v1/callouts", &drill).await.unwrap();
        cast.primary.act(drill.id, Action::Accept { eta_minutes: 1 }).await.unwrap();
        let after: FigureTable = cast.supervisor.get("/v1/figures?by=zone").await.unwrap();
        assert_eq!(after, table);
        let record: CalloutRecord = cast.supervisor.get(format!("/v1/callouts/{}/record", drill.id)).await.unwrap();
        assert_eq!(record.purpose, Purpose::Drill);

        let export: FigureExport = cast.admin.get("/v1/figures/export").await.unwrap();
        assert_eq!(export.callouts.len(), 8);
        assert!(export.callouts.iter().all(|callout| callout.callout != drill.id));
        let (csv, headers) = text(&cast.supervisor, "/v1/figures?by=zone&format=csv").await;
        assert_eq!(headers["content-type"], "text/csv; charset=utf-8");
        assert!(csv.lines().any(|line| line.starts_with("north,,3,0,0,0,3,1200.000,")), "{csv}");
        let (page, headers) = text(&cast.supervisor, "/v1/report").await;
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains("There were 8 callouts"), "{page}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none';") && policy.contains("sandbox") && !policy.contains("script"));

        let audit = cast.server.app().store.audit_entries(0, 10_000).await.unwrap();
        let given: Vec<_> =
            audit.iter().filter(|entry| entry.action.starts_with("figures.")).map(|e| e.action.as_str()).collect();
        assert_eq!(given, ["figures.read", "figures.read", "figures.export", "figures.export", "figures.report"]);
    });
}

#[test]
fn what_leaves_the_organisation_has_no_small_cell() {
    run(async {
        let cast = Cast::new().await;
        for zone in ["north", "north", "north", "north", "north", "north", "south", "south"] {
            answered(&cast, zone, (1, 20)).await;
            cast.minutes(40);
        }
        let outside: FigureTable = cast.supervisor.get("/v1/figures?by=zone&outside=true").await.unwrap();
        // The two in the south would be told by the six in the north and the total.
        let rows: Vec<_> = outside.rows.iter().map(|row| (row.key.as_str(), row.figures.callouts)).collect();
        assert_eq!(rows, [("others", Some(8))]);
        assert_eq!((outside.total.callouts, outside.total.unanswered), (Some(8), None));
        let (csv, _) = text(&cast.supervisor, "/v1/figures?by=zone&outside=true&format=csv").await;
        assert!(csv.contains("total,,8,suppressed,"), "{csv}");
        let (page, _) = text(&cast.supervisor, "/v1/report?outside=true").await;
        assert!(page.contains("small cells are withheld") && !page.contains("south"));
        assert_eq!(refused(&cast.supervisor, "/v1/figures/export?outside=true").await, ErrorCode::Forbidden);

        // A partner's watch commander: their own agency, as outsiders, whatever they ask for.
        let commander = cast.police.enrol(&cast.chief, Role::WatchCommander, "Commander 1", cast.now()).await;
        let own: FigureTable = commander.get("/v1/figures?by=zone").await.unwrap();
        assert!(own.outside);
        assert_eq!((own.rows, own.total), (outside.rows, outside.total));
        assert_eq!(refused(&commander, "/v1/figures/export").await, ErrorCode::Forbidden);
        let partner = cast.host.found_partner(OrgKind::LawEnforcement, "Police 2", &cast.admin, cast.now());
        let (other, chief) = partner.await.unwrap();
        let stranger = other.enrol(&chief, Role::WatchCommander, "Commander 2", cast.now()).await;
        let nothing: FigureTable = stranger.get("/v1/figures?by=zone").await.unwrap();
        assert_eq!((nothing.rows.len(), nothing.total), (0, Figures::default()));
        for nobody in [&cast.officer, &cast.primary, &cast.chief] {
            for path in ["/v1/figures", "/v1/report", "/v1/figures/export"] {
                assert_eq!(refused(nobody, path).await, ErrorCode::Forbidden, "{path}");
            }
        }
    });
}

#[test]
fn callouts_from_before_there_were_figures_are_made_up_for() {
    run(async {
        let mut cast = Cast::new().await;
        let id = answered(&cast, "north", (2, 30)).await;
        let before: FigureTable = cast.supervisor.get("/v1/figures").await.unwrap();
        let forget = cast.server.app().store.write(|tx| {
            Box::pin(async move { Ok(sql::query("DELETE FROM callout_facts").execute(&mut *tx.conn).await.map(drop)?) })
        });
        forget.await.unwrap();
        assert_eq!(refused(&cast.supervisor, &format!("/v1/callouts/{id}/record")).await, ErrorCode::NotFound);
        cast.server.restart(Duration::ZERO).await;
        // It is done beside everything else: ask until it is.
        let again = loop {
            let table: FigureTable = cast.supervisor.get("/v1/figures").await.unwrap();
            if table.total.callouts == Some(1) {
                break table;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(again, before);
    });
}

#[test]
fn metrics_are_on_their_own_address_and_have_their_documented_names() {
    run(async {
        let cast = Cast::new().await;
        let mut primary = cast.primary.connect().await;
        let id = cast.officer.open_callout(routing("north", cast.now())).await.unwrap().id;
        primary.page().await;
        cast.seconds(40);
        let accept =
            ActOnCallout { id: firstlight_protocol::ActionId(random()), action: Action::Accept { eta_minutes: 30 } };
        for _ in 0..2 {
            // A repetition counts once.
            let path = format!("/v1/callouts/{id}/actions");
            cast.primary.post::<serde_json::Value>(path, &accept).await.unwrap();
        }

        let scraped = cast.server.operations().send(Method::GET, "/metrics", None, None).await;
        let kind = scraped.headers["content-type"].to_str().unwrap();
        assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
        let text = String::from_utf8(scraped.body).unwrap();
        assert!(text.ends_with("# EOF\n"));
        let names: BTreeSet<&str> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        let documented: BTreeSet<&str> = include_str!("../../server/src/telemetry/mod.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! | `firstlight_")?.split('`').next())
            .map(|name| name.trim_end_matches("_total").trim_end_matches("_info"))
            .collect();
        let scraped: BTreeSet<&str> = names.iter().filter_map(|name| name.strip_prefix("firstlight_")).collect();
        // No backup, no canary that came through, no other node, and a proxy does TLS.
        let absent: Vec<_> = documented.difference(&scraped).copied().collect();
        let mut expected = vec!["backup_age_seconds", "bus_connected", "bus_messages", "canary_age_seconds"];
        if !cast.server.app().store.is_shared() {
            expected.extend(["node_leads", "nodes_alive"]);
        }
        expected.extend(["tls_certificate_days", "tls_certificate_stale"]);
        assert_eq!(absent, expected);
        assert_eq!(scraped.difference(&documented).count(), 0, "{scraped:?}");
        for line in [
            "firstlight_callouts_open{state=\"accepted\",purpose=\"real\"} 1",
            "firstlight_callouts_opened_total{purpose=\"real\"} 1",
            "firstlight_accept_seconds_count 1",
            "firstlight_accept_seconds_sum 40.0",
            "firstlight_accept_seconds_bucket{le=\"30.0\"} 0",
            "firstlight_accept_seconds_bucket{le=\"60.0\"} 1",
            "firstlight_pages_total{channel=\"in_app\",outcome=\"handed_over\"} 1",
            "firstlight_page_handover_seconds_count{channel=\"in_app\"} 1",
            "firstlight_sockets 1",
            "firstlight_sweeper_found_total 0",
            "firstlight_timers 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n---\n{text}");
        }
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(series.starts_with("firstlight_"), "{line}");
        }
        for secret in [id.to_string(), cast.primary.person.to_string(), "north".into(), "Advocate".into()] {
            assert!(!text.contains(&secret), "{secret}");
        }
        let public = cast.server.http.send(Method::GET, "/metrics", None, None).await;
        assert_eq!(public.status, 404);
    });
}
