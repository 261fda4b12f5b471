//! Who is on duty: at a moment, through a stretch of time, and when that changes next.

use super::{
    Rota, invalid,
    local::{self, WallClock},
    ranges::Ranges,
    swaps::Origin,
    windows,
};
use crate::{
    PersonId, Problem,
    callout::{Code, Tier},
    role::{UnknownWord, text_enum},
    time::Timestamp,
};
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    ops::Range,
    str::FromStr,
    time::Duration,
};

/// Where somebody is on duty.
type Place<'a> = (Tier, Option<&'a Code>, PersonId);

/// Milliseconds of a day that is 24 hours long; only for how far to look, never for when something is.
const DAY_MS: i64 = local::DAY * 1000;
/// How far ahead the next change is looked for: first near, where it mostly is, and at last ten years.
const LOOK_AHEAD_DAYS: [i64; 3] = [3, 90, 3653];

/// Somebody on duty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

text_enum!(
    /// What put somebody on duty.
    SourceKind {
        /// An explicit shift.
        Shift = "shift",
        /// A turn of a layer.
        Layer = "layer",
        /// An override.
        Override = "override",
    }
);

/// What put somebody on duty: with `id` and `begins` a turn of a shift or layer can be swapped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Source {
    /// What it is.
    pub kind: SourceKind,
    /// Its id, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Code>,
    /// The beginning of the whole turn, as local time.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "2026-03-08T22:00:00"))]
    pub begins: DateTime,
    /// The swap by which it is this person's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swap: Option<Code>,
}

/// Somebody on duty from one moment until another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Span {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// In which tier.
    pub tier: Tier,
    /// Only for callouts of this zone; absent: for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Code>,
    /// Who.
    pub person: PersonId,
    /// By what.
    pub source: Source,
}

/// Somebody on duty, on paper; borrowed from the rota, since there may be tens of thousands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) tier: Tier,
    pub(super) zone: Option<&'a Code>,
    pub(super) from: i64,
    pub(super) until: i64,
    origin: Origin,
    begins: i64,
    swap: Option<usize>,
}

/// Everybody's pieces.
pub(super) type Duties<'a> = HashMap<PersonId, Vec<Piece<'a>>>;

impl Rota {
    /// Who is on duty at a moment, sorted by tier and person, each once per tier and zone.
    ///
    /// # Errors
    /// `invalid_value` if the time zone is unknown, which [`Rota::validate`] would have refused.
    pub fn on_call(&self, at: Timestamp) -> Result<Vec<OnDuty>, Problem> {
        let clock = WallClock::around(&self.zone()?, at, at);
        let duties = self.duties(&clock.paper_range(at, at));
        let on = |piece: &Piece<'_>| clock.moment(piece.from) <= at && at < clock.moment(piece.until);
        let mut on_duty: Vec<OnDuty> = duties
            .into_iter()
            .flat_map(|(person, pieces)| pieces.into_iter().filter(on).map(move |piece| (person, piece)))
            .map(|(person, piece)| OnDuty { tier: piece.tier, person, zone: piece.zone.cloned() })
            .collect();
        on_duty.sort_unstable();
        on_duty.dedup();
        Ok(on_duty)
    }

    /// Who is on duty through a stretch of time, in order; what reaches beyond it is cut off at its ends.
    ///
    /// # Errors
    /// `invalid_value` if the stretch is longer than [`super::LONGEST_STRETCH_DAYS`], or as [`Rota::on_call`].
    pub fn schedule(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Span>, Problem> {
        check_stretch(from, until)?;
        let clock = WallClock::around(&self.zone()?, from, until);
        let duties = self.duties(&clock.paper_range(from, until));
        let mut spans: Vec<Span> = Vec::new();
        for (person, pieces) in duties {
            spans.extend(pieces.into_iter().filter_map(|piece| {
                let (begin, end) = (clock.moment(piece.from).max(from), clock.moment(piece.until).min(until));
                (begin < end).then(|| Span {
                    from: begin,
                    until: end,
                    tier: piece.tier,
                    zone: piece.zone.cloned(),
                    person,
                    source: self.source(&piece),
                })
            }));
        }
        spans.sort_unstable();
        Ok(spans)
    }

    /// The first moment after `at` at which [`Rota::on_call`] answers something else; `None` if that is not within ten
    /// years.
    ///
    /// # Errors
    /// As [`Rota::on_call`].
    pub fn next_change(&self, at: Timestamp) -> Result<Option<Timestamp>, Problem> {
        let zone = self.zone()?;
        for days in LOOK_AHEAD_DAYS {
            let end = Timestamp(at.as_millis().saturating_add(days * DAY_MS));
            let clock = WallClock::around(&zone, at, end);
            let duties = self.duties(&clock.paper_range(at, end));
            let mut on: BTreeMap<Place<'_>, Vec<(i64, i64)>> = BTreeMap::new();
            for (person, piece) in duties.iter().flat_map(|(p, pieces)| pieces.iter().map(move |piece| (*p, piece))) {
                let range = (clock.moment(piece.from).as_millis(), clock.moment(piece.until).as_millis());
                on.entry((piece.tier, piece.zone, person)).or_default().push(range);
            }
            // Where one turn of somebody's meets their next one, nothing changes.
            let stretches = on.into_values().map(|ranges| ranges.into_iter().collect::<Ranges>());
            let next = stretches
                .flat_map(|ranges| ranges.iter().flat_map(|(from, until)| [from, until]).collect::<Vec<_>>())
                .filter(|change| at.as_millis() < *change && *change < end.as_millis())
                .min();
            if next.is_some() {
                return Ok(next.map(Timestamp));
            }
        }
        Ok(None)
    }

    /// The moments of everybody's duty in one tier that count for a zone: theirs, and those without a zone.
    pub(super) fn covered(clock: &WallClock, duties: &Duties<'_>, tier: Tier, zone: Option<&Code>) -> Ranges {
        let counts = |piece: &&Piece<'_>| piece.tier == tier && (piece.zone.is_none() || piece.zone == zone);
        let pieces = duties.values().flatten().filter(counts);
        pieces.map(|piece| (clock.moment(piece.from).as_millis(), clock.moment(piece.until).as_millis())).collect()
    }

    /// Everybody's duty on paper, as far as it touches a stretch; all five steps of this module's description.
    pub(super) fn duties(&self, within: &Range<i64>) -> Duties<'_> {
        let mut duties = Duties::new();
        self.add_layers(within, &mut duties);
        self.add_shifts(within, &mut duties);
        self.apply_overrides(within, &mut duties);
        self.apply_absences(within, &mut duties);
        duties
    }

    fn add_layers<'a>(&'a self, within: &Range<i64>, duties: &mut Duties<'a>) {
        let moves = self.moves(self.swaps.len());
        let holidays = windows::holidays(&self.holidays, within);
        let mut taken: HashMap<(Tier, Option<&Code>), Ranges> = HashMap::new();
        // The last that applies counts, so they are asked from the last to the first.
        for (place, layer) in self.layers.iter().enumerate().rev() {
            let origin = Origin::Layer(place);
            let runs = layer.runs();
            let runs = runs.start.max(within.start)..runs.end.min(within.end);
            if runs.is_empty() {
                continue;
            }
            let hours = windows::hours(&layer.only, &runs);
            let applies = match layer.on_holidays {
                super::OnHolidays::AsUsual => hours,
                super::OnHolidays::Off => hours.without(&holidays),
                super::OnHolidays::Only => hours.within(&holidays),
            };
            let above = taken.entry((layer.tier, layer.zone.as_ref())).or_default();
            let own = applies.without(above);
            *above = std::mem::take(above).and(applies);
            let mut turn = layer.turn_at(runs.start);
            for (from, until) in own.iter() {
                while turn.until <= from {
                    turn = layer.after(turn);
                }
                // The turn that is running at the end may go on after the next pause.
                let mut running = turn;
                while running.from < until {
                    for planned in layer.people_of(running) {
                        let (person, swap) = moves.who(origin, running.from, planned);
                        duties.entry(person).or_default().push(Piece {
                            tier: layer.tier,
                            zone: layer.zone.as_ref(),
                            from: from.max(running.from),
                            until: until.min(running.until),
                            origin,
                            begins: running.from,
                            swap,
                        });
                    }
                    turn = running;
                    running = layer.after(running);
                }
            }
        }
    }

    fn add_shifts<'a>(&'a self, within: &Range<i64>, duties: &mut Duties<'a>) {
        let moves = self.moves(self.swaps.len());
        for (place, shift) in self.shifts.iter().enumerate() {
            let origin = Origin::Shift(place);
            for (from, until) in shift.occurrences(within) {
                let (person, swap) = moves.who(origin, from, shift.person);
                let (tier, zone) = (shift.tier, shift.zone.as_ref());
                duties.entry(person).or_default().push(Piece { tier, zone, from, until, origin, begins: from, swap });
            }
        }
    }

    fn apply_overrides<'a>(&'a self, within: &Range<i64>, duties: &mut Duties<'a>) {
        for (place, change) in self.overrides.iter().enumerate() {
            let (from, until) = change.range();
            if until <= within.start || within.end <= from {
                continue;
            }
            let (tier, zone) = (change.tier, change.zone.as_ref());
            if let Some(pieces) = change.replaces.and_then(|person| duties.get_mut(&person)) {
                let there = |piece: &Piece<'_>| piece.tier == tier && piece.zone == zone;
                *pieces = cut(pieces, &Ranges::one(from, until), there);
            }
            let origin = Origin::Override(place);
            let piece = Piece { tier, zone, from, until, origin, begins: from, swap: None };
            duties.entry(change.person).or_default().push(piece);
        }
    }

    fn apply_absences(&self, within: &Range<i64>, duties: &mut Duties<'_>) {
        let mut away: HashMap<PersonId, Vec<(i64, i64)>> = HashMap::new();
        for absence in &self.absences {
            let (from, until) = absence.range();
            if from < within.end && within.start < until {
                away.entry(absence.person).or_default().push((from, until));
            }
        }
        for (person, ranges) in away {
            if let Some(pieces) = duties.get_mut(&person) {
                *pieces = cut(pieces, &ranges.into_iter().collect(), |_| true);
            }
        }
    }

    fn source(&self, piece: &Piece<'_>) -> Source {
        let (kind, id) = match piece.origin {
            Origin::Shift(place) => (SourceKind::Shift, self.shifts.get(place).and_then(|shift| shift.id.clone())),
            Origin::Layer(place) => (SourceKind::Layer, self.layers.get(place).map(|layer| layer.id.clone())),
            Origin::Override(place) => (SourceKind::Override, self.overrides.get(place).map(|o| o.id.clone())),
        };
        let swap = piece.swap.and_then(|place| self.swaps.get(place)).map(|swap| swap.id.clone());
        Source { kind, id, begins: local::local(piece.begins), swap }
    }

    /// Everybody of whom the rota speaks.
    pub(super) fn everybody(&self) -> HashSet<PersonId> {
        self.people().map(|(person, _)| person).collect()
    }
}

/// Takes a set of times out of those pieces that it is about.
fn cut<'a>(pieces: &[Piece<'a>], times: &Ranges, about: impl Fn(&Piece<'_>) -> bool) -> Vec<Piece<'a>> {
    let mut rest = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match about(piece) {
            true => {
                rest.extend(Ranges::one(piece.from, piece.until).without(times).iter().map(|(from, until)| Piece {
                    from,
                    until,
                    ..*piece
                }))
            }
            false => rest.push(*piece),
        }
    }
    rest
}

/// Refuses what nobody can read and a server should not compute.
pub(super) fn check_stretch(from: Timestamp, until: Timestamp) -> Result<(), Problem> {
    let most = super::LONGEST_STRETCH_DAYS;
    if until < from || until.since(from) > Duration::from_millis((most * DAY_MS).unsigned_abs()) {
        return Err(invalid(format!("from, until: in this order, and at most {most} days apart.")));
    }
    Ok(())
}
