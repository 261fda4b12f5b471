//! Pages over real sockets to receivers that are quick, slow, failing or silent.

use super::*;
use crate::store::sql;
use axum::{
    Router,
    body::Bytes as Body,
    extract::Path as AxumPath,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use firstlight_protocol::callout::FailReason;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::{net::TcpListener, sync::mpsc};

const KEY: &str = "0123456789abcdef";

/// One request as the receiver got it.
#[derive(Debug)]
struct Received {
    path: String,
    headers: HeaderMap,
    body: Body,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn signed(&self) -> bool {
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
        mac.update(format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp")).as_bytes());
        mac.update(&self.body);
        self.header("webhook-signature") == format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// A receiver: `/ok…` answers, `/flaky…` fails the first time, `/hang…` never answers, `/moved` points elsewhere.
struct Receiver {
    port: u16,
    got: mpsc::UnboundedReceiver<Received>,
}

impl Receiver {
    async fn start() -> Self {
        let (tell, got) = mpsc::unbounded_channel();
        let flaky = Arc::new(std::sync::atomic::AtomicBool::new(true));
        let answer = move |AxumPath(path): AxumPath<String>, headers: HeaderMap, body: Body| {
            let (tell, flaky) = (tell.clone(), Arc::clone(&flaky));
            async move {
                let fails = path.starts_with("flaky") && flaky.swap(false, std::sync::atomic::Ordering::SeqCst);
                let (hangs, moved) = (path.starts_with("hang"), path == "moved");
                let _ = tell.send(Received { path, headers, body });
                if hangs {
                    std::future::pending::<()>().await;
                }
                let status = match (fails, moved) {
                    (true, _) => StatusCode::INTERNAL_SERVER_ERROR,
                    (_, true) => StatusCode::TEMPORARY_REDIRECT,
                    _ => StatusCode::NO_CONTENT,
                };
                (status, [("location", "/ok")])
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().route("/{path}", post(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { port, got }
    }

    #[track_caller]
    fn next(&mut self) -> impl Future<Output = Received> {
        let place = std::panic::Location::caller();
        async move {
            let next = tokio::time::timeout(PATIENCE, self.got.recv()).await;
            next.ok().flatten().unwrap_or_else(|| panic!("nothing came: {place}"))
        }
    }
}

async fn house(receiver: &Receiver, hooks: &[(Caller, &str)]) -> House {
    let allow = format!("127.0.0.1:{}", receiver.port);
    let house = House::with(Paging { webhook_allow: vec![allow], ..Paging::default() }).await;
    for (caller, path) in hooks {
        let (person, url) = (caller.person, format!("http://127.0.0.1:{}/{path}", receiver.port));
        house
            .app()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    sql::query(
                        "INSERT INTO contacts (person, place, contact, kind, address, secret, state)
                         VALUES ($1, 1, $1, 'webhook', $2, $3, 'verified')",
                    )
                    .bind(person.as_bytes())
                    .bind(url)
                    .bind(KEY)
                    .execute(&mut *tx.conn)
                    .await?;
                    Ok(())
                })
            })
            .await
            .unwrap();
    }
    house
}

#[tokio::test]
async fn somebody_without_a_connected_device_is_called_by_webhook_at_once() {
    let mut receiver = Receiver::start().await;
    let house = house(&receiver, &[(primary(), "ok")]).await;
    let over = house.phone(&supervisor());
    house.open(&officer(), request(&house)).await.unwrap();
    let got = receiver.next().await;
    assert!(got.signed());
    assert_eq!(got.header("webhook-timestamp"), (house.app().clock.now().0 / 1_000).to_string());
    let body = got.json();
    assert_eq!(body["page"], got.header("webhook-id"));
    assert_eq!((&body["kind"], &body["text"]), (&"page".into(), &"Duty: respond".into()));
    assert_eq!((&body["attempt"], &body["redelivery"]), (&2.into(), &false.into()));
    let text = String::from_utf8(got.body.to_vec()).unwrap();
    for secret in [CALLOUT.to_string(), officer().person.to_string(), "555-0101".into(), "north".into()] {
        assert!(!text.contains(&secret));
    }
    let view = over.view(|v| v.pages.as_ref().is_some_and(|p| p.len() == 2 && p[1].handed_over_at.is_some())).await;
    assert_eq!(view.pages.unwrap()[0].failed, Some(FailReason::NotConnected));

    // What has rung is told to stop.
    house
        .act(&officer(), 1, Action::Cancel { reason: firstlight_protocol::callout::CancelReason::Mistake })
        .await
        .unwrap();
    let got = receiver.next().await;
    assert!(got.signed());
    assert_eq!((&got.json()["kind"], &got.json()["text"]), (&"stand_down".into(), &"Duty: stand down".into()));
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_nobody_else() {
    let mut receiver = Receiver::start().await;
    let house = house(&receiver, &[(primary(), "hang"), (backup(), "ok")]).await;
    let over = house.phone(&supervisor());
    house.open(&officer(), request(&house)).await.unwrap();
    assert_eq!(receiver.next().await.path, "hang");
    house.clock.advance(minutes(3));
    // The primary is called again as well.
    while receiver.next().await.path != "ok" {}
    let taken = |v: &CalloutView| {
        v.pages
            .as_ref()
            .is_some_and(|all| all.iter().any(|p| p.person == backup().person && p.handed_over_at.is_some()))
    };
    let view = over.view(taken).await;
    let hanging = |p: &&firstlight_protocol::callout::PageView| p.person == primary().person && p.failed.is_none();
    assert!(view.pages.unwrap().iter().filter(hanging).all(|p| p.handed_over_at.is_none()));
}

#[tokio::test]
async fn a_failed_page_is_tried_again_under_the_same_id() {
    let mut receiver = Receiver::start().await;
    let house = house(&receiver, &[(primary(), "flaky")]).await;
    let over = house.phone(&supervisor());
    house.open(&officer(), request(&house)).await.unwrap();
    let first = receiver.next().await;
    let failed =
        |v: &CalloutView| v.pages.as_ref().is_some_and(|p| p.len() == 2 && p[1].failed == Some(FailReason::Rejected));
    over.view(failed).await;
    house.clock.advance(Duration::from_secs(1));
    let second = receiver.next().await;
    assert_eq!(second.header("webhook-id"), first.header("webhook-id"));
    assert_eq!(second.json()["redelivery"], true, "it may have rung before the receiver failed");
    over.view(|v| v.pages.as_ref().is_some_and(|p| p[1].handed_over_at.is_some())).await;
}

#[tokio::test]
async fn who_has_answered_is_not_called_again() {
    let mut receiver = Receiver::start().await;
    let house = house(&receiver, &[(primary(), "flaky"), (backup(), "ok")]).await;
    let over = house.phone(&supervisor());
    house.open(&officer(), request(&house)).await.unwrap();
    receiver.next().await;
    over.view(|v| v.pages.as_ref().is_some_and(|p| p.iter().any(|p| p.failed == Some(FailReason::Rejected)))).await;
    house.act(&primary(), 1, Action::Decline).await.unwrap();
    // The backup is called at once; the second try to the primary would have come before the third minute.
    assert_eq!(receiver.next().await.path, "ok");
    house.clock.advance(Duration::from_secs(61));
    assert_eq!(receiver.next().await.path, "ok");
}

#[tokio::test]
async fn who_is_stood_down_while_awake_is_not_called_again() {
    let mut receiver = Receiver::start().await;
    let house = house(&receiver, &[(primary(), "flaky")]).await;
    let (phone, over) = (house.phone(&primary()), house.phone(&supervisor()));
    house.open(&officer(), request(&house)).await.unwrap();
    phone.page().await;
    house.act(&primary(), 1, Action::Acknowledge).await.unwrap();
    // Awake, and then silent: called once more, which fails and is going to be tried again.
    house.clock.advance(minutes(2));
    receiver.next().await;
    over.view(|v| v.pages.as_ref().is_some_and(|p| p.iter().any(|p| p.failed == Some(FailReason::Rejected)))).await;
    house.act(&supervisor(), 2, Action::Accept { eta_minutes: 10 }).await.unwrap();
    let waiting = sql::query("SELECT 1 FROM outbox WHERE kind = 'page' AND next_at IS NOT NULL");
    assert!(waiting.fetch_optional(house.app().store.read()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_redirect_or_an_address_that_is_not_allowed_fails() {
    let mut receiver = Receiver::start().await;
    let house = house(&receiver, &[(primary(), "moved")]).await;
    let over = house.phone(&supervisor());
    house.open(&officer(), request(&house)).await.unwrap();
    assert_eq!(receiver.next().await.path, "moved");
    over.view(|v| v.pages.as_ref().is_some_and(|p| p.iter().any(|p| p.failed == Some(FailReason::Rejected)))).await;
    house.sql("UPDATE contacts SET address = 'http://127.0.0.1:1/ok'").await;
    house.clock.advance(minutes(1));
    let refused = |v: &CalloutView| {
        v.pages.as_ref().is_some_and(|p| p.iter().any(|p| p.failed == Some(FailReason::NotConfigured)))
    };
    over.view(refused).await;
}

#[tokio::test]
async fn a_send_that_a_crash_cut_off_is_sent_again_and_says_so() {
    let mut receiver = Receiver::start().await;
    let before = house(&receiver, &[(primary(), "hang")]).await;
    before.open(&officer(), request(&before)).await.unwrap();
    let first = receiver.next().await;
    // The files as they would be found after a power cut in this moment.
    let dir = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(before.dir.path()).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() && !file.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
        }
    }
    let _after = start(dir.path().into(), before.app().config.paging.clone(), &before.clock).await;
    let second = receiver.next().await;
    assert_eq!(second.header("webhook-id"), first.header("webhook-id"));
    assert_eq!((&first.json()["redelivery"], &second.json()["redelivery"]), (&false.into(), &true.into()));
    assert!(second.signed());
}
