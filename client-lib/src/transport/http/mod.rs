//! One HTTP request: deadlines, bounded answers, problem+json, and repetition of what may be repeated.

#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(feature = "native")]
mod native;

#[cfg(target_arch = "wasm32")]
use browser::Wire;
#[cfg(feature = "native")]
use native::Wire;

use super::{Backoff, ServerUrl, Servers, TransportError, jitter};
use crate::clock::sleep;
use firstlight_protocol::{ErrorCode, Problem, Secret};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

/// Largest answer that is read, in bytes: a full page of a room's log in base64 fits.
const MAX_ANSWER: usize = 64 << 20;
/// Largest problem that is read, in bytes.
const MAX_PROBLEM: usize = 64 << 10;
/// One attempt must be complete within this time.
const ATTEMPT_DEADLINE: Duration = Duration::from_secs(20);
/// Attempts of one request, and one more for each further address.
const ATTEMPTS: usize = 4;
/// The longest wait before another address is asked, in milliseconds: those who lost the same node don't all come in the same instant.
const MOVE_MS: u64 = 100;
/// A wait that the server asks for is kept only if it is not longer than this; else the person decides.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// What nearly every body is.
const JSON: &str = "application/json";

/// A request before it is sent.
pub(crate) struct Call {
    method: &'static str,
    path: String,
    body: Option<Vec<u8>>,
    kind: &'static str,
    /// Sending it twice does what sending it once does.
    repeatable: bool,
}

impl Call {
    /// Reads; always repeatable.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), body: None, kind: JSON, repeatable: true }
    }

    /// Takes away; repeating it changes nothing.
    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self { method: "DELETE", path: path.into(), body: None, kind: JSON, repeatable: true }
    }

    /// Replaces a document; repeatable.
    pub(crate) fn put(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::with_body("PUT", path.into(), body, true)
    }

    /// Replaces a part; repeatable.
    pub(crate) fn patch(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::with_body("PATCH", path.into(), body, true)
    }

    /// A POST whose body carries an id that the client chose: the server answers a repetition like the first.
    pub(crate) fn post(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::with_body("POST", path.into(), body, true)
    }

    /// A POST that must not be sent again when its answer was lost.
    pub(crate) fn post_once(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::with_body("POST", path.into(), body, false)
    }

    /// A calendar; the same one again changes nothing.
    pub(crate) fn post_calendar(path: impl Into<String>, calendar: String) -> Self {
        let body = Some(calendar.into_bytes());
        Self { method: "POST", path: path.into(), body, kind: "text/calendar; charset=utf-8", repeatable: true }
    }

    /// Puts bytes in a place of their own; the same ones again change nothing.
    #[cfg(feature = "native")]
    pub(crate) fn put_octets(path: impl Into<String>, bytes: Vec<u8>) -> Self {
        let body = Some(bytes);
        Self { method: "PUT", path: path.into(), body, kind: "application/octet-stream", repeatable: true }
    }

    fn with_body(method: &'static str, path: String, body: &impl Serialize, repeatable: bool) -> Self {
        // Types of the protocol always encode; the server would answer an empty body with "bad_request".
        Self { method, path, body: Some(serde_json::to_vec(body).unwrap_or_default()), kind: JSON, repeatable }
    }
}

/// An HTTP client for one server, at whichever of its addresses answers.
#[derive(Debug, Clone)]
pub struct Http {
    wire: Wire,
    servers: Servers,
}

impl Http {
    /// Prepares a client; nothing is sent.
    pub fn new(server: ServerUrl) -> Result<Self, TransportError> {
        Ok(Self { wire: Wire::new(&server)?, servers: Servers::new(server) })
    }

    /// The server that it talks to, by its own address.
    pub fn server(&self) -> ServerUrl {
        self.servers.home()
    }

    /// All its addresses.
    pub(crate) fn servers(&self) -> &Servers {
        &self.servers
    }

    /// Sends a request and decodes its answer, repeating what may be repeated.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        call: &Call,
        token: Option<&Secret>,
    ) -> Result<T, TransportError> {
        decode(call, &self.fetch(call, token).await?)
    }

    /// Sends a request and gives its answer as it is, repeating what may be repeated.
    pub(crate) async fn fetch(&self, call: &Call, token: Option<&Secret>) -> Result<Vec<u8>, TransportError> {
        let mut backoff = Backoff::request();
        let mut attempts = 0;
        loop {
            let server = self.servers.current();
            let (error, unsent) = match self.attempt(&server, call, token).await {
                Ok(body) => {
                    self.servers.answered(&server);
                    return Ok(body);
                }
                Err(failed) => failed,
            };
            attempts += 1;
            let wait = if error.is_this_nodes() && self.servers.failed(&server) {
                Duration::from_millis(jitter() % MOVE_MS)
            } else {
                let asked = match &error {
                    TransportError::Refused(problem) => problem.retry_after_ms.map(Duration::from_millis),
                    _ => None,
                };
                let own = backoff.fail(jitter());
                asked.map_or(own, |ms| ms.max(own))
            };
            let repeat = error.is_passing() && (unsent || call.repeatable) && wait <= MAX_WAIT;
            if !repeat || attempts >= ATTEMPTS + self.servers.count() - 1 {
                return Err(error);
            }
            sleep(wait).await;
        }
    }

    /// One attempt. The flag of a failure says that the server certainly did nothing.
    async fn attempt(
        &self,
        server: &ServerUrl,
        call: &Call,
        token: Option<&Secret>,
    ) -> Result<Vec<u8>, (TransportError, bool)> {
        let (status, body) = self.wire.send(&server.at(&call.path), call, token).await?;
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let problem = problem_of(status, &body);
        // "Unavailable" and "rate limited" promise that nothing was changed; other 5xx come from anywhere.
        let unchanged = matches!(problem.code, ErrorCode::Unavailable | ErrorCode::RateLimited);
        Err((TransportError::Refused(problem), unchanged))
    }
}

/// How much of an answer is read: a problem is short.
fn limit(status: u16) -> usize {
    if (200..300).contains(&status) { MAX_ANSWER } else { MAX_PROBLEM }
}

fn decode<T: DeserializeOwned>(call: &Call, body: &[u8]) -> Result<T, TransportError> {
    // An answer without content is `null`, which is what `()` reads.
    let body = if body.is_empty() { b"null" } else { body };
    serde_json::from_slice(body).map_err(|_| TransportError::Malformed { what: what(call) })
}

/// Method and path, without what stands after the question mark.
fn what(call: &Call) -> String {
    format!("{} {}", call.method, call.path.split('?').next().unwrap_or_default())
}

/// The server's problem; or, where something on the way answered in its place, the nearest code to its status.
fn problem_of(status: u16, body: &[u8]) -> Problem {
    if let Ok(problem) = serde_json::from_slice::<Problem>(body) {
        return problem;
    }
    let code = match status {
        401 => ErrorCode::Unauthenticated,
        403 => ErrorCode::Forbidden,
        404 => ErrorCode::NotFound,
        408 | 504 => ErrorCode::Timeout,
        409 => ErrorCode::Conflict,
        413 => ErrorCode::TooLarge,
        429 => ErrorCode::RateLimited,
        502 | 503 => ErrorCode::Unavailable,
        500.. => ErrorCode::Internal,
        _ => ErrorCode::BadRequest,
    };
    Problem::with(code, format!("The answer was HTTP {status} without an explanation."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    /// A listener that answers each connection with the next text and closes; it gives back how many requests came.
    async fn serve(answers: Vec<&'static str>) -> (Http, tokio::task::JoinHandle<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut count = 0;
            for answer in answers {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut buffer = [0u8; 4096];
                let read = socket.read(&mut buffer).await.unwrap();
                assert!(read > 0);
                count += 1;
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
            count
        });
        (Http::new(ServerUrl::parse(&format!("http://{address}"), false).unwrap()).unwrap(), task)
    }

    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n42";
    const GONE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 20\r\nconnection: close\r\n\r\n4";
    const BUSY: &str = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    const HUGE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\nconnection: close\r\n\r\n4";
    const EMPTY: &str = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";

    #[tokio::test]
    async fn a_lost_answer_is_asked_for_again_only_if_it_may_be() {
        let (http, served) = serve(vec![GONE, OK]).await;
        assert_eq!(http.send::<u32>(&Call::post("/v1/x", &1), None).await.unwrap(), 42);
        assert_eq!(served.await.unwrap(), 2);

        let (http, served) = serve(vec![GONE]).await;
        let error = http.send::<u32>(&Call::post_once("/v1/x", &1), None).await.unwrap_err();
        assert!(error.is_unreachable(), "{error}");
        assert_eq!(served.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_busy_server_is_asked_again_because_it_changed_nothing() {
        let (http, served) = serve(vec![BUSY, OK]).await;
        assert_eq!(http.send::<u32>(&Call::post_once("/v1/x", &1), None).await.unwrap(), 42);
        assert_eq!(served.await.unwrap(), 2);
    }

    #[tokio::test]
    async fn another_address_is_asked_at_once_and_the_one_that_answers_is_kept() {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let url = |address| ServerUrl::parse(&format!("http://{address}"), false).unwrap();
        let (http, served) = serve(vec![BUSY, OK, OK]).await;
        let good = http.server();
        let http = Http::new(url(gone)).unwrap();
        http.servers().learn(vec![good.clone()], 0);
        // Nobody at the first address, and the second one is busy once: both changed nothing.
        assert_eq!(http.send::<u32>(&Call::post_once("/v1/x", &1), None).await.unwrap(), 42);
        assert_eq!(http.servers().current(), good);
        assert_eq!(http.server(), url(gone), "its name stays");
        assert_eq!(http.send::<u32>(&Call::get("/v1/x"), None).await.unwrap(), 42);
        assert_eq!(served.await.unwrap(), 3);
    }

    #[tokio::test]
    async fn answers_are_bounded_and_typed() {
        let (http, _served) = serve(vec![HUGE, OK, EMPTY]).await;
        let error = http.send::<u32>(&Call::get("/v1/x"), None).await.unwrap_err();
        assert!(matches!(error, TransportError::TooLarge { .. }), "{error}");
        let error = http.send::<Vec<u32>>(&Call::get("/v1/x?after=1"), None).await.unwrap_err();
        assert_eq!(error.to_string(), "The server's answer to GET /v1/x is not of the documented shape.");
        http.send::<()>(&Call::delete("/v1/x"), None).await.unwrap();
    }

    #[tokio::test]
    async fn nobody_listening_is_said_plainly() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let http = Http::new(ServerUrl::parse(&format!("http://{address}"), false).unwrap()).unwrap();
        let error = http.send::<()>(&Call::get("/v1/server"), None).await.unwrap_err();
        assert_eq!(error.to_string(), "Can't reach the server: connection refused.");
    }

    #[test]
    fn the_servers_own_problem_wins_over_the_status() {
        let body = serde_json::to_vec(&Problem::new(ErrorCode::StaleEpoch)).unwrap();
        assert_eq!(problem_of(409, &body).code, ErrorCode::StaleEpoch);
        assert_eq!(problem_of(502, b"<html>").code, ErrorCode::Unavailable);
    }
}
