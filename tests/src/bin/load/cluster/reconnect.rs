//! Thousands of clients that lose their server in the same moment: how long until all are live again.

use super::NODES;
use crate::{
    pipe::Pipe,
    report::Report,
    setting::{Host, Town, roomy},
};
use firstlight_client::transport::Backoff;
use firstlight_protocol::Secret;
use firstlight_tests::{
    cluster::Cluster,
    world::{Http, random},
};
use futures_util::{StreamExt, stream};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Devices; each has several windows open.
const DEVICES: usize = 400;
/// After this nobody waits any more.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn measure(report: &mut Report, clients: usize) {
    let mut town = Town::of(Host::found(|_| {}).await, DEVICES).await;
    eprintln!("reconnect: {clients} clients of one server");
    let mut crowd = Crowd::gather(&town, clients).await;
    town.host.process(0).kill9();
    crowd.all_gone().await;
    town.host.process(0).restart().expect("it starts again");
    let took = crowd.all_live().await;
    report.at_most(format!("{clients} clients live again after kill -9 and start, SQLite"), took, "s", 10.0);
    let began = Instant::now();
    town.host.process(0).stop().expect("it stops well");
    town.host.process(0).restart().expect("it starts again");
    let drained = began.elapsed().as_secs_f64();
    let took = crowd.all_live().await;
    report.told("a drain, a stop and a start, SQLite", drained, "s");
    report.at_most(format!("{clients} clients live again after a drain and start, SQLite"), took, "s", 10.0);
    drop(crowd);

    let host = Host::found_on(Cluster::straight(NODES, roomy).expect("nodes")).await;
    let mut town = Town::of(host, DEVICES).await;
    eprintln!("reconnect: {clients} clients of {NODES} nodes, one of which dies");
    let mut crowd = Crowd::gather(&town, clients).await;
    town.host.process(0).kill9();
    crowd.some_gone().await;
    let took = crowd.all_live().await;
    report.at_most(format!("{clients} clients live again after one of {NODES} nodes died"), took, "s", 10.0);
}

/// Clients that want to be connected.
struct Crowd {
    clients: usize,
    live: Arc<AtomicUsize>,
    tasks: JoinSet<()>,
}

impl Crowd {
    /// So many, all connected.
    async fn gather(town: &Town, clients: usize) -> Self {
        let mut this = Self { clients, live: Arc::default(), tasks: JoinSet::new() };
        let ways = Arc::new(town.host.ways());
        let connecting = stream::iter(0..clients).map(|n| {
            let (device, ways) = (&town.devices[n % town.devices.len()], Arc::clone(&ways));
            async move {
                let client = Client { token: device.access().await.expect("signed in"), ways, at: n };
                let pipe = client.connect().await.expect("a connection");
                (client, pipe)
            }
        });
        let connected: Vec<_> = connecting.buffer_unordered(64).collect().await;
        for (client, pipe) in connected {
            let live = Arc::clone(&this.live);
            live.fetch_add(1, Ordering::SeqCst);
            this.tasks.spawn(client.stay(pipe, live));
        }
        this
    }

    async fn until(&self, enough: impl Fn(usize) -> bool) -> f64 {
        let began = Instant::now();
        while !enough(self.live.load(Ordering::SeqCst)) && began.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        began.elapsed().as_secs_f64()
    }

    async fn all_gone(&mut self) {
        self.until(|live| live == 0).await;
    }

    async fn some_gone(&mut self) {
        self.until(|live| live < self.clients).await;
    }

    /// How long until all are there, in seconds.
    async fn all_live(&mut self) -> f64 {
        self.until(|live| live == self.clients).await
    }
}

/// One of them.
struct Client {
    token: Secret,
    ways: Arc<Vec<Arc<Http>>>,
    at: usize,
}

impl Client {
    async fn connect(&self) -> Option<Pipe> {
        Pipe::try_open(&self.ways[self.at % self.ways.len()], &self.token).await
    }

    /// Stays connected, with the pauses that a real client makes.
    async fn stay(mut self, mut pipe: Pipe, live: Arc<AtomicUsize>) {
        let mut backoff = Backoff::reconnect();
        loop {
            while pipe.next().await.is_some() {}
            live.fetch_sub(1, Ordering::SeqCst);
            pipe = loop {
                tokio::time::sleep(backoff.fail(u64::from_be_bytes(random()))).await;
                if let Some(pipe) = self.connect().await {
                    break pipe;
                }
                // As a real one does, it tries the next address.
                self.at += 1;
            };
            backoff.reset();
            live.fetch_add(1, Ordering::SeqCst);
        }
    }
}
