//! Challenges, who am I, tickets for the websocket, signing out.

use super::{Api, Call, Http, TokenVault, TransportError};
use firstlight_protocol::{
    DeviceId, Secret,
    api::{Challenge, ChallengeRequest, Me, Ticket},
};

impl Http {
    /// `POST /v1/auth/challenges`: an unused challenge expires by itself.
    pub async fn challenge(&self, device: DeviceId) -> Result<Challenge, TransportError> {
        self.send(&Call::post("/v1/auth/challenges", &ChallengeRequest { device }), None).await
    }
}

impl<V: TokenVault> Api<V> {
    /// `GET /v1/me`.
    pub async fn me(&self) -> Result<Me, TransportError> {
        self.call(Call::get("/v1/me")).await
    }

    /// `POST /v1/auth/tickets`: an unused ticket expires by itself, so asking twice harms nothing.
    pub async fn ticket(&self) -> Result<Ticket, TransportError> {
        self.call(Call::post("/v1/auth/tickets", &serde_json::json!({}))).await
    }

    /// An access token for requests that are made elsewhere; a new one if `refused` is no longer taken.
    pub async fn access_token(&self, refused: Option<&Secret>) -> Result<Secret, TransportError> {
        self.sign_in.access(&self.http, refused).await
    }

    /// `DELETE /v1/auth/sessions`: signs this device out. Its state stays.
    pub async fn sign_out(&self) -> Result<(), TransportError> {
        self.call::<()>(Call::delete("/v1/auth/sessions")).await?;
        self.sign_in.forget().await
    }
}
