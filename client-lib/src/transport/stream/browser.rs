//! The websocket of a browser. It answers the server's pings without saying so, hence pings of our own in a silence.

use super::{OPEN_DEADLINE, SILENCE, StreamEnd, closed, opened, silence};
use crate::{
    clock::{Instant, sleep, sleep_until},
    transport::{ServerUrl, TransportError},
};
use firstlight_protocol::{
    limits::MAX_SERVER_FRAME,
    stream::{ClientFrame, Hello, Ready, SUBPROTOCOL, ServerFrame},
    wire::{from_cbor, to_cbor},
};
use js_sys::{ArrayBuffer, Uint8Array};
use std::{
    cell::RefCell,
    collections::VecDeque,
    future::poll_fn,
    pin::pin,
    rc::Rc,
    task::{Poll, Waker},
    time::Duration,
};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{BinaryType, CloseEvent, Event, MessageEvent, WebSocket};

/// An open, authenticated session.
pub struct Stream {
    socket: Socket,
    silence: Duration,
    /// When something was heard last.
    heard: Instant,
    asked: bool,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stream")
    }
}

impl Stream {
    /// Connects, presents the ticket and waits for `ready`.
    pub async fn open(server: &ServerUrl, hello: Hello) -> Result<(Self, Ready), TransportError> {
        let socket = Socket::connect(&server.stream())?;
        let opening = async {
            socket.opened().await?;
            socket.send(&ClientFrame::Hello(hello))?;
            opened(socket.next().await?)
        };
        let late = || TransportError::unreachable("it did not answer in time");
        let ready = before(opening, sleep(OPEN_DEADLINE)).await.ok_or_else(late)??;
        let silence = silence(&ready);
        Ok((Self { socket, silence, heard: Instant::now(), asked: false }, ready))
    }

    /// Sends one frame.
    pub async fn send(&mut self, frame: &ClientFrame) -> Result<(), StreamEnd> {
        self.socket.send(frame)
    }

    /// The next frame. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Result<ServerFrame, StreamEnd> {
        loop {
            let until = self.heard + if self.asked { SILENCE.0 } else { self.silence / 2 };
            match before(self.socket.next(), sleep_until(until)).await {
                Some(frame) => {
                    (self.heard, self.asked) = (Instant::now(), false);
                    match frame? {
                        ServerFrame::Pong {} => {}
                        frame => return Ok(frame),
                    }
                }
                None if self.asked => return Err(StreamEnd::Lost("the server fell silent".into())),
                None => {
                    // A page that slept did not hear: what counts is whether an answer comes now.
                    (self.heard, self.asked) = (Instant::now(), true);
                    self.socket.send(&ClientFrame::Ping {})?;
                }
            }
        }
    }

    /// Closes the socket in order; what was sent before has left.
    pub async fn close(self) {
        // Dropping it says so to the server.
    }
}

/// What a future answers, if it does before the other.
async fn before<T>(future: impl Future<Output = T>, end: impl Future<Output = ()>) -> Option<T> {
    let (mut future, mut end) = (pin!(future), pin!(end));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => end.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// What the browser's events have brought.
#[derive(Default)]
struct Heard {
    open: bool,
    frames: VecDeque<Result<ServerFrame, ()>>,
    /// The close code, once it is closed.
    closed: Option<u16>,
    waiting: Option<Waker>,
}

impl Heard {
    fn wake(&mut self) {
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }
}

/// A websocket and its listeners.
struct Socket {
    socket: WebSocket,
    heard: Rc<RefCell<Heard>>,
    _listeners: [Closure<dyn FnMut(Event)>; 3],
}

impl Socket {
    fn connect(url: &str) -> Result<Self, TransportError> {
        let refused = |_| TransportError::unreachable("the browser opens no websocket");
        let socket = WebSocket::new_with_str(url, SUBPROTOCOL).map_err(refused)?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let heard = Rc::new(RefCell::new(Heard::default()));
        let listen = |what: fn(&mut Heard, Event)| {
            let heard = heard.clone();
            Closure::<dyn FnMut(Event)>::new(move |event: Event| {
                let mut heard = heard.borrow_mut();
                what(&mut heard, event);
                heard.wake();
            })
        };
        let opened = listen(|heard, _| heard.open = true);
        let message = listen(|heard, event| heard.frames.push_back(frame(&event).ok_or(())));
        let closed = listen(|heard, event| heard.closed = Some(event.unchecked_ref::<CloseEvent>().code()));
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        Ok(Self { socket, heard, _listeners: [opened, message, closed] })
    }

    /// Waits until the connection stands.
    async fn opened(&self) -> Result<(), StreamEnd> {
        self.wait(|heard| heard.open.then_some(Ok(()))).await
    }

    /// The next frame, then how it ended.
    async fn next(&self) -> Result<ServerFrame, StreamEnd> {
        self.wait(|heard| Some(heard.frames.pop_front()?.map_err(|()| StreamEnd::Malformed))).await
    }

    async fn wait<T>(&self, ready: impl Fn(&mut Heard) -> Option<Result<T, StreamEnd>>) -> Result<T, StreamEnd> {
        poll_fn(|context| {
            let mut heard = self.heard.borrow_mut();
            if let Some(result) = ready(&mut heard) {
                return Poll::Ready(result);
            }
            if let Some(code) = heard.closed {
                return Poll::Ready(Err(closed(Some(code))));
            }
            heard.waiting = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn send(&self, frame: &ClientFrame) -> Result<(), StreamEnd> {
        // A copy outside of the module's memory: the browser sends it later.
        let bytes = Uint8Array::from(to_cbor(frame).as_slice());
        let sent = self.socket.send_with_array_buffer_view(&bytes);
        sent.map_err(|_| StreamEnd::Lost("the connection closed".into()))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        for listener in [WebSocket::set_onopen, WebSocket::set_onmessage, WebSocket::set_onclose] {
            listener(&self.socket, None);
        }
        // 1000, or nothing if it was never open: there is nobody to tell of a failure.
        let _ = self.socket.close();
    }
}

/// A frame of the documented shape; text, oversized and malformed messages are none.
fn frame(event: &Event) -> Option<ServerFrame> {
    let buffer: ArrayBuffer = event.unchecked_ref::<MessageEvent>().data().dyn_into().ok()?;
    if buffer.byte_length() as usize > MAX_SERVER_FRAME {
        return None;
    }
    from_cbor(&Uint8Array::new(&buffer).to_vec()).ok()
}
