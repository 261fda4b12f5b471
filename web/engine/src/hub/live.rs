//! The session while it is unlocked: connects, and tells what happens.

use super::{Hub, refusal::Done, view};
use crate::contract::*;
use firstlight_client::{
    engine::Event,
    session::{Happening, Live, Session},
};
use firstlight_protocol::{ErrorCode, RoomId};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

impl Hub {
    /// Begins the session of an enrolled device.
    pub(super) async fn begin_session(self: &Rc<Self>) -> Done<()> {
        let session = Session::new(self.state()?, false).await?;
        self.begin(session);
        Ok(())
    }

    /// Connects, and stays connected until the worker ends.
    pub(super) fn begin(self: &Rc<Self>, session: Session) {
        if let Some(open) = self.open.borrow_mut().as_mut() {
            open.session = Some(session.clone());
        }
        let hub = self.clone();
        spawn_local(async move {
            let mut live = Live::new(session.clone());
            let error = loop {
                match live.next().await {
                    Ok(happening) => hub.happened(&session, happening).await,
                    Err(e) => break e,
                }
            };
            hub.connected.set(false);
            if error.code() == Some(ErrorCode::DeviceRevoked) {
                hub.revoked.set(true);
                hub.tell(&EngineEvent::Revoked {});
            } else {
                hub.tell(&EngineEvent::Trouble { problem: error.problem(), callout: None });
            }
            hub.tell_status().await;
        });
    }

    async fn happened(&self, session: &Session, happening: Happening) {
        let event = match happening {
            Happening::Connected { server_now } => {
                self.connected.set(true);
                EngineEvent::Connected { server_now }
            }
            Happening::Disconnected { retry_in, .. } => {
                self.connected.set(false);
                EngineEvent::Disconnected { retry_in_ms: u64::try_from(retry_in.as_millis()).unwrap_or(u64::MAX) }
            }
            Happening::Event(event) => return self.told(session, *event).await,
            Happening::Trouble { error } => EngineEvent::Trouble { problem: error.problem(), callout: None },
            Happening::RoomBuilt { callout, room, people } => {
                EngineEvent::RoomBuilt { callout, room, people: u32::try_from(people).unwrap_or(u32::MAX) }
            }
        };
        self.tell(&event);
    }

    async fn told(&self, session: &Session, event: Event) {
        match event {
            Event::Line { room, seq } => {
                let lines = session.state().lines(room, seq.saturating_sub(1), 1).await.unwrap_or_default();
                if let Some(line) = lines.into_iter().find(|line| line.seq == seq) {
                    self.tell(&EngineEvent::Line { line: view::line(line) });
                }
                self.tell_room(room);
            }
            Event::Sent { room, id, seq } => self.tell(&EngineEvent::Sent { room, id, seq }),
            Event::Failed { room, id, problem } => self.tell(&EngineEvent::NotSent { room, id, problem }),
            Event::Revoked { org, devices } => self.tell(&EngineEvent::DevicesRevoked { org, devices }),
            Event::Notice(item) => self.tell(&EngineEvent::Notice { item: *item }),
            Event::MembersChanged { room, .. }
            | Event::Joined { room, .. }
            | Event::Left { room }
            | Event::WelcomeFailed { room, .. }
            | Event::OutOfSync { room, .. }
            | Event::BackInSync { room } => self.tell_room(room),
        }
    }

    /// A room has to be asked for again.
    pub(super) fn tell_room(&self, room: RoomId) {
        self.tell(&EngineEvent::Room { room });
    }
}
