//! The accept loop over real sockets. Deadlines are short here; nothing sleeps, every wait ends by what the server does.

use super::*;
use crate::extract::{Deadline, Json};
use axum::{
    extract::{ConnectInfo, Request},
    middleware::{Next, from_fn},
    routing::{get, post},
};
use firstlight_protocol::{limits::MAX_BODY, policy::Millis};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinHandle,
};

struct Server {
    addr: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn start(limits: Limits) -> Server {
    let deadline = |mut request: Request, next: Next| {
        request.extensions_mut().insert(Deadline::after(Duration::from_millis(300)));
        next.run(request)
    };
    let router = Router::new()
        .route("/peer", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() }))
        .route("/json", post(|Json(_): Json<serde_json::Value>| async { "ok" }))
        .route("/large", get(|| async { vec![0u8; 64 << 20] }))
        .layer(from_fn(deadline));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let stopped = stop.clone();
    let task = tokio::spawn(async move { run(listener, None, router, &limits, stopped).await });
    Server { addr, stop, task }
}

fn limits() -> Limits {
    Limits { header_timeout_ms: Millis(300), drain_ms: Millis(5_000), ..Limits::default() }
}

/// Sends `bytes` and reads until the server closes.
async fn exchange(addr: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_handler_sees_the_address_of_its_caller() {
    let server = start(limits()).await;
    let answer = exchange(server.addr, b"GET /peer HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.ends_with("127.0.0.1"), "{answer}");
}

#[tokio::test]
async fn a_half_sent_head_is_answered_and_closed_by_its_deadline() {
    let server = start(limits()).await;
    let answer = exchange(server.addr, b"GET /peer HTTP/1.1\r\nhost: x\r\nx-half: ").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"code\":\"timeout\""), "{answer}");
}

#[tokio::test]
async fn a_silent_connection_is_closed_without_a_word() {
    let server = start(limits()).await;
    assert_eq!(exchange(server.addr, b"").await, "");
}

#[tokio::test]
async fn a_half_sent_body_is_answered_by_its_deadline() {
    let server = start(limits()).await;
    let head = b"POST /json HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{\"a\"";
    let answer = exchange(server.addr, head).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"code\":\"timeout\""), "{answer}");
}

#[tokio::test]
async fn an_oversized_body_and_an_oversized_head_are_refused() {
    let server = start(limits()).await;
    let mut request =
        b"POST /json HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
            .to_vec();
    request.extend(format!("{:x}\r\n", MAX_BODY + 1).bytes());
    request.extend(vec![b' '; MAX_BODY + 1]);
    let answer = exchange(server.addr, &request).await;
    assert!(answer.contains("\"code\":\"too_large\""), "{answer}");
    let head = format!("GET /peer HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "a".repeat(20 << 10));
    assert!(exchange(server.addr, head.as_bytes()).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn one_address_can_not_take_every_connection() {
    let server = start(Limits { connections_per_loopback: 2, header_timeout_ms: Millis(60_000), ..limits() }).await;
    let first = TcpStream::connect(server.addr).await.unwrap();
    let _second = TcpStream::connect(server.addr).await.unwrap();
    let answer = exchange(server.addr, b"").await;
    assert!(answer.starts_with("HTTP/1.1 429 ") && answer.contains("\"code\":\"rate_limited\""), "{answer}");
    drop(first);
    // The server notices the end by itself; until then it goes on refusing.
    let request = b"GET /peer HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    while !exchange(server.addr, request).await.starts_with("HTTP/1.1 200 ") {}
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let server = start(Limits { write_timeout_ms: Millis(200), connections_per_loopback: 1, ..limits() }).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    stream.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    // Its place becomes free although it keeps the connection open.
    let request = b"GET /peer HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    while !exchange(server.addr, request).await.starts_with("HTTP/1.1 200 ") {}
    drop(stream);
}

#[tokio::test]
async fn stopping_ends_idle_connections_and_accepts_no_more() {
    let server = start(Limits { header_timeout_ms: Millis(60_000), ..limits() }).await;
    let mut idle = TcpStream::connect(server.addr).await.unwrap();
    idle.write_all(b"GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut byte = [0; 1];
    idle.read_exact(&mut byte).await.unwrap();
    server.stop.cancel();
    server.task.await.unwrap();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(TcpStream::connect(server.addr).await.is_err());
}
