//! People who take turns.

use super::*;

pub(super) fn code(text: &str) -> Code {
    text.parse().unwrap()
}

pub(super) fn person(n: u8) -> PersonId {
    PersonId([n; 16])
}

pub(super) fn layer(id: &str, people: &[u8], starts: &str, unit: Unit, lengths: &[u16]) -> Layer {
    Layer {
        id: code(id),
        tier: Tier::Primary,
        zone: None,
        people: people.iter().map(|n| person(*n)).collect(),
        at_once: 1,
        starts: starts.parse().unwrap(),
        ends: None,
        cycle: Cycle { unit, lengths: lengths.to_vec() },
        only: Vec::new(),
        on_holidays: OnHolidays::AsUsual,
    }
}

pub(super) fn window(weekdays: &[Weekday], from: &str, until: &str) -> Window {
    Window { weekdays: weekdays.to_vec(), from: from.parse().unwrap(), until: until.parse().unwrap() }
}

pub(super) fn layered(tz: &str, layers: Vec<Layer>) -> Rota {
    let rota = Rota { layers, ..Rota::new(tz) };
    assert_eq!(rota.validate(), Ok(()));
    rota
}

#[test]
fn turns_of_hours_days_weeks_and_of_a_cycle_of_its_own() {
    let la = "America/Los_Angeles";
    // Twelve hours each, from 07:00; -08 in January.
    let hourly = layered(la, vec![layer("h", &[1, 2, 3], "2026-01-05T07:00", Unit::Hours, &[12])]);
    assert_eq!(on_duty(&hourly, "2026-01-05T14:59:59Z"), NOBODY, "before the first turn");
    for (hour, who) in [("05T15:00", 1), ("06T02:59", 1), ("06T03:00", 2), ("06T15:00", 3), ("07T03:00", 1)] {
        assert_eq!(on_duty(&hourly, &format!("2026-01-{hour}:00Z")), [who], "{hour}");
    }
    let daily = layered(la, vec![layer("d", &[1, 2, 3], "2026-01-05T09:00", Unit::Days, &[1])]);
    for (hour, who) in [("05T17:00", 1), ("06T16:59", 1), ("06T17:00", 2), ("07T17:00", 3), ("08T17:00", 1)] {
        assert_eq!(on_duty(&daily, &format!("2026-01-{hour}:00Z")), [who], "{hour}");
    }
    let weekly = layered(la, vec![layer("w", &[1, 2], "2026-01-05T09:00", Unit::Weeks, &[1])]);
    for (hour, who) in [("05T17:00", 1), ("12T16:59", 1), ("12T17:00", 2), ("19T17:00", 1)] {
        assert_eq!(on_duty(&weekly, &format!("2026-01-{hour}:00Z")), [who], "{hour}");
    }
    // Two days, two days, three days.
    let custom = layered(la, vec![layer("c", &[1, 2], "2026-01-05T00:00", Unit::Days, &[2, 2, 3])]);
    let days: Vec<u8> = (5..19).map(|day| on_duty(&custom, &format!("2026-01-{day:02}T20:00:00Z"))[0]).collect();
    assert_eq!(days, [1, 1, 2, 2, 1, 1, 1, 2, 2, 1, 1, 2, 2, 2]);
}

#[test]
fn a_weekly_hand_over_stays_at_its_wall_time_through_both_changes() {
    let rota = layered("America/Los_Angeles", vec![layer("w", &[1, 2], "2026-03-02T09:00", Unit::Weeks, &[1])]);
    assert_eq!(on_duty(&rota, "2026-03-09T15:59:59Z"), [1]);
    assert_eq!(on_duty(&rota, "2026-03-09T16:00:00Z"), [2], "09:00 -07, a week less an hour later");
    assert_eq!(on_duty(&rota, "2026-11-02T16:59:59Z"), [1]);
    assert_eq!(on_duty(&rota, "2026-11-02T17:00:00Z"), [2], "09:00 -08");
}

#[test]
fn two_at_once_come_and_go_together() {
    let mut pairs = layer("pairs", &[1, 2, 3, 4], "2026-01-05T00:00", Unit::Days, &[1]);
    pairs.at_once = 2;
    let rota = layered("Asia/Manila", vec![pairs]);
    assert_eq!(on_duty(&rota, "2026-01-05T03:00:00Z"), [1, 2]);
    assert_eq!(on_duty(&rota, "2026-01-06T03:00:00Z"), [3, 4]);
    assert_eq!(on_duty(&rota, "2026-01-07T03:00:00Z"), [1, 2]);
}

#[test]
fn the_last_layer_that_applies_has_the_tier_and_other_tiers_and_zones_are_left_alone() {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    let base = layer("base", &[1], "2026-01-01T00:00", Unit::Weeks, &[1]);
    let mut nights = layer("nights", &[2], "2026-01-01T00:00", Unit::Weeks, &[1]);
    nights.only = vec![window(&[Mon, Tue, Wed, Thu, Fri], "22:00", "06:00")];
    let mut weekend = layer("weekend", &[3], "2026-01-01T00:00", Unit::Weeks, &[1]);
    weekend.only = vec![window(&[Sat, Sun], "00:00", "00:00")];
    let mut backup = layer("backup", &[4], "2026-01-01T00:00", Unit::Weeks, &[1]);
    backup.tier = Tier::Backup;
    let mut north = layer("north", &[5], "2026-01-01T00:00", Unit::Weeks, &[1]);
    north.zone = Some(code("north"));
    let rota = layered("Asia/Manila", vec![base, nights, weekend, backup, north]);
    let primary = |when: &str| -> Vec<u8> {
        let on = rota.on_call(at(when)).unwrap();
        on.iter().filter(|on| on.tier == Tier::Primary).map(|on| on.person.0[0]).collect()
    };
    // Manila is +08 all year; 2026-01-05 is a Monday.
    assert_eq!(primary("2026-01-05T04:00:00Z"), [1, 5], "Monday noon");
    assert_eq!(primary("2026-01-05T15:00:00Z"), [2, 5], "Monday 23:00");
    assert_eq!(primary("2026-01-05T21:00:00Z"), [2, 5], "Tuesday 05:00 is Monday's night");
    assert_eq!(primary("2026-01-05T22:00:00Z"), [1, 5], "Tuesday 06:00");
    assert_eq!(primary("2026-01-09T15:59:59Z"), [2, 5], "Friday's night");
    assert_eq!(primary("2026-01-09T16:00:00Z"), [3, 5], "until the weekend begins, at midnight");
    assert_eq!(primary("2026-01-11T15:59:59Z"), [3, 5], "Sunday's last second");
    assert_eq!(primary("2026-01-11T16:00:00Z"), [1, 5], "Monday 00:00: Sunday has no night layer");
    assert!(rota.on_call(at("2026-01-05T04:00:00Z")).unwrap().iter().any(|on| on.tier == Tier::Backup));
}

#[test]
fn holidays_begin_and_end_at_midnight() {
    let base = layer("base", &[1], "2026-01-01T00:00", Unit::Weeks, &[1]);
    let mut off = layer("off", &[2], "2026-01-01T00:00", Unit::Weeks, &[1]);
    off.on_holidays = OnHolidays::Off;
    let mut only = layer("only", &[3], "2026-01-01T00:00", Unit::Weeks, &[1]);
    (only.on_holidays, only.only) = (OnHolidays::Only, vec![window(&[], "08:00", "20:00")]);
    let mut rota = layered("Asia/Manila", vec![base, off, only]);
    rota.holidays.push(Holiday { date: "2026-12-25".parse().unwrap(), code: code("christmas") });
    assert_eq!(on_duty(&rota, "2026-12-24T15:59:59Z"), [2]);
    assert_eq!(on_duty(&rota, "2026-12-24T16:00:00Z"), [1], "midnight: the layer that is off uncovers the one below");
    assert_eq!(on_duty(&rota, "2026-12-25T00:00:00Z"), [3], "08:00");
    assert_eq!(on_duty(&rota, "2026-12-25T12:00:00Z"), [1], "20:00");
    assert_eq!(on_duty(&rota, "2026-12-25T16:00:00Z"), [2]);
}

#[test]
fn a_layer_ends_when_it_says_so() {
    let mut short = layer("short", &[1], "2026-01-05T09:00", Unit::Days, &[1]);
    short.ends = Some("2026-01-07T12:00:00".parse().unwrap());
    let rota = layered("Asia/Manila", vec![short]);
    assert_eq!(on_duty(&rota, "2026-01-07T03:59:59Z"), [1]);
    assert_eq!(on_duty(&rota, "2026-01-07T04:00:00Z"), NOBODY);
    assert_eq!(
        rota.next_change(at("2026-01-05T04:00:00Z")).unwrap(),
        Some(at("2026-01-07T04:00:00Z")),
        "not each turn"
    );
    assert_eq!(rota.next_change(at("2026-01-07T04:00:00Z")).unwrap(), None);
}

#[test]
fn layers_that_make_no_sense_are_refused_by_their_place() {
    let good = || layer("good", &[1], "2026-01-05T09:00", Unit::Days, &[1]);
    let bad = [
        Layer { tier: Tier::Everyone, ..good() },
        Layer { people: vec![], ..good() },
        Layer { at_once: 0, ..good() },
        Layer { at_once: 2, ..good() },
        Layer { cycle: Cycle { unit: Unit::Days, lengths: vec![] }, ..good() },
        Layer { cycle: Cycle { unit: Unit::Days, lengths: vec![1, 0] }, ..good() },
        Layer { cycle: Cycle { unit: Unit::Weeks, lengths: vec![53] }, ..good() },
        Layer { ends: Some(good().starts), ..good() },
        Layer { starts: "1969-12-31T00:00".parse().unwrap(), ..good() },
        Layer { only: vec![window(&[], "00:00:00.5", "01:00")], ..good() },
        Layer { ..good() },
    ];
    for bad in bad {
        let other = Layer { id: code("good"), ..good() };
        let rota = Rota { layers: vec![other, bad], ..Rota::new("Asia/Manila") };
        let problem = rota.validate().unwrap_err();
        assert!(problem.detail.as_deref().unwrap().starts_with("layer 2:"), "{problem:?}");
    }
}
