//! Revoking devices: an admin's client signs the organisation's list, the server closes the sockets, and the members'
//! clients remove the devices from their rooms.

use super::{Session, SessionError, founding::signer};
use crate::clock;
use firstlight_protocol::{DeviceId, ErrorCode, cert::RevocationList, signed::Signed};

impl Session {
    /// Revokes devices of this admin's organisation, for good.
    pub async fn revoke(&self, devices: &[DeviceId]) -> Result<RevocationList, SessionError> {
        // The next list has to build on the newest one.
        self.refresh_trust().await?;
        let own = self.state.read(|engine| engine.identity().cloned()).await?.ok_or(SessionError::NotEnrolled)?;
        if devices.contains(&own.device) {
            return Err(SessionError::rule(
                ErrorCode::InvalidValue,
                "A device can't revoke itself: another admin's device does it.",
            ));
        }
        let known = self.state.read(|engine| engine.anchors().map(|a| a.revocations(own.org))).await?;
        let known = known.ok_or(SessionError::NotEnrolled)?;
        if devices.iter().all(|device| known.devices.contains(device)) {
            return Ok(known);
        }
        let list = known.next(devices.iter().copied(), [], clock::now());
        let (key, chain) = signer(&self.state).await?;
        let signed = Signed::sign(&list, &key, chain);
        self.api.put_revocations(own.org, signed.clone()).await?;
        let outcome = self.state.apply(|engine, now| engine.receive_revocations(&signed, now)).await?;
        self.drive(outcome).await?;
        Ok(list)
    }
}
