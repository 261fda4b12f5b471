//! The embedded files: what there is, of which kind, and in which compression a browser takes it.

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use rust_embed::RustEmbed;
use std::borrow::Cow;

/// What `web/build` made.
#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct BuiltIn;

/// Reads a file by its key; a function, so that tests bring an app of their own.
pub(super) type Read = fn(&str) -> Option<File>;

/// A file as it is sent.
pub(super) struct File {
    pub(super) data: Bytes,
    /// Its version: another one for each compression of it.
    pub(super) etag: String,
}

/// A file of this binary.
pub(super) fn built_in(key: &str) -> Option<File> {
    let found = BuiltIn::get(key)?;
    let data = match found.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    let digest = found.metadata.sha256_hash();
    let etag = digest[..16].iter().fold(String::from("\""), |text, byte| format!("{text}{byte:02x}")) + "\"";
    Some(File { data, etag })
}

/// Whether this can be the key of a file that is asked for by name: plain words joined by slashes, none of them hidden, and
/// not one of the compressed copies.
pub(super) fn is_key(key: &str) -> bool {
    let plain = |part: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain)
    };
    key.len() <= 200 && key.split('/').all(plain) && CODINGS.iter().all(|coding| ending(key) != coding.ending)
}

/// Whether the name holds a digest of the content, so that it never means anything else: Vite names what is in `assets/`.
pub(super) fn is_hashed(key: &str) -> bool {
    key.starts_with("assets/")
}

fn ending(key: &str) -> &str {
    key.rsplit_once('.').map_or("", |(_, ending)| ending)
}

/// What a file is, by its ending.
pub(super) fn content_type(key: &str) -> &'static str {
    match ending(key) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// A compression that `web/build` made a copy in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Coding {
    /// As in `Accept-Encoding`.
    pub(super) name: &'static str,
    /// What the copy's name ends in.
    pub(super) ending: &'static str,
}

/// The smaller one first.
const CODINGS: [Coding; 2] = [Coding { name: "br", ending: "br" }, Coding { name: "gzip", ending: "gz" }];

/// The compressions that a browser takes, the best first (RFC 9110 §12.5.3): weights decide about yes and no alone, since
/// the copies are made already and the smallest is the best for both.
pub(super) fn accepted(headers: &HeaderMap) -> impl Iterator<Item = &'static Coding> {
    let mut wanted = Vec::new();
    for value in headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()) {
        for part in value.split(',') {
            let (name, weight) = part.split_once(';').unwrap_or((part, ""));
            let weight = weight.trim().strip_prefix("q=").unwrap_or("1").parse::<f32>();
            if weight.is_ok_and(|weight| weight > 0.0) {
                wanted.push(name.trim().to_ascii_lowercase());
            }
        }
    }
    CODINGS.iter().filter(move |coding| wanted.iter().any(|name| name == coding.name))
}
