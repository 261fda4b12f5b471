//! The three ways to run Redis, and TLS.

use super::redis::{Node, Server, eventually, free_port};
use crate::config::{Redis, RedisMode};
use firstlight_protocol::{DeviceId, SessionId};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::path::Path;

/// A device connects to one node, and the other knows.
async fn joined(here: &Node, there: &Node, device: u8) {
    let device = DeviceId([device; 16]);
    let _socket = there.bus.connect(device, SessionId([1; 16]));
    eventually("presence", || here.bus.is_connected(device)).await;
}

#[tokio::test]
async fn sentinels_lead_to_the_master_and_to_the_next_one() {
    let mut master = Server::start(&[]).await;
    let port = master.port.to_string();
    let _replica =
        Server::start(&["--replicaof", &format!("127.0.0.1 {port}"), "--repl-diskless-sync-delay", "0"]).await;
    let sentinel = Server::sentinel(master.port).await;
    let config = Redis { mode: RedisMode::Sentinel, master: "night".into(), ..sentinel.config() };
    let (here, there) = (Node::start(1, &config).connected().await, Node::start(2, &config).connected().await);
    joined(&here, &there, 1).await;
    // Sentinel asks the master for its replicas every ten seconds; it is told to ask now.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let known: Vec<::redis::Value> = sentinel.ask("SENTINEL REPLICAS night").await;
        let master: String = master.ask("INFO replication").await;
        if known.len() == 1 && master.contains("state=online") {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{master}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    master.kill();
    here.is(false).await;
    here.is(true).await;
    there.is(true).await;
    joined(&here, &there, 2).await;
}

#[tokio::test]
async fn any_node_of_a_cluster_will_do() {
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let bus = free_port().to_string();
        nodes.push(
            Server::start(&["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-node-timeout", "1000"])
                .await,
        );
    }
    for (node, slots) in nodes.iter().zip(["0 5460", "5461 10922", "10923 16383"]) {
        node.ask::<()>(&format!("CLUSTER ADDSLOTSRANGE {slots}")).await;
    }
    for other in &nodes[1..] {
        let bus: String = other.ask("CLUSTER NODES").await;
        let bus = bus.split('@').nth(1).and_then(|rest| rest.split([' ', ',']).next()).unwrap();
        nodes[0].ask::<()>(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", other.port)).await;
    }
    for node in &nodes {
        while !node.ask::<String>("CLUSTER INFO").await.contains("cluster_state:ok") {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    // Each begins at another node.
    let config = |turn: usize| {
        let urls = (0..3).map(|n| nodes[(n + turn) % 3].url()).collect();
        Redis { urls, mode: RedisMode::Cluster, ..Redis::default() }
    };
    let (here, there) = (Node::start(1, &config(0)).connected().await, Node::start(2, &config(1)).connected().await);
    joined(&here, &there, 1).await;
    joined(&there, &here, 2).await;
    nodes[0].kill();
    here.is(false).await;
    here.is(true).await;
    joined(&here, &there, 3).await;
}

/// An authority, and a certificate of it for this machine, as PEM files.
fn certificates(dir: &Path) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    std::fs::write(dir.join("ca.pem"), authority.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(authority, key);
    let own = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(vec!["127.0.0.1".into(), "localhost".into()]).unwrap();
    // Not the authority's: a certificate that names itself as its issuer is none of an authority.
    leaf.distinguished_name.push(DnType::CommonName, "node");
    std::fs::write(dir.join("cert.pem"), leaf.signed_by(&own, &issuer).unwrap().pem()).unwrap();
    std::fs::write(dir.join("key.pem"), own.serialize_pem()).unwrap();
}

#[tokio::test]
async fn tls_is_checked_on_both_sides() {
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let path = |name: &str| dir.path().join(name);
    let text = |name: &str| path(name).display().to_string();
    let port = free_port();
    let (cert, key, ca) = (text("cert.pem"), text("key.pem"), text("ca.pem"));
    let listen = port.to_string();
    let files = ["--tls-cert-file", &cert, "--tls-key-file", &key, "--tls-ca-cert-file", &ca];
    let _server = Server::start_on(port, &[&["--port", "0", "--tls-port", &listen], &files[..]].concat()).await;
    let good = Redis {
        urls: vec![format!("rediss://127.0.0.1:{port}")],
        ca_file: path("ca.pem"),
        cert_file: path("cert.pem"),
        key_file: path("key.pem"),
        ..Redis::default()
    };
    let (here, there) = (Node::start(1, &good).connected().await, Node::start(2, &good).connected().await);
    joined(&here, &there, 1).await;
    // The system's authorities don't know this one.
    Node::start(3, &Redis { ca_file: "".into(), ..good.clone() }).says("certificate").await;
    // Redis wants to see a certificate too, and somebody who speaks TLS.
    let unknown = Redis { cert_file: "".into(), key_file: "".into(), ..good.clone() };
    let clear = Redis { urls: vec![format!("redis://127.0.0.1:{port}")], ..Redis::default() };
    for config in [unknown, clear] {
        Node::start(4, &config).refused().await;
    }
}
