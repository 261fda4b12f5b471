//! What became of a page, told to whoever ordered it: the engine for a callout's pages, others for the rest.

use super::{
    elsewhere,
    legs::{LegKey, rank},
    outbox::{Destination, has_another_try},
    record::load,
    step::Cause,
};
use crate::store::sql;
use crate::{
    Result,
    paging::Telephony,
    store::{Tx, id, word},
};
use firstlight_dispatch::{Input, PageOutcome, PageReceipt};
use firstlight_protocol::{
    CalloutId, ErrorCode, PageId, PersonId, Timestamp,
    api::{LegState, MessageKind},
    callout::{FailReason, Receipt},
};

/// What a provider says of one leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// Nothing that matters here.
    Nothing,
    /// It was passed on; the telephone rings.
    Sent,
    /// The telephone has it.
    Delivered,
    /// The person pressed a key.
    Answered,
    /// It could not be delivered, or nobody answered.
    Failed(FailReason),
}

/// An outbox row, as far as receipts need it.
struct Waiting {
    callout: Option<CalloutId>,
    person: Option<PersonId>,
    to: Destination,
    kind: MessageKind,
    call: bool,
    tries: u32,
    waits: bool,
}

impl Tx<'_> {
    /// Takes what a provider says of a leg, and what follows from it, in this transaction.
    ///
    /// # Errors
    /// `not_found` for a leg that this account has not been given; nothing has changed then.
    pub(crate) async fn provider_reports(
        &mut self,
        telephony: &Telephony,
        key: &LegKey,
        report: Report,
        detail: Option<String>,
        now: Timestamp,
    ) -> Result<()> {
        let legs = self.legs(key.page).await?;
        let leg = legs.iter().find(|leg| leg.leg == key.leg).ok_or(ErrorCode::NotFound)?;
        // A report may come before the answer to our own request has been written down: then the leg has neither yet.
        if leg.vendor.as_ref().is_some_and(|vendor| *vendor != key.account)
            || leg.reference.as_ref().is_some_and(|reference| *reference != key.reference)
        {
            return Err(ErrorCode::NotFound.into());
        }
        let (state, reason) = match report {
            Report::Nothing => return Ok(()),
            Report::Sent => (LegState::Sent, None),
            Report::Delivered => (LegState::Delivered, None),
            Report::Answered => (LegState::Answered, None),
            Report::Failed(reason) => (LegState::Failed, Some(reason)),
        };
        if rank(state) <= rank(leg.state) {
            return Ok(());
        }
        self.advance_leg(key, state, reason, detail, now).await?;
        let Some(row) = self.outbox_row(key.page).await? else { return Ok(()) };
        let newest = key.leg == row.tries;
        let outcome = match report {
            Report::Delivered | Report::Answered => {
                // Whatever other try was still to come is not needed.
                self.stop_sending(key.page).await?;
                PageOutcome::Reached(Receipt::Delivered)
            }
            // Another try is under way or still to come, and what becomes of that one decides; or our own request for this
            // one is not over yet, and whoever writes down how it went finds this report.
            Report::Failed(_) if !newest || row.waits => return Ok(()),
            Report::Failed(reason) => match self.failed_late(telephony, &row, key.page, reason, now).await? {
                Some(outcome) => outcome,
                None => return Ok(()),
            },
            Report::Nothing | Report::Sent => return Ok(()),
        };
        self.contact_told(&row.to, row.person, outcome, now).await?;
        let receipt = PageReceipt { page: key.page, outcome };
        match row.callout {
            Some(callout) if row.kind.concerns_callout() => {
                let cause = Cause { device: None, now };
                self.step_callout(callout, Input::Receipts(vec![receipt]), cause).await
            }
            _ => {
                self.note_receipts(&[receipt], now).await?;
                elsewhere::settled_elsewhere(self, row.kind, (key.page, row.callout), outcome, now).await
            }
        }
    }

    /// A provider took a page and reports that it failed; `reason` is already on its leg. `None` where another provider tries
    /// it now.
    async fn failed_late(
        &mut self,
        telephony: &Telephony,
        row: &Waiting,
        page: PageId,
        reason: FailReason,
        now: Timestamp,
    ) -> Result<Option<PageOutcome>> {
        let tried: Vec<_> = self.legs(page).await?.into_iter().filter_map(|leg| leg.vendor).collect();
        // Another network may do better than this one did; for everything else the person or the number is the reason.
        if reason == FailReason::Undelivered
            && has_another_try(row.tries)
            && telephony.has_another(row.call, &tried)
            && self.is_still_wanted(row).await?
        {
            self.send_again(page, now).await?;
            return Ok(None);
        }
        Ok(Some(PageOutcome::Failed(reason)))
    }

    /// The same for a failure that was reported while our request was still under way.
    pub(super) async fn failed_early(
        &mut self,
        telephony: &Telephony,
        page: PageId,
        reason: FailReason,
        now: Timestamp,
    ) -> Result<Option<PageOutcome>> {
        match self.outbox_row(page).await? {
            Some(row) => self.failed_late(telephony, &row, page, reason, now).await,
            None => Ok(None),
        }
    }

    /// What became of a page says something of the contact method that it went by, too.
    pub(super) async fn contact_told(
        &mut self,
        to: &Destination,
        person: Option<PersonId>,
        outcome: PageOutcome,
        now: Timestamp,
    ) -> Result<()> {
        match (outcome, to, person) {
            (PageOutcome::Failed(reason), Destination::Contact(contact), Some(person)) => {
                self.contact_failed(person, *contact, reason, now).await
            }
            _ => Ok(()),
        }
    }

    /// Somebody has pressed a key in a call: the only thing that counts as having reached them by voice. A call that is
    /// none of the outbox's is somebody who called us.
    pub(crate) async fn call_was_answered(
        &mut self,
        telephony: &Telephony,
        account: &str,
        sid: &str,
        now: Timestamp,
    ) -> Result<()> {
        let row = sql::query("SELECT page, leg FROM legs WHERE vendor = $1 AND reference = $2")
            .bind(account)
            .bind(sid)
            .fetch_optional(&mut *self.conn)
            .await?;
        let Some(row) = row else { return Ok(()) };
        let (account, reference) = (account.to_owned(), sid.to_owned());
        let key = LegKey { account, page: id(row.get("page"))?, leg: row.get("leg"), reference };
        self.provider_reports(telephony, &key, Report::Answered, None, now).await
    }

    /// Writes down what became of pages, for the supervisor's record.
    pub(super) async fn note_receipts(&mut self, receipts: &[PageReceipt], now: Timestamp) -> Result<()> {
        for PageReceipt { page, outcome } in receipts {
            let (handed_over, delivered, failed) = match outcome {
                PageOutcome::Reached(Receipt::HandedOver) => (true, false, None),
                PageOutcome::Reached(Receipt::Delivered) => (true, true, None),
                PageOutcome::Failed(reason) => (false, false, Some(reason.as_str())),
            };
            sql::query(
                "UPDATE outbox SET handed_over_at = CASE WHEN $2 = 1 THEN coalesce(handed_over_at, $4) ELSE handed_over_at END,
                        delivered_at = CASE WHEN $3 = 1 THEN coalesce(delivered_at, $4) ELSE delivered_at END,
                        failed = CASE WHEN delivered_at IS NULL THEN $5 END
                 WHERE page = $1",
            )
            .bind(page.as_bytes())
            .bind(handed_over)
            .bind(delivered)
            .bind(now.0)
            .bind(failed)
            .execute(&mut *self.conn)
            .await?;
        }
        Ok(())
    }

    async fn outbox_row(&mut self, page: PageId) -> Result<Option<Waiting>> {
        let row = sql::query("SELECT * FROM outbox WHERE page = $1")
            .bind(page.as_bytes())
            .fetch_optional(&mut *self.conn)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let (kind, channel): (String, String) = (row.get("kind"), row.get("channel"));
        let optional = |column: &str| row.get::<Option<Vec<u8>>>(column);
        Ok(Some(Waiting {
            callout: optional("callout").map(id).transpose()?,
            person: optional("person").map(id).transpose()?,
            to: Destination::read(&row)?,
            kind: word(&kind)?,
            call: channel == "voice",
            tries: row.get("tries"),
            waits: row.get::<Option<i64>>("next_at").is_some(),
        }))
    }

    /// Whether a page that failed late is worth another try: nobody is called who has answered or was stood down.
    async fn is_still_wanted(&mut self, row: &Waiting) -> Result<bool> {
        let (Some(callout), Some(person), true) = (row.callout, row.person, row.kind.concerns_callout()) else {
            return Ok(true);
        };
        let Some(callout) = load(self.conn, callout).await? else { return Ok(false) };
        let is_called = || callout.responders().any(|(p, state)| p == person && state.is_called());
        Ok(match row.kind {
            MessageKind::Notice => callout.notifies(person),
            _ => callout.is_paging() && is_called(),
        })
    }

    async fn send_again(&mut self, page: PageId, now: Timestamp) -> Result<()> {
        sql::query("UPDATE outbox SET next_at = $2, lease_until = NULL, uncertain = 1 WHERE page = $1")
            .bind(page.as_bytes())
            .bind(now.0)
            .execute(&mut *self.conn)
            .await?;
        self.after.dispatch();
        Ok(())
    }

    async fn stop_sending(&mut self, page: PageId) -> Result<()> {
        sql::query("UPDATE outbox SET next_at = NULL, lease_until = NULL WHERE page = $1")
            .bind(page.as_bytes())
            .execute(&mut *self.conn)
            .await?;
        Ok(())
    }
}
