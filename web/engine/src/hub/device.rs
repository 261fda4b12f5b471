//! This browser's store: made, opened, locked, wiped.

use super::{
    Hub, Open,
    refusal::{Done, Refusal},
};
use crate::contract::*;
use firstlight_client::{
    session::{Joining, State, now},
    storage::{
        StorageError,
        indexed_db::{self, IndexedDb, Key},
    },
};
use firstlight_protocol::{Bytes, ErrorCode, Problem};
use std::{rc::Rc, sync::Arc, time::Duration};
use zeroize::Zeroizing;

/// Unless the person chose otherwise.
pub(super) const LOCK_AFTER: Duration = Duration::from_secs(15 * 60);
/// Longest idle time, in minutes (DOMAIN.md, "What the law turns into").
const LONGEST: u8 = 30;
/// Shortest passphrase, in characters.
const SHORTEST_PASSPHRASE: usize = 8;
const LOCK_AFTER_NAME: &str = "lock-after";

impl Hub {
    pub(super) async fn status(self: &Rc<Self>, _: Nothing) -> Done<Status> {
        let open = self.open.borrow().clone();
        let Some(Open { state, session }) = open else { return self.closed_status().await };
        let (identity, can_sign) = state.read(|engine| (engine.identity().cloned(), engine.admin().is_some())).await?;
        let enrolment = match (&identity, &session) {
            _ if self.revoked.get() => Enrolment::Revoked,
            (Some(_), Some(_)) => Enrolment::Enrolled,
            _ if Joining::stored(&state).await?.is_some() => Enrolment::Waiting,
            _ => Enrolment::None,
        };
        Ok(Status {
            state: BrowserState::Unlocked,
            unlock: IndexedDb::find().await?.map(ways),
            enrolment: Some(enrolment),
            me: identity.map(|identity| Holder {
                person: identity.person,
                work_name: identity.work_name,
                role: identity.role,
                device: identity.device,
                org: identity.org,
                org_kind: identity.org_kind,
                root: identity.root_fingerprint,
                can_sign,
                valid_until: identity.not_after,
            }),
            lock_after_minutes: u8::try_from(self.lock_after.get().as_secs() / 60).ok(),
            connected: self.connected.get(),
            duty_number: state.duty_number().await,
        })
    }

    async fn closed_status(&self) -> Done<Status> {
        let status = |state| Status {
            state,
            unlock: None,
            enrolment: None,
            me: None,
            lock_after_minutes: None,
            connected: false,
            duty_number: None,
        };
        match IndexedDb::find().await {
            Ok(None) => Ok(status(BrowserState::Empty)),
            Ok(Some(found)) => Ok(Status { unlock: Some(ways(found)), ..status(BrowserState::Locked) }),
            Err(StorageError::Newer(_) | StorageError::Damaged) => Ok(status(BrowserState::Unusable)),
            Err(e) => Err(e.into()),
        }
    }

    /// Tells how it stands now.
    pub(super) async fn tell_status(self: &Rc<Self>) {
        if let Ok(status) = self.status(Nothing {}).await {
            self.tell(&EngineEvent::Status { status });
        }
    }

    pub(super) async fn create(self: &Rc<Self>, by: Unlocking) -> Done<Status> {
        if self.open.borrow().is_some() {
            return Err(Refusal(ErrorCode::Conflict.into()));
        }
        let key = new_key(by)?;
        let storage = match IndexedDb::create(&key).await {
            Err(StorageError::Exists(_)) => return Err(Refusal(ErrorCode::Conflict.into())),
            other => other?,
        };
        self.opened(storage).await
    }

    pub(super) async fn unlock(self: &Rc<Self>, by: Unlocking) -> Done<Status> {
        if self.open.borrow().is_some() {
            return self.status(Nothing {}).await;
        }
        let storage = IndexedDb::open(&key(by)?, now()).await?;
        self.opened(storage).await
    }

    async fn opened(self: &Rc<Self>, storage: IndexedDb) -> Done<Status> {
        let state = Arc::new(State::load(storage).await?);
        if let Some(minutes) = state.get::<u8>(LOCK_AFTER_NAME).await? {
            self.lock_after.set(minutes_long(minutes));
        }
        self.active_at.set(now());
        *self.open.borrow_mut() = Some(Open { state: state.clone(), session: None });
        if state.read(|engine| engine.identity().is_some()).await? {
            self.begin_session().await?;
        } else if let Some(joining) = Joining::stored(&state).await? {
            self.wait_for_signature(joining);
        }
        self.status(Nothing {}).await
    }

    /// The worker ends after this, and with it every key in its memory.
    pub(super) async fn lock(self: &Rc<Self>, _: Nothing) -> Done<Nothing> {
        if let Some(open) = self.open.borrow_mut().take() {
            open.state.storage().close();
        }
        Ok(Nothing {})
    }

    /// The worker ends after this too.
    pub(super) async fn erase(self: &Rc<Self>, _: Nothing) -> Done<Status> {
        self.lock(Nothing {}).await?;
        IndexedDb::erase().await?;
        self.closed_status().await
    }

    pub(super) async fn set_passphrase(self: &Rc<Self>, to: SetPassphrase) -> Done<Status> {
        let state = self.state()?;
        // An open screen is not enough.
        state.storage().confirm(&key(to.current)?, now()).await?;
        state.storage().add_key(&new_key(Unlocking::Passphrase { passphrase: to.passphrase })?).await?;
        self.status(Nothing {}).await
    }

    pub(super) async fn set_passkey(self: &Rc<Self>, to: Passkey) -> Done<Status> {
        self.state()?.storage().add_key(&key(Unlocking::Passkey(to))?).await?;
        self.status(Nothing {}).await
    }

    pub(super) async fn remove_passkey(self: &Rc<Self>, _: Nothing) -> Done<Status> {
        let state = self.state()?;
        if IndexedDb::find().await?.is_none_or(|found| !found.passphrase) {
            return Err(Refusal::value("Without the passkey nothing would open this device: set a passphrase first."));
        }
        state.storage().remove_passkey().await?;
        self.status(Nothing {}).await
    }

    pub(super) async fn set_lock_after(self: &Rc<Self>, after: SetLockAfter) -> Done<Status> {
        if !(1..=LONGEST).contains(&after.minutes) {
            return Err(Refusal::value("The session locks after 1 to 30 minutes."));
        }
        self.state()?.put(LOCK_AFTER_NAME, &after.minutes).await?;
        self.lock_after.set(minutes_long(after.minutes));
        self.status(Nothing {}).await
    }
}

fn minutes_long(minutes: u8) -> Duration {
    Duration::from_secs(u64::from(minutes.clamp(1, LONGEST)) * 60)
}

fn ways(found: indexed_db::Found) -> UnlockWays {
    UnlockWays {
        passphrase: found.passphrase,
        passkey: found.passkey.map(|passkey| PasskeyHint { credential: passkey.credential, salt: passkey.salt }),
        failures: found.guard.failures,
        locked_until: Some(found.guard.until).filter(|until| *until > now()),
    }
}

fn new_key(by: Unlocking) -> Done<Key> {
    match &by {
        Unlocking::Passphrase { passphrase } if passphrase.reveal().chars().count() < SHORTEST_PASSPHRASE => {
            Err(Refusal::value("A passphrase has at least 8 characters."))
        }
        _ => key(by),
    }
}

fn key(by: Unlocking) -> Done<Key> {
    match by {
        Unlocking::Passphrase { passphrase } => Ok(Key::Passphrase(Zeroizing::new(passphrase.reveal().to_owned()))),
        Unlocking::Passkey(Passkey { credential, salt, secret }) => {
            let bytes: Option<Bytes> = serde_json::from_value(secret.reveal().into()).ok();
            let bytes = bytes.map(|bytes| Zeroizing::new(bytes.0));
            let secret = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
            let wrong = || Refusal(Problem::with(ErrorCode::InvalidValue, "The passkey's secret has 32 bytes."));
            let secret = Zeroizing::new(secret.ok_or_else(wrong)?);
            Ok(Key::Passkey(indexed_db::Passkey { credential, salt }, secret))
        }
    }
}
