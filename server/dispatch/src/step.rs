//! The two ways in: opening a callout, and everything that happens to it afterwards.

use crate::{
    Actor, Audience, CallerNews, Callout, Context, Effect, Input, Notice, Open, Refused,
    callout::{Climb, Done, MAX_ACTIONS, MAX_RAISED, MAX_TIMELINE, Phase, Raised},
    key::{action_digest, caller_id},
};
use firstlight_protocol::{
    PageId, PersonId, Role, Timestamp,
    callout::{Alarm, Constraint, Event, Routing, Tier, TimelineEntry},
    policy::Escalation,
};

/// The most likely duplicates that are offered.
const MAX_DUPLICATES: usize = 10;

/// Opens a callout and calls the first people.
///
/// The runner looks first whether the id exists: if so, [`Callout::is_retried_by`] tells a retry from a conflict.
///
/// # Errors
/// [`Refused::Forbidden`] for whoever is neither a police officer, a watch commander nor a supervisor of the host;
/// [`Refused::Invalid`] for a field out of bounds or a place that the organisation doesn't know.
pub fn open(open: Open, ctx: &Context, now: Timestamp) -> Result<(Callout, Vec<Effect>), Refused> {
    let Open { id, by, routing, purpose, caller } = open;
    if !(matches!(by.role, Role::PoliceOfficer | Role::WatchCommander) || by.supervises()) {
        return Err(Refused::Forbidden);
    }
    routing.validate(now)?;
    if !ctx.policy.knows_place(&routing.zone, routing.site.as_ref()) {
        return Err(Refused::invalid("zone, site: a registered one."));
    }
    let duplicates: Vec<_> = ctx
        .recent
        .iter()
        .filter(|other| {
            other.id != id
                && other.purpose == purpose
                && other.agency == by.org
                && (&other.zone, &other.site) == (&routing.zone, &routing.site)
                && now.since(other.opened_at) <= ctx.policy.timers.duplicate_window_ms.into()
        })
        .map(|other| other.id)
        .take(MAX_DUPLICATES)
        .collect();
    let callout = Callout {
        id,
        opened_by: by.person,
        agency: by.org,
        wanted: at_least(ctx, &routing, routing.wanted),
        routing,
        purpose,
        caller,
        barred: Vec::new(),
        opened_at: now,
        updated_at: now,
        revision: 0,
        phase: Phase::Open,
        climb: Climb::new(),
        responders: Vec::new(),
        room: None,
        duplicates,
        outcome: None,
        review_due_at: None,
        raised: Vec::new(),
        timeline: Vec::new(),
        actions: Vec::new(),
        agencies: Vec::new(),
        told: 0,
    };
    let escalation = ctx.policy.escalation_of(&callout.routing.zone);
    let escalation = &*escalation;
    let mut work = Work { callout, ctx, escalation, now, by: Some(by.person), effects: Vec::new() };
    work.record(Event::Opened, Some(by.person), None);
    work.begin_round();
    work.tell_caller(CallerNews::Paging);
    if !work.callout.duplicates.is_empty() {
        work.record(Event::DuplicateOffered, None, None);
        work.notify(Audience::Agency, Notice::PossibleDuplicate);
    }
    work.notify_agencies();
    work.settle();
    Ok(work.finish())
}

/// What happens next to a callout. An input that changes nothing gives the same callout back: an action that was done
/// already without any effects, anything else with its `WakeAt` alone.
///
/// # Errors
/// A [`Refused`] says why; nothing has changed then.
pub fn step(callout: &Callout, input: Input, ctx: &Context, now: Timestamp) -> Result<(Callout, Vec<Effect>), Refused> {
    let now = now.max(callout.updated_at);
    let escalation = ctx.policy.escalation_of(&callout.routing.zone);
    let escalation = &*escalation;
    let mut work = Work { callout: callout.clone(), ctx, escalation, now, by: None, effects: Vec::new() };
    match input {
        Input::Act { by, id, action } => {
            let digest = action_digest(by.person, id, &action);
            if let Some(done) = callout.actions.iter().find(|done| done.id == id) {
                return if done.digest == digest { Ok((work.callout, Vec::new())) } else { Err(Refused::Conflict) };
            }
            action.validate()?;
            work.by = Some(by.person);
            work.act(by, action)?;
            push_bounded(&mut work.callout.actions, Done { id, digest }, MAX_ACTIONS, 0);
            work.by = None;
        }
        Input::Timer => {}
        Input::Receipts(receipts) => receipts.into_iter().for_each(|receipt| work.receipt(receipt)),
        Input::NoticeAcknowledged { by } => work.acknowledge_notice(by)?,
        Input::RoomLinked { room } => work.link_room(room)?,
    }
    work.settle();
    if work.callout == *callout {
        let wake = Effect::WakeAt(work.callout.next_wake());
        return Ok((work.callout, vec![wake]));
    }
    Ok(work.finish())
}

/// One step in the making.
pub(crate) struct Work<'a> {
    pub(crate) callout: Callout,
    pub(crate) ctx: &'a Context<'a>,
    /// That of the callout's zone, as the policy has it now.
    pub(crate) escalation: &'a Escalation,
    pub(crate) now: Timestamp,
    /// Who acts; `None` when the engine does.
    pub(crate) by: Option<PersonId>,
    pub(crate) effects: Vec<Effect>,
}

impl Work<'_> {
    fn finish(mut self) -> (Callout, Vec<Effect>) {
        self.callout.revision += 1;
        self.callout.updated_at = self.now;
        self.effects.push(Effect::WakeAt(self.callout.next_wake()));
        (self.callout, self.effects)
    }

    /// Does everything that is due, until nothing is.
    fn settle(&mut self) {
        self.call_who_is_due();
        self.climb_while_due();
        self.check_responders();
        self.check_company();
        self.check_review();
        self.remind_agencies();
    }

    fn link_room(&mut self, room: firstlight_protocol::RoomId) -> Result<(), Refused> {
        match self.callout.room {
            Some(linked) if linked == room => Ok(()),
            Some(_) => Err(Refused::Conflict),
            None => {
                self.callout.room = Some(room);
                self.record(Event::RoomLinked, None, None);
                Ok(())
            }
        }
    }

    /// Into the audit trail and the callout's own history.
    pub(crate) fn record(&mut self, event: Event, person: Option<PersonId>, tier: Option<Tier>) {
        self.record_step(event, None, person, tier, None);
    }

    /// The same for what concerns a step of the escalation, from 0.
    pub(crate) fn record_step(
        &mut self,
        event: Event,
        step: Option<usize>,
        person: Option<PersonId>,
        tier: Option<Tier>,
        constraint: Option<Constraint>,
    ) {
        let step = step.and_then(|step| u8::try_from(step + 1).ok());
        let entry = TimelineEntry { at: self.now, event, person, tier, step, constraint, alarm: None };
        push_bounded(&mut self.callout.timeline, entry, MAX_TIMELINE, 1);
        self.effects.push(Effect::Record { event, by: self.by, person, tier, page: None, step, constraint });
    }

    /// Into the audit trail alone: pages are too many for the history, and every responder keeps their own.
    pub(crate) fn record_page(&mut self, event: Event, person: PersonId, tier: Tier, page: PageId) {
        let (person, tier, page) = (Some(person), Some(tier), Some(page));
        self.effects.push(Effect::Record { event, by: self.by, person, tier, page, step: None, constraint: None });
    }

    pub(crate) fn notify(&mut self, to: Audience, notice: Notice) {
        self.effects.push(Effect::Notify { to, notice });
    }

    /// Tells the officer without an app, if that is who opened it.
    pub(crate) fn tell_caller(&mut self, what: CallerNews) {
        if self.callout.caller.is_some() {
            self.callout.told += 1;
            let id = caller_id(self.callout.id, self.callout.told);
            self.effects.push(Effect::TellCaller { id, what });
        }
    }

    pub(crate) fn has_raised(&self, alarm: Alarm) -> bool {
        let round = self.callout.climb.round;
        self.callout.raised.iter().any(|r| r.alarm == alarm && r.round == round)
    }

    /// Raises an alarm, once per cause and round.
    pub(crate) fn raise(&mut self, alarm: Alarm) {
        if !self.has_raised(alarm) {
            self.raise_again(alarm);
        }
    }

    /// Raises an alarm whether or not it was raised before: its cause is another one each time.
    pub(crate) fn raise_again(&mut self, alarm: Alarm) {
        let round = self.callout.climb.round;
        self.callout.raised.retain(|raised| raised.alarm != alarm);
        push_bounded(&mut self.callout.raised, Raised { alarm, round, at: self.now }, MAX_RAISED, 0);
        let person = match alarm {
            Alarm::Unreachable { person }
            | Alarm::ProjectedBreach { person }
            | Alarm::NoMovement { person }
            | Alarm::ContactBroken { person, .. }
            | Alarm::Alone { person }
            | Alarm::Overdue { person } => Some(person),
            _ => None,
        };
        let tier = match alarm {
            Alarm::EmptyTier { tier } | Alarm::NoLanguageMatch { tier } => Some(tier),
            _ => None,
        };
        self.record(Event::AlarmRaised, person, tier);
        if let Some(entry) = self.callout.timeline.last_mut() {
            entry.alarm = Some(alarm);
        }
        self.effects.push(Effect::Alarm { alarm });
    }
}

impl Callout {
    /// Whoever opened it, and the watch commanders of their agency.
    pub(crate) fn is_led_by(&self, actor: Actor) -> bool {
        actor.org == self.agency && (actor.person == self.opened_by || actor.role == Role::WatchCommander)
    }
}

/// How many are wanted, if nobody goes alone where the policy says so.
pub(crate) fn at_least(ctx: &Context, routing: &Routing, wanted: u8) -> u8 {
    if ctx.policy.never_alone.applies(routing.scene_safe) { wanted.max(2) } else { wanted }
}

/// Appends; when full, the oldest entry after the first `keep` makes room.
fn push_bounded<T>(list: &mut Vec<T>, item: T, max: usize, keep: usize) {
    if list.len() >= max {
        list.remove(keep);
    }
    list.push(item);
}
