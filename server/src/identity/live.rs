//! What has ended while access tokens for it are still good: asked on every request and by every open socket, so it is
//! kept in memory and rebuilt from the store at start.

use crate::store::sql;
use crate::{
    Result,
    store::{Store, id},
};
use firstlight_protocol::{
    DeviceId, SessionId, Timestamp,
    limits::{ACCESS_LIFETIME, CLOCK_LEEWAY},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

/// After this long no access token of an ended sign-in is good any more.
pub(super) const REMEMBER: Duration = ACCESS_LIFETIME.saturating_add(CLOCK_LEEWAY);

/// Revoked devices, and sign-ins that ended lately.
#[derive(Debug, Default)]
pub(super) struct Live(RwLock<Ended>);

#[derive(Debug, Default)]
struct Ended {
    devices: HashSet<DeviceId>,
    sessions: HashMap<SessionId, Timestamp>,
}

impl Live {
    /// What the store says.
    pub(super) async fn load(store: &Store, now: Timestamp) -> Result<Self> {
        Ok(Self(RwLock::new(Self::stored(store, now).await?)))
    }

    /// Takes in what other nodes have ended; answers with what was news here.
    pub(super) async fn reload(&self, store: &Store, now: Timestamp) -> Result<(Vec<DeviceId>, Vec<SessionId>)> {
        let stored = Self::stored(store, now).await?;
        let mut known = self.write();
        let devices: Vec<_> = stored.devices.difference(&known.devices).copied().collect();
        let sessions: Vec<_> = stored.sessions.keys().filter(|s| !known.sessions.contains_key(s)).copied().collect();
        known.devices.extend(&devices);
        known.sessions.extend(stored.sessions);
        Ok((devices, sessions))
    }

    async fn stored(store: &Store, now: Timestamp) -> Result<Ended> {
        let mut ended = Ended::default();
        for row in sql::query("SELECT device FROM devices WHERE revoked_at IS NOT NULL").fetch_all(store.read()).await?
        {
            ended.devices.insert(id(row.get("device"))?);
        }
        let since = now - REMEMBER;
        let rows = sql::query(
            "SELECT session, ended_at FROM sessions WHERE ended_at > $1
             UNION ALL SELECT session, ended_at FROM duty_keys WHERE ended_at > $1",
        )
        .bind(since.0)
        .fetch_all(store.read())
        .await?;
        for row in rows {
            ended.sessions.insert(id(row.get("session"))?, Timestamp(row.get("ended_at")));
        }
        Ok(ended)
    }

    pub(super) fn is_revoked(&self, device: DeviceId) -> bool {
        self.read().devices.contains(&device)
    }

    pub(super) fn has_ended(&self, session: SessionId) -> bool {
        self.read().sessions.contains_key(&session)
    }

    pub(super) fn revoke(&self, devices: &[DeviceId]) {
        self.write().devices.extend(devices);
    }

    pub(super) fn end(&self, sessions: &[SessionId], now: Timestamp) {
        let mut ended = self.write();
        ended.sessions.retain(|_, at| now.since(*at) < REMEMBER);
        ended.sessions.extend(sessions.iter().map(|session| (*session, now)));
    }

    // Each change is a whole insert or remove, so a panic elsewhere leaves the sets usable.
    fn read(&self) -> RwLockReadGuard<'_, Ended> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Ended> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
