//! Organisations as their people see them, and what the host states about its partners.

use super::{SignedIn, to_the_end, trust};
use crate::store::sql::{self, Row};
use crate::{
    Error, Result,
    app::Shared,
    caller::Caller,
    extract::{Json, Path},
    limit::Peer,
    store::{Store, id, word},
};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{
    ErrorCode, OrgId, OrgKind, Problem, Role,
    api::{OrgStatus, OrgView, PutStatement, RootCertificate},
    cert::{Anchors, Fingerprint},
    wire::{from_cbor, to_cbor},
};
use serde::de::DeserializeOwned;

/// Organisations: the host's people see all, a partner's people see their own and the host.
#[utoipa::path(get, path = "/v1/organisations", tag = "identity",
    responses((status = 200, body = Vec<OrgView>), (status = 401, body = Problem)))]
pub(super) async fn list(SignedIn(caller): SignedIn, State(app): State<Shared>) -> Result<Json<Vec<OrgView>>> {
    let anchors = app.identity.anchors()?;
    let of_host = caller.org == anchors.host();
    let rows = sql::query("SELECT * FROM orgs WHERE $1 = 1 OR org IN ($2, $3) ORDER BY founded_at, org")
        .bind(of_host)
        .bind(caller.org.as_bytes())
        .bind(anchors.host().as_bytes())
        .fetch_all(app.store.read())
        .await?;
    let to_admin = of_host && caller.role == Role::Admin;
    rows.iter().map(|row| read(row, &anchors, to_admin)).collect::<Result<_>>().map(Json)
}

/// The root certificate of a fingerprint, for whoever has it from a recovery sheet or an invite: it can't be guessed.
#[utoipa::path(get, path = "/v1/roots/{fingerprint}", tag = "identity", security(()),
    params(("fingerprint" = String, Path, description = "SHA-256 of the certificate")),
    responses((status = 200, body = RootCertificate), (status = 404, body = Problem)))]
pub(super) async fn root(
    peer: Peer,
    State(app): State<Shared>,
    Path(fingerprint): Path<Fingerprint>,
) -> Result<Json<RootCertificate>> {
    app.identity.limits.stranger.check_peer(peer, app.clock.now())?;
    let roots: Vec<Vec<u8>> = sql::query_scalar("SELECT root FROM orgs").fetch_all(app.store.read()).await?;
    let found = roots.into_iter().find(|root| Fingerprint::of(root) == fingerprint);
    Ok(Json(RootCertificate { root: found.ok_or(ErrorCode::NotFound)?.into() }))
}

/// One organisation; its founding request is for admins of the host alone.
pub(super) async fn view(store: &Store, anchors: &Anchors, org: OrgId, to_admin: bool) -> Result<OrgView> {
    let row = sql::query("SELECT * FROM orgs WHERE org = $1").bind(org.as_bytes()).fetch_optional(store.read()).await?;
    read(&row.ok_or(ErrorCode::NotFound)?, anchors, to_admin)
}

fn read(row: &Row, anchors: &Anchors, to_admin: bool) -> Result<OrgView> {
    let org = id(row.get("org"))?;
    let status = trust::status(anchors, org);
    Ok(OrgView {
        org,
        kind: word(row.get("kind"))?,
        name: row.get("name"),
        root: row.get::<Vec<u8>>("root").into(),
        status,
        statement: stored(row, "statement")?,
        revocations: stored(row, "revocations")?,
        founding: if to_admin && status == OrgStatus::Pending { stored(row, "founding")? } else { None },
    })
}

fn stored<T: DeserializeOwned>(row: &Row, column: &str) -> Result<Option<T>> {
    let bytes: Option<Vec<u8>> = row.get(column);
    bytes.map(|b| from_cbor(&b).map_err(|e| Error::internal(format!("stored {column}: {e}")))).transpose()
}

/// States a partner's root, or withdraws it: for admins of the host. The same statement again changes nothing.
///
/// Withdrawing ends every sign-in of the partner's devices at once, and tells everybody who shares a room with one.
#[utoipa::path(put, path = "/v1/organisations/{org}/statement", tag = "identity", request_body = PutStatement,
    params(("org" = OrgId, Path, description = "The partner")),
    responses((status = 204), (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn put_statement(
    caller: Caller,
    State(app): State<Shared>,
    Path(org): Path<OrgId>,
    Json(PutStatement { statement: signed }): Json<PutStatement>,
) -> Result<StatusCode> {
    caller.require(&[Role::Admin])?;
    if caller.org != app.identity.anchors()?.host() {
        return Err(Problem::with(ErrorCode::Forbidden, "The host states its partners.").into());
    }
    let now = app.clock.now();
    to_the_end(async move {
        let ended = app
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let mut anchors = tx.anchors().await?;
                    let (statement, _) = anchors.verify_org_statement(&signed, now).map_err(Problem::from)?;
                    let kind: Option<String> = sql::query_scalar("SELECT kind FROM orgs WHERE org = $1")
                        .bind(org.as_bytes())
                        .fetch_optional(&mut *tx.conn)
                        .await?;
                    let kind: OrgKind = word(&kind.ok_or(ErrorCode::NotFound)?)?;
                    if statement.org != org || statement.kind != kind {
                        let why = "The statement is about another organisation, or another kind of it.";
                        return Err(Problem::with(ErrorCode::InvalidValue, why).into());
                    }
                    if !anchors.accept_partner(&signed, now).map_err(Problem::from)? {
                        return Ok(Vec::new());
                    }
                    tx.save_anchors(&anchors).await?;
                    sql::query("UPDATE orgs SET statement = $2, founding = NULL WHERE org = $1")
                        .bind(org.as_bytes())
                        .bind(to_cbor(&signed))
                        .execute(&mut *tx.conn)
                        .await?;
                    let word = if statement.withdrawn { "withdrawn" } else { "partner" };
                    let detail = format!("{word} {}", statement.number);
                    tx.audit(now, Some(caller.device), "org.state", org, detail).await?;
                    if statement.withdrawn { tx.shut_out(org, now).await } else { Ok(Vec::new()) }
                })
            })
            .await?;
        app.end_sessions(&ended, now);
        app.identity.trust.reload(&app.store).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
