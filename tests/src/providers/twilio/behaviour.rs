//! What can be told to a provider and its telephones beforehand.

use std::time::Duration;

/// What is wrong with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Every request is answered with this HTTP status and the provider's error code.
    Refuses {
        /// HTTP status.
        status: u16,
        /// Error code, such as 20003 (authenticate) or 30001 (queue overflow).
        code: u32,
    },
    /// A request is answered only after this; what it asks for is done then.
    Stalls(Duration),
    /// Requests are done, and the connection breaks off instead of an answer.
    AnswersNothing,
    /// Text messages are taken, never arrive, and are reported as undelivered.
    Loses {
        /// Error code, such as 30003 (switched off) or 30008 (unknown error).
        code: u32,
    },
}

/// What becomes of a text message to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Texting {
    /// It arrives and is reported as sent and delivered.
    #[default]
    Arrives,
    /// The API refuses it: 21610 (STOP), 21211 (no such number), 21614 (no mobile).
    Refused {
        /// Error code.
        code: u32,
    },
    /// The API takes it, and it is reported as undelivered.
    Undelivered {
        /// Error code, such as 30003 (switched off) or 30005 (unknown).
        code: u32,
    },
    /// The same, and the report comes before the answer to the request that it is about.
    UndeliveredAtOnce {
        /// Error code.
        code: u32,
    },
    /// It arrives, and every report comes twice.
    ReportedTwice,
    /// It arrives, and the reports come in the wrong order: delivered, then sent, then queued.
    ReportedBackwards,
    /// It arrives, and nothing is ever reported.
    NeverReported,
    /// It is reported as undelivered, and later as delivered.
    DeliveredAfterAll,
}

/// What the person does when the call asks for keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// Presses these (digits, `*`, `#`).
    Press(String),
    /// Nothing.
    Silence,
    /// Hangs up.
    HangUp,
}

impl Keys {
    /// Presses these.
    pub fn press(keys: &str) -> Self {
        Self::Press(keys.to_owned())
    }
}

/// What happens when a number is called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Answering {
    /// It rings, and nobody answers.
    #[default]
    RingsOut,
    /// The line is busy.
    Busy,
    /// The call can't be made.
    Fails {
        /// Error code; 0: none.
        code: u32,
    },
    /// The API refuses the call: 21211 (no such number), 21216 (not allowed).
    Refused {
        /// Error code.
        code: u32,
    },
    /// A voicemail box takes the call, listens to all of it, and presses nothing.
    Voicemail,
    /// A person answers and does this, one after the other, each time keys are asked for; then hangs up.
    Person(Vec<Keys>),
}
