//! Alarms that leave the app: whoever has to act on one at night is asleep, and a silent app wakes nobody.
//!
//! What goes out is content-free and always the same, "please look at the app", so one message a minute says all of them.

use super::outbox::{Destination, Ordered};
use crate::store::sql;
use crate::{
    Result,
    callouts::documents::read_document,
    store::{Tx, id},
};
use firstlight_protocol::{
    CalloutId, ContactId, PageId, PersonId, Timestamp,
    api::MessageKind,
    attention::Attention,
    callout::{Alarm, Tier},
    rota::Rota,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Alarms within the same one of these are one message to each contact method.
const AT_MOST_EVERY_MS: i64 = 60_000;

/// Whether somebody has to act on an alarm whatever the hour.
pub(super) fn wakes(alarm: Alarm) -> bool {
    match alarm {
        Alarm::Unanswered
        | Alarm::Unfilled { .. }
        | Alarm::Unreachable { .. }
        | Alarm::ProjectedBreach { .. }
        | Alarm::NoMovement { .. }
        | Alarm::Overdue { .. }
        | Alarm::Alone { .. }
        | Alarm::AgencySilent { .. }
        | Alarm::Stalled => true,
        // Others are called in the same moment, or it can wait for the morning.
        Alarm::EmptyTier { .. }
        | Alarm::NoLanguageMatch { .. }
        | Alarm::ContactBroken { .. }
        | Alarm::ReviewOverdue => false,
    }
}

/// The same for what belongs to no single callout: whoever is on duty can't be reached, or officers can't get through.
pub(super) fn attention_wakes(about: Attention) -> bool {
    match about {
        Attention::ContactBlocked { .. }
        | Attention::ContactInvalid { .. }
        | Attention::CodesTried {}
        | Attention::LineExhausted { .. }
        | Attention::LineUnusable { .. }
        | Attention::CallerUnreached { .. } => true,
        Attention::PinsTried { .. } | Attention::CoverageGap { .. } => false,
    }
}

impl Tx<'_> {
    /// Has the supervisors on duty look at the app, by every verified contact method of theirs; all supervisors, where none
    /// is on duty.
    pub(crate) async fn wake_supervisors(&mut self, callout: Option<CalloutId>, now: Timestamp) -> Result<()> {
        for (person, contact) in self.supervisors_contacts(now).await? {
            let page = alarm_id(contact, now);
            let (to, kind) = (Destination::Contact(contact), MessageKind::Alarm);
            let ordered = Ordered { page, callout, person: Some(person), to, kind, attempt: 1, arg: 0 };
            self.order_page(&ordered, now).await?;
        }
        Ok(())
    }

    async fn supervisors_contacts(&mut self, now: Timestamp) -> Result<Vec<(PersonId, ContactId)>> {
        let rows = sql::query(
            "SELECT person, contact FROM contacts JOIN people USING (person) JOIN trust ON trust.host = people.org
             WHERE people.role = 'supervisor' AND contacts.state = 'verified'
               AND EXISTS (SELECT 1 FROM devices WHERE devices.person = people.person AND revoked_at IS NULL)
             ORDER BY person, contact",
        )
        .fetch_all(&mut *self.conn)
        .await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let contacts = rows.iter().map(|row| Ok((id(row.get("person"))?, id(row.get("contact"))?)));
        let contacts = contacts.collect::<Result<Vec<_>>>()?;
        // A rota that can't be computed must not keep anybody from being told.
        let rota = read_document::<Rota>(self.conn).await?;
        let on_call = rota.and_then(|(_, rota)| rota.on_call(now).ok()).unwrap_or_default();
        let on_duty: BTreeSet<PersonId> =
            on_call.into_iter().filter(|on| on.tier == Tier::Supervisor).map(|on| on.person).collect();
        let anybody = contacts.iter().any(|(person, _)| on_duty.contains(person));
        Ok(contacts.into_iter().filter(|(person, _)| !anybody || on_duty.contains(person)).collect())
    }
}

fn alarm_id(contact: ContactId, now: Timestamp) -> PageId {
    let bucket = now.0.div_euclid(AT_MOST_EVERY_MS);
    let hash = Sha256::new_with_prefix(b"firstlight alarm").chain_update(contact.0).chain_update(bucket.to_be_bytes());
    let mut page = PageId([0; 16]);
    page.0.copy_from_slice(&hash.finalize()[..16]);
    page
}
