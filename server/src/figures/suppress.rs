//! What may leave the organisation (DOMAIN.md: "cells under 5 are suppressed"). Pure.
//!
//! 1. **Small groups have no row of their own.** Groups of fewer than five callouts are taken together in one row
//!    `others`. If that row would have fewer than five, or stand for one group alone (all callouts less the other rows
//!    would tell it), the smallest of the other groups joins it, and so on.
//! 2. **A count or a share is suppressed** if it is of fewer than five callouts, or of all but one to four: what a
//!    number leaves over is a cell too.
//! 3. **Complementary suppression.** The total less the cells that are shown would tell a single suppressed one. So at
//!    least two cells of a column are suppressed or none, and together they hold at least five callouts and leave at least
//!    five over; else the smallest of those that are shown is suppressed as well, and so on. Then each suppressed cell
//!    can be more than one number, whatever is added up or subtracted.
//! 4. **A time is suppressed** if fewer than five callouts went into it. Shown ones are in whole seconds, and neither they
//!    nor shares say of how many they are.
//! 5. The total follows rules 2 and 4; its suppression follows from its own value alone, so that it is the same in every
//!    table over the same period.
//!
//! Periods are whole calendar months (`period.rs`). Two documents over periods that overlap can still be compared by who
//! has both; the audit trail says what was made for whom to see.

use super::{compute::figures, facts::Fact};
use firstlight_protocol::{
    Timestamp,
    figures::{Figures, SMALLEST_CELL, ShareFigure, TimeFigure},
    policy::Millis,
};
use std::collections::BTreeMap;

/// The row of groups that are too small to be shown by themselves.
pub(super) const OTHERS: &str = "others";

/// Rule 1.
pub(super) fn merge_small(mut groups: BTreeMap<String, Vec<&Fact>>) -> BTreeMap<String, Vec<&Fact>> {
    let size = |group: &Vec<&Fact>| group.len() as u64;
    let mut small: Vec<String> =
        groups.iter().filter(|(_, group)| size(group) < SMALLEST_CELL).map(|(key, _)| key.clone()).collect();
    if small.is_empty() {
        return groups;
    }
    let mut others = Vec::new();
    let mut joined = 0;
    loop {
        let smallest = || groups.iter().min_by_key(|(_, group)| group.len()).map(|(key, _)| key.clone());
        let enough = joined > 1 && size(&others) >= SMALLEST_CELL;
        let Some(key) = small.pop().or_else(|| if enough { None } else { smallest() }) else { break };
        others.extend(groups.remove(&key).unwrap_or_default());
        joined += 1;
    }
    groups.insert(OTHERS.to_owned(), others);
    groups
}

/// Rules 2 to 5: the rows' figures and those of all together.
pub(super) fn suppressed(
    groups: &BTreeMap<String, Vec<&Fact>>,
    total: &[&Fact],
    now: Timestamp,
) -> (Vec<Figures>, Figures) {
    let mut rows: Vec<Figures> = groups.values().map(|group| figures(group, now)).collect();
    let mut total = figures(total, now);
    for (get, set) in COLUMNS {
        let whole = get(&total);
        let cells: Vec<Cell> = rows.iter().map(get).collect();
        let hidden = hidden(&cells, whole);
        for (row, hidden) in rows.iter_mut().zip(hidden) {
            set(row, hidden);
        }
        set(&mut total, whole.is_small());
    }
    for row in rows.iter_mut().chain([&mut total]) {
        for time in [&mut row.first_contact_to_callout, &mut row.to_acknowledge, &mut row.to_accept, &mut row.to_arrive]
        {
            *time = time.filter(|time| time.measured >= Some(SMALLEST_CELL)).map(coarse);
        }
    }
    (rows, total)
}

/// How many callouts, and how many of their row they leave over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) part: u64,
    pub(super) rest: u64,
}

impl Cell {
    /// Rule 2.
    pub(super) fn is_small(self) -> bool {
        self.part < SMALLEST_CELL || (1..SMALLEST_CELL).contains(&self.rest)
    }
}

/// Rule 3: which cells of a column are hidden.
pub(super) fn hidden(cells: &[Cell], whole: Cell) -> Vec<bool> {
    let mut hidden: Vec<bool> = cells.iter().map(|cell| cell.is_small()).collect();
    if whole.is_small() {
        // Without a total there is nothing to subtract from.
        return hidden;
    }
    loop {
        let all = || cells.iter().zip(&hidden).filter(|(_, hidden)| **hidden).map(|(cell, _)| cell);
        let (part, rest): (u64, u64) = (all().map(|cell| cell.part).sum(), all().map(|cell| cell.rest).sum());
        let safe = all().count() > 1 && part >= SMALLEST_CELL && (rest >= SMALLEST_CELL || whole.rest == 0);
        let shown = (0..cells.len()).filter(|i| !hidden[*i]).min_by_key(|i| cells[*i].part);
        match shown {
            Some(i) if all().next().is_some() && !safe => hidden[i] = true,
            _ => return hidden,
        }
    }
}

type Get = fn(&Figures) -> Cell;
type Hide = fn(&mut Figures, bool);

/// Every column that can be added up; the callouts last, since what the others leave over is of them.
const COLUMNS: [(Get, Hide); 7] = [
    (|f| of_row(f, f.unanswered), |f, hide| f.unanswered = f.unanswered.filter(|_| !hide)),
    (|f| of_row(f, f.duplicates), |f, hide| f.duplicates = f.duplicates.filter(|_| !hide)),
    (|f| of_row(f, f.cancelled), |f, hide| f.cancelled = f.cancelled.filter(|_| !hide)),
    (|f| of_row(f, f.called_late), |f, hide| f.called_late = f.called_late.filter(|_| !hide)),
    (|f| of_share(f.within_target), |f, hide| f.within_target = f.within_target.filter(|_| !hide).map(bare)),
    (|f| of_share(f.language_match), |f, hide| f.language_match = f.language_match.filter(|_| !hide).map(bare)),
    (|f| Cell { part: f.callouts.unwrap_or(0), rest: 0 }, |f, hide| f.callouts = f.callouts.filter(|_| !hide)),
];

fn of_row(row: &Figures, part: Option<u64>) -> Cell {
    let part = part.unwrap_or(0);
    Cell { part, rest: row.callouts.unwrap_or(0).saturating_sub(part) }
}

fn of_share(share: Option<ShareFigure>) -> Cell {
    let part = share.and_then(|share| share.met).unwrap_or(0);
    Cell { part, rest: share.and_then(|share| share.of).unwrap_or(0).saturating_sub(part) }
}

/// Only the per cent: of how many would tell what other cells hide.
fn bare(share: ShareFigure) -> ShareFigure {
    ShareFigure { of: None, met: None, ..share }
}

/// A time to the millisecond may be found again in somebody else's log.
fn coarse(time: TimeFigure) -> TimeFigure {
    let seconds = |ms: Millis| Millis::seconds((ms.0 + 500) / 1_000);
    TimeFigure { measured: None, median_ms: time.median_ms.map(seconds), p90_ms: time.p90_ms.map(seconds) }
}
