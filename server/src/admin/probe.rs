//! Asks the running server over its operations listener: for a container's health check and a manager's stop hook, where
//! there is no other program to ask with.

use super::Outcome;
use crate::{Error, Result, config::Metrics};
use reqwest::{Client, Response, StatusCode};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is asked whether everybody has gone.
const EVERY: Duration = Duration::from_millis(200);

/// Whether the server is ready for clients.
///
/// # Errors
/// With what it answered, or that it did not.
pub async fn ready(metrics: &Metrics) -> Result<Outcome> {
    let answer = ask(metrics, "readyz", false).await?;
    if answer.status() == StatusCode::OK {
        return Ok(Outcome::Good);
    }
    Err(Error::internal(format!("not ready: {}", answer.text().await.unwrap_or_default())))
}

/// Has the server send its clients away, and waits until they have gone or `patience` is over.
///
/// # Errors
/// If it does not answer or refuses; if clients are left when the time is over.
pub async fn drain(metrics: &Metrics, patience: Duration) -> Result<Outcome> {
    let answer = ask(metrics, "drain", true).await?;
    if answer.status() != StatusCode::ACCEPTED {
        return Err(Error::internal(format!("refused: {}", answer.text().await.unwrap_or_default())));
    }
    let gone = async {
        loop {
            if ask(metrics, "readyz", false).await?.text().await.unwrap_or_default().contains("\"drained\"") {
                return Ok(Outcome::Good);
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    let late = |_| Error::internal("not everybody has gone in time");
    tokio::time::timeout(patience, gone).await.map_err(late)?
}

async fn ask(metrics: &Metrics, path: &str, post: bool) -> Result<Response> {
    if !metrics.enabled {
        return Err(Error::internal("the server answers no probes: set metrics.enabled"));
    }
    let client = Client::builder().no_proxy().timeout(PATIENCE).build().map_err(Error::internal)?;
    let url = format!("http://{}/{path}", here(metrics.listen));
    let request = if post { client.post(url) } else { client.get(url) };
    request.send().await.map_err(|e| Error::internal(format!("the server does not answer ({e})")))
}

/// A server that listens everywhere is asked on this machine.
fn here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
