//! Real servers of Redis for one test each: on ports of their own, with nothing on disk but in a directory that goes.

use crate::{
    bus::{
        Bus, LinkState, NodeId,
        link::{self, Servers},
    },
    clock::Clock,
    config::Redis,
};
use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A running `redis-server`.
pub(in crate::bus) struct Server {
    pub(in crate::bus) port: u16,
    child: Child,
    dir: TempDir,
    arguments: Vec<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody has now.
pub(in crate::bus) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    /// Starts one with further arguments.
    pub(in crate::bus) async fn start(arguments: &[&str]) -> Self {
        Self::start_on(free_port(), arguments).await
    }

    pub(in crate::bus) async fn start_on(port: u16, arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port_text = port.to_string();
        let given = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"].iter().chain(arguments);
        let mut all: Vec<String> = given.map(|a| (*a).to_owned()).collect();
        if !arguments.contains(&"--tls-port") {
            all.extend(["--port".to_owned(), port_text]);
        }
        Self::run(port, dir, all).await
    }

    /// A sentinel of the master at this port.
    pub(in crate::bus) async fn sentinel(master: u16) -> Self {
        let (port, dir) = (free_port(), tempfile::tempdir().unwrap());
        let file = dir.path().join("sentinel.conf");
        let lines = format!(
            "bind 127.0.0.1\nport {port}\nsentinel monitor night 127.0.0.1 {master} 1\n\
             sentinel down-after-milliseconds night 300\nsentinel failover-timeout night 2000\n"
        );
        std::fs::write(&file, lines).unwrap();
        Self::run(port, dir, vec![file.display().to_string(), "--sentinel".into()]).await
    }

    async fn run(port: u16, dir: TempDir, arguments: Vec<String>) -> Self {
        let child = spawn(dir.path(), &arguments);
        let server = Self { port, child, dir, arguments };
        server.answers().await;
        server
    }

    async fn answers(&self) {
        eventually("redis-server answers", || std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok()).await;
    }

    /// Its end comes without warning.
    pub(in crate::bus) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// It is back on the same port.
    pub(in crate::bus) async fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.dir.path(), &self.arguments);
        self.answers().await;
    }

    /// Stops it from doing anything, or lets it go on: its connections stay open.
    pub(in crate::bus) fn freeze(&self, frozen: bool) {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        let status = Command::new("kill").arg(signal).arg(self.child.id().to_string()).status();
        assert!(status.unwrap().success());
    }

    pub(in crate::bus) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(in crate::bus) fn config(&self) -> Redis {
        Redis { urls: vec![self.url()], ..Redis::default() }
    }

    /// Asks it something.
    pub(in crate::bus) async fn ask<T: ::redis::FromRedisValue>(&self, words: &str) -> T {
        let client = ::redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut words = words.split(' ');
        let mut command = ::redis::cmd(words.next().unwrap());
        words.for_each(|word| {
            command.arg(word);
        });
        command.query_async(&mut connection).await.unwrap()
    }
}

fn spawn(dir: &Path, arguments: &[String]) -> Child {
    let mut command = Command::new("redis-server");
    command.args(arguments).arg("--dir").arg(dir).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("redis-server can be started: apt-get install redis-server")
}

/// A bus with a link, until it is dropped.
pub(in crate::bus) struct Node {
    pub(in crate::bus) bus: Bus,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<()>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Node {
    /// A node whose number is its id; all have one key.
    pub(in crate::bus) fn start(number: u8, config: &Redis) -> Self {
        let bus = Bus::new(NodeId([number; 16]), &[7; 32]);
        let servers = Servers::new(config).unwrap().unwrap();
        let stop = CancellationToken::new();
        let running = tokio::spawn(link::run(bus.clone(), servers, Clock::System, stop.clone()));
        Self { bus, stop, running }
    }

    /// Waits until it is connected.
    pub(in crate::bus) async fn connected(self) -> Self {
        self.is(true).await;
        self
    }

    /// Waits until it is connected, or is not.
    pub(in crate::bus) async fn is(&self, connected: bool) {
        self.reaches(|state| (*state == LinkState::Connected) == connected).await;
    }

    /// Waits until it says why it is not connected.
    pub(in crate::bus) async fn refused(&self) {
        self.reaches(|state| matches!(state, LinkState::Polling { why, .. } if !why.is_empty())).await;
    }

    /// Why it is not connected, once the reason has these words.
    pub(in crate::bus) async fn says(&self, words: &str) -> String {
        self.reaches(|state| matches!(state, LinkState::Polling { why, .. } if why.contains(words))).await;
        format!("{:?}", self.bus.link_state())
    }

    async fn reaches(&self, state: impl Fn(&LinkState) -> bool) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while !state(&self.bus.link_state()) {
            assert!(tokio::time::Instant::now() < deadline, "{:?}", self.bus.link_state());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Stops as a server does that is told to.
    pub(in crate::bus) async fn shutdown(mut self) {
        self.stop.cancel();
        (&mut self.running).await.unwrap();
    }
}

/// Waits until something is so.
#[track_caller]
pub(in crate::bus) fn eventually(what: &str, so: impl Fn() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while !so() {
            assert!(tokio::time::Instant::now() < deadline, "{what}, at {caller}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}
