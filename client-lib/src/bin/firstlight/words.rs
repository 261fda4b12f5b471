//! The codes of callouts in the words of the field (DOMAIN.md, "Words").

use firstlight_protocol::{
    PersonId,
    agency::AgencyNoticeView,
    attention::Attention,
    callout::{AgeBand, Alarm, CalloutState, Event, NextStep, Purpose, ResponderState, Tier},
};

/// How much data: "3.2 MiB".
pub(crate) fn bytes(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// Where a callout stands.
pub(crate) fn state(state: CalloutState) -> &'static str {
    match state {
        CalloutState::Submitted => "submitted",
        CalloutState::Paging => "paging: nobody has answered yet",
        CalloutState::Acknowledged => "acknowledged: somebody is awake, nobody is going yet",
        CalloutState::Accepted => "accepted: somebody is going",
        CalloutState::EnRoute => "en route",
        CalloutState::Arrived => "arrived",
        CalloutState::WithYoungPerson => "with the young person",
        CalloutState::HandedOver => "handed over",
        CalloutState::Closed => "closed, not reviewed yet",
        CalloutState::Reviewed => "closed and reviewed",
        CalloutState::Cancelled => "cancelled",
        CalloutState::Unanswered => "UNANSWERED: everyone was called, nobody has accepted",
        CalloutState::Merged => "merged into another callout",
    }
}

/// What stands loudly in front of everything that is not real.
pub(crate) fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Real => "",
        Purpose::Drill => "DRILL: ",
        Purpose::Canary => "CANARY: ",
    }
}

/// Where a responder stands.
pub(crate) fn responder(state: ResponderState) -> &'static str {
    match state {
        ResponderState::Paged => "called",
        ResponderState::Acknowledged => "awake",
        ResponderState::Accepted => "going",
        ResponderState::EnRoute => "en route",
        ResponderState::Arrived => "arrived",
        ResponderState::WithYoungPerson => "with the young person",
        ResponderState::HandedOver => "handed over",
        ResponderState::Declined => "can't go",
        ResponderState::Withdrew => "can't go after all",
        ResponderState::StoodDown => "stood down",
    }
}

/// What happens next by itself.
pub(crate) fn next(step: NextStep) -> &'static str {
    match step {
        NextStep::PageBackup => "the backups are called",
        NextStep::PageSupervisor => "the supervisors are called",
        NextStep::PageEveryone => "everyone qualified is called",
        NextStep::PagePrimary => "the primaries are called",
        NextStep::PagePerson => "somebody whom the policy names is called",
        NextStep::TellOutside => "somebody outside is told",
        NextStep::Relax => "those are called who were held back for a better match",
        NextStep::CallAgain => "who has not answered is called again",
        NextStep::CallEveryoneAgain => "everyone is called again",
        NextStep::CheckMovement => "the supervisor hears if nobody is on the way",
        NextStep::CheckArrival => "the supervisor hears if nobody has arrived",
        NextStep::CheckReview => "the supervisor hears if it is not reviewed",
    }
}

/// A tier.
pub(crate) fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Primary => "primary",
        Tier::Backup => "backup",
        Tier::Supervisor => "supervisor",
        Tier::Everyone => "everyone",
        Tier::Named => "named",
    }
}

/// An age band.
pub(crate) fn age_band(band: AgeBand) -> &'static str {
    match band {
        AgeBand::Unknown => "age not known",
        AgeBand::Under12 => "under 12",
        AgeBand::Early => "12 to 14",
        AgeBand::Late => "15 to 17",
        AgeBand::Adult => "18 and over",
        AgeBand::Mixed => "several ages",
    }
}

/// What happened.
pub(crate) fn event(event: Event) -> &'static str {
    match event {
        Event::Opened => "opened",
        Event::DuplicateOffered => "looks like another callout; merging offered",
        Event::TierPaged => "tier called",
        Event::TierEmpty => "nobody on duty in this tier",
        Event::PersonPaged => "called, as the policy names them",
        Event::OutsideTold => "somebody outside was told",
        Event::Relaxed => "a wish about the responder was relaxed",
        Event::Barred => "barred from this callout",
        Event::PageSent => "called",
        Event::PageFailed => "could not be reached that way",
        Event::Acknowledged => "is awake",
        Event::Accepted => "is going",
        Event::Filled => "enough responders",
        Event::Declined => "can't go",
        Event::Withdrew => "can't go after all",
        Event::EtaChanged => "new ETA",
        Event::EnRoute => "en route",
        Event::Arrived => "arrived",
        Event::WithYoungPerson => "with the young person",
        Event::HandedOver => "handed over",
        Event::StoodDown => "stood down",
        Event::Reopened => "calling again",
        Event::CalledMore => "more responders asked for",
        Event::Unanswered => "everyone was called, nobody has accepted",
        Event::AlarmRaised => "alarm",
        Event::RoomLinked => "room built",
        Event::Closed => "closed",
        Event::Reviewed => "reviewed",
        Event::Cancelled => "cancelled",
        Event::Merged => "merged into another callout",
    }
}

/// What a supervisor has to look at, in a sentence.
pub(crate) fn attention(about: Attention, name: impl Fn(PersonId) -> String) -> String {
    match about {
        Attention::ContactBlocked { person, .. } => {
            format!("{} has blocked our number: no SMS reaches them until they send START", name(person))
        }
        Attention::ContactInvalid { person, .. } => {
            format!("a number or address of {} does not exist: nothing by it reaches them", name(person))
        }
        Attention::CodesTried {} => {
            "too many wrong codes on the duty number: for now it takes codes only from numbers that opened before"
                .into()
        }
        Attention::PinsTried { person } => {
            format!("too many wrong PINs for {}: for an hour no telephone call takes their answer", name(person))
        }
        Attention::CoverageGap { tier, from, more, .. } => {
            let others = if more > 0 { format!(", and {more} more gaps") } else { String::new() };
            format!("nobody will be on duty as {} from {from}{others}: \"firstlight rota gaps\"", self::tier(tier))
        }
        Attention::LineUnusable { line } => {
            format!("line {} opens nothing: its zone or site is not in the policy", line.short())
        }
        Attention::CallerUnreached { callout } => {
            format!("callout {}: a text message to the officer did not arrive; call them back", callout.short())
        }
        Attention::LineExhausted { line } => {
            format!("line {} has used up its callouts of 24 hours, and somebody was turned away", line.short())
        }
    }
}

/// An alarm; `name` finds a person's work name.
pub(crate) fn alarm(alarm: Alarm, name: impl Fn(PersonId) -> String) -> String {
    match alarm {
        Alarm::Unanswered => "Nobody yet: call the duty number.".into(),
        Alarm::Unfilled { missing } => format!("{missing} more responders are wanted, and everyone was called."),
        Alarm::EmptyTier { tier: t } => format!("Nobody is on duty in the tier {}.", tier(t)),
        Alarm::NoLanguageMatch { tier: t } => format!("Nobody called in the tier {} speaks the language.", tier(t)),
        Alarm::Unreachable { person } => format!("{} could not be reached on any channel.", name(person)),
        Alarm::ProjectedBreach { person } => format!("{} expects to arrive later than the target.", name(person)),
        Alarm::NoMovement { person } => format!("{} is not on the way, and half of the ETA is over.", name(person)),
        Alarm::Overdue { person } => format!("{} should have arrived by now.", name(person)),
        Alarm::ContactBroken { person, reason } => {
            format!("A contact method of {} does not work ({reason}): reach them another way.", name(person))
        }
        Alarm::Alone { person } => format!("{} is there alone, and nobody should be.", name(person)),
        Alarm::AgencySilent { agency } => {
            format!("Another agency was notified and does not answer: {agency}. Call them.")
        }
        Alarm::ReviewOverdue => "It is not reviewed yet.".into(),
        Alarm::Stalled => "It stood still and was set going again: look after it.".into(),
    }
}

/// Another agency's notice of a callout, as its people read it.
pub(crate) fn agency_notice(view: &AgencyNoticeView) -> String {
    let what = if view.drill { purpose(Purpose::Drill) } else { "" };
    let reference = &view.reference;
    match (view.called_off, view.acknowledged_by) {
        (true, _) => format!("{what}notice {reference} (zone {}): called off", view.zone),
        (false, Some(_)) => format!("{what}notice {reference} (zone {}): acknowledged", view.zone),
        (false, None) => {
            let how = format!("firstlight agencies acknowledge {reference}");
            format!("{what}NOTICE of a callout in zone {}, reference {reference}: {how}", view.zone)
        }
    }
}
