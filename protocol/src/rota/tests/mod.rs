//! What the rota promises: told in examples here, and held against a slow and simple reading of it in `oracle`.

mod changes;
mod layers;
mod missing;
mod oracle;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn shift(person: u8, from: &str, until: &str, repeat: Repeat) -> Shift {
    Shift {
        id: None,
        tier: Tier::Primary,
        person: PersonId([person; 16]),
        zone: None,
        from: from.parse().unwrap(),
        until: until.parse().unwrap(),
        repeat,
        repeat_until: None,
    }
}

fn rota(tz: &str, shifts: Vec<Shift>) -> Rota {
    let rota = Rota { shifts, ..Rota::new(tz) };
    assert_eq!(rota.validate(), Ok(()));
    rota
}

const NOBODY: [u8; 0] = [];

/// The people on duty, by the first byte of their ids.
fn on_duty(rota: &Rota, when: &str) -> Vec<u8> {
    rota.on_call(at(when)).unwrap().iter().map(|d| d.person.0[0]).collect()
}

/// Two people who share the day, changing at `a` and `b`, must cover every minute of `span` exactly once.
fn assert_covered_once(tz: &str, a: &str, b: &str, span: (&str, &str)) {
    let day = |date: &str, time: &str| format!("{date}T{time}");
    let rota = rota(
        tz,
        vec![
            shift(1, &day("2011-01-01", a), &day("2011-01-01", b), Repeat::Daily),
            shift(2, &day("2011-01-01", b), &day("2011-01-02", a), Repeat::Daily),
        ],
    );
    let mut now = at(span.0);
    while now < at(span.1) {
        let people = rota.on_call(now).unwrap();
        assert_eq!(people.len(), 1, "{tz} {a}/{b} at {now}: {people:?}");
        now = now + std::time::Duration::from_secs(60);
    }
}

#[test]
fn a_night_shift_follows_the_wall_clock_through_both_changes() {
    // Los Angeles: -08 until 2026-03-08 10:00Z, -07 until 2026-11-01 09:00Z.
    let rota = rota("America/Los_Angeles", vec![shift(1, "2026-03-01T22:00", "2026-03-02T06:00", Repeat::Daily)]);
    assert_eq!(on_duty(&rota, "2026-03-08T05:59:59Z"), NOBODY);
    assert_eq!(on_duty(&rota, "2026-03-08T06:00:00Z"), [1], "22:00 -08");
    assert_eq!(on_duty(&rota, "2026-03-08T12:59:59Z"), [1], "the night is seven hours long");
    assert_eq!(on_duty(&rota, "2026-03-08T13:00:00Z"), NOBODY, "06:00 -07");
    assert_eq!(on_duty(&rota, "2026-11-01T13:59:59Z"), [1], "and nine hours in autumn");
    assert_eq!(on_duty(&rota, "2026-11-01T14:00:00Z"), NOBODY, "06:00 -08");
}

#[test]
fn a_skipped_local_time_is_the_moment_of_the_change() {
    let rota = rota(
        "America/Los_Angeles",
        vec![
            shift(1, "2026-03-07T22:00", "2026-03-08T02:15", Repeat::Once),
            shift(2, "2026-03-08T02:15", "2026-03-08T02:45", Repeat::Once),
            shift(3, "2026-03-08T02:45", "2026-03-08T08:00", Repeat::Once),
        ],
    );
    assert_eq!(on_duty(&rota, "2026-03-08T09:59:59Z"), [1]);
    assert_eq!(on_duty(&rota, "2026-03-08T10:00:00Z"), [3], "the shift inside the gap never happens");
    assert_eq!(rota.next_change(at("2026-03-08T07:00:00Z")).unwrap(), Some(at("2026-03-08T10:00:00Z")));
}

#[test]
fn a_repeated_local_time_means_the_first() {
    let rota = rota(
        "America/Los_Angeles",
        vec![
            shift(1, "2026-10-31T20:00", "2026-11-01T01:30", Repeat::Once),
            shift(2, "2026-11-01T01:30", "2026-11-01T08:00", Repeat::Once),
        ],
    );
    assert_eq!(on_duty(&rota, "2026-11-01T08:29:59Z"), [1]);
    assert_eq!(on_duty(&rota, "2026-11-01T08:30:00Z"), [2], "01:30 -07, the first");
    assert_eq!(on_duty(&rota, "2026-11-01T09:30:00Z"), [2], "01:30 -08, the second");
}

#[test]
fn every_minute_is_covered_once_in_odd_zones() {
    // Half an hour of daylight saving.
    assert_covered_once("Australia/Lord_Howe", "02:00", "14:10", ("2026-04-03T00:00:00Z", "2026-04-06T00:00:00Z"));
    assert_covered_once("Australia/Lord_Howe", "01:45", "02:15", ("2026-10-02T00:00:00Z", "2026-10-05T00:00:00Z"));
    // Changes inside, at the edges of, and around both gap and fold.
    for (a, b) in [("02:30", "14:30"), ("01:30", "02:30"), ("02:00", "03:00"), ("01:00", "02:00")] {
        assert_covered_once("America/Los_Angeles", a, b, ("2026-03-07T00:00:00Z", "2026-03-10T00:00:00Z"));
        assert_covered_once("America/Los_Angeles", a, b, ("2026-10-31T00:00:00Z", "2026-11-03T00:00:00Z"));
    }
    assert_covered_once("Asia/Manila", "00:00", "12:00", ("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z"));
    // 2011-12-30 never happened in Apia.
    for (a, b) in [("08:00", "20:00"), ("00:00", "12:00")] {
        assert_covered_once("Pacific/Apia", a, b, ("2011-12-28T00:00:00Z", "2012-01-03T00:00:00Z"));
    }
}

#[test]
fn lord_howes_half_hour_moves_the_shift_by_half_an_hour() {
    // +11 until 2026-04-04 15:00Z (02:00 local), then +10:30.
    let rota = rota("Australia/Lord_Howe", vec![shift(1, "2026-04-01T08:00", "2026-04-01T16:00", Repeat::Daily)]);
    assert_eq!(on_duty(&rota, "2026-04-03T21:00:00Z"), [1], "08:00 +11");
    assert_eq!(on_duty(&rota, "2026-04-04T21:29:59Z"), NOBODY);
    assert_eq!(on_duty(&rota, "2026-04-04T21:30:00Z"), [1], "08:00 +10:30");
}

#[test]
fn weekly_shifts_keep_their_day_and_end_on_their_last_date() {
    let mut weekly = shift(1, "2026-01-05T09:00", "2026-01-05T17:00", Repeat::Weekly);
    weekly.repeat_until = Some("2026-01-19".parse().unwrap());
    let rota = rota("Asia/Manila", vec![weekly]);
    assert_eq!(on_duty(&rota, "2026-01-04T01:00:00Z"), NOBODY, "before the first");
    assert_eq!(rota.next_change(at("2020-01-01T00:00:00Z")).unwrap(), Some(at("2026-01-05T01:00:00Z")));
    for (monday, on) in [("05", true), ("12", true), ("19", true), ("26", false)] {
        assert_eq!(on_duty(&rota, &format!("2026-01-{monday}T01:00:00Z")).len(), usize::from(on), "{monday}");
        assert_eq!(on_duty(&rota, &format!("2026-01-{monday}T09:00:00Z")), NOBODY, "17:00 is over");
    }
    assert_eq!(on_duty(&rota, "2026-01-13T01:00:00Z"), NOBODY, "a Tuesday");
    assert_eq!(rota.next_change(at("2026-01-19T08:00:00Z")).unwrap(), Some(at("2026-01-19T09:00:00Z")));
    assert_eq!(rota.next_change(at("2026-01-19T09:00:00Z")).unwrap(), None);
}

#[test]
fn next_change_agrees_with_on_call() {
    let rota = rota(
        "America/Los_Angeles",
        vec![
            shift(1, "2026-03-06T22:00", "2026-03-07T06:00", Repeat::Daily),
            shift(2, "2026-03-06T01:30", "2026-03-06T02:30", Repeat::Daily),
            shift(3, "2026-03-02T00:00", "2026-03-09T00:00", Repeat::Weekly),
        ],
    );
    let mut now = at("2026-03-06T00:00:00Z");
    for _ in 0..40 {
        let next = rota.next_change(now).unwrap().unwrap();
        let mut probe = now;
        while probe < next {
            assert_eq!(rota.on_call(probe).unwrap(), rota.on_call(now).unwrap(), "{now} … {probe} … {next}");
            probe = probe + std::time::Duration::from_secs(600);
        }
        now = next;
    }
}

#[test]
fn what_makes_no_sense_is_refused_by_its_place() {
    let good = || shift(1, "2026-01-05T09:00", "2026-01-05T17:00", Repeat::Daily);
    let bad = [
        Shift { tier: Tier::Everyone, ..good() },
        Shift { until: good().from, ..good() },
        Shift { until: "2026-01-06T09:00:01".parse().unwrap(), ..good() },
        Shift { from: "1960-01-01T00:00".parse().unwrap(), ..good() },
        Shift { from: "2026-01-05T09:00:00.5".parse().unwrap(), ..good() },
        Shift { repeat_until: Some("2026-01-04".parse().unwrap()), ..good() },
    ];
    for shift in bad {
        let rota = Rota { shifts: vec![good(), shift], ..Rota::new("Asia/Manila") };
        assert!(rota.validate().unwrap_err().detail.unwrap().starts_with("shift 2:"));
    }
    let nowhere = Rota::new("Nowhere/Land");
    assert!(nowhere.validate().is_err() && nowhere.on_call(Timestamp(0)).is_err());
}

#[test]
fn the_ends_of_time_are_answered() {
    let rota = rota("Pacific/Apia", vec![shift(1, "2026-01-05T09:00", "2026-01-05T17:00", Repeat::Daily)]);
    for end in [i64::MIN, i64::MAX, 0] {
        assert_eq!(rota.on_call(Timestamp(end)).unwrap(), []);
        let _ = rota.next_change(Timestamp(end)).unwrap();
    }
}

#[test]
fn a_rota_is_the_same_in_json_and_cbor() {
    let rota = rota("Asia/Manila", vec![shift(1, "2026-01-05T09:00", "2026-01-05T17:00", Repeat::Weekly)]);
    assert_eq!(crate::wire::from_cbor::<Rota>(&crate::wire::to_cbor(&rota)).unwrap(), rota);
    let json = serde_json::to_string(&rota).unwrap();
    assert!(json.contains(r#""from":"2026-01-05T09:00:00""#), "{json}");
    assert_eq!(serde_json::from_str::<Rota>(&json).unwrap(), rota);
}

#[test]
fn a_rota_stored_before_there_were_layers_still_opens() {
    #[derive(Serialize)]
    struct Old {
        tz: String,
        shifts: Vec<Shift>,
    }
    let shifts = vec![shift(1, "2026-01-05T09:00", "2026-01-05T17:00", Repeat::Weekly)];
    let old = Old { tz: "Asia/Manila".into(), shifts: shifts.clone() };
    let expected = rota("Asia/Manila", shifts);
    assert_eq!(crate::wire::from_cbor::<Rota>(&crate::wire::to_cbor(&old)).unwrap(), expected);
    let json = serde_json::to_string(&old).unwrap();
    assert_eq!(serde_json::from_str::<Rota>(&json).unwrap(), expected);
    assert_eq!(serde_json::to_string(&expected).unwrap(), json, "and is read by who knows of shifts alone");
}
