//! From a bearer token to a [`Caller`].
//!
//! What a handler takes says what opens it. [`Caller`] and [`SignedIn`] take whole sign-ins alone, so a handler is closed to
//! a duty key's tokens unless it asks for [`OnDuty`] by name; a test compares those that do with the list of them.

use super::{token::Scope, trust};
use crate::{
    Error, Result,
    app::{App, Shared},
    caller::Caller,
};
use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use firstlight_protocol::{ErrorCode, Problem, api::OrgStatus};

/// A signed-in device whatever its organisation's standing: a partner that waits for the host's statement may look at
/// itself and sign out, and nothing else.
#[derive(Debug, Clone)]
pub struct SignedIn(pub Caller);

impl FromRequestParts<Shared> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self> {
        let (caller, scope) = app.identity.authenticate(parts, app)?;
        if scope == Scope::Full { Ok(Self(caller)) } else { Err(ErrorCode::NeedsUnlock.into()) }
    }
}

/// A device that may be locked: by a whole sign-in, or by its duty key for its holder's own callouts.
#[derive(Debug, Clone)]
pub struct OnDuty(pub Caller);

/// The same, and whether the device is locked: for what shows less to whoever found it.
#[derive(Debug, Clone)]
pub struct MaybeLocked(pub Caller, pub bool);

impl FromRequestParts<Shared> for MaybeLocked {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self> {
        let (caller, scope) = app.identity.authenticate(parts, app)?;
        app.identity.require_active(&caller)?;
        Ok(Self(caller, scope == Scope::Duty))
    }
}

impl FromRequestParts<Shared> for OnDuty {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self> {
        let MaybeLocked(caller, _) = MaybeLocked::from_request_parts(parts, app).await?;
        Ok(Self(caller))
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self> {
        let SignedIn(caller) = SignedIn::from_request_parts(parts, app).await?;
        app.identity.require_active(&caller)?;
        Ok(caller)
    }
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1). Never from a query, where it would end up in logs.
fn bearer(parts: &Parts) -> Option<&str> {
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let (scheme, token) = values.next()?.to_str().ok()?.split_once(' ')?;
    (values.next().is_none() && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}

impl super::Identity {
    fn authenticate(&self, parts: &Parts, app: &App) -> Result<(Caller, Scope)> {
        let token = bearer(parts).ok_or(ErrorCode::Unauthenticated)?;
        let (caller, scope) = self.tokens.read_access(token, app.clock.now())?;
        self.check_alive(&caller)?;
        Ok((caller, scope))
    }

    /// Refuses a caller whose device was revoked or whose sign-in has ended since its token or ticket was made.
    pub(crate) fn check_alive(&self, caller: &Caller) -> Result<()> {
        if self.live.is_revoked(caller.device) {
            return Err(ErrorCode::DeviceRevoked.into());
        }
        if self.live.has_ended(caller.session) {
            return Err(Problem::with(ErrorCode::Unauthenticated, "This sign-in has ended.").into());
        }
        Ok(())
    }

    /// Refuses people of an organisation that is not a partner yet, or no longer.
    pub(super) fn require_active(&self, caller: &Caller) -> Result<()> {
        let why = match trust::status(&*self.anchors()?, caller.org) {
            OrgStatus::Host | OrgStatus::Partner => return Ok(()),
            OrgStatus::Pending => "Your organisation waits for the host's admin to confirm it.",
            OrgStatus::Withdrawn => "Your organisation is no longer a partner of the host.",
        };
        Err(Problem::with(ErrorCode::Forbidden, why).into())
    }
}
