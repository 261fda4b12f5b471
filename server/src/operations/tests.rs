//! Before the server is there: the probes answer already.

use super::*;
use crate::lifecycle::Stage;

#[tokio::test]
async fn while_it_starts_it_is_live_and_not_ready() {
    let operations = Operations::default();
    let mut config = Config::default();
    let stop = CancellationToken::new();
    assert!(operations.listen(&config, stop.clone()).await.unwrap().is_none(), "not wanted");
    config.metrics.enabled = true;
    config.metrics.listen = "127.0.0.1:0".parse().unwrap();
    let (address, serving) = operations.listen(&config, stop.clone()).await.unwrap().unwrap();
    let serving = tokio::spawn(serving);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = |path: &str| client.get(format!("http://{address}/{path}")).send();
    assert_eq!(get("livez").await.unwrap().status(), 200);
    let ready = get("readyz").await.unwrap();
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.text().await.unwrap(), r#"{"ready":false,"stage":"starting","reasons":[]}"#);
    for path in ["metrics", "health"] {
        assert_eq!(get(path).await.unwrap().status(), 503, "{path}");
    }
    let drain = client.post(format!("http://{address}/drain")).send().await.unwrap();
    assert_eq!((drain.status().as_u16(), operations.lifecycle.stage()), (503, Stage::Starting));

    // What a container's health check says of it.
    config.metrics.listen = address;
    let not_yet = crate::admin::ready(&config.metrics).await.unwrap_err().to_string();
    assert!(not_yet.contains("not ready") && not_yet.contains("starting"), "{not_yet}");
    stop.cancel();
    serving.await.unwrap();
    let gone = crate::admin::ready(&config.metrics).await.unwrap_err().to_string();
    assert!(gone.contains("does not answer"), "{gone}");
}
