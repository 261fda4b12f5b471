//! Overrides, absences and swaps.

use super::{
    layers::{code, layer, layered, person},
    *,
};

fn over(id: &str, who: u8, replaces: Option<u8>, from: &str, until: &str) -> Override {
    Override {
        id: code(id),
        tier: Tier::Primary,
        zone: None,
        person: person(who),
        replaces: replaces.map(person),
        from: from.parse().unwrap(),
        until: until.parse().unwrap(),
    }
}

fn away(who: u8, from: &str, until: &str) -> Absence {
    Absence { id: code("away"), person: person(who), from: from.parse().unwrap(), until: until.parse().unwrap() }
}

pub(super) fn swap(id: &str, who: u8, to: u8, of: &str, begins: &str) -> Swap {
    Swap {
        id: code(id),
        person: person(who),
        to: person(to),
        turn: Turn { of: code(of), begins: begins.parse().unwrap() },
        in_return: None,
        state: SwapState::Accepted,
    }
}

#[test]
fn an_override_stands_in_for_somebody_or_comes_in_addition() {
    let mut rota = layered("Asia/Manila", vec![layer("l", &[1], "2026-01-01T00:00", Unit::Days, &[1])]);
    rota.overrides.push(over("a", 2, Some(1), "2026-01-05T08:00", "2026-01-05T16:00"));
    rota.overrides.push(over("b", 3, None, "2026-01-05T12:00", "2026-01-05T20:00"));
    rota.overrides.push(over("c", 4, Some(2), "2026-01-05T10:00", "2026-01-05T11:00"));
    let hours = ["04T23", "05T00", "05T02", "05T03", "05T04", "05T08", "05T12"];
    let who = hours.map(|hour| on_duty(&rota, &format!("2026-01-{hour}:00:00Z")));
    assert_eq!(who.to_vec(), [vec![1], vec![2], vec![4], vec![2], vec![2, 3], vec![1, 3], vec![1]]);
    rota.overrides[0].zone = Some(code("north"));
    assert_eq!(on_duty(&rota, "2026-01-05T01:00:00Z"), [1, 2], "of a zone: nobody is replaced in the others");
}

#[test]
fn who_is_away_is_on_duty_nowhere_and_nobody_steps_in_unasked() {
    let below = layer("below", &[9], "2026-01-01T00:00", Unit::Days, &[1]);
    let mut rota = layered("Asia/Manila", vec![below, layer("l", &[1, 2], "2026-01-01T00:00", Unit::Days, &[1])]);
    rota.absences.push(away(1, "2026-01-05T12:00", "2026-01-08T00:00"));
    assert_eq!(on_duty(&rota, "2026-01-05T03:00:00Z"), [1], "11:00");
    assert_eq!(on_duty(&rota, "2026-01-05T04:00:00Z"), NOBODY, "12:00");
    assert_eq!(on_duty(&rota, "2026-01-06T04:00:00Z"), [2]);
    let gaps = rota.gaps(at("2026-01-05T00:00:00Z"), at("2026-01-09T00:00:00Z")).unwrap();
    let expected = [("05T04:00", "05T16:00"), ("06T16:00", "07T16:00")];
    let expected =
        expected.map(|(from, until)| (at(&format!("2026-01-{from}:00Z")), at(&format!("2026-01-{until}:00Z"))));
    assert_eq!(gaps.iter().map(|gap| (gap.from, gap.until)).collect::<Vec<_>>(), expected);
    rota.overrides.push(over("a", 3, None, "2026-01-05T12:00", "2026-01-06T00:00"));
    assert_eq!(rota.gaps(at("2026-01-05T00:00:00Z"), at("2026-01-09T00:00:00Z")).unwrap().len(), 1);
    rota.absences[0].person = person(3);
    assert_eq!(on_duty(&rota, "2026-01-05T05:00:00Z"), [1], "an absence counts after an override");
}

/// PEERS.md: "swaps that drift when a shift moves".
#[test]
fn a_swap_follows_its_shift_when_that_moves() {
    let mut nightly = shift(1, "2026-03-01T22:00", "2026-03-02T06:00", Repeat::Daily);
    nightly.id = Some(code("night"));
    let mut rota = rota("Asia/Manila", vec![nightly]);
    rota.swaps.push(swap("s", 1, 2, "night", "2026-03-04T22:00"));
    let nights = |rota: &Rota, hour_utc: &str| -> Vec<u8> {
        (3..6).map(|day| on_duty(rota, &format!("2026-03-{day:02}T{hour_utc}:00Z"))[0]).collect()
    };
    assert_eq!(nights(&rota, "15:00"), [1, 2, 1], "the night of the 4th is swapped");
    // The shift moves to other hours, across midnight even: the night of the 4th stays swapped, and nothing else.
    (rota.shifts[0].from, rota.shifts[0].until) =
        ("2026-03-01T18:30:00".parse().unwrap(), "2026-03-02T02:00:00".parse().unwrap());
    assert_eq!(nights(&rota, "11:00"), [1, 2, 1]);
    assert_eq!(on_duty(&rota, "2026-03-04T19:00:00Z"), NOBODY, "nobody is left where the shift was");
    (rota.shifts[0].from, rota.shifts[0].until) =
        ("2026-03-01T09:00:00".parse().unwrap(), "2026-03-01T17:00:00".parse().unwrap());
    assert_eq!(nights(&rota, "03:00"), [1, 2, 1]);
    // A weekly one that moves from Monday to Wednesday keeps its week.
    rota.shifts[0].repeat = Repeat::Weekly;
    (rota.shifts[0].from, rota.shifts[0].until) =
        ("2026-03-02T09:00:00".parse().unwrap(), "2026-03-02T17:00:00".parse().unwrap());
    rota.swaps[0].turn.begins = "2026-03-09T09:00:00".parse().unwrap();
    let weeks = |rota: &Rota, first: u8| -> Vec<u8> {
        (0..3).map(|week| on_duty(rota, &format!("2026-03-{:02}T03:00:00Z", first + 7 * week))[0]).collect()
    };
    assert_eq!(weeks(&rota, 2), [1, 2, 1]);
    (rota.shifts[0].from, rota.shifts[0].until) =
        ("2026-03-04T09:00:00".parse().unwrap(), "2026-03-04T17:00:00".parse().unwrap());
    assert_eq!(weeks(&rota, 4), [1, 2, 1]);
    // Gone, or somebody else's: it does nothing, and says so.
    let now = "2026-03-01T00:00:00".parse().unwrap();
    assert_eq!(rota.swap_state(&code("s"), now), Some(SwapState::Accepted));
    rota.shifts[0].person = person(3);
    assert_eq!(weeks(&rota, 4), [3, 3, 3]);
    assert_eq!(rota.swap_state(&code("s"), now), Some(SwapState::Lapsed));
    rota.shifts.clear();
    assert_eq!(rota.swap_state(&code("s"), now), Some(SwapState::Lapsed));
}

/// PEERS.md: "swaps that drift when a shift moves", for turns of a rotation.
#[test]
fn a_swap_follows_its_turn_when_the_hand_over_moves() {
    let mut rota = layered("Asia/Manila", vec![layer("l", &[1, 2], "2026-03-02T09:00", Unit::Days, &[1])]);
    rota.swaps.push(swap("s", 1, 3, "l", "2026-03-06T09:00"));
    let who = |rota: &Rota, hour: u8| -> Vec<u8> {
        (4..8).map(|day| on_duty(rota, &format!("2026-03-{day:02}T{hour:02}:30:00Z"))[0]).collect()
    };
    assert_eq!(who(&rota, 1), [1, 2, 3, 2]);
    for (starts, hour) in [("2026-03-02T17:00:00", 9), ("2026-03-02T00:00:00", 0), ("2026-03-02T23:00:00", 15)] {
        rota.layers[0].starts = starts.parse().unwrap();
        assert_eq!(who(&rota, hour), [1, 2, 3, 2], "{starts}");
    }
    // In three days and two the same turn begins on the 5th: it is the nearest, and 1's.
    rota.layers[0].cycle.lengths = vec![3, 2];
    let turn = rota.turn(&rota.swaps[0].turn).unwrap();
    assert_eq!((turn.from, turn.people), ("2026-03-05T23:00:00".parse().unwrap(), vec![person(2)]));
    assert_eq!(rota.swap_state(&code("s"), turn.until), Some(SwapState::Lapsed), "it is 2's by now");
}

#[test]
fn what_was_given_can_be_given_away_again_and_an_exchange_goes_both_ways() {
    let mut rota = layered("Asia/Manila", vec![layer("l", &[1, 2, 3], "2026-03-02T00:00", Unit::Days, &[1])]);
    rota.swaps.push(swap("a", 1, 2, "l", "2026-03-02T00:00"));
    rota.swaps[0].in_return = Some(Turn { of: code("l"), begins: "2026-03-06T00:00:00".parse().unwrap() });
    rota.swaps.push(swap("b", 2, 3, "l", "2026-03-02T00:00"));
    assert_eq!(rota.validate(), Ok(()));
    let days = |rota: &Rota| -> Vec<u8> {
        (2..8).map(|day| on_duty(rota, &format!("2026-03-{day:02}T01:00:00Z"))[0]).collect()
    };
    assert_eq!(days(&rota), [3, 2, 3, 1, 1, 3]);
    rota.swaps[0].state = SwapState::Offered;
    assert_eq!(days(&rota), [1, 2, 3, 1, 2, 3], "one that is only offered counts for nothing, and its heir lapses");
    let now = "2026-03-01T00:00:00".parse().unwrap();
    assert_eq!(rota.swap_state(&code("a"), now), Some(SwapState::Offered));
    assert_eq!(rota.swap_state(&code("b"), now), Some(SwapState::Lapsed));
    assert_eq!(rota.swap_state(&code("a"), "2026-03-03T00:00:00".parse().unwrap()), Some(SwapState::Lapsed), "over");
    assert_eq!(rota.swap_state(&code("c"), now), None);
}

#[test]
fn a_swap_of_an_id_that_means_two_shifts_does_nothing() {
    let mut one = shift(1, "2026-03-01T22:00", "2026-03-02T06:00", Repeat::Daily);
    one.id = Some(code("night"));
    let mut rota = rota("Asia/Manila", vec![one.clone(), one]);
    rota.swaps.push(swap("s", 1, 2, "night", "2026-03-04T22:00"));
    assert_eq!(on_duty(&rota, "2026-03-04T15:00:00Z"), [1]);
}
