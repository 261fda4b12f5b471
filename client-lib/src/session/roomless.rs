//! Callouts that have somebody on the way and no room: opened by telephone, or by a device that could not build one.
//!
//! Whoever was to build it gets a while; then a responder who has accepted does, and if none does, a supervisor. The
//! server lets a callout have one room, so that of several who try at once one is right.

use super::{Opening, Session, SessionError, random, state::names};
use crate::clock::{self, Instant};
use firstlight_protocol::{
    CalloutId, MessageId, Role, RoomId,
    callout::{CalloutView, OpenCallout, ResponderState},
    mls::CalloutDetails,
};
use std::{collections::BTreeMap, time::Duration};

/// How long the officer's device has to build the room.
const RESPONDER_AFTER: Duration = Duration::from_secs(20);
/// And how long responders have.
const SUPERVISOR_AFTER: Duration = Duration::from_secs(60);

/// The callouts that this device watches for a room.
#[derive(Debug, Default)]
pub(super) struct Roomless(BTreeMap<CalloutId, (CalloutView, Instant)>);

impl Roomless {
    /// Takes note of a callout as it stands now. Answers when to look again, if it lacks a room.
    pub(super) fn note(&mut self, view: &CalloutView, role: Role) -> Option<Duration> {
        let patience = match view.your_state {
            Some(state) if state.is_active() => RESPONDER_AFTER,
            _ if role == Role::Supervisor => SUPERVISOR_AFTER,
            _ => Duration::MAX,
        };
        if view.room.is_some() || !view.state.is_open() || view.accepted == 0 || patience == Duration::MAX {
            self.0.remove(&view.id);
            return None;
        }
        self.0.entry(view.id).or_insert_with(|| (view.clone(), Instant::now() + patience)).0 = view.clone();
        Some(patience)
    }

    /// Those whose time has come; they are not watched any more.
    pub(super) fn due(&mut self) -> Vec<CalloutView> {
        let now = Instant::now();
        let due: Vec<CalloutId> = self.0.iter().filter(|(_, (_, at))| *at <= now).map(|(id, _)| *id).collect();
        due.into_iter().filter_map(|id| self.0.remove(&id)).map(|(view, _)| view).collect()
    }
}

impl Session {
    /// Takes it upon this device to build a callout's room: kept until it stands, like a callout of its own.
    pub(super) async fn adopt_room(&self, view: &CalloutView) -> Result<(), SessionError> {
        self.keep_details(view, CalloutDetails::default()).await.map(drop)
    }

    /// Keeps details for a callout that was opened elsewhere, until they are in its room; the room is built if it has
    /// none. `None`: nothing of it concerns this person any more.
    pub async fn keep_details(
        &self,
        view: &CalloutView,
        details: CalloutDetails,
    ) -> Result<Option<Opening>, SessionError> {
        let Some(routing) = view.routing.clone().filter(|_| view.your_state != Some(ResponderState::StoodDown)) else {
            return Ok(None);
        };
        let opening = Opening {
            open: OpenCallout { id: view.id, routing, purpose: view.purpose },
            details,
            room: RoomId(random()?),
            message: MessageId(random()?),
            at: clock::now() - super::live::OWN_COMMAND,
            accepted: true,
        };
        self.state.put(&format!("{}{}", names::OPENING, view.id), &opening).await?;
        Ok(Some(opening))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> CalloutView {
        serde_json::from_value(serde_json::json!({
            "id": CalloutId([1; 16]), "revision": 1, "state": "accepted", "agency": firstlight_protocol::OrgId([2; 16]),
            "opened_at": 0, "wanted": 1, "accepted": 1, "acknowledged": 0, "duty_number": "555-0100"
        }))
        .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn responders_come_before_supervisors_and_a_room_ends_it() {
        let mut roomless = Roomless::default();
        let going = CalloutView { your_state: Some(ResponderState::Accepted), ..view() };
        assert_eq!(roomless.note(&going, Role::Advocate), Some(RESPONDER_AFTER));
        tokio::time::advance(RESPONDER_AFTER / 2).await;
        // A newer view does not begin the wait anew.
        let later = CalloutView { revision: 2, ..going.clone() };
        roomless.note(&later, Role::Advocate);
        assert!(roomless.due().is_empty());
        tokio::time::advance(RESPONDER_AFTER / 2).await;
        assert_eq!(roomless.due(), [later]);
        assert!(roomless.due().is_empty(), "once");

        assert_eq!(roomless.note(&view(), Role::Supervisor), Some(SUPERVISOR_AFTER));
        assert_eq!(roomless.note(&CalloutView { room: Some(RoomId([3; 16])), ..view() }, Role::Supervisor), None);
        tokio::time::advance(SUPERVISOR_AFTER * 2).await;
        assert!(roomless.due().is_empty());
        let nobody = CalloutView { accepted: 0, ..going };
        assert_eq!(roomless.note(&nobody, Role::Advocate), None, "people come before rooms");
        assert_eq!(roomless.note(&view(), Role::PoliceOfficer), None);
    }
}
