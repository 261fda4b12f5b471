//! How values become bytes: CBOR on the websocket and at rest, JSON over HTTP.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use cbor4ii::core::dec::Reference;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned};
use std::{convert::Infallible, fmt, ops::Deref};
use zeroize::Zeroize;

#[cfg(test)]
mod tests;

/// Bytes that are not valid CBOR, or not of the expected shape. The text never quotes the content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not a well-formed {expected}")]
pub struct Malformed {
    /// The type that was expected.
    pub expected: &'static str,
}

/// Encodes as CBOR. Types of this crate always encode; a failure is a defect, answered with an empty string.
pub fn to_cbor<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    append_cbor(Vec::with_capacity(128), value).unwrap_or_default()
}

/// Encodes as CBOR after bytes that are there already.
pub fn append_cbor<T: Serialize + ?Sized>(bytes: Vec<u8>, value: &T) -> Result<Vec<u8>, Malformed> {
    cbor4ii::serde::to_vec(bytes, &value).map_err(|_| malformed::<T>())
}

/// Decodes CBOR and refuses trailing bytes. Nesting is bounded, so that a hostile frame can't exhaust the stack.
pub fn from_cbor<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Malformed> {
    read_cbor(bytes, 64)
}

/// Decodes CBOR of our own store, where openmls nests deeper than anything on the wire.
pub fn from_stored_cbor<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Malformed> {
    read_cbor(bytes, 256)
}

fn read_cbor<T: DeserializeOwned>(bytes: &[u8], depth: usize) -> Result<T, Malformed> {
    let mut reader = cbor4ii::serde::Deserializer::new(Reader { bytes, depth });
    let value = T::deserialize(&mut reader).map_err(|_| malformed::<T>())?;
    if reader.into_inner().bytes.is_empty() { Ok(value) } else { Err(malformed::<T>()) }
}

fn malformed<T: ?Sized>() -> Malformed {
    Malformed { expected: std::any::type_name::<T>().rsplit("::").next().unwrap_or("value") }
}

/// Bytes to decode, and how much deeper they may nest: every list, map, option and choice is one step.
struct Reader<'a> {
    bytes: &'a [u8],
    depth: usize,
}

impl<'a> cbor4ii::core::dec::Read<'a> for Reader<'a> {
    type Error = Infallible;

    fn fill<'b>(&'b mut self, want: usize) -> Result<Reference<'a, 'b>, Infallible> {
        Ok(Reference::Long(self.bytes.get(..want).unwrap_or(self.bytes)))
    }

    fn advance(&mut self, n: usize) {
        self.bytes = self.bytes.get(n..).unwrap_or_default();
    }

    fn step_in(&mut self) -> bool {
        let deeper = self.depth.checked_sub(1);
        self.depth = deeper.unwrap_or_default();
        deeper.is_some()
    }

    fn step_out(&mut self) {
        self.depth += 1;
    }
}

/// Opaque bytes: base64url without padding in JSON, a byte string in CBOR.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub Vec<u8>);

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(v: Vec<u8>) -> Self {
        Self(v)
    }
}

impl From<&[u8]> for Bytes {
    fn from(v: &[u8]) -> Self {
        Self(v.to_vec())
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            s.serialize_str(&URL_SAFE_NO_PAD.encode(&self.0))
        } else {
            s.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            let text = String::deserialize(d)?;
            URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map(Self).map_err(|_| de::Error::custom("not base64url"))
        } else {
            serde_bytes::ByteBuf::deserialize(d).map(|b| Self(b.into_vec()))
        }
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Bytes {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("base64url without padding"))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Bytes {}

/// A secret text (token, invite secret, webhook key): wiped when dropped, never printed, compared in constant time.
#[derive(Clone, Serialize, Deserialize, zeroize::ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes ownership of a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Random bytes as base64url text.
    pub fn from_random(bytes: &[u8]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The secret itself; every call is a place to look at in review.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the text: what a server stores instead of the secret.
    pub fn digest(&self) -> [u8; 32] {
        use sha2::Digest;
        sha2::Sha256::digest(self.0.as_bytes()).into()
    }
}

impl Zeroize for Secret {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq;
        self.digest().ct_eq(&other.digest()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Secret {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String).into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Secret {}
