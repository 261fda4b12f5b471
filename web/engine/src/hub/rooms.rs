//! Rooms: what is in them, and what a person does there.

use super::{
    Hub,
    refusal::{Done, Refusal},
    view,
};
use crate::contract::*;
use firstlight_client::{
    engine::RoomSummary,
    session::{Session, random},
    storage::Outcome,
};
use firstlight_protocol::{
    ErrorCode, MessageId, OrgKind, Problem, Role, RoomId, RoomKind, cert::is_valid_name, mls::Content,
};
use std::rc::Rc;

/// Most bytes of a message's text; with its padding and encryption it stays below the wire's bound.
const MAX_TEXT: usize = 32 << 10;
/// Most lines of one answer.
const MAX_LINES: u16 = 200;

impl Hub {
    pub(super) async fn rooms(self: &Rc<Self>, _: Nothing) -> Done<Rooms> {
        let session = self.session()?;
        let mut rooms = Vec::new();
        for room in session.state().read(|engine| engine.rooms()).await? {
            rooms.push(view::row(&room, last(&session, room.room).await?));
        }
        rooms.sort_by_key(|row| std::cmp::Reverse(row.last.as_ref().map(|line| line.at)));
        Ok(Rooms { rooms })
    }

    pub(super) async fn room(self: &Rc<Self>, of: OfRoom) -> Done<Room> {
        let session = self.session()?;
        let summary = session.summary(of.room).await?;
        shown(&session, summary).await
    }

    pub(super) async fn lines(self: &Rc<Self>, of: LinesOf) -> Done<Lines> {
        let session = self.session()?;
        let limit = usize::from(of.limit.clamp(1, MAX_LINES));
        let state = session.state();
        // One more than is shown tells whether there is more.
        let mut lines = match (of.before, of.after) {
            (None, Some(after)) => state.lines(of.room, after, limit + 1).await?,
            (before, None) => state.lines_before(of.room, before.unwrap_or(u64::MAX), limit + 1).await?,
            (Some(_), Some(_)) => return Err(Refusal::value("Lines are before a place or after one.")),
        };
        let more = lines.len() > limit;
        if more {
            lines.remove(if of.after.is_some() { limit } else { 0 });
        }
        Ok(Lines { lines: lines.into_iter().map(view::line).collect(), more })
    }

    pub(super) async fn send(self: &Rc<Self>, message: Send) -> Done<Kept> {
        if message.text.is_empty() || message.text.len() > MAX_TEXT {
            return Err(Refusal(Problem::with(ErrorCode::TooLarge, "A message has 1 to 32768 bytes.")));
        }
        let session = self.session()?;
        let content = Content::Text { text: message.text, reply_to: message.reply_to };
        Ok(Kept { id: keep(&session, message.room, content).await? })
    }

    pub(super) async fn retry(self: &Rc<Self>, of: OfMessage) -> Done<Nothing> {
        let session = self.session()?;
        let outcome = session.state().apply(|engine, now| engine.retry(of.id, now)).await?;
        session.hand_over(outcome);
        Ok(Nothing {})
    }

    pub(super) async fn discard(self: &Rc<Self>, of: OfMessage) -> Done<Nothing> {
        let session = self.session()?;
        let outcome = session.state().apply(|engine, _| engine.discard(of.id)).await?;
        session.hand_over(outcome);
        Ok(Nothing {})
    }

    pub(super) async fn mark_read(self: &Rc<Self>, of: OfRoom) -> Done<Nothing> {
        self.session()?.state().apply(|engine, _| engine.mark_read(of.room)).await?;
        self.tell_room(of.room);
        Ok(Nothing {})
    }

    pub(super) async fn room_kinds(self: &Rc<Self>, _: Nothing) -> Done<RoomKinds> {
        let own = self.session()?.state().read(|engine| engine.identity().cloned()).await?;
        let info = |kind: RoomKind| RoomKindInfo {
            kind,
            // A callout's room comes with the callout.
            may_create: kind != RoomKind::Callout
                && own.as_ref().is_some_and(|own| kind.admits(own.org_kind, own.role)),
            single_org: kind.single_org(),
            takes_two: kind.takes_two(),
            admits_police: kind.admits_org(OrgKind::LawEnforcement),
            admits: admitted(kind),
        };
        Ok(RoomKinds { kinds: RoomKind::ALL.iter().copied().map(info).collect() })
    }

    pub(super) async fn create_room(self: &Rc<Self>, room: CreateRoom) -> Done<Room> {
        if !is_valid_name(&room.name) {
            return Err(Refusal::value("A room's name has 1 to 64 visible characters."));
        }
        let session = self.session()?;
        let summary = session.create_room(room.kind, &room.name, &room.people).await?;
        self.changed(&session, summary).await
    }

    pub(super) async fn add_people(self: &Rc<Self>, to: PeopleOf) -> Done<Room> {
        let session = self.session()?;
        let summary = session.add_people(to.room, &to.people).await?;
        self.changed(&session, summary).await
    }

    pub(super) async fn ask_to_admit(self: &Rc<Self>, to: AskToAdmit) -> Done<Room> {
        let session = self.session()?;
        let summary = session.ask_to_admit(to.room, to.org_kind).await?;
        self.changed(&session, summary).await
    }

    pub(super) async fn answer_ask(self: &Rc<Self>, to: AnswerAsk) -> Done<Room> {
        let session = self.session()?;
        let summary = session.answer_ask(to.room, to.ask, to.agrees).await?;
        self.changed(&session, summary).await
    }

    pub(super) async fn remove_people(self: &Rc<Self>, from: PeopleOf) -> Done<Room> {
        let session = self.session()?;
        let summary = session.remove_people(from.room, &from.people).await?;
        self.changed(&session, summary).await
    }

    pub(super) async fn rejoin(self: &Rc<Self>, of: OfRoom) -> Done<Room> {
        let session = self.session()?;
        let summary = session.rejoin(of.room).await?;
        self.changed(&session, summary).await
    }

    pub(super) async fn safety_number(self: &Rc<Self>, of: OfRoom) -> Done<SafetyNumber> {
        let safety = self.session()?.state().read(|engine| engine.safety(of.room)).await??;
        Ok(SafetyNumber { epoch: safety.epoch, number: safety.number })
    }

    /// A room that was changed beside the live connection: lines that came of it are told from there.
    async fn changed(&self, session: &Session, summary: RoomSummary) -> Done<Room> {
        session.hand_over(Outcome::default());
        self.tell_room(summary.room);
        shown(session, summary).await
    }
}

/// Keeps something to send, and gives it to the connection.
pub(super) async fn keep(session: &Session, room: RoomId, content: Content) -> Done<MessageId> {
    let id = MessageId(random()?);
    let outcome = session.state().apply(|engine, now| engine.send(room, content, id, now)).await?;
    session.hand_over(outcome);
    Ok(id)
}

async fn last(session: &Session, room: RoomId) -> Done<Option<Line>> {
    Ok(session.state().lines_before(room, u64::MAX, 1).await?.pop().map(view::line))
}

async fn shown(session: &Session, summary: RoomSummary) -> Done<Room> {
    let (own, pending) = session.state().read(|engine| (engine.device(), engine.pending())).await?;
    let last = last(session, summary.room).await?;
    Ok(view::room(summary, last, own, pending))
}

fn admits(kind: RoomKind, org_kind: OrgKind, role: Role) -> bool {
    org_kind.may_grant(role) && kind.admits(org_kind, role)
}

fn admitted(kind: RoomKind) -> Vec<Admitted> {
    let all = OrgKind::ALL.iter().flat_map(|org_kind| Role::ALL.iter().map(|role| (*org_kind, *role)));
    all.filter(|(org_kind, role)| admits(kind, *org_kind, *role))
        .map(|(org_kind, role)| Admitted { org_kind, role })
        .collect()
}
