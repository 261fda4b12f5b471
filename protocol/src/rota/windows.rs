//! Hours of the week, and holidays: when a layer applies, and when somebody is needed.

use super::{
    local::{DAY, paper},
    ranges::Ranges,
};
use crate::{
    callout::Code,
    role::{UnknownWord, text_enum},
};
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::Range, str::FromStr};

text_enum!(
    /// A day of the week.
    Weekday {
        /// Monday.
        Mon = "mon",
        /// Tuesday.
        Tue = "tue",
        /// Wednesday.
        Wed = "wed",
        /// Thursday.
        Thu = "thu",
        /// Friday.
        Fri = "fri",
        /// Saturday.
        Sat = "sat",
        /// Sunday.
        Sun = "sun",
    }
);

/// Hours of some days of the week. From 22:00 until 06:00 is one night, and belongs to the day on which it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The days on which it begins; empty: every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<Weekday>,
    /// Its first second, as local time of day.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "22:00:00"))]
    pub from: Time,
    /// The first second after it; the same as `from` or earlier: on the next day.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "06:00:00"))]
    pub until: Time,
}

/// A day that is not like others of its weekday, from midnight to midnight.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// The local date.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "2026-12-25"))]
    pub date: Date,
    /// What the organisation calls it.
    pub code: Code,
}

/// The second of the day.
pub(super) fn of_day(time: Time) -> i64 {
    paper(Date::constant(1970, 1, 1).to_datetime(time))
}

/// The day of the week of a day number, counted from 1970-01-01, a Thursday. Monday is 0.
pub(super) fn weekday(day: i64) -> usize {
    usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0)
}

/// The hours of all windows inside a stretch on paper; without any window: all of it.
pub(super) fn hours(windows: &[Window], within: &Range<i64>) -> Ranges {
    let whole = Ranges::one(within.start, within.end);
    if windows.is_empty() {
        return whole;
    }
    let first = within.start.div_euclid(DAY) - 1;
    let hours = (first..=within.end.div_euclid(DAY)).flat_map(|day| {
        let today = Weekday::ALL[weekday(day)];
        let of_today = move |w: &&Window| w.weekdays.is_empty() || w.weekdays.contains(&today);
        windows.iter().filter(of_today).map(move |window| {
            let (from, until) = (of_day(window.from), of_day(window.until));
            let next_day = if until <= from { DAY } else { 0 };
            (day * DAY + from, day * DAY + until + next_day)
        })
    });
    hours.collect::<Ranges>().within(&whole)
}

/// The holidays inside a stretch on paper.
pub(super) fn holidays(holidays: &[Holiday], within: &Range<i64>) -> Ranges {
    let days = holidays.iter().map(|holiday| paper(holiday.date.at(0, 0, 0, 0)));
    days.filter(|day| *day < within.end && within.start < day + DAY).map(|day| (day, day + DAY)).collect()
}
