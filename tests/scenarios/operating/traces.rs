//! What a collector gets: where the time went, and nothing of anybody.

use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use firstlight_protocol::callout::Action;
use firstlight_server::{config::Log, config::Traces, telemetry};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{routing, soon},
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value, trace::v1::Span,
};
use prost::Message;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

type Got = Arc<Mutex<Vec<Span>>>;

/// A collector that takes spans from whoever knows the word, and keeps them.
async fn collector() -> (String, Got) {
    let got = Got::default();
    let kept = Arc::clone(&got);
    let take = move |headers: HeaderMap, body: Bytes| {
        let kept = Arc::clone(&kept);
        async move {
            assert_eq!(headers["authorization"], "Bearer collector-word");
            assert_eq!(headers["content-type"], "application/x-protobuf");
            let request = ExportTraceServiceRequest::decode(body).unwrap();
            for resource in request.resource_spans {
                let named: BTreeSet<_> = resource.resource.unwrap().attributes.into_iter().map(|a| a.key).collect();
                let wanted = ["service.name", "service.version"].map(String::from);
                assert_eq!(named, BTreeSet::from(wanted), "nothing of the machine");
                kept.lock().unwrap().extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
            }
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/traces", post(take))).await });
    (url, got)
}

/// A span's attributes as text.
fn attributes(span: &Span) -> BTreeMap<String, String> {
    let text = |value: Option<Value>| match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(n)) => n.to_string(),
        other => panic!("{other:?}"),
    };
    span.attributes.iter().map(|a| (a.key.clone(), text(a.value.clone().and_then(|value| value.value)))).collect()
}

#[test]
fn a_callout_can_be_followed_to_the_provider_and_nobody_is_in_it() {
    run(async {
        let (endpoint, got) = collector().await;
        let word = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(word.path(), "Bearer collector-word\n").unwrap();
        let settings = Traces { endpoint, one_in: 1, authorization_file: word.path().to_owned() };
        let telemetry = telemetry::init(&Log::default(), &settings).unwrap();
        let cast = Cast::new().await;
        let (mut primary, mut backup) = (cast.primary.connect().await, cast.backup.connect().await);
        let callout = cast.officer.open_callout(routing("north", cast.now())).await.unwrap().id;
        primary.page().await;
        cast.seconds(190);
        assert_eq!(backup.page().await.1, callout);
        cast.backup.act(callout, Action::Accept { eta_minutes: 30 }).await.unwrap();
        let telemetry = Arc::new(telemetry);
        let spans = soon("the spans", async {
            loop {
                let flushing = Arc::clone(&telemetry);
                tokio::task::spawn_blocking(move || flushing.flush()).await.unwrap();
                let spans = got.lock().unwrap().clone();
                if ["request", "write", "transaction", "timer"].iter().all(|name| spans.iter().any(|s| s.name == *name))
                {
                    return spans;
                }
            }
        })
        .await;

        let by_id: BTreeMap<_, _> = spans.iter().map(|span| (span.span_id.clone(), span)).collect();
        let parent = |span: &Span| by_id.get(&span.parent_span_id).map(|span| span.name.as_str());
        let opening = spans.iter().find(|s| attributes(s).get("route").is_some_and(|route| route == "/v1/callouts"));
        let opening = opening.expect("the officer's request");
        assert_eq!(attributes(opening)["status"], "200");
        let transaction = spans
            .iter()
            .find(|s| {
                s.name == "transaction" && s.trace_id == opening.trace_id && attributes(s).contains_key("callout")
            })
            .expect("what it wrote, in the same trace");
        assert_eq!(
            (parent(transaction), attributes(transaction)["callout"].as_str()),
            (Some("write"), &*callout.to_string())
        );
        let timer = spans.iter().find(|s| s.name == "timer").unwrap();
        assert_eq!(attributes(timer)["callout"], callout.to_string());

        let mut names = BTreeSet::new();
        for span in &spans {
            names.insert(span.name.as_str());
            assert!(span.events.is_empty() && span.links.is_empty(), "{span:?}");
            for (key, value) in attributes(span) {
                let known = ["id", "method", "route", "status", "callout", "try_", "name"];
                assert!(known.contains(&key.as_str()), "{key} in {}", span.name);
                let person = [&cast.primary, &cast.backup, &cast.officer].map(|device| device.person.to_string());
                assert!(
                    !person.contains(&value) && !value.contains("Advocate") && !value.contains("north"),
                    "{key}: {value}"
                );
            }
        }
        let known = BTreeSet::from(["request", "write", "transaction", "timer", "page", "provider"]);
        assert!(names.is_subset(&known), "{names:?}");
    });
}
