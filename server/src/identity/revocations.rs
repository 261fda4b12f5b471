//! Revocation: a device that is lost, or whose holder has left, is out at once and everywhere.

use super::{to_the_end, trust};
use crate::store::sql;
use crate::{
    Result,
    app::Shared,
    caller::Caller,
    extract::{Json, Path},
    store::{Tx, id},
};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{
    DeviceId, ErrorCode, OrgId, Problem, Role, SessionId, Timestamp,
    api::{Notice, PutRevocations},
    cert::{Fingerprint, RevocationList},
    wire::to_cbor,
};
use std::collections::BTreeSet;

/// Publishes what an organisation has revoked so far: for its own admins. The same list again changes nothing.
///
/// In one transaction the list is stored, the devices on it and those vouched for by a signer on it are marked, their
/// sign-ins end and their key packages go, and everybody who shares a room with one is told to remove it. Their sockets
/// are closed as soon as that is durable.
#[utoipa::path(put, path = "/v1/organisations/{org}/revocations", tag = "identity", request_body = PutRevocations,
    params(("org" = OrgId, Path, description = "The caller's organisation")),
    responses((status = 204), (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn put_revocations(
    caller: Caller,
    State(app): State<Shared>,
    Path(org): Path<OrgId>,
    Json(PutRevocations { revocations: signed }): Json<PutRevocations>,
) -> Result<StatusCode> {
    caller.require(&[Role::Admin])?;
    if caller.org != org {
        return Err(Problem::with(ErrorCode::Forbidden, "Only the organisation itself revokes its devices.").into());
    }
    let now = app.clock.now();
    to_the_end(async move {
        let (devices, ended) = app
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let before = tx.anchors().await?;
                    let mut anchors = before.clone();
                    let (list, _) = anchors.verify_org_statement(&signed, now).map_err(Problem::from)?;
                    if list.org != org {
                        return Err(
                            Problem::with(ErrorCode::InvalidValue, "The list is another organisation's.").into()
                        );
                    }
                    if !anchors.accept_revocations(&signed, now).map_err(Problem::from)? {
                        return Ok((Vec::new(), Vec::new()));
                    }
                    tx.save_anchors(&anchors).await?;
                    sql::query("UPDATE orgs SET revocations = $2 WHERE org = $1")
                        .bind(org.as_bytes())
                        .bind(to_cbor(&signed))
                        .execute(&mut *tx.conn)
                        .await?;
                    tx.audit(now, Some(caller.device), "org.revoke", org, list.number).await?;
                    let devices = tx.newly_revoked(&list).await?;
                    for device in &devices {
                        tx.revoke_device(*device, caller.device, now).await?;
                    }
                    tx.tell_roommates(org, &devices, now).await?;
                    // A partner that only a signer revoked just now had stated is none until the host states it again.
                    let mut ended = Vec::new();
                    for partner in before.partners().filter(|p| trust::is_active(&before, p.org)) {
                        if !trust::is_active(&anchors, partner.org) {
                            ended.extend(tx.shut_out(partner.org, now).await?);
                        }
                    }
                    Ok((devices, ended))
                })
            })
            .await?;
        app.identity.live.revoke(&devices);
        for device in &devices {
            app.bus.disconnect_device(*device);
        }
        app.end_sessions(&ended, now);
        app.identity.trust.reload(&app.store).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

impl Tx<'_> {
    async fn newly_revoked(&mut self, list: &RevocationList) -> Result<Vec<DeviceId>> {
        let rows = sql::query("SELECT device, signer FROM devices WHERE org = $1 AND revoked_at IS NULL")
            .bind(list.org.as_bytes())
            .fetch_all(&mut *self.conn)
            .await?;
        let mut revoked = Vec::new();
        for row in rows {
            let (device, signer): (DeviceId, Vec<u8>) = (id(row.get("device"))?, row.get("signer"));
            let signer = signer.try_into().map(Fingerprint);
            if list.devices.contains(&device) || signer.is_ok_and(|s| list.signers.contains(&s)) {
                revoked.push(device);
            }
        }
        Ok(revoked)
    }

    async fn revoke_device(&mut self, device: DeviceId, by: DeviceId, now: Timestamp) -> Result<()> {
        sql::query("UPDATE devices SET revoked_at = $2 WHERE device = $1")
            .bind(device.as_bytes())
            .bind(now.0)
            .execute(&mut *self.conn)
            .await?;
        self.end_sessions_of_device(device, now).await?;
        self.end_duty_key(device, now).await?;
        for text in ["DELETE FROM key_packages WHERE device = $1", "DELETE FROM spent_key_packages WHERE device = $1"] {
            sql::query(text).bind(device.as_bytes()).execute(&mut *self.conn).await?;
        }
        self.suspend_everywhere(device).await?;
        if let Some(holder) = self.device(device).await? {
            self.remove_device_push(holder.person.person, device).await?;
            self.revoke_feeds_of_gone(holder.person.person, now).await?;
        }
        self.audit(now, Some(by), "device.revoke", device, "").await
    }

    /// Ends every sign-in of an organisation that is no partner any more, and tells those who share rooms with it.
    pub(super) async fn shut_out(&mut self, org: OrgId, now: Timestamp) -> Result<Vec<SessionId>> {
        let rows = sql::query("SELECT device FROM devices WHERE org = $1 AND revoked_at IS NULL")
            .bind(org.as_bytes())
            .fetch_all(&mut *self.conn)
            .await?;
        let devices: Vec<DeviceId> = rows.into_iter().map(|row| id(row.get("device"))).collect::<Result<_>>()?;
        self.tell_roommates(org, &devices, now).await?;
        self.end_sessions_of_org(org, now).await
    }

    /// Tells each device that shares a room with one of `gone` to remove those that it knows.
    async fn tell_roommates(&mut self, org: OrgId, gone: &[DeviceId], now: Timestamp) -> Result<()> {
        let mut mates = BTreeSet::new();
        for device in gone {
            let rows = sql::query(
                "SELECT DISTINCT mate.device FROM room_members gone
                 JOIN room_members mate ON mate.room = gone.room AND mate.left_seq IS NULL
                 WHERE gone.device = $1 AND gone.left_seq IS NULL",
            )
            .bind(device.as_bytes())
            .fetch_all(&mut *self.conn)
            .await?;
            for row in rows {
                mates.insert(id::<DeviceId>(row.get("device"))?);
            }
        }
        let notice = Notice::Revoked { org, devices: gone.to_vec() };
        for mate in mates.iter().filter(|mate| !gone.contains(mate)) {
            self.push_inbox(*mate, now, &notice).await?;
        }
        Ok(())
    }
}
