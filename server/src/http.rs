//! The HTTP edge: all routes together, and what holds for every request whatever its route.

use crate::{
    Error, Result, Shared, agencies, blobs, callouts, delivery,
    extract::Deadline,
    figures, health, identity, intake,
    lifecycle::{Lifecycle, come_back},
    openapi, paging, phone, profiles, proof, rota, session, web,
};
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use firstlight_protocol::{ErrorCode, Problem, limits::MAX_BODY};
use futures_util::FutureExt;
use std::{
    panic::AssertUnwindSafe,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::{Instrument, Span, field::Empty};
use utoipa_axum::router::OpenApiRouter;

/// Tells a request apart in the log; the client gets it too.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Headers of every answer: nothing is cached, framed, sniffed or run as a page.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

/// For two years (RFC 6797), where clients use https: whether the server does TLS or a proxy.
pub(crate) const TLS_ALONE: &str = "max-age=63072000";

/// What every request is held to.
#[derive(Debug, Clone)]
struct Edge {
    body_timeout: Duration,
    tls_alone: bool,
    lifecycle: Lifecycle,
}

/// Every documented route.
pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::default()
        .merge(health::routes())
        .merge(identity::routes())
        .merge(delivery::routes())
        .merge(blobs::routes())
        .merge(callouts::routes())
        .merge(rota::routes())
        .merge(paging::routes())
        .merge(figures::routes())
        .merge(intake::routes())
        .merge(phone::routes())
        .merge(profiles::routes())
        .merge(agencies::routes())
        .merge(proof::routes())
}

/// The whole router.
pub fn router(app: Shared) -> Router {
    let (router, api) = routes().split_for_parts();
    let document = bytes::Bytes::from(openapi::document(api).to_string());
    let site = web::Site::new(&app.config);
    let edge = Edge {
        body_timeout: app.config.limits.body_timeout_ms.into(),
        tls_alone: app.config.name.starts_with("https://"),
        lifecycle: app.lifecycle.clone(),
    };
    router
        .route("/v1/stream", get(session::stream))
        .route("/v1/openapi.json", get(|| async { ([(header::CONTENT_TYPE, "application/json")], document) }))
        .fallback(async move |request: Request| site.answer(&request).ok_or_else(not_found))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(catch_panics))
        .layer(cors(&app))
        .layer(from_fn_with_state(edge, enter))
        .with_state(app)
}

fn not_found() -> Error {
    Problem::with(ErrorCode::NotFound, "There is no such path; the paths are in /v1/openapi.json.").into()
}

async fn method_not_allowed() -> Error {
    let detail = "This path exists, but not with this method; the methods are in /v1/openapi.json.";
    Problem { status: 405, ..Problem::with(ErrorCode::BadRequest, detail) }.into()
}

/// Pages of allowed origins may call from a browser; the token is in a header that no other page can set.
fn cors(app: &Shared) -> CorsLayer {
    let app = app.clone();
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| {
            origin.to_str().is_ok_and(|origin| app.config.allows_origin(origin))
        }))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER, REQUEST_ID])
        .max_age(Duration::from_secs(600))
}

/// A request id, a span, a deadline, the headers of every answer. The span names the route as it is documented: never
/// the query, and never what somebody typed in place of an id.
async fn enter(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = request_id();
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", id = %format_args!("{id:016x}"), method = %request.method(), route, status = Empty);
    request.extensions_mut().insert(Deadline::after(edge.body_timeout));
    let too_large = declared_length(&request).is_some_and(|length| length > MAX_BODY as u64);
    let mut response = async {
        let response = if too_large {
            Error::from(Problem::with(ErrorCode::TooLarge, format!("A body may have {MAX_BODY} bytes.")))
                .into_response()
        } else if edge.lifecycle.turns_away(request.uri().path()) {
            Error::from(come_back()).into_response()
        } else {
            next.run(request).await
        };
        Span::current().record("status", response.status().as_u16());
        tracing::debug!(status = response.status().as_u16(), ms = began.elapsed().as_millis() as u64, "answered");
        response
    }
    .instrument(span)
    .await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if edge.tls_alone {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TLS_ALONE));
    }
    if let Ok(id) = HeaderValue::from_str(&format!("{id:016x}")) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

fn declared_length(request: &Request) -> Option<u64> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Ids count up from a random start: unique in a log, and they tell nobody how busy the server is.
fn request_id() -> u64 {
    static START: OnceLock<u64> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // Without randomness the server has worse troubles than ids that can be guessed.
    let start = *START.get_or_init(|| crate::app::random().map_or(0, u64::from_be_bytes));
    start.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A defect in one handler must not take the connection, and the client hears that nothing was changed. The panic's own
/// message went to standard error by the default hook; it names a place in the code.
async fn catch_panics(request: Request, next: Next) -> Result<Response> {
    AssertUnwindSafe(next.run(request)).catch_unwind().await.map_err(|_| Error::internal("a handler panicked"))
}

#[cfg(test)]
mod tests;
