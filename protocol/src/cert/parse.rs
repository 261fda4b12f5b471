//! One certificate, parsed and held against the profile of its level. Nothing here says that it is to be trusted.

use super::profile::{
    BadIdentifiers, Identifiers, MAX_CERT_BYTES, decode_canonical, ed25519, key_identifier, read_common_name,
};
use super::{CertRule, ChainError, Fingerprint, Level};
use crate::Timestamp;
use der::{Encode, asn1::ObjectIdentifier, oid::AssociatedOid};
use ed25519_dalek::{Signature, VerifyingKey};
use x509_cert::{
    Certificate,
    certificate::Version,
    ext::{
        Extension,
        pkix::{
            AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName, SubjectKeyIdentifier,
        },
    },
    name::Name,
    time::Time,
};

/// A certificate that satisfies the profile of its level.
#[derive(Debug)]
pub(super) struct Cert {
    pub(super) level: Level,
    pub(super) fingerprint: Fingerprint,
    pub(super) subject: Name,
    pub(super) name: String,
    pub(super) key: VerifyingKey,
    pub(super) ids: Identifiers,
    /// Seconds since the Unix epoch.
    pub(super) not_before: i64,
    /// Seconds since the Unix epoch, inclusive.
    pub(super) not_after: i64,
    issuer: Name,
    issuer_key: Option<Vec<u8>>,
    tbs: Vec<u8>,
    signature: Signature,
}

impl Cert {
    /// Parses `der` as a certificate of `level`.
    pub(super) fn parse(der: &[u8], level: Level) -> Result<Self, ChainError> {
        parse(der, level).map_err(|rule| ChainError::Certificate(level, rule))
    }

    fn broken<T>(&self, rule: CertRule) -> Result<T, ChainError> {
        Err(ChainError::Certificate(self.level, rule))
    }

    /// Checks that `issuer` signed this certificate: signature, names, key identifier. A root is its own issuer.
    pub(super) fn check_issued_by(&self, issuer: &Self) -> Result<(), ChainError> {
        if issuer.key.verify_strict(&self.tbs, &self.signature).is_err() {
            return self.broken(CertRule::Signature);
        }
        if self.issuer != issuer.subject {
            return self.broken(CertRule::Issuer);
        }
        let expected = key_identifier(issuer.key.as_bytes());
        match &self.issuer_key {
            Some(id) if *id == expected => {}
            // RFC 5280 §4.2.1.1 lets a self-signed certificate leave it out.
            None if self.level == Level::Root => {}
            _ => return self.broken(CertRule::IssuerKey),
        }
        if self.level != Level::Root && self.key == issuer.key {
            return self.broken(CertRule::KeyReused);
        }
        Ok(())
    }

    /// Checks the validity at `now`; both ends belong to it (RFC 5280 §4.1.2.5).
    pub(super) fn check_time(&self, now: Timestamp) -> Result<(), ChainError> {
        let now = now.as_millis().div_euclid(1000);
        if now < self.not_before {
            return self.broken(CertRule::NotYetValid);
        }
        if now > self.not_after {
            return self.broken(CertRule::Expired);
        }
        Ok(())
    }
}

fn parse(der: &[u8], level: Level) -> Result<Cert, CertRule> {
    if der.len() > MAX_CERT_BYTES {
        return Err(CertRule::TooLarge);
    }
    let cert: Certificate = decode_canonical(der).ok_or(CertRule::Malformed)?;
    let tbs = &cert.tbs_certificate;
    if tbs.version != Version::V3 || tbs.issuer_unique_id.is_some() || tbs.subject_unique_id.is_some() {
        return Err(CertRule::Malformed);
    }
    let algorithms = [&cert.signature_algorithm, &tbs.signature, &tbs.subject_public_key_info.algorithm];
    if algorithms.iter().any(|a| **a != ed25519()) {
        return Err(CertRule::Algorithm);
    }
    let signature = cert.signature.as_bytes().and_then(|b| Signature::from_slice(b).ok()).ok_or(CertRule::Signature)?;
    let key = tbs.subject_public_key_info.subject_public_key.as_bytes();
    let key = key.and_then(|b| b.try_into().ok()).and_then(|b| VerifyingKey::from_bytes(b).ok());
    let key = key.filter(|k| !k.is_weak()).ok_or(CertRule::Key)?;
    let serial = tbs.serial_number.as_bytes();
    if serial.first().is_none_or(|b| b & 0x80 != 0) || serial.iter().all(|b| *b == 0) {
        return Err(CertRule::Serial);
    }
    let extensions = Extensions::read(tbs.extensions.as_deref().unwrap_or(&[]), level)?;
    if extensions.key != key_identifier(key.as_bytes()) {
        return Err(CertRule::Key);
    }
    Ok(Cert {
        level,
        fingerprint: Fingerprint::of(der),
        name: read_common_name(&tbs.subject).ok_or(CertRule::Name)?,
        subject: tbs.subject.clone(),
        issuer: tbs.issuer.clone(),
        key,
        ids: extensions.ids,
        issuer_key: extensions.issuer_key,
        not_before: seconds(&tbs.validity.not_before)?,
        not_after: seconds(&tbs.validity.not_after)?,
        tbs: tbs.to_der().map_err(|_| CertRule::Malformed)?,
        signature,
    })
}

/// Seconds since the epoch. Dates through 2049 must be UTCTime (RFC 5280 §4.1.2.5).
fn seconds(time: &Time) -> Result<i64, CertRule> {
    if matches!(time, Time::GeneralTime(t) if t.to_date_time().year() < 2050) {
        return Err(CertRule::Malformed);
    }
    i64::try_from(time.to_unix_duration().as_secs()).map_err(|_| CertRule::Malformed)
}

struct Extensions {
    ids: Identifiers,
    key: Vec<u8>,
    issuer_key: Option<Vec<u8>>,
}

impl Extensions {
    fn read(all: &[Extension], level: Level) -> Result<Self, CertRule> {
        for (i, extension) in all.iter().enumerate() {
            if all[..i].iter().any(|e| e.extn_id == extension.extn_id) {
                return Err(CertRule::DuplicateExtension);
            }
            let known = [
                BasicConstraints::OID,
                KeyUsage::OID,
                SubjectAltName::OID,
                SubjectKeyIdentifier::OID,
                AuthorityKeyIdentifier::OID,
            ];
            // Extended key usage binds even when it is not critical (RFC 5280 §4.2.1.12), and no purpose here is one.
            let binds = extension.critical || extension.extn_id == ExtendedKeyUsage::OID;
            if binds && !known.contains(&extension.extn_id) {
                return Err(CertRule::UnknownExtension);
            }
        }
        let constraints: Option<(bool, BasicConstraints)> = get(all)?;
        if constraints != Some((true, level.basic_constraints())) {
            return Err(CertRule::BasicConstraints);
        }
        let usage: Option<(bool, KeyUsage)> = get(all)?;
        if usage != Some((true, level.key_usage())) {
            return Err(CertRule::KeyUsage);
        }
        let (critical, key): (_, SubjectKeyIdentifier) = get(all)?.ok_or(CertRule::MissingExtension)?;
        let issuer_key: Option<(bool, AuthorityKeyIdentifier)> = get(all)?;
        // Both identifiers must not be critical (RFC 5280 §4.2.1.1 and §4.2.1.2).
        if critical || issuer_key.as_ref().is_some_and(|(critical, _)| *critical) {
            return Err(CertRule::MissingExtension);
        }
        let (_, names): (_, SubjectAltName) = get(all)?.ok_or(CertRule::MissingExtension)?;
        let ids = Identifiers::from_alt_name(&names).map_err(|bad| match bad {
            BadIdentifiers::Missing => CertRule::MissingIdentifier,
            BadIdentifiers::Duplicate => CertRule::DuplicateIdentifier,
            BadIdentifiers::Unknown => CertRule::UnknownIdentifier,
        })?;
        match (level, ids.holder) {
            (Level::Device, None) => return Err(CertRule::MissingIdentifier),
            (Level::Root | Level::Signer, Some(_)) => return Err(CertRule::UnknownIdentifier),
            _ => {}
        }
        let issuer_key = issuer_key.and_then(|(_, id)| id.key_identifier).map(|id| id.as_bytes().to_vec());
        Ok(Self { ids, key: key.0.as_bytes().to_vec(), issuer_key })
    }
}

/// The criticality and value of an extension, if it is there.
fn get<T: AssociatedOid + for<'a> der::Decode<'a> + Encode>(all: &[Extension]) -> Result<Option<(bool, T)>, CertRule> {
    let oid: ObjectIdentifier = T::OID;
    let Some(extension) = all.iter().find(|e| e.extn_id == oid) else {
        return Ok(None);
    };
    let value = decode_canonical(extension.extn_value.as_bytes()).ok_or(CertRule::MissingExtension)?;
    Ok(Some((extension.critical, value)))
}
