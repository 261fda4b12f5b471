//! Rooms, as people want them: create, add, remove, send, rejoin.

use super::{Session, SessionError, members::LeftOut, random};
use crate::{
    clock,
    engine::{EngineError, Event, PendingKind, RoomState, RoomSummary},
    storage::Outcome,
};
use firstlight_protocol::{
    DeviceId, ErrorCode, MessageId, PersonId, Problem, RoomId, RoomKind,
    api::ClaimedKeyPackage,
    mls::{Content, RoomContext},
};
use std::{collections::BTreeSet, time::Duration};

/// A message that is still on its way is taken for the same one if it is repeated within this time.
const REPEAT: Duration = Duration::from_secs(15 * 60);

impl Session {
    /// Creates a room with people, and names it. Nothing happens if one of them can't be a member.
    pub async fn create_room(
        &self,
        kind: RoomKind,
        name: &str,
        people: &[PersonId],
    ) -> Result<RoomSummary, SessionError> {
        self.refresh_trust().await?;
        let own = self.state.read(|engine| engine.identity().cloned()).await?.ok_or(SessionError::NotEnrolled)?;
        if !kind.admits(own.org_kind, own.role) {
            return Err(SessionError::Rule(Problem::with(
                ErrorCode::RoleNotAdmitted,
                format!("Your role ({}) can't be in a room of kind {kind}: {}.", own.role, kind.who_can_read()),
            )));
        }
        let suite = self.suites().await?.first().copied().unwrap_or_default();
        let context = RoomContext { kind, org: own.org, callout: None };
        let members = self.claim_all(None, kind, suite, people, &BTreeSet::new()).await?;
        let room = RoomId(random()?);
        self.build(room, context, suite, members).await?;
        self.send(room, Content::Profile { name: name.to_owned() }, MessageId(random()?)).await?;
        self.summary(room).await
    }

    /// Adds people to a room; all of them, or nobody.
    pub async fn add_people(&self, room: RoomId, people: &[PersonId]) -> Result<RoomSummary, SessionError> {
        self.refresh_trust().await?;
        let summary = self.summary(room).await?;
        let already = summary.members.iter().map(|member| member.device).collect();
        let claimed = self.claim_all(Some(room), summary.context.kind, summary.suite, people, &already).await?;
        if !claimed.is_empty() {
            let id = MessageId(random()?);
            let outcome = self.state.apply(|engine, now| engine.add(room, &claimed, id, now)).await?;
            self.settle(outcome, id).await?;
        }
        self.summary(room).await
    }

    /// Removes people, with all their devices, from a room.
    pub async fn remove_people(&self, room: RoomId, people: &[PersonId]) -> Result<RoomSummary, SessionError> {
        let summary = self.summary(room).await?;
        let devices: Vec<DeviceId> =
            summary.members.iter().filter(|m| people.contains(&m.person)).map(|m| m.device).collect();
        let id = MessageId(random()?);
        let outcome = self.state.apply(|engine, now| engine.remove(room, &devices, id, now)).await?;
        self.settle(outcome, id).await?;
        self.summary(room).await
    }

    /// Sends content. When this returns, it is durable on the server.
    pub async fn send(&self, room: RoomId, content: Content, id: MessageId) -> Result<Vec<Event>, SessionError> {
        let outcome = self.state.apply(|engine, now| engine.send(room, content, id, now)).await?;
        self.settle(outcome, id).await
    }

    /// The id for a message: that of the same message if it is still on its way, so that repeating a command after a
    /// lost answer does not send it twice.
    pub async fn message_id(&self, room: RoomId, content: &Content) -> Result<MessageId, SessionError> {
        let since = clock::now() - REPEAT;
        let waiting = self.state.read(|engine| engine.pending()).await?.into_iter().find(|pending| {
            let same = matches!(&pending.what, PendingKind::Send(waiting) if waiting == content);
            same && pending.room == room && pending.failed.is_none() && pending.at > since
        });
        match waiting {
            Some(pending) => Ok(pending.id),
            None => Ok(MessageId(random()?)),
        }
    }

    /// Rejoins a room that can't be followed any more, by external commit. A person wants it, who has seen why it was lost:
    /// also if another class of organisation came in unseen.
    pub async fn rejoin(&self, room: RoomId) -> Result<RoomSummary, SessionError> {
        self.refresh_trust().await?;
        self.state.apply(|engine, _| engine.accept_members(room)).await?;
        let effect = crate::engine::Effect::FetchGroupState { room };
        let caught = self.drive(Outcome { effects: vec![effect], events: Vec::new() }).await?;
        let summary = self.summary(room).await?;
        match caught.troubles.into_iter().next() {
            Some(trouble) if summary.state != RoomState::Joined => Err(trouble),
            _ => Ok(summary),
        }
    }

    /// A room of this device.
    pub async fn summary(&self, room: RoomId) -> Result<RoomSummary, SessionError> {
        self.state.read(|engine| engine.room(room)).await?.ok_or(SessionError::Engine(EngineError::NoSuchRoom { room }))
    }

    /// Builds a room with its first members.
    pub(super) async fn build(
        &self,
        room: RoomId,
        context: RoomContext,
        suite: u16,
        members: Vec<ClaimedKeyPackage>,
    ) -> Result<(), SessionError> {
        let id = MessageId(random()?);
        let outcome =
            self.state.apply(|engine, now| engine.create_room(room, context, suite, &members, id, now)).await?;
        self.settle(outcome, id).await.map(drop)
    }

    /// Key packages of named people; an error if one of them can't be added.
    async fn claim_all(
        &self,
        room: Option<RoomId>,
        kind: RoomKind,
        suite: u16,
        people: &[PersonId],
        already: &BTreeSet<DeviceId>,
    ) -> Result<Vec<ClaimedKeyPackage>, SessionError> {
        if people.is_empty() {
            return Ok(Vec::new());
        }
        let views = self.api.directory(people.to_vec()).await?;
        let unknown = people.iter().find(|person| !views.iter().any(|view| view.person == **person));
        if let Some(unknown) = unknown {
            return Err(SessionError::rule(
                ErrorCode::NotFound,
                format!("There is no person {}, or you may not add them to a room.", unknown.short()),
            ));
        }
        self.require_admission(room, kind, &views).await?;
        let found = self.candidates(&views, kind, suite, already).await?;
        if let Some(LeftOut { problem, .. }) = found.first_without(people) {
            return Err(SessionError::Rule(problem.clone()));
        }
        Ok(found.claimed)
    }

    /// Carries an intent out, and answers with what became of it. Trouble with anything else is not its business.
    pub(super) async fn settle(&self, outcome: Outcome, id: MessageId) -> Result<Vec<Event>, SessionError> {
        let caught = self.drive(outcome).await?;
        let pending = self.state.read(|engine| engine.pending()).await?.into_iter().find(|pending| pending.id == id);
        match pending.map(|pending| pending.failed) {
            None => Ok(caught.events),
            Some(Some(problem)) => {
                // The person has the answer now; what is done about it is a new intent.
                self.state.apply(|engine, _| engine.discard(id)).await?;
                Err(SessionError::Rule(problem))
            }
            Some(None) => Err(caught.troubles.into_iter().next().unwrap_or_else(|| {
                SessionError::rule(
                    ErrorCode::Unavailable,
                    "It could not be sent yet; it is kept, and sent with the next sync.",
                )
            })),
        }
    }
}
