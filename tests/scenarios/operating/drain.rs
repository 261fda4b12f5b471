//! Sending everybody elsewhere before a stop.

use firstlight_protocol::{ErrorCode, policy::Millis, stream::close_code};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{Http, Socket, routing, soon},
};
use reqwest::Method;
use serde_json::Value;
use std::time::{Duration, Instant};

async fn readiness(operations: &Http) -> (u16, Value) {
    let answer = operations.send(Method::GET, "/readyz", None, None).await;
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

#[test]
fn who_is_connected_goes_one_after_another_and_callouts_are_taken_to_the_end() {
    run(async {
        let cast = Cast::with(|config| config.limits.drain_spread_ms = Millis(400)).await;
        let operations = cast.server.operations();
        assert_eq!(readiness(&operations).await.0, 200);
        let officer = cast.officer.access().await.unwrap();
        let devices = [&cast.primary, &cast.backup, &cast.supervisor, &cast.officer];
        let mut sockets = Vec::new();
        for device in devices {
            sockets.push(device.connect().await);
        }

        // A page in the operator's browser may not do it.
        let address = operations.addr();
        let foreign =
            reqwest::Client::new().post(format!("http://{address}/drain")).header("origin", "https://x.example");
        assert_eq!(foreign.send().await.unwrap().status(), 403);
        assert_eq!(operations.send(Method::GET, "/drain", None, None).await.status, 405);
        assert_eq!(readiness(&operations).await.0, 200);

        let began = Instant::now();
        assert_eq!(operations.send(Method::POST, "/drain", None, None).await.status, 202);
        let (status, told) = readiness(&operations).await;
        assert_eq!((status, &told["ready"]), (503, &Value::Bool(false)), "{told}");
        let closing =
            sockets.into_iter().map(|socket| tokio::spawn(async move { (socket.closed().await, Instant::now()) }));
        let mut times = Vec::new();
        for closed in closing.collect::<Vec<_>>() {
            let (closed, at) = closed.await.unwrap();
            assert_eq!(closed.code, Some(close_code::DRAIN));
            let hint = closed.problem.unwrap().retry_after_ms.unwrap();
            assert!((100..2_100).contains(&hint), "{hint}");
            times.push(at - began);
        }
        times.sort();
        assert!(times[3] - times[0] >= Duration::from_millis(200), "spread over time: {times:?}");
        soon("the end of draining", async { while readiness(&operations).await.1["stage"] != "drained" {} }).await;

        // Nobody comes in any more, and hears when to try again.
        let refused = cast.primary.sign_in().await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Unavailable);
        assert!(refused.retry_after_ms.is_some());
        assert!(Socket::upgrade(cast.server.http.addr(), &[]).await.is_err());
        // A callout from a device that is signed in is no reason to wait for the restart.
        let body = serde_json::json!({ "id": firstlight_protocol::CalloutId([9; 16]), "routing": routing("north", cast.now()) });
        let opened = cast.server.http.send(Method::POST, "/v1/callouts", Some(&officer), Some(body.to_string().into()));
        assert_eq!(opened.await.status, 200);
        assert_eq!(operations.send(Method::GET, "/livez", None, None).await.status, 200);
        assert_eq!(operations.send(Method::POST, "/drain", None, None).await.status, 202, "again changes nothing");
    });
}

#[test]
fn reasons_are_for_those_who_look_after_the_server() {
    run(async {
        let cast = Cast::new().await;
        let public: Value = cast.server.http.get("/v1/health").await.unwrap();
        assert_eq!(public, serde_json::json!({ "status": "ok" }));
        for allowed in [&cast.supervisor, &cast.admin] {
            let health: Value = allowed.get("/v1/health/details").await.unwrap();
            assert_eq!(health["reasons"], serde_json::json!([]));
            assert!(health["providers"].is_array());
        }
        for refused in [&cast.primary, &cast.officer, &cast.chief] {
            let problem = refused.get::<Value>("/v1/health/details").await.unwrap_err();
            assert_eq!(problem.code, ErrorCode::Forbidden);
        }
        for path in ["/livez", "/readyz", "/health", "/drain"] {
            assert_eq!(cast.server.http.send(Method::GET, path, None, None).await.status, 404, "{path} is not public");
        }
    });
}
