//! Signing in and staying signed in: challenge, signature, access token, rotating refresh token.
//!
//! A refresh token works once, and a second use revokes the whole sign-in. Several processes may share one state
//! directory (a `watch` and a short command), so a refresh happens with a lock of its own held across the request:
//! whoever waited finds the new tokens in the store. It is not the state's lock, because a page must never wait for
//! the network (DESIGN.md, promise 2).

use super::{Http, TransportError, http::Call};
use firstlight_protocol::{
    DeviceId, ErrorCode, Secret, Timestamp,
    api::{RefreshRequest, ServerInfo, SignIn as SignInRequest, Tokens},
};
use std::{fmt, sync::Arc, time::Duration};

/// An access token is renewed when it has less than this left, so that it does not expire on the way.
const MARGIN: Duration = Duration::from_secs(20);

/// The token store, or the device's key, could not be used; says what happened in a plain sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct VaultError(pub String);

/// What may move between threads, where there are threads: a browser's values may not, and need not.
#[cfg(feature = "native")]
pub trait Mobile: Send {}
#[cfg(feature = "native")]
impl<T: Send> Mobile for T {}
/// What may move between threads, where there are threads: a browser's values may not, and need not.
#[cfg(target_arch = "wasm32")]
pub trait Mobile {}
#[cfg(target_arch = "wasm32")]
impl<T> Mobile for T {}

/// Where a device keeps its tokens and its key.
pub trait TokenVault: Mobile {
    /// Held while tokens are renewed; dropping it lets the next process in.
    type Guard: Mobile;

    /// Waits until nobody else renews tokens.
    fn lock(&self) -> impl Future<Output = Result<Self::Guard, VaultError>> + Mobile;
    /// The newest tokens, if there are any.
    fn load(&self) -> impl Future<Output = Result<Option<Tokens>, VaultError>> + Mobile;
    /// Keeps tokens, or forgets them.
    fn store(&self, tokens: Option<&Tokens>) -> impl Future<Output = Result<(), VaultError>> + Mobile;
    /// The device.
    fn device(&self) -> impl Future<Output = Result<DeviceId, VaultError>> + Mobile;
    /// Signs a sign-in challenge for the server of this name, with the device's key.
    fn sign_challenge(
        &self,
        server: &str,
        challenge: &[u8],
    ) -> impl Future<Output = Result<Vec<u8>, VaultError>> + Mobile;
    /// The wall clock.
    fn now(&self) -> Timestamp;
}

/// Gives out access tokens that are valid now.
pub struct SignIn<V> {
    vault: Arc<V>,
}

impl<V> Clone for SignIn<V> {
    fn clone(&self) -> Self {
        Self { vault: self.vault.clone() }
    }
}

impl<V> fmt::Debug for SignIn<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignIn")
    }
}

impl<V: TokenVault> SignIn<V> {
    /// Over a device's vault.
    pub fn new(vault: Arc<V>) -> Self {
        Self { vault }
    }

    /// An access token: the stored one, a refreshed one, or one of a new sign-in.
    ///
    /// `refused` is a token that the server no longer takes, however long it should have lasted.
    pub(crate) async fn access(&self, http: &Http, refused: Option<&Secret>) -> Result<Secret, TransportError> {
        if let Some(token) = self.stored(refused).await? {
            return Ok(token);
        }
        let _guard = self.vault.lock().await?;
        // Another process may have renewed them while this one waited.
        if let Some(token) = self.stored(refused).await? {
            return Ok(token);
        }
        let tokens = match self.refresh(http).await? {
            Some(tokens) => tokens,
            None => self.sign_in(http).await?,
        };
        self.vault.store(Some(&tokens)).await?;
        Ok(tokens.access.clone())
    }

    /// Forgets the tokens (after signing out).
    pub(crate) async fn forget(&self) -> Result<(), TransportError> {
        Ok(self.vault.store(None).await?)
    }

    async fn stored(&self, refused: Option<&Secret>) -> Result<Option<Secret>, TransportError> {
        let good_until = self.vault.now() + MARGIN;
        Ok(self
            .vault
            .load()
            .await?
            .filter(|t| t.access_expires_at > good_until && Some(&t.access) != refused)
            .map(|t| t.access.clone()))
    }

    /// Uses the refresh token, once. `None`: there is none that works, sign in again.
    async fn refresh(&self, http: &Http) -> Result<Option<Tokens>, TransportError> {
        let Some(tokens) = self.vault.load().await?.filter(|t| t.refresh_expires_at > self.vault.now()) else {
            return Ok(None);
        };
        // From here on the stored token counts as used, whatever becomes of the answer: a crash now leads to a new
        // sign-in, never to a second use.
        self.vault.store(None).await?;
        let call = Call::post_once("/v1/auth/refresh", &RefreshRequest { refresh: tokens.refresh.clone() });
        match http.send(&call, None).await {
            Ok(tokens) => Ok(Some(tokens)),
            Err(e)
                if matches!(
                    e.code(),
                    Some(ErrorCode::TokenReused | ErrorCode::Unauthenticated | ErrorCode::TokenExpired)
                ) =>
            {
                Ok(None)
            }
            // No answer: the server may have rotated the token. The device's key opens a new sign-in.
            Err(e) => Err(e),
        }
    }

    async fn sign_in(&self, http: &Http) -> Result<Tokens, TransportError> {
        let device = self.vault.device().await?;
        let server: ServerInfo = http.send(&Call::get("/v1/server"), None).await?;
        let challenge = http.challenge(device).await?;
        let signature = self.vault.sign_challenge(&server.name, &challenge.challenge).await?;
        let answer = SignInRequest { device, challenge: challenge.challenge, signature: signature.into() };
        http.send(&Call::post_once("/v1/auth/sessions", &answer), None).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::ServerUrl;
    use firstlight_protocol::{Bytes, Problem, SessionId, api::Challenge};
    use std::sync::Mutex;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        sync::OwnedMutexGuard,
    };

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    /// Tokens in memory; the lock is the same one for every handle, as a file's is.
    #[derive(Default)]
    struct Memory {
        tokens: Mutex<Option<Tokens>>,
        renewing: Arc<tokio::sync::Mutex<()>>,
    }

    impl TokenVault for Memory {
        type Guard = OwnedMutexGuard<()>;
        async fn lock(&self) -> Result<Self::Guard, VaultError> {
            Ok(self.renewing.clone().lock_owned().await)
        }
        async fn load(&self) -> Result<Option<Tokens>, VaultError> {
            Ok(self.tokens.lock().unwrap().clone())
        }
        async fn store(&self, tokens: Option<&Tokens>) -> Result<(), VaultError> {
            *self.tokens.lock().unwrap() = tokens.cloned();
            Ok(())
        }
        async fn device(&self) -> Result<DeviceId, VaultError> {
            Ok(DeviceId([1; 16]))
        }
        async fn sign_challenge(&self, server: &str, challenge: &[u8]) -> Result<Vec<u8>, VaultError> {
            Ok([server.as_bytes(), challenge].concat())
        }
        fn now(&self) -> Timestamp {
            NOW
        }
    }

    fn tokens(name: &str, access_ends: Timestamp) -> Tokens {
        Tokens {
            session: SessionId([2; 16]),
            access: Secret::new(format!("access-{name}")),
            access_expires_at: access_ends,
            refresh: Secret::new(format!("refresh-{name}")),
            refresh_expires_at: NOW + Duration::from_secs(3600),
        }
    }

    /// A listener that answers the auth routes and counts them by path; `reused` refuses every refresh token.
    async fn serve(reused: bool) -> (Http, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut buffer = [0u8; 4096];
                let read = socket.read(&mut buffer).await.unwrap();
                let head = String::from_utf8_lossy(&buffer[..read]).into_owned();
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                seen.lock().unwrap().push(path.clone());
                let later = NOW + Duration::from_secs(600);
                let (status, body) = match path.as_str() {
                    "/v1/server" => {
                        let name = "http://s".into();
                        let (api_level, min_client_level) = (1, 1);
                        let info = ServerInfo {
                            name,
                            version: "1".into(),
                            api_level,
                            min_client_level,
                            host: None,
                            suites: vec![1],
                            now: NOW,
                        };
                        (200, serde_json::to_vec(&info))
                    }
                    "/v1/auth/challenges" => {
                        (200, serde_json::to_vec(&Challenge { challenge: Bytes(vec![7; 32]), expires_at: later }))
                    }
                    "/v1/auth/sessions" => (200, serde_json::to_vec(&tokens("signed", later))),
                    "/v1/auth/refresh" if reused => (401, serde_json::to_vec(&Problem::new(ErrorCode::TokenReused))),
                    _ => (200, serde_json::to_vec(&tokens("refreshed", later))),
                };
                let body = body.unwrap();
                let head =
                    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                socket.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
            }
        });
        (Http::new(ServerUrl::parse(&url, false).unwrap()).unwrap(), asked)
    }

    #[tokio::test]
    async fn a_token_is_used_until_it_nearly_expires() {
        let (http, asked) = serve(false).await;
        let vault = Arc::new(Memory::default());
        let sign_in = SignIn::new(vault.clone());
        assert_eq!(sign_in.access(&http, None).await.unwrap(), Secret::new("access-signed"));
        assert_eq!(*asked.lock().unwrap(), ["/v1/server", "/v1/auth/challenges", "/v1/auth/sessions"]);
        assert_eq!(sign_in.access(&http, None).await.unwrap(), Secret::new("access-signed"));
        assert_eq!(asked.lock().unwrap().len(), 3, "nothing is asked while it is good");
        // One that the server refuses is renewed, however long it should have lasted.
        let refused = Secret::new("access-signed");
        assert_eq!(sign_in.access(&http, Some(&refused)).await.unwrap(), Secret::new("access-refreshed"));
    }

    #[tokio::test]
    async fn two_that_renew_at_once_use_the_refresh_token_once() {
        let (http, asked) = serve(false).await;
        let vault = Arc::new(Memory::default());
        vault.store(Some(&tokens("old", NOW + Duration::from_secs(5)))).await.unwrap();
        let (a, b) = (SignIn::new(vault.clone()), SignIn::new(vault.clone()));
        let (a, b) = tokio::join!(a.access(&http, None), b.access(&http, None));
        assert_eq!((a.unwrap(), b.unwrap()), (Secret::new("access-refreshed"), Secret::new("access-refreshed")));
        assert_eq!(*asked.lock().unwrap(), ["/v1/auth/refresh"]);
    }

    #[tokio::test]
    async fn a_refresh_token_that_was_used_before_leads_to_a_new_sign_in() {
        let (http, asked) = serve(true).await;
        let vault = Arc::new(Memory::default());
        vault.store(Some(&tokens("old", NOW))).await.unwrap();
        let sign_in = SignIn::new(vault.clone());
        assert_eq!(sign_in.access(&http, None).await.unwrap(), Secret::new("access-signed"));
        assert_eq!(asked.lock().unwrap()[0], "/v1/auth/refresh");
        assert_eq!(vault.load().await.unwrap().unwrap().refresh, Secret::new("refresh-signed"));
    }
}
