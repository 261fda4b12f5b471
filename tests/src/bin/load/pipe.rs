//! A websocket for load: frames go out pre-encoded and in batches; what comes in is told apart by its first bytes.

use firstlight_protocol::{
    Secret,
    api::Ticket,
    stream::{ClientFrame, Hello, SUBPROTOCOL, ServerFrame},
    wire::{from_cbor, to_cbor},
};
use firstlight_tests::world::{Device, Http};
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, Bytes, Message, client::IntoClientRequest, http::HeaderValue, protocol::WebSocketConfig},
};

/// An open session.
pub(crate) struct Pipe {
    pub(crate) ws: WebSocketStream<TcpStream>,
}

/// What a frame is, by its kind's name: a map with one key (0xa1), a text of so many bytes (0x60 + n), the text.
pub(crate) enum Kind {
    /// A log entry.
    Entry,
    /// A message is durable.
    Sent,
    /// Something else.
    Other,
}

/// Tells frames apart without decoding them.
pub(crate) fn kind(frame: &[u8]) -> Kind {
    match frame {
        [0xa1, 0x65, b'e', b'n', ..] => Kind::Entry,
        [0xa1, 0x64, b's', b'e', ..] => Kind::Sent,
        _ => Kind::Other,
    }
}

impl Pipe {
    /// Connects, says hello and waits for the answer.
    pub(crate) async fn open(device: &Device) -> Self {
        let ticket = device.ticket().await.expect("a ticket");
        Self::to(device.http.addr(), ticket).await.expect("a websocket")
    }

    /// The same at a server that may not be there; nothing if it isn't, or doesn't want us now.
    pub(crate) async fn try_open(way: &Http, access: &Secret) -> Option<Self> {
        let asked = way.try_send(Method::POST, "/v1/auth/tickets", Some(access), Some(b"{}".to_vec())).await;
        let answer = asked.ok().filter(|answer| answer.status < 300)?;
        let ticket: Ticket = serde_json::from_slice(&answer.body).ok()?;
        Self::to(way.addr(), ticket.ticket).await.ok()
    }

    async fn to(address: SocketAddr, ticket: Secret) -> tungstenite::Result<Self> {
        let mut request = format!("ws://{address}/v1/stream").into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        // Thousands of these stand in one process.
        let config = WebSocketConfig::default().read_buffer_size(16 << 10).write_buffer_size(16 << 10);
        let (ws, _) = client_async_with_config(request, stream, Some(config)).await?;
        let mut pipe = Self { ws };
        let hello = ClientFrame::Hello(Hello { ticket, inbox: None, rooms: Vec::new() });
        pipe.ws.send(Message::Binary(to_cbor(&hello).into())).await?;
        let Some(answer) = pipe.next().await else { return Err(tungstenite::Error::ConnectionClosed) };
        match from_cbor(&answer) {
            Ok(ServerFrame::Ready(_)) => Ok(pipe),
            other => Err(tungstenite::Error::Io(std::io::Error::other(format!("hello was answered with {other:?}")))),
        }
    }

    /// The next frame; nothing once it is closed.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.ws.next().await? {
                Ok(Message::Binary(bytes)) => return Some(bytes),
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                _ => return None,
            }
        }
    }

    /// The next frame of a server that stays.
    pub(crate) async fn frame(&mut self) -> Bytes {
        self.next().await.expect("the server closed a socket")
    }
}
