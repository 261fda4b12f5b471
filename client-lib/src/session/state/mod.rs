//! The state directory as the session sees it: the engine under its lock, and the session's own small values.

use super::{SessionError, clock};
use crate::{
    engine::{Engine, EngineError, Step},
    storage::{Line, Outcome, Shared, seal::Unlock},
    transport::{TokenVault, VaultError},
};
use firstlight_protocol::{
    DeviceId, RoomId, Timestamp,
    api::Tokens,
    signed::sign_challenge,
    wire::{from_cbor, to_cbor},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Names of the session's own values. All are sealed like the rest.
pub(super) mod names {
    /// Where the server is.
    pub(crate) const SERVER: &str = "server";
    /// The tokens of the sign-in.
    pub(crate) const TOKENS: &str = "tokens";
    /// An organisation that is being founded.
    pub(crate) const FOUNDING: &str = "founding";
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

/// A state directory.
#[derive(Debug)]
pub struct State {
    shared: Mutex<Shared>,
    dir: PathBuf,
}

impl State {
    /// Makes a new one.
    pub fn create(dir: &Path, unlock: &Unlock) -> Result<Self, SessionError> {
        Ok(Self { shared: Mutex::new(Shared::create(dir, unlock)?), dir: dir.to_owned() })
    }

    /// Opens one.
    pub fn open(dir: &Path, unlock: &Unlock) -> Result<Self, SessionError> {
        Ok(Self { shared: Mutex::new(Shared::open(dir, unlock)?), dir: dir.to_owned() })
    }

    /// Answers a question to the engine, with what is newest.
    pub fn read<T>(&self, question: impl FnOnce(&Engine) -> T) -> Result<T, SessionError> {
        let mut shared = self.hold();
        shared.refresh()?;
        Ok(question(shared.engine()))
    }

    /// Runs one engine call and stores its step; the effects are still to be carried out.
    pub fn apply(
        &self,
        call: impl FnOnce(&mut Engine, Timestamp) -> Result<Step, EngineError>,
    ) -> Result<Outcome, SessionError> {
        let now = clock::now();
        Ok(self.hold().apply(|engine| call(engine, now))?)
    }

    /// Log lines of a room after a place.
    pub fn lines(&self, room: RoomId, after: u64, limit: usize) -> Result<Vec<Line>, SessionError> {
        Ok(self.hold().lines(room, after, limit)?)
    }

    /// The newest log lines of a room.
    pub fn last_lines(&self, room: RoomId, limit: usize) -> Result<Vec<Line>, SessionError> {
        Ok(self.hold().last_lines(room, limit)?)
    }

    /// One of the session's own values.
    pub(super) fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, SessionError> {
        let bytes = self.read(|engine| engine.setting(name))?;
        Ok(bytes.map(|bytes| from_cbor(&bytes)).transpose()?)
    }

    /// All of the session's own values whose names begin with `prefix`.
    pub(super) fn all<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<T>, SessionError> {
        let all = self.read(|engine| engine.settings(prefix))?;
        Ok(all.iter().map(|(_, bytes)| from_cbor(bytes)).collect::<Result<_, _>>()?)
    }

    /// Keeps one of the session's own values.
    pub(super) fn put<T: Serialize>(&self, name: &str, value: &T) -> Result<(), SessionError> {
        let bytes = to_cbor(value);
        self.apply(|engine, _| engine.put_setting(name, Some(bytes)))?;
        Ok(())
    }

    /// Forgets one of the session's own values.
    pub(super) fn forget(&self, name: &str) -> Result<(), SessionError> {
        self.apply(|engine, _| engine.put_setting(name, None))?;
        Ok(())
    }

    /// Where the server is.
    pub fn server(&self) -> Result<Option<Place>, SessionError> {
        self.get(names::SERVER)
    }

    /// The duty number that this device saw last.
    pub fn duty_number(&self) -> Option<String> {
        self.get(names::DUTY_NUMBER).ok().flatten()
    }

    /// Remembers the duty number, if it is another one.
    pub(super) fn remember_duty_number(&self, number: &str) -> Result<(), SessionError> {
        if self.duty_number().as_deref() == Some(number) {
            return Ok(());
        }
        self.put(names::DUTY_NUMBER, &number)
    }

    /// This device, once it is enrolled.
    pub fn device(&self) -> Result<DeviceId, SessionError> {
        self.read(|engine| engine.identity().map(|identity| identity.device))?.ok_or(SessionError::NotEnrolled)
    }

    fn hold(&self) -> MutexGuard<'_, Shared> {
        // A panic in another thread left the engine between two steps at worst, and the store decides what is true.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn vault(error: impl std::fmt::Display) -> VaultError {
    VaultError(error.to_string())
}

impl TokenVault for State {
    type Guard = File;

    async fn lock(&self) -> Result<File, VaultError> {
        let path = self.dir.join("sign-in.lock");
        let locking = tokio::task::spawn_blocking(move || {
            let file = File::options().create(true).truncate(false).write(true).open(path)?;
            file.lock()?;
            Ok::<_, std::io::Error>(file)
        });
        locking.await.map_err(vault)?.map_err(vault)
    }

    fn load(&self) -> Result<Option<Tokens>, VaultError> {
        self.get(names::TOKENS).map_err(vault)
    }

    fn store(&self, tokens: Option<&Tokens>) -> Result<(), VaultError> {
        match tokens {
            Some(tokens) => self.put(names::TOKENS, tokens),
            None => self.forget(names::TOKENS),
        }
        .map_err(vault)
    }

    fn device(&self) -> Result<DeviceId, VaultError> {
        Self::device(self).map_err(vault)
    }

    fn sign_challenge(&self, server: &str, challenge: &[u8]) -> Result<Vec<u8>, VaultError> {
        let place = self.server().map_err(vault)?.ok_or_else(|| vault(SessionError::NotSetUp))?;
        // A signature for a name that the server chose now could be carried to the server of that name.
        if place.name != server {
            return Err(VaultError(format!(
                "this device was set up for {}, and the server there now calls itself by another name",
                place.name
            )));
        }
        let device = Self::device(self).map_err(vault)?;
        let signed = self.read(|engine| engine.signing_key().map(|key| sign_challenge(key, server, device, challenge)));
        Ok(signed.map_err(vault)?.map_err(vault)?.to_vec())
    }

    fn now(&self) -> Timestamp {
        clock::now()
    }
}
