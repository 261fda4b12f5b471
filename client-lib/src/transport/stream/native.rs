//! The websocket over the system's sockets.

use super::{OPEN_DEADLINE, StreamEnd, closed, opened, silence};
use crate::transport::{ServerUrl, TransportError};
use firstlight_protocol::{
    Problem,
    limits::{MAX_BODY, MAX_SERVER_FRAME},
    stream::{ClientFrame, Hello, Ready, SUBPROTOCOL, ServerFrame},
    wire::{from_cbor, to_cbor},
};
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue, protocol::WebSocketConfig},
};

/// A frame must leave within this time.
const SEND_DEADLINE: Duration = Duration::from_secs(10);

/// An open, authenticated session.
#[derive(Debug)]
pub struct Stream {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    silence: Duration,
    /// When the session counts as lost unless something comes. It survives a cancelled `next`.
    deadline: Instant,
}

impl Stream {
    /// Connects, presents the ticket and waits for `ready`.
    pub async fn open(server: &ServerUrl, hello: Hello) -> Result<(Self, Ready), TransportError> {
        let opening = async {
            let mut stream = Self::connect(server).await?;
            stream.send(&ClientFrame::Hello(hello)).await?;
            let ready = opened(stream.next().await?)?;
            Ok::<_, TransportError>((stream, ready))
        };
        let (mut stream, ready) = timeout(OPEN_DEADLINE, opening)
            .await
            .map_err(|_| TransportError::unreachable("it did not answer in time"))??;
        stream.silence = silence(&ready);
        stream.deadline = Instant::now() + stream.silence;
        Ok((stream, ready))
    }

    async fn connect(server: &ServerUrl) -> Result<Self, TransportError> {
        let mut request = server.stream().into_client_request().map_err(|e| broken(&e))?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        let config = WebSocketConfig::default()
            .read_buffer_size(16 << 10)
            .write_buffer_size(16 << 10)
            .max_write_buffer_size(MAX_BODY)
            .max_frame_size(Some(MAX_SERVER_FRAME))
            .max_message_size(Some(MAX_SERVER_FRAME));
        let (socket, _) = connect_async_with_config(request, Some(config), true).await.map_err(|e| broken(&e))?;
        Ok(Self { socket, silence: OPEN_DEADLINE, deadline: Instant::now() + OPEN_DEADLINE })
    }

    /// Sends one frame.
    pub async fn send(&mut self, frame: &ClientFrame) -> Result<(), StreamEnd> {
        self.send_all(std::slice::from_ref(frame)).await
    }

    /// Sends frames in as few writes as they fit in.
    pub async fn send_all(&mut self, frames: &[ClientFrame]) -> Result<(), StreamEnd> {
        let writing = async {
            for frame in frames {
                self.socket.feed(Message::Binary(to_cbor(frame).into())).await?;
            }
            self.socket.flush().await
        };
        match timeout(SEND_DEADLINE, writing).await {
            Ok(written) => written.map_err(|e| lost(&e)),
            Err(_) => Err(StreamEnd::Lost("a frame could not be sent in time".into())),
        }
    }

    /// The next frame. Cancelling it loses nothing; pings are answered on the way.
    pub async fn next(&mut self) -> Result<ServerFrame, StreamEnd> {
        loop {
            let message = match timeout_at(self.deadline, self.socket.next()).await {
                Err(_) => return Err(StreamEnd::Lost("the server fell silent".into())),
                Ok(None) => return Err(StreamEnd::Lost("the connection closed".into())),
                Ok(Some(Err(e))) => return Err(lost(&e)),
                Ok(Some(Ok(message))) => message,
            };
            self.deadline = Instant::now() + self.silence;
            match message {
                Message::Binary(bytes) => return from_cbor(&bytes).map_err(|_| StreamEnd::Malformed),
                Message::Close(frame) => return Err(closed(frame.map(|frame| frame.code.into()))),
                Message::Text(_) => return Err(StreamEnd::Malformed),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Closes the socket in order; what was sent before has left.
    pub async fn close(mut self) {
        // The server notices a broken connection just as well: nothing depends on the answer.
        let _ = timeout(Duration::from_secs(1), self.socket.close(None)).await;
    }
}

fn lost(error: &tungstenite::Error) -> StreamEnd {
    match error {
        tungstenite::Error::Capacity(_)
        | tungstenite::Error::Protocol(tungstenite::error::ProtocolError::InvalidOpcode(_)) => StreamEnd::Malformed,
        other => StreamEnd::Lost(reason(other)),
    }
}

fn broken(error: &tungstenite::Error) -> TransportError {
    if let tungstenite::Error::Http(answer) = error {
        let body = answer.body().as_deref().unwrap_or_default();
        if let Ok(problem) = serde_json::from_slice::<Problem>(body) {
            return problem.into();
        }
        return TransportError::unreachable(format!(
            "the websocket was answered with HTTP {}",
            answer.status().as_u16()
        ));
    }
    TransportError::unreachable(reason(error))
}

fn reason(error: &tungstenite::Error) -> String {
    let text = match error {
        tungstenite::Error::Io(e) => e.to_string().to_lowercase(),
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => "the connection closed".into(),
        tungstenite::Error::Protocol(_) => "the connection broke in the middle of a frame".into(),
        other => other.to_string().to_lowercase(),
    };
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use firstlight_protocol::{DeviceId, ErrorCode, PageId, Secret, Timestamp, stream::close_code};
    use tokio::net::TcpListener;
    use tokio_tungstenite::tungstenite::{
        handshake::server::{Request, Response},
        protocol::CloseFrame,
    };

    type Peer = WebSocketStream<TcpStream>;

    /// A listener that speaks the documented subprotocol, hands the accepted socket to `script`.
    async fn serve<F>(script: impl FnOnce(Peer) -> F + Send + 'static) -> (ServerUrl, tokio::task::JoinHandle<()>)
    where
        F: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = ServerUrl::parse(&format!("http://{}", listener.local_addr().unwrap()), false).unwrap();
        let task = tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            #[allow(clippy::result_large_err, reason = "the signature is the library's")]
            let callback = |request: &Request, mut response: Response| {
                assert_eq!(request.uri().path(), "/v1/stream");
                assert_eq!(request.uri().query(), None, "no token in a URL");
                let offered = request.headers().get("sec-websocket-protocol").unwrap().clone();
                assert_eq!(offered, SUBPROTOCOL);
                response.headers_mut().insert("sec-websocket-protocol", offered);
                Ok(response)
            };
            script(tokio_tungstenite::accept_hdr_async(socket, callback).await.unwrap()).await;
        });
        (url, task)
    }

    fn hello() -> Hello {
        Hello { ticket: Secret::new("ticket"), inbox: Some(7), rooms: Vec::new() }
    }

    fn ready() -> Message {
        let ready = Ready { device: DeviceId([1; 16]), now: Timestamp(5), ping_ms: 20_000, addresses: Vec::new() };
        Message::Binary(to_cbor(&ServerFrame::Ready(ready)).into())
    }

    async fn receive(peer: &mut Peer) -> ClientFrame {
        match peer.next().await.unwrap().unwrap() {
            Message::Binary(bytes) => from_cbor(&bytes).unwrap(),
            other => panic!("expected a binary frame, got {other:?}"),
        }
    }

    #[tokio::test]
    async fn hello_comes_first_and_frames_follow_in_order() {
        let (url, served) = serve(|mut peer| async move {
            assert!(matches!(receive(&mut peer).await, ClientFrame::Hello(h) if h.inbox == Some(7)));
            peer.send(ready()).await.unwrap();
            for n in 0..3 {
                assert!(matches!(receive(&mut peer).await, ClientFrame::PageSeen { page } if page == PageId([n; 16])));
            }
            peer.close(Some(CloseFrame { code: close_code::REVOKED.into(), reason: "".into() })).await.unwrap();
        })
        .await;
        let (mut stream, ready) = Stream::open(&url, hello()).await.unwrap();
        assert_eq!(ready.device, DeviceId([1; 16]));
        let frames: Vec<_> = (0..3).map(|n| ClientFrame::PageSeen { page: PageId([n; 16]) }).collect();
        stream.send_all(&frames).await.unwrap();
        let end = stream.next().await.unwrap_err();
        assert!(end.is_final(), "{end:?}");
        served.await.unwrap();
    }

    #[tokio::test]
    async fn a_refused_ticket_and_an_oversized_frame_are_typed() {
        let (url, _) = serve(|mut peer| async move {
            receive(&mut peer).await;
            peer.close(Some(CloseFrame { code: close_code::UNAUTHENTICATED.into(), reason: "".into() })).await.unwrap();
        })
        .await;
        let error = Stream::open(&url, hello()).await.unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::TicketInvalid));

        let (url, _) = serve(|mut peer| async move {
            receive(&mut peer).await;
            peer.send(ready()).await.unwrap();
            // The client hangs up in the middle: how the write ends does not matter.
            let _ = peer.send(Message::Binary(vec![0; MAX_SERVER_FRAME + 1].into())).await;
        })
        .await;
        let (mut stream, _) = Stream::open(&url, hello()).await.unwrap();
        assert!(matches!(stream.next().await, Err(StreamEnd::Malformed)));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_the_session() {
        let (url, _served) = serve(|mut peer| async move {
            receive(&mut peer).await;
            peer.send(ready()).await.unwrap();
            std::future::pending::<()>().await;
        })
        .await;
        // With the clock paused, time advances only while everybody waits.
        let (mut stream, _) = Stream::open(&url, hello()).await.unwrap();
        let before = Instant::now();
        assert!(matches!(stream.next().await, Err(StreamEnd::Lost(_))));
        assert!(before.elapsed() >= Duration::from_secs(40));
    }
}
