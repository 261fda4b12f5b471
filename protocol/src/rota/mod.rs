//! Who is on duty: a plan in local wall time, and pure functions over it.
//!
//! # Local time
//!
//! A rota is written as people read it ("22:00 to 06:00, every day") and computed with the time-zone database, never by
//! adding 24 hours. Around changes of the clock one rule holds for both ends of everything: a local time that does not
//! exist (spring, or a day that a country skipped) becomes the moment of the change; one that exists twice (autumn) means
//! the first time. Since both ends follow the same rule, two shifts that meet on paper meet in reality: no hole, no
//! overlap, whatever the clocks do. So everything is computed on paper, and turned into moments at the very end.
//!
//! # What counts, in this order
//!
//! 1. **Layers**: people who take turns. Of the layers of one tier and zone, the last in the list that applies at a time
//!    has it alone; that is how "nights and weekends differ" is said.
//! 2. **Shifts**, written out one by one, add to the layers.
//! 3. **Swaps** that were accepted give a turn of either to somebody else.
//! 4. **Overrides** put somebody in, for somebody or in addition; a later one counts after an earlier one.
//! 5. **Absences** take a person off duty everywhere. Nobody steps in by themself: it is a gap until a swap or an override
//!    closes it, and [`Rota::gaps`] finds it.
//!
//! | file | what |
//! |---|---|
//! | `shifts`, `layers`, `windows` | the plan: explicit shifts; rotations; hours of the week and holidays |
//! | `swaps`, `exceptions` | what differs from it |
//! | `schedule` | who is on duty at a moment and through 90 days |
//! | `gaps`, `fairness` | what is missing; who carries how much |
//! | `waking` | when somebody may be disturbed for what can wait |
//! | `local`, `ranges` | the one rule about local times; sets of time |

mod exceptions;
mod fairness;
mod gaps;
mod layers;
mod local;
mod ranges;
mod schedule;
mod shifts;
mod swaps;
#[cfg(test)]
mod tests;
mod waking;
mod windows;

use crate::{ErrorCode, PersonId, Problem, time::Timestamp};
use jiff::{
    civil::{DateTime, Time},
    tz::TimeZone,
};
use local::WallClock;
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, hash::Hash};

pub use crate::callout::{Code, Tier};
pub use exceptions::{Absence, Override};
pub use fairness::{Answered, Load};
pub use gaps::{Gap, Need};
pub use layers::{Cycle, Layer, OnHolidays, Unit};
pub use schedule::{OnDuty, Source, SourceKind, Span};
pub use shifts::{Repeat, Shift};
pub use swaps::{Swap, SwapState, Turn, TurnNow};
pub use windows::{Holiday, Weekday, Window};

/// The most shifts in one rota: 200 people with three weekly shifts for each day.
pub const MAX_SHIFTS: usize = 5000;
/// The most layers in one rota.
pub const MAX_LAYERS: usize = 200;
/// The most people who take turns in one layer.
pub const MAX_PEOPLE: usize = 500;
/// The most different lengths in one cycle.
pub const MAX_CYCLE: usize = 100;
/// The most windows in one list.
pub const MAX_WINDOWS: usize = 50;
/// The most holidays, needs, overrides, absences or swaps in one rota, each.
pub const MAX_EXCEPTIONS: usize = 2000;
/// The longest stretch that is computed at once, in days.
pub const LONGEST_STRETCH_DAYS: i64 = 400;

/// A host organisation's rota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Rota {
    /// The IANA name of the time zone that everything is written in, such as `America/Los_Angeles`.
    pub tz: String,
    /// Explicit shifts, in any order; at most [`MAX_SHIFTS`].
    #[serde(default)]
    pub shifts: Vec<Shift>,
    /// People who take turns; of one tier and zone, the last that applies counts. At most [`MAX_LAYERS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Layer>,
    /// Days that are not like others; at most [`MAX_EXCEPTIONS`], as with each of the lists after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
    /// Somebody else for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// People who are away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absences: Vec<Absence>,
    /// Swaps, in the order in which they count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub swaps: Vec<Swap>,
    /// Where somebody has to be on duty. Empty: always in the tier `primary`, and in every other tier and zone that the
    /// rota speaks of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
}

impl Rota {
    /// A rota with nobody in it.
    pub fn new(tz: impl Into<String>) -> Self {
        Self {
            tz: tz.into(),
            shifts: Vec::new(),
            layers: Vec::new(),
            holidays: Vec::new(),
            overrides: Vec::new(),
            absences: Vec::new(),
            swaps: Vec::new(),
            needs: Vec::new(),
        }
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// `invalid_value`, naming the shift, layer or whatever it is by its place in its list, from 1.
    pub fn validate(&self) -> Result<(), Problem> {
        self.zone()?;
        at_most("shifts", self.shifts.len(), MAX_SHIFTS)?;
        at_most("layers", self.layers.len(), MAX_LAYERS)?;
        for (list, length) in [
            ("holidays", self.holidays.len()),
            ("overrides", self.overrides.len()),
            ("absences", self.absences.len()),
            ("swaps", self.swaps.len()),
            ("needs", self.needs.len()),
        ] {
            at_most(list, length, MAX_EXCEPTIONS)?;
        }
        each("shift", &self.shifts, Shift::check)?;
        each("layer", &self.layers, Layer::check)?;
        each("override", &self.overrides, Override::check)?;
        each("absence", &self.absences, Absence::check)?;
        each("swap", &self.swaps, Swap::check)?;
        each("need", &self.needs, Need::check)?;
        unique("layer", self.layers.iter().map(|layer| &layer.id))?;
        unique("override", self.overrides.iter().map(|o| &o.id))?;
        unique("absence", self.absences.iter().map(|absence| &absence.id))?;
        unique("swap", self.swaps.iter().map(|swap| &swap.id))
    }

    /// Everybody who stands somewhere in the rota, each time they do, with the place in words.
    pub fn people(&self) -> impl Iterator<Item = (PersonId, String)> + '_ {
        let shifts = place("shift", &self.shifts, |shift| vec![shift.person]);
        let layers = place("layer", &self.layers, |layer| layer.people.clone());
        let overrides = place("override", &self.overrides, |o| vec![o.person]);
        let swaps = place("swap", &self.swaps, |swap| vec![swap.person, swap.to]);
        shifts.chain(layers).chain(overrides).chain(swaps)
    }

    /// What the wall shows at a moment.
    ///
    /// # Errors
    /// As [`Rota::on_call`].
    pub fn local(&self, at: Timestamp) -> Result<DateTime, Problem> {
        Ok(local::local(WallClock::around(&self.zone()?, at, at).shows(at)))
    }

    /// The moment that a local time means, by the one rule of this module.
    ///
    /// # Errors
    /// As [`Rota::on_call`].
    pub fn moment(&self, at: DateTime) -> Result<Timestamp, Problem> {
        let near = Timestamp(local::paper(at).saturating_mul(1000));
        Ok(WallClock::around(&self.zone()?, near, near).moment(local::paper(at)))
    }

    /// The first local time that isn't over before a moment: [`Rota::local`], except within an hour that comes twice.
    ///
    /// # Errors
    /// As [`Rota::on_call`].
    pub fn local_not_before(&self, at: Timestamp) -> Result<DateTime, Problem> {
        Ok(local::local(WallClock::around(&self.zone()?, at, at).not_before(at)))
    }

    fn zone(&self) -> Result<TimeZone, Problem> {
        local::zone(&self.tz).ok_or_else(|| invalid("tz: an IANA time zone such as America/Los_Angeles.".into()))
    }
}

fn place<'a, T>(
    name: &'static str,
    list: &'a [T],
    people: impl Fn(&T) -> Vec<PersonId> + 'a,
) -> impl Iterator<Item = (PersonId, String)> + 'a {
    list.iter()
        .enumerate()
        .flat_map(move |(i, item)| people(item).into_iter().map(move |person| (person, format!("{name} {}", i + 1))))
}

fn each<T>(name: &str, list: &[T], check: impl Fn(&T) -> Result<(), String>) -> Result<(), Problem> {
    for (i, item) in list.iter().enumerate() {
        check(item).map_err(|wrong| invalid(format!("{name} {}: {wrong}", i + 1)))?;
    }
    Ok(())
}

fn at_most(list: &str, length: usize, most: usize) -> Result<(), Problem> {
    if length > most { Err(invalid(format!("{list}: at most {most}."))) } else { Ok(()) }
}

fn unique<T: Eq + Hash>(name: &str, ids: impl Iterator<Item = T>) -> Result<(), Problem> {
    let mut seen = HashSet::new();
    for (i, id) in ids.enumerate() {
        if !seen.insert(id) {
            return Err(invalid(format!("{name} {}: another one has the same id.", i + 1)));
        }
    }
    Ok(())
}

fn check_tier(tier: Tier) -> Result<(), String> {
    if tier.is_on_rota() { Ok(()) } else { Err("a rota has the tiers primary, backup and supervisor.".into()) }
}

fn check_time(field: &str, time: DateTime) -> Result<(), String> {
    match () {
        () if !(1970..=2200).contains(&time.year()) => Err(format!("{field}: a year from 1970 to 2200.")),
        () if time.subsec_nanosecond() != 0 => Err(format!("{field}: whole seconds.")),
        () => Ok(()),
    }
}

fn check_stretch(from: DateTime, until: DateTime) -> Result<(), String> {
    check_time("from", from)?;
    check_time("until", until)?;
    if from < until { Ok(()) } else { Err("until: later than from.".into()) }
}

fn check_windows(field: &str, windows: &[Window]) -> Result<(), String> {
    let whole = |time: Time| time.subsec_nanosecond() == 0;
    match () {
        () if windows.len() > MAX_WINDOWS => Err(format!("{field}: at most {MAX_WINDOWS} windows.")),
        () if !windows.iter().all(|w| whole(w.from) && whole(w.until)) => Err(format!("{field}: whole seconds.")),
        () => Ok(()),
    }
}

fn invalid(detail: String) -> Problem {
    Problem::with(ErrorCode::InvalidValue, detail)
}
