//! Callouts: their encrypted details, and actions.

use super::{Hub, refusal::Done, rooms};
use crate::contract::*;
use firstlight_client::{
    engine::RoomState,
    session::{Opening, Session},
    storage::{LineBody, Outcome},
};
use firstlight_protocol::{CalloutId, mls::Content};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

/// Lines read at a time.
const LINES: usize = 200;

impl Hub {
    pub(super) async fn open_callout(self: &Rc<Self>, open: OpenCalloutWith) -> Done<CalloutView> {
        let session = self.session()?;
        let (view, opening) = session.open_callout(open.routing, open.purpose, open.details).await?;
        self.build_beside(session, opening);
        Ok(view)
    }

    /// Builds a callout's room while the page is on its way: nobody waits for it. What fails here is tried again by the
    /// live connection.
    fn build_beside(self: &Rc<Self>, session: Session, opening: Opening) {
        let hub = self.clone();
        spawn_local(async move {
            let callout = opening.open.id;
            match session.finish_opening(opening).await {
                Ok(built) => {
                    session.hand_over(Outcome::default());
                    let people = u32::try_from(built.people.len()).unwrap_or(u32::MAX);
                    hub.tell(&EngineEvent::RoomBuilt { callout, room: built.room, people });
                }
                Err(e) => hub.tell(&EngineEvent::Trouble { problem: e.problem(), callout: Some(callout) }),
            }
        });
    }

    pub(super) async fn send_details(self: &Rc<Self>, send: SendDetails) -> Done<Nothing> {
        let session = self.session()?;
        if let Some(opening) = session.unbuilt(send.callout).await? {
            // What was written before goes first.
            session.finish_opening(opening).await?;
        }
        let room = session.state().read(|engine| engine.callout_room(send.callout)).await?;
        if let Some(room) = room.filter(|room| room.state == RoomState::Joined) {
            rooms::keep(&session, room.room, Content::Details(send.details)).await?;
            return Ok(Nothing {});
        }
        let view = session.api().callout(send.callout).await?;
        if let Some(opening) = session.keep_details(&view, send.details).await? {
            self.build_beside(session, opening);
        }
        Ok(Nothing {})
    }

    pub(super) async fn details(self: &Rc<Self>, of: OfCallout) -> Done<Details> {
        let session = self.session()?;
        let room = session.state().read(|engine| engine.callout_room(of.callout)).await?;
        let Some(room) = room else { return Ok(Details { room: None, sent: Vec::new() }) };
        let mut sent = Vec::new();
        let mut after = 0;
        loop {
            let lines = session.state().lines(room.room, after, LINES).await?;
            let full = lines.len() == LINES;
            for line in lines {
                after = line.seq;
                if let LineBody::Message(Content::Details(details)) = line.body {
                    sent.push(DetailsLine { at: line.at, by: line.sender, details });
                }
            }
            if !full {
                return Ok(Details { room: Some(room.room), sent });
            }
        }
    }

    pub(super) async fn act(self: &Rc<Self>, on: ActOn) -> Done<CalloutView> {
        let callout: CalloutId = on.callout;
        Ok(self.session()?.act(callout, on.action).await?)
    }

    pub(super) async fn notices(self: &Rc<Self>, _: Nothing) -> Done<Notices> {
        Ok(Notices { items: self.session()?.state().read(|engine| engine.notices()).await? })
    }
}
