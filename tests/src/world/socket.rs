//! The websocket `/v1/stream`, frame by frame.

use super::soon;
use firstlight_protocol::{
    Problem, RoomId,
    api::{InboxItem, Notice},
    limits::MAX_SERVER_FRAME,
    stream::{ClientFrame, Entry, Hello, Ready, Refused, SUBPROTOCOL, SentFrame, ServerFrame},
    wire::{from_cbor, to_cbor},
};
use futures_util::{SinkExt, StreamExt};
use std::{collections::VecDeque, net::SocketAddr};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue},
};

/// A websocket. What comes while the test looks for something else is kept in order.
#[derive(Debug)]
pub struct Socket {
    ws: WebSocketStream<TcpStream>,
    waiting: VecDeque<ServerFrame>,
    /// The server's answer to hello.
    pub ready: Option<Ready>,
}

/// How the server closed a socket.
#[derive(Debug, Clone, PartialEq)]
pub struct Closed {
    /// The close code, if a close frame came.
    pub code: Option<u16>,
    /// The problem of the `closing` frame, if one came.
    pub problem: Option<Problem>,
}

impl Socket {
    /// The upgrade alone, with these headers besides.
    pub async fn upgrade(addr: SocketAddr, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let mut request = format!("ws://{addr}/v1/stream").into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value)?);
        }
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        let (ws, _) = soon("the websocket's upgrade", client_async(request, stream)).await?;
        Ok(Self { ws, waiting: VecDeque::new(), ready: None })
    }

    /// A socket with the documented subprotocol that has not said anything.
    pub async fn stranger(addr: SocketAddr) -> Self {
        Self::upgrade(addr, &[("sec-websocket-protocol", SUBPROTOCOL)]).await.expect("an upgrade")
    }

    /// A socket that has said hello and was answered.
    pub async fn open(addr: SocketAddr, hello: Hello) -> Self {
        let mut socket = Self::stranger(addr).await;
        socket.send(&ClientFrame::Hello(hello)).await;
        match socket.next().await {
            ServerFrame::Ready(ready) => socket.ready = Some(ready),
            other => panic!("hello was answered with {other:?}"),
        }
        socket
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: &ClientFrame) {
        self.send_raw(Message::Binary(to_cbor(frame).into())).await;
    }

    /// Sends any websocket message.
    pub async fn send_raw(&mut self, message: Message) {
        // The server may have closed it already; then the next read says so.
        let _ = self.ws.send(message).await;
    }

    async fn read(&mut self) -> Result<ServerFrame, Option<u16>> {
        loop {
            match soon("a frame", self.ws.next()).await {
                Some(Ok(Message::Binary(bytes))) => {
                    assert!(bytes.len() <= MAX_SERVER_FRAME);
                    return Ok(from_cbor(&bytes).expect("a frame of the documented shape"));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|f| f.code.into())),
                Some(Ok(other)) => panic!("not a frame: {other:?}"),
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// The next frame.
    ///
    /// # Panics
    /// If the socket is closed, or nothing comes.
    pub async fn next(&mut self) -> ServerFrame {
        if let Some(frame) = self.waiting.pop_front() {
            return frame;
        }
        self.read().await.unwrap_or_else(|code| panic!("the socket was closed: {code:?}"))
    }

    /// The first frame in which `found` finds something; the others are kept.
    pub async fn find<T>(&mut self, what: &str, mut found: impl FnMut(&ServerFrame) -> Option<T>) -> T {
        for i in 0..self.waiting.len() {
            if let Some(value) = found(&self.waiting[i]) {
                self.waiting.remove(i);
                return value;
            }
        }
        soon(what, async {
            loop {
                match self.read().await {
                    Ok(frame) => match found(&frame) {
                        Some(value) => return value,
                        None => self.waiting.push_back(frame),
                    },
                    Err(code) => panic!("the socket was closed ({code:?}) while it waited for {what}"),
                }
            }
        })
        .await
    }

    /// The first notice in which `found` finds something.
    pub async fn notice<T>(&mut self, what: &str, mut found: impl FnMut(&InboxItem) -> Option<T>) -> T {
        let item = |frame: &ServerFrame| match frame {
            ServerFrame::Inbox(item) => found(item),
            _ => None,
        };
        self.find(what, item).await
    }

    /// The next page: of which callout, and which attempt.
    pub async fn page(&mut self) -> (firstlight_protocol::PageId, firstlight_protocol::CalloutId, u32) {
        let page = |item: &InboxItem| match item.notice {
            Notice::Page { page, callout, attempt, .. } => Some((page, callout, attempt)),
            _ => None,
        };
        self.notice("a page", page).await
    }

    /// The first view of a callout that `found` accepts.
    pub async fn view(
        &mut self,
        what: &str,
        mut found: impl FnMut(&firstlight_protocol::callout::CalloutView) -> bool,
    ) -> firstlight_protocol::callout::CalloutView {
        let view = |item: &InboxItem| match &item.notice {
            Notice::Callout { view } if found(view) => Some(view.clone()),
            _ => None,
        };
        self.notice(what, view).await
    }

    /// The next entry of a room's log.
    pub async fn entry(&mut self, room: RoomId) -> Entry {
        let entry = |frame: &ServerFrame| match frame {
            ServerFrame::Entry(entry) if entry.room == room => Some(entry.clone()),
            _ => None,
        };
        self.find("an entry", entry).await
    }

    /// The answer to a send.
    pub async fn sent(&mut self, id: firstlight_protocol::MessageId) -> Result<SentFrame, Problem> {
        let answer = |frame: &ServerFrame| match frame {
            ServerFrame::Sent(sent) if sent.id == id => Some(Ok(sent.clone())),
            ServerFrame::Refused(Refused { id: Some(of), problem }) if *of == id => Some(Err(problem.clone())),
            _ => None,
        };
        self.find("the answer to a send", answer).await
    }

    /// How the server closes the socket. Frames before that are dropped.
    pub async fn closed(mut self) -> Closed {
        let mut problem = None;
        loop {
            match self.read().await {
                Ok(ServerFrame::Closing(closing)) => problem = Some(closing.problem),
                Ok(_) => {}
                Err(code) => return Closed { code, problem },
            }
        }
    }
}
