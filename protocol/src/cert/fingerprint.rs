//! The fingerprint of a certificate: what people compare and what clients pin.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// SHA-256 of a certificate's DER.
///
/// As text: 64 hexadecimal digits in sixteen groups of four, joined by `-`, easy to read out over the telephone. In JSON
/// it is that text, in CBOR the 32 bytes. Reading ignores case and the separators `-`, `:` and space.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

/// A text that is not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a fingerprint: expected 64 hexadecimal digits")]
pub struct InvalidFingerprint;

impl Fingerprint {
    /// The fingerprint of a certificate's DER.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// The 64 hexadecimal digits without separators, as they stand in an invite link.
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|b| format!("{b:02x}")).collect()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, pair) in self.0.chunks(2).enumerate() {
            if i > 0 {
                f.write_str("-")?;
            }
            pair.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;
    fn from_str(s: &str) -> Result<Self, InvalidFingerprint> {
        let mut out = [0u8; 32];
        let mut digits = 0usize;
        for c in s.chars().filter(|c| !matches!(c, '-' | ':' | ' ')) {
            let value = c.to_digit(16).and_then(|d| u8::try_from(d).ok()).ok_or(InvalidFingerprint)?;
            let byte = out.get_mut(digits / 2).ok_or(InvalidFingerprint)?;
            *byte = (*byte << 4) | value;
            digits += 1;
        }
        if digits == 64 { Ok(Self(out)) } else { Err(InvalidFingerprint) }
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.collect_str(self) } else { s.serialize_bytes(&self.0) }
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            String::deserialize(d)?.parse().map_err(D::Error::custom)
        } else {
            super::key_bytes::deserialize(d).map(Self)
        }
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Fingerprint {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("SHA-256 of a certificate's DER, in sixteen groups of four hexadecimal digits"))
            .pattern(Some("^[0-9a-f]{4}(-[0-9a-f]{4}){15}$"))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Fingerprint {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_json_and_cbor_round_trip() {
        let f = Fingerprint::of(b"certificate");
        assert_eq!(f.to_string().len(), 64 + 15);
        assert_eq!(f.to_string().parse(), Ok(f));
        assert_eq!(f.to_hex().to_uppercase().parse(), Ok(f));
        assert_eq!(f.to_string().replace('-', " : ").parse(), Ok(f));
        let json = serde_json::to_string(&f).unwrap();
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), f);
        let cbor = crate::wire::to_cbor(&f);
        assert_eq!(cbor.len(), 34);
        assert_eq!(crate::wire::from_cbor::<Fingerprint>(&cbor).unwrap(), f);
    }

    #[test]
    fn too_short_too_long_and_foreign_digits_are_refused() {
        let hex = Fingerprint::of(b"x").to_hex();
        for bad in [hex[1..].to_owned(), format!("{hex}0"), hex.replace(&hex[..1], "g"), String::new(), "é".repeat(64)]
        {
            assert_eq!(bad.parse::<Fingerprint>(), Err(InvalidFingerprint), "{bad}");
        }
    }
}
