//! Which roots are believed, what is revoked, and who may say so.

use super::*;
use crate::signed::{Signed, Statement, StatementError};
use crate::wire::{from_cbor, to_cbor};
use crate::{ErrorCode, Problem, RoomKind};
use serde::{Deserialize, Serialize};

fn partner(org: &Org) -> PartnerStatement {
    PartnerStatement::first(org.identity(), NOW)
}

/// Signed by an organisation's signer.
fn signed<T: Statement>(org: &Org, statement: &T) -> Signed<T> {
    Signed::sign(statement, &key(org.seed + 1), org.signer_chain())
}

fn signed_by_root<T: Statement>(org: &Org, statement: &T) -> Signed<T> {
    Signed::sign(statement, &key(org.seed), org.chain()[2..].to_vec())
}

fn host_with_police() -> Anchors {
    let mut anchors = Org::host().anchors();
    assert_eq!(anchors.accept_partner(&signed(&Org::host(), &partner(&Org::police())), NOW), Ok(true));
    anchors
}

#[test]
fn an_organisation_is_unknown_until_the_host_states_it() {
    let (host, police) = (Org::host(), Org::police());
    let mut anchors = host.anchors();
    assert_eq!(anchors.verify_device(&police.chain(), NOW), Err(ChainError::UnknownOrg));
    let statement = signed(&host, &partner(&police));
    assert_eq!(anchors.accept_partner(&statement, NOW), Ok(true));
    assert_eq!(anchors.accept_partner(&statement, NOW), Ok(false), "again changes nothing");
    assert_eq!(anchors.verify_device(&police.chain(), NOW).unwrap().org, POLICE);
    assert_eq!(anchors.partners().map(|p| p.org).collect::<Vec<_>>(), [POLICE]);
    let stored: Anchors = serde_json::from_str(&serde_json::to_string(&anchors).unwrap()).unwrap();
    assert_eq!(stored, anchors);
    assert_eq!(from_cbor::<Anchors>(&to_cbor(&anchors)).unwrap(), anchors);
}

#[test]
fn another_root_for_the_same_organisation_is_refused() {
    // Somebody else's root that claims to be the same organisation.
    let impostor = Org::new(POLICE, OrgKind::LawEnforcement, 50, Role::PoliceOfficer);
    assert_eq!(host_with_police().verify_device(&impostor.chain(), NOW), Err(ChainError::UntrustedRoot));
    let impostor = Org::new(HOST, OrgKind::VictimServices, 50, Role::Advocate);
    assert_eq!(host_with_police().verify_device(&impostor.chain(), NOW), Err(ChainError::UntrustedRoot));
    let mut anchors = host_with_police();
    let before = anchors.clone();
    assert_eq!(anchors.pin(HOST, Fingerprint([0; 32])), Err(ChainError::UntrustedRoot), "a pin never changes");
    assert_eq!(anchors.pin(POLICE, Fingerprint([0; 32])), Err(ChainError::UntrustedRoot));
    assert_eq!(anchors, before);
    assert_eq!(anchors.pin(POLICE, Fingerprint::of(&Org::police().root)), Ok(()));
    let moved = PartnerStatement { root_fingerprint: Fingerprint([0; 32]), number: 2, ..partner(&Org::police()) };
    let refused = anchors.accept_partner(&signed(&Org::host(), &moved), NOW);
    assert_eq!(refused, Err(ChainError::UntrustedRoot.into()), "the host can't move a pinned root");
}

#[test]
fn a_partner_is_believed_with_the_kind_that_the_host_stated() {
    // A police organisation whose own root claims to be victim services, stated as police by the host.
    let disguised = Org::new(POLICE, OrgKind::VictimServices, 20, Role::Advocate);
    let statement = PartnerStatement { kind: OrgKind::LawEnforcement, ..partner(&disguised) };
    let mut anchors = Org::host().anchors();
    anchors.accept_partner(&signed(&Org::host(), &statement), NOW).unwrap();
    assert_eq!(anchors.verify_device(&disguised.chain(), NOW), Err(ChainError::UntrustedRoot));
    let police_host = Org::new(HOST, OrgKind::LawEnforcement, 10, Role::PoliceOfficer);
    let as_host = police_host.anchors().verify_device(&police_host.chain(), NOW);
    assert_eq!(as_host, Err(ChainError::UntrustedRoot), "only victim services host");
}

#[test]
fn only_the_host_states_partners() {
    let (host, police) = (Org::host(), Org::police());
    let care = Org::new(OrgId([3; 16]), OrgKind::Care, 40, Role::CareStaff);
    let mut anchors = host_with_police();
    let before = anchors.clone();
    let by_police = signed(&police, &partner(&care));
    assert_eq!(anchors.accept_partner(&by_police, NOW), Err(StatementError::NotAllowed));
    let by_stranger = signed(&care, &partner(&care));
    assert_eq!(anchors.accept_partner(&by_stranger, NOW), Err(ChainError::UnknownOrg.into()));
    let of_itself = signed(&host, &partner(&host));
    assert_eq!(anchors.accept_partner(&of_itself, NOW), Err(StatementError::NotAllowed));
    let with_police_key = Signed::sign(&partner(&care), &key(police.seed + 1), host.signer_chain());
    assert_eq!(anchors.accept_partner(&with_police_key, NOW), Err(StatementError::Signature));
    let by_device = Signed::sign(&partner(&care), &key(host.seed + 2), host.chain());
    assert_eq!(anchors.accept_partner(&by_device, NOW), Err(ChainError::Length.into()));
    let device_as_signer = Signed::sign(&partner(&care), &key(host.seed + 2), host.chain()[..2].to_vec());
    assert!(matches!(anchors.accept_partner(&device_as_signer, NOW), Err(StatementError::Chain(_))));
    let later = Timestamp(year().not_after.0 + 1000);
    assert!(matches!(anchors.accept_partner(&signed(&host, &partner(&care)), later), Err(StatementError::Chain(_))));
    let bad_name = PartnerStatement { name: "A\u{202e}".into(), ..partner(&care) };
    assert_eq!(anchors.accept_partner(&signed(&host, &bad_name), NOW), Err(StatementError::NotAllowed));
    assert_eq!(anchors, before, "nothing changed");
    assert_eq!(anchors.accept_partner(&signed_by_root(&host, &partner(&care)), NOW), Ok(true));
}

#[test]
fn a_withdrawn_partner_is_not_believed_and_an_old_statement_does_not_bring_it_back() {
    let (host, police) = (Org::host(), Org::police());
    let mut anchors = host_with_police();
    let withdrawn = partner(&police).withdraw(NOW);
    assert_eq!(anchors.accept_partner(&signed(&host, &withdrawn), NOW), Ok(true));
    assert_eq!(anchors.verify_device(&police.chain(), NOW), Err(ChainError::PartnerWithdrawn));
    assert_eq!(anchors.accept_partner(&signed(&host, &partner(&police)), NOW), Err(StatementError::Stale));
    let same_number = PartnerStatement { withdrawn: false, ..withdrawn.clone() };
    assert_eq!(anchors.accept_partner(&signed(&host, &same_number), NOW), Err(StatementError::Stale));
    assert_eq!(anchors.verify_device(&police.chain(), NOW), Err(ChainError::PartnerWithdrawn));
    let again = PartnerStatement { number: 3, ..same_number };
    assert_eq!(anchors.accept_partner(&signed(&host, &again), NOW), Ok(true));
    assert!(anchors.verify_device(&police.chain(), NOW).is_ok());
}

#[test]
fn what_a_revoked_signer_stated_counts_for_nothing() {
    let (host, police) = (Org::host(), Org::police());
    let mut anchors = host_with_police();
    let list = anchors.revocations(HOST).next([], [Fingerprint::of(&host.signer)], NOW);
    assert_eq!(anchors.accept_revocations(&signed_by_root(&host, &list), NOW), Ok(true));
    assert_eq!(anchors.verify_device(&host.chain(), NOW), Err(ChainError::SignerRevoked));
    assert_eq!(anchors.verify_device(&police.chain(), NOW), Err(ChainError::UnknownOrg));
    let restated = signed(&host, &PartnerStatement { number: 2, ..partner(&police) });
    assert_eq!(anchors.accept_partner(&restated, NOW), Err(ChainError::SignerRevoked.into()));
    let next = list.next([], [], NOW);
    assert_eq!(anchors.accept_revocations(&signed(&host, &next), NOW), Err(ChainError::SignerRevoked.into()));
    assert_eq!(anchors.accept_partner(&signed_by_root(&host, &partner(&police)), NOW), Ok(true));
    assert!(anchors.verify_device(&police.chain(), NOW).is_ok());
}

#[test]
fn a_revoked_device_stays_revoked() {
    let police = Org::police();
    let mut anchors = host_with_police();
    let device = anchors.verify_device(&police.chain(), NOW).unwrap();
    assert!(!anchors.is_revoked(&device));
    let first = anchors.revocations(POLICE).next([device.device], [], NOW);
    let second = first.next([DeviceId([99; 16])], [], NOW);
    assert_eq!(anchors.accept_revocations(&signed(&police, &second), NOW), Ok(true));
    assert_eq!(anchors.accept_revocations(&signed(&police, &second), NOW), Ok(false));
    assert!(anchors.is_revoked(&device));
    assert_eq!(anchors.verify_device(&police.chain(), NOW), Err(ChainError::DeviceRevoked));
    assert_eq!(anchors.accept_revocations(&signed(&police, &first), NOW), Err(StatementError::Stale));
    let mut shorter = second.next([], [], NOW);
    shorter.devices.remove(&device.device);
    assert_eq!(anchors.accept_revocations(&signed(&police, &shorter), NOW), Err(StatementError::Unrevokes));
    let same_number = RevocationList { number: 2, ..second.next([DeviceId([98; 16])], [], NOW) };
    assert_eq!(anchors.accept_revocations(&signed(&police, &same_number), NOW), Err(StatementError::Stale));
    assert_eq!(anchors.revocations(POLICE), second);
}

#[test]
fn an_organisation_revokes_its_own_devices_only() {
    let (host, police) = (Org::host(), Org::police());
    let mut anchors = host_with_police();
    let list = RevocationList::empty(HOST).next([DeviceId([10; 16])], [], NOW);
    assert_eq!(anchors.accept_revocations(&signed(&police, &list), NOW), Err(StatementError::NotAllowed));
    // Its own list may name anything; it touches its own devices alone.
    let list = RevocationList::empty(POLICE).next([DeviceId([10; 16])], [Fingerprint::of(&host.signer)], NOW);
    assert_eq!(anchors.accept_revocations(&signed(&police, &list), NOW), Ok(true));
    assert!(anchors.verify_device(&host.chain(), NOW).is_ok());
    let many = (0..=u16::try_from(MAX_REVOKED).unwrap()).map(|i| {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&i.to_be_bytes());
        DeviceId(id)
    });
    let large = list.next(many, [], NOW);
    assert_eq!(anchors.accept_revocations(&signed(&police, &large), NOW), Err(StatementError::TooLarge));
}

#[test]
fn a_room_admits_by_role_and_by_the_right_key() {
    let (host, police) = (Org::host(), Org::police());
    let anchors = host_with_police();
    assert!(anchors.verify_member(&police.chain(), RoomKind::Callout, NOW).is_ok());
    assert!(anchors.verify_member(&host.chain(), RoomKind::Advocate, NOW).is_ok());
    let refused = anchors.verify_member(&police.chain(), RoomKind::Advocate, NOW);
    assert_eq!(refused, Err(ChainError::RoleNotAdmitted));
    assert!(anchors.verify_leaf(&host.chain(), &public(12), RoomKind::Advocate, NOW).is_ok());
    let stolen = anchors.verify_leaf(&host.chain(), &public(99), RoomKind::Advocate, NOW);
    assert_eq!(stolen, Err(ChainError::KeyMismatch));
    let short = anchors.verify_leaf(&host.chain(), &public(12)[..31], RoomKind::Advocate, NOW);
    assert_eq!(short, Err(ChainError::KeyMismatch));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Note(u8);
impl Statement for Note {
    const CONTEXT: &'static str = "test-note";
}

#[test]
fn a_device_signs_statements_until_it_is_revoked() {
    let police = Org::police();
    let mut anchors = host_with_police();
    let note = Signed::sign(&Note(7), &key(22), police.chain());
    let (statement, device) = anchors.verify_device_statement(&note, NOW).unwrap();
    assert_eq!((statement, device.person), (Note(7), PersonId([20; 16])));
    let forged = Signed::sign(&Note(7), &key(23), police.chain());
    assert_eq!(anchors.verify_device_statement(&forged, NOW), Err(StatementError::Signature));
    let list = anchors.revocations(POLICE).next([device.device], [], NOW);
    anchors.accept_revocations(&signed(&police, &list), NOW).unwrap();
    assert_eq!(anchors.verify_device_statement(&note, NOW), Err(ChainError::DeviceRevoked.into()));
}

#[test]
fn a_statement_says_what_is_documented_and_nothing_else() {
    #[derive(Serialize, Deserialize)]
    struct Longer {
        #[serde(flatten)]
        list: RevocationList,
        #[serde(skip_serializing_if = "Option::is_none")]
        also: Option<u8>,
    }
    impl Statement for Longer {
        const CONTEXT: &'static str = RevocationList::CONTEXT;
    }
    let accept = |also| {
        let list = RevocationList::empty(HOST).next([], [], NOW);
        let longer = to_cbor(&signed(&Org::host(), &Longer { list, also }));
        host_with_police().accept_revocations(&from_cbor(&longer).unwrap(), NOW)
    };
    assert_eq!(accept(None), Ok(true));
    assert!(matches!(accept(Some(1)), Err(StatementError::Malformed(_))));
}

#[test]
fn errors_have_their_code_and_a_plain_sentence() {
    let problem = |error: ChainError| Problem::from(error);
    assert_eq!(problem(ChainError::RoleNotAdmitted).code, ErrorCode::RoleNotAdmitted);
    assert_eq!(problem(ChainError::DeviceRevoked).code, ErrorCode::DeviceRevoked);
    assert_eq!(problem(ChainError::SignerRevoked).code, ErrorCode::DeviceRevoked);
    let expired = problem(ChainError::Certificate(Level::Signer, CertRule::Expired));
    assert_eq!(expired.code, ErrorCode::BadChain);
    assert_eq!(expired.detail.unwrap(), "Namely, the signer certificate has expired.");
    assert_eq!(Problem::from(StatementError::Chain(ChainError::UnknownOrg)).code, ErrorCode::BadChain);
    assert_eq!(Problem::from(StatementError::Signature).code, ErrorCode::BadSignature);
}
