//! Tokens, invites, certificates.

use ed25519_dalek::SigningKey;
use firstlight_protocol::{
    ErrorCode, OrgKind, PersonId, Role, Secret,
    api::{
        Challenge, ChallengeRequest, EnrolmentStatus, FoundOrganisation, FoundingProof, InviteFor, IssueCertificate,
        Me, OrgView, RefreshRequest, SignIn, Tokens,
    },
    cert::{DeviceSubject, PartnerStatement},
    signed::sign_challenge,
    stream::{ClientFrame, Hello, close_code},
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{Organisation, Socket, random},
};
use std::time::Duration;

#[test]
fn a_reused_refresh_token_ends_the_whole_sign_in() {
    run(async {
        let cast = Cast::new().await;
        let first = cast.primary.sign_in().await.unwrap();
        let socket = cast.primary.connect().await;
        let refresh = |token: &Secret| RefreshRequest { refresh: token.clone() };
        let second: Tokens = cast.server.http.post("/v1/auth/refresh", &refresh(&first.refresh)).await.unwrap();
        cast.primary.remember(second.clone());
        cast.primary.get::<Me>("/v1/me").await.unwrap();

        let stolen = cast.server.http.post::<Tokens>("/v1/auth/refresh", &refresh(&first.refresh)).await.unwrap_err();
        assert_eq!(stolen.code, ErrorCode::TokenReused);
        // The whole family: the newest refresh token, the access token, the socket.
        let newest = cast.server.http.post::<Tokens>("/v1/auth/refresh", &refresh(&second.refresh)).await.unwrap_err();
        assert_eq!(newest.code, ErrorCode::Unauthenticated);
        assert_eq!(cast.primary.get::<Me>("/v1/me").await.unwrap_err().code, ErrorCode::Unauthenticated);
        assert_eq!(socket.closed().await.code, Some(close_code::UNAUTHENTICATED));
        cast.primary.sign_in().await.unwrap();
        cast.primary.get::<Me>("/v1/me").await.unwrap();
    });
}

#[test]
fn a_replayed_ticket_opens_no_second_socket() {
    run(async {
        let cast = Cast::new().await;
        let ticket = cast.primary.ticket().await.unwrap();
        let hello = Hello { ticket, inbox: None, rooms: vec![] };
        let _open = Socket::open(cast.server.http.addr(), hello.clone()).await;
        let attempt = async {
            let mut again = Socket::stranger(cast.server.http.addr()).await;
            again.send(&ClientFrame::Hello(hello)).await;
            again.closed().await
        };
        let closed = cast.changes_nothing(attempt).await;
        assert_eq!(closed.code, Some(close_code::UNAUTHENTICATED));
        assert_eq!(closed.problem.unwrap().code, ErrorCode::TicketInvalid);

        let ticket = cast.primary.ticket().await.unwrap();
        cast.seconds(31);
        let mut late = Socket::stranger(cast.server.http.addr()).await;
        late.send(&ClientFrame::Hello(Hello { ticket, inbox: None, rooms: vec![] })).await;
        assert_eq!(late.closed().await.problem.unwrap().code, ErrorCode::TicketInvalid);
    });
}

#[test]
fn a_challenge_is_answered_once_by_its_device_for_this_server() {
    run(async {
        let cast = Cast::new().await;
        let http = &cast.server.http;
        let device = cast.primary.id;
        let challenge: Challenge = http.post("/v1/auth/challenges", &ChallengeRequest { device }).await.unwrap();
        let sign = |key: &SigningKey, server: &str| SignIn {
            device,
            challenge: challenge.challenge.clone(),
            signature: sign_challenge(key, server, device, &challenge.challenge).to_vec().into(),
        };
        let name = "http://127.0.0.1:8440";
        for wrong in [sign(&cast.backup.key, name), sign(&cast.primary.key, "https://elsewhere.example.org")] {
            let refused = cast.changes_nothing(http.post::<Tokens>("/v1/auth/sessions", &wrong)).await.unwrap_err();
            assert_eq!(refused.code, ErrorCode::BadSignature);
        }
        let good = sign(&cast.primary.key, name);
        http.post::<Tokens>("/v1/auth/sessions", &good).await.unwrap();
        let replayed = http.post::<Tokens>("/v1/auth/sessions", &good).await.unwrap_err();
        assert_eq!(replayed.code, ErrorCode::BadSignature);

        // An unknown device gets the same kind of challenge, so that ids can't be probed.
        let unknown = ChallengeRequest { device: firstlight_protocol::DeviceId(random()) };
        http.post::<Challenge>("/v1/auth/challenges", &unknown).await.unwrap();
    });
}

#[test]
fn a_forged_or_foreign_token_is_no_token() {
    run(async {
        let cast = Cast::new().await;
        let token = cast.primary.access().await.unwrap();
        let (head, rest) = token.reveal().split_once('.').unwrap();
        let (body, signature) = rest.split_once('.').unwrap();
        let none = "eyJhbGciOiJub25lIn0";
        let turned: String = signature.chars().rev().collect();
        let forged = [
            format!("{head}.{body}.{turned}"),
            format!("{none}.{body}."),
            format!("{none}.{body}.{signature}"),
            format!("{head}.{body}"),
            "x".repeat(9_000),
        ];
        for text in forged {
            let answer = cast.server.http.send(reqwest::Method::GET, "/v1/me", Some(&Secret::new(text)), None).await;
            assert_eq!(answer.problem().code, ErrorCode::Unauthenticated);
        }
        cast.minutes(12);
        let late = cast.server.http.send(reqwest::Method::GET, "/v1/me", Some(&token), None).await;
        assert_eq!(late.problem().code, ErrorCode::TokenExpired);
    });
}

#[test]
fn an_invite_is_good_once_in_time_and_with_its_own_key() {
    run(async {
        let cast = Cast::new().await;
        let (http, now) = (&cast.server.http, cast.now());
        let invite = || cast.host.newcomer(&cast.admin, PersonId(random()), Role::Advocate, "Advocate 9", now);

        let used = invite().await.unwrap();
        let _: EnrolmentStatus = http.post("/v1/enrolments", &used.request(now)).await.unwrap();
        let _: EnrolmentStatus = http.post("/v1/enrolments", &used.request(now)).await.expect("the same again");
        let mut other = invite().await.unwrap();
        other.invite = used.invite.clone();
        let request = other.request(now);
        let attempt = http.post::<EnrolmentStatus>("/v1/enrolments", &request);
        assert_eq!(cast.changes_nothing(attempt).await.unwrap_err().code, ErrorCode::InviteInvalid);

        let guessed = invite().await.unwrap();
        let mut request = guessed.request(now);
        request.claim = Secret::from_random(&random::<32>());
        let attempt = http.post::<EnrolmentStatus>("/v1/enrolments", &request);
        assert_eq!(cast.changes_nothing(attempt).await.unwrap_err().code, ErrorCode::InviteInvalid);

        let withdrawn = invite().await.unwrap();
        cast.admin.delete(format!("/v1/invites/{}", withdrawn.invite.invite())).await.unwrap();
        let request = withdrawn.request(now);
        let attempt = http.post::<EnrolmentStatus>("/v1/enrolments", &request);
        assert_eq!(cast.changes_nothing(attempt).await.unwrap_err().code, ErrorCode::InviteInvalid);

        let expired = invite().await.unwrap();
        cast.minutes(61);
        let request = expired.request(now);
        let attempt = http.post::<EnrolmentStatus>("/v1/enrolments", &request);
        assert_eq!(cast.changes_nothing(attempt).await.unwrap_err().code, ErrorCode::InviteInvalid);
    });
}

#[test]
fn a_forged_chain_enrols_nobody() {
    run(async {
        let cast = Cast::new().await;
        let now = cast.now();
        let newcomer =
            cast.host.newcomer(&cast.admin, PersonId(random()), Role::Advocate, "Advocate 9", now).await.unwrap();
        let _: EnrolmentStatus = cast.server.http.post("/v1/enrolments", &newcomer.request(now)).await.unwrap();
        let path = format!("/v1/enrolments/{}/certificate", newcomer.id);
        let subject = newcomer.subject();

        // Another organisation's root under the same names; and a chain with a byte changed.
        let imposter = Organisation::new(&cast.server.http, OrgKind::VictimServices, "Agency A", now);
        let mut damaged = cast.host.chain(&subject, now);
        *damaged[0].0.last_mut().unwrap() ^= 1;
        let mut mixed = cast.host.chain(&subject, now);
        mixed[1] = imposter.signer.clone();
        for chain in [imposter.chain(&subject, now), damaged, mixed, vec![]] {
            let body = IssueCertificate { chain };
            let attempt = cast.admin.post::<()>(&path, &body);
            assert_eq!(cast.changes_nothing(attempt).await.unwrap_err().code, ErrorCode::BadChain);
        }
        // Rightly signed, but not what the invite and the request say.
        let promoted = DeviceSubject { role: Role::Supervisor, ..subject.clone() };
        let swapped = DeviceSubject { key: cast.primary.key.verifying_key().to_bytes(), ..subject.clone() };
        for wrong in [promoted, swapped] {
            let body = IssueCertificate { chain: cast.host.chain(&wrong, now) };
            let attempt = cast.admin.post::<()>(&path, &body);
            assert_eq!(cast.changes_nothing(attempt).await.unwrap_err().code, ErrorCode::InvalidValue);
        }
        let good = IssueCertificate { chain: cast.host.chain(&subject, now) };
        // Another organisation's admin has no say.
        let attempt = cast.chief.post::<()>(&path, &good);
        assert_eq!(cast.changes_nothing(attempt).await.unwrap_err().code, ErrorCode::NotFound);
        cast.admin.post::<()>(&path, &good).await.unwrap();
    });
}

#[test]
fn there_is_one_host_and_partners_come_by_invite() {
    run(async {
        let cast = Cast::new().await;
        let second = Organisation::new(&cast.server.http, OrgKind::VictimServices, "Agency B", cast.now());
        let attempt = second.found_host(Secret::from_random(&random::<32>()), cast.now());
        assert_eq!(cast.changes_nothing(attempt).await.unwrap_err().code, ErrorCode::InviteInvalid);
        let partner = cast.police.invite(
            &cast.chief,
            InviteFor::Organisation { kind: OrgKind::Probation, name: "Probation 1".into() },
            cast.now(),
        );
        assert_eq!(cast.changes_nothing(partner).await.unwrap_err().code, ErrorCode::Forbidden);
        let body =
            FoundOrganisation { admin_chain: vec![], proof: FoundingProof::Bootstrap { token: Secret::new("x") } };
        let attempt = cast.server.http.post::<OrgView>("/v1/organisations", &body);
        assert_eq!(cast.changes_nothing(attempt).await.unwrap_err().code, ErrorCode::BadChain);
    });
}

#[test]
fn a_partner_that_nobody_has_stated_can_do_nothing() {
    run(async {
        let cast = Cast::new().await;
        let (waiting, chief) =
            cast.host.found_unstated(OrgKind::Probation, "Probation 1", &cast.admin, cast.now()).await.unwrap();
        let me: Me = chief.get("/v1/me").await.expect("it may see itself");
        assert_eq!(me.org, waiting.id);
        let invite = waiting.newcomer(&chief, PersonId(random()), Role::ProbationOfficer, "Officer 3", cast.now());
        assert_eq!(cast.changes_nothing(invite).await.unwrap_err().code, ErrorCode::Forbidden);
        assert_eq!(chief.ticket().await.unwrap_err().code, ErrorCode::Forbidden);

        // A statement that the partner makes about itself is worth nothing.
        let own = PartnerStatement::first(waiting.identity(), cast.now());
        let forged = waiting.state(&cast.admin, own);
        assert_eq!(cast.changes_nothing(forged).await.unwrap_err().code, ErrorCode::Forbidden);
    });
}

#[test]
fn wrong_roles_are_refused_by_name() {
    run(async {
        let cast = Cast::new().await;
        let invite =
            InviteFor::Device { person: PersonId(random()), work_name: "Advocate 9".into(), role: Role::Advocate };
        let attempt = cast.host.invite(&cast.primary, invite, cast.now());
        let refused = cast.changes_nothing(attempt).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Forbidden);
        assert!(refused.detail.unwrap().contains("admin"));

        let invite =
            InviteFor::Device { person: PersonId(random()), work_name: "Officer 9".into(), role: Role::PoliceOfficer };
        let attempt = cast.host.invite(&cast.admin, invite, cast.now());
        assert_eq!(cast.changes_nothing(attempt).await.unwrap_err().code, ErrorCode::InvalidValue);

        let routing = firstlight_tests::world::routing("north", cast.now());
        for device in [&cast.primary, &cast.admin, &cast.chief] {
            let attempt = device.open_callout(routing.clone());
            assert_eq!(cast.changes_nothing(attempt).await.unwrap_err().code, ErrorCode::Forbidden);
        }
        let list = cast.host.next_revocations(&[cast.primary.id], cast.now());
        for device in [&cast.supervisor, &cast.chief] {
            let attempt = device.put::<()>(format!("/v1/organisations/{}/revocations", cast.host.id), &list);
            assert_eq!(cast.changes_nothing(attempt).await.unwrap_err().code, ErrorCode::Forbidden);
        }
        cast.server.advance(Duration::from_secs(1));
    });
}
