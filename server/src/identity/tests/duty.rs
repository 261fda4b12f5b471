//! The duty key: what it opens, what it doesn't, and how it ends.

use super::*;
use axum::http::Uri;
use firstlight_protocol::{
    api::{DutyAccess, DutySignIn, PutDutyKey},
    signed::{challenge_message, duty_challenge_message},
};
use p256::ecdsa::{Signature, SigningKey as P256, signature::Signer};
use std::collections::BTreeSet;

/// Everything that a locked device may call. A handler that is opened has to be added here, by somebody who has thought
/// about what it gives to the finder of a telephone.
const OPEN: [&str; 12] = [
    "DELETE /v1/devices/me/push",
    "GET /v1/callouts",
    "GET /v1/callouts/{callout}",
    "GET /v1/policy",
    "GET /v1/readiness/me",
    "POST /v1/callouts",
    "POST /v1/callouts/{callout}/actions",
    "POST /v1/devices/me/push/verify",
    "POST /v1/pages/{page}/seen",
    "POST /v1/readiness/test",
    "POST /v1/readiness/{check}/confirm",
    "PUT /v1/devices/me/push",
];

fn duty_key(seed: u8) -> P256 {
    P256::from_slice(&[seed; 32]).unwrap()
}

fn public(key: &P256) -> PutDutyKey {
    PutDutyKey { key: key.verifying_key().to_encoded_point(false).as_bytes().to_vec().into() }
}

impl World {
    /// An advocate with a duty key, and her whole sign-in.
    async fn advocate(&self, admin: &Tokens, seed: u8) -> (Dev, P256, Tokens) {
        let device = self.enrol(&self.host, admin, seed, Role::Advocate, &format!("Advocate {seed}")).await;
        let (tokens, key) = (self.sign_in(&device).await, duty_key(seed));
        self.put("/v1/devices/me/duty-key", &tokens, &public(&key)).await.done();
        (device, key, tokens)
    }

    async fn answer_by_duty(&self, device: &Dev, challenge: &Challenge, key: &P256) -> Answer {
        let signature: Signature = key.sign(&duty_challenge_message(NAME, device.id, &challenge.challenge));
        let (challenge, signature) = (challenge.challenge.clone(), signature.to_bytes().to_vec().into());
        self.post("/v1/auth/duty", None, &DutySignIn { device: device.id, challenge, signature }).await
    }

    async fn try_duty(&self, device: &Dev, key: &P256) -> Answer {
        self.answer_by_duty(device, &self.challenge(device.id).await, key).await
    }

    async fn on_duty(&self, device: &Dev, key: &P256) -> DutyAccess {
        self.try_duty(device, key).await.read()
    }

    /// What the policy answers with this token; there is none, so who is let in hears "not found".
    async fn policy(&self, access: &DutyAccess) -> ErrorCode {
        self.call(Method::GET, "/v1/policy", Some(&access.access), None).await.refused()
    }
}

#[tokio::test]
async fn a_locked_device_signs_in_for_a_few_minutes() {
    let (world, admin) = World::new().await;
    let (device, key, tokens) = world.advocate(&admin, 70).await;
    let access = world.on_duty(&device, &key).await;
    assert_eq!(access.access_expires_at, START + Duration::from_secs(300));
    assert_eq!((access.me.person, access.me.role), (device.person, Role::Advocate));
    assert_eq!(world.policy(&access).await, ErrorCode::NotFound);
    world.clock.advance(Duration::from_secs(300));
    assert_eq!(world.policy(&access).await, ErrorCode::TokenExpired);
    let access = world.on_duty(&device, &key).await;
    assert_eq!(world.policy(&access).await, ErrorCode::NotFound);

    // The same key again changes nothing; another one takes its place, and its tokens end.
    world.put("/v1/devices/me/duty-key", &tokens, &public(&key)).await.done();
    assert_eq!(world.policy(&access).await, ErrorCode::NotFound);
    let next = duty_key(2);
    world.put("/v1/devices/me/duty-key", &tokens, &public(&next)).await.done();
    assert_eq!(world.policy(&access).await, ErrorCode::Unauthenticated);
    assert_eq!(world.try_duty(&device, &key).await.refused(), ErrorCode::BadSignature);
    let access = world.on_duty(&device, &next).await;
    world.delete("/v1/devices/me/duty-key", &tokens).await.done();
    world.delete("/v1/devices/me/duty-key", &tokens).await.done();
    assert_eq!(world.policy(&access).await, ErrorCode::Unauthenticated);
    assert_eq!(world.try_duty(&device, &next).await.refused(), ErrorCode::BadSignature);
    let audited = world.audited().await;
    for action in ["duty_key.put", "duty_key.remove", "auth.duty"] {
        assert!(audited.iter().any(|known| known == action), "{action}");
    }
}

#[tokio::test]
async fn only_the_right_key_over_the_right_words_once() {
    let (world, admin) = World::new().await;
    let (one, key, tokens) = world.advocate(&admin, 70).await;
    let (two, _, _) = world.advocate(&admin, 71).await;
    let refused = async |answer: Answer| assert_eq!(answer.refused(), ErrorCode::BadSignature);

    // Another's key, no key at all, and a challenge that was given to another device.
    refused(world.try_duty(&one, &duty_key(71)).await).await;
    refused(world.try_duty(&world.admin, &key).await).await;
    let stolen = world.challenge(two.id).await;
    refused(world.answer_by_duty(&one, &stolen, &key).await).await;
    // One that was answered already, by either key.
    let challenge = world.challenge(one.id).await;
    world.answer_by_duty(&one, &challenge, &key).await.read::<DutyAccess>();
    refused(world.answer_by_duty(&one, &challenge, &key).await).await;
    refused(world.answer(&one, &challenge, &one.key).await).await;

    // A signature for the other kind of sign-in, by the right key; and neither key opens the other's door.
    let challenge = world.challenge(one.id).await.challenge;
    let signature: Signature = key.sign(&challenge_message(NAME, one.id, &challenge));
    let body =
        DutySignIn { device: one.id, challenge: challenge.clone(), signature: signature.to_bytes().to_vec().into() };
    refused(world.post("/v1/auth/duty", None, &body).await).await;
    let signature: Signature = key.sign(&challenge_message(NAME, one.id, &challenge));
    let body = SignIn { device: one.id, challenge, signature: signature.to_bytes().to_vec().into() };
    refused(world.post("/v1/auth/sessions", None, &body).await).await;

    for bad in [vec![4; 65], vec![0; 65], public(&key).key[..64].to_vec(), Vec::new()] {
        let put = world.put("/v1/devices/me/duty-key", &tokens, &PutDutyKey { key: bad.into() }).await;
        assert_eq!(put.refused(), ErrorCode::InvalidValue);
    }
    // Who has no callouts has no use for one.
    assert_eq!(world.put("/v1/devices/me/duty-key", &admin, &public(&key)).await.refused(), ErrorCode::Forbidden);
}

#[tokio::test]
async fn wrong_signatures_keep_nobody_out_who_has_the_right_key() {
    let (world, admin) = World::new().await;
    let (device, key, _) = world.advocate(&admin, 70).await;
    let access = world.on_duty(&device, &key).await;
    for _ in 0..5 {
        assert_eq!(world.try_duty(&device, &duty_key(2)).await.refused(), ErrorCode::BadSignature);
    }
    assert_eq!(world.try_duty(&device, &duty_key(2)).await.refused(), ErrorCode::RateLimited, "locked");
    assert_eq!(world.policy(&access).await, ErrorCode::NotFound, "what is signed in goes on");
    // Whoever knows the device's id could bring that about, and a page would not be answered.
    world.on_duty(&device, &key).await;
}

#[tokio::test]
async fn revocation_ends_it_at_once_and_for_good() {
    let (mut world, admin) = World::new().await;
    let (device, key, _) = world.advocate(&admin, 70).await;
    let access = world.on_duty(&device, &key).await;
    let push = serde_json::json!({
        "endpoint": "https://push.example.org/1", "p256dh": Secret::from_random(&public(&key).key),
        "auth": Secret::from_random(&[1; 16]),
    });
    let push = Some(push.to_string().into_bytes());
    world.call(Method::PUT, "/v1/devices/me/push", Some(&access.access), push).await.read::<serde_json::Value>();

    let path = format!("/v1/organisations/{}/revocations", world.host.id);
    world.put(&path, &admin, &world.host.revokes(1, &[device.id])).await.done();
    assert_eq!(world.policy(&access).await, ErrorCode::DeviceRevoked);
    assert_eq!(world.try_duty(&device, &key).await.refused(), ErrorCode::BadSignature, "the key is gone");
    let left = world.app().store.contacts(device.person).await.unwrap();
    assert!(left.is_empty(), "nothing is pushed to a revoked device: {left:?}");

    world = world.restart().await;
    assert_eq!(world.policy(&access).await, ErrorCode::DeviceRevoked);
}

#[tokio::test]
async fn a_key_that_was_given_up_stays_so_over_a_restart() {
    let (mut world, admin) = World::new().await;
    let (device, key, tokens) = world.advocate(&admin, 70).await;
    let (gone, kept) = (world.on_duty(&device, &key).await, duty_key(2));
    world.put("/v1/devices/me/duty-key", &tokens, &public(&kept)).await.done();
    let access = world.on_duty(&device, &kept).await;
    world = world.restart().await;
    assert_eq!(world.policy(&gone).await, ErrorCode::Unauthenticated);
    assert_eq!(world.policy(&access).await, ErrorCode::NotFound);
}

#[tokio::test]
async fn with_a_duty_key_a_supervisor_is_an_advocate() {
    let (world, admin) = World::new().await;
    let device = world.enrol(&world.host, &admin, 70, Role::Supervisor, "Supervisor 1").await;
    let (tokens, key) = (world.sign_in(&device).await, duty_key(70));
    world.put("/v1/devices/me/duty-key", &tokens, &public(&key)).await.done();
    let access = world.on_duty(&device, &key).await;
    assert_eq!(access.me.role, Role::Supervisor, "told as it is");
    let read = world.app().identity.tokens.read_access(access.access.reveal(), world.now()).unwrap();
    assert_eq!(read.0.role, Role::Advocate, "but not acted as");
}

/// A handler that somebody forgets to think about is closed: the types see to it, and this sees to the types.
#[tokio::test]
async fn a_duty_token_opens_what_is_listed_and_nothing_else() {
    let (world, admin) = World::new().await;
    let (device, key, tokens) = world.advocate(&admin, 70).await;
    let access = world.on_duty(&device, &key).await;
    let document: serde_json::Value = world.get("/v1/openapi.json", &tokens).await.read();
    let (mut opened, mut documented) = (BTreeSet::new(), BTreeSet::new());
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let for_all = operation["security"] == serde_json::json!([]);
            let intake = operation["security"].to_string().contains("intake_key");
            let name = format!("{} {path}", method.to_uppercase());
            if operation["security"].to_string().contains("\"duty\"") {
                documented.insert(name.clone());
            }
            if for_all {
                continue;
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            let filled: Uri = fill(path).parse().unwrap();
            let body = (method != Method::GET).then(|| b"{}".to_vec());
            let answer = world.call(method, filled.path(), Some(&access.access), body).await;
            asked += 1;
            match answer.status {
                StatusCode::FORBIDDEN if code(&answer) == Some(ErrorCode::NeedsUnlock) => {}
                StatusCode::UNAUTHORIZED if intake => {}
                status => {
                    assert_ne!(status, StatusCode::UNAUTHORIZED, "{name}");
                    assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{name}");
                    opened.insert(name);
                }
            }
        }
    }
    let listed: BTreeSet<String> = OPEN.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(opened, listed, "what a duty token opens");
    assert_eq!(documented, listed, "what openapi.json says that it opens");
    assert!(asked > 80, "{asked} operations");
    // The road to everything else: the socket.
    let ticket = world.call(Method::POST, "/v1/auth/tickets", Some(&access.access), Some(b"{}".to_vec())).await;
    assert_eq!(ticket.refused(), ErrorCode::NeedsUnlock);
    let rooms = world.call(Method::GET, "/v1/rooms", Some(&access.access), None).await;
    assert_eq!(rooms.refused(), ErrorCode::NeedsUnlock);
}

fn code(answer: &Answer) -> Option<ErrorCode> {
    serde_json::from_slice::<Problem>(&answer.body).ok().map(|problem| problem.code)
}

/// A path with something in place of every parameter.
fn fill(path: &str) -> String {
    let id = PersonId([9; 16]).to_string();
    path.split('/').map(|part| if part.starts_with('{') { id.as_str() } else { part }).collect::<Vec<_>>().join("/")
}
