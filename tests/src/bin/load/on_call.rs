//! Who is on call, and the next 90 days: the pure functions that every step of dispatch and every board asks.

use crate::report::{Report, percentile};
use firstlight_protocol::{
    PersonId, Timestamp,
    callout::{Code, Tier},
    rota::{Absence, Cycle, Layer, OnHolidays, Override, Repeat, Rota, Shift, Unit, Weekday, Window},
};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// The goal of issue 3 for 200 people, in milliseconds.
const GOAL: f64 = 10.0;
const PEOPLE: u8 = 200;
/// 2026-01-05, a Monday.
const MONDAY: &str = "2026-01-05T00:00:00";

pub(crate) fn measure(report: &mut Report, quick: bool) {
    eprintln!("on-call computation: {PEOPLE} people");
    let rounds = if quick { 50 } else { 500 };
    let quarter = Duration::from_secs(90 * 24 * 3600);
    for (name, rota) in [("every shift written out", shifts()), ("layers of rotations", layers())] {
        rota.validate().expect("a rota within its bounds");
        let time = |what: &dyn Fn(Timestamp)| {
            let mut samples: Vec<Duration> = (0..rounds)
                .map(|round| {
                    // Through the year, over both changes of the clock.
                    let at = Timestamp(1_767_600_000_000) + Duration::from_secs(61_200 * round);
                    let began = Instant::now();
                    what(at);
                    began.elapsed()
                })
                .collect();
            percentile(&mut samples, 0.99)
        };
        let on_call = time(&|at| drop(black_box(rota.on_call(at).expect("a known zone"))));
        report.at_most(format!("on call at T, {name}, p99"), on_call, "ms", GOAL);
        let schedule = time(&|at| drop(black_box(rota.schedule(at, at + quarter).expect("a known zone"))));
        report.at_most(format!("next 90 days, {name}, p99"), schedule, "ms", GOAL);
        let gaps = time(&|at| drop(black_box(rota.gaps(at, at + quarter).expect("a known zone"))));
        report.at_most(format!("gaps of 90 days, {name}, p99"), gaps, "ms", GOAL);
    }
}

fn person(n: u8) -> PersonId {
    PersonId([n; 16])
}

fn code(text: &str) -> Code {
    text.parse().expect("a code")
}

/// Seven weekly shifts for each.
fn shifts() -> Rota {
    let shifts = (0..PEOPLE).flat_map(|n| {
        (5..12).map(move |day| Shift {
            id: None,
            tier: [Tier::Primary, Tier::Backup][usize::from(n % 2)],
            person: person(n),
            zone: None,
            from: format!("2026-01-{day:02}T{:02}:00", n % 24).parse().expect("a local time"),
            until: format!("2026-01-{:02}T{:02}:00", day + 1, n % 24).parse().expect("a local time"),
            repeat: Repeat::Weekly,
            repeat_until: None,
        })
    });
    Rota { shifts: shifts.collect(), ..Rota::new("America/Los_Angeles") }
}

/// Twenty zones with ten people each: days, nights and weekends in layers of their own; everybody is away at times, and
/// somebody else has their turns then.
fn layers() -> Rota {
    let window = |weekdays: &[Weekday], from: &str, until: &str| Window {
        weekdays: weekdays.to_vec(),
        from: from.parse().expect("a time"),
        until: until.parse().expect("a time"),
    };
    let mut rota = Rota::new("America/Los_Angeles");
    for zone in 0..PEOPLE / 10 {
        let layer = |name: &str, unit, lengths: &[u16], only: Vec<Window>| Layer {
            id: code(&format!("{name}-{zone}")),
            tier: Tier::Primary,
            zone: Some(code(&format!("zone-{zone}"))),
            people: (0..10).map(|n| person(zone * 10 + n)).collect(),
            at_once: 1,
            starts: MONDAY.parse().expect("a local time"),
            ends: None,
            cycle: Cycle { unit, lengths: lengths.to_vec() },
            only,
            on_holidays: OnHolidays::AsUsual,
        };
        rota.layers.push(layer("days", Unit::Weeks, &[1], vec![]));
        rota.layers.push(layer("nights", Unit::Days, &[2, 2, 3], vec![window(&[], "22:00", "06:00")]));
        let weekend = vec![window(&[Weekday::Sat, Weekday::Sun], "00:00", "00:00")];
        rota.layers.push(layer("weekends", Unit::Hours, &[12], weekend));
    }
    for n in 0..PEOPLE {
        let (from, until) = (format!("2026-{:02}-10T00:00", n % 12 + 1), format!("2026-{:02}-17T00:00", n % 12 + 1));
        let (from, until) = (from.parse().expect("a local time"), until.parse().expect("a local time"));
        rota.absences.push(Absence { id: code(&format!("away-{n}")), person: person(n), from, until });
        rota.overrides.push(Override {
            id: code(&format!("over-{n}")),
            tier: Tier::Primary,
            zone: Some(code(&format!("zone-{}", n / 10))),
            person: person((n + 11) % PEOPLE),
            replaces: Some(person(n)),
            from,
            until,
        });
    }
    rota
}
