//! A browser and its push service: subscriptions (RFC 8030), the sender's token (RFC 8292), and the browser's own
//! decryption (RFC 8291). What is not encrypted for the subscription, or not signed, is refused as the real ones do.

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use firstlight_protocol::Secret;
use p256::{
    SecretKey,
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
    elliptic_curve::sec1::ToEncodedPoint,
};
use serde_json::Value;
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use web_push_native::{Auth, decrypt};

/// What a browser tells the server about a subscription.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Its name at the push service.
    pub name: String,
    /// Where pushes go.
    pub endpoint: String,
    /// The browser's public key, base64url.
    pub p256dh: String,
    /// The shared secret, base64url.
    pub auth: Secret,
}

/// A push as the browser got it.
#[derive(Debug, Clone, PartialEq)]
pub struct Pushed {
    /// Decrypted.
    pub payload: Value,
    /// RFC 8030 §5.3.
    pub urgency: Option<String>,
    /// RFC 8030 §5.4.
    pub topic: Option<String>,
    /// RFC 8030 §5.2, in seconds.
    pub ttl: u64,
}

#[derive(Debug)]
struct Browser {
    key: SecretKey,
    auth: [u8; 16],
    gone: bool,
    stalls: Option<Duration>,
    pushed: Vec<Pushed>,
}

#[derive(Debug, Default)]
struct Service {
    address: Mutex<Option<SocketAddr>>,
    browsers: Mutex<HashMap<String, Browser>>,
    refused: Mutex<Vec<String>>,
}

/// The push service. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Push {
    service: Arc<Service>,
    address: SocketAddr,
}

impl Push {
    /// Starts one.
    pub fn start() -> Self {
        let service = Arc::new(Service::default());
        let router = Router::new().route("/push/{name}", post(receive)).with_state(Arc::clone(&service));
        let address = super::background::serve(router);
        *lock(&service.address) = Some(address);
        Self { service, address }
    }

    /// Where it listens: `host:port`, for the operator to allow.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// A browser subscribes.
    pub fn subscribe(&self, name: &str) -> Subscription {
        let mut bytes = [0; 32];
        let key = loop {
            getrandom::fill(&mut bytes).expect("randomness");
            if let Ok(key) = SecretKey::from_slice(&bytes) {
                break key;
            }
        };
        let mut auth = [0; 16];
        getrandom::fill(&mut auth).expect("randomness");
        let public = URL_SAFE_NO_PAD.encode(key.public_key().to_encoded_point(false).as_bytes());
        let browser = Browser { key, auth, gone: false, stalls: None, pushed: Vec::new() };
        lock(&self.service.browsers).insert(name.to_owned(), browser);
        Subscription {
            name: name.to_owned(),
            endpoint: format!("http://{}/push/{name}", self.address),
            p256dh: public,
            auth: Secret::new(URL_SAFE_NO_PAD.encode(auth)),
        }
    }

    /// The browser has unsubscribed, or was reset: 410 from now on.
    pub fn unsubscribe(&self, name: &str) {
        self.change(name, |browser| browser.gone = true);
    }

    /// The service takes this long for each push to this browser.
    pub fn stall(&self, name: &str, time: Duration) {
        self.change(name, |browser| browser.stalls = Some(time));
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Browser)) {
        change(lock(&self.service.browsers).get_mut(name).expect("a subscription"));
    }

    /// What a browser got.
    pub fn pushed(&self, name: &str) -> Vec<Pushed> {
        lock(&self.service.browsers).get(name).map(|browser| browser.pushed.clone()).unwrap_or_default()
    }

    /// Why pushes were refused that should not have been sent so.
    pub fn refused(&self) -> Vec<String> {
        lock(&self.service.refused).clone()
    }

    /// Waits until a browser has got so many.
    ///
    /// # Panics
    /// After 30 seconds.
    pub async fn wait_for(&self, name: &str, count: usize) -> Vec<Pushed> {
        let wait = async {
            loop {
                let pushed = self.pushed(name);
                if pushed.len() >= count {
                    return pushed;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        match tokio::time::timeout(Duration::from_secs(30), wait).await {
            Ok(pushed) => pushed,
            Err(_) => panic!("{} of {count} pushes came; refused: {:?}", self.pushed(name).len(), self.refused()),
        }
    }
}

async fn receive(
    State(service): State<Arc<Service>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let stalls = lock(&service.browsers).get(&name).and_then(|browser| browser.stalls);
    if let Some(time) = stalls {
        tokio::time::sleep(time).await;
    }
    let origin = lock(&service.address).map(|address| format!("http://{address}")).unwrap_or_default();
    match service.take(&name, &origin, &headers, &body) {
        Ok(()) => StatusCode::CREATED,
        Err((status, why)) => {
            lock(&service.refused).push(why.to_owned());
            status
        }
    }
}

impl Service {
    fn take(
        &self,
        name: &str,
        origin: &str,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<(), (StatusCode, &'static str)> {
        let bad = |why| (StatusCode::BAD_REQUEST, why);
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let mut browsers = lock(&self.browsers);
        let browser = browsers.get_mut(name).ok_or((StatusCode::NOT_FOUND, "no such subscription"))?;
        if browser.gone {
            return Err((StatusCode::GONE, "gone"));
        }
        let ttl = header("ttl").and_then(|ttl| ttl.parse().ok()).ok_or_else(|| bad("no TTL"))?;
        if header("content-encoding") != Some("aes128gcm") {
            return Err(bad("not aes128gcm"));
        }
        // Browsers' services take no more (RFC 8030 §7.2).
        if body.len() > 4096 {
            return Err((StatusCode::PAYLOAD_TOO_LARGE, "too large"));
        }
        let token = header("authorization").ok_or((StatusCode::UNAUTHORIZED, "no token"))?;
        check_token(token, origin).map_err(|why| (StatusCode::FORBIDDEN, why))?;
        let plain = decrypt(body.to_vec(), &browser.key, &Auth::from(browser.auth)).map_err(|_| bad("not for it"))?;
        let payload = serde_json::from_slice(&plain).map_err(|_| bad("not JSON"))?;
        browser.pushed.push(Pushed {
            payload,
            urgency: header("urgency").map(str::to_owned),
            topic: header("topic").map(str::to_owned),
            ttl,
        });
        Ok(())
    }
}

/// `vapid t=JWT, k=KEY`: ES256 by that key, for this service, not expired and not for longer than a day (RFC 8292).
fn check_token(header: &str, origin: &str) -> Result<(), &'static str> {
    let fields = header.strip_prefix("vapid ").ok_or("not vapid")?;
    let field = |name: &str| fields.split(',').find_map(|field| field.trim().strip_prefix(name));
    let (token, key) = (field("t=").ok_or("no t")?, field("k=").ok_or("no k")?);
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| "not base64url");
    let (signed, signature) = token.rsplit_once('.').ok_or("not a token")?;
    let key = VerifyingKey::from_sec1_bytes(&decode(key)?).map_err(|_| "not a key")?;
    let signature = Signature::from_slice(&decode(signature)?).map_err(|_| "not a signature")?;
    key.verify(signed.as_bytes(), &signature).map_err(|_| "the signature is wrong")?;
    let (_, claims) = signed.split_once('.').ok_or("not a token")?;
    let claims: Value = serde_json::from_slice(&decode(claims)?).map_err(|_| "claims")?;
    // A test's clock may stand still, and begins at the real time.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| "clock")?.as_secs();
    let expires = claims["exp"].as_u64().ok_or("no exp")?;
    match () {
        () if claims["aud"] != origin => Err("for another service"),
        () if expires < now => Err("expired"),
        () if !claims["sub"].as_str().is_some_and(|sub| sub.starts_with("mailto:") || sub.starts_with("https:")) => {
            Err("nobody to write to")
        }
        () => Ok(()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
