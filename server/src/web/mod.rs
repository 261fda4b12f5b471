//! The app for browsers, from this very binary: `web/build` makes it, and a release has it inside.
//!
//! A file is answered as it was built, in the best compression that the browser takes. Screens are told apart behind the
//! `#`, which no server sees; two paths lead to the page. Nothing but the embedded files can be
//! reached: a path is a key here and never leads to a file system (in a debug build, to the app's own folder alone).

mod files;
mod headers;
#[cfg(test)]
mod tests;

use crate::config::Config;
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use files::{File, Read, accepted, content_type, is_hashed};
use headers::Headers;

/// The page that every screen begins with.
const PAGE: &str = "index.html";
/// Where it is: the app's own address, and that of invite links.
const PLACES: [&str; 2] = ["", "join"];
/// What a server says that was built without the app.
const MISSING: &str = include_str!("missing.html");

/// The app as it is served.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    read: Read,
    headers: Headers,
}

impl Site {
    /// The app that this binary was built with.
    pub(crate) fn new(config: &Config) -> Self {
        Self { read: files::built_in, headers: Headers::new(config) }
    }

    /// Answers a request that no route of the API is for; `None` where it is not the app's either.
    pub(crate) fn answer(&self, request: &Request) -> Option<Response> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        let path = request.uri().path().strip_prefix('/')?;
        let is_place = PLACES.contains(&path);
        let mut response = match self.find(if is_place { PAGE } else { path }, request.headers()) {
            Some(found) => found.response(request),
            None if is_place => missing(request),
            None => return None,
        };
        self.headers.put_into(response.headers_mut());
        Some(response)
    }

    fn find(&self, key: &str, headers: &HeaderMap) -> Option<Found> {
        if !files::is_key(key) {
            return None;
        }
        // The compressed copies are no files of their own.
        let plain = (self.read)(key)?;
        let compressed =
            accepted(headers).find_map(|coding| Some((coding.name, (self.read)(&format!("{key}.{}", coding.ending))?)));
        let (coding, file) = compressed.map_or((None, plain), |(coding, file)| (Some(coding), file));
        Some(Found { file, coding, kind: content_type(key), forever: is_hashed(key) })
    }
}

/// A file in the form that the browser wants.
struct Found {
    file: File,
    coding: Option<&'static str>,
    kind: &'static str,
    forever: bool,
}

impl Found {
    fn response(self, request: &Request) -> Response {
        let Self { file, coding, kind, forever } = self;
        let unchanged = request.headers().get_all(header::IF_NONE_MATCH).iter().any(|known| knows(known, &file.etag));
        let cache = if forever { "public, max-age=31536000, immutable" } else { "no-cache" };
        let length = file.data.len();
        let mut response = Response::new(match (unchanged, request.method()) {
            (false, &Method::GET) => Body::from(file.data),
            _ => Body::empty(),
        });
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(etag) = HeaderValue::from_str(&file.etag) {
            headers.insert(header::ETAG, etag);
        }
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CONTENT_LENGTH, length.into());
        if let Some(coding) = coding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        response
    }
}

/// Whether a header `If-None-Match` names this version (RFC 9110 §13.1.2; versions compare weakly).
fn knows(known: &HeaderValue, etag: &str) -> bool {
    let mut versions = known.to_str().unwrap_or_default().split(',').map(str::trim);
    versions.any(|version| version == "*" || version.strip_prefix("W/").unwrap_or(version) == etag)
}

fn missing(request: &Request) -> Response {
    let mut response =
        Response::new(if request.method() == Method::HEAD { Body::empty() } else { Body::from(MISSING) });
    *response.status_mut() = StatusCode::NOT_FOUND;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(PAGE)));
    headers.insert(header::CONTENT_LENGTH, MISSING.len().into());
    response
}
