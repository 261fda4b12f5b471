//! A device's own push subscription.

use super::*;
use crate::store::sql;
use firstlight_protocol::{
    ContactId,
    api::{ConfirmContact, Contacts, DevicePush, PutPush},
    callout::Phone,
    policy::{ContactMethod, ContactState},
};

const SMS: ContactId = ContactId([5; 16]);

/// A subscription that messages can be encrypted for: the generator of P-256, or its double.
fn subscription(n: u8) -> PutPush {
    let p256dh = match n {
        1 => "BGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
        _ => "BHzyexiNA09-ilI4AwS1GsPAiWnid_IbNaYLSPxHZpl4B3dVENuO0EApPZrGn3Qw27p9reY86YIpngS3nSJ4c9E",
    };
    PutPush {
        endpoint: format!("https://push.example.org/{n}"),
        p256dh: p256dh.to_owned(),
        auth: Secret::from_random(&[n; 16]),
    }
}

impl World {
    async fn contacts(&self, device: &Dev) -> Vec<(ContactId, ContactState)> {
        let rows = self.app().store.contacts(device.person).await.unwrap();
        rows.iter().map(|row| (row.id(), row.state)).collect()
    }

    /// The newest code that went out to a contact method.
    async fn code(&self, contact: ContactId) -> String {
        let code: i64 = sql::query_scalar(
            "SELECT arg FROM outbox WHERE contact = $1 AND kind = 'verify' ORDER BY rowid DESC LIMIT 1",
        )
        .bind(contact.as_bytes())
        .fetch_one(self.app().store.read())
        .await
        .unwrap();
        format!("{code:06}")
    }

    async fn confirm(&self, tokens: &Tokens, code: String) -> Answer {
        self.post("/v1/devices/me/push/verify", Some(tokens), &ConfirmContact { code }).await
    }
}

#[tokio::test]
async fn a_device_registers_verifies_renews_and_takes_away_its_subscription() {
    let (world, admin) = World::new().await;
    let device = world.enrol(&world.host, &admin, 70, Role::Advocate, "Advocate 1").await;
    let (tokens, own) = (world.sign_in(&device).await, ContactId(device.id.0));
    let number: Phone = "+1 213 555 0100".parse().unwrap();
    let sms = Contacts { methods: vec![ContactMethod::Sms { id: SMS, number }], ..Contacts::default() };
    world.put(&format!("/v1/people/{}/contacts", device.person), &tokens, &sms).await.done();

    let put = async |n: u8| world.put("/v1/devices/me/push", &tokens, &subscription(n)).await;
    let first: DevicePush = put(1).await.read();
    assert_eq!((first.contact.id, first.contact.state), (own, ContactState::Unverified));
    assert!(first.code_expires_at.is_some_and(|at| at > START));
    let unverified = |id| (id, ContactState::Unverified);
    assert_eq!(world.contacts(&device).await, [unverified(own), unverified(SMS)], "push before texts");

    let code = world.code(own).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(world.confirm(&tokens, wrong.into()).await.refused(), ErrorCode::InvalidValue);
    let verified: DevicePush = world.confirm(&tokens, code.clone()).await.read();
    assert_eq!(verified.contact.state, ContactState::Verified);
    let again: DevicePush = put(1).await.read();
    assert_eq!((again.contact, again.code_expires_at), (verified.contact, None), "the same one again is no news");

    // A subscription that the browser renewed leads somewhere else: it has to show again that it arrives.
    let renewed: DevicePush = put(2).await.read();
    assert_eq!(renewed.contact.state, ContactState::Unverified);
    assert_eq!(world.contacts(&device).await.len(), 2);
    assert_eq!(world.confirm(&tokens, code).await.refused(), ErrorCode::InvalidValue, "the old code");
    world.confirm(&tokens, world.code(own).await).await.read::<DevicePush>();

    world.delete("/v1/devices/me/push", &tokens).await.done();
    world.delete("/v1/devices/me/push", &tokens).await.done();
    assert_eq!(world.contacts(&device).await, [unverified(SMS)]);
    assert_eq!(world.confirm(&tokens, "123456".into()).await.refused(), ErrorCode::NotFound);
}

#[tokio::test]
async fn what_is_no_subscription_changes_nothing() {
    let (world, tokens) = World::new().await;
    let good = subscription(1);
    for bad in [
        PutPush { endpoint: "push.example.org".into(), ..good.clone() },
        PutPush { p256dh: "AAAA".into(), ..good.clone() },
        PutPush { auth: Secret::new("AAAA"), ..good },
    ] {
        let answer = world.put("/v1/devices/me/push", &tokens, &bad).await;
        assert_eq!(answer.refused(), ErrorCode::InvalidValue);
    }
    assert_eq!(world.contacts(&world.admin).await, []);
}
