//! Tickets: what opens a websocket once, so that no token ever stands in a URL or a frame.

use crate::store::sql;
use crate::{
    Result,
    app::{App, Shared, random},
    caller::Caller,
    extract::Json,
    store::id,
};
use axum::extract::State;
use firstlight_protocol::{ErrorCode, Problem, Secret, SessionId, api::Ticket, limits::TICKET_LIFETIME};

/// A ticket for one websocket, good for 30 seconds.
#[utoipa::path(post, path = "/v1/auth/tickets", tag = "identity",
    responses((status = 200, body = Ticket), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn ticket(caller: Caller, State(app): State<Shared>) -> Result<Json<Ticket>> {
    let now = app.clock.now();
    app.identity.limits.renew.check(caller.session, now)?;
    let ticket = Secret::from_random(&random::<32>()?);
    let (digest, expires_at, session) = (ticket.digest(), now + TICKET_LIFETIME, caller.session);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                sql::query("DELETE FROM tickets WHERE expires_at <= $1").bind(now.0).execute(&mut *tx.conn).await?;
                sql::query("INSERT INTO tickets (ticket, session, expires_at) VALUES ($1, $2, $3)")
                    .bind(digest.as_slice())
                    .bind(session.as_bytes())
                    .bind(expires_at.0)
                    .execute(&mut *tx.conn)
                    .await?;
                Ok(())
            })
        })
        .await?;
    Ok(Json(Ticket { ticket, expires_at }))
}

impl App {
    /// Takes a ticket and says whose socket it opens. It opens no second one.
    ///
    /// # Errors
    /// `ticket_invalid` if it is unknown, used or expired; `device_revoked`, `unauthenticated` or `forbidden` if its
    /// sign-in doesn't stand any more.
    pub async fn redeem_ticket(&self, ticket: &Secret) -> Result<Caller> {
        let (digest, now) = (ticket.digest(), self.clock.now());
        let caller = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let row = sql::query("DELETE FROM tickets WHERE ticket = $1 RETURNING session, expires_at")
                        .bind(digest.as_slice())
                        .fetch_optional(&mut *tx.conn)
                        .await?
                        .ok_or(ErrorCode::TicketInvalid)?;
                    let session: SessionId = id(row.get("session"))?;
                    let device =
                        sql::query_scalar("SELECT device FROM sessions WHERE session = $1 AND ended_at IS NULL")
                            .bind(session.as_bytes())
                            .fetch_optional(&mut *tx.conn)
                            .await?;
                    // Nothing that is only found out now undoes the use of the ticket, except that it is gone anyway.
                    let Some(device) = device else { return Ok(None) };
                    if row.get::<i64>("expires_at") <= now.0 {
                        return Ok(None);
                    }
                    tx.caller(id(device)?, session).await.map(Some)
                })
            })
            .await?
            .ok_or(ErrorCode::TicketInvalid)?;
        self.identity.check_alive(&caller)?;
        self.identity.require_active(&caller)?;
        Ok(caller)
    }
}
