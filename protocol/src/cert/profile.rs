//! The constants of the certificate profile, shared by building and parsing so that they cannot drift apart.

use super::Level;
use crate::Role;
use crate::{DeviceId, OrgId, OrgKind, PersonId};
use der::{
    Decode, Encode, Tag, Tagged,
    asn1::{Any, Ia5String, ObjectIdentifier, SetOfVec},
    flagset::FlagSet,
};
use sha2::{Digest, Sha256};
use spki::AlgorithmIdentifierOwned;
use std::str::FromStr;
use x509_cert::{
    attr::AttributeTypeAndValue,
    ext::pkix::{BasicConstraints, KeyUsage, KeyUsages, SubjectAltName, name::GeneralName},
    name::{Name, RdnSequence, RelativeDistinguishedName},
};

/// The largest certificate that is looked at, in bytes of DER. Real ones have about 600.
pub const MAX_CERT_BYTES: usize = 2048;

/// The longest name of an organisation or a person, in characters (`ub-common-name`, RFC 5280 appendix A.1).
pub const MAX_NAME_CHARS: usize = 64;

/// id-Ed25519 (RFC 8410 §3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// id-at-commonName.
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// Ed25519, whose parameters must be absent (RFC 8410 §3).
pub(super) fn ed25519() -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid: ED25519, parameters: None }
}

/// Whether a text may stand as the name of an organisation or as a work name: 1 to 64 characters, no white space at the
/// ends, no control characters, and none of the invisible ones that make a name look like another one.
pub fn is_valid_name(name: &str) -> bool {
    let invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    (1..=MAX_NAME_CHARS).contains(&name.chars().count()) && name.trim() == name && !name.contains(invisible)
}

/// A subject or issuer: one common name, UTF8String.
pub(super) fn common_name(name: &str) -> der::Result<Name> {
    let value = Any::new(Tag::Utf8String, name.as_bytes())?;
    let rdn = RelativeDistinguishedName(SetOfVec::try_from(vec![AttributeTypeAndValue { oid: COMMON_NAME, value }])?);
    Ok(RdnSequence(vec![rdn]))
}

/// The common name of a subject that has the form of [`common_name`].
pub(super) fn read_common_name(name: &Name) -> Option<String> {
    let [rdn] = name.0.as_slice() else { return None };
    let [attribute] = rdn.0.as_slice() else { return None };
    let text = std::str::from_utf8(attribute.value.value()).ok()?;
    let right_type = attribute.oid == COMMON_NAME && attribute.value.tag() == Tag::Utf8String;
    (right_type && is_valid_name(text)).then(|| text.to_owned())
}

/// The key identifier: the leftmost 160 bits of SHA-256 of the public key (RFC 7093 §2 method 1).
pub(super) fn key_identifier(key: &[u8; 32]) -> [u8; 20] {
    let mut id = [0; 20];
    id.copy_from_slice(&Sha256::digest(key)[..20]);
    id
}

impl Level {
    pub(super) fn basic_constraints(self) -> BasicConstraints {
        let path_len_constraint = match self {
            Self::Root => Some(1),
            Self::Signer => Some(0),
            Self::Device => None,
        };
        BasicConstraints { ca: self != Self::Device, path_len_constraint }
    }

    pub(super) fn key_usage(self) -> KeyUsage {
        let usage: FlagSet<KeyUsages> = KeyUsages::DigitalSignature.into();
        KeyUsage(if self == Self::Device { usage } else { usage | KeyUsages::KeyCertSign })
    }
}

/// The identifiers of a certificate: two on a root or signer, five on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identifiers {
    pub(super) org: OrgId,
    pub(super) kind: OrgKind,
    pub(super) holder: Option<Holder>,
}

/// What only a device's certificate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) person: PersonId,
    pub(super) device: DeviceId,
    pub(super) role: Role,
}

/// What is wrong with a subject alternative name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadIdentifiers {
    Missing,
    Duplicate,
    Unknown,
}

const URN: &str = "urn:firstlight:";

impl Identifiers {
    pub(super) fn to_alt_name(self) -> der::Result<SubjectAltName> {
        let mut words = vec![format!("org:{}", self.org), format!("org-kind:{}", self.kind)];
        if let Some(h) = self.holder {
            words.extend([format!("person:{}", h.person), format!("device:{}", h.device), format!("role:{}", h.role)]);
        }
        let uri = |word: String| Ia5String::new(&format!("{URN}{word}")).map(GeneralName::UniformResourceIdentifier);
        words.into_iter().map(uri).collect::<der::Result<Vec<_>>>().map(SubjectAltName)
    }

    pub(super) fn from_alt_name(names: &SubjectAltName) -> Result<Self, BadIdentifiers> {
        let (mut org, mut kind, mut person, mut device, mut role) = (None, None, None, None, None);
        for name in &names.0 {
            let GeneralName::UniformResourceIdentifier(uri) = name else {
                return Err(BadIdentifiers::Unknown);
            };
            let word = uri.as_str().strip_prefix(URN).and_then(|rest| rest.split_once(':'));
            match word.ok_or(BadIdentifiers::Unknown)? {
                ("org", text) => set(&mut org, text)?,
                ("org-kind", text) => set(&mut kind, text)?,
                ("person", text) => set(&mut person, text)?,
                ("device", text) => set(&mut device, text)?,
                ("role", text) => set(&mut role, text)?,
                _ => return Err(BadIdentifiers::Unknown),
            }
        }
        let (Some(org), Some(kind)) = (org, kind) else {
            return Err(BadIdentifiers::Missing);
        };
        let holder = match (person, device, role) {
            (Some(person), Some(device), Some(role)) => Some(Holder { person, device, role }),
            (None, None, None) => None,
            _ => return Err(BadIdentifiers::Missing),
        };
        Ok(Self { org, kind, holder })
    }
}

/// Reads one identifier; only its canonical text counts, so that equal identifiers are equal bytes.
fn set<T: FromStr + ToString>(slot: &mut Option<T>, text: &str) -> Result<(), BadIdentifiers> {
    let value = text.parse::<T>().ok().filter(|v| v.to_string() == text).ok_or(BadIdentifiers::Unknown)?;
    if slot.replace(value).is_some() { Err(BadIdentifiers::Duplicate) } else { Ok(()) }
}

/// Decodes DER and refuses what does not encode to the same bytes again: BER, defaults spelled out, trailing bytes.
pub(super) fn decode_canonical<T: for<'a> Decode<'a> + Encode>(bytes: &[u8]) -> Option<T> {
    let value = T::from_der(bytes).ok()?;
    (value.to_der().ok()? == bytes).then_some(value)
}
