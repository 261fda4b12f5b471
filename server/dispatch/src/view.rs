//! What one person sees of a callout (DOMAIN.md, "Who uses it" and "Police see …").

use crate::{
    Actor, Callout, Context,
    callout::{Phase, Responder},
};
use firstlight_protocol::{
    PersonId,
    callout::{
        CalloutView, Event, NextAction, Outcome, PageView, RaisedAlarm, ResponderState, ResponderView, Tier,
        TimelineEntry,
    },
};

/// What a viewer is to this callout.
enum Standing<'a> {
    /// Sees every page, receipt and timer.
    Supervisor,
    /// Sees that somebody is coming, who and when; never how they were reached.
    Agency,
    /// Is asked, or takes part.
    Responder(&'a Responder),
}

/// The callout as `viewer` may see it; `None` if they may not know that it exists.
pub fn view(callout: &Callout, viewer: Actor, ctx: &Context) -> Option<CalloutView> {
    let standing = callout.standing(viewer)?;
    let own = callout.responders.iter().find(|r| r.person == viewer.person && viewer.host);
    let supervisor = matches!(standing, Standing::Supervisor);
    let agency = matches!(standing, Standing::Agency);
    // Whoever is not needed any more has no need to know more than that.
    let involved = match standing {
        Standing::Responder(r) => r.state.is_active() || (callout.is_open() && r.state != ResponderState::StoodDown),
        _ => true,
    };
    let timers = callout.timers();
    let next_action = timers.first().map(|next| NextAction { person: next.person.filter(|_| supervisor), ..*next });
    Some(CalloutView {
        id: callout.id,
        revision: callout.revision,
        reference: callout.reference(),
        purpose: callout.purpose,
        state: callout.state(),
        agency: callout.agency,
        opened_at: callout.opened_at,
        wanted: callout.wanted,
        accepted: callout.accepted(),
        acknowledged: callout.count(|state| state == ResponderState::Acknowledged),
        next_action: next_action.filter(|_| involved),
        step: None,
        responders: callout
            .responders
            .iter()
            .filter(|r| supervisor || (involved && r.state.is_active()))
            .map(|r| callout.responder_view(r, ctx, supervisor))
            .collect(),
        duty_number: ctx.policy.duty_number.clone(),
        your_state: own.map(|r| r.state),
        routing: involved.then(|| callout.routing.clone()),
        room: callout.room.filter(|_| involved),
        room_people: involved.then(|| room_people(callout, ctx)),
        possible_duplicates: if supervisor || agency { callout.duplicates.clone() } else { Vec::new() },
        merged_into: match callout.phase {
            Phase::Merged { into } => Some(into),
            _ => None,
        },
        outcome: callout
            .outcome
            .clone()
            .filter(|_| involved && !agency)
            .map(|outcome| Outcome { welfare: outcome.welfare.filter(|_| supervisor), ..outcome }),
        timeline: match (supervisor, involved) {
            (true, _) => callout.timeline.clone(),
            (false, true) => callout.common_timeline(viewer.person),
            (false, false) => Vec::new(),
        },
        pages: supervisor.then(|| callout.pages()),
        barred: if supervisor { callout.barred.clone() } else { Vec::new() },
        timers: supervisor.then_some(timers),
        agency_notices: callout.agency_statuses().filter(|_| supervisor),
        alarms: callout
            .raised
            .iter()
            .filter(|raised| supervisor || (agency && raised.alarm.reaches_police()))
            .map(|raised| RaisedAlarm { at: raised.at, alarm: raised.alarm })
            .collect(),
    })
}

/// Who belongs in the callout's room now: until it is filled everybody whom the policy may page, then those who accepted;
/// always whoever opened it, and the supervisors on duty. After a cancellation or a merge, the opener alone.
pub fn room_people(callout: &Callout, ctx: &Context) -> Vec<PersonId> {
    let state = |person| callout.position(person).map(|i| callout.responders[i].state);
    let mut people = vec![callout.opened_by];
    if !matches!(callout.phase, Phase::Cancelled | Phase::Merged { .. }) {
        people.extend(callout.responders.iter().filter(|r| r.state.is_active()).map(|r| r.person));
        people.extend(ctx.tier(Tier::Supervisor, &callout.routing).iter().map(|q| q.person));
        if callout.is_paging() {
            let said_no = |s| matches!(s, ResponderState::Declined | ResponderState::Withdrew);
            people.extend(ctx.people.iter().map(|q| q.person).filter(|p| !state(*p).is_some_and(said_no)));
        }
    }
    people.sort_unstable();
    people.dedup();
    people
}

impl Callout {
    fn standing(&self, viewer: Actor) -> Option<Standing<'_>> {
        if viewer.supervises() {
            return Some(Standing::Supervisor);
        }
        if self.is_led_by(viewer) {
            return Some(Standing::Agency);
        }
        let responder = self.responders.iter().find(|r| r.person == viewer.person && viewer.host)?;
        Some(Standing::Responder(responder))
    }

    /// The history without what only a supervisor needs: who was called, when, and who said no.
    fn common_timeline(&self, viewer: PersonId) -> Vec<TimelineEntry> {
        let accepted = |person: &PersonId| {
            self.responders
                .iter()
                .any(|r| r.person == *person && (r.state.is_active() || r.state == ResponderState::Withdrew))
        };
        self.timeline
            .iter()
            .filter(|entry| !is_internal(entry.event))
            .map(|entry| TimelineEntry {
                person: entry.person.filter(|p| *p == viewer || *p == self.opened_by || accepted(p)),
                tier: None,
                step: None,
                constraint: None,
                ..*entry
            })
            .collect()
    }

    fn responder_view(&self, r: &Responder, ctx: &Context, supervisor: bool) -> ResponderView {
        let qualified = ctx.qualified(r.person);
        let matching = qualified.filter(|_| supervisor);
        ResponderView {
            person: r.person,
            work_name: qualified.map(|q| q.work_name.clone()),
            state: r.state,
            eta_at: r.eta_at,
            tier: supervisor.then_some(r.tier),
            speaks: matching.map(|q| q.speaks(&self.routing)),
            preferred: matching.map(|q| q.preferred(&self.routing)),
            trained: None,
            serves_zone: None,
        }
    }

    fn pages(&self) -> Vec<PageView> {
        let mut pages: Vec<_> = self
            .responders
            .iter()
            .flat_map(|r| {
                r.pages.iter().map(|page| PageView {
                    id: page.id,
                    person: r.person,
                    tier: r.tier,
                    attempt: page.attempt,
                    channel: page.channel,
                    ordered_at: page.ordered_at,
                    handed_over_at: page.handed_over_at,
                    delivered_at: page.delivered_at,
                    answered_at: page.answered_at,
                    failed: page.failed,
                })
            })
            .collect();
        pages.sort_by_key(|page| page.ordered_at);
        pages
    }
}

fn is_internal(event: Event) -> bool {
    matches!(
        event,
        Event::TierPaged
            | Event::TierEmpty
            | Event::PageSent
            | Event::PageFailed
            | Event::Declined
            | Event::StoodDown
            | Event::AlarmRaised
            | Event::CalledMore
            | Event::Reviewed
    )
}
