//! JSON over HTTP.

use firstlight_protocol::{Problem, Secret};
use reqwest::{Method, header::HeaderMap};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    net::SocketAddr,
    sync::{PoisonError, RwLock},
};

/// A client for one server, which may move to another port when it is restarted.
#[derive(Debug)]
pub struct Http {
    client: reqwest::Client,
    addr: RwLock<SocketAddr>,
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The typed answer, or the problem that stands in its place.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, Problem> {
        if !(200..300).contains(&self.status) {
            return Err(self.problem());
        }
        // An answer without content reads as `()`.
        let body = if self.body.is_empty() { b"null".as_slice() } else { &self.body };
        match serde_json::from_slice(body) {
            Ok(value) => Ok(value),
            Err(e) => panic!("the answer is not of the documented shape: {e}: {}", String::from_utf8_lossy(body)),
        }
    }

    /// The problem, which has to be one of RFC 9457 with the status that its code has.
    pub fn problem(&self) -> Problem {
        let text = String::from_utf8_lossy(&self.body);
        let problem: Problem = serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("HTTP {} without a problem ({e}): {text}", self.status));
        let kind = self.headers.get("content-type").and_then(|v| v.to_str().ok());
        assert_eq!(kind, Some("application/problem+json"), "{text}");
        assert_eq!(problem.status, self.status, "{text}");
        assert!(problem.title.ends_with('.') && problem.title.contains(' '), "no plain sentence: {text}");
        problem
    }
}

impl Http {
    /// A client for the server at `addr`.
    pub fn new(addr: SocketAddr) -> Self {
        let client = reqwest::Client::builder().no_proxy().timeout(super::PATIENCE).tcp_nodelay(true).build();
        Self { client: client.expect("an HTTP client"), addr: RwLock::new(addr) }
    }

    /// Where the server is.
    pub fn addr(&self) -> SocketAddr {
        *self.addr.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server was restarted and listens somewhere else.
    pub fn moved(&self, addr: SocketAddr) {
        *self.addr.write().unwrap_or_else(PoisonError::into_inner) = addr;
    }

    /// Sends bytes as they are.
    pub async fn send(&self, method: Method, path: &str, token: Option<&Secret>, body: Option<Vec<u8>>) -> Answer {
        let answer = self.try_send(method.clone(), path, token, body).await;
        answer.unwrap_or_else(|e| panic!("{method} {path}: {e:?}"))
    }

    /// The same where nobody may be there to answer.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        token: Option<&Secret>,
        body: Option<Vec<u8>>,
    ) -> reqwest::Result<Answer> {
        let mut request = self.client.request(method, format!("http://{}{path}", self.addr()));
        if let Some(token) = token {
            request = request.bearer_auth(token.reveal());
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok(Answer { status, headers, body: answer.bytes().await?.to_vec() })
    }

    /// A POST that needs no sign-in.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Problem> {
        self.send(Method::POST, path, None, Some(json(body))).await.read()
    }

    /// A GET that needs no sign-in.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        self.send(Method::GET, path, None, None).await.read()
    }
}

pub(super) fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("types of the protocol always encode")
}
