//! Signing in: challenge, signature, access token and rotating refresh token.

use super::{
    SignedIn, challenge,
    sessions::{Attempt, Outcome, Refreshed},
    to_the_end,
    token::{Refresh, Scope},
};
use crate::{
    Error, Result,
    app::{App, Shared, random},
    caller::Caller,
    extract::Json,
    limit::Peer,
};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{
    ErrorCode, Problem, SessionId, Timestamp,
    api::{API_LEVEL, Challenge, ChallengeRequest, MIN_CLIENT_LEVEL, Me, RefreshRequest, ServerInfo, SignIn, Tokens},
    limits::REFRESH_LIFETIME,
    signed::verify_challenge,
};

/// What a client needs to know before it signs in.
#[utoipa::path(get, path = "/v1/server", tag = "identity", responses((status = 200, body = ServerInfo)), security(()))]
pub(super) async fn server(State(app): State<Shared>) -> Json<ServerInfo> {
    let identity = &app.identity;
    Json(ServerInfo {
        name: identity.name.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        api_level: API_LEVEL,
        min_client_level: MIN_CLIENT_LEVEL,
        host: identity.trust.get().map(|anchors| anchors.host()),
        suites: identity.suites.clone(),
        now: app.clock.now(),
    })
}

/// Who the server takes the caller for.
#[utoipa::path(get, path = "/v1/me", tag = "identity", responses((status = 200, body = Me), (status = 401, body = Problem)))]
pub(super) async fn me(SignedIn(caller): SignedIn, State(app): State<Shared>) -> Result<Json<Me>> {
    let person = app.store.person(caller.person).await?.ok_or_else(|| Error::internal("a caller without a person"))?;
    let Caller { org, org_kind, person: id, device, role, .. } = caller;
    Ok(Json(Me { org, org_kind, person: id, device, role, work_name: person.work_name }))
}

/// A challenge to sign. Good for one sign-in of this device, within a minute.
#[utoipa::path(post, path = "/v1/auth/challenges", tag = "identity", request_body = ChallengeRequest, security(()),
    responses((status = 200, body = Challenge), (status = 429, body = Problem)))]
pub(super) async fn challenge(
    peer: Peer,
    State(app): State<Shared>,
    Json(request): Json<ChallengeRequest>,
) -> Result<Json<Challenge>> {
    let (now, identity) = (app.clock.now(), &app.identity);
    identity.limits.stranger.check_peer(peer, now)?;
    // Apart from the sign-ins' allowance: a challenge that took the last of it would be one that can't be used.
    identity.limits.sign_in.check(("challenge", request.device, peer), now)?;
    challenge::issue(&identity.tokens, request.device, now).map(Json)
}

/// Signs in with a signature over a challenge.
///
/// Five wrong signatures in a row lock the device's sign-in for a minute; sessions that are open go on.
#[utoipa::path(post, path = "/v1/auth/sessions", tag = "identity", request_body = SignIn, security(()),
    responses((status = 200, body = Tokens), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 429, body = Problem)))]
pub(super) async fn sign_in(
    peer: Peer,
    State(app): State<Shared>,
    Json(request): Json<SignIn>,
) -> Result<Json<Tokens>> {
    let (now, identity) = (app.clock.now(), &app.identity);
    identity.limits.stranger.check_peer(peer, now)?;
    identity.limits.sign_in.check((request.device, peer), now)?;
    let SignIn { device, challenge, signature } = request;
    let expires_at = challenge::check(&identity.tokens, device, &challenge, now)?;
    let known = app.store.device(device).await?.ok_or(ErrorCode::BadSignature)?;
    let verified = verify_challenge(&known.key, &identity.name, device, &challenge, &signature).is_ok();
    if verified {
        // Only to its holder does the server say more about a device: expired, revoked, partner withdrawn.
        identity.anchors()?.verify_device(&known.chain, now).map_err(Problem::from)?;
    }
    let refresh = identity.tokens.refresh(SessionId(random()?), 0)?;
    to_the_end(async move {
        let attempt = Attempt { device, challenge: challenge.0, expires_at, verified, despite_lockout: false };
        match app.store.sign_in(attempt, refresh.clone(), now).await? {
            Outcome::Refused(problem) => Err(problem.into()),
            Outcome::SignedIn(ended) => {
                app.end_sessions(&ended, now);
                app.tokens(&known.caller(refresh.session), refresh, now).map(Json)
            }
        }
    })
    .await
}

/// Replaces the refresh token and gives a new access token. A refresh token that was used before ends the whole sign-in.
#[utoipa::path(post, path = "/v1/auth/refresh", tag = "identity", request_body = RefreshRequest, security(()),
    responses((status = 200, body = Tokens), (status = 401, body = Problem)))]
pub(super) async fn refresh(
    peer: Peer,
    State(app): State<Shared>,
    Json(request): Json<RefreshRequest>,
) -> Result<Json<Tokens>> {
    let (now, identity) = (app.clock.now(), &app.identity);
    identity.limits.stranger.check_peer(peer, now)?;
    let old = identity.tokens.read_refresh(&request.refresh)?;
    identity.limits.renew.check(old.session, now)?;
    let next = identity.tokens.refresh(old.session, old.generation.saturating_add(1))?;
    to_the_end(async move {
        match app.store.refresh(old.clone(), next.clone(), now).await? {
            Refreshed::Next(caller) => app.tokens(&caller, next, now).map(Json),
            Refreshed::Reused => {
                app.end_sessions(&[old.session], now);
                Err(ErrorCode::TokenReused.into())
            }
        }
    })
    .await
}

/// Signs out: ends the caller's sign-in and its sockets.
#[utoipa::path(delete, path = "/v1/auth/sessions", tag = "identity",
    responses((status = 204), (status = 401, body = Problem)))]
pub(super) async fn sign_out(SignedIn(caller): SignedIn, State(app): State<Shared>) -> Result<StatusCode> {
    let (now, session) = (app.clock.now(), caller.session);
    to_the_end(async move {
        app.store.sign_out(caller, now).await?;
        app.end_sessions(&[session], now);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

impl App {
    fn tokens(&self, caller: &Caller, refresh: Refresh, now: Timestamp) -> Result<Tokens> {
        let (access, access_expires_at) = self.identity.tokens.access(caller, Scope::Full, now)?;
        Ok(Tokens {
            session: caller.session,
            access,
            access_expires_at,
            refresh: refresh.token,
            refresh_expires_at: now + REFRESH_LIFETIME,
        })
    }

    /// Takes in what other nodes have ended or begun to trust, and closes the sockets of what has ended.
    pub(crate) async fn reload_identity(&self) -> Result<()> {
        self.identity.trust.reload(&self.store).await?;
        let (devices, sessions) = self.identity.live.reload(&self.store, self.clock.now()).await?;
        self.bus.ended_elsewhere(&devices, &sessions);
        Ok(())
    }

    /// Makes the end of sign-ins, which the store has by now, felt at once: tokens are refused and sockets closed.
    pub(super) fn end_sessions(&self, sessions: &[SessionId], now: Timestamp) {
        self.identity.live.end(sessions, now);
        for session in sessions {
            self.bus.disconnect_session(*session);
        }
    }
}
