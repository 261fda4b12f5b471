//! Real handshakes over real sockets, with certificates made in the moment.

use super::*;
use crate::config::Limits;
use axum::{Router, routing::get};
use firstlight_protocol::policy::Millis;
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::{net::SocketAddr, path::Path};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream as Connected,
    rustls::{ClientConfig, RootCertStore, pki_types::ServerName},
};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: duty.example.org\r\n\r\n";

/// A server with a certificate authority of its own.
struct Server {
    addr: SocketAddr,
    tls: Arc<Tls>,
    authority: CertifiedIssuer<'static, KeyPair>,
    dir: TempDir,
    now: Timestamp,
    stop: CancellationToken,
}

/// A certificate that ends so many days from now, and its key.
fn pair(authority: &CertifiedIssuer<'static, KeyPair>, days: i64) -> (String, String) {
    let mut params = CertificateParams::new(vec!["duty.example.org".to_owned()]).unwrap();
    params.not_after = (std::time::SystemTime::now() + Duration::from_secs(86_400 * 1_000)).into();
    params.not_after -= Duration::from_secs(86_400 * (1_000 - days).unsigned_abs());
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

fn put(dir: &Path, (certificate, key): (String, String)) {
    std::fs::write(dir.join("cert.pem"), certificate).unwrap();
    std::fs::write(dir.join("key.pem"), key).unwrap();
}

async fn start(days: i64) -> Server {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let (dir, now) = (tempfile::tempdir().unwrap(), Clock::System.now());
    put(dir.path(), pair(&authority, days));
    let settings = config::Tls {
        certificate_file: dir.path().join("cert.pem"),
        key_file: dir.path().join("key.pem"),
        handshake_timeout_ms: Millis(300),
        ..config::Tls::default()
    };
    let tls = Tls::open(&settings, now).unwrap().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let router = Router::new().route("/", get(|| async { "hello" }));
    let limits = Limits { connections_per_loopback: 3, ..Limits::default() };
    let (served, stopped) = (Arc::clone(&tls), stop.clone());
    tokio::spawn(async move { super::super::run(listener, Some(served), router, &limits, stopped).await });
    Server { addr, tls, authority, dir, now, stop }
}

impl Server {
    /// A handshake of a client that trusts the authority and offers these protocols.
    async fn connect(&self, protocols: &[&[u8]]) -> std::io::Result<Connected<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|p| p.to_vec()).collect();
        let name = ServerName::try_from("duty.example.org").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, TcpStream::connect(self.addr).await?).await
    }

    /// Days for which the certificate that a new client sees still holds.
    async fn days_shown(&self) -> u64 {
        let stream = self.connect(&[b"http/1.1"]).await.unwrap();
        let shown = &stream.get_ref().1.peer_certificates().unwrap()[0];
        assert_eq!(shown, &lock(&self.tls.shown.0).pair.key.cert[0]);
        (self.tls.ends_at().since(self.now) + Duration::from_secs(60)).as_secs() / 86_400
    }
}

/// One request on an open connection.
async fn ask(stream: &mut Connected<TcpStream>) {
    stream.write_all(REQUEST).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "{}", String::from_utf8_lossy(&answer));
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
}

#[tokio::test]
async fn it_speaks_http_1_1_over_tls_and_nothing_else() {
    let server = start(30).await;
    let mut stream = server.connect(&[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
    ask(&mut stream).await;
    ask(&mut server.connect(&[]).await.unwrap()).await;
    server.connect(&[b"h2"]).await.unwrap_err();
    // Whoever speaks without a handshake gets no word of HTTP.
    let mut plain = TcpStream::connect(server.addr).await.unwrap();
    plain.write_all(REQUEST).await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    server.stop.cancel();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
}

#[tokio::test]
async fn who_never_shakes_hands_holds_no_place_for_long() {
    let server = start(30).await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(TcpStream::connect(server.addr).await.unwrap());
    }
    for mut stream in silent {
        let mut nothing = Vec::new();
        stream.read_to_end(&mut nothing).await.unwrap();
        assert!(nothing.is_empty());
    }
    // Their places are free when they are noticed to have gone, each by itself.
    let mut stream = loop {
        if let Ok(stream) = server.connect(&[b"http/1.1"]).await {
            break stream;
        }
    };
    ask(&mut stream).await;
}

#[tokio::test]
async fn a_new_pair_is_shown_to_new_clients_and_a_broken_one_to_nobody() {
    let server = start(30).await;
    let (dir, look) = (server.dir.path(), || server.tls.look(server.now));
    let mut open = server.connect(&[b"http/1.1"]).await.unwrap();
    assert_eq!(server.days_shown().await, 30);
    look();
    assert_eq!(server.tls.trouble(), None);

    put(dir, pair(&server.authority, 60));
    look();
    assert_eq!((server.days_shown().await, server.tls.trouble()), (60, None));
    ask(&mut open).await;

    let (certificate, _) = pair(&server.authority, 90);
    let (_, other_key) = pair(&server.authority, 90);
    for (broken, words) in [
        ((certificate.clone(), other_key.clone()), "do not belong together"),
        (("no certificate".into(), other_key.clone()), "holds no certificate"),
        ((certificate.clone(), String::new()), "holds no private key"),
        ((certificate, "-----BEGIN PRIVATE KEY-----\nMEEC\n-----END PRIVATE KEY-----\n".into()), "can't be used"),
        (pair(&server.authority, -1), "has ended already"),
    ] {
        put(dir, broken);
        look();
        let trouble = server.tls.trouble().unwrap();
        assert!(trouble.contains(words) && !trouble.contains("BEGIN"), "{words}: {trouble}");
        assert_eq!(server.days_shown().await, 60);
    }
    std::fs::remove_file(dir.join("key.pem")).unwrap();
    look();
    assert!(server.tls.trouble().unwrap().contains("can't be read"));
    ask(&mut open).await;

    put(dir, pair(&server.authority, 120));
    look();
    assert_eq!((server.days_shown().await, server.tls.trouble()), (120, None));
    ask(&mut open).await;
}

#[tokio::test]
async fn files_are_looked_at_by_themselves_and_when_told() {
    let mut server = start(30).await;
    let keep = |tls: Arc<Tls>, stop: &CancellationToken| tokio::spawn(tls.keep(Clock::System, stop.clone()));
    let told = keep(Arc::clone(&server.tls), &server.stop);
    put(server.dir.path(), pair(&server.authority, 60));
    let before = server.tls.ends_at();
    server.tls.look_again();
    while server.tls.ends_at() == before {
        tokio::task::yield_now().await;
    }
    server.stop.cancel();
    told.await.unwrap();

    let settings = config::Tls { reload_every_ms: Millis(10), ..server.tls.settings.clone() };
    server.tls = Tls::open(&settings, server.now).unwrap().unwrap();
    let stop = CancellationToken::new();
    let by_itself = keep(Arc::clone(&server.tls), &stop);
    let before = server.tls.ends_at();
    put(server.dir.path(), pair(&server.authority, 90));
    while server.tls.ends_at() == before {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stop.cancel();
    by_itself.await.unwrap();
}
