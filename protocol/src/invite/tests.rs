use super::*;
use crate::cert::{Fingerprint, Lifetime, build_root};
use crate::wire::{from_cbor, to_cbor};
use crate::{Bytes, DeviceId, InviteId, OrgId, OrgKind, Secret, Timestamp};
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn link() -> InviteLink {
    InviteLink {
        server: "https://host.example.org:8443".parse().unwrap(),
        kind: InviteKind::Device,
        invite: InviteId([5; 16]),
        secret: Secret::from_random(&[6; 32]),
        org: OrgId([2; 16]),
        root: Fingerprint([3; 32]),
        host: OrgId([1; 16]),
        host_root: Fingerprint([4; 32]),
    }
}

fn keys() -> InviteKeys {
    link().keys().unwrap()
}

fn device_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn request() -> SigningRequest {
    SigningRequest {
        invite: InviteId([5; 16]),
        device: DeviceId([8; 16]),
        key: device_key().verifying_key().to_bytes(),
        created_at: NOW,
    }
}

fn partner_request(kind: OrgKind) -> PartnerRequest {
    let lifetime = Lifetime { not_before: NOW, not_after: Timestamp(NOW.0 + 1_000_000) };
    let root = build_root(&device_key(), OrgId([2; 16]), kind, "Agency A", [1; 16], lifetime).unwrap();
    PartnerRequest { invite: InviteId([5; 16]), org: OrgId([2; 16]), kind, root: root.into(), created_at: NOW }
}

/// The wire form with one field changed.
fn changed<T: InviteRequest>(sealed: &Sealed<T>, field: &str, change: impl FnOnce(&mut Vec<u8>)) -> Sealed<T> {
    let mut json = serde_json::to_value(sealed).unwrap();
    let mut bytes: Bytes = serde_json::from_value(json[field].clone()).unwrap();
    change(&mut bytes.0);
    json[field] = serde_json::to_value(bytes).unwrap();
    serde_json::from_value(json).unwrap()
}

#[test]
fn a_link_round_trips_and_hides_everything_behind_the_fragment() {
    let text = link().to_string();
    assert!(text.len() <= MAX_LINK_BYTES);
    assert_eq!(text.parse::<InviteLink>().unwrap(), link());
    let (sent, kept) = text.split_once('#').unwrap();
    assert_eq!(sent, "https://host.example.org:8443/join");
    for hidden in [link().secret.reveal().to_owned(), link().root.to_hex(), link().host_root.to_hex()] {
        assert!(kept.contains(&hidden));
    }
    assert!(!format!("{:?}", link()).contains(link().secret.reveal()), "a secret never prints");
    let partner = InviteLink { kind: InviteKind::Partner, org: link().host, root: link().host_root, ..link() };
    assert_eq!(partner.to_string().parse::<InviteLink>().unwrap(), partner);
    let anchors = link().anchors().unwrap();
    assert_eq!(anchors.host(), link().host);
}

#[test]
fn a_link_that_was_cut_or_changed_in_form_is_refused() {
    let text = link().to_string();
    for end in 0..text.len() {
        assert!(text[..end].parse::<InviteLink>().is_err(), "cut after {end}");
    }
    let other_host_root = InviteLink { org: link().host, ..link() };
    let partner_by_partner = InviteLink { kind: InviteKind::Partner, ..link() };
    let short_secret = InviteLink { secret: Secret::from_random(&[6; 31]), ..link() };
    for bad in [
        format!("{text}.x"),
        format!("{text} "),
        text.to_uppercase(),
        text.replace("v1", "v2"),
        text.replace("device", "server"),
        text.replace("/join#", "/join?"),
        text.replacen(".0303", ".0303-", 1),
        other_host_root.to_string(),
        partner_by_partner.to_string(),
        short_secret.to_string(),
        "x".repeat(MAX_LINK_BYTES + 1),
    ] {
        assert!(bad.parse::<InviteLink>().is_err(), "{bad}");
    }
}

#[test]
fn a_server_is_an_origin_and_plain_http_is_for_this_machine() {
    for good in [
        "https://host.example.org",
        "https://host.example.org:8443",
        "https://192.0.2.1",
        "https://[2001:db8::1]:8443",
        "http://127.0.0.1:8080",
        "http://localhost",
        "http://[::1]:8080",
    ] {
        assert_eq!(good.parse::<ServerUrl>().unwrap().to_string(), good);
    }
    for bad in [
        "http://host.example.org",
        "http://127.0.0.1.example.org",
        "http://localhost@example.org",
        "https://user@host.example.org",
        "https://host.example.org/",
        "https://host.example.org/path",
        "https://host.example.org?x",
        "https://host.example.org#x",
        "https://HOST.example.org",
        "https://host..example.org",
        "https://-host.example.org",
        "https://host.example.org:0",
        "https://host.example.org:080",
        "https://host.example.org:65536",
        "https://[::1",
        "https://[2001:DB8::1]",
        "https://",
        "ftp://host.example.org",
        "host.example.org",
    ] {
        assert_eq!(bad.parse::<ServerUrl>(), Err(InviteError::Server), "{bad}");
    }
}

#[test]
fn the_two_keys_of_an_invite_are_independent_and_its_own() {
    let ours = keys();
    assert_eq!(ours.claim().reveal().len(), 43);
    assert_eq!(ours.claim_digest(), ours.claim().digest());
    assert_ne!(ours.claim().reveal(), link().secret.reveal());
    let other_invite = InviteKeys::derive(InviteId([6; 16]), &link().secret).unwrap();
    let other_secret = InviteKeys::derive(InviteId([5; 16]), &Secret::from_random(&[0; 32])).unwrap();
    for other in [other_invite, other_secret] {
        assert_ne!(other.claim().reveal(), ours.claim().reveal());
        assert_ne!(other.mac("x", b"y").unwrap(), ours.mac("x", b"y").unwrap());
    }
    for bad in ["", "short", &"!".repeat(43), &"A".repeat(44)] {
        assert_eq!(InviteKeys::derive(InviteId([5; 16]), &Secret::new(bad)).unwrap_err(), InviteError::Secret);
    }
}

#[test]
fn a_request_round_trips_in_json_and_cbor() {
    let sealed = Sealed::seal(&request(), &device_key(), &keys()).unwrap();
    assert_eq!(sealed.open(&keys()).unwrap(), request());
    assert_eq!(sealed.open_unauthenticated().unwrap(), request());
    let json = serde_json::to_string(&sealed).unwrap();
    assert_eq!(serde_json::from_str::<Sealed<SigningRequest>>(&json).unwrap(), sealed);
    assert_eq!(from_cbor::<Sealed<SigningRequest>>(&to_cbor(&sealed)).unwrap(), sealed);
}

#[test]
fn the_server_cannot_swap_the_key() {
    let evil = SigningKey::from_bytes(&[66; 32]);
    let swapped = SigningRequest { key: evil.verifying_key().to_bytes(), ..request() };
    // The server knows the claim key but not the secret, so the best it can do is to guess.
    let guess = InviteKeys::derive(InviteId([5; 16]), &keys().claim().clone()).unwrap();
    let forged = Sealed::seal(&swapped, &evil, &guess).unwrap();
    assert_eq!(forged.open(&keys()), Err(InviteError::Mac));
    assert!(forged.open_unauthenticated().is_ok(), "which is why nobody signs on the strength of that");
    let sealed = Sealed::seal(&request(), &device_key(), &keys()).unwrap();
    for field in ["payload", "possession", "mac"] {
        let bad = changed(&sealed, field, |bytes| bytes[10] ^= 1);
        assert_eq!(bad.open(&keys()), Err(InviteError::Mac), "{field}");
        let bad = changed(&sealed, field, |bytes| bytes.truncate(5));
        assert!(bad.open(&keys()).is_err(), "{field}");
        let bad = changed(&sealed, field, |bytes| bytes.resize(crate::signed::MAX_PAYLOAD_BYTES + 1, 0));
        assert_eq!(bad.open(&keys()), Err(StatementError::TooLarge.into()), "{field}");
    }
}

#[test]
fn the_holder_of_a_secret_cannot_enrol_a_key_it_does_not_hold() {
    let somebody = SigningRequest { key: SigningKey::from_bytes(&[66; 32]).verifying_key().to_bytes(), ..request() };
    let refused = Sealed::seal(&somebody, &device_key(), &keys());
    assert_eq!(refused.unwrap_err(), StatementError::Signature.into());
    // Made by hand, with a good MAC over a signature by the wrong key.
    let payload = to_cbor(&somebody);
    let possession = crate::signed::sign_bytes("signing-request", &payload, &device_key());
    let mac = keys().mac("signing-request-mac", &[&possession[..], &payload].concat()).unwrap();
    let good = Sealed::seal(&request(), &device_key(), &keys()).unwrap();
    let forged = changed(&good, "payload", |b| *b = payload);
    let forged = changed(&forged, "possession", |b| *b = possession.to_vec());
    let forged = changed(&forged, "mac", |b| *b = mac.to_vec());
    assert_eq!(forged.open(&keys()), Err(StatementError::Signature.into()));
    assert_eq!(forged.open_unauthenticated(), Err(StatementError::Signature.into()));
}

#[test]
fn a_request_belongs_to_one_invite() {
    let other = InviteKeys::derive(InviteId([6; 16]), &link().secret).unwrap();
    assert_eq!(Sealed::seal(&request(), &device_key(), &other).unwrap_err(), InviteError::OtherInvite);
    let sealed = Sealed::seal(&request(), &device_key(), &keys()).unwrap();
    assert_eq!(sealed.open(&other), Err(InviteError::Mac));
}

#[test]
fn a_partner_request_carries_the_root_it_names() {
    let request = partner_request(OrgKind::LawEnforcement);
    let sealed = Sealed::seal(&request, &device_key(), &keys()).unwrap();
    let opened = sealed.open(&keys()).unwrap();
    let root = opened.organisation().unwrap();
    assert_eq!(root.root_fingerprint, Fingerprint::of(&request.root));
    assert_eq!((root.org, root.kind), (OrgId([2; 16]), OrgKind::LawEnforcement));
    let as_device: Sealed<SigningRequest> = from_cbor(&to_cbor(&sealed)).unwrap();
    assert_eq!(as_device.open(&keys()), Err(InviteError::Mac), "a request is of one kind");

    let disguised = PartnerRequest { kind: OrgKind::VictimServices, ..request.clone() };
    let refused = Sealed::seal(&disguised, &device_key(), &keys());
    assert_eq!(refused.unwrap_err(), InviteError::Root(ChainError::OrgKindMismatch));
    let renamed = PartnerRequest { org: OrgId([3; 16]), ..request.clone() };
    assert_eq!(renamed.organisation(), Err(ChainError::OrgMismatch));
    let garbage = PartnerRequest { root: Bytes(vec![0; 50]), ..request.clone() };
    assert!(matches!(garbage.key(), Err(InviteError::Root(_))));
    let not_the_holder = Sealed::seal(&request, &SigningKey::from_bytes(&[1; 32]), &keys());
    assert_eq!(not_the_holder.unwrap_err(), StatementError::Signature.into());
}

proptest! {
    #[test]
    fn garbage_is_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
        prop_assert!(text.parse::<InviteLink>().is_err());
        let dressed_up = format!("https://{text}/join#{text}");
        prop_assert!(dressed_up.parse::<InviteLink>().is_err());
        let _ = text.parse::<ServerUrl>();
        let good = Sealed::seal(&request(), &device_key(), &keys()).unwrap();
        let bad = changed(&good, "payload", |b| *b = bytes);
        prop_assert!(bad.open(&keys()).is_err());
        prop_assert!(bad.open_unauthenticated().is_err());
    }

    #[test]
    fn links_round_trip(secret in any::<[u8; 32]>(), a in any::<[u8; 16]>(), b in any::<[u8; 32]>(), port in 1u16..) {
        let server = format!("http://127.0.0.1:{port}").parse().unwrap();
        let link = InviteLink { server, secret: Secret::from_random(&secret), invite: InviteId(a), root: Fingerprint(b), ..link() };
        prop_assert_eq!(link.to_string().parse::<InviteLink>().unwrap(), link);
    }
}
