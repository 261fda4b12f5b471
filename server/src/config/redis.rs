//! The Redis by which nodes that share a store wake each other. Its passwords stand in files or in the environment,
//! never here.

use super::{
    check::{Found, between, has_twice},
    paging::secret,
};
use crate::Result;
use axum::http::Uri;
use firstlight_protocol::Secret;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Most addresses.
const MAX_URLS: usize = 32;
/// Longest prefix.
const MAX_PREFIX: usize = 64;
/// Where its password may be instead of in a file, and the sentinels'.
const PASSWORD: &str = "FIRSTLIGHT_REDIS_PASSWORD";
const SENTINEL_PASSWORD: &str = "FIRSTLIGHT_REDIS_SENTINEL_PASSWORD";

/// How to reach Redis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Redis {
    /// Where it is: `redis://host:port`, or `rediss://host:port` for TLS, with `user@` before the host for a user of its
    /// access rules. None: one node alone, or nodes that find work by polling.
    pub urls: Vec<String>,
    /// What stands at these addresses.
    pub mode: RedisMode,
    /// The master's name at the sentinels.
    pub master: String,
    /// What the names of its channels begin with.
    pub prefix: String,
    /// The file that holds its password; empty: the environment variable `FIRSTLIGHT_REDIS_PASSWORD`, or none.
    pub password_file: PathBuf,
    /// The same for the sentinels; empty: `FIRSTLIGHT_REDIS_SENTINEL_PASSWORD`, or none.
    pub sentinel_password_file: PathBuf,
    /// The file with the certificates (PEM) that its certificate is checked by; empty: the system's.
    pub ca_file: PathBuf,
    /// The file with the certificate (PEM) that this server shows; empty: none.
    pub cert_file: PathBuf,
    /// The file with its key.
    pub key_file: PathBuf,
}

/// The ways to run Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedisMode {
    /// One server, or one address that always leads to the right one.
    Single,
    /// Sentinels, which know which server is the master.
    Sentinel,
    /// Nodes of a Redis Cluster.
    Cluster,
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            mode: RedisMode::Single,
            master: String::new(),
            prefix: "firstlight".into(),
            password_file: PathBuf::new(),
            sentinel_password_file: PathBuf::new(),
            ca_file: PathBuf::new(),
            cert_file: PathBuf::new(),
            key_file: PathBuf::new(),
        }
    }
}

/// Whether a variable holds a secret of this file's.
pub(super) fn is_secret(variable: &str) -> bool {
    [PASSWORD, SENTINEL_PASSWORD]
        .iter()
        .any(|v| v.strip_prefix("FIRSTLIGHT_").is_some_and(|v| v.eq_ignore_ascii_case(variable)))
}

/// A password that may be missing.
fn password(setting: &str, file: &Path, variable: &str) -> Result<Option<Secret>> {
    let file = Some(file.to_owned()).filter(|path| !path.as_os_str().is_empty());
    if file.is_none() && std::env::var_os(variable).is_none() {
        return Ok(None);
    }
    secret(setting, file.as_ref(), variable).map(Some)
}

impl Redis {
    /// Its password, if it has one.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn password(&self) -> Result<Option<Secret>> {
        password("redis.password_file", &self.password_file, PASSWORD)
    }

    /// The sentinels' password, if they have one.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn sentinel_password(&self) -> Result<Option<Secret>> {
        password("redis.sentinel_password_file", &self.sentinel_password_file, SENTINEL_PASSWORD)
    }

    pub(super) fn check(&self, found: &mut Found) {
        let prefix = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        between(found, "redis.prefix", self.prefix.len(), 1, MAX_PREFIX);
        if !self.prefix.chars().all(prefix) {
            found.push(("redis.prefix", "Use letters, digits, and the signs - _ . : alone.".into()));
        }
        if self.cert_file.as_os_str().is_empty() != self.key_file.as_os_str().is_empty() {
            found.push((
                "redis.cert_file",
                "A certificate and its key belong together: name both files, or none.".into(),
            ));
        }
        if self.urls.is_empty() {
            return;
        }
        self.check_urls(found);
        if self.mode == RedisMode::Sentinel && self.master.is_empty() {
            found.push(("redis.master", "Say by which name the sentinels know the master.".into()));
        }
        for (setting, password) in
            [("redis.password_file", self.password()), ("redis.sentinel_password_file", self.sentinel_password())]
        {
            if let Err(error) = password {
                found.push((setting, error.to_string()));
            }
        }
    }

    fn check_urls(&self, found: &mut Found) {
        const SETTING: &str = "redis.urls";
        if self.urls.len() > MAX_URLS || has_twice(&self.urls) {
            found.push((SETTING, format!("Name each address once, and at most {MAX_URLS}.")));
        }
        if self.mode == RedisMode::Single && self.urls.len() > 1 {
            let problem = "Servers that don't know each other don't pass messages on: name one address, or set \
                           redis.mode to \"sentinel\" or \"cluster\".";
            found.push((SETTING, problem.into()));
        }
        let mut schemes = Vec::new();
        for url in &self.urls {
            // What is wrong is never quoted: a password may be in it.
            let uri = url.parse::<Uri>().ok();
            let parts = uri.as_ref().and_then(|uri| Some((uri.scheme_str()?, uri.authority()?, uri.path())));
            match parts {
                Some(("redis" | "rediss", authority, "" | "/")) if !authority.host().is_empty() => {
                    let user = authority.as_str().rsplit_once('@').map_or("", |(user, _)| user);
                    if user.contains(':') {
                        let problem = "A password doesn't belong in an address: name its file in redis.password_file, \
                                       or set FIRSTLIGHT_REDIS_PASSWORD in the environment.";
                        found.push((SETTING, problem.into()));
                    }
                    schemes.extend(uri.as_ref().and_then(|uri| uri.scheme_str()).map(str::to_owned));
                }
                _ => found.push((SETTING, "Each address is like redis://host:6379 or rediss://host:6379.".into())),
            }
        }
        schemes.dedup();
        if schemes.len() > 1 {
            found.push((SETTING, "Some addresses use TLS (rediss://) and some don't: use it for all.".into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn problems(change: impl FnOnce(&mut Redis)) -> Vec<String> {
        let mut redis = Redis { urls: vec!["redis://127.0.0.1:6379".into()], ..Redis::default() };
        change(&mut redis);
        let mut found = Found::new();
        redis.check(&mut found);
        found.into_iter().map(|(setting, problem)| format!("{setting}: {problem}")).collect()
    }

    #[test]
    fn each_bad_value_has_its_sentence() {
        assert_eq!(problems(|_| {}), [""; 0]);
        for good in ["rediss://redis.example.org", "redis://bus@redis.internal:6380/", "redis://[::1]:6379"] {
            assert_eq!(problems(|r| r.urls = vec![good.into()]), [""; 0], "{good}");
        }
        let two = || vec!["redis://a:1".to_owned(), "redis://b:1".into()];
        for (told, words) in [
            (problems(|r| r.urls = vec!["http://a".into()]), "is like redis://"),
            (problems(|r| r.urls = vec!["redis://a/0".into()]), "is like redis://"),
            (problems(|r| r.urls = vec!["redis://u:canary@a".into()]), "A password doesn't belong"),
            (problems(|r| r.urls = vec!["redis://:canary@a".into()]), "A password doesn't belong"),
            (problems(|r| r.urls = two()), "name one address"),
            (problems(|r| (r.urls, r.mode) = (two(), RedisMode::Sentinel)), "redis.master"),
            (
                problems(|r| (r.urls, r.mode) = (vec!["redis://a".into(), "rediss://b".into()], RedisMode::Cluster)),
                "some don't",
            ),
            (problems(|r| r.prefix = "a b".into()), "redis.prefix"),
            (problems(|r| r.prefix = String::new()), "redis.prefix"),
            (problems(|r| r.cert_file = "x".into()), "both files"),
            (problems(|r| r.password_file = "/nonexistent/password".into()), "can't be read"),
        ] {
            assert!(matches!(told.as_slice(), [one] if one.contains(words)), "{words}: {told:?}");
            assert!(!told[0].contains("canary"));
        }
    }
}
