//! What a channel says of one try, and of itself.

use super::circuit::Circuit;
use firstlight_protocol::callout::FailReason;
use serde::{Deserialize, Serialize};

/// One try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The account or service that was asked, by the operator's name for it.
    pub vendor: String,
    /// Its own id for what it took.
    pub reference: Option<String>,
    /// How it went.
    pub outcome: Outcome,
    /// The provider's code, for the supervisor. Never words of its answer.
    pub detail: Option<String>,
}

/// How a try went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The provider took it.
    Taken,
    /// There is nowhere to send it: the contact method was removed, or the operator does not allow its address.
    NotConfigured,
    /// Too many pages wait for the same receiver, or it was tried too often; this time it was not.
    GivenUp,
    /// The provider did not take it.
    Failed {
        /// Why.
        reason: FailReason,
        /// Whether it may have arrived all the same.
        uncertain: bool,
        /// What would help.
        again: Again,
    },
}

/// What would help after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Nothing: the number or address itself is the reason.
    Never,
    /// The same after a while.
    Later,
    /// Another provider, now.
    OtherVendor,
}

impl Sent {
    /// Without a reference.
    pub fn new(vendor: impl Into<String>, outcome: Outcome) -> Self {
        Self { vendor: vendor.into(), reference: None, outcome, detail: None }
    }

    /// A failure that another try later may mend.
    pub fn failed(vendor: impl Into<String>, reason: FailReason, uncertain: bool) -> Self {
        Self::new(vendor, Outcome::Failed { reason, uncertain, again: Again::Later })
    }

    /// A failure of the number or address itself.
    pub fn broken(vendor: impl Into<String>, reason: FailReason) -> Self {
        Self::new(vendor, Outcome::Failed { reason, uncertain: false, again: Again::Never })
    }

    /// The same with the provider's code.
    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// What an HTTP request came to: 2xx is taken, everything else is not.
    pub fn of_http(vendor: &str, answer: &Result<reqwest::Response, reqwest::Error>) -> Self {
        match answer {
            Ok(answer) if answer.status().is_success() => Self::new(vendor, Outcome::Taken),
            // A gateway in front of the receiver answers 5xx for a page that it has passed on, too.
            Ok(answer) => Self::failed(vendor, FailReason::Rejected, answer.status().is_server_error())
                .because(format!("HTTP {}", answer.status().as_u16())),
            Err(error) if error.is_connect() => Self::failed(vendor, FailReason::Unreachable, false),
            Err(error) if error.is_timeout() => Self::failed(vendor, FailReason::Timeout, true),
            Err(_) => Self::failed(vendor, FailReason::Unreachable, true),
        }
    }
}

/// How a provider does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProviderHealth {
    /// The operator's name for it.
    pub provider: String,
    /// `ok`, or `open`: its last tries failed, and others are used before it.
    pub circuit: String,
    /// Failures in a row.
    pub failures: u32,
}

impl ProviderHealth {
    /// As its circuit says.
    pub fn of(provider: &str, circuit: &Circuit) -> Self {
        let word = if circuit.is_open() { "open" } else { "ok" };
        Self { provider: provider.into(), circuit: word.into(), failures: circuit.failures() }
    }
}
