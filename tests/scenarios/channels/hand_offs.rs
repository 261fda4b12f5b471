//! Whoever goes on duty hears it by the way that they have chosen, once, and nobody else learns anything from it.

use super::{ADVOCATE, Desk, desk, id, is_content_free, sms, voice};
use firstlight_protocol::{
    ErrorCode,
    api::{Contacts, RotaDocument},
    policy::ContactMethod,
    rota::{Repeat, Rota, Shift, Tier},
};
use firstlight_server::store::sql;
use firstlight_tests::{
    inproc::run,
    world::{Device, soon},
};
use std::time::Duration;

/// Says which contact method tells of hand-offs.
async fn choose(device: &Device, hand_off: Option<u8>) -> Result<(), ErrorCode> {
    let path = format!("/v1/people/{}/contacts", device.person);
    let known: Contacts = device.get(&path).await.unwrap();
    let document = Contacts { hand_off: hand_off.map(id), ..known };
    device.put::<()>(&path, &document).await.map_err(|problem| problem.code)
}

/// A rota in which the primary advocate has the nights from 20:00, in both tiers of two zones, and the backup the days;
/// it is noon there.
async fn nights(desk: &Desk) -> u64 {
    let rota = Rota::new("Asia/Manila");
    let midnight = rota.local(desk.cast.now()).unwrap().date();
    let shift = |person: &Device, tier, from: i8, until: i8| Shift {
        id: None,
        tier,
        person: person.person,
        zone: None,
        from: midnight.yesterday().unwrap().at(from, 0, 0, 0),
        until: if until > from { midnight.yesterday().unwrap() } else { midnight }.at(until, 0, 0, 0),
        repeat: Repeat::Daily,
        repeat_until: None,
    };
    let shifts = vec![
        shift(&desk.cast.primary, Tier::Primary, 20, 8),
        shift(&desk.cast.primary, Tier::Backup, 20, 8),
        shift(&desk.cast.backup, Tier::Primary, 8, 20),
        shift(&desk.cast.supervisor, Tier::Supervisor, 0, 0),
    ];
    let known: RotaDocument = desk.cast.supervisor.get("/v1/rota").await.unwrap();
    let document = RotaDocument { version: known.version, rota: Rota { shifts, ..rota } };
    desk.cast.supervisor.put::<RotaDocument>("/v1/rota", &document).await.unwrap().version
}

/// Moves the clock to the next time that this hour is shown in the rota's zone.
async fn go_to(desk: &Desk, hour: i8) {
    desk.settled().await;
    let now = Rota::new("Asia/Manila").local(desk.cast.now()).unwrap();
    let (now, day) = (i64::from(now.hour()) * 3600 + i64::from(now.minute()) * 60 + i64::from(now.second()), 86_400);
    let wait = (i64::from(hour) * 3600 - now).rem_euclid(day);
    desk.cast.seconds(u64::try_from(if wait == 0 { day } else { wait }).unwrap());
}

async fn arrived(desk: &Desk, method: &ContactMethod, count: usize) -> Vec<String> {
    soon("what is to arrive", async {
        loop {
            let arrived = desk.arrived(method);
            if arrived.len() >= count {
                return arrived;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await
}

#[test]
fn a_shift_that_begins_is_told_once_with_its_time_alone() {
    run(async {
        let desk = desk().await;
        go_to(&desk, 12).await;
        let version = nights(&desk).await;
        desk.cast.rota_is_told(version).await;
        let (day, night) = (desk.webhook(2), sms(1, ADVOCATE));
        desk.reach(&desk.cast.primary, vec![night.clone(), desk.webhook(3)]).await;
        desk.reach(&desk.cast.backup, vec![day.clone()]).await;
        choose(&desk.cast.primary, Some(1)).await.unwrap();
        choose(&desk.cast.backup, Some(2)).await.unwrap();
        go_to(&desk, 20).await;
        let texts = arrived(&desk, &night, 2).await;
        assert_eq!(texts[1], "Duty: you are on call from 20:00");
        is_content_free(&texts[1]);
        go_to(&desk, 8).await;
        assert_eq!(arrived(&desk, &day, 2).await[1], "Duty: you are on call from 08:00");
        go_to(&desk, 20).await;
        assert_eq!(arrived(&desk, &night, 3).await.len(), 3, "two tiers, and one text for each change");
        assert!(desk.arrived(&desk.webhook(3)).len() == 1, "the code: nobody is told twice");
        assert_eq!(desk.arrived(&day).len(), 2, "the end of a shift is for the app to say");
    });
}

#[test]
fn only_whoever_wants_it_and_is_still_there_is_told_and_never_by_a_call() {
    run(async {
        let desk = desk().await;
        go_to(&desk, 12).await;
        let version = nights(&desk).await;
        desk.cast.rota_is_told(version).await;
        let (text, call) = (sms(1, ADVOCATE), voice(2, ADVOCATE));
        desk.reach(&desk.cast.primary, vec![text.clone(), call]).await;
        desk.reach(&desk.cast.backup, vec![desk.webhook(2)]).await;
        for wrong in [2, 9] {
            assert_eq!(choose(&desk.cast.primary, Some(wrong)).await, Err(ErrorCode::InvalidValue), "{wrong}");
        }
        choose(&desk.cast.primary, Some(1)).await.unwrap();
        choose(&desk.cast.backup, Some(2)).await.unwrap();
        desk.cast.host.revoke(&desk.cast.admin, &[desk.cast.backup.id], desk.cast.now()).await.unwrap();
        go_to(&desk, 20).await;
        assert_eq!(arrived(&desk, &text, 2).await.len(), 2);
        choose(&desk.cast.primary, None).await.unwrap();
        go_to(&desk, 8).await;
        go_to(&desk, 20).await;
        // What is told is ordered with the note that it was: once a newer rota is noted, it has been.
        let version = nights(&desk).await;
        desk.cast.rota_is_told(version).await;
        let ordered =
            sql::query_scalar::<String>("SELECT channel FROM outbox WHERE kind = 'hand_off' ORDER BY ordered_at")
                .fetch_all(desk.cast.server.app().store.read())
                .await
                .unwrap();
        assert_eq!(ordered, ["sms"]);
    });
}
