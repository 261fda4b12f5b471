//! What a telephone would have shown.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

/// One thing that the person at a telephone saw, heard or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// A text message.
    Text {
        /// The sender's number.
        from: String,
        /// What it said.
        body: String,
    },
    /// It rang.
    Rang {
        /// The caller's number.
        from: String,
    },
    /// The person, or a voicemail box, took the call.
    PickedUp {
        /// A voicemail box.
        machine: bool,
    },
    /// A voice said something.
    Heard {
        /// The voice's language.
        language: String,
        /// What it said.
        text: String,
    },
    /// The person pressed keys.
    Pressed(String),
    /// The call was over.
    HungUp,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { from, body } => write!(f, "SMS from {from}: “{body}”"),
            Self::Rang { from } => write!(f, "rings: {from}"),
            Self::PickedUp { machine: false } => f.write_str("picked up"),
            Self::PickedUp { machine: true } => f.write_str("voicemail took it"),
            Self::Heard { text, .. } => write!(f, "a voice: “{text}”"),
            Self::Pressed(keys) => write!(f, "pressed {keys}"),
            Self::HungUp => f.write_str("hung up"),
        }
    }
}

/// A telephone's history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Phone(Vec<(i64, Shown)>);

impl Phone {
    pub(super) fn add(&mut self, shown: Shown) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.0.push((i64::try_from(since.as_millis()).unwrap_or(i64::MAX), shown));
    }

    /// Everything, in order, each with its time in milliseconds since 1970.
    pub fn history(&self) -> &[(i64, Shown)] {
        &self.0
    }

    /// What came after the first so many.
    pub fn after(&self, seen: usize) -> Self {
        Self(self.0.iter().skip(seen).cloned().collect())
    }

    /// The text messages.
    pub fn texts(&self) -> Vec<&str> {
        self.0
            .iter()
            .filter_map(|(_, shown)| match shown {
                Shown::Text { body, .. } => Some(body.as_str()),
                _ => None,
            })
            .collect()
    }

    /// What voices said, all calls together.
    pub fn heard(&self) -> Vec<&str> {
        self.0
            .iter()
            .filter_map(|(_, shown)| match shown {
                Shown::Heard { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// How often it rang.
    pub fn rings(&self) -> usize {
        self.0.iter().filter(|(_, shown)| matches!(shown, Shown::Rang { .. })).count()
    }

    /// The digits of the newest text message that holds exactly this many in a row: a code to type in.
    pub fn code(&self, digits: usize) -> Option<String> {
        let of = |text: &str| {
            let numbers = text.split(|c: char| !c.is_ascii_digit());
            numbers.into_iter().find(|number| number.len() == digits).map(str::to_owned)
        };
        let said = self.0.iter().rev().filter_map(|(_, shown)| match shown {
            Shown::Text { body, .. } => Some(body.clone()),
            // A voice spells a code, one digit after the other.
            Shown::Heard { text, .. } => Some(text.replace([' ', ',', '.'], "")),
            _ => None,
        });
        said.into_iter().find_map(|text| of(&text))
    }
}
