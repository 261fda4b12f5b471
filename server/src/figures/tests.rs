//! Figures against a naive reading of their definitions; suppression against somebody who subtracts.

use super::{
    compute::{figures, group},
    facts::Fact,
    period::{Calendar, Period},
    report,
    suppress::{OTHERS, merge_small},
    table::{Wish, table},
};
use firstlight_protocol::{
    CalloutId, OrgId, Timestamp,
    callout::{CalloutState, OutcomeReason},
    figures::{FigureTable, Figures, GroupBy, SMALLEST_CELL},
    policy::Millis,
    record::CalloutTimes,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, time::Duration};

const ZONES: [&str; 6] = ["north", "south", "east", "west", "harbour", "airport"];
/// 2026-01-01T00:00:00Z.
const BEGIN: Timestamp = Timestamp(1_767_225_600_000);
const DAY: i64 = 24 * 3_600_000;

fn now() -> Timestamp {
    Timestamp(BEGIN.0 + 200 * DAY)
}

fn wish(outside: bool) -> Wish {
    let period = Period { from: BEGIN, until: now() };
    let names = BTreeMap::from([(OrgId([1; 16]).to_string(), "Police <1> & \"sons\"".to_owned())]);
    Wish { period, calendar: Calendar::named("America/Los_Angeles"), outside, now: now(), names }
}

/// One callout, opened some days after [`BEGIN`].
fn fact(n: u8, zone: usize, day: i64) -> Fact {
    let opened_at = Timestamp(BEGIN.0 + day * DAY + i64::from(n) * 3_600_000);
    Fact {
        callout: CalloutId([n; 16]),
        agency: OrgId([1; 16]),
        zone: ZONES[zone % ZONES.len()].parse().unwrap(),
        state: CalloutState::Reviewed,
        times: CalloutTimes {
            first_contact_at: opened_at - Duration::from_secs(600),
            opened_at,
            first_page_at: Some(opened_at),
            acknowledged_at: None,
            accepted_at: None,
            en_route_at: None,
            arrived_at: None,
            with_young_person_at: None,
            handed_over_at: None,
            ended_at: None,
            reviewed_at: None,
        },
        review_due_at: None,
        target: Millis::minutes(60),
        unanswered: false,
        language_match: None,
        reasons: Vec::new(),
        support: None,
        kits_given: None,
    }
}

fn any_fact() -> impl Strategy<Value = Fact> {
    let state = prop_oneof![
        8 => Just(CalloutState::Reviewed),
        2 => Just(CalloutState::Closed),
        1 => Just(CalloutState::Paging),
        1 => Just(CalloutState::Merged),
        1 => Just(CalloutState::Cancelled),
    ];
    let zone = prop_oneof![6 => 0usize..2, 1 => 2usize..6];
    let minutes = || proptest::option::weighted(0.8, 0u64..200);
    let bits = (any::<bool>(), proptest::option::of(any::<bool>()), any::<bool>());
    (state, zone, 0i64..190, any::<u8>(), minutes(), minutes(), bits).prop_map(
        |(state, zone, day, n, accepted, arrived, (unanswered, language_match, late))| {
            let mut fact = fact(n, zone, day);
            let after = |minutes: u64| fact.times.opened_at + Duration::from_secs(minutes * 60);
            (fact.times.accepted_at, fact.times.arrived_at) = (accepted.map(after), arrived.map(after));
            fact.times.acknowledged_at = fact.times.accepted_at;
            fact.agency = OrgId([1 + n % 3; 16]);
            let reasons = if late { vec![OutcomeReason::CalledLate] } else { Vec::new() };
            Fact { state, unanswered, language_match, reasons, ..fact }
        },
    )
}

/// The smallest measured time that at least so many per cent of all do not exceed.
fn naive(times: &[u64], percent: usize) -> Option<Millis> {
    let enough = |t: &u64| times.iter().filter(|other| *other <= t).count() * 100 >= times.len() * percent;
    times.iter().copied().filter(enough).min().map(Millis)
}

/// What a hidden cell of a column can be for somebody who knows every number that is shown: each is between nothing and
/// all of its row, and together they are what the total leaves.
fn can_be(hidden: &[u64], left: u64) -> Vec<(u64, u64)> {
    let sum: u64 = hidden.iter().sum();
    hidden.iter().map(|row| (left.saturating_sub(sum - row), left.min(*row))).collect()
}

type Column = fn(&Figures) -> Option<u64>;

fn nothing_small_is_told(table: &FigureTable, name: &str, column: Column) {
    let cells: Vec<(u64, Option<u64>)> =
        table.rows.iter().map(|row| (row.figures.callouts.unwrap_or(0), column(&row.figures))).collect();
    let total = column(&table.total);
    for (of, n) in cells.iter().copied().chain([(table.total.callouts.unwrap_or(0), total)]) {
        let Some(n) = n else { continue };
        assert!(n >= SMALLEST_CELL, "{name}: {n} is told");
        assert!(!(1..SMALLEST_CELL).contains(&(of - n)), "{name}: {n} of {of} leaves a small cell over");
    }
    let Some(total) = total else { return };
    let shown: u64 = cells.iter().filter_map(|(_, n)| *n).sum();
    let hidden: Vec<u64> = cells.iter().filter(|(_, n)| n.is_none()).map(|(of, _)| *of).collect();
    if hidden.is_empty() {
        return;
    }
    assert!(total - shown >= SMALLEST_CELL, "{name}: what is hidden is small together");
    for (least, most) in can_be(&hidden, total - shown) {
        assert!(least < most, "{name}: a hidden cell can only be {least}");
    }
}

proptest! {
    #[test]
    fn figures_are_what_their_definitions_say(facts in proptest::collection::vec(any_fact(), 0..60)) {
        let all: Vec<&Fact> = facts.iter().collect();
        let figures = figures(&all, now());
        let void = |f: &Fact| matches!(f.state, CalloutState::Merged | CalloutState::Cancelled);
        let arrived: Vec<u64> = facts
            .iter()
            .filter(|f| !void(f))
            .filter_map(|f| Some((f.times.arrived_at?.0 - f.times.opened_at.0).unsigned_abs()))
            .collect();
        let to_arrive = figures.to_arrive.unwrap();
        prop_assert_eq!(to_arrive.measured, Some(arrived.len() as u64));
        prop_assert_eq!(to_arrive.median_ms, naive(&arrived, 50));
        prop_assert_eq!(to_arrive.p90_ms, naive(&arrived, 90));
        // Everything lies further back than the target, so that all is decided.
        let target = figures.within_target.unwrap();
        let in_time = arrived.iter().filter(|ms| **ms <= 3_600_000).count() as u64;
        let decided = facts.iter().filter(|f| !void(f)).count() as u64;
        prop_assert_eq!((target.of, target.met), (Some(decided), Some(in_time)));
        prop_assert_eq!(figures.callouts, Some(facts.len() as u64));
        let merged = facts.iter().filter(|f| f.state == CalloutState::Merged).count() as u64;
        prop_assert_eq!(figures.duplicates, Some(merged));
    }

    #[test]
    fn groups_add_up_to_the_whole(facts in proptest::collection::vec(any_fact(), 0..60)) {
        for by in [GroupBy::Zone, GroupBy::Agency, GroupBy::Month] {
            let table = table(&facts, by, &wish(false));
            let sum = |column: Column| table.rows.iter().filter_map(|row| column(&row.figures)).sum::<u64>();
            for column in [|f: &Figures| f.callouts, |f: &Figures| f.unanswered, |f: &Figures| f.cancelled] {
                prop_assert_eq!(Some(sum(column)), column(&table.total));
            }
        }
    }

    #[test]
    fn nothing_suppressed_can_be_found_by_subtracting(
        facts in proptest::collection::vec(any_fact(), 0..90),
        by in prop_oneof![Just(GroupBy::Zone), Just(GroupBy::Agency), Just(GroupBy::Month)],
    ) {
        let (wish, inside) = (wish(true), table(&facts, by, &wish(false)));
        let outside = table(&facts, by, &wish);
        let columns: [(&str, Column); 4] = [
            ("unanswered", |f| f.unanswered),
            ("duplicates", |f| f.duplicates),
            ("cancelled", |f| f.cancelled),
            ("called late", |f| f.called_late),
        ];
        for (name, column) in columns {
            nothing_small_is_told(&outside, name, column);
        }
        // No row stands for a small group, and the row of the others for more than one group.
        let small = |key: &str| inside.rows.iter().any(|row| row.key == key && row.figures.callouts < Some(SMALLEST_CELL));
        for row in &outside.rows {
            prop_assert!(!small(&row.key), "{} is told", row.key);
            if outside.total.callouts.is_some() {
                prop_assert!(row.figures.callouts >= Some(SMALLEST_CELL), "{}: {:?}", row.key, row.figures.callouts);
            }
        }
        let merged = inside.rows.len() - outside.rows.iter().filter(|row| row.key != OTHERS).count();
        prop_assert!(merged != 1 || inside.rows.len() == 1, "the others are one group");
        // The shares, against somebody who knows of how many each is.
        let groups = merge_small(group(&facts, by, &wish.calendar));
        let open: Vec<Figures> = groups.values().map(|facts| figures(facts, wish.now)).collect();
        for share in [|f: &Figures| f.within_target, |f: &Figures| f.language_match] {
            let parts = |f: &Figures| share(f).map_or((0, 0), |s| (s.met.unwrap_or(0), s.of.unwrap_or(0)));
            let (met, of) = open.iter().map(parts).fold((0, 0), |sum, n| (sum.0 + n.0, sum.1 + n.1));
            if share(&outside.total).is_none() || met == of {
                continue;
            }
            let (mut hidden, mut left) = (Vec::new(), met);
            for (row, open) in outside.rows.iter().zip(&open) {
                let (met, of) = parts(open);
                match share(&row.figures) {
                    None => hidden.push(of),
                    Some(shown) => {
                        prop_assert!(met >= SMALLEST_CELL && !(1..SMALLEST_CELL).contains(&(of - met)));
                        prop_assert_eq!((shown.of, shown.met), (None, None));
                        left -= met;
                    }
                }
            }
            let possible = can_be(&hidden, left);
            for ((least, most), of) in possible.into_iter().zip(&hidden) {
                prop_assert!(least < most || *of == 0, "a hidden share can only be {least} of {of}");
            }
        }
        // Times of few.
        for (row, open) in outside.rows.iter().zip(&open) {
            let (shown, open) = (row.figures.to_arrive, open.to_arrive.unwrap());
            prop_assert_eq!(shown.is_some(), open.measured >= Some(SMALLEST_CELL));
            prop_assert!(shown.is_none_or(|time| time.measured.is_none()));
        }
    }

    #[test]
    fn the_total_is_the_same_in_every_table(facts in proptest::collection::vec(any_fact(), 0..60)) {
        let total = |by| table(&facts, by, &wish(true)).total;
        prop_assert_eq!(total(GroupBy::Zone), total(GroupBy::Month));
        prop_assert_eq!(total(GroupBy::Zone), total(GroupBy::Agency));
    }

    #[test]
    fn the_report_is_well_formed_and_loads_nothing(
        facts in proptest::collection::vec(any_fact(), 0..40),
        outside in any::<bool>(),
    ) {
        let page = report::page(&facts, &wish(outside));
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        let document = roxmltree::Document::parse_with_options(&page, options).unwrap();
        let mut ids = Vec::new();
        for element in document.descendants().filter(|node| node.is_element()) {
            let tag = element.tag_name().name();
            prop_assert!(!["script", "iframe", "object", "link", "img", "form", "a"].contains(&tag), "{}", tag);
            for attribute in element.attributes() {
                prop_assert!(!attribute.name().starts_with("on"));
                prop_assert!(!attribute.value().contains("http"));
            }
            if tag == "svg" {
                let names = element.attribute("aria-labelledby").unwrap();
                for name in names.split(' ') {
                    let told = element.descendants().find(|node| node.attribute("id") == Some(name)).unwrap();
                    prop_assert!(told.text().is_some_and(|text| !text.is_empty()));
                }
            }
            ids.extend(element.attribute("id"));
        }
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), all, "ids are unique");
        prop_assert!(!page.contains("url(") && !page.contains("@import"));
    }
}

#[test]
fn a_single_small_zone_can_not_be_told_by_what_the_others_leave() {
    // 8 in the north, 6 in the south, 2 in the east.
    let facts: Vec<Fact> = (0..16).map(|n| fact(n, usize::from(n >= 8) + usize::from(n >= 14), 3)).collect();
    let outside = table(&facts, GroupBy::Zone, &wish(true));
    let rows: Vec<_> = outside.rows.iter().map(|row| (row.key.as_str(), row.figures.callouts)).collect();
    assert_eq!(rows, [("north", Some(8)), (OTHERS, Some(8))]);
    assert_eq!(outside.total.callouts, Some(16));
}

#[test]
fn a_single_small_cell_takes_another_with_it() {
    // Unanswered: 6 of 10 in the north, 7 of 12 in the south, 2 of 10 in the east.
    let facts: Vec<Fact> = (0..32u8)
        .map(|n| {
            let (zone, unanswered) = match n {
                0..10 => (0, n < 6),
                10..22 => (1, n < 17),
                _ => (2, n < 24),
            };
            Fact { unanswered, ..fact(n, zone, 3) }
        })
        .collect();
    let outside = table(&facts, GroupBy::Zone, &wish(true));
    let cells: Vec<_> = outside.rows.iter().map(|row| (row.key.as_str(), row.figures.unanswered)).collect();
    assert_eq!(cells, [("east", None), ("north", None), ("south", Some(7))]);
    assert_eq!(outside.total.unanswered, Some(15));
}

#[test]
fn a_name_that_somebody_chose_stays_text() {
    let facts: Vec<Fact> = (0..6).map(|n| fact(n, 0, 3)).collect();
    let page = report::page(&facts, &wish(false));
    assert!(page.contains("Police &lt;1&gt; &amp; &quot;sons&quot;"));
    assert!(!page.contains("<1>"));
}

#[test]
fn an_open_callout_counts_for_the_target_once_it_is_decided() {
    let open = Fact { state: CalloutState::Paging, ..fact(0, 0, 3) };
    let target = open.times.opened_at + Duration::from_secs(3_600);
    assert_eq!(
        (open.within_target(target), open.within_target(target + Duration::from_millis(1))),
        (None, Some(false))
    );
    let mut there = open.clone();
    there.times.arrived_at = Some(target);
    assert_eq!(there.within_target(target), Some(true));
    let merged = Fact { state: CalloutState::Merged, ..there };
    assert_eq!(merged.within_target(target), None);
    let closed = Fact { state: CalloutState::Closed, ..open };
    assert_eq!(closed.within_target(closed.times.opened_at), Some(false));
}
