//! Access tokens that are not quite right.

use super::*;
use crate::identity::token::{AUDIENCE, Claims, Scope};
use firstlight_protocol::{SessionId, api::Me};
use jsonwebtoken::{Algorithm, EncodingKey, Header};

fn claims(world: &World, tokens: &Tokens) -> Claims {
    let seconds = world.now().0 / 1_000;
    Claims {
        iss: NAME.into(),
        aud: AUDIENCE.into(),
        sub: world.admin.id,
        iat: seconds,
        nbf: seconds,
        exp: seconds + 600,
        jti: "1".into(),
        sid: tokens.session,
        org: world.host.id,
        org_kind: OrgKind::VictimServices,
        person: world.admin.person,
        role: Role::Admin,
        scope: Scope::Full,
    }
}

/// The server's own key, as its operator could read it.
fn server_key(world: &World) -> EncodingKey {
    let seed = std::fs::read(world.dir.path().join("access-token.key")).unwrap();
    let prefix = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    EncodingKey::from_ed_der(&[&prefix[..], &seed].concat())
}

fn header(world: &World) -> Header {
    Header { kid: Some(world.app().identity.tokens.kid().to_owned()), ..Header::new(Algorithm::EdDSA) }
}

async fn me(world: &World, token: &str) -> Answer {
    world.call(Method::GET, "/v1/me", Some(&Secret::new(token)), None).await
}

#[tokio::test]
async fn every_claim_and_the_key_id_must_fit() {
    let (world, tokens) = World::new().await;
    let key = server_key(&world);
    let sign = |header: &Header, claims: &Claims| jsonwebtoken::encode(header, claims, &key).unwrap();
    let (good, head) = (claims(&world, &tokens), header(&world));
    me(&world, &sign(&head, &good)).await.read::<Me>();

    let seconds = world.now().0 / 1_000;
    let bad = [
        sign(&head, &Claims { aud: "another".into(), ..good.clone() }),
        sign(&head, &Claims { iss: "https://other.example.org".into(), ..good.clone() }),
        sign(&head, &Claims { nbf: seconds + 120, ..good.clone() }),
        sign(&head, &Claims { jti: String::new(), ..good.clone() }),
        sign(&Header { kid: Some("0000000000000000".into()), ..head.clone() }, &good),
        sign(&Header { kid: None, ..head.clone() }, &good),
        sign(&Header { crit: Some(vec!["x".into()]), ..head.clone() }, &good),
    ];
    for (n, token) in bad.iter().enumerate() {
        assert_eq!(me(&world, token).await.refused(), ErrorCode::Unauthenticated, "{n}");
    }
    for missing in ["exp", "nbf", "aud", "iss", "sub", "jti", "sid", "role", "scope"] {
        let mut value = serde_json::to_value(&good).unwrap();
        value.as_object_mut().unwrap().remove(missing);
        let token = jsonwebtoken::encode(&head, &value, &key).unwrap();
        assert_eq!(me(&world, &token).await.refused(), ErrorCode::Unauthenticated, "{missing}");
    }
    let late = sign(&head, &Claims { exp: seconds, ..good.clone() });
    assert_eq!(me(&world, &late).await.refused(), ErrorCode::TokenExpired);
}

#[tokio::test]
async fn another_algorithm_or_key_is_refused() {
    let (world, tokens) = World::new().await;
    let (good, head) = (claims(&world, &tokens), header(&world));
    // The classic confusion: the public key as the secret of an HMAC.
    let seed: [u8; 32] = std::fs::read(world.dir.path().join("access-token.key")).unwrap().try_into().unwrap();
    let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
    let hmac = Header { kid: head.kid.clone(), ..Header::new(Algorithm::HS256) };
    let confused = jsonwebtoken::encode(&hmac, &good, &EncodingKey::from_secret(&public)).unwrap();
    assert_eq!(me(&world, &confused).await.refused(), ErrorCode::Unauthenticated);

    // No algorithm at all, with and without the signature of a good token.
    let (_, rest) = tokens.access.reveal().split_once('.').unwrap();
    let none = serde_json::json!({ "alg": "none", "typ": "JWT", "kid": head.kid });
    let none = Secret::from_random(none.to_string().as_bytes());
    let (payload, signature) = rest.split_once('.').unwrap();
    for token in [format!("{}.{payload}.", none.reveal()), format!("{}.{payload}.{signature}", none.reveal())] {
        assert_eq!(me(&world, &token).await.refused(), ErrorCode::Unauthenticated);
    }

    let stranger = crate::identity::token::TokenKey::new(&[7; 32], NAME).unwrap();
    let caller = world.app().store.device(world.admin.id).await.unwrap().unwrap().caller(SessionId([1; 16]));
    let (foreign, _) = stranger.access(&caller, Scope::Full, world.now()).unwrap();
    assert_eq!(me(&world, foreign.reveal()).await.refused(), ErrorCode::Unauthenticated);
    for garbage in ["", ".", "..", "a.b.c", &"x".repeat(10_000)] {
        assert_eq!(me(&world, garbage).await.refused(), ErrorCode::Unauthenticated);
    }
    assert_eq!(world.call(Method::GET, "/v1/me", None, None).await.refused(), ErrorCode::Unauthenticated);
}

#[tokio::test]
async fn an_access_token_ends_after_ten_minutes() {
    let (world, tokens) = World::new().await;
    assert_eq!(tokens.access_expires_at, START + Duration::from_secs(600));
    world.clock.advance(Duration::from_secs(599));
    world.get("/v1/me", &tokens).await.read::<Me>();
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.get("/v1/me", &tokens).await.refused(), ErrorCode::TokenExpired);
}
