//! Who is who: organisations, people, devices, and how they sign in (DESIGN.md, "Identity").
//!
//! The server holds no key that could make a device. It stores what admins' clients sign, checks all of it against its
//! own [`Anchors`] before it acts on it, and hands it on for every client to check again.
//!
//! | file | what |
//! |---|---|
//! | `founding`, `organisations` | organisations founded and restored, the host's statements |
//! | `revocations` | revoked devices, closed at once |
//! | `invites`, `enrolments` | how a device comes in |
//! | `auth`, `sessions`, `tickets` | signing in |
//! | `duty` | the same for a locked device, and its own callouts alone |
//! | `token`, `challenge`, `keys` | the cryptography of signing in |
//! | `caller`, `live`, `trust` | asked on every request |
//! | `people`, `contacts`, `store` | the directory, for handlers and for the rest of the server |

mod auth;
mod caller;
mod challenge;
mod contacts;
mod duty;
mod enrolments;
mod founding;
mod invites;
mod keys;
mod live;
mod organisations;
mod people;
mod revocations;
mod sessions;
mod store;
#[cfg(test)]
mod tests;
mod tickets;
mod token;
mod trust;

pub use caller::{MaybeLocked, OnDuty, SignedIn};
pub use contacts::ContactRow;
pub(crate) use contacts::read_rule;
pub(crate) use keys::{TOKEN_KEY, bootstrap_token, own_secret, token_key};
pub(crate) use sessions::FORGET as FORGET_SIGN_IN;
pub use store::{Device, Person};
pub(crate) use trust::anchors_in;

use crate::{Error, Result, app::Shared, bus::Bus, caller::Caller, limit::RateLimit, store::Store};
use firstlight_protocol::{DeviceId, OrgId, SessionId, Timestamp, cert::Anchors};
use std::{path::Path, sync::Arc, time::Duration};
use utoipa_axum::{router::OpenApiRouter, routes};
use zeroize::Zeroizing;

/// What identity keeps in memory.
#[derive(Debug)]
pub struct Identity {
    name: String,
    suites: Vec<u16>,
    tokens: token::TokenKey,
    bootstrap: keys::Bootstrap,
    trust: trust::Trust,
    live: live::Live,
    limits: Limits,
}

/// Rate limits of requests that need no sign-in, or that make something.
#[derive(Debug)]
struct Limits {
    /// Requests without a sign-in, by address.
    stranger: RateLimit,
    /// Challenges and sign-ins, by device.
    sign_in: RateLimit,
    /// Refreshes and tickets, by sign-in.
    renew: RateLimit,
    /// Claims of an invite, by invite: a wrong claim key is never a slip.
    claim: RateLimit,
    /// Attempts to found the host, all together.
    bootstrap: RateLimit,
    /// People looked up, by caller.
    directory: RateLimit,
    /// Codes sent to verify contact methods, by caller and by destination.
    verify: RateLimit,
    /// Invites and other changes, by caller.
    change: RateLimit,
}

impl Limits {
    fn new(bus: &Bus) -> Self {
        Self {
            stranger: bus.limit("identity.stranger", 60, Duration::from_secs(1)),
            sign_in: bus.limit("identity.sign_in", 20, Duration::from_secs(3)),
            renew: bus.limit("identity.renew", 30, Duration::from_secs(2)),
            claim: bus.limit("identity.claim", 60, Duration::from_millis(500)),
            bootstrap: bus.limit("identity.bootstrap", 5, Duration::from_secs(10)),
            directory: bus.limit("identity.directory", 4_000, Duration::from_millis(20)),
            verify: bus.limit("identity.verify", 10, Duration::from_secs(60)),
            change: bus.limit("identity.change", 2_000, Duration::from_millis(20)),
        }
    }
}

impl Identity {
    /// Reads what the store knows. `key` signs access tokens; `made` says that it is new. The token that founds the host is
    /// written to `dir`.
    ///
    /// `name` is the server's origin as in invite links (`https://host[:port]`): devices sign it to sign in, and it is
    /// the issuer of access tokens. `suites` are the MLS ciphersuites that rooms may use, best first.
    pub async fn open(
        dir: &Path,
        (key, made): (Zeroizing<[u8; 32]>, bool),
        name: &str,
        suites: Vec<u16>,
        store: &Store,
        bus: &Bus,
        now: Timestamp,
    ) -> Result<Self> {
        let trust = trust::Trust::load(store).await?;
        if store.is_shared() {
            store.check_keys(&<sha2::Sha256 as sha2::Digest>::digest(key.as_slice()).into()).await?;
        } else if made && trust.get().is_some() {
            tracing::warn!(
                "this database comes from another data directory: devices sign in again, and go on from here"
            );
            store.was_restored().await?;
        }
        let tokens = token::TokenKey::new(&key, name)?;
        Ok(Self {
            name: name.to_owned(),
            suites,
            bootstrap: keys::Bootstrap::prepare(dir, trust.get().is_some(), &tokens)?,
            tokens,
            trust,
            live: live::Live::load(store, now).await?,
            limits: Limits::new(bus),
        })
    }

    /// Takes note of what other nodes revoked and ended, as soon as they say so. What they could not say is in the store.
    pub(crate) async fn follow(app: Shared) {
        loop {
            let ended = app.bus.ended().await;
            app.identity.live.revoke(&ended.devices);
            app.identity.live.end(&ended.sessions, app.clock.now());
            // Devices are revoked by a list that says more than their names.
            if !ended.devices.is_empty()
                && let Err(error) = app.identity.trust.reload(&app.store).await
            {
                tracing::error!(%error, "what another node revoked could not be read");
            }
        }
    }

    /// The roots that the server trusts, and everything revoked below them.
    ///
    /// # Errors
    /// `wrong_state` while the server has no host organisation.
    pub fn anchors(&self) -> Result<Arc<Anchors>> {
        self.trust.get().ok_or_else(trust::not_founded)
    }

    /// Whether people of an organisation may use this server: the host's and its partners'.
    pub(crate) fn is_partner(&self, org: OrgId) -> bool {
        self.trust.get().is_some_and(|anchors| trust::is_active(&anchors, org))
    }

    /// Counts a change by a signed-in caller against their limit.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(crate) fn check_change(&self, caller: &Caller, now: Timestamp) -> Result<()> {
        Ok(self.limits.change.check(caller.device, now)?)
    }

    /// Whether a device is revoked, on its own or with its signer.
    pub fn is_revoked(&self, device: DeviceId) -> bool {
        self.live.is_revoked(device)
    }

    /// Whether a sign-in still stands; cheap enough to ask for every frame of a socket.
    pub fn session_alive(&self, session: SessionId, device: DeviceId) -> bool {
        !self.live.is_revoked(device) && !self.live.has_ended(session)
    }
}

/// Runs a change to its end even if the client hangs up: what follows a commit (caches, sockets) must not be left out.
async fn to_the_end<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    tokio::spawn(work).await.map_err(Error::internal)?
}

/// The routes of this part of the house.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(auth::server))
        .routes(routes!(auth::me))
        .routes(routes!(auth::challenge))
        .routes(routes!(auth::sign_in, auth::sign_out))
        .routes(routes!(auth::refresh))
        .routes(routes!(tickets::ticket))
        .routes(routes!(duty::sign_in))
        .routes(routes!(duty::put, duty::delete))
        .routes(routes!(founding::found, organisations::list))
        .routes(routes!(organisations::put_statement))
        .routes(routes!(organisations::root))
        .routes(routes!(revocations::put_revocations))
        .routes(routes!(invites::create, invites::list))
        .routes(routes!(invites::withdraw))
        .routes(routes!(invites::look))
        .routes(routes!(enrolments::enrol, enrolments::list))
        .routes(routes!(enrolments::status))
        .routes(routes!(enrolments::issue))
        .routes(routes!(enrolments::refuse))
        .routes(routes!(people::list))
        .routes(routes!(people::update))
        .routes(routes!(people::directory))
        .routes(routes!(contacts::get, contacts::put))
        .routes(routes!(contacts::start))
        .routes(routes!(contacts::confirm))
        .routes(routes!(contacts::put_push, contacts::delete_push))
        .routes(routes!(contacts::confirm_push))
}
