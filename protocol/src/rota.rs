//! Who is on duty: shifts in local wall time, and two pure functions over them.
//!
//! A rota is written as people read it ("22:00 to 06:00, every day") and computed with the time-zone database, never by
//! adding 24 hours. Around changes of the clock one rule holds for both ends of every shift: a local time that does not
//! exist (spring, or a day that a country skipped) becomes the moment of the change; one that exists twice (autumn) means
//! the first time. Since both ends follow the same rule, two shifts that meet on paper meet in reality: no hole, no
//! overlap, whatever the clocks do.

mod local;
#[cfg(test)]
mod tests;
mod waking;

use crate::{
    ErrorCode, PersonId, Problem,
    callout::Code,
    role::{UnknownWord, text_enum},
    time::Timestamp,
};
use jiff::civil::{Date, DateTime};
use local::{DAY, LocalTime};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

pub use crate::callout::Tier;

/// The most shifts in one rota: 200 people with three weekly shifts for each day.
pub const MAX_SHIFTS: usize = 5000;
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
    /// A code of the organisation's own, to tell shifts apart.
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

/// A host organisation's rota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Rota {
    /// The IANA name of the time zone that every shift is written in, such as `America/Los_Angeles`.
    pub tz: String,
    /// The shifts, in any order; at most [`MAX_SHIFTS`].
    #[serde(default)]
    pub shifts: Vec<Shift>,
}

/// Somebody on duty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OnDuty {
    /// In which tier.
    pub tier: Tier,
    /// Who.
    pub person: PersonId,
    /// Only for callouts of this zone; absent: for all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zone: Option<Code>,
}

impl Rota {
    /// Checks every bound.
    ///
    /// # Errors
    /// `invalid_value`, naming the shift by its place in the list, from 1.
    pub fn validate(&self) -> Result<(), Problem> {
        self.local_time()?;
        if self.shifts.len() > MAX_SHIFTS {
            return Err(invalid(format!("shifts: at most {MAX_SHIFTS}.")));
        }
        for (i, shift) in self.shifts.iter().enumerate() {
            shift.check().map_err(|wrong| invalid(format!("shift {}: {wrong}", i + 1)))?;
        }
        Ok(())
    }

    /// Who is on duty at a moment, sorted by tier and person, each once per tier and zone.
    ///
    /// # Errors
    /// `invalid_value` if the time zone is unknown, which [`Rota::validate`] would have refused.
    pub fn on_call(&self, at: Timestamp) -> Result<Vec<OnDuty>, Problem> {
        let local = self.local_time()?;
        let mut on_duty: Vec<OnDuty> = self
            .shifts
            .iter()
            .filter(|shift| shift.occurrences(&local, at).any(|(from, until)| from <= at && at < until))
            .map(|shift| OnDuty { tier: shift.tier, person: shift.person, zone: shift.zone.clone() })
            .collect();
        on_duty.sort_unstable();
        on_duty.dedup();
        Ok(on_duty)
    }

    /// The first moment after `at` at which some shift begins or ends; `None` if nothing ever changes again.
    ///
    /// # Errors
    /// As [`Rota::on_call`].
    pub fn next_change(&self, at: Timestamp) -> Result<Option<Timestamp>, Problem> {
        let local = self.local_time()?;
        let ends = self.shifts.iter().flat_map(|shift| shift.occurrences(&local, at));
        Ok(ends.flat_map(|(from, until)| [from, until]).filter(|end| *end > at).min())
    }

    fn local_time(&self) -> Result<LocalTime, Problem> {
        LocalTime::named(&self.tz).ok_or_else(|| invalid("tz: an IANA time zone such as America/Los_Angeles.".into()))
    }
}

impl Shift {
    fn check(&self) -> Result<(), &'static str> {
        let years = 1970..=2200;
        let longest = self.period().unwrap_or(LONGEST_DAYS * DAY);
        let length = local::paper(self.until) - local::paper(self.from);
        match () {
            () if !self.tier.is_on_rota() => Err("a rota has the tiers primary, backup and supervisor."),
            () if !years.contains(&self.from.year()) || !years.contains(&self.until.year()) => {
                Err("from, until: a year from 1970 to 2200.")
            }
            () if self.from.subsec_nanosecond() != 0 || self.until.subsec_nanosecond() != 0 => {
                Err("from, until: whole seconds.")
            }
            () if length <= 0 => Err("until: later than from."),
            () if length > longest => {
                Err("until: at most a day after from if it repeats daily, a week if weekly, else a year.")
            }
            () if self.repeat_until.is_some_and(|last| last < self.from.date()) => {
                Err("repeat_until: not before from.")
            }
            () => Ok(()),
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

    /// The occurrences around `at`: every one that can be running, the ones before and after.
    ///
    /// On paper is enough to choose them: wall time and paper differ by a day at most, where a country skipped one.
    fn occurrences<'a>(
        &'a self,
        local: &'a LocalTime,
        at: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> + use<'a> {
        let (from, until) = (local::paper(self.from), local::paper(self.until));
        let (first, last) = match self.period() {
            None => (0, 0),
            Some(period) => {
                let running = (local.paper_at(at) - from).div_euclid(period);
                let last = self
                    .repeat_until
                    .map_or(i64::MAX, |date| (local::paper(date.at(23, 59, 59, 0)) - from).div_euclid(period));
                let around = 1 + DAY / period;
                // Before the first occurrence, and after the last, the nearest one still says what changes next.
                ((running - around - 1).max(0), (running + around).max(0).min(last))
            }
        };
        let period = self.period().unwrap_or(0);
        (first..=last).map(move |k| (local.moment(from + k * period), local.moment(until + k * period)))
    }
}

fn invalid(detail: String) -> Problem {
    Problem::with(ErrorCode::InvalidValue, detail)
}
