//! What organisations state: partners, and devices that are revoked.

use super::{Engine, EngineError, RoomState, Step, state::key};
use firstlight_protocol::{
    OrgId, Timestamp,
    cert::{Anchors, PartnerStatement, RevocationList},
    signed::{Signed, StatementError},
};

impl Engine {
    /// Takes in what the host states about a partner. A statement that is known already changes nothing; one that
    /// withdraws the partner has its devices removed from every room.
    pub fn receive_statement(
        &mut self,
        signed: &Signed<PartnerStatement>,
        now: Timestamp,
    ) -> Result<Step, EngineError> {
        self.step(|engine, step| {
            if engine.accept(|anchors| anchors.accept_partner(signed, now), "statement about a partner")? {
                engine.remove_revoked(now, step)?;
            }
            Ok(())
        })
    }

    /// Takes in an organisation's list of revoked devices and wants them removed from every room that they are in.
    pub fn receive_revocations(
        &mut self,
        signed: &Signed<RevocationList>,
        now: Timestamp,
    ) -> Result<Step, EngineError> {
        self.step(|engine, step| {
            if engine.accept(|anchors| anchors.accept_revocations(signed, now), "list of revoked devices")? {
                engine.remove_revoked(now, step)?;
            }
            Ok(())
        })
    }

    /// What the server knows about an organisation has been fetched and taken in.
    pub fn organisation_known(&mut self, org: OrgId) -> Result<Step, EngineError> {
        self.step(|engine, _| {
            engine.provider.store.remove(&key::organisation(org));
            Ok(())
        })
    }

    /// Takes a statement into the anchors. An older one than is known changes nothing and is no error: servers may lag.
    fn accept(
        &mut self,
        statement: impl FnOnce(&mut Anchors) -> Result<bool, StatementError>,
        what: &'static str,
    ) -> Result<bool, EngineError> {
        let mut anchors = self.device.anchors.clone().ok_or(EngineError::NotEnrolled)?;
        match statement(&mut anchors) {
            Ok(true) => {
                self.save_anchors(anchors);
                self.verified.clear();
                Ok(true)
            }
            Ok(false) | Err(StatementError::Stale) => Ok(false),
            Err(_) => Err(EngineError::Malformed { what }),
        }
    }

    fn remove_revoked(&mut self, now: Timestamp, step: &mut Step) -> Result<(), EngineError> {
        for record in self.room_records()? {
            if record.state == RoomState::Left {
                continue;
            }
            let members = self.members(record.room)?;
            let revoked: Vec<_> =
                members.iter().filter(|m| self.is_revoked(&m.identity)).map(|m| m.identity.device).collect();
            self.want_removal(record, &revoked, now, step)?;
        }
        Ok(())
    }
}
