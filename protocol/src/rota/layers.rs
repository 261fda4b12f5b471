//! Layers: people who take turns.

use super::{
    local::{self, DAY, paper},
    windows::Window,
};
use crate::{
    PersonId,
    callout::{Code, Tier},
    role::{UnknownWord, text_enum},
};
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use std::{fmt, ops::Range, str::FromStr};

text_enum!(
    /// What the lengths of a cycle are counted in: by the wall clock and the calendar, however long a day is.
    Unit {
        /// Hours.
        Hours = "hours",
        /// Days.
        Days = "days",
        /// Weeks.
        Weeks = "weeks",
    }
);

text_enum!(
    /// What a holiday means for a layer.
    OnHolidays {
        /// A day like any other.
        AsUsual = "as_usual",
        /// The layer doesn't apply.
        Off = "off",
        /// The layer applies on holidays alone.
        Only = "only",
    }
);

impl Unit {
    /// Seconds on paper.
    const fn seconds(self) -> i64 {
        match self {
            Self::Hours => 3600,
            Self::Days => DAY,
            Self::Weeks => 7 * DAY,
        }
    }
}

/// How long turns are. `{"unit": "days", "lengths": [2, 2, 3]}`: two days, two days, three days, and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Cycle {
    /// What is counted.
    pub unit: Unit,
    /// The length of each turn, in order, over and over. One length: all turns are of it.
    pub lengths: Vec<u16>,
}

/// People who take turns in one tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Its name: a code of the organisation's own.
    pub id: Code,
    /// The tier; never `everyone`.
    pub tier: Tier,
    /// Only for callouts of this zone; absent: for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Code>,
    /// Who takes turns, in order.
    pub people: Vec<PersonId>,
    /// How many of them are on duty at once: with 2, the first and the second have the first turn, then the next two.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub at_once: u16,
    /// The beginning of the first turn, as local time. Its time of day is the hand-over of every turn that is counted in
    /// days or weeks, its weekday that of every weekly one.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "2026-03-02T09:00:00"))]
    pub starts: DateTime,
    /// When the layer ends, as local time; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "2026-12-31T09:00:00"))]
    pub ends: Option<DateTime>,
    /// How long turns are.
    pub cycle: Cycle,
    /// The hours in which it applies; empty: always. Turns go on meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<Window>,
    /// What a holiday means for it.
    #[serde(default = "as_usual", skip_serializing_if = "is_as_usual")]
    pub on_holidays: OnHolidays,
}

fn one() -> u16 {
    1
}

fn is_one(count: &u16) -> bool {
    *count == 1
}

fn as_usual() -> OnHolidays {
    OnHolidays::AsUsual
}

fn is_as_usual(on: &OnHolidays) -> bool {
    *on == OnHolidays::AsUsual
}

/// One turn of a layer, on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LayerTurn {
    number: i64,
    pub(super) from: i64,
    pub(super) until: i64,
}

impl Layer {
    /// The stretch on paper in which it has turns.
    pub(super) fn runs(&self) -> Range<i64> {
        paper(self.starts)..self.ends.map_or(i64::MAX, paper)
    }

    /// Seconds on paper of a whole cycle; at least 1, also for what [`super::Rota::validate`] refuses.
    fn cycle_seconds(&self) -> i64 {
        self.cycle.lengths.iter().map(|length| i64::from(*length) * self.cycle.unit.seconds()).sum::<i64>().max(1)
    }

    /// The turn of a number, from 0.
    fn turn(&self, number: i64) -> LayerTurn {
        let count = i64::try_from(self.cycle.lengths.len()).unwrap_or(1).max(1);
        let place = usize::try_from(number.rem_euclid(count)).unwrap_or(0);
        let before: i64 = self.cycle.lengths[..place].iter().map(|length| i64::from(*length)).sum();
        let length = i64::from(self.cycle.lengths.get(place).copied().unwrap_or(1));
        let from =
            paper(self.starts) + number.div_euclid(count) * self.cycle_seconds() + before * self.cycle.unit.seconds();
        LayerTurn { number, from, until: from + length * self.cycle.unit.seconds() }
    }

    /// The turn that is running at a time on paper; before the first turn: the first.
    pub(super) fn turn_at(&self, at: i64) -> LayerTurn {
        let count = i64::try_from(self.cycle.lengths.len()).unwrap_or(1).max(1);
        let cycles = (at - paper(self.starts)).div_euclid(self.cycle_seconds()).max(0);
        let mut turn = self.turn(cycles * count);
        while turn.until <= at {
            turn = self.turn(turn.number + 1);
        }
        turn
    }

    /// The turn after another.
    pub(super) fn after(&self, turn: LayerTurn) -> LayerTurn {
        self.turn(turn.number + 1)
    }

    /// Who has a turn, before swaps.
    pub(super) fn people_of(&self, turn: LayerTurn) -> impl Iterator<Item = PersonId> + '_ {
        let at_once = i64::from(self.at_once);
        let count = i64::try_from(self.people.len()).unwrap_or(1).max(1);
        (0..at_once).filter_map(move |place| {
            let at = (turn.number * at_once + place).rem_euclid(count);
            self.people.get(usize::try_from(at).ok()?).copied()
        })
    }

    /// The turn that is meant by one that began at `noted`: the one that begins nearest, within half its length. Turns of
    /// days and weeks are told apart by their dates, so that another hand-over time is still the same turn.
    pub(super) fn turn_noted(&self, noted: i64) -> Option<LayerTurn> {
        let grain = if self.cycle.unit == Unit::Hours { 1 } else { DAY };
        let running = self.turn_at(noted);
        let distance = |turn: &LayerTurn| (turn.from.div_euclid(grain) - noted.div_euclid(grain)).abs();
        let near = [running.number - 1, running.number, running.number + 1];
        let turns = near.into_iter().filter(|number| *number >= 0).map(|number| self.turn(number));
        let nearest = turns.min_by_key(distance)?;
        let length = (nearest.until - nearest.from) / grain;
        (distance(&nearest) * 2 <= length && self.runs().contains(&nearest.from)).then_some(nearest)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let cycle = &self.cycle;
        let longest = 366 * DAY / cycle.unit.seconds();
        super::check_tier(self.tier)?;
        super::check_time("starts", self.starts)?;
        self.ends.map_or(Ok(()), |ends| super::check_time("ends", ends))?;
        super::check_windows("only", &self.only)?;
        match () {
            () if self.people.is_empty() || self.people.len() > super::MAX_PEOPLE => {
                Err(format!("people: from 1 to {}.", super::MAX_PEOPLE))
            }
            () if self.at_once == 0 || usize::from(self.at_once) > self.people.len() => {
                Err("at_once: from 1 to the number of people.".into())
            }
            () if cycle.lengths.is_empty() || cycle.lengths.len() > super::MAX_CYCLE => {
                Err(format!("cycle.lengths: from 1 to {}.", super::MAX_CYCLE))
            }
            () if cycle.lengths.iter().any(|length| *length == 0 || i64::from(*length) > longest) => {
                Err("cycle.lengths: each at least 1 and at most a year.".into())
            }
            () if self.ends.is_some_and(|ends| local::paper(ends) <= paper(self.starts)) => {
                Err("ends: later than starts.".into())
            }
            () => Ok(()),
        }
    }
}
