//! Who carries how much: duty, nights, weekends, holidays, callouts, and the rest since the last one.

use super::{
    Rota,
    local::{DAY, WallClock},
    ranges::Ranges,
    schedule, windows,
};
use crate::{PersonId, Problem, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// A night is spent on duty by whoever is on duty at this local hour.
const NIGHT: i64 = 3 * 3600;

/// A callout that somebody went to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Who.
    pub person: PersonId,
    /// When they accepted.
    pub at: Timestamp,
    /// When it was over for them; `None`: it is not yet.
    pub until: Option<Timestamp>,
}

/// What one person carries in a stretch of time. Duty in two tiers or zones at once counts once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Load {
    /// Who.
    pub person: PersonId,
    /// Time on duty, in milliseconds.
    pub duty_ms: i64,
    /// Nights: those in which they are on duty at 03:00 local time.
    pub nights: u32,
    /// Weekends: those with any duty on Saturday or Sunday.
    pub weekends: u32,
    /// Holidays with any duty.
    pub holidays: u32,
    /// Callouts that they accepted.
    pub callouts: u32,
    /// When they accepted the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_callout: Option<Timestamp>,
    /// Time since that one was over for them, in milliseconds; 0 while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest_ms: Option<u64>,
}

impl Rota {
    /// What everybody carries who stands in the rota or has answered, sorted by person. Callouts count if they were
    /// accepted in the stretch; rest is counted up to `now`.
    ///
    /// # Errors
    /// As [`Rota::schedule`].
    pub fn fairness(
        &self,
        from: Timestamp,
        until: Timestamp,
        answered: &[Answered],
        now: Timestamp,
    ) -> Result<Vec<Load>, Problem> {
        schedule::check_stretch(from, until)?;
        let clock = WallClock::around(&self.zone()?, from, until);
        let within = clock.paper_range(from, until);
        let duties = self.duties(&within);
        let holidays: Vec<i64> = windows::holidays(&self.holidays, &within).iter().flat_map(days).collect();
        let mut callouts: HashMap<PersonId, Vec<&Answered>> = HashMap::new();
        for one in answered.iter().filter(|one| from <= one.at && one.at < until) {
            callouts.entry(one.person).or_default().push(one);
        }
        let mut people: BTreeMap<PersonId, Load> = BTreeMap::new();
        for person in self.everybody().into_iter().chain(duties.keys().copied()).chain(callouts.keys().copied()) {
            people.entry(person).or_insert_with(|| {
                let pieces = duties.get(&person).into_iter().flatten();
                let moment = |paper| clock.moment(paper).clamp(from, until);
                // A piece that no moment of the stretch belongs to, or that a change of the clock skips, is none.
                let real = pieces.filter(|piece| moment(piece.from) < moment(piece.until));
                let whole = Ranges::one(clock.shows(from), clock.not_before(until));
                let paper = real.map(|piece| (piece.from, piece.until)).collect::<Ranges>().within(&whole);
                let answered = callouts.get(&person).map_or(&[][..], Vec::as_slice);
                load(person, &paper, &clock, (from, until), &holidays, answered, now)
            });
        }
        Ok(people.into_values().collect())
    }
}

fn load(
    person: PersonId,
    paper: &Ranges,
    clock: &WallClock,
    (from, until): (Timestamp, Timestamp),
    holidays: &[i64],
    answered: &[&Answered],
    now: Timestamp,
) -> Load {
    let real = paper.iter().map(|(begin, end)| {
        clock.moment(end).clamp(from, until).as_millis() - clock.moment(begin).clamp(from, until).as_millis()
    });
    let at_night = paper.iter().flat_map(|(begin, end)| days((begin - NIGHT, end - NIGHT))).filter(|day| {
        let night = day * DAY + NIGHT;
        paper.iter().any(|(begin, end)| begin <= night && night < end)
    });
    let on: Vec<i64> = paper.iter().flat_map(days).collect();
    let weekend = on.iter().filter(|day| windows::weekday(**day) >= 5).map(|day| (day + 3).div_euclid(7));
    let last = answered.iter().max_by_key(|one| one.at);
    Load {
        person,
        duty_ms: real.sum(),
        nights: distinct(at_night),
        weekends: distinct(weekend),
        holidays: distinct(on.iter().copied().filter(|day| holidays.contains(day))),
        callouts: u32::try_from(answered.len()).unwrap_or(u32::MAX),
        last_callout: last.map(|one| one.at),
        rest_ms: last
            .map(|one| one.until.map_or(0, |until| u64::try_from(now.since(until).as_millis()).unwrap_or(u64::MAX))),
    }
}

/// The numbers of the days that a stretch on paper touches.
fn days((from, until): (i64, i64)) -> impl Iterator<Item = i64> {
    from.div_euclid(DAY)..=(until - 1).div_euclid(DAY)
}

fn distinct(numbers: impl Iterator<Item = i64>) -> u32 {
    let mut numbers: Vec<i64> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    u32::try_from(numbers.len()).unwrap_or(u32::MAX)
}
