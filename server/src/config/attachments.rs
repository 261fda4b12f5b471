//! Where attachments lie, and how much of them there may be.

use super::{
    DatabaseKind,
    check::{Found, between},
    paging::secret,
};
use crate::Result;
use axum::http::Uri;
use firstlight_protocol::{Secret, limits::MAX_ATTACHMENT};
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, path::PathBuf};

/// Attachments: where their sealed chunks lie, and how much of them there may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attachments {
    /// What kind of place they lie in.
    pub place: Place,
    /// The folder; empty: `attachments` in the data directory. Made if it is missing, for its owner alone.
    pub folder: PathBuf,
    /// With a shared database: says that every node finds the same files in the folder, by a file system that they share or
    /// because there is one node alone. Nobody can find that out from one node; unsaid, the server does not start.
    pub folder_shared: bool,
    /// Largest attachment, in MiB; 0: none.
    pub max_mib: u64,
    /// All attachments of one room together, in MiB.
    pub room_mib: u64,
    /// What one device may send in 24 hours, in MiB.
    pub device_daily_mib: u64,
    /// The bucket, where the place is one.
    pub s3: S3,
}

/// A kind of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A folder of this machine.
    Folder,
    /// A bucket of its own at a service that speaks S3: what several nodes need.
    S3,
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct S3 {
    /// Its name.
    pub bucket: String,
    /// The service's address, such as `https://s3.example.org`; empty: that of AWS in the region.
    pub endpoint: String,
    /// The region.
    pub region: String,
    /// Whether the bucket stands in the path of a request, not in the host's name.
    pub path_style: bool,
    /// The id of the access key.
    pub key_id: String,
    /// The file that holds the secret access key; empty: the environment variable `FIRSTLIGHT_ATTACHMENTS_SECRET` does.
    pub secret_file: PathBuf,
    /// Whether the endpoint may be http: only at this machine or at a private address.
    pub allow_http: bool,
}

impl Default for Attachments {
    fn default() -> Self {
        Self {
            place: Place::Folder,
            folder: PathBuf::new(),
            folder_shared: false,
            max_mib: MAX_ATTACHMENT >> 20,
            room_mib: 4_096,
            device_daily_mib: 2_048,
            s3: S3::default(),
        }
    }
}

impl Default for S3 {
    fn default() -> Self {
        Self {
            bucket: String::new(),
            endpoint: String::new(),
            region: "us-east-1".into(),
            path_style: true,
            key_id: String::new(),
            secret_file: PathBuf::new(),
            allow_http: false,
        }
    }
}

impl S3 {
    /// The secret access key.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn secret(&self) -> Result<Secret> {
        let file = Some(&self.secret_file).filter(|path| !path.as_os_str().is_empty());
        secret("attachments.s3.secret_file", file, "FIRSTLIGHT_ATTACHMENTS_SECRET")
    }

    fn check(&self, found: &mut Found) {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        if !(3..=63).contains(&self.bucket.len()) || !self.bucket.chars().all(plain) {
            let problem = "Name the bucket: 3 to 63 lower-case letters, digits, dots and hyphens.";
            found.push(("attachments.s3.bucket", problem.into()));
        }
        if let Err(problem) = self.check_endpoint() {
            found.push(("attachments.s3.endpoint", problem.into()));
        }
        if self.region.is_empty() {
            found.push(("attachments.s3.region", "Name the region; a service without any takes us-east-1.".into()));
        }
        if self.key_id.is_empty() {
            found.push(("attachments.s3.key_id", "Name the id of the access key.".into()));
        }
        if let Err(error) = self.secret() {
            found.push(("attachments.s3.secret_file", error.to_string()));
        }
    }

    /// What lies there is sealed, but who may write there is told by the requests' signatures.
    fn check_endpoint(&self) -> Result<(), &'static str> {
        const FORM: &str = "Write the service's address like https://s3.example.org, without the bucket.";
        if self.endpoint.is_empty() {
            return Ok(());
        }
        let uri: Uri = self.endpoint.parse().map_err(|_| FORM)?;
        let host = uri.host().ok_or(FORM)?;
        match uri.scheme_str() {
            Some("https") => Ok(()),
            Some("http") if self.allow_http && is_near(host) => Ok(()),
            Some("http") => {
                Err("Use https; http only with allow_http = true, at this machine or at a private address.")
            }
            _ => Err(FORM),
        }
    }
}

/// This machine, or an address that no public network leads to.
fn is_near(host: &str) -> bool {
    host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| match ip {
            IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
            IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local(),
        })
}

impl Attachments {
    pub(super) fn check(&self, database: DatabaseKind, found: &mut Found) {
        let unsaid = self.place == Place::Folder && !self.folder_shared && self.max_mib > 0;
        if unsaid && database == DatabaseKind::Postgres {
            let problem = "Several nodes can share this database, and a file that one of them takes is missing on the others if \
                           each has a folder of its own: use place = \"s3\"; or set this, if all nodes see the same folder \
                           or there is one node alone; or set max_mib = 0, for no attachments.";
            found.push(("attachments.folder_shared", problem.into()));
        }
        between(found, "attachments.max_mib", self.max_mib, 0, MAX_ATTACHMENT >> 20);
        between(found, "attachments.room_mib", self.room_mib, 1, 1 << 30);
        between(found, "attachments.device_daily_mib", self.device_daily_mib, 1, 1 << 30);
        if self.place == Place::S3 {
            self.s3.check(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(change: impl FnOnce(&mut S3)) -> Vec<&'static str> {
        let dir = tempfile::tempdir().unwrap();
        let secret_file = dir.path().join("secret");
        std::fs::write(&secret_file, "canary-secret\n").unwrap();
        let mut s3 = S3 { bucket: "firstlight-attachments".into(), key_id: "id".into(), secret_file, ..S3::default() };
        assert_eq!(s3.secret().unwrap().reveal(), "canary-secret");
        change(&mut s3);
        let mut found = Found::new();
        Attachments { place: Place::S3, s3, ..Attachments::default() }.check(DatabaseKind::Postgres, &mut found);
        found.into_iter().map(|(setting, _)| setting).collect()
    }

    #[test]
    fn a_folder_beside_a_shared_database_is_said_to_be_shared() {
        let refused = |database, change: fn(&mut Attachments)| {
            let (mut found, mut attachments) = (Found::new(), Attachments::default());
            change(&mut attachments);
            attachments.check(database, &mut found);
            found.into_iter().map(|(setting, _)| setting).collect::<Vec<_>>()
        };
        assert_eq!(refused(DatabaseKind::Postgres, |_| {}), ["attachments.folder_shared"]);
        assert_eq!(refused(DatabaseKind::Postgres, |a| a.folder_shared = true), [""; 0]);
        assert_eq!(refused(DatabaseKind::Postgres, |a| a.max_mib = 0), [""; 0]);
        assert_eq!(refused(DatabaseKind::Sqlite, |_| {}), [""; 0]);
    }

    #[test]
    fn a_bucket_is_whole_and_reached_in_the_clear_only_nearby() {
        assert_eq!(problems(|_| {}), [""; 0]);
        assert_eq!(problems(|s3| s3.bucket = "Bucket/x".into()), ["attachments.s3.bucket"]);
        assert_eq!(problems(|s3| s3.key_id.clear()), ["attachments.s3.key_id"]);
        assert_eq!(problems(|s3| s3.secret_file = "/nonexistent".into()), ["attachments.s3.secret_file"]);
        for (endpoint, allow_http, fine) in [
            ("https://s3.example.org", false, true),
            ("http://127.0.0.1:9000", true, true),
            ("http://10.0.0.9", true, true),
            ("http://127.0.0.1:9000", false, false),
            ("http://s3.example.org", true, false),
            ("s3.example.org", true, false),
        ] {
            let found = problems(|s3| (s3.endpoint, s3.allow_http) = (endpoint.into(), allow_http));
            assert_eq!(found.is_empty(), fine, "{endpoint}: {found:?}");
        }
    }
}
