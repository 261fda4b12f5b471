//! The edge of a real server in this process, over a real socket.

use super::*;
use crate::{
    clock::Clock,
    config::Config,
    serve::{Running, serve},
};
use axum::body::Body;
use reqwest::{Client, Response as Answer};
use tempfile::TempDir;
use tower::ServiceExt;

struct Server {
    running: Running,
    client: Client,
    _dir: TempDir,
}

async fn start() -> Server {
    start_as("http://127.0.0.1:8440").await
}

async fn start_as(name: &str) -> Server {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        data_dir: dir.path().join("data"),
        listen: "127.0.0.1:0".parse().unwrap(),
        name: name.into(),
        origins: vec!["https://app.example.org".into()],
        ..Config::default()
    };
    let running = serve(config, Clock::System).await.unwrap();
    Server { running, client: Client::new(), _dir: dir }
}

impl Server {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.addr)
    }

    async fn get(&self, path: &str) -> Answer {
        self.client.get(self.url(path)).send().await.unwrap()
    }
}

async fn problem(answer: Answer) -> Problem {
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
    answer.json().await.unwrap()
}

#[tokio::test]
async fn unknown_paths_methods_and_long_bodies_get_typed_problems() {
    let server = start().await;
    let missing = server.get("/v1/nothing?secret=1").await;
    assert_eq!(missing.status(), 404);
    assert_eq!(problem(missing).await.code, ErrorCode::NotFound);
    let method = server.client.delete(server.url("/v1/health/live")).send().await.unwrap();
    assert_eq!(method.status(), 405);
    assert_eq!(problem(method).await.code, ErrorCode::BadRequest);
    let long = server.client.post(server.url("/v1/nothing")).body(vec![0; MAX_BODY + 1]).send().await.unwrap();
    assert_eq!(long.status(), 413);
    assert_eq!(problem(long).await.code, ErrorCode::TooLarge);
    server.running.shutdown().await;
}

#[tokio::test]
async fn health_says_whether_work_can_be_done() {
    let server = start().await;
    assert_eq!(server.get("/v1/health/live").await.json::<health::Health>().await.unwrap().status, "live");
    assert_eq!(server.get("/v1/health/ready").await.json::<health::Health>().await.unwrap().status, "ready");
    // Without its writer the server is alive, but can't take work.
    server.running.app.store.close().await;
    assert_eq!(server.get("/v1/health/live").await.status(), 200);
    // Others who asked just before may have got the same answer.
    let answer = loop {
        let answer = server.get("/v1/health/ready").await;
        if answer.status() != 200 {
            break answer;
        }
    };
    assert_eq!(answer.status(), 503);
    assert_eq!(problem(answer).await.code, ErrorCode::Unavailable);
    let public = server.get("/v1/health").await;
    assert_eq!(public.status(), 503);
    assert_eq!(public.text().await.unwrap(), r#"{"status":"failing"}"#, "the reasons are not for everybody");
}

#[tokio::test]
async fn every_answer_has_the_headers_and_an_id_of_its_own() {
    let server = start().await;
    let mut ids = Vec::new();
    for path in ["/v1/health/live", "/v1/nothing", "/v1/openapi.json"] {
        let answer = server.get(path).await;
        for (name, value) in HEADERS {
            assert_eq!(answer.headers()[name], value, "{path}");
        }
        ids.push(answer.headers()[REQUEST_ID].to_str().unwrap().to_owned());
    }
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
}

#[tokio::test]
async fn where_clients_use_https_every_answer_holds_them_to_it() {
    for (name, held) in [("https://duty.example.org", Some("max-age=63072000")), ("http://127.0.0.1:8440", None)] {
        let server = start_as(name).await;
        for path in ["/", "/v1/nothing"] {
            let answer = server.get(path).await;
            let header = answer.headers().get(header::STRICT_TRANSPORT_SECURITY);
            assert_eq!(header.map(|h| h.to_str().unwrap()), held, "{path}");
        }
    }
}

#[tokio::test]
async fn only_pages_of_named_origins_may_call_from_a_browser() {
    let server = start().await;
    for (origin, allowed) in [("https://app.example.org", true), ("https://other.example.org", false)] {
        let request = server
            .client
            .request(Method::OPTIONS, server.url("/v1/health/live"))
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET");
        let answer = request.send().await.unwrap();
        let granted = answer.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
        assert_eq!(granted.is_some_and(|g| g == origin), allowed, "{origin}");
    }
}

#[tokio::test]
async fn the_document_is_served() {
    let server = start().await;
    let document: serde_json::Value = server.get("/v1/openapi.json").await.json().await.unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(document["paths"]["/v1/health/live"]["get"]["responses"]["default"].is_object());
    assert_eq!(document["paths"]["/v1/health/live"]["get"]["security"], serde_json::json!([]));
}

#[tokio::test]
async fn a_panic_becomes_a_problem() {
    async fn broken() -> &'static str {
        panic!("a defect")
    }
    let router = Router::new().route("/", get(broken)).layer(from_fn(catch_panics));
    let answer = router.oneshot(Request::new(Body::empty())).await.unwrap();
    assert_eq!(answer.status(), 500);
    let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
    assert_eq!(serde_json::from_slice::<Problem>(&body).unwrap().code, ErrorCode::Internal);
}

/// The app's own headers stand beside the API's, and neither changes the other.
#[tokio::test]
async fn the_app_is_served_beside_the_api() {
    let server = start().await;
    for path in ["/", "/join"] {
        let page = server.get(path).await;
        assert_eq!(page.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
        let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("'wasm-unsafe-eval'"), "{policy}");
        assert!(page.headers().contains_key(REQUEST_ID));
    }
    let head = server.client.head(server.url("/")).send().await.unwrap();
    assert!(head.headers().contains_key(header::CONTENT_LENGTH));
    assert_eq!(head.text().await.unwrap(), "");
    let api = server.get("/v1/health/live").await;
    assert_eq!(api.headers()[header::CONTENT_SECURITY_POLICY], "default-src 'none'; frame-ancestors 'none'");
    assert_eq!(server.get("/nothing.js").await.status(), 404);
    server.running.shutdown().await;
}
