//! What a device keeps, as the session sees it: the engine, and the session's own small values.
//!
//! [`State`] runs one engine call at a time, and answers when its step is durable: nothing that follows from a step may
//! leave before. On a disk that is at once (`native`); in a browser, when IndexedDB says so (`browser`).

#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(feature = "native")]
mod native;

#[cfg(target_arch = "wasm32")]
pub use browser::State;
#[cfg(feature = "native")]
pub use native::State;

use super::SessionError;
use crate::{
    clock,
    transport::{TokenVault, VaultError},
};
use firstlight_protocol::{
    DeviceId, Timestamp,
    api::Tokens,
    signed::sign_challenge,
    wire::{from_cbor, to_cbor},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Names of the session's own values. All are sealed like the rest.
pub(super) mod names {
    /// Where the server is.
    pub(crate) const SERVER: &str = "server";
    /// Where else the server answers.
    #[cfg(feature = "native")]
    pub(crate) const ADDRESSES: &str = "addresses";
    /// The tokens of the sign-in.
    pub(crate) const TOKENS: &str = "tokens";
    /// An organisation that is being founded.
    pub(crate) const FOUNDING: &str = "founding";
    /// An organisation that is being restored.
    pub(crate) const RESTORING: &str = "restoring";
    /// An enrolment that waits for an admin.
    pub(crate) const JOINING: &str = "joining";
    /// Prefix: an invite that this device made.
    pub(crate) const INVITE: &str = "invite/";
    /// Prefix: a callout that is being opened, until its room is built.
    pub(crate) const OPENING: &str = "opening/";
    /// Prefix: an action that was not answered yet.
    pub(crate) const ACTION: &str = "action/";
    /// The duty number that this device saw last, for when nothing else works.
    pub(crate) const DUTY_NUMBER: &str = "duty-number";
}

/// Where the server is, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its address.
    pub address: String,
    /// Its name for itself, which is part of every sign-in signature.
    pub name: String,
    /// The person allowed http to another machine when the device was set up.
    pub insecure: bool,
}

impl State {
    /// One of the session's own values.
    pub async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SessionError> {
        let bytes = self.read(|engine| engine.setting(name)).await?;
        Ok(bytes.map(|bytes| from_cbor(&bytes)).transpose()?)
    }

    /// All of the session's own values whose names begin with `prefix`.
    pub(super) async fn all<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<T>, SessionError> {
        let all = self.read(|engine| engine.settings(prefix)).await?;
        Ok(all.iter().map(|(_, bytes)| from_cbor(bytes)).collect::<Result<_, _>>()?)
    }

    /// Keeps one of the session's own values.
    pub async fn put<T: Serialize>(&self, name: &str, value: &T) -> Result<(), SessionError> {
        let bytes = to_cbor(value);
        self.apply(|engine, _| engine.put_setting(name, Some(bytes))).await?;
        Ok(())
    }

    /// Forgets one of the session's own values.
    pub(super) async fn forget(&self, name: &str) -> Result<(), SessionError> {
        self.apply(|engine, _| engine.put_setting(name, None)).await?;
        Ok(())
    }

    /// Where the server is.
    pub async fn server(&self) -> Result<Option<Place>, SessionError> {
        self.get(names::SERVER).await
    }

    /// The duty number that this device saw last.
    pub async fn duty_number(&self) -> Option<String> {
        self.get(names::DUTY_NUMBER).await.ok().flatten()
    }

    /// Remembers the duty number, if it is another one.
    pub(super) async fn remember_duty_number(&self, number: &str) -> Result<(), SessionError> {
        if self.duty_number().await.as_deref() == Some(number) {
            return Ok(());
        }
        self.put(names::DUTY_NUMBER, &number).await
    }

    /// This device, once it is enrolled.
    pub async fn device(&self) -> Result<DeviceId, SessionError> {
        let device = self.read(|engine| engine.identity().map(|identity| identity.device)).await?;
        device.ok_or(SessionError::NotEnrolled)
    }
}

fn vault(error: impl std::fmt::Display) -> VaultError {
    VaultError(error.to_string())
}

impl TokenVault for State {
    #[cfg(feature = "native")]
    type Guard = std::fs::File;
    #[cfg(target_arch = "wasm32")]
    type Guard = tokio::sync::OwnedMutexGuard<()>;

    async fn lock(&self) -> Result<Self::Guard, VaultError> {
        self.lock_sign_in().await
    }

    async fn load(&self) -> Result<Option<Tokens>, VaultError> {
        self.get(names::TOKENS).await.map_err(vault)
    }

    async fn store(&self, tokens: Option<&Tokens>) -> Result<(), VaultError> {
        match tokens {
            Some(tokens) => self.put(names::TOKENS, tokens).await,
            None => self.forget(names::TOKENS).await,
        }
        .map_err(vault)
    }

    async fn device(&self) -> Result<DeviceId, VaultError> {
        Self::device(self).await.map_err(vault)
    }

    async fn sign_challenge(&self, server: &str, challenge: &[u8]) -> Result<Vec<u8>, VaultError> {
        let place = self.server().await.map_err(vault)?.ok_or_else(|| vault(SessionError::NotSetUp))?;
        // A signature for a name that the server chose now could be carried to the server of that name.
        if place.name != server {
            return Err(VaultError(format!(
                "this device was set up for {}, and the server there now calls itself by another name",
                place.name
            )));
        }
        let device = Self::device(self).await.map_err(vault)?;
        let signed = self.read(|engine| engine.signing_key().map(|key| sign_challenge(key, server, device, challenge)));
        Ok(signed.await.map_err(vault)?.map_err(vault)?.to_vec())
    }

    fn now(&self) -> Timestamp {
        clock::now()
    }
}
