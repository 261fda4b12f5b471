//! The callout as a room: built by the officer's client after the page is out, so that a failure here delays nobody.
//!
//! DESIGN.md, "Dispatch": the client adds the devices of everyone whom the policy may page, after verifying their
//! certificates, and sends the details as the room's first message.

use super::{Opening, Session, SessionError, members::LeftOut, random};
use crate::{
    engine::{EngineError, RoomState},
    storage::Outcome,
};
use firstlight_protocol::{
    CalloutId, DeviceId, ErrorCode, MessageId, PersonId, Role, RoomId, RoomKind,
    api::{ClaimedKeyPackage, PersonView},
    callout::{CalloutView, ResponderState},
    mls::{CalloutDetails, Content, RoomContext},
};
use std::collections::BTreeSet;

/// Whose clients add people to a callout's room: whoever opened it, supervisors, and responders who have accepted.
fn completes(role: Role, view: &CalloutView) -> bool {
    matches!(role, Role::PoliceOfficer | Role::WatchCommander | Role::Agent | Role::Supervisor)
        || view.your_state.is_some_and(ResponderState::is_active)
}

/// A built room.
#[derive(Debug)]
pub struct RoomBuilt {
    /// The room.
    pub room: RoomId,
    /// People whose devices are in it.
    pub people: BTreeSet<PersonId>,
    /// Devices that could not be added.
    pub left_out: Vec<LeftOut>,
}

impl Session {
    /// Builds a callout's room and sends the details; with what was built before a crash, it goes on from there.
    pub async fn build_callout_room(&self, opening: &Opening) -> Result<RoomBuilt, SessionError> {
        let mut built = RoomBuilt { room: opening.room, people: BTreeSet::new(), left_out: Vec::new() };
        let view = self.api.callout(opening.open.id).await?;
        if !view.state.is_open() {
            self.forget_opening(opening).await?;
            return Err(SessionError::rule(ErrorCode::WrongState, "The callout is over: it gets no room any more."));
        }
        if let Some(other) = view.room.filter(|room| *room != opening.room) {
            return self.details_into(other, opening).await;
        }
        if self.state.read(|engine| engine.room(opening.room).is_none()).await? {
            self.create_callout_room(opening, &mut built).await?;
        } else {
            let effects = self.state.read(|engine| engine.outbox()).await?;
            let caught = self.drive(Outcome { effects, events: Vec::new() }).await?;
            let summary = self.summary(opening.room).await?;
            if let (RoomState::Creating, Some(trouble)) = (&summary.state, caught.troubles.into_iter().next()) {
                return Err(trouble);
            }
            built.people = summary.members.iter().map(|m| m.person).collect();
        }
        if opening.details != CalloutDetails::default() {
            self.send(opening.room, Content::Details(opening.details.clone()), opening.message).await?;
        }
        self.forget_opening(opening).await?;
        Ok(built)
    }

    /// Somebody else has built the room meanwhile: what this device had for it goes there as soon as it is a member.
    async fn details_into(&self, room: RoomId, opening: &Opening) -> Result<RoomBuilt, SessionError> {
        let built = RoomBuilt { room, people: BTreeSet::new(), left_out: Vec::new() };
        if opening.details != CalloutDetails::default() {
            let joined =
                self.state.read(|engine| engine.room(room).is_some_and(|r| r.state == RoomState::Joined)).await?;
            if !joined {
                return Err(SessionError::rule(
                    ErrorCode::NotAMember,
                    "Another device has built the callout's room and has not added this one yet; your details are kept \
                     and go there when it has.",
                ));
            }
            self.send(room, Content::Details(opening.details.clone()), opening.message).await?;
        }
        self.forget_opening(opening).await?;
        Ok(built)
    }

    async fn create_callout_room(&self, opening: &Opening, built: &mut RoomBuilt) -> Result<(), SessionError> {
        self.refresh_trust().await?;
        let host =
            self.state.read(|engine| engine.anchors().map(|a| a.host())).await?.ok_or(SessionError::NotEnrolled)?;
        let callout = opening.open.id;
        let suite = self.suites().await?.first().copied().unwrap_or_default();
        let team = self.api.team(callout).await?;
        let found = self.candidates(&team.people, RoomKind::Callout, suite, &BTreeSet::new()).await?;
        built.people = found.people;
        built.left_out = found.left_out;
        if found.claimed.is_empty() {
            return Err(SessionError::rule(
                ErrorCode::NotFound,
                "No device of anybody on call can be added to a room yet.",
            ));
        }
        let context = RoomContext { kind: RoomKind::Callout, org: host, callout: Some(callout) };
        let mut members = found.claimed;
        loop {
            match self.build(opening.room, context.clone(), suite, members.clone()).await {
                Err(SessionError::Engine(e)) if drop_unusable(&mut members, &team.people, &e, built) => {}
                other => return other,
            }
        }
    }

    /// Adds whoever belongs in a callout's room by now and is not in it. People are removed when dispatch asks for it.
    pub async fn complete_callout_room(&self, view: &CalloutView) -> Result<(), SessionError> {
        let role = self.state.read(|engine| engine.identity().map(|identity| identity.role)).await?;
        if !role.is_some_and(|role| completes(role, view)) {
            return Ok(());
        }
        let Some(summary) = self.state.read(|engine| engine.callout_room(view.id)).await? else {
            return Ok(());
        };
        let belong: BTreeSet<PersonId> = view.room_people.iter().flatten().copied().collect();
        let present: BTreeSet<PersonId> = summary.members.iter().map(|m| m.person).collect();
        if belong.is_subset(&present) {
            return Ok(());
        }
        let mut team = match self.api.team(view.id).await {
            Ok(team) => team.people,
            // Another officer's callout.
            Err(e) if e.code() == Some(ErrorCode::Forbidden) => return Ok(()),
            Err(e) => return Err(e.into()),
        };
        team.retain(|person| belong.contains(&person.person) && !present.contains(&person.person));
        if team.is_empty() {
            return Ok(());
        }
        self.refresh_trust().await?;
        let already: BTreeSet<DeviceId> = summary.members.iter().map(|m| m.device).collect();
        let found = self.candidates(&team, RoomKind::Callout, summary.suite, &already).await?;
        if found.claimed.is_empty() {
            return Ok(());
        }
        let id = MessageId(random()?);
        let outcome = self.state.apply(|engine, now| engine.add(summary.room, &found.claimed, id, now)).await?;
        self.settle(outcome, id).await.map(drop)
    }

    /// The opening of a callout whose room this device still has to build.
    pub async fn unbuilt(&self, callout: CalloutId) -> Result<Option<Opening>, SessionError> {
        Ok(self.openings().await?.into_iter().find(|opening| opening.open.id == callout))
    }
}

/// Leaves out the one device whose key package the engine refused: the others shall not wait for it.
fn drop_unusable(
    members: &mut Vec<ClaimedKeyPackage>,
    team: &[PersonView],
    error: &EngineError,
    built: &mut RoomBuilt,
) -> bool {
    let named = match error {
        EngineError::WrongKeyPackage { device }
        | EngineError::NoKeyPackage { device }
        | EngineError::BadKeyPackage { device } => device.to_string(),
        EngineError::Untrusted { device, .. } => device.clone(),
        _ => return false,
    };
    let Some(place) = members.iter().position(|member| member.device.to_string() == named) else {
        return false;
    };
    let device = members.remove(place).device;
    if let Some(person) = team.iter().find(|person| person.devices.iter().any(|d| d.device == device)) {
        built.left_out.push(LeftOut {
            person: person.person,
            work_name: person.work_name.clone(),
            device,
            problem: SessionError::from(error.clone()).problem(),
        });
    }
    !members.is_empty()
}
