//! TLS by the server itself, as clients and operators see it.

use firstlight_protocol::{policy::Millis, stream::SUBPROTOCOL};
use firstlight_tests::{
    inproc::{Server, run},
    world::soon,
};
use futures_util::{SinkExt, StreamExt};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::{Certificate, Client, Method};
use serde_json::Value;
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName},
};
use tokio_tungstenite::{
    client_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

type Authority = CertifiedIssuer<'static, KeyPair>;

const NAME: &str = "duty.example.org";

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Puts a pair into the files whose certificate ends after so many days.
fn put(dir: &Path, authority: &Authority, days: u64) {
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    params.not_after = (std::time::SystemTime::now() + Duration::from_secs(86_400 * days)).into();
    let key = KeyPair::generate().unwrap();
    std::fs::write(dir.join("cert.pem"), params.signed_by(&key, authority).unwrap().pem()).unwrap();
    std::fs::write(dir.join("key.pem"), key.serialize_pem()).unwrap();
}

/// A websocket over TLS, wherever the name leads.
async fn websocket(
    address: SocketAddr,
    authority: &Authority,
) -> tokio_tungstenite::WebSocketStream<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from(NAME).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let mut request = format!("wss://{NAME}/v1/stream").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
    client_async(request, stream).await.unwrap().0
}

async fn health(server: &Server) -> Value {
    let answer = server.operations().send(Method::GET, "/health", None, None).await;
    serde_json::from_slice(&answer.body).unwrap()
}

async fn until_reasons(server: &Server, wanted: Value) {
    soon("these reasons", async { while health(server).await["reasons"] != wanted {} }).await;
}

/// What the metrics say of the certificate: days, and whether it is stale.
async fn metrics(server: &Server) -> (f64, bool) {
    let text = server.operations().send(Method::GET, "/metrics", None, None).await.body;
    let text = String::from_utf8(text).unwrap();
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok()).unwrap();
    (value("firstlight_tls_certificate_days "), value("firstlight_tls_certificate_stale ") > 0.0)
}

#[test]
fn a_certificate_is_replaced_under_open_connections_and_its_end_is_told_in_time() {
    run(async {
        let (authority, dir) = (authority(), tempfile::tempdir().unwrap());
        put(dir.path(), &authority, 5);
        let server = Server::start(|config| {
            config.name = format!("https://{NAME}");
            config.tls.certificate_file = dir.path().join("cert.pem");
            config.tls.key_file = dir.path().join("key.pem");
            config.tls.reload_every_ms = Millis::minutes(10);
        })
        .await;
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only([Certificate::from_der(authority.der()).unwrap()])
            .resolve(NAME, server.http.addr());
        let client = client.build().unwrap();
        let live = || client.get(format!("https://{NAME}:{}/v1/health/live", server.http.addr().port())).send();
        let answer = live().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.headers()["strict-transport-security"].to_str().unwrap().starts_with("max-age="));
        let mut open = websocket(server.http.addr(), &authority).await;

        until_reasons(&server, serde_json::json!(["The TLS certificate ends within two weeks, or has ended."])).await;
        put(dir.path(), &authority, 90);
        server.reload();
        until_reasons(&server, serde_json::json!([])).await;
        let (days, stale) = metrics(&server).await;
        assert!((89.9..=90.1).contains(&days) && !stale, "{days} {stale}");

        std::fs::write(dir.path().join("cert.pem"), "half a certif").unwrap();
        server.reload();
        let stale = "The TLS certificate in the files can't be used; an older one is shown.";
        until_reasons(&server, serde_json::json!([stale])).await;
        let (days, stale) = metrics(&server).await;
        assert!(days > 89.0 && stale, "{days} {stale}");
        assert_eq!(live().await.unwrap().status(), 200);

        // The websocket was there all the time: it is answered, if only by a refusal of nonsense.
        open.send(Message::Binary(vec![0xff].into())).await.unwrap();
        let answered = soon("an answer", open.next()).await;
        assert!(matches!(answered, Some(Ok(Message::Binary(_)))), "{answered:?}");
        websocket(server.http.addr(), &authority).await;
    });
}
