//! Who is on call, and who of them is called first.

use firstlight_protocol::{
    CalloutId, PersonId, Timestamp,
    api::{
        AnswerSwap, GapsView, InboxItem, Notice, OfferSwap, OnCallView, ProfileView, PutProfile, RotaChanged,
        RotaDocument, SwapAnswer,
    },
    callout::{Action, CancelReason, Preference, Routing},
    profile::Profile,
    rota::{Repeat, Rota, Shift, Tier, Turn},
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{Device, routing, shift},
};
use std::time::Duration;

/// A shift of every day.
fn daily(id: &str, device: &Device, from: i8, until: i8) -> Shift {
    let first: Shift = shift(Tier::Primary, device);
    let day = first.from.date();
    let end = if until > from { day } else { day.tomorrow().unwrap() };
    Shift {
        id: Some(id.parse().unwrap()),
        from: day.at(from, 0, 0, 0),
        until: end.at(until, 0, 0, 0),
        repeat: Repeat::Daily,
        ..first
    }
}

async fn put(cast: &Cast, change: impl FnOnce(&mut Rota)) {
    let RotaDocument { version, mut rota } = cast.supervisor.get("/v1/rota").await.unwrap();
    change(&mut rota);
    cast.supervisor.put::<RotaDocument>("/v1/rota", &RotaDocument { version, rota }).await.unwrap();
}

/// Who is on call in the first tier at a moment.
async fn primaries(cast: &Cast, at: Timestamp) -> Vec<PersonId> {
    let view: OnCallView = cast.supervisor.get(format!("/v1/on-call?at={}", at.0)).await.unwrap();
    view.tiers.iter().filter(|of| of.tier == Tier::Primary).flat_map(|of| &of.people).map(|on| on.person).collect()
}

fn page_of(of: CalloutId) -> impl FnMut(&InboxItem) -> Option<()> {
    move |item| matches!(item.notice, Notice::Page { callout, .. } if callout == of).then_some(())
}

#[test]
fn neither_change_of_the_clock_leaves_a_gap_or_an_overlap() {
    run(async {
        let cast = Cast::new().await;
        let shifts = vec![daily("nights", &cast.primary, 20, 2), daily("small-hours", &cast.backup, 2, 8), {
            let day = daily("days", &cast.supervisor, 8, 20);
            Shift { person: cast.primary.person, ..day }
        }];
        put(&cast, |rota| *rota = Rota { shifts, ..Rota::new("America/Los_Angeles") }).await;
        let quarter = Duration::from_secs(15 * 60);
        // Midnight in Los Angeles before the clocks go forward, and before they go back, in 2027.
        for midnight in [Timestamp(1_805_011_200_000), Timestamp(1_825_570_800_000)] {
            let (mut at, end) = (midnight, midnight + quarter * 4 * 24);
            let gaps: GapsView =
                cast.supervisor.get(format!("/v1/rota/gaps?from={}&until={}", at.0, end.0)).await.unwrap();
            assert_eq!(gaps.gaps.iter().filter(|gap| gap.tier == Tier::Primary).count(), 0);
            while at < end {
                assert_eq!(primaries(&cast, at).await.len(), 1, "{at:?}");
                at = at + quarter;
            }
        }
    });
}

#[test]
fn a_swap_follows_its_shift_when_that_moves() {
    run(async {
        let cast = Cast::new().await;
        let manila = Rota::new("Asia/Manila");
        let shifts = vec![daily("night", &cast.primary, 20, 4)];
        put(&cast, |rota| *rota = Rota { shifts, ..manila.clone() }).await;
        // In a zone without changes of the clock.
        let (now, local) = (cast.now(), manila.local(cast.now()).unwrap());
        let midnight = now.0
            - (i64::from(local.hour()) * 3600 + i64::from(local.minute()) * 60 + i64::from(local.second())) * 1000;
        let at = |days: i64, hour: i64| Timestamp(midnight + (days * 24 + hour) * 3_600_000);
        let in_three_days = (0..3).fold(local.date(), |date, _| date.tomorrow().unwrap());
        let night = in_three_days.at(20, 0, 0, 0);
        let offer = OfferSwap {
            id: "a-favour".parse().unwrap(),
            person: None,
            to: cast.backup.person,
            turn: Turn { of: "night".parse().unwrap(), begins: night },
            in_return: None,
        };
        cast.primary.post::<RotaChanged>("/v1/rota/swaps", &offer).await.unwrap();
        assert_eq!(primaries(&cast, at(3, 23)).await, [cast.primary.person], "offered is not accepted");
        let accept = AnswerSwap { answer: SwapAnswer::Accept };
        cast.backup.post::<RotaChanged>("/v1/rota/swaps/a-favour", &accept).await.unwrap();
        let nights = async || {
            let mut people = Vec::new();
            for day in 2..=4 {
                people.extend(primaries(&cast, at(day, 23)).await);
            }
            people
        };
        let swapped = [cast.primary.person, cast.backup.person, cast.primary.person];
        assert_eq!(nights().await, swapped);
        put(&cast, |rota| {
            let shift = &mut rota.shifts[0];
            (shift.from, shift.until) = (shift.from.date().at(22, 30, 0, 0), shift.until.date().at(6, 30, 0, 0));
        })
        .await;
        assert_eq!(nights().await, swapped, "the same night");
        assert_eq!(primaries(&cast, at(4, 6)).await, [cast.backup.person], "to its new end");
        assert_eq!(primaries(&cast, at(3, 21)).await, [], "and nothing is left where it was");
    });
}

#[test]
fn who_asked_for_a_woman_is_not_sent_a_man_first() {
    run(async {
        let cast = Cast::new().await;
        let presents = async |device: &Device, presents| {
            let path = format!("/v1/people/{}/profile", device.person);
            let ProfileView { version, profile, .. } = device.get(&path).await.unwrap();
            let profile = PutProfile { version, profile: Profile { presents, ..profile } };
            device.put::<ProfileView>(&path, &profile).await.unwrap();
        };
        // Whoever of them is first by name or id.
        for (man, woman) in [(&cast.primary, &cast.backup), (&cast.backup, &cast.primary)] {
            let version = cast.supervisor.get::<RotaDocument>("/v1/rota").await.unwrap().version;
            cast.put_rota(version, [man, woman].map(|device| shift(Tier::Primary, device)).to_vec()).await;
            presents(man, Preference::Man).await;
            presents(woman, Preference::Woman).await;
            let (mut hers, mut his) = (woman.connect().await, man.connect().await);
            let wish = Routing { preference: Preference::Woman, ..routing("north", cast.now()) };
            let callout = cast.officer.open_callout(wish).await.unwrap().id;
            hers.notice("a page, at once", page_of(callout)).await;
            assert!(man.pages(callout).await.is_empty());
            // Nobody answers: a wish never keeps help away for long.
            cast.minutes(1);
            his.notice("a page", page_of(callout)).await;
            cast.officer.act(callout, Action::Cancel { reason: CancelReason::NotNeeded }).await.unwrap();
        }
    });
}
