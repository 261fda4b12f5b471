//! From a bearer token to a [`Caller`].

use super::trust;
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
        let token = bearer(parts).ok_or(ErrorCode::Unauthenticated)?;
        app.identity.authenticate(token, app).map(Self)
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
    fn authenticate(&self, token: &str, app: &App) -> Result<Caller> {
        let caller = self.tokens.read_access(token, app.clock.now())?;
        self.check_alive(&caller)?;
        Ok(caller)
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
