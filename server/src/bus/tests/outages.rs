//! Redis goes and comes back, is slow, refuses, or was never there: the bus says so, and nobody waits for it.

use super::redis::{Node, Server, eventually, free_port};
use crate::{
    bus::{Bus, LinkState},
    config::Redis,
    telemetry::BusTraffic,
};
use firstlight_protocol::{DeviceId, RoomId, SessionId};
use std::time::{Duration, Instant};
use tokio::time::timeout;

const DEVICE: DeviceId = DeviceId([5; 16]);

async fn in_doubt(bus: &Bus) {
    timeout(Duration::from_secs(5), bus.in_doubt()).await.expect("the store is looked at again");
}

#[tokio::test]
async fn a_lost_server_is_said_and_missed_by_nobody_and_found_again() {
    let mut server = Server::start(&[]).await;
    let nodes = [1, 2].map(|number| Node::start(number, &server.config()));
    let [here, there] = [&nodes[0].bus, &nodes[1].bus];
    for node in &nodes {
        node.is(true).await;
        in_doubt(&node.bus).await;
    }
    let socket = there.connect(DEVICE, SessionId([1; 16]));
    eventually("presence", || here.is_connected(DEVICE)).await;

    server.kill();
    for node in &nodes {
        node.is(false).await;
    }
    let dropped = here.metrics().bus_count(BusTraffic::Dropped);
    let began = Instant::now();
    for n in 0..100_000u32 {
        here.publish(RoomId([1; 16]), vec![super::reader::entry(n.into())]);
    }
    assert!(began.elapsed() < Duration::from_secs(2), "saying something waits for nobody: {:?}", began.elapsed());
    assert_eq!(here.metrics().bus_count(BusTraffic::Dropped) - dropped, 100_000);
    assert!(here.is_connected(DEVICE), "what was known last stays");
    // Changes that nobody hears.
    drop(socket);
    let later = there.connect(DeviceId([6; 16]), SessionId([2; 16]));

    server.restart().await;
    for node in &nodes {
        node.is(true).await;
        in_doubt(&node.bus).await;
    }
    eventually("presence is put right", || !here.is_connected(DEVICE) && here.is_connected(DeviceId([6; 16]))).await;
    // The end of a node is known at once where it can say so, and otherwise from the store.
    let [_here, there] = nodes;
    there.shutdown().await;
    eventually("it has left", || !_here.bus.is_connected(DeviceId([6; 16]))).await;
    drop(later);
}

#[tokio::test]
async fn a_dead_nodes_sockets_are_forgotten_when_the_store_says_so() {
    let server = Server::start(&[]).await;
    let (here, there) = (Node::start(1, &server.config()).connected().await, Node::start(2, &server.config()));
    there.is(true).await;
    let _socket = there.bus.connect(DEVICE, SessionId([1; 16]));
    eventually("presence", || here.bus.is_connected(DEVICE)).await;
    let node = there.bus.node();
    // As kill -9: no word of it.
    drop(there);
    assert!(here.bus.is_connected(DEVICE));
    here.bus.node_gone(node);
    assert!(!here.bus.is_connected(DEVICE));
}

#[tokio::test]
async fn a_server_that_only_holds_the_connection_is_not_taken_for_one_that_works() {
    let server = Server::start(&[]).await;
    let node = Node::start(1, &server.config()).connected().await;
    server.freeze(true);
    let began = Instant::now();
    node.is(false).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    server.freeze(false);
    node.is(true).await;
}

#[tokio::test]
async fn what_is_wrong_is_said_plainly_and_without_the_password() {
    let dir = tempfile::tempdir().unwrap();
    let password = |name: &str, text: &str| {
        std::fs::write(dir.path().join(name), text).unwrap();
        dir.path().join(name)
    };
    let (right, wrong) = (password("right", "canary-right\n"), password("wrong", "canary-wrong\n"));
    let server = Server::start(&["--requirepass", "canary-right"]).await;
    let with = |password_file: std::path::PathBuf| Redis { password_file, ..server.config() };
    Node::start(1, &with(right)).connected().await;
    for config in [with(wrong), server.config()] {
        let why = Node::start(2, &config).says("refuses the password").await;
        assert!(!why.contains("canary"), "{why}");
    }
    // Nobody is there: the server starts all the same, and finds it when it comes.
    let port = free_port();
    let nowhere = Redis { urls: vec![format!("redis://127.0.0.1:{port}")], ..Redis::default() };
    let node = Node::start(3, &nowhere);
    node.says("refused").await;
    let LinkState::Polling { since, .. } = node.bus.link_state() else { panic!() };
    let _server = Server::start_on(port, &[]).await;
    node.is(true).await;
    assert!(since.0 > 0);
}
