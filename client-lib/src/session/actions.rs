//! Callouts: opening one, and acting on one. The id is stored before the request, so that repeating the command after a
//! crash or a lost answer does not do it twice (DOMAIN.md, "At night": a retry never makes a second callout).

use super::{RoomBuilt, Session, SessionError, random, state::names};
use crate::clock;
use firstlight_protocol::{
    ActionId, CalloutId, MessageId, RoomId, Timestamp,
    api::ActOnCallout,
    callout::{Action, CalloutView, OpenCallout, Purpose, Routing},
    mls::CalloutDetails,
    wire::to_cbor,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// A repeated command within this time is the same one; later, the person means it anew.
const REPEAT: Duration = Duration::from_secs(15 * 60);

/// A callout that is being opened: kept until its room is built and the details are in it. Until then, the same command
/// goes on with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Opening {
    /// The request.
    pub open: OpenCallout,
    /// What goes into the room, end-to-end encrypted.
    pub details: CalloutDetails,
    /// The room to build.
    pub room: RoomId,
    /// The id of the details' message.
    pub message: MessageId,
    /// When the person asked for it.
    pub at: Timestamp,
    /// The server has it: the page is out.
    pub accepted: bool,
}

impl Opening {
    fn name(&self) -> String {
        format!("{}{}", names::OPENING, self.open.id)
    }

    /// The same command again: with an opening that is kept, it is not finished.
    fn is_same(&self, routing: &Routing, purpose: Purpose, details: &CalloutDetails) -> bool {
        let at_the_same_time = Routing { first_contact_at: self.open.routing.first_contact_at, ..routing.clone() };
        (&self.details, self.open.purpose) == (details, purpose) && self.open.routing == at_the_same_time
    }
}

#[derive(Serialize, Deserialize)]
struct Acting {
    id: ActionId,
    at: Timestamp,
}

impl Session {
    /// Opens a callout. When this returns, the server has it and the page is out; the room is still to be built.
    pub async fn open_callout(
        &self,
        routing: Routing,
        purpose: Purpose,
        details: CalloutDetails,
    ) -> Result<(CalloutView, Opening), SessionError> {
        let since = clock::now() - REPEAT;
        let known = self.openings().await?;
        if let Some(repeated) = known.into_iter().find(|o| o.is_same(&routing, purpose, &details) && o.at > since) {
            let (view, opening) = self.submit(repeated).await?;
            if view.state.is_open() {
                return Ok((view, opening));
            }
            // That one is over: this is a new one.
            self.forget_opening(&opening).await?;
        }
        let opening = Opening {
            open: OpenCallout { id: CalloutId(random()?), routing, purpose },
            details,
            room: RoomId(random()?),
            message: MessageId(random()?),
            at: clock::now(),
            accepted: false,
        };
        self.submit(opening).await
    }

    async fn submit(&self, mut opening: Opening) -> Result<(CalloutView, Opening), SessionError> {
        self.state.put(&opening.name(), &opening).await?;
        let view = match self.api.open_callout(&opening.open).await {
            Ok(view) => view,
            Err(e) => {
                if !e.is_passing() {
                    self.state.forget(&opening.name()).await?;
                }
                return Err(e.into());
            }
        };
        opening.accepted = true;
        self.state.put(&opening.name(), &opening).await?;
        self.state.remember_duty_number(view.duty_number.as_str()).await?;
        Ok((view, opening))
    }

    /// Callouts of this device that are not finished: not sent yet, or their rooms are not built. What was not sent in
    /// time is forgotten: by then the officer has called the duty number.
    pub async fn openings(&self) -> Result<Vec<Opening>, SessionError> {
        let since = clock::now() - REPEAT;
        let mut open = Vec::new();
        for opening in self.state.all::<Opening>(names::OPENING).await? {
            if opening.accepted || opening.at > since {
                open.push(opening);
            } else {
                self.forget_opening(&opening).await?;
            }
        }
        Ok(open)
    }

    /// Goes on with an unfinished callout: sends it if the server does not have it, and builds its room.
    pub async fn finish_opening(&self, opening: Opening) -> Result<RoomBuilt, SessionError> {
        let opening = if opening.accepted { opening } else { self.submit(opening).await?.1 };
        self.build_callout_room(&opening).await
    }

    /// The room stands, or is given up.
    pub async fn forget_opening(&self, opening: &Opening) -> Result<(), SessionError> {
        self.state.forget(&opening.name()).await
    }

    /// Acts on a callout.
    pub async fn act(&self, callout: CalloutId, action: Action) -> Result<CalloutView, SessionError> {
        let now = clock::now();
        let digest = Sha256::digest(to_cbor(&action));
        let short: String = digest.iter().take(8).map(|b| format!("{b:02x}")).collect();
        let name = format!("{}{callout}/{short}", names::ACTION);
        let id = match self.state.get::<Acting>(&name).await?.filter(|acting| acting.at > now - REPEAT) {
            Some(acting) => acting.id,
            None => ActionId(random()?),
        };
        self.state.put(&name, &Acting { id, at: now }).await?;
        let answer = self.api.act(callout, &ActOnCallout { id, action }).await;
        if !matches!(&answer, Err(e) if e.is_passing()) {
            self.state.forget(&name).await?;
        }
        let view = answer?;
        self.state.remember_duty_number(view.duty_number.as_str()).await?;
        Ok(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firstlight_protocol::callout::{AgeBand, Preference};

    fn routing(at: i64) -> Routing {
        Routing {
            call_back: "555-0101".parse().unwrap(),
            zone: "north".parse().unwrap(),
            site: None,
            first_contact_at: Timestamp(at),
            young_people: 1,
            age_band: AgeBand::Unknown,
            languages: Vec::new(),
            preference: Preference::Any,
            scene_safe: false,
            emergency_needed: false,
            wanted: 1,
            training: Vec::new(),
        }
    }

    #[test]
    fn the_same_command_a_moment_later_is_the_same_callout() {
        let details = CalloutDetails { address: "Entrance B".into(), ..Default::default() };
        let opening = Opening {
            open: OpenCallout { id: CalloutId([1; 16]), routing: routing(1_000), purpose: Purpose::Real },
            details: details.clone(),
            room: RoomId([2; 16]),
            message: MessageId([3; 16]),
            at: Timestamp(1_000),
            accepted: false,
        };
        assert!(
            opening.is_same(&routing(9_000), Purpose::Real, &details),
            "only the time of first contact, filled in, differs"
        );
        assert!(!opening.is_same(&Routing { wanted: 2, ..routing(1_000) }, Purpose::Real, &details));
        assert!(!opening.is_same(&routing(1_000), Purpose::Drill, &details));
        assert!(!opening.is_same(&routing(1_000), Purpose::Real, &CalloutDetails::default()));
        let unfinished = Opening { accepted: true, ..opening };
        assert!(
            unfinished.is_same(&routing(9_000), Purpose::Real, &details),
            "its room is still to be built: the command goes on with it"
        );
    }
}
