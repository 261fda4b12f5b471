//! What people hear by themselves.

use super::*;
use firstlight_protocol::{Timestamp, api::Notice, attention::Attention};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn hand_offs(notices: &[Notice]) -> Vec<(bool, Option<Timestamp>, Vec<PersonId>)> {
    let told = notices.iter().filter_map(|notice| match notice {
        Notice::HandOff { on, until, with, .. } => Some((*on, *until, with.clone())),
        _ => None,
    });
    told.collect()
}

fn gaps(notices: &[Notice]) -> Vec<(Timestamp, u32)> {
    let told = notices.iter().filter_map(|notice| match notice {
        Notice::Attention { about: Attention::CoverageGap { from, more, .. } } => Some((*from, *more)),
        _ => None,
    });
    told.collect()
}

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

#[tokio::test]
async fn hand_offs_are_told_once_to_both_and_a_restart_neither_forgets_nor_repeats_one() {
    let house = House::new().await;
    put(&house, nights()).await;
    // 2026-02-02 02:40Z is 10:40 in Manila: the day shift is running.
    let day = house.phone(&backup());
    let told = day.until(|notices| hand_offs(notices).first().cloned()).await;
    assert_eq!(told, (true, Some(at("2026-02-02T12:00:00Z")), vec![]), "on duty since the rota says so");
    let night = house.phone(&primary());
    assert_eq!(hand_offs(&night.notices().await), []);
    house.clock.advance(HOUR * 10);
    let told = night.until(|notices| hand_offs(notices).first().cloned()).await;
    assert_eq!(told, (true, Some(at("2026-02-03T00:00:00Z")), vec![backup().person]));
    let told = day.until(|notices| hand_offs(notices).get(1).cloned()).await;
    assert_eq!(told, (false, None, vec![primary().person]));
    drop((day, night));

    // Down through a whole day, and up again in the same night shift: nothing is new. Down until the day: one thing is.
    let house = house.restart_after(HOUR * 24).await;
    let house = house.restart_after(HOUR * 12).await;
    let (day, night) = (house.phone(&backup()), house.phone(&primary()));
    let all = day.until(|notices| (hand_offs(notices).len() == 3).then(|| hand_offs(notices))).await;
    assert_eq!((all[2].0, all[2].2.clone()), (true, vec![primary().person]));
    assert_eq!(hand_offs(&night.notices().await).iter().map(|told| told.0).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn an_edit_that_changes_who_is_on_duty_now_is_a_hand_off() {
    let house = House::new().await;
    put(&house, nights()).await;
    let day = house.phone(&backup());
    day.until(|notices| hand_offs(notices).first().cloned()).await;
    let body = Override {
        id: id("o"),
        tier: Tier::Primary,
        zone: None,
        person: reserve().person,
        replaces: Some(backup().person),
        from: "2026-02-02T10:00:00".parse().unwrap(),
        until: "2026-02-02T20:00:00".parse().unwrap(),
    };
    changes::add_override(app(&house), supervisor(), Json(body)).await.unwrap();
    let told = day.until(|notices| hand_offs(notices).get(1).cloned()).await;
    assert_eq!(told, (false, None, vec![reserve().person]));
}

#[tokio::test]
async fn new_gaps_are_told_to_supervisors_once() {
    let house = House::new().await;
    put(&house, nights()).await;
    let board = house.phone(&supervisor());
    let away = |name: &str, from: &str, until: &str| {
        let body = Absence {
            id: id(name),
            person: primary().person,
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
        };
        changes::add_absence(app(&house), primary(), Json(body))
    };
    away("a", "2026-02-10T00:00", "2026-02-12T12:00").await.unwrap();
    let told = board.until(|notices| gaps(notices).first().copied()).await;
    assert_eq!(told, (at("2026-02-09T16:00:00Z"), 2), "from midnight, and two more nights");
    // The same gaps are looked at again with every change and every day; only what is new is told.
    away("b", "2026-02-10T00:00", "2026-02-11T00:00").await.unwrap();
    away("c", "2026-03-01T20:00", "2026-03-02T08:00").await.unwrap();
    let told = board.until(|notices| gaps(notices).get(1).copied()).await;
    assert_eq!(told, (at("2026-03-01T12:00:00Z"), 0));
    // A hole that comes again every day is told once, though each day brings another one into view.
    let mut rota = stored(&house).await;
    rota.shifts.remove(1);
    put(&house, rota).await;
    let told = board.until(|notices| gaps(notices).get(2).copied()).await;
    assert!(told.1 > 80, "all the days: {told:?}");
    drop(board);
    let house = house.restart_after(HOUR * 24 * 3).await;
    let board = house.phone(&supervisor());
    let body = Absence {
        id: id("d"),
        person: primary().person,
        from: "2026-04-01T20:00:00".parse().unwrap(),
        until: "2026-04-02T08:00:00".parse().unwrap(),
    };
    changes::add_absence(app(&house), primary(), Json(body)).await.unwrap();
    let told = board.until(|notices| gaps(notices).get(3).copied()).await;
    assert_eq!(told, (at("2026-04-01T00:00:00Z"), 0), "one with the days around it, and nothing before it");
}
