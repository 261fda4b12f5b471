//! Requests that are not of the documented shape.

use firstlight_protocol::{ErrorCode, Problem, limits::MAX_BODY};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{Device, routing},
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What somebody typed in the wrong place.
const MARKER: &str = "Name-of-a-child";

async fn post(device: &Device, path: &str, body: Vec<u8>) -> Problem {
    let token = device.access().await.unwrap();
    device.http.send(Method::POST, path, Some(&token), Some(body)).await.problem()
}

#[test]
fn shapes_are_checked_and_nothing_is_quoted_back() {
    run(async {
        let cast = Cast::new().await;
        let good = json!({ "id": firstlight_protocol::CalloutId([7; 16]), "routing": routing("north", cast.now()) });
        let with = |change: fn(&mut Value)| {
            let mut body = good.clone();
            change(&mut body);
            serde_json::to_vec(&body).unwrap()
        };
        let bodies = [
            b"{".to_vec(),
            b"".to_vec(),
            b"[]".to_vec(),
            vec![0xff; 100],
            "[".repeat(50_000).into_bytes(),
            with(|b| b[MARKER] = json!(1)),
            with(|b| b["routing"][MARKER] = json!("x")),
            with(|b| b["routing"]["zone"] = json!(MARKER.repeat(50))),
            with(|b| b["routing"]["call_back"] = json!(MARKER)),
            with(|b| b["routing"]["young_people"] = json!(-1)),
            with(|b| b["id"] = json!(MARKER)),
            with(|b| b["id"] = json!("per_00000000000000000000000000")),
            [with(|_| {}), b"x".to_vec()].concat(),
        ];
        for body in bodies {
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            let problem = cast.changes_nothing(post(&cast.officer, "/v1/callouts", body)).await;
            assert_eq!(problem.code, ErrorCode::BadRequest, "{shown}");
            assert!(!format!("{problem:?}").contains(MARKER), "what somebody typed never comes back: {problem:?}");
        }
        let out_of_bounds: [fn(&mut Value); 3] = [
            |b| b["routing"]["young_people"] = json!(501),
            |b| b["routing"]["wanted"] = json!(0),
            |b| b["routing"]["first_contact_at"] = json!(0),
        ];
        for change in out_of_bounds {
            let problem = cast.changes_nothing(post(&cast.officer, "/v1/callouts", with(change))).await;
            assert_eq!(problem.code, ErrorCode::InvalidValue);
        }
    });
}

#[test]
fn an_id_in_use_with_other_content_is_a_conflict() {
    run(async {
        let cast = Cast::new().await;
        let opened = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        let other = firstlight_protocol::callout::OpenCallout {
            id: opened.id,
            routing: routing("south", cast.now()),
            purpose: opened.purpose,
        };
        let attempt = cast.officer.post::<Value>("/v1/callouts", &other);
        assert_eq!(cast.changes_nothing(attempt).await.unwrap_err().code, ErrorCode::Conflict);
    });
}

#[test]
fn an_oversized_body_is_refused_before_it_is_read() {
    run(async {
        let cast = Cast::new().await;
        let token = cast.officer.access().await.unwrap();
        // Announced, and never sent: the answer comes all the same.
        let head = format!(
            "POST /v1/callouts HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            token.reveal(),
            MAX_BODY + 1
        );
        let answer = cast.changes_nothing(async {
            let mut socket = TcpStream::connect(cast.server.http.addr()).await.unwrap();
            socket.write_all(head.as_bytes()).await.unwrap();
            let mut answer = vec![0; 4_096];
            let length = socket.read(&mut answer).await.unwrap();
            String::from_utf8(answer[..length].to_vec()).unwrap()
        });
        let answer = answer.await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
        assert_eq!(serde_json::from_str::<Problem>(body).unwrap().code, ErrorCode::TooLarge);
    });
}

#[test]
fn wrong_paths_methods_and_types_are_problems_too() {
    run(async {
        let cast = Cast::new().await;
        let token = cast.officer.access().await.unwrap();
        let http = &cast.server.http;
        for path in ["/v1", "/v1/nothing", "/v1/people/../nothing", "/favicon.ico"] {
            let answer = http.send(Method::GET, path, Some(&token), None).await;
            assert_eq!(answer.problem().code, ErrorCode::NotFound, "{path}");
        }
        let answer = http.send(Method::DELETE, "/v1/callouts", Some(&token), None).await;
        assert_eq!(answer.status, 405);
        let answer = http.send(Method::GET, "/v1/callouts/what", Some(&token), None).await;
        assert_eq!(answer.problem().code, ErrorCode::BadRequest);
        let answer = http.send(Method::GET, "/v1/inbox?after=x", Some(&token), None).await;
        assert_eq!(answer.problem().code, ErrorCode::BadRequest);
        let answer = http.send(Method::GET, "/v1/inbox?what=1", Some(&token), None).await;
        assert_eq!(answer.problem().code, ErrorCode::BadRequest);
        for path in ["/v1/callouts", "/v1/me", "/v1/rooms", "/v1/inbox", "/v1/people", "/v1/rota"] {
            let answer = http.send(Method::GET, path, None, None).await;
            assert_eq!(answer.problem().code, ErrorCode::Unauthenticated, "{path}");
        }
        // Whoever isn't signed in can't make the server read a body.
        let answer = http.send(Method::POST, "/v1/callouts", None, Some(b"{".to_vec())).await;
        assert_eq!(answer.problem().code, ErrorCode::Unauthenticated);
    });
}
