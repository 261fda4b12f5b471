//! Every route of the HTTP API as one typed method, one module per part of the house (`protocol::api` has the bodies).

mod agencies;
#[cfg(feature = "native")]
mod attachments;
mod auth;
mod dispatch;
mod figures;
mod identity;
mod phone;
mod proof;
mod rooms;
mod rota;

pub use figures::FigurePeriod;

use super::{Http, SignIn, TokenVault, TransportError, http::Call};
use firstlight_protocol::{ErrorCode, api::ServerInfo};
use serde::de::DeserializeOwned;

/// The API for a signed-in device. Tokens are fetched and renewed as needed.
#[derive(Debug)]
pub struct Api<V> {
    http: Http,
    sign_in: SignIn<V>,
}

impl<V> Clone for Api<V> {
    fn clone(&self) -> Self {
        Self { http: self.http.clone(), sign_in: self.sign_in.clone() }
    }
}

impl<V: TokenVault> Api<V> {
    /// Over a prepared client.
    pub fn new(http: Http, sign_in: SignIn<V>) -> Self {
        Self { http, sign_in }
    }

    /// The connection itself, for what needs no sign-in.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// Sends a request with an access token. One that the server takes no longer is renewed once: its clock decides,
    /// not this machine's.
    async fn call<T: DeserializeOwned>(&self, call: Call) -> Result<T, TransportError> {
        let token = self.sign_in.access(&self.http, None).await?;
        match self.http.send(&call, Some(&token)).await {
            Err(e) if is_old(&e) => {
                let token = self.sign_in.access(&self.http, Some(&token)).await?;
                self.http.send(&call, Some(&token)).await
            }
            answer => answer,
        }
    }

    /// The same for an answer that is text.
    async fn text(&self, call: Call) -> Result<String, TransportError> {
        Ok(String::from_utf8_lossy(&self.bytes(call).await?).into_owned())
    }

    /// The same for an answer that is bytes.
    async fn bytes(&self, call: Call) -> Result<Vec<u8>, TransportError> {
        let token = self.sign_in.access(&self.http, None).await?;
        match self.http.fetch(&call, Some(&token)).await {
            Err(e) if is_old(&e) => {
                let token = self.sign_in.access(&self.http, Some(&token)).await?;
                self.http.fetch(&call, Some(&token)).await
            }
            answer => answer,
        }
    }
}

/// Whether the server takes the token no longer.
fn is_old(error: &TransportError) -> bool {
    matches!(error.code(), Some(ErrorCode::TokenExpired | ErrorCode::Unauthenticated))
}

impl Http {
    /// `GET /v1/server`.
    pub async fn server_info(&self) -> Result<ServerInfo, TransportError> {
        self.send(&Call::get("/v1/server"), None).await
    }
}
