//! Where the facts of callouts are kept: written with every step of a callout that changes them, read for figures.

use super::period::Period;
use crate::store::sql::{self, Conn, Row};
use crate::{
    Error, Result, Shared,
    runner::{World, load_callout},
    store::{Tx, id, word},
    telemetry::Happening,
};
use firstlight_dispatch::{Callout, PageNews, PageOutcome, facts, page_news};
use firstlight_protocol::{
    CalloutId, ErrorCode, OrgId, Problem, Timestamp,
    callout::{CalloutState, Code, OutcomeReason, Purpose, Receipt, Support},
    figures::MAX_CALLOUTS,
    policy::Millis,
    record::CalloutTimes,
};

/// How many callouts without facts one transaction makes up for.
const BATCH: i64 = 64;

/// The facts of one callout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) callout: CalloutId,
    pub(crate) agency: OrgId,
    pub(crate) zone: Code,
    pub(crate) state: CalloutState,
    pub(crate) times: CalloutTimes,
    pub(crate) review_due_at: Option<Timestamp>,
    pub(crate) target: Millis,
    pub(crate) unanswered: bool,
    pub(crate) language_match: Option<bool>,
    pub(crate) reasons: Vec<OutcomeReason>,
    pub(crate) support: Option<Support>,
    pub(crate) kits_given: Option<u16>,
}

impl Fact {
    /// Whether somebody was there within the target; `None` while that is open, and for a callout that was cancelled or
    /// merged before anybody could be.
    pub(crate) fn within_target(&self, now: Timestamp) -> Option<bool> {
        let target = self.times.opened_at + self.target.into();
        match self.times.arrived_at {
            _ if self.is_void() => None,
            Some(at) => Some(at <= target),
            None if now > target || !self.state.is_open() => Some(false),
            None => None,
        }
    }

    /// Cancelled or merged: it counts as such, and in nothing that measures how callouts were answered.
    pub(crate) fn is_void(&self) -> bool {
        matches!(self.state, CalloutState::Cancelled | CalloutState::Merged)
    }

    fn read(row: &Row) -> Result<Self> {
        let time = |column: &str| row.get::<Option<i64>>(column).map(Timestamp);
        let support: Option<String> = row.get("support");
        let reasons: String = row.get("reasons");
        Ok(Self {
            callout: id(row.get("callout"))?,
            agency: id(row.get("agency"))?,
            zone: word(row.get("zone"))?,
            state: word(row.get("state"))?,
            times: CalloutTimes {
                first_contact_at: Timestamp(row.get("first_contact_at")),
                opened_at: Timestamp(row.get("opened_at")),
                first_page_at: time("first_page_at"),
                acknowledged_at: time("acknowledged_at"),
                accepted_at: time("accepted_at"),
                en_route_at: time("en_route_at"),
                arrived_at: time("arrived_at"),
                with_young_person_at: time("with_young_person_at"),
                handed_over_at: time("handed_over_at"),
                ended_at: time("ended_at"),
                reviewed_at: time("reviewed_at"),
            },
            review_due_at: time("review_due_at"),
            target: Millis(row.get::<i64>("target_ms").unsigned_abs()),
            unanswered: row.get("unanswered"),
            language_match: row.get("language_match"),
            reasons: reasons.split_whitespace().map(word).collect::<Result<_>>()?,
            support: support.as_deref().map(word).transpose()?,
            kits_given: row.get::<Option<i64>>("kits_given").map(|kits| u16::try_from(kits).unwrap_or(u16::MAX)),
        })
    }
}

impl Tx<'_> {
    /// Writes down what a step has changed of a callout's facts.
    pub(crate) async fn save_facts(&mut self, world: &World, before: Option<&Callout>, after: &Callout) -> Result<()> {
        let ctx = world.context();
        let new = facts(after, &ctx);
        let old = before.map(|before| facts(before, &ctx));
        if before.is_some_and(|before| before.state() == after.state()) && old.as_ref() == Some(&new) {
            return Ok(());
        }
        let (times, outcome) = (new.times, new.outcome.as_ref());
        let reasons: Vec<_> =
            outcome.iter().flat_map(|outcome| &outcome.reasons).map(|reason| reason.as_str()).collect();
        let millis = |at: Option<Timestamp>| at.map(|at| at.0);
        sql::query(
            "INSERT INTO callout_facts (callout, purpose, agency, zone, state, first_contact_at, opened_at, first_page_at,
                 acknowledged_at, accepted_at, en_route_at, arrived_at, with_young_person_at, handed_over_at, ended_at,
                 reviewed_at, review_due_at, target_ms, unanswered, language_match, reasons, support, kits_given)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
             ON CONFLICT (callout) DO UPDATE SET
                 state = excluded.state,
                 first_page_at = coalesce(callout_facts.first_page_at, excluded.first_page_at),
                 acknowledged_at = coalesce(callout_facts.acknowledged_at, excluded.acknowledged_at),
                 accepted_at = coalesce(callout_facts.accepted_at, excluded.accepted_at),
                 en_route_at = coalesce(callout_facts.en_route_at, excluded.en_route_at),
                 arrived_at = coalesce(callout_facts.arrived_at, excluded.arrived_at),
                 with_young_person_at = coalesce(callout_facts.with_young_person_at, excluded.with_young_person_at),
                 handed_over_at = coalesce(callout_facts.handed_over_at, excluded.handed_over_at),
                 ended_at = coalesce(callout_facts.ended_at, excluded.ended_at),
                 reviewed_at = coalesce(callout_facts.reviewed_at, excluded.reviewed_at),
                 review_due_at = coalesce(callout_facts.review_due_at, excluded.review_due_at),
                 unanswered = max(callout_facts.unanswered, excluded.unanswered),
                 language_match = coalesce(excluded.language_match, callout_facts.language_match),
                 reasons = excluded.reasons, support = excluded.support, kits_given = excluded.kits_given",
        )
        .bind(after.id().as_bytes())
        .bind(after.purpose().as_str())
        .bind(after.agency().as_bytes())
        .bind(after.routing().zone.as_str())
        .bind(after.state().as_str())
        .bind(times.first_contact_at.0)
        .bind(times.opened_at.0)
        .bind(millis(times.first_page_at))
        .bind(millis(times.acknowledged_at))
        .bind(millis(times.accepted_at))
        .bind(millis(times.en_route_at))
        .bind(millis(times.arrived_at))
        .bind(millis(times.with_young_person_at))
        .bind(millis(times.handed_over_at))
        .bind(millis(times.ended_at))
        .bind(millis(times.reviewed_at))
        .bind(millis(new.review_due_at))
        .bind(new.target.0.cast_signed())
        .bind(new.unanswered)
        .bind(new.language_match)
        .bind(reasons.join(" "))
        .bind(outcome.map(|outcome| outcome.support.as_str()))
        .bind(outcome.map(|outcome| i64::from(outcome.kits_given)))
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }

    /// Lets metrics count what a step has made true.
    pub(crate) fn count_step(&mut self, world: &World, before: Option<&Callout>, after: &Callout) {
        let ctx = world.context();
        let (old, new) = (before.map(|before| facts(before, &ctx).times), facts(after, &ctx).times);
        let first = |get: fn(&CalloutTimes) -> Option<Timestamp>| {
            get(&new).filter(|_| old.as_ref().and_then(get).is_none()).map(|at| at.since(new.opened_at))
        };
        if before.is_none() {
            self.after.happened(Happening::Opened(after.purpose()));
        }
        let answered = [
            first(|times| times.acknowledged_at).map(Happening::Acknowledged),
            first(|times| times.accepted_at).map(Happening::Accepted),
            first(|times| times.arrived_at).map(Happening::Arrived),
        ];
        let real = after.purpose().is_real();
        answered.into_iter().flatten().filter(|_| real).for_each(|what| self.after.happened(what));
        for PageNews { channel, after, outcome } in page_news(before, after) {
            self.after.happened(match outcome {
                PageOutcome::Reached(Receipt::HandedOver) => Happening::HandedOver(channel, after),
                PageOutcome::Reached(Receipt::Delivered) => Happening::Delivered(channel),
                PageOutcome::Failed(reason) => Happening::Failed(channel, reason),
            });
        }
    }

    /// Makes up for some callouts that have no facts. Answers how many there were.
    async fn make_up_facts(&mut self, now: Timestamp) -> Result<usize> {
        let without: Vec<Vec<u8>> = sql::query_scalar(
            "SELECT callout FROM callouts WHERE purpose <> $1 AND callout NOT IN (SELECT callout FROM callout_facts) LIMIT $2",
        )
        .bind(Purpose::Canary.as_str())
        .bind(BATCH)
        .fetch_all(&mut *self.conn)
        .await?;
        if without.is_empty() {
            return Ok(0);
        }
        let world = World::read(self.conn, now).await?;
        for callout in &without {
            if let Some(callout) = load_callout(self.conn, id(callout.clone())?).await? {
                self.save_facts(&world, None, &callout).await?;
            }
        }
        Ok(without.len())
    }
}

/// Computes the facts of callouts from before there were any, a few at a time, beside everything else.
pub(crate) async fn make_up(app: Shared) {
    loop {
        let now = app.clock.now();
        match app.store.write(move |tx| Box::pin(async move { tx.make_up_facts(now).await })).await {
            Ok(0) => return,
            Ok(callouts) => tracing::info!(callouts, "made up for callouts without facts for figures"),
            Err(error) => {
                tracing::error!(%error, "callouts without facts could not be made up for; the next start tries again");
                return;
            }
        }
    }
}

/// The facts of one callout.
pub(crate) async fn of_callout(conn: &mut Conn, callout: CalloutId) -> Result<Option<Fact>> {
    let row = sql::query("SELECT * FROM callout_facts WHERE callout = $1")
        .bind(callout.as_bytes())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(Fact::read).transpose()
}

/// The facts of all real callouts opened in a period, oldest first; of one agency's, if one is given.
///
/// # Errors
/// `too_large` for more than [`MAX_CALLOUTS`].
pub(crate) async fn of_period(conn: &mut Conn, period: Period, agency: Option<OrgId>) -> Result<Vec<Fact>> {
    let rows = sql::query(
        "SELECT * FROM callout_facts WHERE purpose = $1 AND opened_at >= $2 AND opened_at < $3
             AND ($4 IS NULL OR agency = $4) ORDER BY opened_at, callout LIMIT $5",
    )
    // Drills and canaries never count.
    .bind(Purpose::Real.as_str())
    .bind(period.from.0)
    .bind(period.until.0)
    .bind(agency.map(|agency| agency.0.to_vec()))
    .bind(i64::try_from(MAX_CALLOUTS).unwrap_or(i64::MAX).saturating_add(1))
    .fetch_all(conn)
    .await?;
    if rows.len() > MAX_CALLOUTS {
        let detail = format!("There are more than {MAX_CALLOUTS} callouts in this time: ask for a shorter one.");
        return Err(Error::from(Problem::with(ErrorCode::TooLarge, detail)));
    }
    rows.iter().map(Fact::read).collect()
}
