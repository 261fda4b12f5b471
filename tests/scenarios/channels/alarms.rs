//! An alarm that somebody has to act on leaves the app: the supervisor on duty is asleep like everybody else.

use super::{ADVOCATE, Desk, desk, is_content_free, sms};
use firstlight_protocol::{api::MessageKind, callout::Action, policy::ContactMethod};
use firstlight_tests::{
    inproc::run,
    providers::Texting,
    world::{Device, shift, soon},
};

const SUPERVISOR: &str = "+15555550122";
const OTHER: &str = "+15555550123";
const ALARM: &str = "Duty: alarm. Please look at the app";

fn alarms(desk: &Desk, method: &ContactMethod) -> usize {
    let arrived = desk.arrived(method);
    arrived.iter().for_each(|text| is_content_free(text));
    arrived.iter().filter(|text| *text == ALARM).count()
}

async fn until(desk: &Desk, method: &ContactMethod, count: usize) {
    soon("the alarm", async {
        while alarms(desk, method) != count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// One more supervisor, who is not on the rota.
async fn another(desk: &Desk) -> Device {
    use firstlight_protocol::Role;
    desk.cast.host.enrol(&desk.cast.admin, Role::Supervisor, "Supervisor 2", desk.cast.now()).await
}

#[test]
fn somebody_who_accepted_and_does_not_come_wakes_the_supervisor_on_duty_alone() {
    run(async {
        let desk = desk().await;
        let (on_duty, other) = (sms(1, SUPERVISOR), sms(2, OTHER));
        desk.reach(&desk.cast.supervisor, vec![on_duty.clone()]).await;
        let off_duty = another(&desk).await;
        desk.reach(&off_duty, vec![other.clone()]).await;
        let callout = desk.open().await;
        desk.cast.primary.act(callout, Action::Accept { eta_minutes: 30 }).await.unwrap();
        desk.cast.minutes(16);
        until(&desk, &on_duty, 1).await;
        desk.cast.minutes(15);
        until(&desk, &on_duty, 2).await;
        // And again, for as long as nobody has news of her.
        desk.cast.minutes(15);
        until(&desk, &on_duty, 3).await;
        assert_eq!(alarms(&desk, &other), 0, "whoever is off duty sleeps");
        let told = |pages: &[firstlight_protocol::api::PageRecord]| {
            (pages.iter().filter(|page| page.kind == MessageKind::Alarm).count() == 3).then_some(())
        };
        desk.until(callout, "the record of the alarms", told).await;
    });
}

#[test]
fn without_a_supervisor_on_duty_every_one_is_woken() {
    run(async {
        let desk = desk().await;
        use firstlight_protocol::rota::Tier;
        let version =
            desk.cast.supervisor.get::<firstlight_protocol::api::RotaDocument>("/v1/rota").await.unwrap().version;
        desk.cast.put_rota(version, vec![shift(Tier::Primary, &desk.cast.primary)]).await;
        let reached = sms(1, SUPERVISOR);
        desk.reach(&desk.cast.supervisor, vec![reached.clone()]).await;
        desk.reach(&desk.cast.primary, vec![sms(3, ADVOCATE)]).await;
        desk.twilio.texting(ADVOCATE, Texting::Refused { code: 21_610 });
        desk.open().await;
        until(&desk, &reached, 1).await;
    });
}
