//! The app's edge, with a small app of the tests' own.

use super::*;
use bytes::Bytes;

const FILES: [(&str, &str); 6] = [
    ("index.html", "<!doctype html>"),
    ("index.html.br", "page, brotli"),
    ("sw.js", "// worker"),
    ("assets/main-Bx31.js", "export {}"),
    ("assets/main-Bx31.js.br", "script, brotli"),
    ("assets/main-Bx31.js.gz", "script, gzip"),
];

fn site(name: &str) -> Site {
    let read = |key: &str| {
        let (key, text) = FILES.iter().find(|(known, _)| *known == key)?;
        Some(File { data: Bytes::from_static(text.as_bytes()), etag: format!("\"{key}\"") })
    };
    let config = Config { name: name.into(), ..Config::default() };
    Site { read, headers: Headers::new(&config) }
}

fn request(method: Method, path: &str, headers: &[(&str, &str)]) -> Request {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

fn get(path: &str, headers: &[(&str, &str)]) -> Response {
    site("http://127.0.0.1:8440").answer(&request(Method::GET, path, headers)).unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn text(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn every_screen_begins_with_the_page() {
    for path in ["/", "/join", "/?from=push"] {
        let page = get(path, &[]);
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
        assert_eq!(header(&page, "cache-control"), "no-cache");
        assert_eq!(text(page).await, "<!doctype html>");
    }
}

#[tokio::test]
async fn a_file_comes_in_the_best_compression_that_is_taken() {
    let cases = [
        ("gzip, deflate, br, zstd", "br", "script, brotli"),
        ("br;q=0.1, gzip;q=1.0", "br", "script, brotli"),
        ("GZIP", "gzip", "script, gzip"),
        ("br;q=0, gzip;q=0.5", "gzip", "script, gzip"),
        ("br;q=0.0, gzip;q=0", "", "export {}"),
        ("identity", "", "export {}"),
        ("br;q=x", "", "export {}"),
    ];
    for (wanted, coding, body) in cases {
        let script = get("/assets/main-Bx31.js", &[("accept-encoding", wanted)]);
        assert_eq!(header(&script, "content-encoding"), coding, "{wanted}");
        assert_eq!(header(&script, "content-type"), "text/javascript; charset=utf-8");
        assert_eq!(header(&script, "cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(header(&script, "vary"), "accept-encoding");
        assert_eq!(header(&script, "content-length"), body.len().to_string());
        assert_eq!(text(script).await, body, "{wanted}");
    }
    let worker = get("/sw.js", &[("accept-encoding", "br")]);
    assert_eq!((header(&worker, "content-encoding"), header(&worker, "cache-control")), ("", "no-cache"));
}

#[tokio::test]
async fn what_the_browser_has_is_not_sent_again() {
    for known in ["\"index.html\"", "W/\"index.html\"", "\"other\", \"index.html\"", "*"] {
        let page = get("/", &[("if-none-match", known)]);
        assert_eq!(page.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(header(&page, "etag"), "\"index.html\"");
        assert_eq!(text(page).await, "");
    }
    // Another compression is another version.
    let page = get("/", &[("if-none-match", "\"index.html\""), ("accept-encoding", "br")]);
    assert_eq!((page.status(), header(&page, "etag")), (StatusCode::OK, "\"index.html.br\""));
}

#[tokio::test]
async fn head_tells_the_same_without_the_body() {
    let site = site("http://127.0.0.1:8440");
    let head = site.answer(&request(Method::HEAD, "/assets/main-Bx31.js", &[("accept-encoding", "br")])).unwrap();
    let full = site.answer(&request(Method::GET, "/assets/main-Bx31.js", &[("accept-encoding", "br")])).unwrap();
    assert_eq!(head.headers(), full.headers());
    assert_eq!(text(head).await, "");
}

#[test]
fn nothing_else_can_be_reached() {
    let site = site("http://127.0.0.1:8440");
    let none = [
        "/v1",
        "/metrics",
        "/duty",
        "/v1/nothing",
        "/missing.js",
        "/assets/gone-1234.js",
        "/index.html.br",
        "/assets/main-Bx31.js.gz",
        "/../Cargo.toml",
        "/assets/../../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..%2fCargo.toml",
        "//etc/passwd.txt",
        "/.env",
        "/assets/.hidden.js",
        "/C:\\secret.txt",
    ];
    for path in none {
        let Ok(uri) = path.parse::<axum::http::Uri>() else { continue };
        let mut request = request(Method::GET, "/", &[]);
        *request.uri_mut() = uri;
        assert!(site.answer(&request).is_none(), "{path}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        assert!(site.answer(&request(method, "/", &[])).is_none());
    }
}

/// The folder that a debug build reads is no way out of itself either.
#[test]
fn the_built_in_files_hold_no_way_out() {
    for key in ["../Cargo.toml", "../../Cargo.toml", "/etc/hostname", "assets/../../package.json"] {
        assert!(files::built_in(key).is_none(), "{key}");
    }
}

#[test]
fn every_answer_carries_the_apps_headers() {
    let page = get("/", &[]);
    let policy = header(&page, "content-security-policy");
    assert_eq!(
        policy,
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; \
         connect-src 'self' ws://127.0.0.1:8440; worker-src 'self'; manifest-src 'self'; font-src 'self'; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    );
    let expected = [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    for (name, value) in expected {
        assert_eq!(header(&page, name), value, "{name}");
    }
    let secure = site("https://firstlight.example.org").answer(&request(Method::GET, "/", &[])).unwrap();
    assert!(header(&secure, "content-security-policy").contains("connect-src 'self' wss://firstlight.example.org;"));
}

#[tokio::test]
async fn without_the_app_a_page_says_how_to_build_it() {
    let site = Site { read: |_| None, ..site("http://127.0.0.1:8440") };
    let page = site.answer(&request(Method::GET, "/join", &[])).unwrap();
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    assert_eq!(header(&page, "referrer-policy"), "no-referrer");
    assert!(text(page).await.contains("web/build"));
    assert!(site.answer(&request(Method::GET, "/sw.js", &[])).is_none());
}
