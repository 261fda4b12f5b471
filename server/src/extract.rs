//! Extractors whose refusals are typed problems: the only way request data enters a handler.
//!
//! axum's own extractors answer plain text that quotes the input; these answer `application/problem+json` and name the
//! field, never its value. Take the [`crate::caller::Caller`] before [`Json`] in a handler's arguments, so that nobody
//! who isn't signed in can make the server read a body.

use crate::Error;
use axum::{
    body::Body,
    extract::{self, FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Response},
};
use firstlight_protocol::{ErrorCode, Problem, limits::MAX_BODY};
use futures_util::StreamExt;
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;
use tokio::time::Instant;

/// A JSON body, in a request and in an answer. The whole body has to arrive before the request's [`Deadline`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

/// Parameters in the path.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

/// Parameters after the question mark. Never secrets: queries end up in the logs of proxies.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

/// When a request has to be complete; set for every request by [`crate::http`].
#[derive(Debug, Clone, Copy)]
pub struct Deadline(pub Instant);

impl Deadline {
    /// So long from now.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }
}

fn bad_request(detail: impl Into<String>) -> Error {
    Problem::with(ErrorCode::BadRequest, detail).into()
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        if !is_of(request.headers(), "application/json") {
            return Err(bad_request("The body must be JSON, with content-type: application/json."));
        }
        let deadline = request.extensions().get::<Deadline>().copied();
        let bytes = read(request.into_body(), deadline, MAX_BODY).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// A calendar (`text/calendar`, UTF-8) of at most `MOST` bytes.
#[derive(Debug, Clone)]
pub struct CalendarText<const MOST: usize>(pub String);

impl<const MOST: usize, S: Send + Sync> FromRequest<S> for CalendarText<MOST> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        if !is_of(request.headers(), "text/calendar") {
            return Err(bad_request("The body must be a calendar, with content-type: text/calendar."));
        }
        let deadline = request.extensions().get::<Deadline>().copied();
        let bytes = read(request.into_body(), deadline, MOST).await?;
        String::from_utf8(bytes).map(Self).map_err(|_| bad_request("The body is not UTF-8."))
    }
}

fn is_of(headers: &HeaderMap, kind: &str) -> bool {
    let Some(Ok(value)) = headers.get(header::CONTENT_TYPE).map(|v| v.to_str()) else { return false };
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind)
}

/// Reads the whole body of a request that is not JSON, before its deadline.
///
/// # Errors
/// `too_large`, `timeout`, or `bad_request` where the connection breaks.
pub(crate) async fn read_body(request: Request) -> Result<Vec<u8>, Error> {
    read_at_most(request, MAX_BODY).await
}

/// The same, of at most `most` bytes.
///
/// # Errors
/// As [`read_body`].
pub(crate) async fn read_at_most(request: Request, most: usize) -> Result<Vec<u8>, Error> {
    let deadline = request.extensions().get::<Deadline>().copied();
    read(request.into_body(), deadline, most).await
}

/// Reads a whole body of at most `most` bytes.
///
/// # Errors
/// `too_large`, `timeout`, or `bad_request` where the connection breaks.
async fn read(body: Body, deadline: Option<Deadline>, most: usize) -> Result<Vec<u8>, Error> {
    let whole = async {
        let mut chunks = body.into_data_stream();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| bad_request("The body could not be read to its end."))?;
            if bytes.len() + chunk.len() > most {
                return Err(Problem::with(ErrorCode::TooLarge, format!("A body may have {most} bytes.")).into());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    let Some(Deadline(at)) = deadline else { return whole.await };
    let late = || Problem::with(ErrorCode::Timeout, "The body did not arrive in time.").into();
    tokio::time::timeout_at(at, whole).await.unwrap_or_else(|_| Err(late()))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| bad_request(describe(&error.path().to_string(), error.inner())))?;
    json.end().map_err(|_| bad_request("There is something after the end of the JSON body."))?;
    Ok(value)
}

/// Says where and what, from the words of our own types only: serde's messages quote the input before "expected".
fn describe(path: &str, error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    if !error.is_data() {
        return format!("The body is not valid JSON: {place}.");
    }
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let what = match text.rsplit_once(", expected ") {
        Some((head, expected)) if head.starts_with("unknown field") => {
            format!("an unknown field; the known ones are {expected}")
        }
        Some((_, expected)) => format!("expected {expected}"),
        None if text.starts_with("missing field `") || text.starts_with("duplicate field `") => text.to_owned(),
        None => "the value is not of the documented form".to_owned(),
    };
    // For an unknown field the path ends in its name, which the client chose.
    let path =
        if what.starts_with("an unknown field") { path.rsplit_once('.').map_or("", |(path, _)| path) } else { path };
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.[]".contains(c);
    if path.len() > 1 && path.len() < 100 && path.chars().all(plain) {
        format!("In {path}: {what} ({place}).")
    } else {
        format!("In the body: {what} ({place}).")
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        match extract::Path::from_request_parts(parts, state).await {
            Ok(extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(bad_request("An id or number in the path is not of the documented form.")),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        match extract::Query::from_request_parts(parts, state).await {
            Ok(extract::Query(value)) => Ok(Self(value)),
            Err(_) => Err(bad_request("A query parameter is missing, unknown or not of the documented form.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        #[expect(dead_code, reason = "only its type matters")]
        count: u8,
        #[serde(default)]
        #[expect(dead_code, reason = "only its type matters")]
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "only its type matters")]
        at: u64,
    }

    fn detail(body: &str) -> String {
        let problem = parse::<Order>(body.as_bytes()).unwrap_err().problem();
        assert_eq!(problem.code, ErrorCode::BadRequest);
        problem.detail.unwrap()
    }

    #[test]
    fn a_bad_body_is_told_where_and_what_but_never_quoted() {
        let cases = [
            (r#"{"count":"secret, expected name"}"#, "In count: expected u8"),
            (r#"{"count":1,"secret":2}"#, "an unknown field; the known ones are `count` or `inner`"),
            (r#"{"count":999}"#, "In count: expected u8"),
            (r#"{}"#, "missing field `count`"),
            (r#"{"count":1,"inner":[{"at":"secret"}]}"#, "In inner[0].at: expected u64"),
            (r#"{"count":1"#, "not valid JSON: line 1, column 10"),
            (r#"{"count":1} secret"#, "after the end"),
        ];
        for (body, expected) in cases {
            let detail = detail(body);
            assert!(detail.contains(expected), "{body}: {detail}");
            assert!(!detail.contains("secret"), "{detail}");
        }
    }

    fn request(body: Body) -> Request {
        let mut request = Request::new(body);
        request.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        request
    }

    async fn code(request: Request) -> ErrorCode {
        Json::<Order>::from_request(request, &()).await.unwrap_err().problem().code
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_meets_its_deadline() {
        let mut request =
            request(Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>()));
        request.extensions_mut().insert(Deadline::after(Duration::from_secs(30)));
        assert_eq!(code(request).await, ErrorCode::Timeout);
    }

    #[tokio::test]
    async fn a_body_over_the_bound_is_too_large() {
        assert_eq!(code(request(Body::from(vec![b' '; MAX_BODY + 1]))).await, ErrorCode::TooLarge);
    }

    #[tokio::test]
    async fn a_body_of_another_kind_is_refused() {
        assert_eq!(code(Request::new(Body::from("{\"count\":1}"))).await, ErrorCode::BadRequest);
        let Json(order) = Json::<Order>::from_request(request(Body::from("{\"count\":1}")), &()).await.unwrap();
        assert!(format!("{order:?}").contains('1'));
    }
}
