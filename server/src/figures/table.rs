//! One table of figures.

use super::{
    compute,
    facts::Fact,
    period::{Calendar, Period},
    suppress::{merge_small, suppressed},
};
use firstlight_protocol::{
    Timestamp,
    figures::{FigureRow, FigureTable, GroupBy},
};
use std::collections::BTreeMap;

/// What a table is asked to be.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) period: Period,
    pub(super) calendar: Calendar,
    /// Whether it may leave the organisation: then everything small is suppressed.
    pub(super) outside: bool,
    pub(super) now: Timestamp,
    /// Agencies' names by their ids.
    pub(super) names: BTreeMap<String, String>,
}

/// The table over some facts.
pub(super) fn table(facts: &[Fact], by: GroupBy, wish: &Wish) -> FigureTable {
    let groups = compute::group(facts, by, &wish.calendar);
    let all: Vec<&Fact> = facts.iter().collect();
    let (groups, rows, total) = if wish.outside {
        let groups = merge_small(groups);
        let (rows, total) = suppressed(&groups, &all, wish.now);
        (groups, rows, total)
    } else {
        let rows = groups.values().map(|group| compute::figures(group, wish.now)).collect();
        (groups, rows, compute::figures(&all, wish.now))
    };
    let rows = groups.into_keys().zip(rows);
    FigureTable {
        by,
        from: wish.period.from,
        until: wish.period.until,
        tz: wish.calendar.name().to_owned(),
        outside: wish.outside,
        rows: rows.map(|(key, figures)| FigureRow { name: wish.names.get(&key).cloned(), key, figures }).collect(),
        total,
    }
}
