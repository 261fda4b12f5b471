//! The server's configuration: documented defaults, then a TOML file, then the environment (`FIRSTLIGHT_…`).
//!
//! It holds no secret: keys are made by the server in [`Config::data_dir`], webhook keys come through the API, and
//! providers' tokens stand in files or in the environment.
//! Every field has a bound, checked at start, and what is wrong is said in plain sentences, all at once.
//! `deploy/firstlight-server.example.toml` shows every setting with its default; a test holds the two together.

mod attachments;
mod check;
mod cluster;
mod load;
mod paging;
mod redis;
mod tls;
mod traces;

pub use attachments::{Attachments, Place, S3};
pub(crate) use check::is_public;
pub use cluster::{Database, DatabaseKind, Node};
pub use load::{ConfigProblem, Loaded, load};
pub use paging::{Email, Paging, SmtpTls, TelephonyAccount};
pub use redis::{Redis, RedisMode};
pub use tls::Tls;
pub use traces::Traces;

use firstlight_protocol::{RoomKind, limits, mls, policy::Millis};
use serde::{Deserialize, Serialize};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// Every setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Where the database and the server's own keys are; made if it is missing, for its owner alone.
    pub data_dir: PathBuf,
    /// The database.
    pub database: Database,
    /// This node among several.
    pub node: Node,
    /// The address to listen on. Without `[tls]` a loopback or private address: a proxy does TLS.
    pub listen: SocketAddr,
    /// The address that clients use, such as `https://firstlight.example.org`. It is part of what devices sign to sign
    /// in: changing it later means that every client has to be told.
    pub name: String,
    /// Further web origins whose pages may use this server from a browser; that of `name` always may.
    pub origins: Vec<String>,
    /// The MLS ciphersuites that rooms may use, best first.
    pub suites: Vec<Suite>,
    /// How often the safety net looks for a page or timer that nothing has woken, in milliseconds.
    pub sweeper_interval_ms: Millis,
    /// TLS by the server itself.
    pub tls: Tls,
    /// What one client, and all of them together, may use.
    pub limits: Limits,
    /// How long rooms keep their log.
    pub retention: Retention,
    /// Files in rooms.
    pub attachments: Attachments,
    /// How pages leave the server.
    pub paging: Paging,
    /// How the server proves that pages would arrive.
    pub proof: Proof,
    /// How nodes that share a store wake each other.
    pub redis: Redis,
    /// What it tells Prometheus.
    pub metrics: Metrics,
    /// Where spans are sent.
    pub traces: Traces,
    /// What the server says about itself.
    pub log: Log,
}

/// An MLS ciphersuite by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suite {
    /// X-Wing: post-quantum and X25519 together (0x004F).
    Hybrid,
    /// Suite 1 of RFC 9420 (0x0001), for clients on other libraries.
    Classic,
}

/// Bounds on connections and requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Connections in all, websockets included.
    pub connections: usize,
    /// Connections from one address (IPv6: from one /64 network).
    pub connections_per_address: usize,
    /// Connections from this machine itself, where a proxy brings everybody's.
    pub connections_per_loopback: usize,
    /// A request's head has to arrive within this; an idle connection is closed after it.
    pub header_timeout_ms: Millis,
    /// A request's body has to arrive within this.
    pub body_timeout_ms: Millis,
    /// A client that takes nothing of an answer for this long is cut off.
    pub write_timeout_ms: Millis,
    /// How long requests may still take once the server was told to stop.
    pub drain_ms: Millis,
    /// Over how long websockets are closed before that, one after another.
    pub drain_spread_ms: Millis,
    /// A websocket has to present its ticket within this.
    pub hello_timeout_ms: Millis,
    /// How often a websocket is pinged; one that answers no ping until the next is closed.
    pub ping_interval_ms: Millis,
    /// Websockets of one device; the oldest makes room for a new one.
    pub sockets_per_device: usize,
}

/// Days for which things are kept (server/src/retention): a room's log after an entry was accepted, by kind of room, and
/// what else is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// Callout rooms.
    pub callout_days: u32,
    /// Advocate rooms.
    pub advocate_days: u32,
    /// Case teams.
    pub case_team_days: u32,
    /// Joint operations.
    pub operation_days: u32,
    /// An organisation's own rooms.
    pub agency_days: u32,
    /// Callouts that have ended, with their rooms; afterwards their figures alone are left.
    pub callout_record_days: u32,
    /// Drills that have ended.
    pub drill_days: u32,
    /// Invites that were used, withdrawn or ran out.
    pub invite_days: u32,
}

/// Proof that pages would arrive. The safety net behind it (`sweeper_interval_ms`) can't be turned off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// How often upcoming shifts are looked at for tests that are due; 0: never.
    pub readiness_every_ms: Millis,
    /// How often a canary flies through the whole pipeline; 0: never.
    pub canary_every_ms: Millis,
    /// Where an outside monitor is told that dispatch is alive, by a GET; empty: nowhere. Whoever knows it can keep the
    /// monitor quiet.
    pub heartbeat_url: String,
    /// How often it is told.
    pub heartbeat_every_ms: Millis,
    /// With less free space than this where the data is, the server counts as degraded, and the heartbeat stops.
    pub min_free_mib: u64,
}

/// Metrics for Prometheus, probes and draining, on an address of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metrics {
    /// Whether there are any.
    pub enabled: bool,
    /// The address to answer on: on this machine or a private network, never the public one.
    pub listen: SocketAddr,
}

/// Logs go to standard error and never hold content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// For people or for programs.
    pub format: LogFormat,
    /// What is logged, as `level` or `target=level,…`.
    pub filter: String,
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One line of text.
    Text,
    /// One JSON object per line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: "./firstlight-data".into(),
            database: Database::default(),
            node: Node::default(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8440)),
            name: "http://127.0.0.1:8440".into(),
            origins: Vec::new(),
            suites: vec![Suite::Hybrid],
            tls: Tls::default(),
            limits: Limits::default(),
            retention: Retention::default(),
            attachments: Attachments::default(),
            paging: Paging::default(),
            proof: Proof::default(),
            redis: Redis::default(),
            metrics: Metrics::default(),
            traces: Traces::default(),
            log: Log::default(),
            sweeper_interval_ms: Millis::seconds(5),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_address: 256,
            connections_per_loopback: 10_000,
            header_timeout_ms: Millis::seconds(10),
            body_timeout_ms: Millis::seconds(30),
            write_timeout_ms: Millis::seconds(30),
            drain_ms: Millis::seconds(10),
            drain_spread_ms: Millis::seconds(3),
            hello_timeout_ms: Millis::seconds(limits::HELLO_DEADLINE.as_secs()),
            ping_interval_ms: Millis::seconds(30),
            sockets_per_device: 4,
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            callout_days: 30,
            advocate_days: 90,
            case_team_days: 90,
            operation_days: 30,
            agency_days: 90,
            callout_record_days: 365,
            drill_days: 90,
            invite_days: 90,
        }
    }
}

impl Default for Proof {
    fn default() -> Self {
        Self {
            readiness_every_ms: Millis::minutes(1),
            canary_every_ms: Millis::minutes(5),
            heartbeat_url: String::new(),
            heartbeat_every_ms: Millis::minutes(1),
            min_free_mib: 256,
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self { enabled: false, listen: SocketAddr::from(([127, 0, 0, 1], 9464)) }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".into() }
    }
}

impl Config {
    /// Where the server's own keys are.
    pub fn keys_dir(&self) -> &Path {
        if self.node.keys_dir.as_os_str().is_empty() { &self.data_dir } else { &self.node.keys_dir }
    }

    /// The address at which providers reach this server.
    pub fn public_url(&self) -> &str {
        if self.paging.public_url.is_empty() { &self.name } else { &self.paging.public_url }
    }

    /// Whether a page of this origin may use the server from a browser.
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.name == origin || self.origins.iter().any(|o| o == origin)
    }

    /// The configuration as a file would say it.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// The suites' numbers, best first.
    pub fn suite_ids(&self) -> Vec<u16> {
        self.suites.iter().map(|s| s.id()).collect()
    }
}

impl Suite {
    /// The number on the wire.
    pub const fn id(self) -> u16 {
        match self {
            Self::Hybrid => mls::SUITE_HYBRID,
            Self::Classic => mls::SUITE_CLASSIC,
        }
    }
}

impl Retention {
    /// How long an entry in a room of this kind is kept.
    pub fn keep(&self, kind: RoomKind) -> Duration {
        days(match kind {
            RoomKind::Callout => self.callout_days,
            RoomKind::Advocate => self.advocate_days,
            RoomKind::CaseTeam => self.case_team_days,
            RoomKind::Operation => self.operation_days,
            RoomKind::Agency => self.agency_days,
        })
    }

    /// How long a callout is kept after its end.
    pub fn callout_record(&self) -> Duration {
        days(self.callout_record_days)
    }

    /// How long a drill is kept after its end.
    pub fn drill(&self) -> Duration {
        days(self.drill_days)
    }

    /// How long an invite is kept after its end.
    pub fn invite(&self) -> Duration {
        days(self.invite_days)
    }
}

fn days(days: u32) -> Duration {
    Duration::from_secs(u64::from(days) * 86_400)
}
