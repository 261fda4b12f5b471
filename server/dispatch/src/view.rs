//! What one person sees of a callout (DOMAIN.md, "Who uses it" and "Police see …").

use crate::{
    Actor, Callout, Context,
    callout::{Phase, Responder},
};
use firstlight_protocol::{
    PersonId,
    callout::{
        CalloutView, Constraint, Event, NextAction, Outcome, PageView, Purpose, RaisedAlarm, ResponderState,
        ResponderView, StepView, Tier, TimelineEntry,
    },
};
use std::collections::{BTreeSet, HashSet};

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
        Standing::Responder(r) if callout.is_barred(r.person, ctx) => false,
        Standing::Responder(r) => r.state.is_active() || (callout.is_open() && r.state != ResponderState::StoodDown),
        _ => true,
    };
    let timers = callout.timers(ctx.policy);
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
        step: if supervisor { callout.step_view(ctx) } else { None },
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
        barred: if supervisor { callout.all_barred(ctx) } else { Vec::new() },
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
    let mut people = BTreeSet::new();
    if !matches!(callout.phase, Phase::Cancelled | Phase::Merged { .. }) {
        let said_no = |s| matches!(s, ResponderState::Declined | ResponderState::Withdrew);
        let gone: HashSet<PersonId> =
            callout.responders.iter().filter(|r| said_no(r.state)).map(|r| r.person).collect();
        let on_duty = ctx.on_duty_in(Tier::Supervisor, &callout.routing);
        let paging = callout.is_paging();
        people.extend(callout.responders.iter().filter(|r| r.state.is_active()).map(|r| r.person));
        for qualified in ctx.people {
            let person = qualified.person;
            if callout.bars(qualified) {
                people.remove(&person);
            } else if on_duty.contains(&person) || (paging && !gone.contains(&person)) {
                people.insert(person);
            }
        }
        people.retain(|person| !callout.barred.contains(person));
    }
    people.insert(callout.opened_by);
    people.into_iter().collect()
}

impl Callout {
    fn standing(&self, viewer: Actor) -> Option<Standing<'_>> {
        // The server's own, and nobody else's: what comes of it shows in the server's health.
        if self.purpose == Purpose::Canary && viewer.person != self.opened_by {
            return None;
        }
        if viewer.supervises() {
            return Some(Standing::Supervisor);
        }
        if self.is_led_by(viewer) {
            return Some(Standing::Agency);
        }
        let responder = self.responders.iter().find(|r| r.person == viewer.person && viewer.host)?;
        Some(Standing::Responder(responder))
    }

    /// Where the escalation stands: "step 2 of 4".
    fn step_view(&self, ctx: &Context) -> Option<StepView> {
        let escalation = ctx.policy.escalation_of(&self.routing.zone);
        let of = u8::try_from(escalation.steps.len()).unwrap_or(u8::MAX);
        let number = u8::try_from(self.climb.step() + 1).unwrap_or(u8::MAX).min(of);
        let round = self.climb.walk.saturating_add(1);
        self.is_paging().then_some(StepView { number, of, round, rounds: escalation.rounds })
    }

    fn all_barred(&self, ctx: &Context) -> Vec<PersonId> {
        let mut barred: BTreeSet<_> = self.barred.iter().copied().collect();
        barred.extend(ctx.people.iter().filter(|q| self.bars(q)).map(|q| q.person));
        barred.into_iter().collect()
    }

    /// The history without what only a supervisor needs: who was called, when, and who said no.
    fn common_timeline(&self, viewer: PersonId) -> Vec<TimelineEntry> {
        let came = |r: &&Responder| r.state.is_active() || r.state == ResponderState::Withdrew;
        let accepted: HashSet<PersonId> = self.responders.iter().filter(came).map(|r| r.person).collect();
        self.timeline
            .iter()
            .filter(|entry| !is_internal(entry.event))
            .map(|entry| TimelineEntry {
                person: entry.person.filter(|p| *p == viewer || *p == self.opened_by || accepted.contains(p)),
                tier: None,
                step: None,
                constraint: None,
                alarm: None,
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
            preferred: matching.map(|q| q.meets(Constraint::Preference, &self.routing)),
            trained: matching.map(|q| q.meets(Constraint::Training, &self.routing)),
            serves_zone: matching.map(|q| q.meets(Constraint::Zone, &self.routing)),
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
            | Event::PersonPaged
            | Event::OutsideTold
            | Event::Relaxed
            | Event::Barred
            | Event::PageSent
            | Event::PageFailed
            | Event::Declined
            | Event::StoodDown
            | Event::AlarmRaised
            | Event::CalledMore
            | Event::Reviewed
    )
}
