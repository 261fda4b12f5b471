//! Websockets that don't keep to `protocol/docs/stream.cddl`.

use firstlight_protocol::{
    ErrorCode, MessageId, PageId, RoomId, Secret,
    api::{Acks, RoomCursor},
    limits::{MAX_FRAME, MAX_MESSAGE},
    stream::{ClientFrame, Hello, SUBPROTOCOL, SendFrame, ServerFrame, close_code},
    wire::to_cbor,
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{Socket, mls::framed, random},
};
use tokio_tungstenite::tungstenite::{Error, Message};

fn binary(bytes: Vec<u8>) -> Message {
    Message::Binary(bytes.into())
}

#[test]
fn what_is_not_a_frame_closes_the_socket_with_a_reason() {
    run(async {
        let cast = Cast::new().await;
        let send = to_cbor(&ClientFrame::PageSeen { page: PageId(random()) });
        let unknown_key = {
            // {"subscribe": {"room": ..., "seq": 1, "more": 1}}
            let mut bytes = to_cbor(&ClientFrame::Subscribe(RoomCursor { room: RoomId([1; 16]), seq: 1 }));
            let map = bytes.iter().position(|b| *b == 0xa2).unwrap();
            bytes[map] = 0xa3;
            bytes.extend_from_slice(b"\x64more\x01");
            bytes
        };
        let cases = [
            ("nothing", binary(vec![])),
            ("garbage", binary(vec![0xff; 64])),
            ("JSON", binary(br#"{"page_seen":{}}"#.to_vec())),
            ("an unknown kind", binary(b"\xa1\x65hello\x01".to_vec())),
            ("two frames in one", binary([send.clone(), send.clone()].concat())),
            ("half a frame", binary(send[..send.len() - 3].to_vec())),
            ("deep nesting", binary(vec![0x81; 10_000])),
            ("an endless string", binary(b"\xa1\x5b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec())),
            ("an unknown key", binary(unknown_key)),
            ("text", Message::Text("{}".into())),
            (
                "hello again",
                binary(to_cbor(&ClientFrame::Hello(Hello { ticket: Secret::new("x"), inbox: None, rooms: vec![] }))),
            ),
        ];
        for (what, message) in cases {
            let attempt = async {
                let mut socket = cast.primary.connect().await;
                socket.send_raw(message).await;
                socket.closed().await
            };
            let closed = cast.changes_nothing(attempt).await;
            assert_eq!(closed.code, Some(close_code::BAD_FRAME), "{what}");
            assert_eq!(closed.problem.expect(what).code, ErrorCode::BadRequest, "{what}");
        }
    });
}

#[test]
fn an_oversized_frame_ends_the_socket_unread() {
    run(async {
        let cast = Cast::new().await;
        let attempt = async {
            let mut socket = cast.primary.connect().await;
            socket.send_raw(binary(vec![0; MAX_FRAME + 1])).await;
            socket.closed().await
        };
        let closed = cast.changes_nothing(attempt).await;
        // The rest of the frame is still on its way, so the goodbye may be lost with the connection.
        assert!(matches!(closed.code, None | Some(close_code::BAD_FRAME)), "{closed:?}");
    });
}

#[test]
fn a_first_frame_that_is_not_hello_is_the_last() {
    run(async {
        let cast = Cast::new().await;
        for message in
            [binary(to_cbor(&ClientFrame::Ack(Acks::default()))), binary(vec![1, 2, 3]), Message::Text("hello".into())]
        {
            let mut socket = Socket::stranger(cast.server.http.addr()).await;
            socket.send_raw(message).await;
            let closed = socket.closed().await;
            assert_eq!(closed.code, Some(close_code::BAD_FRAME));
            assert!(closed.problem.is_some());
        }
        let mut socket = Socket::stranger(cast.server.http.addr()).await;
        let hello = Hello { ticket: Secret::new("guessed"), inbox: None, rooms: vec![] };
        socket.send(&ClientFrame::Hello(hello)).await;
        let closed = socket.closed().await;
        assert_eq!(closed.code, Some(close_code::UNAUTHENTICATED));
        assert_eq!(closed.problem.unwrap().code, ErrorCode::TicketInvalid);
    });
}

#[test]
fn a_refused_message_leaves_the_socket_open() {
    run(async {
        let cast = Cast::new().await;
        let mut socket = cast.primary.connect().await;
        let (id, room) = (MessageId(random()), RoomId(random()));
        let frames = [
            (framed(room, 1, id, &[0; 250]), ErrorCode::NotAMember),
            (framed(RoomId(random()), 1, id, &[0; 250]), ErrorCode::WrongGroup),
            (framed(room, 1, MessageId(random()), &[0; 250]), ErrorCode::BadMls),
            (framed(room, 1, id, &vec![0; MAX_MESSAGE]), ErrorCode::TooLarge),
            (b"hello".to_vec(), ErrorCode::BadMls),
        ];
        for (message, code) in frames {
            let before = cast.server.digest().await;
            socket.send(&ClientFrame::Send(SendFrame { id, room, message: message.into() })).await;
            assert_eq!(socket.sent(id).await.unwrap_err().code, code);
            assert!(cast.server.digest().await.differs_in(&before).is_empty());
        }
        // Another person's page is not theirs to confirm.
        let mut backup = cast.backup.connect().await;
        let opened = cast.officer.open_callout(firstlight_tests::world::routing("north", cast.now())).await.unwrap();
        let (page, callout, _) = socket.page().await;
        assert_eq!(callout, opened.id);
        let before = cast.server.digest().await;
        backup.send(&ClientFrame::PageSeen { page }).await;
        let refused = |frame: &ServerFrame| match frame {
            ServerFrame::Refused(refused) => Some(refused.problem.code),
            _ => None,
        };
        assert_eq!(backup.find("the refusal", refused).await, ErrorCode::NotFound);
        assert!(cast.server.digest().await.differs_in(&before).is_empty());
    });
}

#[test]
fn upgrades_need_the_subprotocol_and_an_allowed_origin() {
    run(async {
        let cast = Cast::with(|config| config.origins = vec!["https://app.example.org".into()]).await;
        let addr = cast.server.http.addr();
        let refused = |result: Result<Socket, Error>| match result {
            Err(Error::Http(answer)) => {
                let problem: firstlight_protocol::Problem =
                    serde_json::from_slice(answer.body().as_deref().unwrap_or_default()).expect("a problem");
                assert_eq!(problem.status, answer.status().as_u16());
                problem.code
            }
            other => panic!("not refused: {other:?}"),
        };
        let protocol = ("sec-websocket-protocol", SUBPROTOCOL);
        assert_eq!(refused(Socket::upgrade(addr, &[]).await), ErrorCode::BadRequest);
        let unknown = Socket::upgrade(addr, &[("sec-websocket-protocol", "firstlight.v99")]).await;
        assert_eq!(refused(unknown), ErrorCode::BadRequest);
        for origin in ["https://evil.example.org", "null", "https://app.example.org.evil.example.org"] {
            assert_eq!(refused(Socket::upgrade(addr, &[protocol, ("origin", origin)]).await), ErrorCode::Forbidden);
        }
        for origin in ["https://app.example.org", "http://127.0.0.1:8440"] {
            Socket::upgrade(addr, &[protocol, ("origin", origin)]).await.unwrap();
        }
    });
}
