//! The profile of a single certificate, and how three of them hang together.

use super::*;
use crate::cert::profile::{Holder, Identifiers};
use der::{
    asn1::{Ia5String, Int, ObjectIdentifier, OctetString},
    oid::AssociatedOid,
};
use proptest::prelude::*;
use x509_cert::{
    certificate::Version,
    ext::{
        Extension,
        pkix::{
            AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName, SubjectKeyIdentifier,
            name::GeneralName,
        },
    },
    serial_number::SerialNumber,
};

fn broken(level: Level, rule: CertRule) -> Result<DeviceIdentity, ChainError> {
    Err(ChainError::Certificate(level, rule))
}

fn extensions(tbs: &mut TbsCertificate) -> &mut Vec<Extension> {
    tbs.extensions.as_mut().unwrap()
}

fn extension<T: AssociatedOid>(tbs: &mut TbsCertificate) -> &mut Extension {
    extensions(tbs).iter_mut().find(|e| e.extn_id == T::OID).unwrap()
}

fn replace<T: AssociatedOid + Encode>(tbs: &mut TbsCertificate, value: &T) {
    extension::<T>(tbs).extn_value = OctetString::new(value.to_der().unwrap()).unwrap();
}

fn uri(text: &str) -> GeneralName {
    GeneralName::UniformResourceIdentifier(Ia5String::new(text).unwrap())
}

/// Changes the list of names in a certificate.
fn with_names(org: Org, level: Level, change: impl FnOnce(&mut Vec<GeneralName>)) -> Org {
    org.forge(level, |tbs| {
        let mut names = SubjectAltName::from_der(extension::<SubjectAltName>(tbs).extn_value.as_bytes()).unwrap();
        change(&mut names.0);
        replace(tbs, &names);
    })
}

#[test]
fn a_chain_says_who_it_is() {
    let org = Org::police();
    let device = org.verify().unwrap();
    assert_eq!((device.org, device.org_kind, device.role), (POLICE, OrgKind::LawEnforcement, Role::PoliceOfficer));
    assert_eq!((device.person, device.device, device.key), (PersonId([20; 16]), DeviceId([20; 16]), public(22)));
    assert_eq!(device.work_name, "Advocate 1");
    assert_eq!((device.not_before, device.not_after), (year().not_before, year().not_after));
    assert_eq!(device.signer_fingerprint, Fingerprint::of(&org.signer));
    assert_eq!(device.root_fingerprint, Fingerprint::of(&org.root));
    assert_eq!(device_id(&org.chain()[0]), Ok(device.device));
    assert!(device_id(&org.chain()[1]).is_err());
    let json = serde_json::to_string(&device).unwrap();
    assert_eq!(serde_json::from_str::<DeviceIdentity>(&json).unwrap(), device);
    assert_eq!(org.identity().name, "Agency A");
    let signer = verify_signer_chain(&org.signer_chain(), NOW).unwrap();
    assert!(!signer.is_root() && signer.key == public(21) && signer.fingerprint == Fingerprint::of(&org.signer));
    assert!(verify_signer_chain(&org.signer_chain()[1..], NOW).unwrap().is_root());
}

#[test]
fn every_kind_and_role_that_may_be_granted_verifies_and_no_other() {
    for kind in OrgKind::ALL {
        for role in Role::ALL {
            let org = Org::new(OrgId([9; 16]), *kind, 30, Role::Admin);
            let made = build_device(&key(31), &org.signer, &subject(30, *role), [1; 16], year());
            assert_eq!(made.is_ok(), kind.may_grant(*role), "{kind} {role}");
            let holder = Holder { person: PersonId([30; 16]), device: DeviceId([30; 16]), role: *role };
            let ids = Identifiers { org: org.id, kind: *kind, holder: Some(holder) };
            let org = org.forge(Level::Device, |tbs| replace(tbs, &ids.to_alt_name().unwrap()));
            match org.verify() {
                Ok(device) => assert!(kind.may_grant(device.role) && device.role == *role),
                Err(error) => {
                    assert!(!kind.may_grant(*role) && error == ChainError::RoleNotGranted, "{kind} {role}: {error}");
                }
            }
        }
    }
}

#[test]
fn a_chain_has_three_certificates_in_order() {
    let org = Org::police();
    let anchors = org.pinned();
    let [device, signer, root] = [0, 1, 2].map(|i| org.chain()[i].clone());
    let verify = |chain: &[&Bytes]| verify_chain(chain, &anchors, NOW);
    for wrong in [vec![], vec![&device], vec![&device, &root], vec![&device, &signer, &root, &root]] {
        assert_eq!(verify(&wrong), Err(ChainError::Length));
    }
    assert_eq!(verify(&[&root, &signer, &device]), broken(Level::Root, CertRule::BasicConstraints));
    assert_eq!(verify_signer_chain::<Bytes>(&[], NOW), Err(ChainError::Length));
    assert_eq!(verify_signer_chain(&org.chain(), NOW), Err(ChainError::Length));
}

#[test]
fn a_signature_by_another_key_is_refused() {
    let org = Org::police();
    let mut forged = org.clone();
    forged.device = forge(&org.device, &key(99), |_| {});
    assert_eq!(forged.verify(), broken(Level::Device, CertRule::Signature));
    let mut forged = org.clone();
    forged.signer = forge(&org.signer, &key(99), |_| {});
    assert_eq!(forged.verify(), broken(Level::Signer, CertRule::Signature));
    let mut forged = org.clone();
    forged.root = forge(&org.root, &key(99), |_| {});
    assert_eq!(forged.verify(), broken(Level::Root, CertRule::Signature));
    let mut flipped = org;
    *flipped.device.last_mut().unwrap() ^= 1;
    assert_eq!(flipped.verify(), broken(Level::Device, CertRule::Signature));
}

#[test]
fn a_signer_of_another_organisation_is_refused() {
    let (mut org, other) = (Org::police(), Org::host());
    org.signer = other.signer;
    assert_eq!(org.verify(), broken(Level::Signer, CertRule::Signature));
    // A root that signs a signer which claims to belong to somebody else.
    let ids = Identifiers { org: HOST, kind: OrgKind::LawEnforcement, holder: None };
    let org = Org::police().forge(Level::Signer, |tbs| replace(tbs, &ids.to_alt_name().unwrap()));
    assert_eq!(org.verify(), Err(ChainError::OrgMismatch));
    let ids = Identifiers { org: POLICE, kind: OrgKind::VictimServices, holder: None };
    let org = Org::police().forge(Level::Signer, |tbs| replace(tbs, &ids.to_alt_name().unwrap()));
    assert_eq!(org.verify(), Err(ChainError::OrgKindMismatch));
}

#[test]
fn names_and_key_identifiers_lead_to_the_issuer() {
    let other = crate::cert::profile::common_name("Agency B").unwrap();
    for level in [Level::Root, Level::Signer, Level::Device] {
        let org = Org::police().forge(level, |tbs| tbs.issuer = other.clone());
        assert_eq!(org.verify(), broken(level, CertRule::Issuer));
    }
    let wrong =
        AuthorityKeyIdentifier { key_identifier: Some(OctetString::new([0; 20]).unwrap()), ..Default::default() };
    let org = Org::police().forge(Level::Device, |tbs| replace(tbs, &wrong));
    assert_eq!(org.verify(), broken(Level::Device, CertRule::IssuerKey));
    let without = |tbs: &mut TbsCertificate| extensions(tbs).retain(|e| e.extn_id != AuthorityKeyIdentifier::OID);
    assert_eq!(Org::police().forge(Level::Device, without).verify(), broken(Level::Device, CertRule::IssuerKey));
    let wrong = SubjectKeyIdentifier(OctetString::new([0; 20]).unwrap());
    let org = Org::police().forge(Level::Device, |tbs| replace(tbs, &wrong));
    assert_eq!(org.verify(), broken(Level::Device, CertRule::Key));
}

#[test]
fn lifetimes_are_checked_on_all_three_and_include_both_ends() {
    let org = Org::police();
    let (from, to) = (year().not_before.0, year().not_after.0);
    let at = |ms| verify_chain(&org.chain(), &org.pinned(), Timestamp(ms));
    assert!(at(from).is_ok() && at(to).is_ok() && at(to + 999).is_ok());
    assert_eq!(at(from - 1), broken(Level::Root, CertRule::NotYetValid));
    assert_eq!(at(to + 1000), broken(Level::Root, CertRule::Expired));
    let long = Org::new(POLICE, OrgKind::LawEnforcement, 20, Role::PoliceOfficer);
    for level in [Level::Signer, Level::Device, Level::Root] {
        let past = long.clone().forge(level, |tbs| tbs.validity.not_after = tbs.validity.not_before);
        assert_eq!(past.verify(), broken(level, CertRule::Expired));
        let future = long.clone().forge(level, |tbs| tbs.validity.not_before = tbs.validity.not_after);
        assert_eq!(future.verify(), broken(level, CertRule::NotYetValid));
    }
}

#[test]
fn dates_from_2050_on_are_generalized_time_and_no_earlier_ones() {
    let far = Lifetime { not_after: Timestamp(4_000_000_000_000), ..year() };
    let root = build_root(&key(20), POLICE, OrgKind::LawEnforcement, "Agency A", [1; 16], far).unwrap();
    let tbs = Certificate::from_der(&root).unwrap().tbs_certificate;
    assert!(matches!(tbs.validity.not_before, x509_cert::time::Time::UtcTime(_)));
    assert!(matches!(tbs.validity.not_after, x509_cert::time::Time::GeneralTime(_)));
    let org = Org::police().forge(Level::Root, |tbs| {
        let date = tbs.validity.not_before.to_date_time();
        tbs.validity.not_before = x509_cert::time::Time::GeneralTime(date.into());
    });
    assert_eq!(org.verify(), broken(Level::Root, CertRule::Malformed));
}

#[test]
fn ca_flags_path_lengths_and_key_usages_are_those_of_the_level() {
    for (level, others) in [
        (Level::Root, [Level::Signer, Level::Device]),
        (Level::Signer, [Level::Root, Level::Device]),
        (Level::Device, [Level::Root, Level::Signer]),
    ] {
        for other in others {
            let org = Org::police().forge(level, |tbs| replace(tbs, &other.basic_constraints()));
            assert_eq!(org.verify(), broken(level, CertRule::BasicConstraints));
        }
        let unbounded = BasicConstraints { ca: true, path_len_constraint: None };
        let org = Org::police().forge(level, |tbs| replace(tbs, &unbounded));
        assert_eq!(org.verify(), broken(level, CertRule::BasicConstraints));
        let org = Org::police().forge(level, |tbs| extension::<BasicConstraints>(tbs).critical = false);
        assert_eq!(org.verify(), broken(level, CertRule::BasicConstraints));
        let other = if level == Level::Device { Level::Root } else { Level::Device };
        let org = Org::police().forge(level, |tbs| replace(tbs, &other.key_usage()));
        assert_eq!(org.verify(), broken(level, CertRule::KeyUsage));
        let org = Org::police().forge(level, |tbs| extension::<KeyUsage>(tbs).critical = false);
        assert_eq!(org.verify(), broken(level, CertRule::KeyUsage));
    }
}

#[test]
fn unknown_extensions_pass_only_when_they_bind_nothing() {
    let unknown = |critical| Extension {
        extn_id: ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.1"),
        critical,
        extn_value: OctetString::new([5, 0]).unwrap(),
    };
    assert!(Org::police().forge(Level::Device, |tbs| extensions(tbs).push(unknown(false))).verify().is_ok());
    let org = Org::police().forge(Level::Device, |tbs| extensions(tbs).push(unknown(true)));
    assert_eq!(org.verify(), broken(Level::Device, CertRule::UnknownExtension));
    let org = Org::police().forge(Level::Signer, |tbs| {
        extensions(tbs).push(Extension { extn_id: ExtendedKeyUsage::OID, ..unknown(false) });
    });
    assert_eq!(org.verify(), broken(Level::Signer, CertRule::UnknownExtension));
    let org = Org::police().forge(Level::Root, |tbs| extensions(tbs).extend([unknown(false), unknown(false)]));
    assert_eq!(org.verify(), broken(Level::Root, CertRule::DuplicateExtension));
    let org = Org::police().forge(Level::Device, |tbs| {
        let again = extension::<SubjectAltName>(tbs).clone();
        extensions(tbs).push(again);
    });
    assert_eq!(org.verify(), broken(Level::Device, CertRule::DuplicateExtension));
    for oid in [SubjectAltName::OID, SubjectKeyIdentifier::OID] {
        let org = Org::police().forge(Level::Device, |tbs| extensions(tbs).retain(|e| e.extn_id != oid));
        assert_eq!(org.verify(), broken(Level::Device, CertRule::MissingExtension));
    }
    let org = Org::police().forge(Level::Device, |tbs| extension::<SubjectKeyIdentifier>(tbs).critical = true);
    assert_eq!(org.verify(), broken(Level::Device, CertRule::MissingExtension));
    let org = Org::police().forge(Level::Device, |tbs| tbs.extensions = None);
    assert_eq!(org.verify(), broken(Level::Device, CertRule::BasicConstraints));
}

#[test]
fn identifiers_stand_once_and_where_they_belong() {
    for i in 0..5 {
        let org = with_names(Org::police(), Level::Device, |names| drop(names.remove(i)));
        assert_eq!(org.verify(), broken(Level::Device, CertRule::MissingIdentifier));
        let org = with_names(Org::police(), Level::Device, |names| names.push(names[i].clone()));
        assert_eq!(org.verify(), broken(Level::Device, CertRule::DuplicateIdentifier));
    }
    let reversed = with_names(Org::police(), Level::Device, |names| names.reverse());
    assert!(reversed.verify().is_ok(), "the order of the names means nothing");
    let org = with_names(Org::police(), Level::Device, |names| names.truncate(2));
    assert_eq!(org.verify(), broken(Level::Device, CertRule::MissingIdentifier));
    let all = Identifiers {
        org: POLICE,
        kind: OrgKind::LawEnforcement,
        holder: Some(Holder { person: PersonId([0; 16]), device: DeviceId([0; 16]), role: Role::Admin }),
    };
    let org = Org::police().forge(Level::Signer, |tbs| replace(tbs, &all.to_alt_name().unwrap()));
    assert_eq!(org.verify(), broken(Level::Signer, CertRule::UnknownIdentifier));
    let person = PersonId([20; 16]).to_string().to_uppercase().replace("PER_", "per_");
    for text in [
        "urn:firstlight:callsign:x".to_owned(),
        "urn:firstlight:role".to_owned(),
        "urn:firstlight:role:chief".to_owned(),
        "https://example.org".to_owned(),
        format!("urn:firstlight:person:{person}"),
    ] {
        let org = with_names(Org::police(), Level::Device, |names| names.push(uri(&text)));
        assert_eq!(org.verify(), broken(Level::Device, CertRule::UnknownIdentifier), "{text}");
    }
    let dns = GeneralName::DnsName(Ia5String::new("example.org").unwrap());
    let org = with_names(Org::police(), Level::Device, |names| names.push(dns));
    assert_eq!(org.verify(), broken(Level::Device, CertRule::UnknownIdentifier));
}

#[test]
fn algorithms_keys_versions_and_serials_are_checked() {
    let rsa = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    let org = Org::police().forge(Level::Device, |tbs| tbs.subject_public_key_info.algorithm.oid = rsa);
    assert_eq!(org.verify(), broken(Level::Device, CertRule::Algorithm));
    let org = Org::police().forge(Level::Device, |tbs| tbs.signature.oid = rsa);
    assert_eq!(org.verify(), broken(Level::Device, CertRule::Algorithm));
    let org = Org::police().forge(Level::Device, |tbs| tbs.signature.parameters = Some(der::asn1::Null.into()));
    assert_eq!(org.verify(), broken(Level::Device, CertRule::Algorithm));
    let mut small_order = [0; 32];
    small_order[0] = 1;
    for bad in [&small_order[..], &[0x5a; 31], &[2; 32]] {
        let org = Org::police().forge(Level::Device, |tbs| {
            tbs.subject_public_key_info.subject_public_key = BitString::from_bytes(bad).unwrap();
        });
        assert_eq!(org.verify(), broken(Level::Device, CertRule::Key), "{bad:?}");
    }
    let org = Org::police().forge(Level::Device, |tbs| tbs.version = Version::V2);
    assert_eq!(org.verify(), broken(Level::Device, CertRule::Malformed));
    let org =
        Org::police().forge(Level::Device, |tbs| tbs.issuer_unique_id = Some(BitString::from_bytes(&[1]).unwrap()));
    assert_eq!(org.verify(), broken(Level::Device, CertRule::Malformed));
    for bad in [&[0u8][..], &[0x80]] {
        let der = Int::new(bad).unwrap().to_der().unwrap();
        let org = Org::police().forge(Level::Device, |tbs| tbs.serial_number = SerialNumber::from_der(&der).unwrap());
        assert_eq!(org.verify(), broken(Level::Device, CertRule::Serial));
    }
}

#[test]
fn one_key_stands_in_one_certificate_only() {
    let org = Org::police();
    let reuse = |seed| {
        let subject = DeviceSubject { key: public(seed), ..subject(20, Role::PoliceOfficer) };
        build_device(&key(21), &org.signer, &subject, [1; 16], year())
    };
    let reused = ChainError::Certificate(Level::Device, CertRule::KeyReused);
    assert_eq!(reuse(21), Err(BuildError::Chain(reused)));
    let with_root_key = Org { device: reuse(20).unwrap(), ..org.clone() };
    assert_eq!(with_root_key.verify(), Err(reused));
    let signer = build_signer(&key(20), &org.root, &public(20), [1; 16], year());
    assert_eq!(signer, Err(BuildError::Chain(ChainError::Certificate(Level::Signer, CertRule::KeyReused))));
}

#[test]
fn only_whole_canonical_der_of_bounded_size_is_read() {
    let org = Org::police();
    let malformed = broken(Level::Device, CertRule::Malformed);
    for end in 0..org.device.len() {
        let cut = Org { device: org.device[..end].to_vec(), ..org.clone() };
        assert_eq!(cut.verify(), malformed, "cut after {end} bytes");
    }
    let trailing = Org { device: [&org.device[..], &[0]].concat(), ..org.clone() };
    assert_eq!(trailing.verify(), malformed);
    let large = Org { device: vec![0x30; MAX_CERT_BYTES + 1], ..org.clone() };
    assert_eq!(large.verify(), broken(Level::Device, CertRule::TooLarge));
    // Trailing bytes inside an extension, under a good signature.
    let inside = org.forge(Level::Device, |tbs| {
        let extension = extension::<BasicConstraints>(tbs);
        let bytes = [extension.extn_value.as_bytes(), &[5, 0]].concat();
        extension.extn_value = OctetString::new(bytes).unwrap();
    });
    assert_eq!(inside.verify(), broken(Level::Device, CertRule::MissingExtension));
}

#[test]
fn nobody_builds_what_nobody_would_accept() {
    let org = Org::police();
    for name in ["", " Agency", "a\nb", "Agency\u{202e}A", "\u{200b}", &"x".repeat(65)] {
        let made = build_root(&key(1), HOST, OrgKind::Care, name, [1; 16], year());
        assert_eq!(made, Err(BuildError::Name), "{name:?}");
    }
    assert!(build_root(&key(1), HOST, OrgKind::Care, &"ö".repeat(64), [0xff; 16], year()).is_ok());
    let serial = build_root(&key(1), HOST, OrgKind::Care, "A", [0; 16], year());
    assert!(matches!(serial, Err(BuildError::Encoding | BuildError::Chain(_))), "{serial:?}");
    let backwards = Lifetime { not_before: year().not_after, not_after: year().not_before };
    for lifetime in [
        backwards,
        Lifetime { not_before: Timestamp(-1), ..year() },
        Lifetime { not_after: Timestamp(i64::MAX), ..year() },
    ] {
        assert_eq!(build_root(&key(1), HOST, OrgKind::Care, "A", [1; 16], lifetime), Err(BuildError::Lifetime));
    }
    let wrong_key = build_device(&key(20), &org.signer, &subject(20, Role::PoliceOfficer), [1; 16], year());
    assert_eq!(wrong_key, Err(BuildError::WrongKey));
    let from_root = build_device(&key(20), &org.root, &subject(20, Role::PoliceOfficer), [1; 16], year());
    assert!(matches!(from_root, Err(BuildError::Chain(_))));
    let advocate = build_device(&key(21), &org.signer, &subject(20, Role::Advocate), [1; 16], year());
    assert_eq!(advocate, Err(BuildError::Chain(ChainError::RoleNotGranted)));
}

proptest! {
    #[test]
    fn garbage_never_verifies_and_never_panics(a in prop::collection::vec(any::<u8>(), 0..200)) {
        let org = Org::police();
        let bad = Org { device: a.clone(), ..org.clone() };
        prop_assert!(bad.verify().is_err());
        prop_assert!(verify_signer_chain(&[a.clone(), org.root.clone()], NOW).is_err());
        prop_assert!(verify_root(&a).is_err());
    }

    #[test]
    fn no_changed_byte_goes_unnoticed(at in any::<prop::sample::Index>(), which in 0usize..3, flip in 1u8..) {
        let org = Org::police();
        let anchors = org.pinned();
        let mut chain = org.chain();
        let at = at.index(chain[which].len());
        chain[which].0[at] ^= flip;
        prop_assert!(verify_chain(&chain, &anchors, NOW).is_err());
    }
}
