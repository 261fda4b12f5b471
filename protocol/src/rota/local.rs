//! Local wall time: "on paper" (seconds as if every day had 24 hours) and in reality (a moment).

use crate::time::Timestamp;
use jiff::{
    civil::DateTime,
    tz::{Offset, TimeZone},
};
use std::ops::Range;

/// Seconds of a day on paper.
pub(super) const DAY: i64 = 24 * 3600;
/// No clock was ever changed by more than a day (Samoa, Kwajalein and Alaska skipped or repeated one).
const CHANGE: i64 = DAY;

/// A local time in seconds on paper: what a calendar and a clock without changes would count.
pub(super) fn paper(local: DateTime) -> i64 {
    Offset::UTC.to_timestamp(local).map_or(0, |t| t.as_second())
}

/// The local time that stands for a second on paper.
pub(super) fn local(paper: i64) -> DateTime {
    let nearest = if paper < 0 { DateTime::MIN } else { DateTime::MAX };
    jiff::Timestamp::from_second(paper).map_or(nearest, |t| Offset::UTC.to_datetime(t))
}

/// The zone of a name in the time-zone database.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// The wall clock of one zone through a stretch of time: its offsets from UTC, each from one change to the next.
///
/// Looking every change up once, and not for each end of each shift, is what makes 90 days of 200 people cheap.
pub(super) struct WallClock {
    /// The first second (UTC) of each offset, and the offset in seconds; in order, never empty.
    offsets: Vec<(i64, i64)>,
}

impl WallClock {
    /// The wall clock from `from` to `until`, and far enough around for everything that touches it.
    pub(super) fn around(zone: &TimeZone, from: Timestamp, until: Timestamp) -> Self {
        let begin = second(from.as_millis().saturating_sub(3 * CHANGE * 1000));
        let end = second(until.as_millis().saturating_add(3 * CHANGE * 1000));
        let mut offsets = vec![(begin.as_second(), i64::from(zone.to_offset(begin).seconds()))];
        for change in zone.following(begin).take_while(|change| change.timestamp() <= end) {
            offsets.push((change.timestamp().as_second(), i64::from(change.offset().seconds())));
        }
        Self { offsets }
    }

    /// The moment at which the wall first shows `paper`, or the moment of the change that skips it.
    ///
    /// Never goes back while `paper` goes on, so that whatever holds between times on paper holds between moments.
    pub(super) fn moment(&self, paper: i64) -> Timestamp {
        let ends = self.offsets.iter().skip(1).map(|(end, _)| *end).chain([i64::MAX]);
        let seconds =
            self.offsets.iter().zip(ends).find(|((_, offset), end)| paper < end.saturating_add(*offset)).map_or(
                paper,
                |((begin, offset), _)| match self.offsets.first() {
                    // Before the stretch nothing is known of changes.
                    Some((first, _)) if first == begin => paper - offset,
                    _ => (paper - offset).max(*begin),
                },
            );
        Timestamp(seconds.saturating_mul(1000))
    }

    /// What the clock on the wall shows at `at`, on paper.
    pub(super) fn shows(&self, at: Timestamp) -> i64 {
        let at = second(at.as_millis()).as_second();
        let offset = self.offsets.iter().rev().find(|(begin, _)| *begin <= at).or(self.offsets.first());
        at + offset.map_or(0, |(_, offset)| *offset)
    }

    /// The first local time, on paper, that isn't over before `at`.
    pub(super) fn not_before(&self, at: Timestamp) -> i64 {
        let mut paper = self.shows(at);
        // The wall shows a repeated time twice, and it means the first: the second lies beyond the whole repetition.
        while self.moment(paper) < at && paper < i64::MAX / 4000 {
            let late = at.as_millis() - self.moment(paper).as_millis();
            paper += (late / 1000).max(1);
        }
        paper
    }

    /// A stretch on paper that holds every local time from `from` to `until`, skipped ones too.
    pub(super) fn paper_range(&self, from: Timestamp, until: Timestamp) -> Range<i64> {
        let offsets = || self.offsets.iter().map(|(_, offset)| *offset);
        let (least, most) = (offsets().min().unwrap_or(0), offsets().max().unwrap_or(0));
        second(from.as_millis()).as_second() + least - CHANGE..second(until.as_millis()).as_second() + most + CHANGE
    }
}

/// The nearest moment that the calendar knows.
fn second(millis: i64) -> jiff::Timestamp {
    let nearest = if millis < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_millisecond(millis).unwrap_or(nearest)
}
