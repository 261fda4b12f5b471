//! Local wall time: "on paper" (seconds as if every day had 24 hours) and in reality (a moment).

use crate::time::Timestamp;
use jiff::{
    civil::DateTime,
    tz::{AmbiguousOffset, Offset, TimeZone},
};

/// Seconds of a day on paper.
pub(super) const DAY: i64 = 24 * 3600;

/// A local time in seconds on paper: what a calendar and a clock without changes would count.
pub(super) fn paper(local: DateTime) -> i64 {
    Offset::UTC.to_timestamp(local).map_or(0, |t| t.as_second())
}

/// Seconds since midnight of a time on paper.
pub(super) fn paper_of_day(paper: i64) -> i64 {
    paper.rem_euclid(DAY)
}

pub(super) struct LocalTime(TimeZone);

impl LocalTime {
    pub(super) fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// What the clock on the wall shows at `at`, on paper. Outside the calendar's range: the nearest end of it.
    pub(super) fn paper_at(&self, at: Timestamp) -> i64 {
        let at = jiff_time(at);
        at.as_second() + i64::from(self.0.to_offset(at).seconds())
    }

    /// The moment at which the wall shows `paper`: the first of two, or the moment of the change where it is skipped.
    pub(super) fn moment(&self, paper: i64) -> Timestamp {
        let Ok(on_paper) = jiff::Timestamp::from_second(paper) else {
            return if paper < 0 { Timestamp(i64::MIN) } else { Timestamp(i64::MAX) };
        };
        let seconds = match self.0.to_ambiguous_timestamp(Offset::UTC.to_datetime(on_paper)).offset() {
            AmbiguousOffset::Unambiguous { offset } => paper - i64::from(offset.seconds()),
            AmbiguousOffset::Fold { before, .. } => paper - i64::from(before.seconds()),
            AmbiguousOffset::Gap { before, .. } => self.change_before(paper - i64::from(before.seconds())),
        };
        Timestamp(seconds.saturating_mul(1000))
    }

    /// The newest change of the clock at or before `second`.
    fn change_before(&self, second: i64) -> i64 {
        let after = jiff::Timestamp::from_second(second + 1).unwrap_or(jiff::Timestamp::MAX);
        self.0.preceding(after).next().map_or(second, |change| change.timestamp().as_second())
    }
}

fn jiff_time(at: Timestamp) -> jiff::Timestamp {
    let nearest = if at.as_millis() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(nearest)
}
