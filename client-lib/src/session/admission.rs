//! The two-person rule as people use it: ask to let another class of organisation into a room, agree, then add.

use super::{Session, SessionError, random};
use crate::{
    clock,
    engine::{EngineError, RoomSummary},
};
use firstlight_protocol::{
    MessageId, OrgKind, RoomId, RoomKind,
    admission::{Flaw, NotAdmitted},
    api::PersonView,
    cert::device_org,
    mls::Content,
};
use std::collections::BTreeSet;

impl Session {
    /// Asks a room to let a class of organisation in; every member sees it. The same question again, while it is on its
    /// way, is the same one.
    pub async fn ask_to_admit(&self, room: RoomId, org_kind: OrgKind) -> Result<RoomSummary, SessionError> {
        let id = self.message_id(room, &Content::AskToAdmit { org_kind }).await?;
        let outcome = self.state.apply(|engine, now| engine.ask_to_admit(room, org_kind, id, now)).await?;
        self.settle(outcome, id).await?;
        self.summary(room).await
    }

    /// Answers such a question; every member sees it. Whoever asked takes the question back by not agreeing.
    pub async fn answer_ask(&self, room: RoomId, ask: MessageId, agrees: bool) -> Result<RoomSummary, SessionError> {
        let id = MessageId(random()?);
        let outcome = self.state.apply(|engine, now| engine.answer_ask(room, ask, agrees, id, now)).await?;
        self.settle(outcome, id).await?;
        self.summary(room).await
    }

    /// Refuses people whose class of organisation takes two people to let in, before key packages are used up for them.
    /// `room` is absent for one that is still to be created.
    pub(super) async fn require_admission(
        &self,
        room: Option<RoomId>,
        kind: RoomKind,
        people: &[PersonView],
    ) -> Result<(), SessionError> {
        let devices = people.iter().flat_map(|person| &person.devices).filter(|d| d.revoked_at.is_none());
        let classes: BTreeSet<OrgKind> =
            devices.filter_map(|device| Some(device_org(device.chain.first()?).ok()?.1)).collect();
        // Who may never be in it is refused for that.
        let classes: Vec<OrgKind> = classes.into_iter().filter(|class| kind.admits_org(*class)).collect();
        let Some(room) = room else {
            let own = self.state.read(|engine| engine.identity().map(|own| own.org_kind)).await?;
            let other = classes.into_iter().find(|class| kind.takes_two() && Some(*class) != own);
            let refused = other.map(|org_kind| NotAdmitted { org_kind, why: Flaw::Missing });
            return refused.map_or(Ok(()), |refused| Err(EngineError::from(refused).into()));
        };
        Ok(self.state.read(|engine| engine.check_admission(room, &classes, clock::now())).await??)
    }
}
