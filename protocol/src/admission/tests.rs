use super::*;
use crate::{
    OrgId, Role, RoomKind,
    cert::Fingerprint,
    mls::{commit_data, parse_commit_data},
};
use proptest::prelude::*;

const HOST: OrgId = OrgId([1; 16]);
const ROOM: RoomId = RoomId([2; 16]);
const NOW: Timestamp = Timestamp(1_000_000_000_000);
const POLICE: OrgKind = OrgKind::LawEnforcement;

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

/// The device `n`, of a person of their own unless `person` says otherwise.
fn member(n: u8, person: u8) -> DeviceIdentity {
    DeviceIdentity {
        org: HOST,
        org_kind: OrgKind::VictimServices,
        person: PersonId([person; 16]),
        device: DeviceId([n; 16]),
        role: Role::Advocate,
        work_name: format!("Advocate {n}"),
        key: key(n).verifying_key().to_bytes(),
        not_before: Timestamp(0),
        not_after: NOW,
        signer_fingerprint: Fingerprint([0; 32]),
        root_fingerprint: Fingerprint([0; 32]),
    }
}

/// Advocate 1 asked; what Advocate 2 gives.
fn given() -> AdmissionConsent {
    AdmissionConsent {
        room: ROOM,
        org_kind: POLICE,
        to: PersonId([1; 16]),
        ask: MessageId([9; 16]),
        epoch: 5,
        expires_at: NOW + CONSENT_LIFE,
    }
}

fn by(n: u8, statement: &AdmissionConsent) -> Consent {
    Consent::give(statement, DeviceId([n; 16]), &key(n))
}

fn check_with(members: &[DeviceIdentity], left: Option<u64>, consents: &[Consent]) -> Result<(), Flaw> {
    let context = RoomContext { kind: RoomKind::Operation, org: HOST, callout: None };
    let admission = Admission { room: ROOM, context: &context, committer: PersonId([1; 16]), epoch: 7, at: NOW };
    let find = |device| members.iter().find(|m| m.device == device).cloned();
    admission.check(POLICE, left, consents, find).map_err(|refused| refused.why)
}

fn check(consent: Consent) -> Result<(), Flaw> {
    check_with(&[member(1, 1), member(2, 2), member(3, 1)], None, &[consent])
}

#[test]
fn one_other_persons_consent_lets_a_class_in() {
    assert_eq!(check(by(2, &given())), Ok(()));
    assert_eq!(check_with(&[member(1, 1), member(2, 2)], None, &[]), Err(Flaw::Missing));
}

#[test]
fn every_other_consent_says_what_is_wrong_with_it() {
    let with = |change: fn(&mut AdmissionConsent)| {
        let mut statement = given();
        change(&mut statement);
        by(2, &statement)
    };
    assert_eq!(check(by(1, &given())), Err(Flaw::SamePerson));
    assert_eq!(check(by(3, &given())), Err(Flaw::SamePerson), "a second device is no second person");
    assert_eq!(check(by(4, &given())), Err(Flaw::NotAMember));
    assert_eq!(check(Consent { by: DeviceId([2; 16]), ..by(3, &given()) }), Err(Flaw::Signature));
    assert_eq!(check(with(|c| c.org_kind = OrgKind::Probation)), Err(Flaw::Missing), "another class");
    assert_eq!(check(with(|c| c.room = RoomId([3; 16]))), Err(Flaw::OtherRoom));
    assert_eq!(check(with(|c| c.to = PersonId([3; 16]))), Err(Flaw::OtherPerson));
    assert_eq!(check(with(|c| c.expires_at = NOW)), Err(Flaw::Expired));
    assert_eq!(check(with(|c| c.expires_at = NOW + CONSENT_LIFE * 2)), Err(Flaw::Expired), "made to last");
    assert_eq!(check(with(|c| c.epoch = 8)), Err(Flaw::Spent), "of an epoch that is not yet");
}

#[test]
fn a_class_that_left_takes_the_consents_before_it_along() {
    let members = [member(1, 1), member(2, 2)];
    assert_eq!(check_with(&members, Some(6), &[by(2, &given())]), Err(Flaw::Spent));
    assert_eq!(check_with(&members, Some(5), &[by(2, &given())]), Ok(()), "given after they had left");
}

#[test]
fn who_agrees_belongs_to_the_rooms_organisation_and_decides() {
    let second = member(2, 2);
    for (other, why) in [
        (DeviceIdentity { org: OrgId([8; 16]), ..second.clone() }, "another organisation"),
        (DeviceIdentity { role: Role::Interpreter, ..second.clone() }, "in it for a session"),
        (DeviceIdentity { role: Role::CareStaff, ..second }, "in it for kits"),
    ] {
        assert_eq!(check_with(&[member(1, 1), other], None, &[by(2, &given())]), Err(Flaw::NotEntitled), "{why}");
    }
}

#[test]
fn of_several_one_is_enough_and_the_problem_says_what_to_do() {
    let other = by(2, &AdmissionConsent { org_kind: OrgKind::Care, ..given() });
    let expired = by(2, &AdmissionConsent { expires_at: NOW, ..given() });
    let members = [member(1, 1), member(2, 2)];
    assert_eq!(check_with(&members, None, &[expired.clone(), other.clone(), by(2, &given())]), Ok(()));
    assert_eq!(check_with(&members, None, &[expired, other]), Err(Flaw::Expired), "the one that was meant");
    let problem = Problem::from(NotAdmitted { org_kind: POLICE, why: Flaw::Missing });
    assert_eq!(problem.code, ErrorCode::NeedsConsent);
    assert!(problem.detail.unwrap().contains("let law enforcement in, ask in the room"));
}

proptest! {
    #[test]
    fn a_consent_that_was_changed_anywhere_is_refused(place in 0usize..400, bit in 0u8..8) {
        let id = MessageId([4; 16]);
        let mut data = commit_data(id, &[by(2, &given())]);
        let place = 17 + place % (data.len() - 17);
        data[place] ^= 1 << bit;
        if let Ok((_, consents)) = parse_commit_data(&data) {
            prop_assert!(check_with(&[member(1, 1), member(2, 2), member(3, 1)], None, &consents).is_err());
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut data = vec![2];
        data.extend(&bytes);
        let _ = parse_commit_data(&data);
    }
}
