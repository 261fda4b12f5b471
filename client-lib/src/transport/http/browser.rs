//! One attempt by the browser's `fetch`.

use super::{ATTEMPT_DEADLINE, Call, limit};
use crate::transport::{ServerUrl, TransportError};
use firstlight_protocol::Secret;
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortSignal, Headers, Request, RequestCache, RequestCredentials, RequestInit, RequestRedirect, Response,
};

#[wasm_bindgen]
extern "C" {
    /// Of a page and of a worker alike.
    #[wasm_bindgen(js_name = fetch)]
    fn fetch(request: &Request) -> Promise;
}

/// The browser keeps the connections.
#[derive(Debug, Clone)]
pub(super) struct Wire;

impl Wire {
    pub(super) fn new(_server: &ServerUrl) -> Result<Self, TransportError> {
        Ok(Self)
    }

    /// Status and body of the answer. The flag of a failure says that the server certainly did nothing; a browser never
    /// tells.
    pub(super) async fn send(
        &self,
        url: &str,
        call: &Call,
        token: Option<&Secret>,
    ) -> Result<(u16, Vec<u8>), (TransportError, bool)> {
        let request = request(url, call, token).map_err(|_| (broken(), false))?;
        let answer = JsFuture::from(fetch(&request)).await.map_err(|_| (broken(), false))?;
        let answer: Response = answer.dyn_into().map_err(|_| (broken(), false))?;
        let status = answer.status();
        let limit = limit(status);
        let announced = answer.headers().get("content-length").ok().flatten();
        if announced.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > limit) {
            return Err((TransportError::TooLarge { limit }, false));
        }
        let body = answer.array_buffer().map_err(|_| (broken(), false))?;
        let body = JsFuture::from(body).await.map_err(|_| (broken(), false))?;
        let body = Uint8Array::new(&body);
        if body.length() as usize > limit {
            return Err((TransportError::TooLarge { limit }, false));
        }
        Ok((status, body.to_vec()))
    }
}

fn request(url: &str, call: &Call, token: Option<&Secret>) -> Result<Request, JsValue> {
    let headers = Headers::new()?;
    if let Some(token) = token {
        headers.set("authorization", &format!("Bearer {}", token.reveal()))?;
    }
    let init = RequestInit::new();
    init.set_method(call.method);
    if let Some(body) = &call.body {
        headers.set("content-type", call.kind)?;
        init.set_body(&Uint8Array::from(body.as_slice()));
    }
    init.set_headers(&headers);
    init.set_credentials(RequestCredentials::Omit);
    init.set_cache(RequestCache::NoStore);
    // A redirect would carry the token to wherever an attacker on the way points.
    init.set_redirect(RequestRedirect::Error);
    let deadline = u32::try_from(ATTEMPT_DEADLINE.as_millis()).unwrap_or(u32::MAX);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(deadline)));
    Request::new_with_str_and_init(url, &init)
}

/// The browser says no more than that it failed.
fn broken() -> TransportError {
    TransportError::unreachable("no answer came")
}
