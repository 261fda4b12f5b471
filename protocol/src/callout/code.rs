//! Short texts of a fixed shape. What doesn't fit the shape doesn't parse, so no later code has to check again.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Why a text is not a code of the expected shape. Never quotes the text: it might be somebody's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {expected}")]
pub struct InvalidCode {
    /// The shape that was expected, in words.
    pub expected: &'static str,
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $fits:path, $expected:literal, $pattern:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidCode;
            fn try_from(text: String) -> Result<Self, InvalidCode> {
                if $fits(&text) { Ok(Self(text)) } else { Err(InvalidCode { expected: $expected }) }
            }
        }

        impl FromStr for $name {
            type Err = InvalidCode;
            fn from_str(text: &str) -> Result<Self, InvalidCode> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> String {
                code.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some($pattern))
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}
    };
}

checked_text!(
    /// A code of the organisation's own: a zone, a registered site. 1 to 24 of `a-z`, `0-9`, `-`.
    Code, is_code, "a code of 1 to 24 lower-case letters, digits and hyphens", "^[a-z0-9][a-z0-9-]{0,23}$"
);
checked_text!(
    /// A telephone number as people write it: an optional `+`, 3 to 15 digits, single spaces or hyphens between them.
    Phone, is_phone, "a telephone number of 3 to 15 digits", "^\\+?[0-9]([ -]?[0-9]){2,14}$"
);
checked_text!(
    /// A language, as the first subtags of BCP 47: `es`, `es-MX`, `zh-Hant`. Private use is not allowed: it is free text.
    Language, is_language, "a language code such as \"es\" or \"zh-Hant\"", "^[a-z]{2,3}(-[A-Za-z]{4})?(-([A-Z]{2}|[0-9]{3}))?$"
);

fn is_code(text: &str) -> bool {
    (1..=24).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
}

fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let mut count = 0;
    let mut after_digit = false;
    for b in digits.bytes() {
        match b {
            b'0'..=b'9' => {
                count += 1;
                after_digit = true;
            }
            b' ' | b'-' if after_digit => after_digit = false,
            _ => return false,
        }
        if count > 15 {
            return false;
        }
    }
    count >= 3 && after_digit
}

fn is_language(text: &str) -> bool {
    let mut parts = text.split('-').peekable();
    let primary = parts.next().unwrap_or_default();
    if !(2..=3).contains(&primary.len()) || !primary.bytes().all(|b| b.is_ascii_lowercase()) {
        return false;
    }
    parts.next_if(|script| script.len() == 4 && script.bytes().all(|b| b.is_ascii_alphabetic()));
    parts.next_if(|region| {
        (region.len() == 2 && region.bytes().all(|b| b.is_ascii_uppercase()))
            || (region.len() == 3 && region.bytes().all(|b| b.is_ascii_digit()))
    });
    parts.next().is_none()
}

impl Phone {
    /// `+` and digits alone, as networks want it (E.164); `None` without a country code.
    pub fn e164(&self) -> Option<String> {
        let rest = self.0.strip_prefix('+')?;
        Some(std::iter::once('+').chain(rest.chars().filter(char::is_ascii_digit)).collect())
    }
}

impl Language {
    /// The language without script and region: `es` for `es-MX`. Two people who share it can talk to each other.
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_kept() {
        for good in ["555-0100", "+1 213 555 0100", "911"] {
            assert!(good.parse::<Phone>().is_ok(), "{good}");
        }
        for bad in ["", "12", "+", "555--0100", "555-", "-555", "call 555", "1234567890123456", "555 0100 x"] {
            assert!(bad.parse::<Phone>().is_err(), "{bad}");
        }
        assert_eq!("+1 213-555 0100".parse::<Phone>().unwrap().e164().unwrap(), "+12135550100");
        assert_eq!("213-555 0100".parse::<Phone>().unwrap().e164(), None);
        for good in ["north", "zone-4", "7"] {
            assert!(good.parse::<Code>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "North", "12 main street", "a_b", &"x".repeat(25)] {
            assert!(bad.parse::<Code>().is_err(), "{bad}");
        }
        for good in ["en", "fil", "es-MX", "zh-Hant", "zh-Hant-TW", "es-419"] {
            assert!(good.parse::<Language>().is_ok(), "{good}");
        }
        for bad in ["", "e", "English", "en-x-anna", "en-", "x-anna", "EN", "en-mx", "en-US-Anna"] {
            assert!(bad.parse::<Language>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_text_that_does_not_fit_does_not_deserialise() {
        assert!(serde_json::from_str::<Code>("\"Not a code\"").is_err());
        let error = "Anna Example".parse::<Code>().unwrap_err().to_string();
        assert!(!error.contains("Anna"));
    }
}
