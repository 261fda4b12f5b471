//! A websocket for load: frames go out pre-encoded and in batches; what comes in is told apart by its first bytes.

use firstlight_protocol::{
    stream::{ClientFrame, Hello, SUBPROTOCOL, ServerFrame},
    wire::{from_cbor, to_cbor},
};
use firstlight_tests::world::Device;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Bytes, Message, client::IntoClientRequest, http::HeaderValue, protocol::WebSocketConfig},
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
        let address = device.http.addr();
        let mut request = format!("ws://{address}/v1/stream").into_client_request().expect("a request");
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        // Thousands of these stand in one process.
        let config = WebSocketConfig::default().read_buffer_size(16 << 10).write_buffer_size(16 << 10);
        let (ws, _) = client_async_with_config(request, stream, Some(config)).await.expect("an upgrade");
        let mut pipe = Self { ws };
        let hello = ClientFrame::Hello(Hello { ticket, inbox: None, rooms: Vec::new() });
        pipe.ws.send(Message::Binary(to_cbor(&hello).into())).await.expect("hello");
        match from_cbor(&pipe.frame().await) {
            Ok(ServerFrame::Ready(_)) => pipe,
            other => panic!("hello was answered with {other:?}"),
        }
    }

    /// The next frame.
    pub(crate) async fn frame(&mut self) -> Bytes {
        loop {
            match self.ws.next().await {
                Some(Ok(Message::Binary(bytes))) => return bytes,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("the server closed a socket: {other:?}"),
            }
        }
    }
}
