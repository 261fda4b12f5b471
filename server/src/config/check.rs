//! The bounds of each setting, and what settings mean for each other.

use super::Config;
use crate::paging::Allowed;
use axum::http::Uri;
use firstlight_protocol::limits::HELLO_DEADLINE;
use std::{collections::HashSet, fmt::Display, net::IpAddr};

/// Longest list of origins or hosts.
const MAX_LIST: usize = 64;
/// A hundred years: beyond it a number is a mistake.
const MAX_DAYS: u32 = 36_500;
/// Reviews, and requests that somebody's telephone still repeats, are over by then.
const LEAST_RECORD_DAYS: u32 = 30;

pub(super) type Found = Vec<(&'static str, String)>;

impl Config {
    /// Everything that is wrong: the setting, and a sentence that says what to do.
    pub(super) fn check(&self) -> Found {
        let mut found = Found::new();
        self.check_numbers(&mut found);
        self.check_places(&mut found);
        self.tls.check(self, &mut found);
        self.traces.check(&mut found);
        if self.suites.is_empty() {
            found.push((
                "suites",
                "Without a ciphersuite no room can exist: name \"hybrid\", \"classic\" or both.".into(),
            ));
        }
        if has_twice(&self.suites.iter().map(|s| s.id()).collect::<Vec<_>>()) {
            found.push(("suites", "A ciphersuite is named twice: name each once, the best first.".into()));
        }
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.log.filter) {
            found.push(("log.filter", format!("This is no log filter ({error}): write for instance \"info\".")));
        }
        found
    }

    fn check_numbers(&self, found: &mut Found) {
        let l = &self.limits;
        let hello = HELLO_DEADLINE.as_millis() as u64;
        between(found, "limits.connections", l.connections, 1, 1_000_000);
        between(found, "limits.connections_per_address", l.connections_per_address, 1, 1_000_000);
        between(found, "limits.connections_per_loopback", l.connections_per_loopback, 1, 1_000_000);
        between(found, "limits.sockets_per_device", l.sockets_per_device, 1, 64);
        between(found, "limits.header_timeout_ms", l.header_timeout_ms.0, 100, 120_000);
        between(found, "limits.body_timeout_ms", l.body_timeout_ms.0, 100, 600_000);
        between(found, "limits.write_timeout_ms", l.write_timeout_ms.0, 100, 600_000);
        between(found, "limits.drain_ms", l.drain_ms.0, 0, 300_000);
        between(found, "limits.drain_spread_ms", l.drain_spread_ms.0, 0, 60_000);
        between(found, "limits.hello_timeout_ms", l.hello_timeout_ms.0, 100, hello);
        between(found, "limits.ping_interval_ms", l.ping_interval_ms.0, 1_000, 300_000);
        between(found, "sweeper_interval_ms", self.sweeper_interval_ms.0, 100, 5_000);
        self.check_proof(found);
        self.database.check(found);
        self.node.check(found);
        self.paging.check(found);
        self.redis.check(found);
        self.attachments.check(self.database.kind, found);
        let r = &self.retention;
        between(found, "retention.callout_days", r.callout_days, 1, MAX_DAYS);
        between(found, "retention.advocate_days", r.advocate_days, 1, MAX_DAYS);
        between(found, "retention.case_team_days", r.case_team_days, 1, MAX_DAYS);
        between(found, "retention.operation_days", r.operation_days, 1, MAX_DAYS);
        between(found, "retention.agency_days", r.agency_days, 1, MAX_DAYS);
        between(found, "retention.callout_record_days", r.callout_record_days, LEAST_RECORD_DAYS, MAX_DAYS);
        between(found, "retention.drill_days", r.drill_days, LEAST_RECORD_DAYS, MAX_DAYS);
        between(found, "retention.invite_days", r.invite_days, 1, MAX_DAYS);
        if l.connections_per_address > l.connections {
            let problem = format!(
                "One address could use up all {} connections (limits.connections): give it fewer, or raise the total.",
                l.connections
            );
            found.push(("limits.connections_per_address", problem));
        }
    }

    fn check_proof(&self, found: &mut Found) {
        let p = &self.proof;
        for (setting, value) in
            [("proof.readiness_every_ms", p.readiness_every_ms.0), ("proof.canary_every_ms", p.canary_every_ms.0)]
        {
            if value > 0 {
                between(found, setting, value, 1_000, 3_600_000);
            }
        }
        between(found, "proof.heartbeat_every_ms", p.heartbeat_every_ms.0, 1_000, 3_600_000);
        if !p.heartbeat_url.is_empty() && Allowed::new(&self.paging.webhook_allow).check(&p.heartbeat_url).is_none() {
            let problem = "Write an https address at a public host, or allow its host in paging.webhook_allow.";
            found.push(("proof.heartbeat_url", problem.into()));
        }
        if !p.heartbeat_url.is_empty() && p.canary_every_ms.0 == 0 {
            let problem = "Without a canary nothing shows that pages go out: set proof.canary_every_ms too.";
            found.push(("proof.heartbeat_url", problem.into()));
        }
    }

    fn check_places(&self, found: &mut Found) {
        if self.data_dir.as_os_str().is_empty() {
            found.push(("data_dir", "Say in which folder the database shall be.".into()));
        } else if self.data_dir.exists() && !self.data_dir.is_dir() {
            found.push(("data_dir", "This is a file, but a folder is needed: name another place.".into()));
        }
        let metrics = self.metrics.listen;
        if self.metrics.enabled && metrics == self.listen && metrics.port() != 0 {
            found.push(("metrics.listen", "This is the address of the server itself: name another port.".into()));
        }
        if self.metrics.enabled && is_public(metrics.ip()) {
            let problem =
                "Metrics tell anybody how the night goes: name an address of this machine or a private network.";
            found.push(("metrics.listen", problem.into()));
        }
        if let Err(problem) = is_origin(&self.name) {
            found.push(("name", problem));
        }
        if self.origins.len() > MAX_LIST || has_twice(&self.origins) {
            found.push(("origins", format!("Name each origin once, and at most {MAX_LIST}.")));
        }
        for text in &self.origins {
            if let Err(problem) = is_origin(text) {
                found.push(("origins", problem));
            }
        }
    }
}

pub(super) fn between<T: PartialOrd + Display>(found: &mut Found, setting: &'static str, value: T, least: T, most: T) {
    if value < least || value > most {
        found.push((setting, format!("{value} is not possible: choose between {least} and {most}.")));
    }
}

pub(super) fn has_twice<T: Eq + std::hash::Hash>(values: &[T]) -> bool {
    values.iter().collect::<HashSet<_>>().len() != values.len()
}

/// Reachable from everywhere; 0.0.0.0 is not, for it may be a container's.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified()),
        IpAddr::V6(ip) => {
            !(ip.is_unique_local() || ip.is_loopback() || ip.is_unicast_link_local() || ip.is_unspecified())
        }
    }
}

/// A web origin: scheme, host and port, nothing else; https unless it is this machine itself.
pub(super) fn is_origin(text: &str) -> Result<(), String> {
    let form = || "This must be like https://firstlight.example.org: scheme and host alone, no path, no *.".to_owned();
    let uri: Uri = text.parse().map_err(|_| form())?;
    let (Some(scheme), Some(authority), Some(host)) = (uri.scheme_str(), uri.authority(), uri.host()) else {
        return Err(form());
    };
    if host.contains('*') || authority.as_str().contains('@') || text != format!("{scheme}://{authority}") {
        return Err(form());
    }
    let loopback =
        host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match scheme {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        "http" => Err("Tokens would cross the network in the clear: put a TLS proxy in front and write https.".into()),
        _ => Err(form()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Suite;
    use firstlight_protocol::policy::Millis;

    /// Changes the defaults and gives the problems that this makes.
    fn found(change: impl FnOnce(&mut Config)) -> Found {
        let mut config = Config::default();
        change(&mut config);
        config.check()
    }

    #[track_caller]
    fn only(change: impl FnOnce(&mut Config), setting: &str, words: &str) {
        match found(change).as_slice() {
            [(s, problem)] if *s == setting && problem.contains(words) => {}
            other => panic!("{setting}, {words}: {other:?}"),
        }
    }

    #[test]
    fn each_bad_value_has_its_sentence() {
        assert!(found(|_| {}).is_empty());
        only(|c| c.limits.connections_per_loopback = 0, "limits.connections_per_loopback", "0 is not possible");
        only(|c| c.limits.header_timeout_ms = Millis(0), "limits.header_timeout_ms", "between 100 and 120000");
        only(|c| c.limits.body_timeout_ms = Millis(u64::MAX), "limits.body_timeout_ms", "between");
        only(|c| c.limits.hello_timeout_ms = Millis(5_001), "limits.hello_timeout_ms", "between 100 and 5000");
        only(|c| c.limits.sockets_per_device = 65, "limits.sockets_per_device", "between 1 and 64");
        only(|c| c.limits.connections = 100, "limits.connections_per_address", "all 100 connections");
        only(|c| c.sweeper_interval_ms = Millis(1), "sweeper_interval_ms", "between");
        only(|c| c.sweeper_interval_ms = Millis(0), "sweeper_interval_ms", "between 100 and 5000");
        only(|c| c.sweeper_interval_ms = Millis(5_001), "sweeper_interval_ms", "between 100 and 5000");
        only(|c| c.proof.canary_every_ms = Millis(1), "proof.canary_every_ms", "between");
        only(|c| c.proof.heartbeat_every_ms = Millis(0), "proof.heartbeat_every_ms", "between");
        only(|c| c.proof.heartbeat_url = "https://10.0.0.1/x".into(), "proof.heartbeat_url", "public host");
        let silent = |c: &mut Config| {
            (c.proof.canary_every_ms, c.proof.heartbeat_url) = (Millis(0), "https://monitor.example.org/x".into());
        };
        only(silent, "proof.heartbeat_url", "Without a canary");
        only(|c| c.retention.agency_days = 0, "retention.agency_days", "between 1 and");
        only(|c| c.retention.callout_record_days = 29, "retention.callout_record_days", "between 30 and");
        only(|c| c.paging.webhook_timeout_ms = Millis(60_001), "paging.webhook_timeout_ms", "between");
        only(|c| c.paging.webhook_allow = vec!["http://x".into()], "paging.webhook_allow", "host alone");
        only(|c| c.suites.clear(), "suites", "no room can exist");
        only(|c| c.suites = vec![Suite::Hybrid, Suite::Hybrid], "suites", "twice");
        only(|c| c.log.filter = "info=noise=1".into(), "log.filter", "no log filter");
        let metrics = |listen: &str| super::super::Metrics { enabled: true, listen: listen.parse().unwrap() };
        only(|c| c.metrics = metrics("127.0.0.1:8440"), "metrics.listen", "another port");
        only(|c| c.metrics = metrics("203.0.113.7:9464"), "metrics.listen", "private network");
        assert!(found(|c| c.metrics = metrics("10.0.0.7:9464")).is_empty());
        only(|c| c.tls.reload_every_ms = Millis(1), "tls.reload_every_ms", "between");
        let (https, missing) = ("https://duty.example.org", "/nonexistent/tls.pem");
        let half = |c: &mut Config| (c.name, c.tls.certificate_file) = (https.into(), missing.into());
        only(half, "tls.key_file", "private key");
        let other_half = |c: &mut Config| (c.name, c.tls.key_file) = (https.into(), missing.into());
        only(other_half, "tls.certificate_file", "key's certificate");
        let both = |c: &mut Config| {
            half(c);
            c.tls.key_file = missing.into();
        };
        only(both, "tls.certificate_file", "/nonexistent/tls.pem can't be read");
        assert_eq!(found(|c| (both(c), c.name = "http://127.0.0.1:1".into()).0).len(), 2, "and the name is plain");
        only(|c| c.traces.one_in = 0, "traces.one_in", "between 1 and");
        only(|c| c.traces.endpoint = "http://c.example.org".into(), "traces.endpoint", "whole address");
        let secret = |c: &mut Config| {
            (c.traces.endpoint, c.traces.authorization_file) =
                ("http://c:4318/v1/traces".into(), "/nonexistent".into());
        };
        only(secret, "traces.authorization_file", "/nonexistent can't be read");
        only(|c| c.data_dir = "".into(), "data_dir", "in which folder");
        only(|c| c.data_dir = "/dev/null".into(), "data_dir", "This is a file");
    }

    #[test]
    fn names_and_origins_are_https_or_this_machine() {
        for good in
            ["https://firstlight.example.org", "https://a.example:8443", "http://localhost:1", "http://[::1]:80"]
        {
            assert!(found(|c| c.name = good.into()).is_empty(), "{good}");
        }
        only(|c| c.name = "http://firstlight.example.org".into(), "name", "in the clear");
        let bad = [
            "",
            "*",
            "https://",
            "https://*.example.org",
            "https://a/",
            "https://a/b",
            "https://u@a",
            "ftp://a",
            "a.b",
        ];
        for bad in bad {
            only(|c| c.name = bad.into(), "name", "This must be like");
            only(|c| c.origins = vec![bad.into()], "origins", "This must be like");
        }
    }

    #[test]
    fn only_named_origins_are_allowed() {
        let config = Config { origins: vec!["https://app.example.org".into()], ..Config::default() };
        assert!(config.allows_origin("https://app.example.org"));
        assert!(config.allows_origin(&config.name));
        assert!(!config.allows_origin("https://app.example.org.evil.example"));
        assert!(!config.allows_origin("null"));
    }
}
