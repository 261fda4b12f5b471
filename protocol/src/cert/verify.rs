//! Verifies chains from the root down: profile, signatures, names, lifetimes, and that they tell one story.

use super::parse::Cert;
use super::{Anchors, ChainError, DeviceIdentity, Level, OrgIdentity, SignerIdentity};
use crate::{DeviceId, OrgId, OrgKind, Timestamp};

/// Verifies a root certificate's profile and self-signature. Whether to trust it is another question; see [`Anchors`].
pub fn verify_root(der: &[u8]) -> Result<OrgIdentity, ChainError> {
    read_root(der).map(|root| org_identity(&root))
}

/// Verifies a chain of certificates that may sign for an organisation, leaf first: signer and root, or the root alone.
/// Says who it is, not that the root is trusted.
pub fn verify_signer_chain<C: AsRef<[u8]>>(chain: &[C], now: Timestamp) -> Result<SignerIdentity, ChainError> {
    let (signer, root) = match chain {
        [root] => (None, read_root(root.as_ref())?),
        [signer, root] => {
            let root = read_root(root.as_ref())?;
            (Some(read_issued(signer.as_ref(), Level::Signer, &root, now)?), root)
        }
        _ => return Err(ChainError::Length),
    };
    root.check_time(now)?;
    let signs = signer.as_ref().unwrap_or(&root);
    Ok(SignerIdentity { org: org_identity(&root), key: signs.key.to_bytes(), fingerprint: signs.fingerprint })
}

/// Verifies a device's chain (device, signer, root) up to a root that `anchors` trusts for this organisation.
///
/// Revocation is not looked at: [`Anchors::verify_device`] and [`Anchors::verify_leaf`] do both.
pub fn verify_chain<C: AsRef<[u8]>>(
    chain: &[C],
    anchors: &Anchors,
    now: Timestamp,
) -> Result<DeviceIdentity, ChainError> {
    let [device, signer, root] = chain else {
        return Err(ChainError::Length);
    };
    let root = read_root(root.as_ref())?;
    root.check_time(now)?;
    anchors.check_root(&org_identity(&root))?;
    let signer = read_issued(signer.as_ref(), Level::Signer, &root, now)?;
    let device = read_issued(device.as_ref(), Level::Device, &signer, now)?;
    if device.key == root.key {
        return Err(ChainError::Certificate(Level::Device, super::CertRule::KeyReused));
    }
    // `Cert::parse` refuses a device without a holder, so this can only be a holder.
    let holder = device.ids.holder.ok_or(ChainError::Certificate(Level::Device, super::CertRule::MissingIdentifier))?;
    if !device.ids.kind.may_grant(holder.role) {
        return Err(ChainError::RoleNotGranted);
    }
    Ok(DeviceIdentity {
        org: device.ids.org,
        org_kind: device.ids.kind,
        person: holder.person,
        device: holder.device,
        role: holder.role,
        work_name: device.name,
        key: device.key.to_bytes(),
        not_before: Timestamp(device.not_before.saturating_mul(1000)),
        not_after: Timestamp(device.not_after.saturating_mul(1000)),
        signer_fingerprint: signer.fingerprint,
        root_fingerprint: root.fingerprint,
    })
}

/// The device that a leaf certificate names. No signature is verified: for leaves that were verified when they came in.
pub fn device_id<C: AsRef<[u8]>>(leaf: &C) -> Result<DeviceId, ChainError> {
    let missing = ChainError::Certificate(Level::Device, super::CertRule::MissingIdentifier);
    Cert::parse(leaf.as_ref(), Level::Device)?.ids.holder.map(|holder| holder.device).ok_or(missing)
}

/// The organisation that a leaf certificate names, and its kind; no signature is verified, as with [`device_id`].
pub fn device_org<C: AsRef<[u8]>>(leaf: &C) -> Result<(OrgId, OrgKind), ChainError> {
    Cert::parse(leaf.as_ref(), Level::Device).map(|cert| (cert.ids.org, cert.ids.kind))
}

fn read_root(der: &[u8]) -> Result<Cert, ChainError> {
    let root = Cert::parse(der, Level::Root)?;
    root.check_issued_by(&root)?;
    Ok(root)
}

/// The public key of a root certificate, for what its holder signs before anyone trusts it.
pub(crate) fn root_key(der: &[u8]) -> Result<[u8; 32], ChainError> {
    read_root(der).map(|root| root.key.to_bytes())
}

fn read_issued(der: &[u8], level: Level, issuer: &Cert, now: Timestamp) -> Result<Cert, ChainError> {
    let cert = Cert::parse(der, level)?;
    cert.check_issued_by(issuer)?;
    cert.check_time(now)?;
    if cert.ids.org != issuer.ids.org {
        return Err(ChainError::OrgMismatch);
    }
    if cert.ids.kind != issuer.ids.kind {
        return Err(ChainError::OrgKindMismatch);
    }
    Ok(cert)
}

fn org_identity(root: &Cert) -> OrgIdentity {
    OrgIdentity { org: root.ids.org, kind: root.ids.kind, name: root.name.clone(), root_fingerprint: root.fingerprint }
}
