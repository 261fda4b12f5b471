//! After somebody has accepted: are they on the way, will they be there in time, was it looked back on?

use crate::step::Work;
use firstlight_protocol::callout::{Alarm, ResponderState};
use std::time::Duration;

/// How often supervisors hear of somebody who should have arrived, until there is news of them: seldom enough for somebody
/// who is there and forgot to say so.
const OVERDUE_AGAIN: Duration = Duration::from_secs(15 * 60);

impl Work<'_> {
    /// Sets or changes an ETA, and with it the two checks. An ETA past the target is a breach that can still be
    /// averted, so the supervisors hear of it now.
    pub(crate) fn set_eta(&mut self, i: usize, minutes: u16) {
        let timers = &self.ctx.policy.timers;
        let now = self.now;
        let eta = Duration::from_secs(u64::from(minutes) * 60);
        // "I am round the corner" gets a moment to say so again before anybody worries.
        let patience = Duration::from(timers.repeat_every_ms);
        let target = self.callout.opened_at + timers.target_on_scene_ms.into();
        let responder = &mut self.callout.responders[i];
        responder.eta_at = Some(now + eta);
        responder.check_arrival_at = Some(now + eta.max(patience));
        if responder.state == ResponderState::Accepted {
            responder.check_movement_at = Some(now + (eta / 2).max(patience));
        }
        let person = responder.person;
        if now + eta > target {
            // Once: whoever is late corrects it often, and the supervisors know.
            self.raise(Alarm::ProjectedBreach { person });
        }
    }

    /// Raises what is due about responders: no movement once per ETA, and a missing arrival again and again, so that
    /// nobody who accepted is ever forgotten.
    pub(crate) fn check_responders(&mut self) {
        let now = self.now;
        for i in 0..self.callout.responders.len() {
            let responder = &mut self.callout.responders[i];
            let person = responder.person;
            let still = responder.check_movement_at.take_if(|at| *at <= now).is_some();
            let late = responder.check_arrival_at.take_if(|at| *at <= now).is_some();
            if late {
                responder.check_arrival_at = Some(now + OVERDUE_AGAIN);
            }
            if still {
                self.raise_again(Alarm::NoMovement { person });
            }
            if late {
                self.raise_again(Alarm::Overdue { person });
            }
        }
    }

    /// Where nobody goes alone: somebody is there and nobody else comes, or goes on to the young person before anybody
    /// else is there.
    pub(crate) fn check_company(&mut self) {
        let alone = self.ctx.policy.never_alone.applies(self.callout.routing.scene_safe);
        if !alone || !self.callout.is_open() {
            return;
        }
        let coming = self.callout.accepted();
        let there = self.callout.count(|state| state >= ResponderState::Arrived && state.is_active());
        for i in 0..self.callout.responders.len() {
            let (person, state) = (self.callout.responders[i].person, self.callout.responders[i].state);
            match state {
                ResponderState::Arrived if coming < 2 => self.raise(Alarm::Alone { person }),
                ResponderState::WithYoungPerson if there < 2 => self.raise(Alarm::Alone { person }),
                _ => {}
            }
        }
    }

    /// A closed callout that nobody has looked back on in time.
    pub(crate) fn check_review(&mut self) {
        let now = self.now;
        if self.callout.review_due_at.take_if(|at| *at <= now).is_some() {
            self.raise(Alarm::ReviewOverdue);
        }
    }
}
