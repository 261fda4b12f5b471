//! What stands beside the sealed values in the clear: how to unwrap the data key, and who failed to.

use crate::storage::{
    StorageError,
    seal::{FORMAT, Sealer, Unlock},
};
use firstlight_protocol::{Bytes, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use zeroize::Zeroizing;

/// Attempts that cost nothing; people mistype.
const FREE_ATTEMPTS: u32 = 5;
/// The wait after the fifth failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(60);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// The store's head. Not secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) format: u32,
    pub(super) generation: u64,
    /// The data key, wrapped for the passphrase.
    #[serde(default)]
    pub(super) passphrase: Option<Bytes>,
    /// The data key, wrapped for a passkey.
    #[serde(default)]
    pub(super) passkey: Option<WrappedForPasskey>,
}

/// The data key, wrapped for what a passkey's PRF extension answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WrappedForPasskey {
    pub(super) passkey: Passkey,
    pub(super) envelope: Bytes,
}

/// Which passkey, and what it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// The credential's id.
    pub credential: Bytes,
    /// The input of its PRF extension.
    pub salt: Bytes,
}

/// What opens a store in a browser.
#[derive(Debug, Clone)]
pub enum Key {
    /// What a person knows.
    Passphrase(Zeroizing<String>),
    /// What their authenticator answers.
    Passkey(Passkey, Zeroizing<[u8; 32]>),
}

impl Key {
    fn unlock(&self) -> Unlock {
        match self {
            Self::Passphrase(text) => Unlock::Passphrase(text.clone()),
            Self::Passkey(_, secret) => Unlock::Key(secret.clone()),
        }
    }
}

impl Head {
    /// The head of a new store.
    pub(super) fn new(sealer: &Sealer, key: &Key) -> Result<Self, StorageError> {
        let mut head = Self { format: FORMAT, generation: 0, passphrase: None, passkey: None };
        head.wrap(sealer, key)?;
        Ok(head)
    }

    /// Wraps the data key for one more key, in place of an earlier one of the same sort.
    pub(super) fn wrap(&mut self, sealer: &Sealer, key: &Key) -> Result<(), StorageError> {
        let envelope = Bytes(sealer.wrap(&key.unlock())?.encode());
        match key {
            Key::Passphrase(_) => self.passphrase = Some(envelope),
            Key::Passkey(passkey, _) => {
                self.passkey = Some(WrappedForPasskey { passkey: passkey.clone(), envelope });
            }
        }
        Ok(())
    }

    /// Unwraps the data key.
    pub(super) fn unwrap(&self, key: &Key) -> Result<Sealer, StorageError> {
        let envelope = match key {
            Key::Passphrase(_) => self.passphrase.as_ref(),
            Key::Passkey(..) => self.passkey.as_ref().map(|wrapped| &wrapped.envelope),
        };
        Sealer::unwrap(envelope.ok_or(StorageError::WrongKey)?, &key.unlock())
    }
}

/// Failed attempts to open the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// Since the last good one.
    pub failures: u32,
    /// No attempt before this moment.
    pub until: Timestamp,
}

impl Guard {
    /// Counts an attempt before it is made, so that cutting it short saves nothing.
    pub(super) fn attempt(self, now: Timestamp) -> Self {
        let failures = self.failures.saturating_add(1);
        let over = failures.checked_sub(FREE_ATTEMPTS);
        let wait = over.map_or(Duration::ZERO, |over| FIRST_WAIT.saturating_mul(1 << over.min(10)).min(LONGEST_WAIT));
        Self { failures, until: now + wait }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_lock_for_a_minute_and_then_for_longer_and_longer() {
        let mut guard = Guard::default();
        let now = Timestamp(1_000_000);
        let mut waits = Vec::new();
        for _ in 0..13 {
            guard = guard.attempt(now);
            waits.push(guard.until.since(now).as_secs() / 60);
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
