//! Signing in and staying signed in: challenge, signature, access token, rotating refresh token.
//!
//! A refresh token works once, and a second use revokes the whole sign-in. Several processes may share one state
//! directory (a `watch` and a short command), so a refresh happens with a lock of its own held across the request:
//! whoever waited finds the new tokens in the store. It is not the state's lock, because a page must never wait for
//! the network (DESIGN.md, promise 2).

use super::{Http, TransportError, http::Call};
use firstlight_protocol::{
    DeviceId, ErrorCode, Secret, Timestamp,
    api::{Challenge, ChallengeRequest, RefreshRequest, ServerInfo, SignIn as SignInRequest, Tokens},
};
use std::{fmt, sync::Arc, time::Duration};

/// An access token is renewed when it has less than this left, so that it does not expire on the way.
const MARGIN: Duration = Duration::from_secs(20);

/// The token store, or the device's key, could not be used; says what happened in a plain sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct VaultError(pub String);

/// Where a device keeps its tokens and its key.
pub trait TokenVault: Send + Sync {
    /// Held while tokens are renewed; dropping it lets the next process in.
    type Guard: Send;

    /// Waits until no other process renews tokens.
    fn lock(&self) -> impl Future<Output = Result<Self::Guard, VaultError>> + Send;
    /// The newest tokens, if there are any.
    fn load(&self) -> Result<Option<Tokens>, VaultError>;
    /// Keeps tokens, or forgets them.
    fn store(&self, tokens: Option<&Tokens>) -> Result<(), VaultError>;
    /// The device.
    fn device(&self) -> Result<DeviceId, VaultError>;
    /// Signs a sign-in challenge for the server of this name, with the device's key.
    fn sign_challenge(&self, server: &str, challenge: &[u8]) -> Result<Vec<u8>, VaultError>;
    /// The wall clock.
    fn now(&self) -> Timestamp;
}

/// Gives out access tokens that are valid now.
pub struct SignIn<V> {
    vault: Arc<V>,
}

impl<V> Clone for SignIn<V> {
    fn clone(&self) -> Self {
        Self {
            vault: self.vault.clone(),
        }
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
        if let Some(token) = self.stored(refused)? {
            return Ok(token);
        }
        let _guard = self.vault.lock().await?;
        // Another process may have renewed them while this one waited.
        if let Some(token) = self.stored(refused)? {
            return Ok(token);
        }
        let tokens = match self.refresh(http).await? {
            Some(tokens) => tokens,
            None => self.sign_in(http).await?,
        };
        self.vault.store(Some(&tokens))?;
        Ok(tokens.access.clone())
    }

    /// Forgets the tokens (after signing out).
    pub(crate) fn forget(&self) -> Result<(), TransportError> {
        Ok(self.vault.store(None)?)
    }

    fn stored(&self, refused: Option<&Secret>) -> Result<Option<Secret>, TransportError> {
        let good_until = self.vault.now() + MARGIN;
        Ok(self
            .vault
            .load()?
            .filter(|t| t.access_expires_at > good_until && Some(&t.access) != refused)
            .map(|t| t.access.clone()))
    }

    /// Uses the refresh token, once. `None`: there is none that works, sign in again.
    async fn refresh(&self, http: &Http) -> Result<Option<Tokens>, TransportError> {
        let Some(tokens) = self.vault.load()?.filter(|t| t.refresh_expires_at > self.vault.now()) else {
            return Ok(None);
        };
        // From here on the stored token counts as used, whatever becomes of the answer: a crash now leads to a new
        // sign-in, never to a second use.
        self.vault.store(None)?;
        let call = Call::post_once(
            "/v1/auth/refresh",
            &RefreshRequest {
                refresh: tokens.refresh.clone(),
            },
        );
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
        let device = self.vault.device()?;
        let server: ServerInfo = http.send(&Call::get("/v1/server"), None).await?;
        let challenge: Challenge = http
            .send(&Call::post("/v1/auth/challenges", &ChallengeRequest { device }), None)
            .await?;
        let signature = self.vault.sign_challenge(&server.name, &challenge.challenge)?;
        let answer = SignInRequest {
            device,
            challenge: challenge.challenge,
            signature: signature.into(),
        };
        http.send(&Call::post_once("/v1/auth/sessions", &answer), None).await
    }
}
