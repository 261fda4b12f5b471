use super::*;
use crate::bus::CloseReason;
use firstlight_protocol::api::{RefreshRequest, Ticket};

async fn refresh(world: &World, token: &Secret) -> Answer {
    world.post("/v1/auth/refresh", None, &RefreshRequest { refresh: token.clone() }).await
}

#[tokio::test]
async fn a_challenge_opens_one_sign_in_of_one_device() {
    let (world, _) = World::new().await;
    let challenge = world.challenge(world.admin.id).await;
    assert_eq!((challenge.challenge.len(), challenge.expires_at), (32, START + Duration::from_secs(60)));
    world.answer(&world.admin, &challenge, &world.admin.key).await.read::<Tokens>();
    let replayed = world.answer(&world.admin, &challenge, &world.admin.key).await;
    assert_eq!(replayed.refused(), ErrorCode::BadSignature);

    // An unknown device gets a challenge of the same shape, and nothing for it.
    let stranger = Dev { id: DeviceId([99; 16]), ..world.admin.clone() };
    let challenge = world.challenge(stranger.id).await;
    assert_eq!(challenge.challenge.len(), 32);
    assert_eq!(world.answer(&stranger, &challenge, &stranger.key).await.refused(), ErrorCode::BadSignature);
    // Another device's challenge, one that nobody gave, and one that is too old.
    assert_eq!(world.answer(&world.admin, &challenge, &world.admin.key).await.refused(), ErrorCode::BadSignature);
    let made_up = Challenge { challenge: vec![0xff; 32].into(), expires_at: START };
    assert_eq!(world.answer(&world.admin, &made_up, &world.admin.key).await.refused(), ErrorCode::BadSignature);
    let challenge = world.challenge(world.admin.id).await;
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.answer(&world.admin, &challenge, &world.admin.key).await.refused(), ErrorCode::BadSignature);
}

#[tokio::test]
async fn a_signature_for_another_server_is_worth_nothing() {
    let (world, _) = World::new().await;
    let Challenge { challenge, .. } = world.challenge(world.admin.id).await;
    let signature = sign_challenge(&world.admin.key, "https://other.example.org", world.admin.id, &challenge);
    let body = SignIn { device: world.admin.id, challenge, signature: signature.to_vec().into() };
    assert_eq!(world.post("/v1/auth/sessions", None, &body).await.refused(), ErrorCode::BadSignature);
}

#[tokio::test]
async fn five_wrong_signatures_make_a_device_wait() {
    let (world, tokens) = World::new().await;
    for _ in 0..5 {
        let challenge = world.challenge(world.admin.id).await;
        assert_eq!(world.answer(&world.admin, &challenge, &key(99)).await.refused(), ErrorCode::BadSignature);
    }
    assert_eq!(world.try_sign_in(&world.admin).await.refused(), ErrorCode::RateLimited);
    world.get("/v1/me", &tokens).await.read::<serde_json::Value>();
    assert_eq!(world.audited().await.last().map(String::as_str), Some("auth.lockout"));
    world.clock.advance(Duration::from_secs(60));
    world.sign_in(&world.admin).await;
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_reuse_ends_the_sign_in() {
    let (world, first) = World::new().await;
    let connection = world.app().bus.connect(world.admin.id, first.session);
    let second: Tokens = refresh(&world, &first.refresh).await.read();
    assert_eq!(second.session, first.session);
    let third: Tokens = refresh(&world, &second.refresh).await.read();
    world.get("/v1/me", &third).await.read::<serde_json::Value>();

    assert_eq!(refresh(&world, &first.refresh).await.refused(), ErrorCode::TokenReused);
    assert_eq!(connection.wake.wait().await.close, Some(CloseReason::SignedOut));
    assert_eq!(refresh(&world, &third.refresh).await.refused(), ErrorCode::Unauthenticated);
    for tokens in [&first, &second, &third] {
        assert_eq!(world.get("/v1/me", tokens).await.refused(), ErrorCode::Unauthenticated);
    }
    assert!(!world.app().identity.session_alive(first.session, world.admin.id));
    assert!(world.audited().await.contains(&"auth.refresh_reused".to_owned()));
    world.sign_in(&world.admin).await;
}

#[tokio::test]
async fn a_made_up_refresh_token_ends_nobodys_sign_in() {
    let (world, tokens) = World::new().await;
    let mut forged = tokens.refresh.reveal().as_bytes().to_vec();
    forged[40] = if forged[40] == b'A' { b'B' } else { b'A' };
    let forged = Secret::new(String::from_utf8(forged).unwrap());
    for bad in [forged, Secret::new(""), Secret::new("AAAA"), Secret::new("A".repeat(160)), Secret::new("é".repeat(80))]
    {
        assert_eq!(refresh(&world, &bad).await.refused(), ErrorCode::Unauthenticated);
    }
    world.get("/v1/me", &tokens).await.read::<serde_json::Value>();
    world.clock.advance(DAY * 30);
    assert_eq!(refresh(&world, &tokens.refresh).await.refused(), ErrorCode::Unauthenticated);
}

#[tokio::test]
async fn signing_out_ends_this_sign_in_alone() {
    let (world, one) = World::new().await;
    let two = world.sign_in(&world.admin).await;
    let connection = world.app().bus.connect(world.admin.id, one.session);
    world.delete("/v1/auth/sessions", &one).await.done();
    assert_eq!(connection.wake.wait().await.close, Some(CloseReason::SignedOut));
    assert_eq!(world.get("/v1/me", &one).await.refused(), ErrorCode::Unauthenticated);
    assert_eq!(refresh(&world, &one.refresh).await.refused(), ErrorCode::Unauthenticated);
    world.get("/v1/me", &two).await.read::<serde_json::Value>();
}

#[tokio::test]
async fn a_device_has_a_bounded_number_of_sign_ins() {
    let (world, oldest) = World::new().await;
    for _ in 0..8 {
        world.clock.advance(Duration::from_secs(10));
        world.sign_in(&world.admin).await;
    }
    assert_eq!(world.get("/v1/me", &oldest).await.refused(), ErrorCode::Unauthenticated);
}

#[tokio::test]
async fn a_ticket_opens_one_socket() {
    let (world, tokens) = World::new().await;
    let ticket = async || world.post("/v1/auth/tickets", Some(&tokens), &()).await.read::<Ticket>();
    let one = ticket().await;
    assert_eq!(one.expires_at, START + Duration::from_secs(30));
    let caller = world.app().redeem_ticket(&one.ticket).await.unwrap();
    assert_eq!((caller.device, caller.session, caller.role), (world.admin.id, tokens.session, Role::Admin));
    let refused = async |ticket: &Secret| world.app().redeem_ticket(ticket).await.unwrap_err().problem().code;
    assert_eq!(refused(&one.ticket).await, ErrorCode::TicketInvalid);
    assert_eq!(refused(&Secret::new("guess")).await, ErrorCode::TicketInvalid);

    let late = ticket().await;
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(refused(&late.ticket).await, ErrorCode::TicketInvalid);
    let ended = ticket().await;
    world.delete("/v1/auth/sessions", &tokens).await.done();
    assert_eq!(refused(&ended.ticket).await, ErrorCode::TicketInvalid);
}
