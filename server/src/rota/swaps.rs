//! Swaps, in two steps: one person offers, the other answers. A supervisor may do either for them.

use super::{
    changes::require_present,
    plan::{KEEPERS, READERS, add, change, require_able, require_host, require_own},
};
use crate::{
    Result, Shared,
    caller::Caller,
    extract::{Json, Path},
};
use axum::extract::State;
use firstlight_protocol::{
    ErrorCode, PersonId, Problem, Timestamp,
    api::{AnswerSwap, OfferSwap, RotaChanged, SwapAnswer},
    callout::Code,
    rota::{Rota, Swap, SwapState, Turn},
};

/// Offers a turn to somebody, or an exchange of two. Nothing changes until they accept. The same again changes nothing.
#[utoipa::path(post, path = "/v1/rota/swaps", tag = "rota", request_body = OfferSwap, responses(
    (status = 200, body = RotaChanged), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn offer(
    State(app): State<Shared>,
    caller: Caller,
    Json(offer): Json<OfferSwap>,
) -> Result<Json<RotaChanged>> {
    require_host(&app, &caller, &READERS).await?;
    let OfferSwap { id, person, to, turn, in_return } = offer;
    let person = person.unwrap_or(caller.person);
    require_own(&caller, person)?;
    require_able(&app, &caller, &[person, to]).await?;
    let audit = ("rota.swap_offered", format!("{id} {person} {to}"));
    let changed = change(&app, &caller, audit, move |rota, now| {
        let new = Swap { id, person, to, turn, in_return, state: SwapState::Offered };
        if let Some(known) = rota.swaps.iter().find(|one| one.id == new.id) {
            // The same request again, whatever was answered meanwhile.
            let asked = Swap { state: known.state, ..new };
            return if *known == asked { Ok(()) } else { Err(conflict()) };
        }
        require_turns(rota, &new, now)?;
        let id = new.id.clone();
        add(&mut rota.swaps, new, |one| one.id == id)
    });
    changed.await.map(Json)
}

/// Accepts, declines or withdraws a swap.
#[utoipa::path(post, path = "/v1/rota/swaps/{swap}", tag = "rota", request_body = AnswerSwap,
    params(("swap" = Code, Path, description = "Its id")), responses(
    (status = 200, body = RotaChanged), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn answer(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<Code>,
    Json(AnswerSwap { answer }): Json<AnswerSwap>,
) -> Result<Json<RotaChanged>> {
    require_host(&app, &caller, &READERS).await?;
    let (by, keeps) = (caller.person, KEEPERS.contains(&caller.role));
    let (action, state) = match answer {
        SwapAnswer::Accept => ("rota.swap_accepted", SwapState::Accepted),
        SwapAnswer::Decline => ("rota.swap_declined", SwapState::Declined),
        SwapAnswer::Withdraw => ("rota.swap_withdrawn", SwapState::Withdrawn),
    };
    let audit = (action, id.to_string());
    let changed = change(&app, &caller, audit, move |rota, now| settle(rota, &id, state, (by, keeps), now));
    changed.await.map(Json)
}

fn settle(
    rota: &mut Rota,
    id: &Code,
    state: SwapState,
    (by, keeps): (PersonId, bool),
    now: Timestamp,
) -> Result<(), Problem> {
    let now = rota.local(now)?;
    let Some(place) = rota.swaps.iter().position(|swap| swap.id == *id) else {
        return Err(ErrorCode::NotFound.into());
    };
    let swap = rota.swaps[place].clone();
    let whose = if state == SwapState::Withdrawn { swap.person } else { swap.to };
    if by != whose && !keeps {
        // Nobody else's business, except that they read it in the rota anyway.
        let detail = "A swap is answered by whom it was offered to, and withdrawn by who offered it.";
        return Err(Problem::with(ErrorCode::Forbidden, detail));
    }
    if swap.state == state {
        return Ok(());
    }
    if swap.state != SwapState::Offered {
        return Err(Problem::with(ErrorCode::WrongState, format!("It is {} already.", swap.state)));
    }
    if state == SwapState::Accepted {
        if rota.swap_state(id, now) != Some(SwapState::Offered) {
            let detail = "It has lapsed: the turn is gone, over, or somebody else's by now.";
            return Err(Problem::with(ErrorCode::WrongState, detail));
        }
        for (turn, taker) in turns(&swap) {
            if let Some(turn) = rota.turn(turn) {
                require_present(rota, taker, turn.from, turn.until)?;
            }
        }
    }
    // Accepted swaps count in the order in which they were accepted.
    rota.swaps.remove(place);
    rota.swaps.push(Swap { state, ..swap });
    Ok(())
}

/// Each turn of a swap, with who is to have it.
fn turns(swap: &Swap) -> impl Iterator<Item = (&Turn, PersonId)> {
    [(&swap.turn, swap.to)].into_iter().chain(swap.in_return.as_ref().map(|back| (back, swap.person)))
}

/// Refuses turns that aren't there, are over, or are not theirs to give.
fn require_turns(rota: &Rota, swap: &Swap, now: Timestamp) -> Result<(), Problem> {
    let now = rota.local(now)?;
    for (turn, taker) in turns(swap) {
        let giver = if taker == swap.to { swap.person } else { swap.to };
        let detail = match rota.turn(turn) {
            None => {
                "There is no such turn: \"of\" is the id of one shift or layer, \"begins\" the beginning of a turn."
            }
            Some(found) if found.until <= now => "This turn is over.",
            Some(found) if !found.people.contains(&giver) => "This turn is somebody else's.",
            Some(_) => continue,
        };
        return Err(Problem::with(ErrorCode::InvalidValue, detail));
    }
    Ok(())
}

fn conflict() -> Problem {
    Problem::with(ErrorCode::Conflict, "Another one has this id.")
}
