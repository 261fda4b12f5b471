//! What must hold after every step, whatever the model says.

use firstlight_dispatch::*;
use firstlight_protocol::{
    PageId, PersonId,
    callout::{Event, ResponderState},
    profile::Bar,
    wire::{from_cbor, to_cbor},
};
use std::collections::{HashMap, HashSet};

/// What has been promised to whom so far.
#[derive(Default)]
pub(crate) struct Promises {
    page_ids: HashSet<PageId>,
    reopened: u32,
    /// Barred from this callout by a supervisor.
    barred: HashSet<PersonId>,
    /// Said no, and was not asked by name since.
    said_no: HashSet<PersonId>,
    /// Stood down, and how often the callout had been reopened by then.
    stood_down: HashMap<PersonId, u32>,
}

impl Promises {
    /// A supervisor asks these people by name.
    pub(crate) fn asked_by_name(&mut self, people: &[PersonId]) {
        for person in people {
            self.said_no.remove(person);
            self.stood_down.remove(person);
        }
    }

    /// Follows the effects in their order.
    pub(crate) fn check(&mut self, effects: &[Effect], callout: &Callout, people: &[Qualified]) {
        for effect in effects {
            match effect {
                Effect::Page { id, person, .. } => {
                    assert!(self.page_ids.insert(*id), "an idempotency key is used once");
                    assert!(callout.is_open(), "nobody is paged for a callout that is over");
                    assert!(people.iter().any(|q| q.person == *person), "only qualified people are paged");
                    let conflict = people.iter().any(|q| q.person == *person && is_barred(q, callout));
                    assert!(!conflict && !self.barred.contains(person), "nobody is paged who is barred");
                    assert!(!self.said_no.contains(person), "nobody is paged after they said no");
                    let reopened = self.stood_down.get(person).is_none_or(|then| self.reopened > *then);
                    assert!(reopened, "nobody is paged after they were stood down");
                }
                Effect::StandDown { person } => {
                    self.stood_down.insert(*person, self.reopened);
                }
                Effect::Record { event: Event::Barred, person: Some(person), .. } => {
                    self.barred.insert(*person);
                }
                Effect::Record { event: Event::Reopened, .. } => self.reopened += 1,
                Effect::Record { event: Event::Declined | Event::Withdrew, person: Some(person), .. } => {
                    self.said_no.insert(*person);
                }
                Effect::Record { event: Event::Accepted, person: Some(person), .. } => {
                    self.asked_by_name(&[*person]);
                }
                _ => {}
            }
        }
    }
}

/// Whether one of somebody's own bars keeps them from this callout.
fn is_barred(who: &Qualified, callout: &Callout) -> bool {
    let routing = callout.routing();
    let fits = |bar: &Bar| bar.fits(callout.agency(), callout.opened_by(), &routing.zone, routing.site.as_ref());
    who.bars.iter().any(fits)
}

/// A step from `before` (if there was a before) to `after`.
pub(crate) fn check_step(before: Option<&Callout>, after: &Callout, effects: &[Effect]) {
    match before {
        Some(before) if before == after => {
            assert!(effects.iter().all(|e| matches!(e, Effect::WakeAt(_))), "no change, no effects: {effects:?}");
        }
        _ => assert_eq!(after.revision(), before.map_or(0, Callout::revision) + 1, "one change, one revision"),
    }
    assert!(after.accepted() <= after.wanted(), "never more than wanted");
    if let Some(Effect::WakeAt(at)) = effects.last() {
        assert_eq!(*at, after.next_wake());
    }
    if after.is_open() && after.accepted() < after.wanted() {
        assert!(after.next_wake().is_some(), "never silent");
    }
}

/// What each kind of viewer may see.
pub(crate) fn check_views(callout: &Callout, viewers: &[Actor], ctx: &Context) {
    let state: HashMap<PersonId, ResponderState> = callout.responders().collect();
    let room = room_people(callout, ctx);
    let conflict = |person: &PersonId| ctx.people.iter().any(|q| q.person == *person && is_barred(q, callout));
    assert!(!room.iter().any(conflict), "nobody is in the room who is barred");
    for viewer in viewers {
        let Some(v) = view(callout, *viewer, ctx) else {
            let called = viewer.host && state.contains_key(&viewer.person);
            assert!(!called && !viewer.supervises() && viewer.person != callout.opened_by());
            continue;
        };
        assert_eq!((v.state, v.revision), (callout.state(), callout.revision()));
        if viewer.supervises() {
            assert!(v.pages.is_some() && v.timers.is_some());
            assert_eq!(v.responders.len(), state.len());
            continue;
        }
        assert!(v.pages.is_none() && v.timers.is_none(), "how people are reached is the supervisors' affair");
        assert!(v.responders.iter().all(|r| r.state.is_active() && r.tier.is_none()));
        assert!(v.next_action.is_none_or(|next| next.person.is_none()));
        if viewer.host {
            let own = state[&viewer.person];
            assert_eq!(v.your_state, Some(own));
            if own == ResponderState::StoodDown {
                assert!(v.routing.is_none() && v.room.is_none() && v.responders.is_empty());
            }
        } else {
            assert!(viewer.org == callout.agency() && v.outcome.is_none());
            assert!(!callout.is_paging() || v.next_action.is_some(), "the officer sees what happens next");
        }
    }
}

/// What is stored comes back.
pub(crate) fn check_stored(callout: &Callout) {
    assert_eq!(&from_cbor::<Callout>(&to_cbor(callout)).expect("decodes"), callout);
}
