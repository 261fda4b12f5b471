//! Typed identifiers: 16 random bytes each, shown as a prefix and 26 characters of Crockford base32.
//!
//! A person reads them on a terminal and over the telephone, so the alphabet has no `i`, `l`, `o` or `u`, and the prefix
//! says what it names. In JSON an id is that text; in CBOR and in the database it is the 16 bytes.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Why a text or a byte string is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {expected} id: expected \"{expected}_\" and 26 characters of base32")]
pub struct InvalidId {
    /// The prefix of the kind of id that was expected.
    pub expected: &'static str,
}

fn encode(bytes: &[u8; 16]) -> String {
    let mut out = String::with_capacity(26);
    let value = u128::from_be_bytes(*bytes);
    // 26 * 5 = 130 bits: the first character carries the top 3 bits only.
    for i in (0..26).rev() {
        let index = ((value >> (i * 5)) & 31) as usize;
        out.push(char::from(ALPHABET[index]));
    }
    out
}

fn decode(text: &str) -> Option<[u8; 16]> {
    if text.len() != 26 {
        return None;
    }
    let mut value: u128 = 0;
    for (i, c) in text.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|a| *a == c.to_ascii_lowercase())? as u128;
        if i == 0 && digit > 7 {
            return None;
        }
        value = (value << 5) | digit;
    }
    Some(value.to_be_bytes())
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// The prefix of this kind of id in text.
            pub const PREFIX: &'static str = $prefix;

            /// The id's 16 bytes.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// The last six characters: enough to tell two apart on a screen, never used to look anything up.
            pub fn short(&self) -> String {
                encode(&self.0).split_off(20)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(s: &str) -> Result<Self, InvalidId> {
                s.strip_prefix($prefix)
                    .and_then(|rest| rest.strip_prefix('_'))
                    .and_then(decode)
                    .map(Self)
                    .ok_or(InvalidId { expected: $prefix })
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = InvalidId;
            fn try_from(bytes: &[u8]) -> Result<Self, InvalidId> {
                bytes.try_into().map(Self).map_err(|_| InvalidId { expected: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() { s.collect_str(self) } else { s.serialize_bytes(&self.0) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("a ", $prefix, " id"))
                    }
                    fn visit_str<E: de::Error>(self, v: &str) -> Result<$name, E> {
                        v.parse().map_err(E::custom)
                    }
                    fn visit_bytes<E: de::Error>(self, v: &[u8]) -> Result<$name, E> {
                        $name::try_from(v).map_err(E::custom)
                    }
                }
                if d.is_human_readable() { d.deserialize_str(Visitor) } else { d.deserialize_bytes(Visitor) }
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "_[0-9a-hjkmnp-tv-z]{26}$")))
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}
    };
}

typed_id!(
    /// An organisation: the host (victim services) or a partner agency.
    OrgId, "org"
);
typed_id!(
    /// A person who works for an organisation. Never a young person: those have no id on the server.
    PersonId, "per"
);
typed_id!(
    /// One device of one person, with a signature key of its own.
    DeviceId, "dev"
);
typed_id!(
    /// A room; also the MLS group id (its 16 bytes).
    RoomId, "room"
);
typed_id!(
    /// A callout. Chosen by the officer's client, so that a retry never makes a second callout.
    CalloutId, "call"
);
typed_id!(
    /// A page: one person asked to respond to one callout by one channel, once.
    PageId, "page"
);
typed_id!(
    /// An invite to enrol one device, or to found one partner organisation.
    InviteId, "inv"
);
typed_id!(
    /// A message or commit bundle, chosen by the sending client; the idempotency key of the send.
    MessageId, "msg"
);
typed_id!(
    /// A family of refresh tokens: one sign-in and all its rotations.
    SessionId, "ses"
);
typed_id!(
    /// An action on a callout, chosen by the acting client; its idempotency key.
    ActionId, "act"
);
typed_id!(
    /// A way to reach a person: the app, a webhook.
    ContactId, "con"
);
typed_id!(
    /// A calendar feed, chosen by the client that makes it.
    FeedId, "feed"
);
typed_id!(
    /// A file in a room, chosen by the client that sends it.
    AttachmentId, "att"
);
typed_id!(
    /// A readiness check: one person asked once to confirm that pages reach them.
    CheckId, "chk"
);
typed_id!(
    /// An agency's line to the duty number: what an officer without an app calls in by.
    LineId, "line"
);
typed_id!(
    /// A key with which an agency's dispatch system opens callouts. Names the key; it is not the key.
    IntakeKeyId, "ikey"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_round_trip() {
        for bytes in [[0u8; 16], [255; 16], *b"0123456789abcdef"] {
            let id = RoomId(bytes);
            assert_eq!(id.to_string().parse::<RoomId>().unwrap(), id);
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!(serde_json::from_str::<RoomId>(&json).unwrap(), id);
            let cbor = crate::wire::to_cbor(&id);
            assert_eq!(cbor.len(), 17);
            assert_eq!(crate::wire::from_cbor::<RoomId>(&cbor).unwrap(), id);
        }
    }

    #[test]
    fn another_kinds_id_is_refused() {
        let room = RoomId([7; 16]).to_string();
        assert!(room.parse::<DeviceId>().is_err());
        assert!("room_zzzzzzzzzzzzzzzzzzzzzzzzzz".parse::<RoomId>().is_err(), "130 bits do not fit");
        assert!("room_".parse::<RoomId>().is_err());
    }
}
