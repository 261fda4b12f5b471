//! The documents are the contract: every frame is in the grammar of stream.cddl, every documented path is served.

use cddl_cat::validate_cbor_bytes;
use firstlight_protocol::{
    CalloutId, CheckId, ContactId, DeviceId, ErrorCode, LineId, MessageId, OrgId, PageId, PersonId, Problem, RoomId,
    Secret, Timestamp,
    agency::AgencyNoticeView,
    api::{Acks, EntryKind, InboxItem, Notice, ReadinessLevel, RoomCursor},
    attention::Attention,
    callout::{Alarm, Purpose, Tier},
    stream::{ClientFrame, Closing, Entry, Hello, Ready, Refused, SUBPROTOCOL, SendFrame, SentFrame, ServerFrame},
    wire::to_cbor,
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{Answer, routing},
};
use reqwest::Method;
use serde_json::Value;
use std::{fs, path::Path};

fn grammar() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/docs/stream.cddl");
    fs::read_to_string(file).unwrap()
}

#[track_caller]
fn is(rule: &str, grammar: &str, bytes: &[u8]) {
    if let Err(e) = validate_cbor_bytes(rule, grammar, bytes) {
        panic!("not a {rule}: {e}: {}", ciborium_debug(bytes));
    }
}

fn ciborium_debug(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn client_frames() -> Vec<ClientFrame> {
    let cursor = RoomCursor { room: RoomId([1; 16]), seq: 7 };
    let send = SendFrame { id: MessageId([2; 16]), room: RoomId([1; 16]), message: vec![1, 2, 3].into() };
    vec![
        ClientFrame::Hello(Hello { ticket: Secret::new("ticket"), inbox: None, rooms: vec![] }),
        ClientFrame::Hello(Hello { ticket: Secret::new("ticket"), inbox: Some(3), rooms: vec![cursor] }),
        ClientFrame::Send(send),
        ClientFrame::Ack(Acks { rooms: vec![cursor], inbox: None }),
        ClientFrame::Ack(Acks { rooms: vec![], inbox: Some(u64::MAX) }),
        ClientFrame::Subscribe(cursor),
        ClientFrame::PageSeen { page: PageId([3; 16]) },
        ClientFrame::Ping {},
    ]
}

fn server_frames() -> Vec<ServerFrame> {
    let (room, device, callout) = (RoomId([1; 16]), DeviceId([2; 16]), CalloutId([3; 16]));
    let (id, org, at) = (MessageId([4; 16]), OrgId([5; 16]), Timestamp(1_700_000_000_000));
    let mut frames = vec![
        ServerFrame::Ready(Ready { device, now: at, ping_ms: 30_000, addresses: Vec::new() }),
        ServerFrame::Ready(Ready { device, now: at, ping_ms: 30_000, addresses: vec!["https://b.example.org".into()] }),
        ServerFrame::Entry(Entry {
            room,
            seq: 1,
            at,
            sender: device,
            id,
            kind: EntryKind::Commit,
            body: vec![0].into(),
        }),
        ServerFrame::Entry(Entry {
            room,
            seq: 2,
            at,
            sender: device,
            id,
            kind: EntryKind::Message,
            body: vec![0; 300].into(),
        }),
        ServerFrame::Sent(SentFrame { id, room, seq: 9, at }),
        ServerFrame::Closing(Closing { problem: ErrorCode::DeviceRevoked.into() }),
        ServerFrame::Pong {},
    ];
    for code in ErrorCode::ALL {
        let problem = Problem::with(*code, "More about it.").retry_after_ms(5);
        frames.push(ServerFrame::Refused(Refused { id: Some(id), problem }));
        frames.push(ServerFrame::Refused(Refused { id: None, problem: Problem::new(*code) }));
    }
    let person = PersonId([7; 16]);
    let asked = AgencyNoticeView {
        callout,
        reference: "abc123".into(),
        agency: org,
        zone: "north".parse().unwrap(),
        notified_at: at,
        acknowledged_by: None,
        acknowledged_at: None,
        called_off: false,
        drill: true,
    };
    let answered = AgencyNoticeView { acknowledged_by: Some(person), acknowledged_at: Some(at), ..asked.clone() };
    let notices = [
        Notice::AgencyNotice { page: Some(PageId([6; 16])), view: asked },
        Notice::AgencyNotice { page: None, view: answered },
        Notice::Welcome { room, epoch: 1, seq: 1 },
        Notice::RoomLeft { room, seq: 5 },
        Notice::Page { page: PageId([6; 16]), callout, attempt: 1, purpose: Purpose::Drill },
        Notice::StandDown { callout },
        Notice::Alarm { callout, alarm: Alarm::Unanswered },
        Notice::Alarm { callout, alarm: Alarm::Unfilled { missing: 2 } },
        Notice::Attention { about: Attention::ContactBlocked { person, contact: ContactId([8; 16]) } },
        Notice::Attention { about: Attention::ContactInvalid { person, contact: ContactId([8; 16]) } },
        Notice::Attention { about: Attention::CodesTried {} },
        Notice::Attention { about: Attention::PinsTried { person } },
        Notice::Attention { about: Attention::LineExhausted { line: LineId([9; 16]) } },
        Notice::Attention {
            about: Attention::CoverageGap { tier: Tier::Primary, from: at, until: Timestamp(at.0 + 1), more: 2 },
        },
        Notice::Revoked { org, devices: vec![device] },
        Notice::RemoveFromRoom { room, devices: vec![device] },
        Notice::Test { check: CheckId([7; 16]), attempt: 2 },
        Notice::Readiness { person: PersonId([8; 16]), level: ReadinessLevel::Red },
        Notice::HandOff {
            tier: Tier::Primary,
            zone: Some("north".parse().unwrap()),
            on: true,
            until: Some(Timestamp(1)),
            with: vec![PersonId([8; 16])],
        },
        Notice::HandOff { tier: Tier::Backup, zone: None, on: false, until: None, with: vec![] },
        Notice::RequestPending {},
    ];
    frames.extend(notices.map(|notice| ServerFrame::Inbox(InboxItem { seq: 1, prev: None, at, notice })));
    frames
}

#[test]
fn every_frame_is_in_the_grammar() {
    let grammar = grammar();
    for frame in client_frames() {
        is("client-frame", &grammar, &to_cbor(&frame));
    }
    for frame in server_frames() {
        is("server-frame", &grammar, &to_cbor(&frame));
    }
    // And the grammar refuses what is not a frame.
    for other in [&b"\xa1\x65hello\x01"[..], b"\xa0", b"\x80", b"\xa1\x69page_seen\xa1\x64page\x41\x00"] {
        assert!(validate_cbor_bytes("client-frame", &grammar, other).is_err());
        assert!(validate_cbor_bytes("server-frame", &grammar, other).is_err());
    }
    assert!(grammar.contains(SUBPROTOCOL));
}

#[test]
fn a_real_views_frame_is_in_the_grammar() {
    run(async {
        let cast = Cast::new().await;
        cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        let grammar = grammar();
        for item in cast.supervisor.inbox().await.into_iter().chain(cast.officer.inbox().await) {
            is("server-frame", &grammar, &to_cbor(&ServerFrame::Inbox(item)));
        }
    });
}

/// The documented operations: method, path as documented, whether it takes a body.
fn operations(document: &Value) -> Vec<(Method, String, bool)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if let Ok(method) = method.to_uppercase().parse::<Method>()
                && ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str())
            {
                all.push((method, path.clone(), operation.get("requestBody").is_some()));
            }
        }
    }
    all
}

/// A documented path with something in each of its parameters' places: all but a few are ids.
fn somewhere(path: &str) -> String {
    let file = format!("{}.ics", "A".repeat(43));
    let place = |segment: &str| match segment {
        "{epoch}" => "1".into(),
        "{account}" => "main".into(),
        "{file}" => file.clone(),
        id if id.starts_with('{') => RoomId([9; 16]).to_string(),
        fixed => fixed.into(),
    };
    path.split('/').map(place).collect::<Vec<String>>().join("/")
}

#[test]
fn every_documented_path_is_served_and_answers_as_documented() {
    run(async {
        let cast = Cast::new().await;
        let http = &cast.server.http;
        let document: Value = http.get("/v1/openapi.json").await.unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        let operations = operations(&document);
        assert!(operations.len() > 35, "{}", operations.len());
        for (method, path, takes_body) in &operations {
            let real = somewhere(path);
            let token = cast.admin.access().await.unwrap();
            let body = takes_body.then(|| b"[]".to_vec());
            let answer = http.send(method.clone(), &real, Some(&token), body).await;
            served(method, path, *takes_body, &answer);
            let documented = &document["paths"][path][method.as_str().to_lowercase()]["responses"];
            assert!(documented.as_object().is_some_and(|r| !r.is_empty()), "{method} {path} documents no answer");
        }
    });
}

fn served(method: &Method, path: &str, takes_body: bool, answer: &Answer) {
    assert_ne!(answer.status, 405, "{method} {path} is documented and not served");
    assert!(answer.status < 500, "{method} {path} answers {}", answer.status);
    if answer.status >= 400 {
        let problem = answer.problem();
        let nowhere = problem.detail.as_deref().is_some_and(|d| d.starts_with("There is no such path"));
        assert!(!nowhere, "{method} {path} is documented and not served");
        if takes_body {
            let shape = matches!(
                problem.code,
                ErrorCode::BadRequest | ErrorCode::Forbidden | ErrorCode::NotFound | ErrorCode::Unauthenticated
            );
            assert!(shape, "{method} {path} took a body that is none: {problem}");
        }
    }
}
