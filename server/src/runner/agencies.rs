//! Other agencies: who of them can be reached, and what the engine orders about their notices.
//!
//! All of it is in the transaction of the step, like everything else about a callout; none of it can hold a page up.

use super::{
    outbox::{Destination, Ordered},
    record::load,
    step::Cause,
    world::World,
};
use crate::store::sql::{self, Conn};
use crate::{
    Result,
    caller::Caller,
    identity::anchors_in,
    store::{Tx, id, word},
};
use firstlight_dispatch::{
    AgencyEffect, AgencyEvent, AgencyPerson, Callout, Input, PageReceipt, agency_notice_view, step,
};
use firstlight_protocol::{
    CalloutId, DeviceId, ErrorCode, OrgId, PersonId, Problem, Role, Timestamp,
    agency::{AgencyNoticeView, takes_notices},
    api::{MessageKind, Notice},
    policy::{Channel, Policy},
};
use std::collections::{BTreeSet, HashMap};

/// The people of the agencies that the policy notifies, and their live devices.
#[derive(Debug, Default)]
pub(super) struct Agencies {
    pub(super) people: Vec<AgencyPerson>,
    devices: HashMap<PersonId, Vec<DeviceId>>,
}

impl Agencies {
    /// Reads those who take notices or are named, have a live device, and whose agency is a partner now.
    pub(super) async fn read(conn: &mut Conn, policy: &Policy) -> Result<Self> {
        let mut all = Self::default();
        if policy.agency_notices.is_empty() {
            return Ok(all);
        }
        let anchors = anchors_in(conn).await?;
        let orgs: BTreeSet<OrgId> = policy.agency_notices.iter().map(|rule| rule.agency).collect();
        for agency in orgs {
            if anchors.partner(agency).is_none_or(|statement| statement.withdrawn) {
                continue;
            }
            let mut contacts = contacts_of(conn, agency).await?;
            let named = |person: &PersonId| {
                policy.agency_notices.iter().any(|rule| rule.agency == agency && rule.people.contains(person))
            };
            for row in sql::query(
                "SELECT p.person, p.role, d.device FROM people p JOIN devices d ON d.person = p.person
                 WHERE p.org = $1 AND d.revoked_at IS NULL ORDER BY p.person, d.device",
            )
            .bind(agency.as_bytes())
            .fetch_all(&mut *conn)
            .await?
            {
                let (person, role): (PersonId, Role) = (id(row.get("person"))?, word(row.get("role"))?);
                let takes_notices = takes_notices(role);
                if !takes_notices && !named(&person) {
                    continue;
                }
                let devices = all.devices.entry(person).or_default();
                if devices.is_empty() {
                    let mut channels = vec![Channel::InApp];
                    channels.extend(contacts.remove(&person).unwrap_or_default());
                    all.people.push(AgencyPerson { agency, person, takes_notices, channels });
                }
                devices.push(id(row.get("device"))?);
            }
        }
        Ok(all)
    }

    fn devices(&self, person: PersonId) -> &[DeviceId] {
        self.devices.get(&person).map_or(&[], Vec::as_slice)
    }
}

/// The verified contacts of an agency's people, in order. No telephone calls: what a call asks for is an answer that a
/// notice does not want.
async fn contacts_of(conn: &mut Conn, agency: OrgId) -> Result<HashMap<PersonId, Vec<Channel>>> {
    let mut contacts: HashMap<PersonId, Vec<Channel>> = HashMap::new();
    for row in sql::query(
        "SELECT c.person, c.contact, c.kind FROM contacts c JOIN people p ON p.person = c.person
         WHERE p.org = $1 AND c.state = 'verified' AND c.kind != 'voice' ORDER BY c.person, c.place",
    )
    .bind(agency.as_bytes())
    .fetch_all(conn)
    .await?
    {
        let kind: String = row.get("kind");
        let channel = Channel::of(&kind, id(row.get("contact"))?);
        contacts.entry(id(row.get("person"))?).or_default().extend(channel);
    }
    Ok(contacts)
}

impl Tx<'_> {
    /// Somebody of another agency says that they know.
    ///
    /// # Errors
    /// `not_found` where the caller may not know of the notice.
    pub(crate) async fn acknowledge_notice(
        &mut self,
        by: &Caller,
        callout: CalloutId,
        now: Timestamp,
    ) -> Result<AgencyNoticeView> {
        let before = load(self.conn, callout).await?.ok_or(ErrorCode::NotFound)?;
        let world = World::read(self.conn, now).await?;
        let actor = world.actor(by);
        agency_notice_view(&before, actor).ok_or(ErrorCode::NotFound)?;
        let stepped =
            step(&before, Input::NoticeAcknowledged { by: actor }, &world.context(), now).map_err(Problem::from)?;
        let cause = Cause { device: Some(by.device), now };
        let after = self.follow(&world, Some(&before), stepped, cause).await?;
        Ok(agency_notice_view(&after, actor).ok_or(ErrorCode::NotFound)?)
    }

    /// Carries out one effect. Answers what became of a notice at once.
    pub(super) async fn carry_out_for_agency(
        &mut self,
        world: &World,
        callout: &Callout,
        agency: OrgId,
        what: AgencyEffect,
        Cause { device, now }: Cause,
    ) -> Result<Option<PageReceipt>> {
        match what {
            AgencyEffect::Notify { id: page, person, attempt, channel } => {
                let contact = channel.contact();
                let to = contact.map_or(Destination::App, Destination::Contact);
                let page_of = Ordered::page(callout, page, Some(person), to, attempt);
                self.order_page(&Ordered { kind: MessageKind::Notice, ..page_of }, now).await?;
                let view = callout.agency_notices().find(|(org, ..)| *org == agency).map(|(_, view, _)| view);
                if let (None, Some(view)) = (contact, view) {
                    let notice = Notice::AgencyNotice { page: Some(page), view };
                    let outcome = self.page_in_app(world.agencies.devices(person), now, &notice).await?;
                    return Ok(Some(PageReceipt { page, outcome }));
                }
            }
            AgencyEffect::Stop { person, called_off: false } => self.drop_pages(callout.id(), person).await?,
            AgencyEffect::Stop { person, called_off: true } => {
                self.drop_pages(callout.id(), person).await?;
                self.call_off_by_contacts(callout, person, now).await?;
            }
            AgencyEffect::Record { event, by, person, page } => {
                let ids = [
                    Some(format!("agency={agency}")),
                    by.map(|id| format!("by={id}")),
                    person.map(|id| format!("person={id}")),
                    page.map(|id| format!("page={id}")),
                ];
                let detail = ids.into_iter().flatten().collect::<Vec<_>>().join(" ");
                self.audit(now, by.and(device), action(event), callout.id(), detail).await?;
            }
        }
        Ok(None)
    }

    /// Notes new notices, and puts the new views of those that have changed into inboxes.
    pub(super) async fn follow_agencies(
        &mut self,
        world: &World,
        before: Option<&Callout>,
        after: &Callout,
        now: Timestamp,
    ) -> Result<()> {
        for (agency, view, people) in after.agency_notices() {
            let old = before.and_then(|before| before.agency_notices().find(|(org, ..)| *org == agency));
            match old {
                None => self.save_agency_notice(agency, &view).await?,
                Some((_, old, _)) if old != view => {
                    let notice = Notice::AgencyNotice { page: None, view };
                    for person in people {
                        self.push_all(world.agencies.devices(person), now, &notice).await?;
                    }
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    async fn save_agency_notice(&mut self, agency: OrgId, view: &AgencyNoticeView) -> Result<()> {
        sql::query(
            "INSERT INTO agency_notices (agency, callout, notified_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(agency.as_bytes())
        .bind(view.callout.as_bytes())
        .bind(view.notified_at.0)
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }
}

/// The audit trail's word for an event.
const fn action(event: AgencyEvent) -> &'static str {
    match event {
        AgencyEvent::Notified => "agency.notified",
        AgencyEvent::Failed => "agency.notice_failed",
        AgencyEvent::Escalated => "agency.escalated",
        AgencyEvent::Acknowledged => "agency.acknowledged",
        AgencyEvent::CalledOff => "agency.called_off",
    }
}
