//! Gaps, the schedule and the fairness report.

use super::{
    layers::{code, layer, layered, person, window},
    *,
};
use std::time::Duration;

#[test]
fn what_is_needed_follows_from_the_rota_or_is_said() {
    let (from, until) = (at("2026-01-05T00:00:00Z"), at("2026-01-06T00:00:00Z"));
    let gap =
        |tier, zone: Option<&str>, from: Timestamp, until: Timestamp| Gap { from, until, tier, zone: zone.map(code) };
    let empty = Rota::new("Asia/Manila");
    assert_eq!(empty.gaps(from, until).unwrap(), [gap(Tier::Primary, None, from, until)], "primary always is");
    // A tier and zone that the rota speaks of; of all zones counts for each.
    let mut north = layer("north", &[1], "2026-01-01T00:00", Unit::Days, &[1]);
    (north.zone, north.only) = (Some(code("north")), vec![window(&[], "12:00", "18:00")]);
    let mut rota = layered("Asia/Manila", vec![north]);
    let found = rota.gaps(from, until).unwrap();
    let (noon, evening) = (at("2026-01-05T04:00:00Z"), at("2026-01-05T10:00:00Z"));
    let primary = Tier::Primary;
    assert_eq!(found, [gap(primary, Some("north"), from, noon), gap(primary, Some("north"), evening, until)]);
    rota.layers.push(layer("all", &[2], "2026-01-01T00:00", Unit::Days, &[1]));
    assert_eq!(rota.gaps(from, until).unwrap(), []);
    // Somebody has to be backup at night.
    rota.needs = vec![Need { tier: Tier::Backup, zone: None, only: vec![window(&[], "22:00", "06:00")] }];
    assert_eq!(rota.validate(), Ok(()));
    let nights = [("2026-01-05T00:00:00Z", "2026-01-05T00:00:00Z"), ("2026-01-05T14:00:00Z", "2026-01-05T22:00:00Z")];
    assert_eq!(
        rota.gaps(from, until).unwrap(),
        nights[1..].iter().map(|n| gap(Tier::Backup, None, at(n.0), at(n.1))).collect::<Vec<_>>()
    );
}

#[test]
fn a_shift_inside_the_skipped_hour_covers_nothing_and_leaves_no_gap() {
    let rota = rota(
        "America/Los_Angeles",
        vec![
            shift(1, "2026-03-07T02:00", "2026-03-07T02:30", Repeat::Daily),
            shift(2, "2026-03-07T02:30", "2026-03-08T02:00", Repeat::Daily),
        ],
    );
    let (from, until) = (at("2026-03-07T12:00:00Z"), at("2026-03-10T00:00:00Z"));
    assert_eq!(rota.gaps(from, until).unwrap(), []);
    let spans = rota.schedule(from, until).unwrap();
    assert!(spans.windows(2).all(|two| two[0].until == two[1].from), "{spans:?}");
    assert_eq!(spans.iter().filter(|span| span.person == person(1)).count(), 1, "on the 8th it never happens");
}

#[test]
fn the_schedule_says_by_what() {
    let mut rota = layered("Asia/Manila", vec![layer("l", &[1, 2], "2026-01-05T09:00", Unit::Days, &[1])]);
    rota.swaps.push(super::changes::swap("s", 2, 3, "l", "2026-01-06T09:00"));
    let spans = rota.schedule(at("2026-01-05T00:00:00Z"), at("2026-01-07T00:00:00Z")).unwrap();
    let told: Vec<_> =
        spans.iter().map(|s| (s.person.0[0], s.source.begins.to_string(), s.source.swap.clone())).collect();
    assert_eq!(
        told,
        [(1, "2026-01-05T09:00:00".to_owned(), None), (3, "2026-01-06T09:00:00".to_owned(), Some(code("s"))),]
    );
    assert_eq!(spans[0].from, at("2026-01-05T01:00:00Z"));
    assert_eq!(spans[1].until, at("2026-01-07T00:00:00Z"), "cut off at the end");
}

#[test]
fn a_stretch_that_is_too_long_is_refused() {
    let rota = Rota::new("Asia/Manila");
    let day = Duration::from_secs(24 * 3600);
    let now = at("2026-01-05T00:00:00Z");
    assert!(rota.schedule(now, now + day * 400).is_ok());
    for (from, until) in [(now, now + day * 401), (now + day, now), (Timestamp(i64::MIN), Timestamp(i64::MAX))] {
        let asked = [
            rota.schedule(from, until).map(drop),
            rota.gaps(from, until).map(drop),
            rota.fairness(from, until, &[], now).map(drop),
        ];
        assert!(asked.iter().all(|answer| answer.as_ref().is_err_and(|p| p.code == ErrorCode::InvalidValue)));
    }
}

#[test]
fn nights_weekends_holidays_and_rest_are_counted() {
    let zone = "America/Los_Angeles";
    let mut backup = shift(1, "2026-03-06T22:00", "2026-03-07T06:00", Repeat::Daily);
    backup.tier = Tier::Backup;
    let shifts = vec![
        shift(1, "2026-03-06T22:00", "2026-03-07T06:00", Repeat::Daily),
        backup,
        shift(2, "2026-03-02T12:00", "2026-03-02T20:00", Repeat::Weekly),
    ];
    let mut rota = rota(zone, shifts);
    rota.holidays.push(Holiday { date: "2026-03-09".parse().unwrap(), code: code("holiday") });
    // Friday noon to Tuesday noon, over the change of the clock on Sunday.
    let (from, until) = (at("2026-03-06T20:00:00Z"), at("2026-03-10T19:00:00Z"));
    let hour = Duration::from_secs(3600);
    let callouts = [
        Answered { person: person(1), at: from + hour, until: Some(from + hour * 4) },
        Answered { person: person(3), at: from + hour, until: None },
        Answered { person: person(2), at: from - hour, until: None },
    ];
    let loads = rota.fairness(from, until, &callouts, from + hour * 24).unwrap();
    let h = 3_600_000;
    let expected = [
        // Four nights of eight hours, one of seven; two tiers at once count once. Two of them touch one weekend.
        Load {
            person: person(1),
            duty_ms: (8 + 7 + 8 + 8) * h,
            nights: 4,
            weekends: 1,
            holidays: 1,
            callouts: 1,
            last_callout: Some(from + hour),
            rest_ms: Some(20 * 3_600_000),
        },
        Load {
            person: person(2),
            duty_ms: 8 * h,
            nights: 0,
            weekends: 0,
            holidays: 1,
            callouts: 0,
            last_callout: None,
            rest_ms: None,
        },
        Load {
            person: person(3),
            duty_ms: 0,
            nights: 0,
            weekends: 0,
            holidays: 0,
            callouts: 1,
            last_callout: Some(from + hour),
            rest_ms: Some(0),
        },
    ];
    assert_eq!(loads, expected);
}

/// The figure (10 ms) is measured in `tests/load`; here only that the work doesn't grow without bound.
#[test]
fn ninety_days_of_two_hundred_people_are_computed() {
    let mut shifts = Vec::new();
    for n in 0..200u8 {
        for day in 5..12 {
            let from = format!("2026-01-{day:02}T{:02}:00", n % 24);
            let until = format!("2026-01-{:02}T{:02}:00", day + 1, n % 24);
            shifts.push(shift(n, &from, &until, Repeat::Weekly));
        }
    }
    let rota = rota("America/Los_Angeles", shifts);
    assert_eq!(rota.on_call(at("2026-11-01T09:30:00Z")).unwrap().len(), 200);
    let from = at("2026-10-01T00:00:00Z");
    let spans = rota.schedule(from, from + Duration::from_secs(90 * 24 * 3600)).unwrap();
    // 17:00 until 16:00 local, since the clock goes back: 91 days are touched, but only 90 of the sixteen people who hand
    // over at 16:00 and 17:00.
    assert_eq!(spans.len(), 200 * 91 - 16);
}
