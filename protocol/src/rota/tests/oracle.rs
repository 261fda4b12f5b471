//! The rota read slowly and simply: is this person on duty at this moment? Turn by turn, rule by rule, moment by moment,
//! with the time-zone library asked for each end of everything, and without any of the sets of time that the real one
//! computes with.

use super::{
    layers::{code, person},
    *,
};
use jiff::{Span as Time, civil::Date, tz::AmbiguousOffset};
use proptest::prelude::*;
use std::time::Duration;

/// Zones, and days around which their clocks do something.
const ZONES: &[(&str, &[&str])] = &[
    ("America/Los_Angeles", &["2026-03-08", "2026-11-01"]),
    ("Europe/Berlin", &["2026-03-29", "2026-10-25"]),
    // Half an hour of daylight saving.
    ("Australia/Lord_Howe", &["2026-04-05", "2026-10-04"]),
    // Daylight saving stops for Ramadan.
    ("Africa/Casablanca", &["2026-02-15", "2026-03-22"]),
    // 2011-12-30 never happened.
    ("Pacific/Apia", &["2011-12-30", "2011-09-24"]),
    // At midnight, on dates of their own.
    ("Asia/Gaza", &["2026-03-28", "2026-10-24"]),
    ("America/Santiago", &["2026-04-05", "2026-09-06"]),
    ("Asia/Beirut", &["2026-03-29", "2026-10-25"]),
    // Never, at an odd offset.
    ("Asia/Kathmandu", &["2026-01-01"]),
    // Two hours.
    ("Antarctica/Troll", &["2026-03-29", "2026-10-25"]),
];

/// The one rule about local times, from the library.
fn moment(rota: &Rota, local: DateTime) -> jiff::Timestamp {
    let zone = TimeZone::get(&rota.tz).unwrap();
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
            offset.to_timestamp(local).unwrap()
        }
        AmbiguousOffset::Gap { before, .. } => {
            // The change is the first moment from which the wall shows something later.
            let shown = before.to_timestamp(local).unwrap();
            zone.preceding(shown + Time::new().seconds(1)).next().unwrap().timestamp()
        }
    }
}

struct Naive<'a> {
    rota: &'a Rota,
    at: jiff::Timestamp,
}

impl Naive<'_> {
    fn during(&self, from: DateTime, until: DateTime) -> bool {
        moment(self.rota, from) <= self.at && self.at < moment(self.rota, until)
    }

    fn dates(&self) -> impl Iterator<Item = Date> {
        let today = self.at.to_zoned(TimeZone::get(&self.rota.tz).unwrap()).date();
        (-3..=3).map(move |days| today + Time::new().days(days))
    }

    fn inside(&self, windows: &[Window]) -> bool {
        windows.is_empty()
            || self.dates().any(|date| {
                windows.iter().any(|w| {
                    let today = Weekday::ALL[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())];
                    let ends = if w.until <= w.from { date.tomorrow().unwrap() } else { date };
                    (w.weekdays.is_empty() || w.weekdays.contains(&today))
                        && self.during(date.to_datetime(w.from), ends.to_datetime(w.until))
                })
            })
    }

    fn applies(&self, layer: &Layer) -> bool {
        let holiday = self
            .rota
            .holidays
            .iter()
            .any(|h| self.during(h.date.at(0, 0, 0, 0), h.date.tomorrow().unwrap().at(0, 0, 0, 0)));
        let holidays = match layer.on_holidays {
            OnHolidays::AsUsual => true,
            OnHolidays::Off => !holiday,
            OnHolidays::Only => holiday,
        };
        let end = layer.ends.unwrap_or("2300-01-01T00:00:00".parse().unwrap());
        self.during(layer.starts, end) && self.inside(&layer.only) && holidays
    }

    /// Walks through all turns from the first.
    fn turn_people(&self, layer: &Layer) -> Vec<(DateTime, PersonId)> {
        let (mut begins, mut number) = (layer.starts, 0);
        loop {
            let length = i64::from(layer.cycle.lengths[number % layer.cycle.lengths.len()]);
            let ends = begins
                + match layer.cycle.unit {
                    Unit::Hours => Time::new().hours(length),
                    Unit::Days => Time::new().days(length),
                    Unit::Weeks => Time::new().weeks(length),
                };
            if self.during(begins, ends) {
                let at_once = usize::from(layer.at_once);
                let people = (0..at_once).map(|k| layer.people[(number * at_once + k) % layer.people.len()]);
                return people.map(|person| (begins, person)).collect();
            }
            (begins, number) = (ends, number + 1);
        }
    }

    fn swapped(&self, of: Option<&Code>, begins: DateTime, mut who: PersonId) -> PersonId {
        for swap in self.rota.swaps.iter().filter(|swap| swap.state == SwapState::Accepted) {
            // The generated swaps name turns that exist, exactly.
            if Some(&swap.turn.of) == of && swap.turn.begins == begins && swap.person == who {
                who = swap.to;
            }
        }
        who
    }

    fn on_call(&self) -> Vec<OnDuty> {
        let mut on = Vec::new();
        let rota = self.rota;
        for (place, layer) in rota.layers.iter().enumerate() {
            let covered = rota.layers[place + 1..]
                .iter()
                .any(|above| above.tier == layer.tier && above.zone == layer.zone && self.applies(above));
            if self.applies(layer) && !covered {
                for (begins, planned) in self.turn_people(layer) {
                    let person = self.swapped(Some(&layer.id), begins, planned);
                    on.push(OnDuty { tier: layer.tier, zone: layer.zone.clone(), person });
                }
            }
        }
        for shift in &rota.shifts {
            let (mut from, mut until) = (shift.from, shift.until);
            let step = match shift.repeat {
                Repeat::Once => Time::new().years(1000),
                Repeat::Daily => Time::new().days(1),
                Repeat::Weekly => Time::new().days(7),
            };
            while moment(rota, from) <= self.at && shift.repeat_until.is_none_or(|last| from.date() <= last) {
                if self.during(from, until) {
                    let person = self.swapped(shift.id.as_ref(), from, shift.person);
                    on.push(OnDuty { tier: shift.tier, zone: shift.zone.clone(), person });
                }
                (from, until) = (from + step, until + step);
            }
        }
        for change in rota.overrides.iter().filter(|o| self.during(o.from, o.until)) {
            on.retain(|o| !(o.tier == change.tier && o.zone == change.zone && Some(o.person) == change.replaces));
            on.push(OnDuty { tier: change.tier, zone: change.zone.clone(), person: change.person });
        }
        on.retain(|o| !rota.absences.iter().any(|a| a.person == o.person && self.during(a.from, a.until)));
        on.sort();
        on.dedup();
        on
    }
}

fn zones() -> impl Strategy<Value = Option<Code>> {
    prop_oneof![3 => Just(None), 1 => Just(Some(code("north")))]
}

fn tiers() -> impl Strategy<Value = Tier> {
    prop_oneof![3 => Just(Tier::Primary), 1 => Just(Tier::Backup)]
}

fn people() -> impl Strategy<Value = PersonId> {
    (1u8..6).prop_map(person)
}

/// Times that meet each other and the changes of the clock often: quarters of an hour, most of them at night.
fn times() -> impl Strategy<Value = jiff::civil::Time> {
    let hour = prop_oneof![3 => 0i8..4, 1 => 4i8..24];
    (hour, 0i8..4).prop_map(|(hour, quarter)| jiff::civil::Time::constant(hour, quarter * 15, 0, 0))
}

fn local(day: Date, days: std::ops::Range<i32>) -> impl Strategy<Value = DateTime> {
    (days, times()).prop_map(move |(days, time)| (day + Time::new().days(days)).to_datetime(time))
}

fn windows() -> impl Strategy<Value = Vec<Window>> {
    let days = proptest::collection::vec(proptest::sample::select(Weekday::ALL), 0..4);
    let window = (days, times(), times()).prop_map(|(weekdays, from, until)| Window { weekdays, from, until });
    proptest::collection::vec(window, 0..3)
}

fn some_layers(day: Date) -> impl Strategy<Value = Vec<Layer>> {
    let cycle = (proptest::sample::select(Unit::ALL), proptest::collection::vec(1u16..4, 1..4));
    let layer = (
        (tiers(), zones(), proptest::collection::vec(people(), 2..5), 1u16..3),
        (local(day, -20..1), proptest::option::weighted(0.2, local(day, 1..4)), cycle),
        (windows(), proptest::sample::select(OnHolidays::ALL)),
    );
    let layer = layer.prop_map(|((tier, zone, people, at_once), (starts, ends, cycle), (only, on_holidays))| Layer {
        id: code("x"),
        tier,
        zone,
        people,
        at_once,
        starts,
        ends,
        cycle: Cycle {
            unit: cycle.0,
            lengths: cycle.1.iter().map(|n| if cycle.0 == Unit::Hours { n * 5 } else { *n }).collect(),
        },
        only,
        on_holidays,
    });
    proptest::collection::vec(layer, 0..4).prop_map(|mut layers| {
        for (n, layer) in layers.iter_mut().enumerate() {
            layer.id = code(&format!("l{n}"));
        }
        layers
    })
}

fn some_shifts(day: Date) -> impl Strategy<Value = Vec<Shift>> {
    let shift = (tiers(), zones(), people(), local(day, -9..2), 1i64..96, proptest::sample::select(Repeat::ALL));
    let shift = shift.prop_map(|(tier, zone, person, from, quarters, repeat)| Shift {
        id: None,
        tier,
        zone,
        person,
        from,
        until: from + Time::new().minutes(quarters * 15),
        repeat,
        repeat_until: None,
    });
    proptest::collection::vec(shift, 0..4).prop_map(|mut shifts| {
        for (n, shift) in shifts.iter_mut().enumerate() {
            shift.id = Some(code(&format!("s{n}")));
        }
        shifts
    })
}

fn stretch(day: Date) -> impl Strategy<Value = (DateTime, DateTime)> {
    (local(day, -2..2), 1i64..200).prop_map(|(from, quarters)| (from, from + Time::new().minutes(quarters * 15)))
}

/// Swaps of the turns that are running two days before, at and after the day, whosever they are.
fn with_swaps(mut rota: Rota, day: Date, takers: &[(i32, PersonId)]) -> Rota {
    let near = rota.moment(day.at(2, 0, 0, 0)).unwrap();
    let (from, until) = (near - Duration::from_secs(36 * 3600), near + Duration::from_secs(36 * 3600));
    let spans = rota.schedule(from, until).unwrap();
    for (n, (place, to)) in takers.iter().enumerate() {
        let Some(span) = spans.get(place.unsigned_abs() as usize % spans.len().max(1)) else { break };
        if span.person != *to {
            let turn = Turn { of: span.source.id.clone().unwrap(), begins: span.source.begins };
            let (id, person, state) = (code(&format!("w{n}")), span.person, SwapState::Accepted);
            rota.swaps.push(Swap { id, person, to: *to, turn, in_return: None, state });
        }
    }
    rota
}

fn rotas() -> impl Strategy<Value = (Rota, Date)> {
    let day = proptest::sample::select(ZONES)
        .prop_flat_map(|(tz, days)| (Just(tz), proptest::sample::select(days)))
        .prop_map(|(tz, day)| (tz, day.parse::<Date>().unwrap()));
    day.prop_flat_map(|(tz, day)| {
        let overrides =
            proptest::collection::vec((tiers(), zones(), people(), proptest::option::of(people()), stretch(day)), 0..3);
        let away = proptest::collection::vec((people(), stretch(day)), 0..2);
        let takers = proptest::collection::vec((0i32..100, people()), 0..4);
        (some_layers(day), some_shifts(day), overrides, away, takers, proptest::bool::ANY).prop_map(
            move |(layers, shifts, overrides, away, takers, holiday)| {
                let holidays = holiday.then(|| Holiday { date: day, code: code("day") }).into_iter().collect();
                let rota = Rota { layers, shifts, holidays, ..Rota::new(tz) };
                let mut rota = with_swaps(rota, day, &takers);
                for (n, (tier, zone, person, replaces, (from, until))) in overrides.into_iter().enumerate() {
                    let replaces = replaces.filter(|replaced| *replaced != person);
                    rota.overrides.push(Override {
                        id: code(&format!("o{n}")),
                        tier,
                        zone,
                        person,
                        replaces,
                        from,
                        until,
                    });
                }
                for (n, (person, (from, until))) in away.into_iter().enumerate() {
                    rota.absences.push(Absence { id: code(&format!("a{n}")), person, from, until });
                }
                (rota, day)
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]

    /// PEERS.md: "daylight-saving gaps and overlaps".
    #[test]
    fn the_rota_is_what_it_says_at_every_quarter_of_an_hour_around_changes_of_the_clock((rota, day) in rotas()) {
        prop_assert_eq!(rota.validate(), Ok(()));
        let near = rota.moment(day.at(2, 0, 0, 0)).unwrap();
        let hour = Duration::from_secs(3600);
        let (from, until) = (near - hour * 20, near + hour * 20);
        let spans = rota.schedule(from, until).unwrap();
        let gaps = rota.gaps(from, until).unwrap();
        let mut next = rota.next_change(from).unwrap();
        let mut before = None;
        let mut now = from;
        while now < until {
            let expected = Naive { rota: &rota, at: jiff::Timestamp::from_millisecond(now.0).unwrap() }.on_call();
            prop_assert_eq!(&rota.on_call(now).unwrap(), &expected, "at {}", now);
            let running = spans.iter().filter(|span| span.from <= now && now < span.until);
            let mut scheduled: Vec<OnDuty> =
                running.map(|s| OnDuty { tier: s.tier, person: s.person, zone: s.zone.clone() }).collect();
            scheduled.sort();
            scheduled.dedup();
            prop_assert_eq!(&scheduled, &expected, "the schedule at {}", now);
            if next.is_some_and(|next| next <= now) {
                prop_assert!(before.as_ref() != Some(&expected) , "nothing changes at {}", now);
                next = rota.next_change(now).unwrap();
            } else {
                prop_assert!(before.is_none_or(|before| before == expected), "a change was missed before {}", now);
            }
            let uncovered = expected.iter().all(|on| on.tier != Tier::Primary || on.zone.is_some());
            let speaks = |zone: bool| rota.shifts.iter().map(|s| (s.tier, s.zone.is_some()))
                .chain(rota.layers.iter().map(|l| (l.tier, l.zone.is_some())))
                .any(|(tier, zoned)| tier == Tier::Primary && zoned == zone);
            if speaks(false) || !speaks(true) {
                let found = gaps.iter().any(|gap| {
                    gap.tier == Tier::Primary && gap.zone.is_none() && gap.from <= now && now < gap.until
                });
                prop_assert_eq!(found, uncovered, "a gap at {}", now);
            }
            before = Some(expected);
            now = now + Duration::from_secs(900);
        }
    }

    #[test]
    fn local_times_and_moments_follow_the_library(zone in 0..ZONES.len(), quarter in -400i64..400) {
        let (tz, days) = ZONES[zone];
        let rota = Rota::new(tz);
        for day in days {
            let local = day.parse::<Date>().unwrap().at(0, 0, 0, 0) + Time::new().minutes(quarter * 15);
            let at = rota.moment(local).unwrap();
            prop_assert_eq!(at.0, moment(&rota, local).as_millisecond(), "{} {}", tz, local);
            let shown = rota.local(at).unwrap();
            prop_assert!(shown >= local, "skipped: the wall shows a later time; otherwise this one");
            prop_assert_eq!(rota.moment(rota.local_not_before(at).unwrap()).unwrap(), at);
            let later = at + Duration::from_secs(900 * quarter.unsigned_abs());
            prop_assert!(rota.moment(rota.local_not_before(later).unwrap()).unwrap() >= later);
        }
    }
}
