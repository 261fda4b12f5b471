//! Invites: made by an admin's client, good once, for a limited time. The server knows what for, and the digest of the
//! key with which the newcomer claims it.

use super::store::find_person;
use crate::store::sql::{self, Row};
use crate::{
    Error, Result,
    app::Shared,
    caller::Caller,
    extract::{Json, Path},
    limit::Peer,
    store::{Tx, id},
};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{
    ErrorCode, InviteId, OrgId, OrgKind, Problem, Role, Secret, Timestamp,
    api::{CreateInvite, InviteFor, InviteSeen, InviteStatus, InviteView, LookAtInvite},
    cert::{MAX_NAME_CHARS, is_valid_name},
    limits::MAX_INVITE_LIFETIME,
    wire::{from_cbor, to_cbor},
};

/// Open invites of one organisation at a time.
const MAX_OPEN: i64 = 1_000;
/// Invites in one answer, newest first.
const MAX_LISTED: i64 = 1_000;

/// What an invite is good for now.
pub(super) type InviteStanding = InviteStatus;

/// An invite whose claim key was shown.
pub(super) struct Invite {
    pub(super) org: OrgId,
    pub(super) purpose: InviteFor,
    pub(super) standing: InviteStanding,
}

impl Invite {
    /// Refuses what is used, withdrawn or expired.
    pub(super) fn require_open(&self) -> Result<()> {
        if self.standing == InviteStatus::Open { Ok(()) } else { Err(ErrorCode::InviteInvalid.into()) }
    }
}

/// Makes an invite: for admins. The same body again changes nothing; another body under the same id is a conflict.
#[utoipa::path(post, path = "/v1/invites", tag = "identity", request_body = CreateInvite,
    responses((status = 204), (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn create(
    caller: Caller,
    State(app): State<Shared>,
    Json(request): Json<CreateInvite>,
) -> Result<StatusCode> {
    caller.require(&[Role::Admin])?;
    let now = app.clock.now();
    app.identity.limits.change.check(caller.device, now)?;
    let of_host = caller.org == app.identity.anchors()?.host();
    check(&caller, of_host, &request)?;
    app.store.write(move |tx| Box::pin(async move { tx.create_invite(&caller, &request, now).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What doesn't depend on the store.
fn check(caller: &Caller, of_host: bool, request: &CreateInvite) -> Result<()> {
    let refuse = |code, detail: String| Err(Problem::with(code, detail).into());
    let name = match &request.purpose {
        InviteFor::Device { work_name, role, .. } => {
            if !caller.org_kind.may_grant(*role) {
                let detail = format!("An organisation of kind {} has no {role}.", caller.org_kind);
                return refuse(ErrorCode::InvalidValue, detail);
            }
            work_name
        }
        InviteFor::Organisation { .. } if !of_host => {
            return refuse(ErrorCode::Forbidden, "Only the host invites organisations.".into());
        }
        // The victim-services organisation hosts; agencies are partners (DOMAIN.md, "What the law turns into", 1).
        InviteFor::Organisation { kind: OrgKind::VictimServices, .. } => {
            return refuse(ErrorCode::InvalidValue, "A partner is of another kind than the host.".into());
        }
        InviteFor::Organisation { name, .. } => name,
    };
    if !is_valid_name(name) {
        let detail = format!("A name has 1 to {MAX_NAME_CHARS} visible characters, without blanks at its ends.");
        return refuse(ErrorCode::InvalidValue, detail);
    }
    if request.claim_digest.len() != 32 {
        return refuse(ErrorCode::InvalidValue, "claim_digest: 32 bytes.".into());
    }
    Ok(())
}

/// The organisation's invites, newest first: for admins.
#[utoipa::path(get, path = "/v1/invites", tag = "identity",
    responses((status = 200, body = Vec<InviteView>), (status = 403, body = Problem)))]
pub(super) async fn list(caller: Caller, State(app): State<Shared>) -> Result<Json<Vec<InviteView>>> {
    caller.require(&[Role::Admin])?;
    let now = app.clock.now();
    let rows = sql::query("SELECT * FROM invites WHERE org = $1 ORDER BY made_at DESC, invite LIMIT $2")
        .bind(caller.org.as_bytes())
        .bind(MAX_LISTED)
        .fetch_all(app.store.read())
        .await?;
    let view = |row: &Row| {
        Ok(InviteView {
            invite: id(row.get("invite"))?,
            purpose: purpose(row)?,
            status: status(row, now),
            expires_at: Timestamp(row.get("expires_at")),
        })
    };
    rows.iter().map(view).collect::<Result<_>>().map(Json)
}

/// What an invite is for and where it stands, for whoever holds its link: a person sees what they join before they do.
#[utoipa::path(post, path = "/v1/invites/look", tag = "identity", request_body = LookAtInvite, security(()),
    responses((status = 200, body = InviteSeen), (status = 403, body = Problem)))]
pub(super) async fn look(
    peer: Peer,
    State(app): State<Shared>,
    Json(LookAtInvite { invite, claim }): Json<LookAtInvite>,
) -> Result<Json<InviteSeen>> {
    let now = app.clock.now();
    app.identity.limits.stranger.check_peer(peer, now)?;
    app.identity.limits.claim.check(invite, now)?;
    let row =
        sql::query("SELECT i.*, o.name AS org_name FROM invites i JOIN orgs o ON o.org = i.org WHERE i.invite = $1")
            .bind(invite.as_bytes())
            .fetch_optional(app.store.read())
            .await?
            .filter(|row| claimed(row, &claim))
            .ok_or(ErrorCode::InviteInvalid)?;
    Ok(Json(InviteSeen { org_name: row.get("org_name"), purpose: purpose(&row)?, status: status(&row, now) }))
}

/// Withdraws an invite that isn't used yet: for admins. A withdrawn one stays so.
#[utoipa::path(delete, path = "/v1/invites/{invite}", tag = "identity",
    params(("invite" = InviteId, Path, description = "The invite")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn withdraw(
    caller: Caller,
    State(app): State<Shared>,
    Path(invite): Path<InviteId>,
) -> Result<StatusCode> {
    caller.require(&[Role::Admin])?;
    let now = app.clock.now();
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let row = sql::query("SELECT * FROM invites WHERE invite = $1 AND org = $2")
                    .bind(invite.as_bytes())
                    .bind(caller.org.as_bytes())
                    .fetch_optional(&mut *tx.conn)
                    .await?
                    .ok_or(ErrorCode::NotFound)?;
                match status(&row, now) {
                    InviteStatus::Withdrawn => return Ok(()),
                    InviteStatus::Used => {
                        let detail = "The invite is used: refuse its request, or revoke the device.";
                        return Err(Problem::with(ErrorCode::WrongState, detail).into());
                    }
                    InviteStatus::Open | InviteStatus::Expired => {}
                }
                sql::query("UPDATE invites SET withdrawn_at = $2 WHERE invite = $1")
                    .bind(invite.as_bytes())
                    .bind(now.0)
                    .execute(&mut *tx.conn)
                    .await?;
                tx.audit(now, Some(caller.device), "invite.withdraw", invite, "").await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn claimed(row: &Row, claim: &Secret) -> bool {
    let digest: Vec<u8> = row.get("claim");
    subtle::ConstantTimeEq::ct_eq(digest.as_slice(), claim.digest().as_slice()).into()
}

fn purpose(row: &Row) -> Result<InviteFor> {
    let bytes: Vec<u8> = row.get("purpose");
    from_cbor(&bytes).map_err(|e| Error::internal(format!("stored invite: {e}")))
}

fn status(row: &Row, now: Timestamp) -> InviteStatus {
    if row.get::<Option<i64>>("used_at").is_some() {
        InviteStatus::Used
    } else if row.get::<Option<i64>>("withdrawn_at").is_some() {
        InviteStatus::Withdrawn
    } else if row.get::<i64>("expires_at") <= now.0 {
        InviteStatus::Expired
    } else {
        InviteStatus::Open
    }
}

impl Tx<'_> {
    async fn create_invite(&mut self, caller: &Caller, request: &CreateInvite, now: Timestamp) -> Result<()> {
        let wanted = to_cbor(&request.purpose);
        let known = sql::query("SELECT * FROM invites WHERE invite = $1")
            .bind(request.invite.as_bytes())
            .fetch_optional(&mut *self.conn)
            .await?;
        if let Some(row) = known {
            let same = row.get::<Vec<u8>>("org") == caller.org.as_bytes()
                && row.get::<Vec<u8>>("purpose") == wanted
                && row.get::<Vec<u8>>("claim") == request.claim_digest.0
                && row.get::<i64>("expires_at") == request.expires_at.0;
            return if same { Ok(()) } else { Err(ErrorCode::Conflict.into()) };
        }
        if request.expires_at <= now || request.expires_at > now + MAX_INVITE_LIFETIME {
            return Err(Problem::with(ErrorCode::InvalidValue, "An invite ends within 14 days from now.").into());
        }
        if let InviteFor::Device { person, work_name, role } = &request.purpose {
            // One person has one role and one name, on every device; another organisation's people are not known here.
            let known = find_person(&mut *self.conn, *person).await?;
            if known.is_some_and(|k| (k.org, k.role, &k.work_name) != (caller.org, *role, work_name)) {
                let detail = "This person is known with another role or work name.";
                return Err(Problem::with(ErrorCode::Conflict, detail).into());
            }
        }
        let open: i64 = sql::query_scalar(
            "SELECT COUNT(*) FROM invites WHERE org = $1 AND used_at IS NULL AND withdrawn_at IS NULL AND expires_at > $2",
        )
        .bind(caller.org.as_bytes())
        .bind(now.0)
        .fetch_one(&mut *self.conn)
        .await?;
        if open >= MAX_OPEN {
            return Err(Problem::with(ErrorCode::TooLarge, format!("At most {MAX_OPEN} invites may be open.")).into());
        }
        sql::query(
            "INSERT INTO invites (invite, org, made_by, made_at, purpose, claim, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(request.invite.as_bytes())
        .bind(caller.org.as_bytes())
        .bind(caller.device.as_bytes())
        .bind(now.0)
        .bind(wanted)
        .bind(request.claim_digest.as_ref())
        .bind(request.expires_at.0)
        .execute(&mut *self.conn)
        .await?;
        let what = match &request.purpose {
            InviteFor::Device { person, role, .. } => format!("device {person} {role}"),
            InviteFor::Organisation { kind, .. } => format!("organisation {kind}"),
        };
        self.audit(now, Some(caller.device), "invite.create", request.invite, what).await
    }

    /// The invite, shown to whoever holds its claim key. Says nothing to anybody else, not even that it exists.
    pub(super) async fn claim_invite(&mut self, invite: InviteId, claim: &Secret, now: Timestamp) -> Result<Invite> {
        let row = sql::query("SELECT * FROM invites WHERE invite = $1")
            .bind(invite.as_bytes())
            .fetch_optional(&mut *self.conn)
            .await?
            .filter(|row| claimed(row, claim))
            .ok_or(ErrorCode::InviteInvalid)?;
        Ok(Invite { org: id(row.get("org"))?, purpose: purpose(&row)?, standing: status(&row, now) })
    }

    /// Uses the invite up. Jobs run one after another, so an invite that was open in this job still is.
    pub(super) async fn use_invite(&mut self, invite: InviteId, now: Timestamp) -> Result<()> {
        let used = sql::query("UPDATE invites SET used_at = $2 WHERE invite = $1 AND used_at IS NULL")
            .bind(invite.as_bytes())
            .bind(now.0)
            .execute(&mut *self.conn)
            .await?;
        if used.rows_affected() == 1 { Ok(()) } else { Err(ErrorCode::InviteInvalid.into()) }
    }
}
