//! Makes certificates, on the device of whoever holds the issuing key. What comes out has passed the same profile check
//! that every reader applies.

use super::parse::Cert;
use super::profile::{Holder, Identifiers, common_name, ed25519, is_valid_name, key_identifier};
use super::{ChainError, Level};
use crate::{DeviceId, OrgId, OrgKind, PersonId, Role, Timestamp};
use der::{
    Encode,
    asn1::{BitString, GeneralizedTime, OctetString, UtcTime},
    oid::AssociatedOid,
};
use ed25519_dalek::{Signer, SigningKey};
use spki::SubjectPublicKeyInfoOwned;
use std::time::Duration;
use x509_cert::{
    Certificate, TbsCertificate,
    certificate::Version,
    ext::{
        Extension,
        pkix::{AuthorityKeyIdentifier, SubjectKeyIdentifier},
    },
    serial_number::SerialNumber,
    time::{Time, Validity},
};

/// A serial number: 16 random bytes (RFC 5280 §4.1.2.2 asks for it to be positive and unique for the issuer).
pub type Serial = [u8; 16];

/// From when to when a certificate is valid, both ends included; fractions of a second are cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// First moment.
    pub not_before: Timestamp,
    /// Last moment.
    pub not_after: Timestamp,
}

/// What a device's certificate is to say; the organisation comes from the signer's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceSubject {
    /// The device's holder.
    pub person: PersonId,
    /// The device.
    pub device: DeviceId,
    /// The holder's role; the organisation's kind must be able to grant it.
    pub role: Role,
    /// The name the holder uses at work.
    pub work_name: String,
    /// The device's Ed25519 public key, with its possession proven (see [`crate::invite`]).
    pub key: [u8; 32],
}

/// Why a certificate can't be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The issuer's certificate, or the one just made, breaks the profile.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The private key is not the one of the issuer's certificate.
    #[error("the private key does not belong to the issuer's certificate")]
    WrongKey,
    /// The name is empty, too long or has invisible characters ([`is_valid_name`]).
    #[error("the name is empty, too long or has invisible characters")]
    Name,
    /// The lifetime is empty, or outside the years that X.509 can state.
    #[error("the lifetime is empty or out of range")]
    Lifetime,
    /// The certificate can't be encoded (a serial number of zeros).
    #[error("the certificate can't be encoded")]
    Encoding,
}

impl From<der::Error> for BuildError {
    fn from(_: der::Error) -> Self {
        Self::Encoding
    }
}

/// Makes an organisation's root certificate, signed by itself.
pub fn build_root(
    key: &SigningKey,
    org: OrgId,
    kind: OrgKind,
    name: &str,
    serial: Serial,
    lifetime: Lifetime,
) -> Result<Vec<u8>, BuildError> {
    let ids = Identifiers { org, kind, holder: None };
    issue(Subject { level: Level::Root, name, ids, key: key.verifying_key().to_bytes() }, None, key, serial, lifetime)
}

/// Makes a signer's certificate for the key of an admin's device.
pub fn build_signer(
    root_key: &SigningKey,
    root_der: &[u8],
    signer_key: &[u8; 32],
    serial: Serial,
    lifetime: Lifetime,
) -> Result<Vec<u8>, BuildError> {
    let root = Cert::parse(root_der, Level::Root)?;
    // Enough of the key identifier to tell two signers apart on a screen.
    let short: String = key_identifier(signer_key)[..3].iter().map(|b| format!("{b:02x}")).collect();
    let name = format!("signer {short}");
    let subject = Subject { level: Level::Signer, name: &name, ids: root.ids, key: *signer_key };
    issue(subject, Some(&root), root_key, serial, lifetime)
}

/// Makes a device's certificate. The role must be one that the signer's organisation may grant.
pub fn build_device(
    signer_key: &SigningKey,
    signer_der: &[u8],
    device: &DeviceSubject,
    serial: Serial,
    lifetime: Lifetime,
) -> Result<Vec<u8>, BuildError> {
    let signer = Cert::parse(signer_der, Level::Signer)?;
    if !signer.ids.kind.may_grant(device.role) {
        return Err(ChainError::RoleNotGranted.into());
    }
    let holder = Holder { person: device.person, device: device.device, role: device.role };
    let ids = Identifiers { holder: Some(holder), ..signer.ids };
    let subject = Subject { level: Level::Device, name: &device.work_name, ids, key: device.key };
    issue(subject, Some(&signer), signer_key, serial, lifetime)
}

struct Subject<'a> {
    level: Level,
    name: &'a str,
    ids: Identifiers,
    key: [u8; 32],
}

/// Encodes, signs, and reads back. Without an issuer the certificate is self-signed.
fn issue(
    subject: Subject<'_>,
    issuer: Option<&Cert>,
    key: &SigningKey,
    serial: Serial,
    lifetime: Lifetime,
) -> Result<Vec<u8>, BuildError> {
    if !is_valid_name(subject.name) {
        return Err(BuildError::Name);
    }
    if issuer.is_some_and(|i| i.key != key.verifying_key()) {
        return Err(BuildError::WrongKey);
    }
    let name = common_name(subject.name)?;
    let tbs = TbsCertificate {
        version: Version::V3,
        serial_number: positive(serial)?,
        signature: ed25519(),
        issuer: issuer.map_or_else(|| name.clone(), |i| i.subject.clone()),
        validity: validity(lifetime)?,
        subject: name,
        subject_public_key_info: SubjectPublicKeyInfoOwned {
            algorithm: ed25519(),
            subject_public_key: BitString::from_bytes(&subject.key)?,
        },
        issuer_unique_id: None,
        subject_unique_id: None,
        extensions: Some(extensions(&subject, issuer)?),
    };
    let signature = key.sign(&tbs.to_der()?);
    let signature = BitString::from_bytes(&signature.to_bytes())?;
    let der = Certificate { tbs_certificate: tbs, signature_algorithm: ed25519(), signature }.to_der()?;
    let made = Cert::parse(&der, subject.level)?;
    made.check_issued_by(issuer.unwrap_or(&made))?;
    Ok(der)
}

/// Clears the top bit, because 16 bytes with it set would need a seventeenth to be positive.
fn positive(mut serial: Serial) -> der::Result<SerialNumber> {
    serial[0] &= 0x7f;
    SerialNumber::new(&serial)
}

fn validity(lifetime: Lifetime) -> Result<Validity, BuildError> {
    if lifetime.not_before > lifetime.not_after {
        return Err(BuildError::Lifetime);
    }
    Ok(Validity { not_before: time(lifetime.not_before)?, not_after: time(lifetime.not_after)? })
}

/// UTCTime through 2049, GeneralizedTime after (RFC 5280 §4.1.2.5).
fn time(at: Timestamp) -> Result<Time, BuildError> {
    let seconds = u64::try_from(at.as_millis()).map_err(|_| BuildError::Lifetime)? / 1000;
    let general =
        GeneralizedTime::from_unix_duration(Duration::from_secs(seconds)).map_err(|_| BuildError::Lifetime)?;
    Ok(UtcTime::from_date_time(general.to_date_time()).map_or(Time::GeneralTime(general), Time::UtcTime))
}

fn extensions(subject: &Subject<'_>, issuer: Option<&Cert>) -> der::Result<Vec<Extension>> {
    let own_id = OctetString::new(key_identifier(&subject.key))?;
    let mut all = vec![
        extension(&subject.level.basic_constraints(), true)?,
        extension(&subject.level.key_usage(), true)?,
        extension(&SubjectKeyIdentifier(own_id), false)?,
    ];
    if let Some(issuer) = issuer {
        let id = OctetString::new(key_identifier(issuer.key.as_bytes()))?;
        all.push(extension(&AuthorityKeyIdentifier { key_identifier: Some(id), ..Default::default() }, false)?);
    }
    all.push(extension(&subject.ids.to_alt_name()?, false)?);
    Ok(all)
}

fn extension<T: AssociatedOid + Encode>(value: &T, critical: bool) -> der::Result<Extension> {
    Ok(Extension { extn_id: T::OID, critical, extn_value: OctetString::new(value.to_der()?)? })
}
