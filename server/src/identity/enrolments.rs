//! Enrolment: a new device leaves a signing request with its invite; an admin's client signs it; the server checks the
//! chain before it hands it on.

use super::invites::{InviteStanding, claimed};
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
    DeviceId, ErrorCode, InviteId, OrgId, Problem, Role, Timestamp,
    api::{Enrol, EnrolmentQuery, EnrolmentStatus, InviteFor, IssueCertificate, Notice, PendingEnrolment},
    cert::DeviceIdentity,
    invite::{Sealed, SigningRequest},
    wire::{Bytes, from_cbor, to_cbor},
};

/// Requests in one answer, oldest first.
const MAX_LISTED: i64 = 500;

/// Uses an invite and leaves a signing request. The same request again gives the same answer.
#[utoipa::path(post, path = "/v1/enrolments", tag = "identity", request_body = Enrol, security(()),
    responses((status = 200, body = EnrolmentStatus), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn enrol(
    peer: Peer,
    State(app): State<Shared>,
    Json(body): Json<Enrol>,
) -> Result<Json<EnrolmentStatus>> {
    let now = app.clock.now();
    app.identity.limits.stranger.check_peer(peer, now)?;
    let request = body.request.open_unauthenticated().map_err(Problem::from)?;
    app.identity.limits.claim.check(request.invite, now)?;
    if request.device != body.device {
        return Err(Problem::with(ErrorCode::InvalidValue, "The request is another device's.").into());
    }
    app.store.write(move |tx| Box::pin(async move { tx.enrol(body, request, now).await })).await.map(Json)
}

/// Where an enrolment stands, asked by the new device with its claim key.
#[utoipa::path(post, path = "/v1/enrolments/status", tag = "identity", request_body = EnrolmentQuery, security(()),
    responses((status = 200, body = EnrolmentStatus), (status = 403, body = Problem)))]
pub(super) async fn status(
    peer: Peer,
    State(app): State<Shared>,
    Json(EnrolmentQuery { device, claim }): Json<EnrolmentQuery>,
) -> Result<Json<EnrolmentStatus>> {
    let now = app.clock.now();
    app.identity.limits.stranger.check_peer(peer, now)?;
    app.identity.limits.claim.check(device, now)?;
    let row = sql::query(
        "SELECT e.status, i.claim, d.chain FROM enrolments e
         JOIN invites i ON i.invite = e.invite LEFT JOIN devices d ON d.device = e.device WHERE e.device = $1",
    )
    .bind(device.as_bytes())
    .fetch_optional(app.store.read())
    .await?;
    let row = row.filter(|row| claimed(row, &claim)).ok_or(ErrorCode::InviteInvalid)?;
    standing(&row).map(Json)
}

fn standing(row: &Row) -> Result<EnrolmentStatus> {
    match (row.get("status"), row.get::<Option<Vec<u8>>>("chain")) {
        ("pending", _) => Ok(EnrolmentStatus::Pending),
        ("refused", _) => Ok(EnrolmentStatus::Refused),
        (_, Some(chain)) => {
            let chain = from_cbor(&chain).map_err(|e| Error::internal(format!("stored chain: {e}")))?;
            Ok(EnrolmentStatus::Issued { chain })
        }
        (_, None) => Err(Error::internal("an enrolment without its device")),
    }
}

/// Requests that wait for an admin's client, oldest first: for admins.
#[utoipa::path(get, path = "/v1/enrolments", tag = "identity",
    responses((status = 200, body = Vec<PendingEnrolment>), (status = 403, body = Problem)))]
pub(super) async fn list(caller: Caller, State(app): State<Shared>) -> Result<Json<Vec<PendingEnrolment>>> {
    caller.require(&[Role::Admin])?;
    let rows = sql::query(
        "SELECT e.device, e.request, e.at, i.purpose FROM enrolments e JOIN invites i ON i.invite = e.invite
         WHERE e.org = $1 AND e.status = 'pending' ORDER BY e.at, e.device LIMIT $2",
    )
    .bind(caller.org.as_bytes())
    .bind(MAX_LISTED)
    .fetch_all(app.store.read())
    .await?;
    let view = |row: &Row| {
        Ok(PendingEnrolment {
            device: id(row.get("device"))?,
            purpose: stored(row, "purpose")?,
            request: stored(row, "request")?,
            at: Timestamp(row.get("at")),
        })
    };
    rows.iter().map(view).collect::<Result<_>>().map(Json)
}

fn stored<T: serde::de::DeserializeOwned>(row: &Row, column: &str) -> Result<T> {
    let bytes: Vec<u8> = row.get(column);
    from_cbor(&bytes).map_err(|e| Error::internal(format!("stored {column}: {e}")))
}

/// Hands in the chain that an admin's client signed: for admins. The same chain again changes nothing.
#[utoipa::path(post, path = "/v1/enrolments/{device}/certificate", tag = "identity", request_body = IssueCertificate,
    params(("device" = DeviceId, Path, description = "The new device")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn issue(
    caller: Caller,
    State(app): State<Shared>,
    Path(device): Path<DeviceId>,
    Json(IssueCertificate { chain }): Json<IssueCertificate>,
) -> Result<StatusCode> {
    caller.require(&[Role::Admin])?;
    let now = app.clock.now();
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let waiting = tx.enrolment(device, caller.org).await?;
                let identity = tx.anchors().await?.verify_device(&chain, now).map_err(Problem::from)?;
                waiting.check(&identity, caller.org)?;
                match waiting.status.as_str() {
                    "pending" => {}
                    "issued" if tx.device(device).await?.is_some_and(|d| d.chain == chain) => return Ok(()),
                    _ => return Err(Problem::with(ErrorCode::WrongState, "The request is decided already.").into()),
                }
                tx.insert_device(&identity, &chain, now).await?;
                tx.decide(device, "issued").await?;
                let detail = format!("{} {}", identity.person, identity.role);
                tx.audit(now, Some(caller.device), "device.enrol", device, detail).await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses a request: for admins. Its invite stays used.
#[utoipa::path(post, path = "/v1/enrolments/{device}/refuse", tag = "identity",
    params(("device" = DeviceId, Path, description = "The new device")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn refuse(
    caller: Caller,
    State(app): State<Shared>,
    Path(device): Path<DeviceId>,
) -> Result<StatusCode> {
    caller.require(&[Role::Admin])?;
    let now = app.clock.now();
    app.store
        .write(move |tx| {
            Box::pin(async move {
                match tx.enrolment(device, caller.org).await?.status.as_str() {
                    "pending" => {}
                    "refused" => return Ok(()),
                    _ => return Err(Problem::with(ErrorCode::WrongState, "The device is enrolled: revoke it.").into()),
                }
                tx.decide(device, "refused").await?;
                tx.audit(now, Some(caller.device), "enrolment.refuse", device, "").await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A request with what its invite was for.
struct Waiting {
    status: String,
    purpose: InviteFor,
    request: SigningRequest,
}

impl Waiting {
    /// Whether the certificate says what the invite and the request say, and nothing else.
    fn check(&self, signed: &DeviceIdentity, org: OrgId) -> Result<()> {
        let InviteFor::Device { person, work_name, role } = &self.purpose else {
            return Err(Error::internal("an enrolment with another kind of invite"));
        };
        let says = (signed.org, signed.device, signed.person, signed.role, &signed.work_name, signed.key);
        if says == (org, self.request.device, *person, *role, work_name, self.request.key) {
            return Ok(());
        }
        let detail = "The certificate says something else than the invite and the request.";
        Err(Problem::with(ErrorCode::InvalidValue, detail).into())
    }
}

impl Tx<'_> {
    async fn enrol(&mut self, body: Enrol, request: SigningRequest, now: Timestamp) -> Result<EnrolmentStatus> {
        let Enrol { device, claim, request: sealed } = body;
        let invite = self.claim_invite(request.invite, &claim, now).await?;
        if invite.standing == InviteStanding::Used {
            return self.enrolled_before(device, request.invite, &sealed).await;
        }
        invite.require_open()?;
        if !matches!(invite.purpose, InviteFor::Device { .. }) {
            return Err(ErrorCode::InviteInvalid.into());
        }
        if self.device(device).await?.is_some() {
            return Err(ErrorCode::Conflict.into());
        }
        self.use_invite(request.invite, now).await?;
        let made = sql::query(
            "INSERT INTO enrolments (device, invite, org, request, at, status) VALUES ($1, $2, $3, $4, $5, 'pending')
             ON CONFLICT DO NOTHING",
        )
        .bind(device.as_bytes())
        .bind(request.invite.as_bytes())
        .bind(invite.org.as_bytes())
        .bind(to_cbor(&sealed))
        .bind(now.0)
        .execute(&mut *self.conn)
        .await?;
        if made.rows_affected() == 0 {
            return Err(ErrorCode::Conflict.into());
        }
        self.audit(now, None, "enrolment.request", device, request.invite).await?;
        for admin in self.devices_of_role(invite.org, Role::Admin).await? {
            self.push_inbox(admin, now, &Notice::RequestPending {}).await?;
        }
        Ok(EnrolmentStatus::Pending)
    }

    /// The answer to a request that was left before; the invite is used up for every other.
    async fn enrolled_before(
        &mut self,
        device: DeviceId,
        invite: InviteId,
        sealed: &Sealed<SigningRequest>,
    ) -> Result<EnrolmentStatus> {
        let row = sql::query(
            "SELECT e.status, d.chain FROM enrolments e LEFT JOIN devices d ON d.device = e.device
             WHERE e.device = $1 AND e.invite = $2 AND e.request = $3",
        )
        .bind(device.as_bytes())
        .bind(invite.as_bytes())
        .bind(to_cbor(sealed))
        .fetch_optional(&mut *self.conn)
        .await?;
        standing(&row.ok_or(ErrorCode::InviteInvalid)?)
    }

    async fn enrolment(&mut self, device: DeviceId, org: OrgId) -> Result<Waiting> {
        let row = sql::query(
            "SELECT e.status, e.request, i.purpose FROM enrolments e JOIN invites i ON i.invite = e.invite
             WHERE e.device = $1 AND e.org = $2",
        )
        .bind(device.as_bytes())
        .bind(org.as_bytes())
        .fetch_optional(&mut *self.conn)
        .await?
        .ok_or(ErrorCode::NotFound)?;
        let sealed: Sealed<SigningRequest> = stored(&row, "request")?;
        let request = sealed.open_unauthenticated().map_err(Error::internal)?;
        Ok(Waiting { status: row.get("status"), purpose: stored(&row, "purpose")?, request })
    }

    async fn decide(&mut self, device: DeviceId, status: &'static str) -> Result<()> {
        sql::query("UPDATE enrolments SET status = $2 WHERE device = $1")
            .bind(device.as_bytes())
            .bind(status)
            .execute(&mut *self.conn)
            .await?;
        Ok(())
    }

    /// Enters a device whose chain is verified, and its holder if they are new.
    pub(super) async fn insert_device(
        &mut self,
        device: &DeviceIdentity,
        chain: &[Bytes],
        now: Timestamp,
    ) -> Result<()> {
        match self.person(device.person).await? {
            Some(known)
                if (known.org, known.role, &known.work_name) != (device.org, device.role, &device.work_name) =>
            {
                let detail = "This person is known with another role or work name.";
                return Err(Problem::with(ErrorCode::Conflict, detail).into());
            }
            Some(_) => {}
            None => {
                sql::query("INSERT INTO people (person, org, work_name, role, created_at) VALUES ($1, $2, $3, $4, $5)")
                    .bind(device.person.as_bytes())
                    .bind(device.org.as_bytes())
                    .bind(&device.work_name)
                    .bind(device.role.as_str())
                    .bind(now.0)
                    .execute(&mut *self.conn)
                    .await?;
            }
        }
        let made = sql::query(
            "INSERT INTO devices (device, person, org, chain, key, signer, enrolled_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT DO NOTHING",
        )
        .bind(device.device.as_bytes())
        .bind(device.person.as_bytes())
        .bind(device.org.as_bytes())
        .bind(to_cbor(&chain))
        .bind(device.key.as_slice())
        .bind(device.signer_fingerprint.0.as_slice())
        .bind(now.0)
        .execute(&mut *self.conn)
        .await?;
        if made.rows_affected() == 1 { Ok(()) } else { Err(ErrorCode::Conflict.into()) }
    }
}
