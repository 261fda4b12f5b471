//! A device's own push subscription: a contact method of its holder that the device keeps up by itself, locked or not.
//!
//! Its id is the device's, so that it is found again when the browser renews the subscription, and goes when the device is
//! revoked: the telephone of somebody else must not ring for its finder.

use super::{
    ContactRow, check, renew,
    store::{hand_off, rules},
    verify::{check_code, send_code},
};
use crate::{Result, app::Shared, extract::Json, identity::OnDuty, store::Tx};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{
    ContactId, DeviceId, ErrorCode, PersonId, Problem,
    api::{ConfirmContact, DevicePush, PutPush},
    policy::{ContactMethod, ContactState},
};

/// Registers or renews the calling device's push subscription as a contact method of its holder. A new one comes before
/// their other methods, unless they have rules of their own: then it is used once a rule names it.
///
/// One that is not verified gets a code at once, in the text of a push of kind `verify`: the device sends it back by
/// `POST /v1/devices/me/push/verify`, and needs nobody for it.
#[utoipa::path(put, path = "/v1/devices/me/push", tag = "identity", request_body = PutPush,
    security(("bearer" = []), ("duty" = [])), responses((status = 200, body = DevicePush),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(in crate::identity) async fn put_push(
    OnDuty(caller): OnDuty,
    State(app): State<Shared>,
    Json(PutPush { endpoint, p256dh, auth }): Json<PutPush>,
) -> Result<Json<DevicePush>> {
    let (now, person, device) = (app.clock.now(), caller.person, caller.device);
    app.identity.limits.change.check(device, now)?;
    let id = contact_of(device);
    let method = ContactMethod::Push { id, endpoint, p256dh, auth: Some(auth) };
    method.validate()?;
    let row = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let mut rows = tx.contacts(person).await?;
                let row = renew(method, &rows)?;
                match rows.iter_mut().find(|known| known.id() == id) {
                    Some(known) if *known == row => return Ok(row),
                    Some(known) => *known = row.clone(),
                    None => rows.insert(0, row.clone()),
                }
                let (rules, hand_off) = (rules(tx.conn, person).await?, hand_off(&mut *tx.conn, person).await?);
                check(&rows.iter().map(|row| row.method.clone()).collect::<Vec<_>>(), &rules, hand_off)?;
                tx.replace_contacts(person, &rows, &rules, hand_off).await?;
                tx.audit(now, Some(device), "device.push", device, "").await?;
                Ok(row)
            })
        })
        .await?;
    let code_expires_at = match row.state {
        ContactState::Verified => None,
        _ => Some(send_code(&app, &caller, person, &row).await?),
    };
    Ok(Json(DevicePush { contact: row.status(), code_expires_at }))
}

/// Verifies the calling device's push subscription by the code that was pushed to it. Again is harmless.
#[utoipa::path(post, path = "/v1/devices/me/push/verify", tag = "identity", request_body = ConfirmContact,
    security(("bearer" = []), ("duty" = [])), responses((status = 200, body = DevicePush), (status = 404, body = Problem),
        (status = 422, description = "Not the code", body = Problem)))]
pub(in crate::identity) async fn confirm_push(
    OnDuty(caller): OnDuty,
    State(app): State<Shared>,
    Json(ConfirmContact { code }): Json<ConfirmContact>,
) -> Result<Json<DevicePush>> {
    let (person, id) = (caller.person, contact_of(caller.device));
    check_code(&app, &caller, person, id, &code).await?;
    let row = app.store.contact(person, id).await?.ok_or(ErrorCode::NotFound)?;
    Ok(Json(DevicePush { contact: row.status(), code_expires_at: None }))
}

/// Takes the calling device's push subscription away: nothing is pushed there any more. Without one nothing changes.
#[utoipa::path(delete, path = "/v1/devices/me/push", tag = "identity", security(("bearer" = []), ("duty" = [])),
    responses((status = 204), (status = 401, body = Problem)))]
pub(in crate::identity) async fn delete_push(OnDuty(caller): OnDuty, State(app): State<Shared>) -> Result<StatusCode> {
    let (now, device) = (app.clock.now(), caller.device);
    app.identity.limits.change.check(device, now)?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                if tx.remove_device_push(caller.person, device).await? {
                    tx.audit(now, Some(device), "device.push_removed", device, "").await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn contact_of(device: DeviceId) -> ContactId {
    ContactId(device.0)
}

impl Tx<'_> {
    /// Takes a device's push subscription from its holder, and from their rules; whether there was one.
    pub(in crate::identity) async fn remove_device_push(&mut self, person: PersonId, device: DeviceId) -> Result<bool> {
        let (id, rows) = (contact_of(device), self.contacts(person).await?);
        let is_its = |row: &ContactRow| row.id() == id && matches!(row.method, ContactMethod::Push { .. });
        if !rows.iter().any(is_its) {
            return Ok(false);
        }
        let (rules, hand_off) = (rules(self.conn, person).await?, hand_off(&mut *self.conn, person).await?);
        let rules: Vec<_> = rules.into_iter().filter(|rule| rule.contact != Some(id)).collect();
        let rows: Vec<_> = rows.into_iter().filter(|row| !is_its(row)).collect();
        self.replace_contacts(person, &rows, &rules, hand_off.filter(|chosen| *chosen != id)).await?;
        Ok(true)
    }
}
