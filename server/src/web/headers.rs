//! The headers of everything that the app is made of.

use crate::config::Config;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// No script but the app's own files and its WebAssembly, nothing from elsewhere, in nobody's frame. A duty screen that
/// shows an address must not be somebody else's to change.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
                      img-src 'self' data: blob:; connect-src 'self' {socket}; worker-src 'self'; manifest-src 'self'; \
                      font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// What the app may use of the machine: the camera for an invite's QR code, and nothing else that is sensitive.
const PERMISSIONS: &str = "camera=(self), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()";

const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// The same for every answer; made once.
#[derive(Debug, Clone)]
pub(super) struct Headers(Vec<(HeaderName, HeaderValue)>);

impl Headers {
    pub(super) fn new(config: &Config) -> Self {
        // Older browsers don't count the websocket of the same server as 'self'.
        let socket = config.name.replacen("http", "ws", 1);
        let policy = POLICY.replace("{socket}", &socket);
        let fixed = |name, value| (name, HeaderValue::from_static(value));
        let mut headers = vec![
            fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            fixed(header::REFERRER_POLICY, "no-referrer"),
            fixed(CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
            fixed(CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
            fixed(PERMISSIONS_POLICY, PERMISSIONS),
        ];
        // The name is an origin, checked at start: it always is a header's value.
        headers.extend(HeaderValue::from_str(&policy).ok().map(|policy| (header::CONTENT_SECURITY_POLICY, policy)));
        Self(headers)
    }

    pub(super) fn put_into(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0 {
            headers.insert(name, value.clone());
        }
    }
}
