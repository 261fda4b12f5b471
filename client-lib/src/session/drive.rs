//! Carries out effects: a request to the server, its answer back into the engine, the next effects, until all is quiet.

use super::{Boxed, Session, SessionError, random};
use crate::{
    engine::{Effect, Event, PendingKind, is_retryable},
    storage::Outcome,
    transport::TransportError,
};
use firstlight_protocol::{
    ErrorCode, MessageId, Problem, RoomId,
    api::{Acks, OrgView, RoomCursor},
    limits::MAX_LOG_PAGE,
    mls::SUITES,
};
use std::collections::VecDeque;

/// More requests than this for one thing that a person wanted are a defect, here or at the server.
const MOST_REQUESTS: usize = 20_000;

/// Something to do with the server.
#[derive(Debug, Clone)]
pub(super) enum Task {
    /// What a step asked for.
    Effect(Effect),
    /// Fetch what organisations state about each other and have revoked.
    Trust,
    /// See that others can add this device while it is away.
    KeyPackages,
    /// See that the server has what this device had of its rooms.
    Rooms,
}

/// Carries out an outcome's effects and everything that follows from them.
///
/// What the server refuses for good about one effect does not stop the others; it is noted in `troubles`. An error means
/// that nothing more can be done now: the rest stays in the outbox.
pub(super) async fn until_quiet(
    session: &Session,
    outcome: Outcome,
    caught: &mut CaughtUp,
) -> Result<(), SessionError> {
    let mut queue: VecDeque<Task> = VecDeque::new();
    let mut acks = Acks::default();
    take(outcome, &mut queue, &mut caught.events);
    for _ in 0..MOST_REQUESTS {
        let Some(task) = queue.pop_front() else { break };
        if let Task::Effect(Effect::Ack(more)) = task {
            merge(&mut acks, more);
            continue;
        }
        match session.carry_out(task).await {
            Ok(outcome) => take(outcome, &mut queue, &mut caught.events),
            Err(e) if e.stops_everything() => return Err(e),
            Err(e) => caught.troubles.push(e),
        }
    }
    if acks != Acks::default() {
        // An acknowledgement that is lost is covered by the next one.
        let _ = session.api.ack(&acks).await;
    }
    Ok(())
}

/// What came of carrying things out.
#[derive(Debug, Default)]
pub struct CaughtUp {
    /// What happened.
    pub events: Vec<Event>,
    /// What was refused for good, one by one.
    pub troubles: Vec<SessionError>,
}

fn take(outcome: Outcome, queue: &mut VecDeque<Task>, events: &mut Vec<Event>) {
    events.extend(outcome.events);
    queue.extend(outcome.effects.into_iter().map(Task::Effect));
}

/// Acknowledgements are cumulative: the later place counts.
pub(super) fn merge(into: &mut Acks, more: Acks) {
    into.inbox = into.inbox.max(more.inbox);
    for cursor in more.rooms {
        match into.rooms.iter_mut().find(|known| known.room == cursor.room) {
            Some(known) => known.seq = known.seq.max(cursor.seq),
            None => into.rooms.push(cursor),
        }
    }
}

impl Session {
    /// One request, and its answer into the engine.
    pub(super) fn carry_out(&self, task: Task) -> Boxed<'_, Result<Outcome, SessionError>> {
        Box::pin(async move {
            match task {
                Task::Effect(effect) => self.carry_out_effect(effect).await,
                Task::Trust => {
                    let organisations = self.api.organisations().await?;
                    self.believe(&organisations).await
                }
                Task::KeyPackages => {
                    let suites = self.suites().await?;
                    let count = self.api.key_packages().await?;
                    self.state.apply(|engine, now| engine.replenish(&count, &suites, now)).await
                }
                Task::Rooms => {
                    let had = self.state.read(|engine| engine.cursors()).await?;
                    let views = self.api.rooms().await?;
                    self.state.apply(|engine, _| engine.compare_rooms(&had, &views)).await
                }
            }
        })
    }

    async fn carry_out_effect(&self, effect: Effect) -> Result<Outcome, SessionError> {
        match effect {
            Effect::PublishKeyPackages(packages) => {
                self.api.publish_key_packages(&packages).await?;
                self.state.apply(|engine, _| engine.key_packages_published(&packages)).await
            }
            Effect::CreateRoom { id, room } => match self.api.create_room(&room).await {
                Ok(_) => self.state.apply(|engine, now| engine.room_created(room.room, now)).await,
                Err(e) => self.refused(room.room, id, e).await,
            },
            Effect::PublishCommit { room, bundle } => match self.api.commit(room, &bundle).await {
                Ok(answer) => self.state.apply(|engine, _| engine.published_commit(room, bundle.id, &answer)).await,
                Err(e) => self.refused(room, bundle.id, e).await,
            },
            Effect::PublishMessage { room, message } => match self.api.send_message(room, &message).await {
                Ok(answer) => self.state.apply(|engine, _| engine.published_message(room, message.id, &answer)).await,
                Err(e) => self.refused(room, message.id, e).await,
            },
            Effect::FetchLog(cursor) | Effect::Subscribe(cursor) => self.fetch_log(cursor).await,
            Effect::FetchWelcome { room, epoch } => match self.api.welcome(room, epoch).await {
                Ok(bundle) => self.state.apply(|engine, now| engine.receive_welcome(&bundle, now)).await,
                Err(e) if is_gone(&e) => self.state.apply(|engine, _| engine.welcome_unavailable(room, epoch)).await,
                Err(e) => Err(e.into()),
            },
            Effect::FetchGroupState { room } => match self.api.group_state(room).await {
                Ok(group) => {
                    let id = MessageId(random()?);
                    self.state.apply(|engine, now| engine.rejoin(room, &group, id, now)).await
                }
                Err(e) if is_gone(&e) => self.state.apply(|engine, _| engine.lost_room(room)).await,
                Err(e) => Err(e.into()),
            },
            Effect::FetchOrganisation { org } => {
                let mut organisations = self.api.organisations().await?;
                organisations.retain(|view| view.org == org);
                let mut outcome = self.believe(&organisations).await?;
                let known = self.state.apply(|engine, _| engine.organisation_known(org)).await?;
                outcome.effects.extend(known.effects);
                Ok(outcome)
            }
            Effect::Ack(acks) => {
                self.api.ack(&acks).await?;
                Ok(Outcome::default())
            }
        }
    }

    /// What the server refused for good goes back into the engine, which rebuilds or fails the intent.
    async fn refused(&self, room: RoomId, id: MessageId, error: TransportError) -> Result<Outcome, SessionError> {
        match error {
            TransportError::Refused(problem) if !is_retryable(&problem) => self.hand_back(room, id, &problem).await,
            passing => Err(passing.into()),
        }
    }

    /// Gives a refusal to the engine.
    pub(super) async fn hand_back(
        &self,
        room: RoomId,
        id: MessageId,
        problem: &Problem,
    ) -> Result<Outcome, SessionError> {
        self.state.apply(|engine, now| engine.refused(room, id, problem, now)).await
    }

    async fn fetch_log(&self, cursor: RoomCursor) -> Result<Outcome, SessionError> {
        let RoomCursor { room, seq } = cursor;
        let page = match self.api.log(room, seq, MAX_LOG_PAGE).await {
            Ok(page) => page,
            Err(e) if is_gone(&e) => return self.state.apply(|engine, _| engine.lost_room(room)).await,
            Err(e) => return Err(e.into()),
        };
        if page.first > seq + 1 && page.head > seq {
            return self.state.apply(|engine, _| engine.log_expired(room, page.first)).await;
        }
        let mut outcome = self.state.apply(|engine, now| engine.receive_entries(&page.entries, now)).await?;
        if let Some(last) = page.entries.last().filter(|last| last.seq < page.head) {
            let more = Effect::FetchLog(RoomCursor { room, seq: last.seq });
            outcome.effects.retain(|effect| !matches!(effect, Effect::FetchLog(c) if c.room == room));
            outcome.effects.push(more);
        }
        Ok(outcome)
    }

    /// Gives up removals that this device wanted by itself in rooms that it is no member of any more: nobody has to hear
    /// of them. (A removal that a person wanted is answered to that person, see `settle`.)
    pub(super) async fn tidy(&self, events: &mut Vec<Event>) -> Result<(), SessionError> {
        let is_moot = |event: &Event| match event {
            Event::Failed { id, problem, .. } if problem.code == ErrorCode::NotAMember => Some(*id),
            _ => None,
        };
        if !events.iter().any(|event| is_moot(event).is_some()) {
            return Ok(());
        }
        let pending = self.state.read(|engine| engine.pending()).await?;
        let removals: Vec<MessageId> =
            pending.iter().filter(|p| matches!(p.what, PendingKind::Remove(_))).map(|p| p.id).collect();
        for id in events.iter().filter_map(is_moot).filter(|id| removals.contains(id)) {
            self.state.apply(|engine, _| engine.discard(id)).await?;
        }
        events.retain(|event| is_moot(event).is_none_or(|id| !removals.contains(&id)));
        Ok(())
    }

    /// Takes in statements and revocations. One that does not verify changes nothing and hides nothing: what is known
    /// stays known, and an older statement is never believed over a newer one.
    async fn believe(&self, organisations: &[OrgView]) -> Result<Outcome, SessionError> {
        let mut all = Outcome::default();
        let mut add = |result: Result<Outcome, SessionError>| match result {
            Ok(outcome) => {
                all.effects.extend(outcome.effects);
                all.events.extend(outcome.events);
                Ok(())
            }
            Err(SessionError::Engine(_)) => Ok(()),
            Err(e) => Err(e),
        };
        // The host's own revocations first: they say which of its signers' statements still count.
        let host = self.state.read(|engine| engine.anchors().map(|a| a.host())).await?;
        let (first, rest): (Vec<&OrgView>, Vec<&OrgView>) =
            organisations.iter().partition(|view| Some(view.org) == host);
        for view in first.into_iter().chain(rest) {
            if let Some(statement) = &view.statement {
                add(self.state.apply(|engine, now| engine.receive_statement(statement, now)).await)?;
            }
            if let Some(revocations) = &view.revocations {
                add(self.state.apply(|engine, now| engine.receive_revocations(revocations, now)).await)?;
            }
        }
        Ok(all)
    }

    /// The suites that server and client share, best first.
    pub(super) async fn suites(&self) -> Result<Vec<u16>, SessionError> {
        let offered = self.api.http().server_info().await?.suites;
        let shared: Vec<u16> = offered.into_iter().filter(|suite| SUITES.contains(suite)).collect();
        if shared.is_empty() {
            return Err(SessionError::rule(
                ErrorCode::InvalidValue,
                "The server allows no MLS ciphersuite that this client has.",
            ));
        }
        Ok(shared)
    }
}

/// The thing does not exist, or not for this device.
fn is_gone(error: &TransportError) -> bool {
    matches!(error.code(), Some(ErrorCode::NotFound | ErrorCode::NotAMember))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgements_merge_to_the_later_place() {
        let cursor = |room, seq| RoomCursor { room: RoomId([room; 16]), seq };
        let mut acks = Acks { rooms: vec![cursor(1, 5)], inbox: Some(3) };
        merge(&mut acks, Acks { rooms: vec![cursor(1, 4), cursor(2, 1)], inbox: None });
        merge(&mut acks, Acks { rooms: vec![cursor(2, 9)], inbox: Some(7) });
        assert_eq!(acks, Acks { rooms: vec![cursor(1, 5), cursor(2, 9)], inbox: Some(7) });
    }
}
