//! Carries out what the engine decided, inside the transaction of its step.
//!
//! **In-app pages** are handed over by the commit itself: the page lies in the inbox of every live device of the person,
//! and the sockets of those that are connected are woken by the same commit. With at least one device connected its
//! receipt is "handed over", in the same step; with none it has failed ("not connected"), and the next channel is used
//! in the same step too. A device that connects later still finds the page. "Delivered" is for the device to say.

use super::{
    alarms,
    outbox::{Destination, Ordered},
    step::Cause,
    views::Watcher,
    world::World,
};
use crate::{Result, store::Tx};
use firstlight_dispatch::{Audience, CallerNews, Callout, Effect, Notice as Attention, PageOutcome, PageReceipt};
use firstlight_protocol::{
    CalloutId, ContactId, DeviceId, PageId, PersonId, Role, Timestamp,
    api::{MessageKind, Notice},
    callout::{Alarm, Event, FailReason, Purpose, Receipt},
};
use sha2::{Digest, Sha256};

impl Tx<'_> {
    /// Carries out a step's effects, all but its timer. Answers what became of pages at once.
    pub(super) async fn carry_out(
        &mut self,
        world: &World,
        agency: &[Watcher],
        callout: &Callout,
        effects: Vec<Effect>,
        cause: Cause,
    ) -> Result<Vec<PageReceipt>> {
        let Cause { device, now } = cause;
        let raised = effects.iter().any(|e| matches!(e, Effect::Alarm { alarm } if is_unanswered(*alarm)));
        let mut receipts = Vec::new();
        for effect in effects {
            match effect {
                Effect::Page { id, attempt, .. } if callout.purpose() == Purpose::Canary => {
                    self.order_page(&Ordered::page(callout, id, None, Destination::Loopback, attempt), now).await?;
                }
                Effect::Page { id, person, attempt, channel, .. } => {
                    let contact = channel.contact();
                    let to = contact.map_or(Destination::App, Destination::Contact);
                    self.order_page(&Ordered::page(callout, id, Some(person), to, attempt), now).await?;
                    if contact.is_none() {
                        let notice =
                            Notice::Page { page: id, callout: callout.id(), attempt, purpose: callout.purpose() };
                        let outcome = self.page_in_app(world.devices(person), now, &notice).await?;
                        receipts.push(PageReceipt { page: id, outcome });
                    }
                }
                Effect::Agency { agency, what } => {
                    receipts.extend(self.carry_out_for_agency(world, callout, agency, what, cause).await?);
                }
                Effect::StandDown { .. } if callout.purpose() == Purpose::Canary => {}
                Effect::StandDown { person } => self.stand_down(world, callout, person, now).await?,
                Effect::Alarm { alarm } => {
                    self.raise(world, agency, callout, alarm, alarm.reaches_police(), now).await?;
                }
                // Told again with every slow round; the first time it comes with its alarm.
                Effect::Notify { to, notice: Attention::NobodyYet } if !raised => {
                    let alarm = match callout.wanted().saturating_sub(callout.accepted()) {
                        missing if callout.accepted() > 0 => Alarm::Unfilled { missing },
                        _ => Alarm::Unanswered,
                    };
                    match to {
                        Audience::Agency => self.tell(agency, callout.id(), alarm, now).await?,
                        Audience::Supervisors => self.raise(world, &[], callout, alarm, false, now).await?,
                    }
                }
                // The new view, which goes to the same people in the same step, says it.
                Effect::Notify { .. } => {}
                Effect::Outside { id, code } => {
                    self.order_page(&Ordered::page(callout, id, None, Destination::Outside(code), 1), now).await?;
                }
                Effect::TellCaller { id, what } => {
                    if let Some(number) = callout.caller() {
                        let (kind, arg) = caller_news(what);
                        let to = Destination::Phone(number.clone());
                        let ordered = Ordered { kind, arg, ..Ordered::page(callout, id, None, to, 1) };
                        self.order_page(&ordered, now).await?;
                    }
                }
                // The trail tells of people's callouts: it would be the canary's alone.
                Effect::Record { .. } if callout.purpose() == Purpose::Canary => {}
                Effect::Record { event, by, person, tier, page, step, constraint } => {
                    let ids = [
                        by.map(|id| format!("by={id}")),
                        person.map(|id| format!("person={id}")),
                        tier.map(|tier| format!("tier={tier}")),
                        page.map(|id| format!("page={id}")),
                        step.map(|step| format!("step={step}")),
                        constraint.map(|constraint| format!("constraint={constraint}")),
                    ];
                    let detail = ids.into_iter().flatten().collect::<Vec<_>>().join(" ");
                    self.audit(now, by.and(device), action(event), callout.id(), detail).await?;
                }
                Effect::WakeAt(_) => {}
            }
        }
        Ok(receipts)
    }

    pub(super) async fn page_in_app(
        &mut self,
        devices: &[DeviceId],
        now: Timestamp,
        page: &Notice,
    ) -> Result<PageOutcome> {
        self.push_all(devices, now, page).await?;
        Ok(match devices.iter().any(|device| self.bus.is_connected(*device)) {
            true => PageOutcome::Reached(Receipt::HandedOver),
            false => PageOutcome::Failed(FailReason::NotConnected),
        })
    }

    /// The sound and the visible alarm stop together, by every way that has rung.
    async fn stand_down(&mut self, world: &World, callout: &Callout, person: PersonId, now: Timestamp) -> Result<()> {
        let id = callout.id();
        self.push_all(world.devices(person), now, &Notice::StandDown { callout: id }).await?;
        self.call_off_by_contacts(callout, person, now).await
    }

    /// Tells a person by every contact of theirs that has told them of the callout.
    pub(super) async fn call_off_by_contacts(
        &mut self,
        callout: &Callout,
        person: PersonId,
        now: Timestamp,
    ) -> Result<()> {
        let id = callout.id();
        for contact in self.rung(id, person).await? {
            let page = stand_down_id(id, person, contact, callout.revision());
            let to = Destination::Contact(contact);
            let page = Ordered { kind: MessageKind::StandDown, ..Ordered::page(callout, page, Some(person), to, 1) };
            self.order_page(&page, now).await?;
        }
        Ok(())
    }

    async fn raise(
        &mut self,
        world: &World,
        agency: &[Watcher],
        callout: &Callout,
        alarm: Alarm,
        reaches_police: bool,
        now: Timestamp,
    ) -> Result<()> {
        let id = callout.id();
        for person in world.people.iter().filter(|p| p.role == Role::Supervisor) {
            self.push_all(&person.devices, now, &Notice::Alarm { callout: id, alarm }).await?;
        }
        if callout.purpose().is_real() && alarms::wakes(alarm) {
            self.wake_supervisors(Some(id), now).await?;
        }
        if reaches_police { self.tell(agency, id, alarm, now).await } else { Ok(()) }
    }

    async fn tell(&mut self, agency: &[Watcher], callout: CalloutId, alarm: Alarm, now: Timestamp) -> Result<()> {
        for watcher in agency {
            self.push_all(&watcher.devices, now, &Notice::Alarm { callout, alarm }).await?;
        }
        Ok(())
    }

    pub(crate) async fn push_all(&mut self, devices: &[DeviceId], now: Timestamp, notice: &Notice) -> Result<()> {
        for device in devices {
            self.push_inbox(*device, now, notice).await?;
        }
        Ok(())
    }
}

fn caller_news(what: CallerNews) -> (MessageKind, i64) {
    match what {
        CallerNews::Paging => (MessageKind::CallerPaging, 0),
        CallerNews::Accepted { eta_minutes } => (MessageKind::CallerAccepted, eta_minutes.into()),
        CallerNews::Arrived => (MessageKind::CallerArrived, 0),
        CallerNews::Nobody => (MessageKind::CallerNobody, 0),
        CallerNews::CalledOff => (MessageKind::CallerCalledOff, 0),
    }
}

fn is_unanswered(alarm: Alarm) -> bool {
    matches!(alarm, Alarm::Unanswered | Alarm::Unfilled { .. })
}

/// The id of a stand-down on its way to a webhook: it follows from what it names, like a page's.
fn stand_down_id(callout: CalloutId, person: PersonId, contact: ContactId, revision: u64) -> PageId {
    let mut hash = Sha256::new_with_prefix(b"firstlight stand-down");
    for part in [callout.as_bytes(), person.as_bytes(), contact.as_bytes(), &revision.to_be_bytes()] {
        hash.update(part);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    PageId(id)
}

/// The audit trail's word for an event.
const fn action(event: Event) -> &'static str {
    macro_rules! words {
        ($($event:ident => $word:literal),+ $(,)?) => {
            match event { $(Event::$event => concat!("callout.", $word)),+ }
        };
    }
    words! {
        Opened => "opened", DuplicateOffered => "duplicate_offered", TierPaged => "tier_paged",
        TierEmpty => "tier_empty", PageSent => "page_sent", PageFailed => "page_failed",
        Acknowledged => "acknowledged", Accepted => "accepted", Filled => "filled", Declined => "declined",
        Withdrew => "withdrew", EtaChanged => "eta_changed", EnRoute => "en_route", Arrived => "arrived",
        WithYoungPerson => "with_young_person", HandedOver => "handed_over", StoodDown => "stood_down",
        Reopened => "reopened", CalledMore => "called_more", Unanswered => "unanswered",
        AlarmRaised => "alarm_raised", RoomLinked => "room_linked", Closed => "closed", Reviewed => "reviewed",
        Cancelled => "cancelled", Merged => "merged", PersonPaged => "person_paged", OutsideTold => "outside_told",
        Relaxed => "relaxed", Barred => "barred",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_trail_uses_the_events_words() {
        for event in Event::ALL {
            assert_eq!(action(*event), format!("callout.{event}"));
        }
    }
}
