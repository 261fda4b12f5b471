//! A websocket stripped to what saturation needs (RFC 6455 §5.2): frames are told apart where they lie in the read
//! buffer, and sent from a template in which only the id changes. The generator shares the machine's cores with the
//! server, so whatever it spends is missing there.

use crate::pipe::{Kind, kind};
use firstlight_protocol::{
    MessageId, RoomId,
    stream::{ClientFrame, Hello, SUBPROTOCOL, SendFrame},
    wire::to_cbor,
};
use firstlight_tests::world::{Device, mls::framed, random};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Room for many frames in one read, to begin with.
const BUFFER: usize = 64 << 10;

/// An open session.
pub(crate) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

/// How many frames of each kind one read brought.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Came {
    /// Answers to own messages.
    pub(crate) sent: usize,
    /// Log entries.
    pub(crate) entries: usize,
}

impl Wire {
    /// Connects and says hello.
    pub(crate) async fn open(device: &Device) -> Self {
        let ticket = device.ticket().await.expect("a ticket");
        let address = device.http.addr();
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        let upgrade = format!(
            "GET /v1/stream HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             sec-websocket-protocol: {SUBPROTOCOL}\r\n\r\n"
        );
        stream.write_all(upgrade.as_bytes()).await.expect("an upgrade");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("an answer"));
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        let hello = ClientFrame::Hello(Hello { ticket, inbox: None, rooms: Vec::new() });
        stream.write_all(&masked(2, &to_cbor(&hello))).await.expect("hello");
        Self { stream, buffer: vec![0; BUFFER], filled: 0 }
    }

    /// Sends frames that are encoded already.
    pub(crate) async fn send(&mut self, frames: &[u8]) {
        self.stream.write_all(frames).await.expect("sending");
    }

    /// Waits for bytes and counts the frames that are complete.
    pub(crate) async fn came(&mut self) -> Came {
        let read = self.stream.read(&mut self.buffer[self.filled..]).await.expect("reading");
        assert!(read > 0, "the server closed a socket");
        self.filled += read;
        let (mut came, mut at, mut pinged) = (Came::default(), 0, false);
        while let Some((opcode, begin, end)) = next_frame(&self.buffer[at..self.filled]) {
            let payload = &self.buffer[at + begin..at + end];
            match (opcode, kind(payload)) {
                (2, Kind::Entry) => came.entries += 1,
                (2, Kind::Sent) => came.sent += 1,
                (2, Kind::Other) => {
                    assert!(!payload.starts_with(b"\xa1\x67re"), "the server refused a message");
                }
                (9, _) => pinged = true,
                _ => panic!("not a frame: opcode {opcode}"),
            }
            at += end;
        }
        self.buffer.copy_within(at..self.filled, 0);
        self.filled -= at;
        if self.filled == self.buffer.len() {
            // The commit that made a large room.
            self.buffer.resize(2 * self.filled, 0);
        }
        if pinged {
            self.send(&masked(10, &[])).await;
        }
        came
    }
}

/// Opcode, beginning and end of the first frame, if it is complete. A server doesn't mask.
fn next_frame(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (begin, length) = match *bytes.get(1)? {
        126 => (4, usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    (bytes.len() >= begin + length).then_some((bytes[0] & 0x0f, begin, begin + length))
}

/// A whole frame of a client. Its mask is zeros: it hides nothing from nobody here, and costs nothing.
fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match u16::try_from(payload.len()).expect("a short frame") {
        short @ ..=125 => frame.push(0x80 | short.to_be_bytes()[1]),
        long => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&long.to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// A send frame whose message has a new id each time.
pub(crate) struct Template {
    frame: Vec<u8>,
    ids: Vec<usize>,
    counter: u128,
}

impl Template {
    /// A message of this room and epoch around so many random bytes.
    pub(crate) fn new<const N: usize>(room: RoomId, epoch: u64) -> Self {
        let id = MessageId(random());
        let message = framed(room, epoch, id, &random::<N>()).into();
        let frame = masked(2, &to_cbor(&ClientFrame::Send(SendFrame { id, room, message })));
        // In the frame itself, and in the message's authenticated data.
        let ids: Vec<usize> =
            frame.windows(16).enumerate().filter(|(_, w)| *w == id.as_bytes()).map(|(at, _)| at).collect();
        assert_eq!(ids.len(), 2);
        Self { frame, ids, counter: u128::from_be_bytes(id.0) }
    }

    /// Appends the next one.
    pub(crate) fn next(&mut self, out: &mut Vec<u8>) {
        self.counter = self.counter.wrapping_add(1);
        for at in &self.ids {
            self.frame[*at..at + 16].copy_from_slice(&self.counter.to_be_bytes());
        }
        out.extend_from_slice(&self.frame);
    }
}
