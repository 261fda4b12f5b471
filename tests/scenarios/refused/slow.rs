//! Clients that stop in the middle: a deadline ends them, and the test waits for nothing but that.

use firstlight_protocol::{ErrorCode, policy::Millis, stream::close_code};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{Socket, soon},
};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Short enough for a test; the defaults are in the configuration.
async fn impatient() -> Cast {
    Cast::with(|config| {
        config.limits.header_timeout_ms = Millis(400);
        config.limits.body_timeout_ms = Millis(400);
        config.limits.hello_timeout_ms = Millis(400);
        config.limits.ping_interval_ms = Millis(1_000);
    })
    .await
}

/// Sends a beginning and reads until the server has closed.
async fn begin(cast: &Cast, beginning: &str) -> String {
    let mut stream = TcpStream::connect(cast.server.http.addr()).await.unwrap();
    stream.write_all(beginning.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    soon("the server to hang up", stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn half_a_request_is_closed_by_a_deadline() {
    run(async {
        let cast = impatient().await;
        for beginning in ["", "GET /v1/ser", "POST /v1/callouts HTTP/1.1\r\nhost: x\r\n"] {
            let began = Instant::now();
            let answer = cast.changes_nothing(begin(&cast, beginning)).await;
            assert!(began.elapsed() >= Duration::from_millis(300), "not before its time");
            if !beginning.is_empty() {
                assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"timeout\""), "{answer}");
            }
        }
        // A head that promises a body which never comes.
        let token = cast.officer.access().await.unwrap();
        let head = format!(
            "POST /v1/callouts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: 500\r\nconnection: close\r\n\r\n{{\"id\":",
            token.reveal()
        );
        let answer = cast.changes_nothing(begin(&cast, &head)).await;
        assert!(answer.contains("\"timeout\""), "{answer}");
        // The server is none the worse for it.
        cast.officer.get::<firstlight_protocol::api::Me>("/v1/me").await.unwrap();
    });
}

#[test]
fn a_socket_that_never_says_hello_is_closed_by_a_deadline() {
    run(async {
        let cast = impatient().await;
        let socket = Socket::stranger(cast.server.http.addr()).await;
        let closed = socket.closed().await;
        assert_eq!(closed.code, Some(close_code::UNAUTHENTICATED));
        assert_eq!(closed.problem.unwrap().code, ErrorCode::Timeout);
    });
}

#[test]
fn a_socket_that_answers_no_ping_is_closed() {
    run(async {
        let cast = impatient().await;
        // Upgraded and signed in by hand, and then silent: a library would answer the pings.
        let ticket = cast.primary.ticket().await.unwrap();
        let mut stream = TcpStream::connect(cast.server.http.addr()).await.unwrap();
        let upgrade = "GET /v1/stream HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                       sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
                       sec-websocket-protocol: firstlight.v1\r\n\r\n";
        stream.write_all(upgrade.as_bytes()).await.unwrap();
        let hello = firstlight_protocol::stream::Hello { ticket, inbox: None, rooms: vec![] };
        let hello = firstlight_protocol::wire::to_cbor(&firstlight_protocol::stream::ClientFrame::Hello(hello));
        // FIN, binary; masked with zeros.
        let mut frame = vec![0x82, 0x80 | u8::try_from(hello.len()).unwrap(), 0, 0, 0, 0];
        frame.extend_from_slice(&hello);
        stream.write_all(&frame).await.unwrap();
        let mut all = Vec::new();
        soon("the server to hang up", stream.read_to_end(&mut all)).await.unwrap();
        let text = String::from_utf8_lossy(&all);
        assert!(text.contains("ready") && text.contains("No answer to a ping."), "{text}");
    });
}
