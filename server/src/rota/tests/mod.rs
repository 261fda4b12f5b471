//! The rota with a real store and a clock that the test moves.

mod calendars;
mod telling;

pub(crate) use super::{
    plan::{get_rota, put_rota},
    reads::{At, on_call},
};

use super::{changes, reads, swaps};
use crate::store::sql;
use crate::{
    Result, Shared,
    caller::Caller,
    callouts::tests::{House, admin, backup, caseworker, code, officer, primary, reserve, supervisor},
    extract::{Json, Path, Query},
};
use axum::extract::State;
use firstlight_protocol::{
    ErrorCode, PersonId,
    api::{AnswerSwap, OfferSwap, RotaChanged, RotaDocument, SwapAnswer},
    callout::{Code, Tier},
    rota::{Absence, Override, Repeat, Rota, Shift, Turn},
};

fn app(house: &House) -> State<Shared> {
    State(Shared::clone(house.app()))
}

fn id(text: &str) -> Code {
    text.parse().unwrap()
}

/// The primary's nights and the backup's days, in a zone without changes of the clock. It is 2026-02-02, 10:40 there.
fn nights() -> Rota {
    let shift = |name: &str, person: PersonId, from: &str, until: &str| Shift {
        id: Some(id(name)),
        tier: Tier::Primary,
        person,
        zone: None,
        from: from.parse().unwrap(),
        until: until.parse().unwrap(),
        repeat: Repeat::Daily,
        repeat_until: None,
    };
    let shifts = vec![
        shift("night", primary().person, "2026-01-01T20:00", "2026-01-02T08:00"),
        shift("day", backup().person, "2026-01-01T08:00", "2026-01-01T20:00"),
    ];
    Rota { shifts, ..Rota::new("Asia/Manila") }
}

async fn put(house: &House, rota: Rota) -> RotaDocument {
    let Json(known) = get_rota(app(house), admin()).await.unwrap();
    put_rota(app(house), admin(), Json(RotaDocument { version: known.version, rota })).await.unwrap().0
}

async fn stored(house: &House) -> Rota {
    get_rota(app(house), admin()).await.unwrap().0.rota
}

/// Who is on duty at a UTC time of 2026.
async fn on(house: &House, when: &str) -> Vec<PersonId> {
    let at = format!("2026-{when}:00Z").parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let on_duty = stored(house).await.on_call(firstlight_protocol::Timestamp(at)).unwrap();
    on_duty.into_iter().map(|on| on.person).collect()
}

fn offered(name: &str, to: &Caller, begins: &str) -> OfferSwap {
    let turn = Turn { of: id("night"), begins: begins.parse().unwrap() };
    OfferSwap { id: id(name), person: None, to: to.person, turn, in_return: None }
}

async fn offer(house: &House, caller: &Caller, body: OfferSwap) -> Result<RotaChanged> {
    swaps::offer(app(house), caller.clone(), Json(body)).await.map(|Json(changed)| changed)
}

async fn answer(house: &House, caller: &Caller, name: &str, answer: SwapAnswer) -> Result<RotaChanged> {
    let body = Json(AnswerSwap { answer });
    swaps::answer(app(house), caller.clone(), Path(id(name)), body).await.map(|Json(changed)| changed)
}

#[tokio::test]
async fn a_swap_takes_two_people_and_two_steps() {
    let house = House::new().await;
    put(&house, nights()).await;
    let body = || offered("swap-1", &reserve(), "2026-02-03T20:00");
    // Not theirs to give, not there, over, to somebody who answers no callouts, by somebody who reads no rota.
    assert_eq!(code(offer(&house, &backup(), body()).await), ErrorCode::InvalidValue);
    let gone = OfferSwap { turn: Turn { of: id("dawn"), ..body().turn }, ..body() };
    assert_eq!(code(offer(&house, &primary(), gone).await), ErrorCode::InvalidValue);
    assert_eq!(
        code(offer(&house, &primary(), offered("x", &reserve(), "2026-01-20T20:00")).await),
        ErrorCode::InvalidValue
    );
    assert_eq!(
        code(offer(&house, &primary(), offered("x", &caseworker(), "2026-02-03T20:00")).await),
        ErrorCode::InvalidValue
    );
    assert_eq!(code(offer(&house, &officer(), body()).await), ErrorCode::Forbidden);
    let others = OfferSwap { person: Some(backup().person), ..body() };
    assert_eq!(code(offer(&house, &primary(), others).await), ErrorCode::Forbidden);

    let first = offer(&house, &primary(), body()).await.unwrap();
    assert_eq!(offer(&house, &primary(), body()).await.unwrap(), first, "the same again");
    assert_eq!(
        code(offer(&house, &primary(), offered("swap-1", &backup(), "2026-02-03T20:00")).await),
        ErrorCode::Conflict
    );
    assert_eq!(on(&house, "02-03T13:00").await, [primary().person], "offered is not accepted");
    for (caller, wrong) in
        [(primary(), SwapAnswer::Accept), (backup(), SwapAnswer::Accept), (reserve(), SwapAnswer::Withdraw)]
    {
        assert_eq!(code(answer(&house, &caller, "swap-1", wrong).await), ErrorCode::Forbidden);
    }
    assert_eq!(code(answer(&house, &reserve(), "swap-2", SwapAnswer::Accept).await), ErrorCode::NotFound);
    let accepted = answer(&house, &reserve(), "swap-1", SwapAnswer::Accept).await.unwrap();
    assert_eq!(answer(&house, &reserve(), "swap-1", SwapAnswer::Accept).await.unwrap(), accepted);
    assert_eq!(code(answer(&house, &primary(), "swap-1", SwapAnswer::Withdraw).await), ErrorCode::WrongState);
    assert_eq!(on(&house, "02-03T13:00").await, [reserve().person]);
    assert_eq!(on(&house, "02-04T13:00").await, [primary().person]);
    let trail: Vec<String> = sql::query_scalar("SELECT action FROM audit WHERE action LIKE 'rota.swap%' ORDER BY seq")
        .fetch_all(house.app().store.read())
        .await
        .unwrap();
    assert_eq!(trail, ["rota.swap_offered", "rota.swap_accepted"], "each step once");
}

/// PEERS.md: "swaps that drift when a shift moves".
#[tokio::test]
async fn a_swap_follows_its_shift_through_an_edit_of_the_rota_and_lapses_with_it() {
    let house = House::new().await;
    put(&house, nights()).await;
    offer(&house, &primary(), offered("a", &reserve(), "2026-02-03T20:00")).await.unwrap();
    answer(&house, &supervisor(), "a", SwapAnswer::Accept).await.unwrap();
    offer(&house, &primary(), offered("b", &reserve(), "2026-02-05T20:00")).await.unwrap();
    let mut moved = stored(&house).await;
    (moved.shifts[0].from, moved.shifts[0].until) =
        ("2026-01-01T18:00:00".parse().unwrap(), "2026-01-02T06:00:00".parse().unwrap());
    put(&house, moved).await;
    assert_eq!(on(&house, "02-03T10:30").await, [backup().person, reserve().person], "18:30");
    let mut given = stored(&house).await;
    given.shifts[0].person = backup().person;
    put(&house, given).await;
    assert_eq!(code(answer(&house, &reserve(), "b", SwapAnswer::Accept).await), ErrorCode::WrongState);
    assert_eq!(on(&house, "02-03T10:30").await, [backup().person]);
}

#[tokio::test]
async fn everybody_says_when_they_are_away_and_supervisors_put_others_in() {
    let house = House::new().await;
    put(&house, nights()).await;
    let away = |name: &str, who: &Caller| Absence {
        id: id(name),
        person: who.person,
        from: "2026-02-03T00:00:00".parse().unwrap(),
        until: "2026-02-05T00:00:00".parse().unwrap(),
    };
    let absent = |caller: Caller, body: Absence| changes::add_absence(app(&house), caller, Json(body));
    assert_eq!(code(absent(backup(), away("a", &primary())).await), ErrorCode::Forbidden);
    assert_eq!(code(absent(officer(), away("a", &officer())).await), ErrorCode::Forbidden);
    let Json(first) = absent(primary(), away("a", &primary())).await.unwrap();
    assert_eq!(absent(primary(), away("a", &primary())).await.unwrap().0, first);
    assert_eq!(on(&house, "02-03T13:00").await, []);
    let gaps = reads::gaps(app(&house), primary(), Query(reads::Stretch::default())).await.unwrap().0;
    assert_eq!(gaps.gaps.len(), 3, "the rest of one night, a whole one, and the beginning of another");

    let over = |who: &Caller| Override {
        id: id("o"),
        tier: Tier::Primary,
        zone: None,
        person: who.person,
        replaces: Some(primary().person),
        from: "2026-02-03T20:00:00".parse().unwrap(),
        until: "2026-02-04T08:00:00".parse().unwrap(),
    };
    let put_in = |caller: Caller, who: &Caller| changes::add_override(app(&house), caller, Json(over(who)));
    assert_eq!(code(put_in(primary(), &reserve()).await), ErrorCode::Forbidden);
    let mut swapped = over(&primary());
    swapped.replaces = None;
    let refused = changes::add_override(app(&house), supervisor(), Json(swapped)).await;
    assert_eq!(code(refused), ErrorCode::WrongState, "they are away");
    put_in(supervisor(), &reserve()).await.unwrap();
    assert_eq!(on(&house, "02-03T13:00").await, [reserve().person]);
    changes::remove_override(app(&house), supervisor(), Path(id("o"))).await.unwrap();
    let remove = |caller: Caller| changes::remove_absence(app(&house), caller, Path(id("a")));
    assert_eq!(code(remove(backup()).await), ErrorCode::Forbidden);
    remove(primary()).await.unwrap();
    remove(primary()).await.unwrap();
    assert_eq!(on(&house, "02-03T13:00").await, [primary().person]);
}

#[tokio::test]
async fn advocates_read_their_own_line_of_the_fairness_report() {
    let house = House::new().await;
    put(&house, nights()).await;
    let ask = |caller: Caller| reads::fairness(app(&house), caller, Query(reads::Stretch::default()));
    let all = ask(supervisor()).await.unwrap().0.people;
    assert_eq!(all.iter().map(|one| one.load.person).collect::<Vec<_>>(), [primary().person, backup().person]);
    assert_eq!((all[0].load.nights, all[1].load.nights), (32, 0), "every night since the first of January");
    let own = ask(primary()).await.unwrap().0.people;
    assert_eq!(own, [all[0].clone()]);
    assert_eq!(code(ask(officer()).await), ErrorCode::Forbidden);
}
