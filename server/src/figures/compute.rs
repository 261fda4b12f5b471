//! From facts to figures: pure, rows in and a table out. What each figure means stands in `protocol/src/figures.rs`.

use super::{facts::Fact, period::Calendar};
use firstlight_protocol::{
    Timestamp,
    callout::{CalloutState, OutcomeReason},
    figures::{Figures, GroupBy, ShareFigure, TimeFigure},
    policy::Millis,
    record::CalloutDurations,
};
use std::collections::BTreeMap;

/// Facts by the key of their row.
pub(super) fn group<'f>(facts: &'f [Fact], by: GroupBy, calendar: &Calendar) -> BTreeMap<String, Vec<&'f Fact>> {
    let mut groups: BTreeMap<String, Vec<&Fact>> = BTreeMap::new();
    for fact in facts {
        let key = match by {
            GroupBy::Zone => fact.zone.to_string(),
            GroupBy::Agency => fact.agency.to_string(),
            GroupBy::Month => calendar.month(fact.times.opened_at),
        };
        groups.entry(key).or_default().push(fact);
    }
    groups
}

/// The figures of some callouts. Nothing is suppressed.
pub(super) fn figures(facts: &[&Fact], now: Timestamp) -> Figures {
    let count = |is: &dyn Fn(&Fact) -> bool| Some(facts.iter().filter(|fact| is(fact)).count() as u64);
    let answered = || facts.iter().filter(|fact| !fact.is_void());
    let took = |of: fn(&CalloutDurations) -> Option<Millis>| {
        Some(time(answered().filter_map(|fact| of(&fact.times.durations())).collect()))
    };
    Figures {
        callouts: Some(facts.len() as u64),
        unanswered: count(&|fact| fact.unanswered && !fact.is_void()),
        duplicates: count(&|fact| fact.state == CalloutState::Merged),
        cancelled: count(&|fact| fact.state == CalloutState::Cancelled),
        called_late: count(&|fact| fact.reasons.contains(&OutcomeReason::CalledLate)),
        first_contact_to_callout: Some(time(
            facts.iter().map(|fact| fact.times.durations().first_contact_to_callout_ms).collect(),
        )),
        to_acknowledge: took(|d| d.to_acknowledge_ms),
        to_accept: took(|d| d.to_accept_ms),
        to_arrive: took(|d| d.to_arrive_ms),
        within_target: Some(share(facts.iter().filter_map(|fact| fact.within_target(now)))),
        language_match: Some(share(answered().filter_map(|fact| fact.language_match))),
    }
}

fn time(mut times: Vec<Millis>) -> TimeFigure {
    times.sort_unstable();
    TimeFigure { measured: Some(times.len() as u64), median_ms: rank(&times, 50), p90_ms: rank(&times, 90) }
}

/// The nearest rank: of `n` sorted times the one at place `⌈n·percent/100⌉`, from 1.
fn rank(sorted: &[Millis], percent: usize) -> Option<Millis> {
    sorted.get((sorted.len() * percent).div_ceil(100).checked_sub(1)?).copied()
}

fn share(decided: impl Iterator<Item = bool>) -> ShareFigure {
    let (of, met) = decided.fold((0, 0), |(of, met), yes| (of + 1, met + u64::from(yes)));
    ShareFigure { of: Some(of), met: Some(met), per_cent: per_cent(met, of) }
}

/// Rounded to the nearest; never to "all" or "none" where that is not so.
fn per_cent(met: u64, of: u64) -> Option<u8> {
    let rounded = (met * 100 + of / 2).checked_div(of)?;
    let rounded = match met {
        0 => 0,
        _ if met == of => 100,
        _ => rounded.clamp(1, 99),
    };
    u8::try_from(rounded).ok()
}
