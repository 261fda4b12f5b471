//! The outbox: every page that was ordered, written in the transaction that ordered it, and sent from here at least once.
//!
//! A row is claimed with a lease before it is sent. A lease that ran out means that the server stopped in the middle:
//! the row is claimed again and labelled, since the page may have arrived.

use crate::{
    Result,
    paging::{MAX_TRIES, Outgoing, PageKind},
    store::{Store, Tx, id, word},
};
use firstlight_protocol::{CalloutId, ContactId, PageId, PersonId, Timestamp};
use sqlx::{Row, sqlite::SqliteRow};
use std::time::Duration;

/// How many pages one destination gets at the same time; its others wait without holding up anybody else's.
const PER_DESTINATION: i64 = 4;
/// How many pages may wait for one destination. More only come together at a receiver that stays silent, and the engine
/// calls by other ways long before: the newest are given up.
const QUEUE_PER_DESTINATION: i64 = 256;
/// How many rows one claim takes.
const CLAIM: i64 = 512;

/// A page as the engine ordered it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ordered {
    pub(super) page: PageId,
    pub(super) callout: CalloutId,
    pub(super) person: PersonId,
    /// The webhook; `None` for the app, whose rows are settled from the start.
    pub(super) contact: Option<ContactId>,
    pub(super) kind: PageKind,
    pub(super) attempt: u32,
}

/// A row that this process has claimed for sending.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claimed {
    pub(super) callout: CalloutId,
    pub(super) person: PersonId,
    pub(super) contact: ContactId,
    pub(super) outgoing: Outgoing,
    /// Which try this is, from 1.
    pub(super) tries: u32,
}

impl Claimed {
    fn read(row: &SqliteRow) -> Result<Self> {
        let kind: String = row.get("kind");
        Ok(Self {
            callout: id(row.get("callout"))?,
            person: id(row.get("person"))?,
            contact: id(row.get("contact"))?,
            outgoing: Outgoing {
                page: id(row.get("page"))?,
                kind: word(&kind)?,
                attempt: row.get("attempt"),
                redelivery: row.get("uncertain"),
            },
            tries: row.get("tries"),
        })
    }
}

/// What becomes of a row after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing more.
    Settled,
    /// Another try.
    Again {
        at: Timestamp,
        /// Whether this try may have arrived.
        uncertain: bool,
    },
}

impl Tx<'_> {
    /// Writes a page down. The same page again is the same row.
    pub(super) async fn order_page(&mut self, ordered: &Ordered, now: Timestamp) -> Result<()> {
        sqlx::query(
            "INSERT INTO outbox (page, callout, person, contact, kind, attempt, ordered_at, next_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        )
        .bind(ordered.page.as_bytes())
        .bind(ordered.callout.as_bytes())
        .bind(ordered.person.as_bytes())
        .bind(ordered.contact.as_ref().map(|c| c.as_bytes()))
        .bind(ordered.kind.as_str())
        .bind(ordered.attempt)
        .bind(now.0)
        .bind(ordered.contact.map(|_| now.0))
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }

    /// Takes back the calls to a person that have not gone out yet: nobody is called after they stood down.
    pub(super) async fn drop_pages(&mut self, callout: CalloutId, person: PersonId) -> Result<()> {
        sqlx::query(
            "UPDATE outbox SET next_at = NULL, lease_until = NULL
             WHERE callout = $1 AND person = $2 AND kind = 'page' AND next_at IS NOT NULL",
        )
        .bind(callout.as_bytes())
        .bind(person.as_bytes())
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }

    /// The webhooks by which a person was called, or may have been.
    pub(super) async fn rung(&mut self, callout: CalloutId, person: PersonId) -> Result<Vec<ContactId>> {
        let rows: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT DISTINCT contact FROM outbox
             WHERE callout = $1 AND person = $2 AND kind = 'page' AND contact IS NOT NULL AND tries > 0",
        )
        .bind(callout.as_bytes())
        .bind(person.as_bytes())
        .fetch_all(&mut *self.conn)
        .await?;
        rows.into_iter().map(id).collect()
    }

    /// The callout and person of a page.
    pub(crate) async fn page(&mut self, page: PageId) -> Result<Option<(CalloutId, PersonId)>> {
        let row = sqlx::query("SELECT callout, person FROM outbox WHERE page = $1")
            .bind(page.as_bytes())
            .fetch_optional(&mut *self.conn)
            .await?;
        row.map(|row| Ok((id(row.get("callout"))?, id(row.get("person"))?))).transpose()
    }

    /// Gives up every claim. What had one may have arrived: it stays labelled by the lease that ran out.
    pub(super) async fn release_pages(&mut self, now: Timestamp) -> Result<()> {
        sqlx::query("UPDATE outbox SET lease_until = $1 WHERE lease_until > $1")
            .bind(now.0)
            .execute(&mut *self.conn)
            .await?;
        Ok(())
    }

    /// Writes down what becomes of a row. False if it was taken back, or claimed by somebody else, in the meantime.
    pub(super) async fn settle_page(&mut self, claimed: &Claimed, next: Next) -> Result<bool> {
        let (at, uncertain) = match next {
            Next::Settled => (None, false),
            Next::Again { at, uncertain } => (Some(at.0), uncertain),
        };
        let done = sqlx::query(
            "UPDATE outbox SET next_at = $3, lease_until = NULL, uncertain = uncertain OR $4
             WHERE page = $1 AND tries = $2 AND next_at IS NOT NULL",
        )
        .bind(claimed.outgoing.page.as_bytes())
        .bind(claimed.tries)
        .bind(at)
        .bind(uncertain)
        .execute(&mut *self.conn)
        .await?;
        Ok(done.rows_affected() > 0)
    }
}

impl Store {
    /// Claims what is due: for each destination as many as it has free places, those that waited longest first.
    /// The second list are rows to give up: too many wait for the same destination.
    pub(super) async fn claim_pages(&self, now: Timestamp, lease: Duration) -> Result<(Vec<Claimed>, Vec<Claimed>)> {
        let due: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM outbox WHERE next_at <= $1 AND (lease_until IS NULL OR lease_until <= $1) LIMIT 1",
        )
        .bind(now.0)
        .fetch_optional(self.read_for_dispatch())
        .await?;
        if due.is_none() {
            return Ok((Vec::new(), Vec::new()));
        }
        self.write(move |tx| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "WITH waiting AS (
                         SELECT page, next_at, lease_until, row_number() OVER (
                             PARTITION BY contact ORDER BY coalesce(lease_until, 0) > $1 DESC, next_at, page
                         ) AS place FROM outbox WHERE next_at IS NOT NULL
                     )
                     UPDATE outbox SET lease_until = $2, tries = tries + 1, uncertain = uncertain OR lease_until IS NOT NULL
                     WHERE page IN (
                         SELECT page FROM waiting WHERE place <= $3 AND next_at <= $1
                            AND (lease_until IS NULL OR lease_until <= $1) ORDER BY next_at LIMIT $4
                     ) RETURNING *",
                )
                .bind(now.0)
                .bind((now + lease).0)
                .bind(PER_DESTINATION)
                .bind(CLAIM)
                .fetch_all(&mut *tx.conn)
                .await?;
                let given_up = sqlx::query(
                    "WITH waiting AS (
                         SELECT page, row_number() OVER (PARTITION BY contact ORDER BY ordered_at, page) AS place
                         FROM outbox WHERE next_at IS NOT NULL
                     )
                     SELECT * FROM outbox WHERE page IN (SELECT page FROM waiting WHERE place > $1)
                         AND lease_until IS NULL LIMIT $2",
                )
                .bind(QUEUE_PER_DESTINATION)
                .bind(CLAIM)
                .fetch_all(&mut *tx.conn)
                .await?;
                Ok((read_all(&rows)?, read_all(&given_up)?))
            })
        })
        .await
    }

    /// The next moment at which a row falls due or a lease runs out.
    pub(super) async fn next_page_due(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let next: Option<i64> = sqlx::query_scalar(
            "SELECT min(coalesce(lease_until, next_at)) FROM outbox
             WHERE next_at IS NOT NULL AND coalesce(lease_until, next_at) > $1",
        )
        .bind(now.0)
        .fetch_one(self.read_for_dispatch())
        .await?;
        Ok(next.map(Timestamp))
    }

    /// How many rows have been due for longer than `patience` although their destination had a free place, or were left
    /// behind by a sender.
    pub(super) async fn stuck_pages(&self, now: Timestamp, patience: Duration) -> Result<i64> {
        Ok(sqlx::query_scalar(
            "WITH waiting AS (
                 SELECT coalesce(lease_until, next_at) AS since, row_number() OVER (
                     PARTITION BY contact ORDER BY coalesce(lease_until, 0) > $1 DESC, next_at, page
                 ) AS place FROM outbox WHERE next_at IS NOT NULL
             )
             SELECT count(*) FROM waiting WHERE since <= $2 AND place <= $3",
        )
        .bind(now.0)
        .bind((now - patience).0)
        .bind(PER_DESTINATION)
        .fetch_one(self.read_for_dispatch())
        .await?)
    }
}

fn read_all(rows: &[SqliteRow]) -> Result<Vec<Claimed>> {
    rows.iter().map(Claimed::read).collect()
}

/// Whether a row has another try left.
pub(super) fn has_another_try(tries: u32) -> bool {
    tries < MAX_TRIES
}
