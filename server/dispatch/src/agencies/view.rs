//! What is seen of an agency's notice: by the agency's people that it is there and who acknowledged it, by the host's
//! supervisors every attempt and its receipt. The agency sees nothing of the callout itself.

use super::AgencyCall;
use crate::{Actor, Callout};
use firstlight_protocol::{
    OrgId, PersonId,
    agency::{AgencyNoticeStatus, AgencyNoticeView, NoticePage},
    callout::Purpose,
};

/// The notice of `viewer`'s agency, if there is one that they may see.
pub fn agency_notice_view(callout: &Callout, viewer: Actor) -> Option<AgencyNoticeView> {
    let call = callout.agencies.iter().find(|call| call.is_seen_by(viewer))?;
    Some(callout.agency_notice(call))
}

impl Callout {
    /// Every agency's notice as its people see it, with those who were notified.
    pub fn agency_notices(&self) -> impl Iterator<Item = (OrgId, AgencyNoticeView, Vec<PersonId>)> {
        self.agencies
            .iter()
            .map(|call| (call.agency, self.agency_notice(call), call.people.iter().map(|n| n.person).collect()))
    }

    /// Whether this person of another agency is still to be told.
    pub fn notifies(&self, person: PersonId) -> bool {
        self.agencies.iter().any(|call| call.is_waiting() && call.people.iter().any(|n| n.person == person))
    }

    /// What supervisors see; `None` where no agency was notified.
    pub(crate) fn agency_statuses(&self) -> Option<Vec<AgencyNoticeStatus>> {
        let statuses: Vec<_> = self.agencies.iter().map(|call| self.agency_status(call)).collect();
        (!statuses.is_empty()).then_some(statuses)
    }

    fn agency_notice(&self, call: &AgencyCall) -> AgencyNoticeView {
        AgencyNoticeView {
            callout: self.id,
            reference: self.reference(),
            agency: call.agency,
            zone: self.routing.zone.clone(),
            notified_at: call.notified_at,
            acknowledged_by: call.acknowledged.map(|(person, _)| person),
            acknowledged_at: call.acknowledged.map(|(_, at)| at),
            called_off: call.called_off_at.is_some(),
            drill: self.purpose == Purpose::Drill,
        }
    }

    fn agency_status(&self, call: &AgencyCall) -> AgencyNoticeStatus {
        let pages = call.people.iter().flat_map(|notified| {
            notified.kept.iter().map(|attempt| NoticePage {
                id: attempt.id,
                person: notified.person,
                attempt: attempt.attempt,
                channel: attempt.channel,
                ordered_at: attempt.ordered_at,
                handed_over_at: attempt.handed_over_at,
                delivered_at: attempt.delivered_at,
                failed: attempt.failed,
            })
        });
        let mut pages: Vec<_> = pages.collect();
        pages.sort_by_key(|page| page.ordered_at);
        AgencyNoticeStatus {
            notice: self.agency_notice(call),
            escalated_at: call.escalated_at,
            silent_at: call.silent_at,
            next_at: call.next_at,
            pages,
        }
    }
}
