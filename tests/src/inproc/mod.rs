//! The server inside the test's process: real sockets, a real SQLite file in a temporary directory, and a clock that
//! stands still until the test moves it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a harness: what fails here fails the test")]

mod cast;
mod digest;
mod run;
mod shared;

pub use cast::{Cast, DUTY_NUMBER};
pub use digest::Digest;
pub use run::run;
pub use shared::{fresh_database, on_postgres};

use crate::{services::Database, world::Http};
use firstlight_protocol::{Secret, Timestamp, policy::Millis};
use firstlight_server::{
    Shared,
    clock::{Clock, ManualClock},
    config::{Config, Metrics},
    serve::{Running, serve},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;

/// A server that a test started.
#[derive(Debug)]
pub struct Server {
    config: Config,
    clock: Arc<ManualClock>,
    running: Option<Running>,
    /// The way to it, wherever it listens now.
    pub http: Arc<Http>,
    dir: TempDir,
    _database: Option<Database>,
}

impl Server {
    /// A new server with a configuration that the test changes.
    pub async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut config = Config {
            data_dir: dir.path().join("data"),
            listen: "127.0.0.1:0".parse().expect("an address"),
            name: "http://127.0.0.1:8440".into(),
            ..Config::default()
        };
        // What is pinged is only the machine's clock's business; the tests' sockets answer by themselves.
        config.limits.drain_ms = Millis::seconds(2);
        config.limits.drain_spread_ms = Millis(0);
        // Nobody is tested, and no canary flies, but in the scenarios that are about it.
        (config.proof.readiness_every_ms, config.proof.canary_every_ms) = (Millis(0), Millis(0));
        config.metrics = Metrics { enabled: true, listen: "127.0.0.1:0".parse().expect("an address") };
        change(&mut config);
        let database = shared::as_the_environment_says(&mut config, dir.path()).await;
        // openmls reads the machine's clock for the lifetime of leaves, so virtual time starts at the real one.
        let clock = ManualClock::new(Clock::System.now());
        let running = serve(config.clone(), Clock::Manual(Arc::clone(&clock))).await.expect("a server");
        let http = Arc::new(Http::new(running.addr));
        Self { config, clock, running: Some(running), http, dir, _database: database }
    }

    /// The server's parts.
    pub fn app(&self) -> &Shared {
        &self.running.as_ref().expect("a running server").app
    }

    /// The way to its operations listener: metrics, probes, draining.
    pub fn operations(&self) -> Http {
        Http::new(self.running.as_ref().and_then(|running| running.metrics).expect("an operations listener"))
    }

    /// Has it look at its certificate, as SIGHUP does.
    pub fn reload(&self) {
        self.running.as_ref().expect("a running server").reload();
    }

    /// What its clock shows.
    pub fn now(&self) -> Timestamp {
        Clock::Manual(Arc::clone(&self.clock)).now()
    }

    /// Moves its clock.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// The token with which the host is founded.
    pub fn bootstrap(&self) -> Secret {
        let file = self.config.data_dir.join("bootstrap-token");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        Secret::new(text.trim())
    }

    /// Stops the server and starts another one on the same data, while `meanwhile` passes on the clock.
    pub async fn restart(&mut self, meanwhile: Duration) {
        if let Some(running) = self.running.take() {
            running.shutdown().await;
        }
        self.clock.advance(meanwhile);
        let running = serve(self.config.clone(), Clock::Manual(Arc::clone(&self.clock))).await.expect("a server");
        self.http.moved(running.addr);
        self.running = Some(running);
    }

    /// Stops the server for good.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown().await;
        }
    }

    /// Stops the server, changes its configuration, lets an operator do something, and starts it again.
    pub async fn reconfigure(&mut self, change: impl FnOnce(&mut Config), operator: impl AsyncFnOnce(&Config)) {
        if let Some(running) = self.running.take() {
            running.shutdown().await;
        }
        change(&mut self.config);
        operator(&self.config).await;
        self.restart(Duration::ZERO).await;
    }

    /// Copies the database, as a backup does.
    pub async fn back_up(&self) -> PathBuf {
        let file = self.dir.path().join("copy.db");
        self.app().store.copy_to(&file).await.expect("a copy");
        file
    }

    /// Stops the server, puts a copy in the place of its database, and starts it again.
    pub async fn restore(&mut self, copy: &Path) {
        if let Some(running) = self.running.take() {
            running.shutdown().await;
        }
        for file in ["firstlight.db", "firstlight.db-wal", "firstlight.db-shm"] {
            let _ = std::fs::remove_file(self.config.data_dir.join(file));
        }
        std::fs::copy(copy, self.config.data_dir.join("firstlight.db")).expect("a restored copy");
        self.restart(Duration::ZERO).await;
    }

    /// What stands in the database now, to compare later.
    pub async fn digest(&self) -> Digest {
        Digest::of(self.app().store.read()).await
    }

    /// Where its files are.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}
