//! Shifts that are written out, one by one.

use super::local::{DAY, paper};
use crate::{
    PersonId,
    callout::{Code, Tier},
    role::{UnknownWord, text_enum},
};
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::Range, str::FromStr};

/// The longest shift that doesn't repeat, in days.
const LONGEST_DAYS: i64 = 366;

text_enum!(
    /// How a shift repeats, by the calendar: at the same wall time, however long the day is.
    Repeat {
        /// Once.
        Once = "once",
        /// Every day.
        Daily = "daily",
        /// Every week on the same day.
        Weekly = "weekly",
    }
);

/// One person on duty in one tier, from one local time until another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Shift {
    /// A code of the organisation's own, to tell shifts apart; a shift that is swapped needs one of its own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<Code>,
    /// The tier; never `everyone`.
    pub tier: Tier,
    /// Who.
    pub person: PersonId,
    /// Only for callouts of this zone; absent: for all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zone: Option<Code>,
    /// The first second, as local time: `2026-03-08T22:00:00`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "2026-03-08T22:00:00"))]
    pub from: DateTime,
    /// The first second after it, as local time; at most a day later if it repeats daily, a week if weekly, else a year.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "2026-03-09T06:00:00"))]
    pub until: DateTime,
    /// How it repeats.
    #[serde(default = "once")]
    pub repeat: Repeat,
    /// The last local date on which it may begin; absent: it repeats for ever.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "2026-12-31"))]
    pub repeat_until: Option<Date>,
}

fn once() -> Repeat {
    Repeat::Once
}

impl Shift {
    pub(super) fn check(&self) -> Result<(), String> {
        let longest = self.period().unwrap_or(LONGEST_DAYS * DAY);
        super::check_tier(self.tier)?;
        super::check_time("from", self.from)?;
        super::check_time("until", self.until)?;
        match paper(self.until) - paper(self.from) {
            length if length <= 0 => Err("until: later than from.".into()),
            length if length > longest => {
                Err("until: at most a day after from if it repeats daily, a week if weekly, else a year.".into())
            }
            _ if self.repeat_until.is_some_and(|last| last < self.from.date()) => {
                Err("repeat_until: not before from.".into())
            }
            _ => Ok(()),
        }
    }

    /// Seconds on paper from one occurrence to the next.
    fn period(&self) -> Option<i64> {
        match self.repeat {
            Repeat::Once => None,
            Repeat::Daily => Some(DAY),
            Repeat::Weekly => Some(7 * DAY),
        }
    }

    /// The number of the last occurrence, from 0.
    fn last(&self) -> i64 {
        match (self.period(), self.repeat_until) {
            (None, _) => 0,
            (Some(_), None) => i64::MAX,
            (Some(period), Some(date)) => (paper(date.at(23, 59, 59, 0)) - paper(self.from)).div_euclid(period),
        }
    }

    /// The occurrences that touch a stretch on paper: first second, first second after.
    pub(super) fn occurrences(&self, within: &Range<i64>) -> impl Iterator<Item = (i64, i64)> + use<> {
        let (from, until) = (paper(self.from), paper(self.until));
        let period = self.period().unwrap_or(i64::MAX / 4);
        let first = (within.start - until).div_euclid(period) + 1;
        let last = (within.end - from - 1).div_euclid(period).min(self.last());
        (first.max(0)..=last).map(move |k| (from + k * period, until + k * period))
    }

    /// The beginning of the occurrence that is meant by one that began at `noted`: the only one, that of the same date, or
    /// that of the nearest date, so that it is still the same one at another hour or on another day of the week.
    pub(super) fn occurrence_noted(&self, noted: i64) -> Option<i64> {
        let from = paper(self.from);
        let Some(period) = self.period() else { return Some(from) };
        let days = period / DAY;
        let after_first = noted.div_euclid(DAY) - from.div_euclid(DAY);
        let number = (2 * after_first + days - 1).div_euclid(2 * days);
        (0..=self.last()).contains(&number).then(|| from + number * period)
    }
}
