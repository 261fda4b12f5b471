//! Whom to add to a room: people's devices from the directory, verified here, with a key package each.

use super::{Session, SessionError};
use crate::clock;
use firstlight_protocol::{
    DeviceId, PersonId, Problem, RoomKind,
    api::{ClaimedKeyPackage, PersonView},
    cert::ChainError,
    limits::MAX_CLAIM,
};
use serde::Serialize;
use std::collections::BTreeSet;

/// Devices that may be added, and those that were left out.
#[derive(Debug, Default)]
pub struct Candidates {
    /// A key package of each device that was verified.
    pub claimed: Vec<ClaimedKeyPackage>,
    /// Whom they belong to.
    pub people: BTreeSet<PersonId>,
    /// Who is left out, and why.
    pub left_out: Vec<LeftOut>,
}

/// A device that can't be added.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeftOut {
    /// The person.
    pub person: PersonId,
    /// Their work name, as the server says it.
    pub work_name: String,
    /// The device.
    pub device: DeviceId,
    /// Why.
    pub problem: Problem,
}

impl Session {
    /// Verifies people's devices for a room of this kind and claims a key package of each.
    ///
    /// `already` are left aside silently: members, and this device itself.
    pub async fn candidates(
        &self,
        people: &[PersonView],
        kind: RoomKind,
        suite: u16,
        already: &BTreeSet<DeviceId>,
    ) -> Result<Candidates, SessionError> {
        let mut found = Candidates::default();
        let mut wanted: Vec<(DeviceId, &PersonView)> = Vec::new();
        let own = self.state.device().await?;
        for person in people {
            for device in person.devices.iter().filter(|d| d.revoked_at.is_none() && d.device != own) {
                match self.verify(&device.chain, kind, person, device.device).await {
                    Ok(()) if already.contains(&device.device) => {}
                    Ok(()) => wanted.push((device.device, person)),
                    Err(problem) => found.leave_out(person, device.device, problem),
                }
            }
        }
        for batch in wanted.chunks(MAX_CLAIM) {
            let devices: Vec<DeviceId> = batch.iter().map(|(device, _)| *device).collect();
            let claimed = self.api.claim_key_packages(suite, devices).await?;
            for (device, person) in batch {
                let package = claimed.iter().find(|c| c.device == *device && c.key_package.is_some());
                match package {
                    Some(package) => {
                        found.claimed.push(package.clone());
                        found.people.insert(person.person);
                    }
                    None => {
                        let sentence = "The device has no key package: it must connect once before it can be added.";
                        let code = firstlight_protocol::ErrorCode::NotFound;
                        found.leave_out(person, *device, Problem { title: sentence.into(), ..Problem::new(code) });
                    }
                }
            }
        }
        Ok(found)
    }

    /// The certificates decide who somebody is; what the server says beside them must agree.
    async fn verify(
        &self,
        chain: &[firstlight_protocol::Bytes],
        kind: RoomKind,
        person: &PersonView,
        device: DeviceId,
    ) -> Result<(), Problem> {
        let verified = self
            .state
            .read(|engine| engine.anchors().map(|anchors| anchors.verify_member(chain, kind, clock::now())))
            .await
            .map_err(|e| e.problem())?;
        match verified {
            Some(Ok(identity)) if identity.device == device && identity.person == person.person => Ok(()),
            Some(Ok(_)) => Err(Problem::from(ChainError::UnknownOrg)),
            Some(Err(ChainError::RoleNotAdmitted)) => Err(not_admitted(kind, person)),
            Some(Err(e)) => Err(e.into()),
            None => Err(SessionError::NotEnrolled.problem()),
        }
    }
}

/// A rule of the room's kind, said with who it is about.
fn not_admitted(kind: RoomKind, person: &PersonView) -> Problem {
    Problem::with(
        firstlight_protocol::ErrorCode::RoleNotAdmitted,
        format!("{} ({}) can't be in a room of kind {kind}: {}.", person.work_name, person.role, kind.who_can_read()),
    )
}

impl Candidates {
    fn leave_out(&mut self, person: &PersonView, device: DeviceId, problem: Problem) {
        let work_name = person.work_name.clone();
        self.left_out.push(LeftOut { person: person.person, work_name, device, problem });
    }

    /// The first person of whom no device can be added.
    pub fn first_without(&self, people: &[PersonId]) -> Option<&LeftOut> {
        let missing = people.iter().find(|person| !self.people.contains(person))?;
        self.left_out.iter().find(|left| left.person == *missing)
    }
}
