//! What remains of a callout for the after-action record and the figures: first times, how it ended, nothing about the
//! pages in between.

use crate::{Actor, Callout, Context, PageOutcome, callout::Phase};
use firstlight_protocol::{
    CalloutId, PersonId, Timestamp,
    callout::{Alarm, Event, Outcome, Receipt, ResponderState},
    policy::{Channel, Millis},
    record::{CalloutTimes, ResponderTimes},
};
use std::time::Duration;

/// The facts of one callout, as its state tells them now.
///
/// A callout's history is bounded: after some hundred lines it forgets the oldest but the first. So whoever keeps facts
/// keeps the times that were known before, and takes over only those that are new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// When each thing happened for the first time.
    pub times: CalloutTimes,
    /// Whether everyone had been called and nobody had accepted.
    pub unanswered: bool,
    /// Whether one of those who are going, or there, speaks one of the languages; absent if none was named or nobody is.
    pub language_match: Option<bool>,
    /// The target on scene.
    pub target: Millis,
    /// When a review is due.
    pub review_due_at: Option<Timestamp>,
    /// How it was closed and reviewed.
    pub outcome: Option<Outcome>,
    /// The callout that goes on for it.
    pub merged_into: Option<CalloutId>,
}

/// The facts of a callout.
pub fn facts(callout: &Callout, ctx: &Context) -> Facts {
    let first =
        |events: &[Event]| callout.timeline.iter().find(|line| events.contains(&line.event)).map(|line| line.at);
    let paged = callout.responders.iter().flat_map(|r| &r.pages).map(|page| page.ordered_at).min();
    let active = || callout.responders.iter().filter(|r| r.state.is_active());
    let speaks = || active().any(|r| ctx.qualified(r.person).is_some_and(|q| q.speaks(&callout.routing)));
    let timers = &ctx.policy.timers;
    let closed_at = callout.outcome.as_ref().map(|outcome| outcome.closed_at);
    Facts {
        times: CalloutTimes {
            first_contact_at: callout.routing.first_contact_at,
            opened_at: callout.opened_at,
            first_page_at: first(&[Event::TierPaged]).into_iter().chain(paged).min(),
            acknowledged_at: first(&[Event::Acknowledged, Event::Accepted]),
            accepted_at: first(&[Event::Accepted]),
            en_route_at: first(&[Event::EnRoute]),
            arrived_at: first(&[Event::Arrived, Event::WithYoungPerson]),
            with_young_person_at: first(&[Event::WithYoungPerson]),
            handed_over_at: first(&[Event::HandedOver]),
            ended_at: first(&[Event::Closed, Event::Cancelled, Event::Merged]),
            reviewed_at: callout.outcome.as_ref().and_then(|outcome| outcome.reviewed_at),
        },
        unanswered: first(&[Event::Unanswered]).is_some()
            || callout.raised.iter().any(|raised| raised.alarm == Alarm::Unanswered),
        language_match: (!callout.routing.languages.is_empty() && active().next().is_some()).then(speaks),
        target: timers.target_on_scene_ms,
        review_due_at: closed_at.map(|at| at + timers.review_within_ms.into()),
        outcome: callout.outcome.clone(),
        merged_into: match callout.phase {
            Phase::Merged { into } => Some(into),
            _ => None,
        },
    }
}

/// Everybody's part in a callout, as `viewer` may see it in the after-action record: supervisors everybody who was
/// called, responders who took part those who accepted. `None` for everybody else.
pub fn parts(callout: &Callout, viewer: Actor, ctx: &Context) -> Option<Vec<ResponderTimes>> {
    let took_part = |person: PersonId| {
        let accepted = |line: &firstlight_protocol::callout::TimelineEntry| {
            line.event == Event::Accepted && line.person == Some(person)
        };
        let state = callout.position(person).map(|i| callout.responders[i].state);
        state.is_some_and(|state| state.is_active() || state == ResponderState::Withdrew)
            || callout.timeline.iter().any(accepted)
    };
    let supervisor = viewer.supervises();
    if !(supervisor || (viewer.host && took_part(viewer.person))) {
        return None;
    }
    let shown = callout.responders.iter().filter(|r| supervisor || took_part(r.person));
    Some(
        shown
            .map(|r| {
                let mut part = ResponderTimes::new(r.person, r.state);
                part.work_name = ctx.qualified(r.person).map(|q| q.work_name.clone());
                for line in callout.timeline.iter().filter(|line| line.person == Some(r.person)) {
                    let time = match line.event {
                        Event::Acknowledged => &mut part.acknowledged_at,
                        Event::Accepted => &mut part.accepted_at,
                        Event::EnRoute => &mut part.en_route_at,
                        Event::Arrived => &mut part.arrived_at,
                        Event::WithYoungPerson => &mut part.with_young_person_at,
                        Event::HandedOver => &mut part.handed_over_at,
                        Event::Declined | Event::Withdrew => &mut part.declined_at,
                        Event::StoodDown => &mut part.stood_down_at,
                        _ => continue,
                    };
                    *time = Some(line.at);
                }
                part
            })
            .collect(),
    )
}

/// One page that has come further, or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageNews {
    /// How it went.
    pub channel: Channel,
    /// How long after it was ordered.
    pub after: Duration,
    /// What became of it.
    pub outcome: PageOutcome,
}

/// What has become of pages between two states of a callout.
pub fn page_news<'a>(before: Option<&'a Callout>, after: &'a Callout) -> impl Iterator<Item = PageNews> + 'a {
    let pages = after.responders.iter().enumerate().flat_map(|(i, r)| r.pages.iter().map(move |page| (i, page)));
    pages.flat_map(move |(i, page)| {
        // Responders are only ever added at the end.
        let same = before.and_then(|before| before.responders.get(i)?.pages.iter().rfind(|old| old.id == page.id));
        let news = |at: Option<Timestamp>, known: Option<Timestamp>, outcome| {
            let at = at.filter(|_| known.is_none())?;
            Some(PageNews { channel: page.channel, after: at.since(page.ordered_at), outcome })
        };
        let failed = page.failed.filter(|_| same.is_none_or(|old| old.failed.is_none()));
        [
            news(
                page.handed_over_at,
                same.and_then(|old| old.handed_over_at),
                PageOutcome::Reached(Receipt::HandedOver),
            ),
            news(page.delivered_at, same.and_then(|old| old.delivered_at), PageOutcome::Reached(Receipt::Delivered)),
            failed.map(|reason| PageNews {
                channel: page.channel,
                after: after.updated_at.since(page.ordered_at),
                outcome: PageOutcome::Failed(reason),
            }),
        ]
        .into_iter()
        .flatten()
    })
}
