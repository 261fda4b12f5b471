//! Puts a server together, in the process of its caller: the binary does it, and so do tests.

use crate::{
    App, Error, Result, Shared,
    app::random,
    blobs::{self, Blobs},
    bus::{self, Bus, NodeId},
    clock::{Clock, Correction},
    config::Config,
    delivery::{acks, groups::Groups, keys},
    figures,
    health::Latest,
    http,
    identity::{Identity, token_key},
    lifecycle::Stage,
    listen::{self, Tls},
    nodes::{self, Nodes, while_leading},
    operations::Operations,
    phone::Phone,
    proof::{self, Proof},
    retention, rota,
    runner::{self, Runner},
    store::{FILE, Store},
};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::Arc,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The file in the data directory that a running server keeps locked.
const LOCK: &str = "firstlight.lock";

/// A server that runs. Dropping it stops it without waiting; [`Running::shutdown`] waits.
#[derive(Debug)]
pub struct Running {
    /// Where it listens: the port that was given by the system, if the configuration said 0.
    pub addr: SocketAddr,
    /// Where it answers for its metrics, if it does.
    pub metrics: Option<SocketAddr>,
    /// Its parts.
    pub app: Shared,
    stop: Stop,
    accepting: JoinHandle<()>,
    background: TaskTracker,
    /// Given up last, when nothing works on the data any more.
    _alone: File,
}

/// Two stops, since requests that are being finished still need what runs in the background.
#[derive(Debug, Default)]
struct Stop {
    accepting: CancellationToken,
    background: CancellationToken,
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.accepting.cancel();
        self.background.cancel();
    }
}

/// Starts a server: opens the data, goes on with what was unfinished, listens.
///
/// # Errors
/// [`Error::Internal`] with a sentence for the operator where the data directory or the address can't be used.
pub async fn serve(config: Config, clock: Clock) -> Result<Running> {
    check_open_files(config.limits.connections);
    let url = config.database.url()?;
    prepare(&config.data_dir, url.is_none())?;
    let listener = TcpListener::bind(config.listen).await.map_err(|e| {
        Error::internal(format!("can't listen on {} ({e}): is another server running there?", config.listen))
    })?;
    let addr = listener.local_addr().map_err(Error::internal)?;
    let alone = lock(&config.data_dir)?;
    let (stop, background, operations) = (Stop::default(), TaskTracker::new(), Operations::default());
    let metrics = operations.listen(&config, stop.background.clone()).await?.map(|(address, serving)| {
        background.spawn(serving);
        address
    });
    let keys = config.keys_dir().to_owned();
    private(&keys)?;
    let key = token_key(&keys)?;
    let bus = Bus::new(NodeId(random()?), &key.0);
    let redis = bus::link::Servers::new(&config.redis)?;
    let store = match url {
        None => Store::open(&config.data_dir, bus.clone()).await?,
        Some(url) => Store::open_shared(&url, bus.clone()).await?,
    };
    let (correction, shared) = (Correction::default(), store.is_shared());
    let clock = match clock {
        Clock::System if shared => Clock::Corrected(correction.clone()),
        clock => clock,
    };
    let nodes = Nodes::new(&config.node.name, bus.node(), shared, correction, clock.now());
    let app = Arc::new(App {
        identity: Identity::open(&config.data_dir, key, &config.name, config.suite_ids(), &store, &bus, clock.now())
            .await?,
        runner: Runner::new(&config, &bus)?,
        phone: Phone::new(&bus),
        proof: Proof::new(&config.paging, &bus, clock.now())?,
        groups: Groups::default(),
        blobs: Blobs::open(&config, &bus)?,
        acks: acks::PendingAcks::default(),
        claims: keys::claim_limit(&bus),
        feeds: rota::Feeds::new(&bus),
        lifecycle: operations.lifecycle.clone(),
        health: Latest::default(),
        tls: Tls::open(&config.tls, clock.now())?,
        config,
        clock,
        store,
        nodes,
        bus,
    });
    background.spawn(nodes::run(app.clone(), stop.background.clone()));
    background.spawn(runner::run(app.clone(), stop.background.clone()));
    background.spawn(proof::run(app.clone(), stop.background.clone()));
    if let Some(tls) = &app.tls {
        background.spawn(Arc::clone(tls).keep(app.clock.clone(), stop.background.clone()));
    }
    let telling = |app| async move { rota::run(app, CancellationToken::new()).await };
    background.spawn(while_leading(app.clone(), stop.background.clone(), telling));
    // These may be cut off anywhere: what they had not begun to write is written by the next start or at the end.
    background.spawn(while_leading(app.clone(), stop.background.clone(), retention::run));
    background.spawn(stop.background.clone().run_until_cancelled_owned(acks::run(app.clone())));
    background.spawn(stop.background.clone().run_until_cancelled_owned(blobs::watch(app.clone())));
    background.spawn(while_leading(app.clone(), stop.background.clone(), blobs::collect::run));
    background.spawn(stop.background.clone().run_until_cancelled_owned(figures::make_up(app.clone())));
    background.spawn(stop.background.clone().run_until_cancelled_owned(Identity::follow(app.clone())));
    if let Some(servers) = redis {
        background.spawn(bus::link::run(app.bus.clone(), servers, app.clock.clone(), stop.background.clone()));
    }
    background.close();
    let (router, limits, accepting) = (http::router(app.clone()), app.config.limits.clone(), stop.accepting.clone());
    let accepting = {
        let tls = app.tls.clone();
        tokio::spawn(async move { listen::run(listener, tls, router, &limits, accepting).await })
    };
    app.lifecycle.reach(Stage::Serving);
    operations.begins(&app);
    tracing::info!(%addr, version = env!("CARGO_PKG_VERSION"), "listening");
    Ok(Running { addr, metrics, app, stop, accepting, background, _alone: alone })
}

impl Running {
    /// Looks at what may change while the server runs: its certificate.
    pub fn reload(&self) {
        match &self.app.tls {
            Some(tls) => tls.look_again(),
            None => tracing::info!("nothing to look at again: TLS is a proxy's work"),
        }
    }

    /// Tells sessions to reconnect elsewhere, accepts no more, lets requests finish, stops the background work (which
    /// first writes down what became of the pages in flight) and closes the store. What was acknowledged is durable long
    /// before.
    pub async fn shutdown(self) {
        self.app.lifecycle.drain(&self.app).await;
        self.stop.accepting.cancel();
        if self.accepting.await.is_err() {
            tracing::error!("the accept loop had failed");
        }
        self.stop.background.cancel();
        self.background.wait().await;
        if let Err(error) = acks::flush(&self.app).await {
            tracing::warn!(%error, "the last acknowledgements were not written; clients resume a little earlier");
        }
        nodes::leave(&self.app).await;
        self.app.store.close().await;
        tracing::info!("stopped");
    }
}

/// Says so if the system allows fewer open files than the configuration promises connections.
fn check_open_files(connections: usize) {
    // Some more for the database, logs and webhooks.
    let needed = connections + 64;
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let allowed: Option<usize> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    if let Some(allowed) = allowed.filter(|allowed| *allowed < needed) {
        tracing::warn!(
            allowed,
            needed,
            "raise the limit of open files (LimitNOFILE, ulimit -n), or lower limits.connections"
        );
    }
}

/// Makes the data directory and an empty database for their owner alone (SQLite gives its other files the same mode), and
/// says so if an existing directory is open to others.
fn prepare(dir: &Path, database: bool) -> Result<()> {
    private(dir)?;
    if database {
        let made = OpenOptions::new().append(true).create(true).mode(0o600).open(dir.join(FILE));
        made.map_err(|e| Error::internal(format!("the data directory {} can't be used: {e}", dir.display())))?;
    }
    Ok(())
}

/// Makes a directory for its owner alone, if it isn't there.
fn private(dir: &Path) -> Result<()> {
    let failed = |e| Error::internal(format!("the directory {} can't be used: {e}", dir.display()));
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    let mode = fs::metadata(dir).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(dir = %dir.display(), "other users of this machine can read the directory: chmod 700 it");
    }
    Ok(())
}

/// Keeps other servers away from the data directory until the file is closed, however this process ends.
///
/// A server that starts gives up the claims of the process before it (`runner`). Beside a living one it would take pages
/// out of that one's hands, and somebody would be called twice without any crash: server/dispatch/tests/model shows how.
pub(crate) fn lock(dir: &Path) -> Result<File> {
    let file =
        OpenOptions::new().append(true).create(true).mode(0o600).open(dir.join(LOCK)).map_err(Error::internal)?;
    file.try_lock().map_err(|e| {
        Error::internal(format!(
            "the data directory {} can't be locked ({e}): does another server use it?",
            dir.display()
        ))
    })?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(dir: &Path) -> Config {
        Config { data_dir: dir.join("data"), listen: ([127, 0, 0, 1], 0).into(), ..Config::default() }
    }

    #[tokio::test]
    async fn a_server_starts_stops_and_starts_again_on_the_same_data() {
        let dir = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let running = serve(config(dir.path()), Clock::System).await.unwrap();
            for file in fs::read_dir(dir.path().join("data")).unwrap() {
                let file = file.unwrap();
                let mode = file.metadata().unwrap().permissions().mode();
                assert_eq!(mode & 0o077, 0, "{:?} is readable by others", file.file_name());
            }
            running.shutdown().await;
        }
    }

    #[tokio::test]
    async fn what_stops_it_from_starting_is_said_in_a_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let running = serve(config(dir.path()), Clock::System).await.unwrap();
        let taken = Config { listen: running.addr, data_dir: dir.path().join("other"), ..Config::default() };
        let error = serve(taken, Clock::System).await.unwrap_err().to_string();
        assert!(error.contains("is another server running there?"), "{error}");
        let error = serve(config(dir.path()), Clock::System).await.unwrap_err().to_string();
        assert!(error.contains("does another server use it?"), "{error}");
        running.shutdown().await;
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let error = serve(config(&file), Clock::System).await.unwrap_err().to_string();
        assert!(error.contains("can't be used"), "{error}");
    }
}
