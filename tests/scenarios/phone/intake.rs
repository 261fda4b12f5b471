//! An agency's dispatch system opens callouts: keys, scopes, repeats, quotas, and what it never learns.

use firstlight_protocol::{
    CalloutId, ErrorCode, IntakeKeyId, LineId, Problem, Secret, Timestamp,
    api::{
        AddIntakeKey, AddLine, IntakeKeyAdded, IntakeKeyView, IntakeScope, IntakeStatus, LineAdded, LineSettings,
        Notice,
    },
    attention::Attention,
    callout::{Action, CalloutState},
    line::Line,
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{Answer, routing},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

fn settings(quota: u16) -> LineSettings {
    LineSettings { zone: "north".parse().unwrap(), site: None, languages: Vec::new(), active: true, quota }
}

async fn line(cast: &Cast, n: u8, quota: u16) -> LineAdded {
    let body = AddLine { id: LineId([n; 16]), agency: cast.police.id, code_digits: 8, settings: settings(quota) };
    cast.supervisor.post("/v1/lines", &body).await.unwrap()
}

async fn key(cast: &Cast, line: LineId, n: u8, scopes: &[IntakeScope]) -> Secret {
    let expires_at = cast.now() + Duration::from_secs(86_400);
    let body = AddIntakeKey { id: IntakeKeyId([n; 16]), scopes: scopes.to_vec(), expires_at };
    let added: IntakeKeyAdded = cast.admin.post(format!("/v1/lines/{line}/keys"), &body).await.unwrap();
    added.secret.unwrap()
}

/// A dispatch system: it has no device and signs in nowhere.
async fn send(
    cast: &Cast,
    key: &Secret,
    method: Method,
    path: &str,
    name: Option<&str>,
    body: Option<Value>,
) -> Answer {
    let url = format!("http://{}/v1/intake/callouts{path}", cast.server.http.addr());
    let mut request = reqwest::Client::new().request(method, url).bearer_auth(key.reveal());
    if let Some(name) = name {
        request = request.header("idempotency-key", name);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Answer { status, headers, body: answer.bytes().await.unwrap().to_vec() }
}

async fn open(cast: &Cast, key: &Secret, name: &str, body: Value) -> Result<IntakeStatus, Problem> {
    send(cast, key, Method::POST, "", Some(name), Some(body)).await.read()
}

async fn status(cast: &Cast, key: &Secret, callout: CalloutId) -> Result<IntakeStatus, Problem> {
    send(cast, key, Method::GET, &format!("/{callout}"), None, None).await.read()
}

fn call_back() -> Value {
    json!({ "call_back": "+15555550123" })
}

const ALL: &[IntakeScope] = &[IntakeScope::Open, IntakeScope::Read, IntakeScope::Cancel];

#[test]
fn a_dispatch_system_opens_sees_what_police_may_see_and_calls_off() {
    run(async {
        let cast = Cast::new().await;
        let line = line(&cast, 1, 50).await.line.id;
        let key = key(&cast, line, 1, ALL).await;
        let mut primary = cast.primary.connect().await;
        let opened = open(&cast, &key, "cad-1", call_back()).await.unwrap();
        assert_eq!((opened.state, opened.accepted, opened.reference), (CalloutState::Paging, 0, opened.id.short()));
        assert_eq!(primary.page().await.1, opened.id);

        cast.primary.act(opened.id, Action::Accept { eta_minutes: 25 }).await.unwrap();
        let answer = send(&cast, &key, Method::GET, &format!("/{}", opened.id), None, None).await;
        let text = String::from_utf8(answer.body.clone()).unwrap();
        let seen: IntakeStatus = answer.read().unwrap();
        assert_eq!((seen.state, seen.accepted), (CalloutState::Accepted, 1));
        assert_eq!(seen.eta_at, Some(cast.now() + Duration::from_secs(25 * 60)));
        for hidden in ["Advocate", &cast.primary.person.to_string(), "555555", "tier", "pages"] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }

        let path = format!("/{}/cancel", opened.id);
        for _ in 0..2 {
            let body = Some(json!({ "reason": "not_needed" }));
            let gone: IntakeStatus = send(&cast, &key, Method::POST, &path, None, body).await.read().unwrap();
            assert_eq!(gone.state, CalloutState::Cancelled);
        }
    });
}

#[test]
fn a_repeated_request_opens_nothing_more_and_another_one_is_a_conflict() {
    run(async {
        let cast = Cast::new().await;
        let line = line(&cast, 1, 50).await.line.id;
        let key = key(&cast, line, 1, ALL).await;
        let (a, b) = tokio::join!(open(&cast, &key, "cad-1", call_back()), open(&cast, &key, "cad-1", call_back()));
        let first = a.unwrap();
        assert_eq!(first.id, b.unwrap().id, "at the same moment");
        cast.minutes(5);
        assert_eq!(open(&cast, &key, "cad-1", call_back()).await.unwrap().id, first.id);
        let other = json!({ "call_back": "+15555550123", "young_people": 2 });
        assert_eq!(open(&cast, &key, "cad-1", other.clone()).await.unwrap_err().code, ErrorCode::Conflict);
        assert_ne!(open(&cast, &key, "cad-2", other).await.unwrap().id, first.id);
        let unnamed = send(&cast, &key, Method::POST, "", None, Some(call_back())).await;
        assert_eq!(unnamed.problem().code, ErrorCode::BadRequest);
        let named = json!({ "call_back": "+15555550123", "name": "somebody" });
        assert_eq!(open(&cast, &key, "cad-3", named).await.unwrap_err().code, ErrorCode::BadRequest);
    });
}

#[test]
fn a_key_does_what_its_scopes_say_for_its_own_line_until_it_is_revoked() {
    run(async {
        let cast = Cast::new().await;
        let (mine, other) = (line(&cast, 1, 50).await.line.id, line(&cast, 2, 50).await.line.id);
        let opener = key(&cast, mine, 1, &[IntakeScope::Open]).await;
        let reader = key(&cast, mine, 2, &[IntakeScope::Read]).await;
        let stranger = key(&cast, other, 3, ALL).await;
        let opened = open(&cast, &opener, "cad-1", call_back()).await.unwrap();
        assert_eq!(status(&cast, &opener, opened.id).await.unwrap_err().code, ErrorCode::Forbidden);
        assert_eq!(open(&cast, &reader, "cad-2", call_back()).await.unwrap_err().code, ErrorCode::Forbidden);
        assert_eq!(status(&cast, &reader, opened.id).await.unwrap().id, opened.id);
        assert_eq!(status(&cast, &stranger, opened.id).await.unwrap_err().code, ErrorCode::NotFound);
        let by_app = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        assert_eq!(status(&cast, &reader, by_app.id).await.unwrap_err().code, ErrorCode::NotFound);

        let keys: Vec<IntakeKeyView> = cast.supervisor.get(format!("/v1/lines/{mine}/keys")).await.unwrap();
        assert_eq!(keys.len(), 2);
        assert!(keys.iter().all(|key| key.last_used_at.is_some()));
        cast.admin.delete(&format!("/v1/lines/{mine}/keys/{}", IntakeKeyId([2; 16]))).await.unwrap();
        assert_eq!(status(&cast, &reader, opened.id).await.unwrap_err().code, ErrorCode::Unauthenticated);
        cast.minutes(24 * 60);
        assert_eq!(open(&cast, &opener, "cad-3", call_back()).await.unwrap_err().code, ErrorCode::Unauthenticated);
        for bad in ["flk_x", "", "Bearer"] {
            let refused = status(&cast, &Secret::new(bad), opened.id).await.unwrap_err();
            assert_eq!(refused.code, ErrorCode::Unauthenticated);
        }
        // A device's token is no intake key, and a key is no device's token.
        let token = cast.supervisor.access().await.unwrap();
        assert_eq!(status(&cast, &token, opened.id).await.unwrap_err().code, ErrorCode::Unauthenticated);
        let me = cast.server.http.send(Method::GET, "/v1/lines", Some(&stranger), None).await;
        assert_eq!(me.problem().code, ErrorCode::Unauthenticated);
    });
}

#[test]
fn a_line_opens_no_more_than_its_quota_and_the_supervisor_hears_of_it_once() {
    run(async {
        let cast = Cast::new().await;
        let line = line(&cast, 1, 2).await.line.id;
        let key = key(&cast, line, 1, ALL).await;
        for name in ["cad-1", "cad-2"] {
            open(&cast, &key, name, call_back()).await.unwrap();
        }
        for _ in 0..3 {
            assert_eq!(open(&cast, &key, "cad-3", call_back()).await.unwrap_err().code, ErrorCode::RateLimited);
        }
        let exhausted = Notice::Attention { about: Attention::LineExhausted { line } };
        let heard = cast.supervisor.inbox().await.into_iter().filter(|item| item.notice == exhausted).count();
        assert_eq!(heard, 1);
        open(&cast, &key, "cad-1", call_back()).await.unwrap();
    });
}

#[test]
fn lines_are_kept_by_the_hosts_admins_and_supervisors_and_codes_are_shown_once() {
    run(async {
        let cast = Cast::new().await;
        let added = line(&cast, 1, 50).await;
        let code = added.code.unwrap();
        assert!(code.reveal().len() == 8 && code.reveal().bytes().all(|b| b.is_ascii_digit()));
        assert_eq!(line(&cast, 1, 50).await.code, None, "the same request again");
        let changed: Line = cast
            .admin
            .put(format!("/v1/lines/{}", added.line.id), &LineSettings { active: false, ..settings(7) })
            .await
            .unwrap();
        assert_eq!((changed.quota, changed.active), (7, false));
        let renewed: LineAdded =
            cast.admin.post(format!("/v1/lines/{}/code", added.line.id), &json!({})).await.unwrap();
        assert_ne!(renewed.code, Some(code));
        let listed = cast.admin.get::<Value>("/v1/lines").await.unwrap().to_string();
        assert!(!listed.contains(renewed.code.unwrap().reveal()));
        for other in [&cast.officer, &cast.primary, &cast.chief] {
            assert_eq!(other.get::<Vec<Line>>("/v1/lines").await.unwrap_err().code, ErrorCode::Forbidden);
        }
        let key = key(&cast, added.line.id, 1, ALL).await;
        assert_eq!(open(&cast, &key, "cad-1", call_back()).await.unwrap_err().code, ErrorCode::Forbidden, "not active");
        cast.admin.delete(&format!("/v1/lines/{}", added.line.id)).await.unwrap();
        assert_eq!(open(&cast, &key, "cad-1", call_back()).await.unwrap_err().code, ErrorCode::Unauthenticated);
        let past = AddIntakeKey { id: IntakeKeyId([9; 16]), scopes: ALL.to_vec(), expires_at: Timestamp(0) };
        let refused = cast.admin.post::<IntakeKeyAdded>(format!("/v1/lines/{}/keys", added.line.id), &past).await;
        assert_eq!(refused.unwrap_err().code, ErrorCode::InvalidValue);
    });
}
