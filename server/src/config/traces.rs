//! Where spans are sent.

use super::check::{Found, between};
use crate::{Result, config::paging::secret_in};
use axum::http::Uri;
use firstlight_protocol::Secret;
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, path::PathBuf};

/// OpenTelemetry traces: off unless there is an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Traces {
    /// The collector's whole address, such as `https://collector.example.org:4318/v1/traces`; empty: no traces.
    pub endpoint: String,
    /// One of so many requests is traced.
    pub one_in: u32,
    /// A file with what the collector wants as `authorization` header; empty: nothing.
    pub authorization_file: PathBuf,
}

impl Default for Traces {
    fn default() -> Self {
        Self { endpoint: String::new(), one_in: 100, authorization_file: PathBuf::new() }
    }
}

impl Traces {
    /// Whether there are any.
    pub fn is_on(&self) -> bool {
        !self.endpoint.is_empty()
    }

    /// What the collector wants to see.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub(crate) fn authorization(&self) -> Result<Option<Secret>> {
        let file = Some(&self.authorization_file).filter(|path| !path.as_os_str().is_empty());
        file.map(|file| secret_in("traces.authorization_file", file)).transpose()
    }

    pub(super) fn check(&self, found: &mut Found) {
        between(found, "traces.one_in", self.one_in, 1, 1_000_000);
        if !self.is_on() {
            return;
        }
        if !is_collector(&self.endpoint) {
            let problem = "Write the collector's whole address, such as https://collector.example.org:4318/v1/traces; \
                           http is for this machine, private addresses and names without a dot.";
            found.push(("traces.endpoint", problem.into()));
        }
        if let Err(error) = self.authorization() {
            found.push(("traces.authorization_file", error.to_string()));
        }
    }
}

/// Spans tell who works how fast, so they cross no open network in the clear.
fn is_collector(endpoint: &str) -> bool {
    let Ok(uri) = endpoint.parse::<Uri>() else { return false };
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else { return false };
    let near = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(ip) => !super::is_public(ip),
        Err(_) => !host.contains('.'),
    };
    let plain = !endpoint.contains('@') && uri.query().is_none();
    plain && (scheme == "https" || scheme == "http" && near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_cross_no_open_network_in_the_clear() {
        for good in ["https://c.example.org/v1/traces", "http://127.0.0.1:4318/v1/traces", "http://collector:4318/x"] {
            assert!(is_collector(good), "{good}");
        }
        for bad in [
            "",
            "collector",
            "http://c.example.org/v1/traces",
            "https://u:p@c.example.org/",
            "ftp://c/",
            "http://8.8.8.8/",
        ] {
            assert!(!is_collector(bad), "{bad}");
        }
    }
}
