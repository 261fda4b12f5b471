//! Swaps: one turn given away, or two exchanged, offered by one person and accepted by the other.
//!
//! A swap names what is swapped by shift or layer and the day on which it begins, not by a stretch of time. When that
//! shift is moved to other hours the swap moves along; when it is gone, or is somebody else's by now, the swap has lapsed
//! and does nothing.

use super::{
    Rota,
    local::{self, paper},
};
use crate::{
    PersonId,
    callout::Code,
    role::{UnknownWord, text_enum},
};
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, fmt, str::FromStr};

/// One occurrence of a shift, or one turn of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// The id of the shift or layer.
    pub of: Code,
    /// Its beginning, as local time, when it was noted. Afterwards the nearest date counts, for hourly turns the nearest
    /// hour: the turn is found again when its hours change.
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "2026-03-08T22:00:00"))]
    pub begins: DateTime,
}

text_enum!(
    /// Where a swap stands.
    SwapState {
        /// Offered: nothing has changed yet.
        Offered = "offered",
        /// Accepted by the other person: it counts.
        Accepted = "accepted",
        /// Declined by the other person.
        Declined = "declined",
        /// Withdrawn by whoever offered it.
        Withdrawn = "withdrawn",
        /// The turn is gone, is over, or is somebody else's by now. Never stored: it follows from the rota.
        Lapsed = "lapsed",
    }
);

/// One person's turn for somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Swap {
    /// Its name; sending the same again changes nothing.
    pub id: Code,
    /// Whose turn it is.
    pub person: PersonId,
    /// Who is to have it.
    pub to: PersonId,
    /// The turn.
    pub turn: Turn,
    /// A turn of the other person's that goes the other way; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_return: Option<Turn>,
    /// Where it stands.
    pub state: SwapState,
}

/// A turn as it stands in the rota now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnNow {
    /// Its first second, as local time.
    pub from: DateTime,
    /// The first second after it, as local time.
    pub until: DateTime,
    /// Whose it is, with every swap that was accepted.
    pub people: Vec<PersonId>,
}

/// Where something in the rota comes from, by its place in the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Origin {
    Shift(usize),
    Layer(usize),
    Override(usize),
}

/// A turn that was found, on paper.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) origin: Origin,
    pub(super) from: i64,
    pub(super) until: i64,
}

/// What accepted swaps change, by the turns that they are about.
#[derive(Debug, Default)]
pub(super) struct Moves(HashMap<Origin, Vec<Move>>);

#[derive(Debug)]
struct Move {
    begins: i64,
    from: PersonId,
    to: PersonId,
    swap: usize,
}

impl Moves {
    /// Who really has the turn that begins at `begins`, and by which swap.
    pub(super) fn who(&self, origin: Origin, begins: i64, planned: PersonId) -> (PersonId, Option<usize>) {
        let moves = self.0.get(&origin).into_iter().flatten();
        // In the order of the list: what somebody was given, they may give away again.
        moves.filter(|m| m.begins == begins).fold((planned, None), |(person, by), m| match m.from == person {
            true => (m.to, Some(m.swap)),
            false => (person, by),
        })
    }
}

impl Rota {
    /// What the accepted swaps change; those before place `count` of the list.
    pub(super) fn moves(&self, count: usize) -> Moves {
        let mut moves: HashMap<Origin, Vec<Move>> = HashMap::new();
        let accepted = self.swaps.iter().enumerate().take(count).filter(|(_, swap)| swap.state == SwapState::Accepted);
        for (place, swap) in accepted {
            for (turn, from, to) in swap.halves() {
                if let Some(found) = self.find(turn) {
                    moves.entry(found.origin).or_default().push(Move { begins: found.from, from, to, swap: place });
                }
            }
        }
        Moves(moves)
    }

    /// A turn as it stands now; `None` if its shift or layer is gone, or its id means more than one.
    pub fn turn(&self, turn: &Turn) -> Option<TurnNow> {
        self.find(turn).map(|found| self.turn_now(found, &self.moves(self.swaps.len())))
    }

    fn turn_now(&self, found: Found, moves: &Moves) -> TurnNow {
        let people = self.planned(found).map(|planned| moves.who(found.origin, found.from, planned).0).collect();
        TurnNow { from: local::local(found.from), until: local::local(found.until), people }
    }

    /// The turn as it stands in the rota now; `None` if its shift or layer is gone, or its id means more than one.
    pub(super) fn find(&self, turn: &Turn) -> Option<Found> {
        let noted = paper(turn.begins);
        let mut shifts = self.shifts.iter().enumerate().filter(|(_, shift)| shift.id.as_ref() == Some(&turn.of));
        match (shifts.next(), shifts.next()) {
            (Some((place, shift)), None) => {
                let from = shift.occurrence_noted(noted)?;
                let until = from + (paper(shift.until) - paper(shift.from));
                Some(Found { origin: Origin::Shift(place), from, until })
            }
            (None, _) => {
                let (place, layer) = self.layers.iter().enumerate().find(|(_, layer)| layer.id == turn.of)?;
                let found = layer.turn_noted(noted)?;
                Some(Found { origin: Origin::Layer(place), from: found.from, until: found.until })
            }
            _ => None,
        }
    }

    /// Where a swap stands at a local time: it has lapsed when a turn of it is gone or somebody else's, and one that is only
    /// offered also when a turn of it is over. `None` if there is no such swap.
    pub fn swap_state(&self, id: &Code, now: DateTime) -> Option<SwapState> {
        let (place, swap) = self.swaps.iter().enumerate().find(|(_, swap)| swap.id == *id)?;
        // An accepted swap stands after those before it, an offered one after all that were accepted.
        let moves = match swap.state {
            SwapState::Offered => self.moves(self.swaps.len()),
            SwapState::Accepted => self.moves(place),
            settled => return Some(settled),
        };
        let stands = swap.halves().all(|(turn, from, _)| {
            self.find(turn).is_some_and(|found| {
                let turn = self.turn_now(found, &moves);
                turn.people.contains(&from) && (swap.state == SwapState::Accepted || turn.until > now)
            })
        });
        Some(if stands { swap.state } else { SwapState::Lapsed })
    }

    /// Who has a turn by the plan.
    fn planned(&self, found: Found) -> impl Iterator<Item = PersonId> + '_ {
        let shift = match found.origin {
            Origin::Shift(place) => self.shifts.get(place).map(|shift| shift.person),
            _ => None,
        };
        let layer = match found.origin {
            Origin::Layer(place) => self.layers.get(place),
            _ => None,
        };
        shift.into_iter().chain(layer.into_iter().flat_map(move |layer| layer.people_of(layer.turn_at(found.from))))
    }
}

impl Swap {
    /// Each turn, whose it is, and who is to have it.
    pub(super) fn halves(&self) -> impl Iterator<Item = (&Turn, PersonId, PersonId)> {
        let back = self.in_return.as_ref().map(|turn| (turn, self.to, self.person));
        [(&self.turn, self.person, self.to)].into_iter().chain(back)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        for (turn, ..) in self.halves() {
            super::check_time("begins", turn.begins)?;
        }
        match () {
            () if self.person == self.to => Err("to: somebody else.".into()),
            () if self.state == SwapState::Lapsed => Err("state: a swap lapses by itself.".into()),
            () => Ok(()),
        }
    }
}
