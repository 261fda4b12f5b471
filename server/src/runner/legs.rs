//! The record of each try of a page: with whom, under which id of theirs, how far it came, and why it failed.
//!
//! A leg's state only moves forward ([`rank`]), so that reports may come late, twice, and in any order. "Delivered" after
//! "could not be delivered" is a late truth and counts: the telephone has it.

use super::outbox::Claimed;
use crate::store::sql::{self, Conn, Row};
use crate::{
    Result,
    paging::{Outcome, Sent},
    store::{Store, Tx, word},
};
use firstlight_protocol::{
    CalloutId, ContactId, PageId, PersonId, Timestamp,
    api::{LegState, PageLeg},
    callout::FailReason,
};

/// Which leg a provider speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LegKey {
    /// The provider's account.
    pub(crate) account: String,
    /// The page.
    pub(crate) page: PageId,
    /// Which try of it, from 1.
    pub(crate) leg: u32,
    /// The provider's own id for it.
    pub(crate) reference: String,
}

/// How far a state is; of two with the same rank the first stays.
pub(super) fn rank(state: LegState) -> u8 {
    match state {
        LegState::Sending => 0,
        LegState::HandedOver => 1,
        LegState::Sent => 2,
        LegState::Failed => 3,
        LegState::Delivered | LegState::Answered => 4,
    }
}

/// Notes that these tries begin.
pub(super) async fn begin_legs(conn: &mut Conn, claimed: &[Claimed], now: Timestamp) -> Result<()> {
    for Claimed { ordered, redelivery, tries } in claimed {
        sql::query(
            "INSERT INTO legs (page, leg, state, redelivery, at, changed_at) VALUES ($1, $2, 'sending', $3, $4, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(ordered.page.as_bytes())
        .bind(tries)
        .bind(redelivery)
        .bind(now.0)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Reads a leg's row.
pub(super) fn read_leg(row: &Row) -> Result<PageLeg> {
    let (state, reason): (String, Option<String>) = (row.get("state"), row.get("reason"));
    let reason: Option<FailReason> = reason.as_deref().map(word).transpose()?;
    let detail: Option<String> = row.get("detail");
    let why = reason.map(|reason| match detail {
        Some(detail) => format!("{} ({detail})", reason.in_words()),
        None => reason.in_words().to_owned(),
    });
    Ok(PageLeg {
        leg: row.get("leg"),
        vendor: row.get("vendor"),
        reference: row.get("reference"),
        state: word(&state)?,
        reason,
        why,
        redelivery: row.get("redelivery"),
        at: Timestamp(row.get("at")),
        changed_at: Timestamp(row.get("changed_at")),
    })
}

impl Tx<'_> {
    /// A page's legs, in order.
    pub(super) async fn legs(&mut self, page: PageId) -> Result<Vec<PageLeg>> {
        let rows = sql::query("SELECT * FROM legs WHERE page = $1 ORDER BY leg")
            .bind(page.as_bytes())
            .fetch_all(&mut *self.conn)
            .await?;
        rows.iter().map(read_leg).collect()
    }

    /// Notes how a try went. What the provider has reported already stays: why it failed, if it took the page and reported
    /// a failure before its answer was written down here.
    pub(super) async fn end_leg(
        &mut self,
        claimed: &Claimed,
        sent: &Sent,
        now: Timestamp,
    ) -> Result<Option<FailReason>> {
        let (state, reason) = match sent.outcome {
            Outcome::Taken => (LegState::HandedOver, None),
            Outcome::NotConfigured => (LegState::Failed, Some(FailReason::NotConfigured)),
            // No try was made: there is no leg, or its result will never be known.
            Outcome::GivenUp => return Ok(None),
            Outcome::Failed { reason, .. } => (LegState::Failed, Some(reason)),
        };
        let noted: Option<Option<String>> = sql::query_scalar(
            "UPDATE legs SET vendor = $3, reference = coalesce(reference, $4),
                    state = CASE WHEN state = 'sending' THEN $5 ELSE state END, reason = CASE WHEN state = 'sending' THEN $6 ELSE reason END,
                    detail = CASE WHEN state = 'sending' THEN $7 ELSE detail END, changed_at = CASE WHEN state = 'sending' THEN $8 ELSE changed_at END
             WHERE page = $1 AND leg = $2 RETURNING reason",
        )
        .bind(claimed.ordered.page.as_bytes())
        .bind(claimed.tries)
        .bind(&sent.vendor)
        .bind(&sent.reference)
        .bind(state.as_str())
        .bind(reason.map(FailReason::as_str))
        .bind(&sent.detail)
        .bind(now.0)
        .fetch_optional(&mut *self.conn)
        .await?;
        let reported = noted.flatten().filter(|_| sent.outcome == Outcome::Taken);
        reported.as_deref().map(word).transpose()
    }

    /// Moves a leg forward as its provider reports.
    pub(super) async fn advance_leg(
        &mut self,
        key: &LegKey,
        state: LegState,
        reason: Option<FailReason>,
        detail: Option<String>,
        now: Timestamp,
    ) -> Result<()> {
        sql::query(
            "UPDATE legs SET vendor = $3, reference = $4, state = $5, reason = $6, detail = $7, changed_at = $8
             WHERE page = $1 AND leg = $2",
        )
        .bind(key.page.as_bytes())
        .bind(key.leg)
        .bind(&key.account)
        .bind(&key.reference)
        .bind(state.as_str())
        .bind(reason.map(FailReason::as_str))
        .bind(detail)
        .bind(now.0)
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }
}

impl Store {
    /// The providers that have had a page.
    pub(super) async fn tried(&self, page: PageId) -> Result<Vec<String>> {
        let vendors = sql::query_scalar("SELECT vendor FROM legs WHERE page = $1 AND vendor IS NOT NULL ORDER BY leg");
        Ok(vendors.bind(page.as_bytes()).fetch_all(self.read_for_dispatch()).await?)
    }

    /// The calls to a contact method that may still ring: account and reference.
    pub(super) async fn ringing(
        &self,
        callout: CalloutId,
        person: PersonId,
        contact: ContactId,
    ) -> Result<Vec<(String, String)>> {
        let rows = sql::query(
            "SELECT legs.vendor, legs.reference FROM legs JOIN outbox USING (page)
             WHERE callout = $1 AND person = $2 AND contact = $3 AND legs.reference IS NOT NULL
                AND legs.state IN ('handed_over', 'sent')",
        )
        .bind(callout.as_bytes())
        .bind(person.as_bytes())
        .bind(contact.as_bytes())
        .fetch_all(self.read_for_dispatch())
        .await?;
        Ok(rows.iter().map(|row| (row.get("vendor"), row.get("reference"))).collect())
    }
}
