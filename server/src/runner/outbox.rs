//! The outbox: every page and message that was ordered, written in the transaction that ordered it, and sent from here at
//! least once.
//!
//! A row is claimed with a lease before it is sent; each claim is one leg. A lease that ran out means that the server
//! stopped in the middle: the row is claimed again and labelled, since the page may have arrived.
//!
//! A row stands in the **lane** of its provider and in the queue of its destination. Each has a number of places, and a
//! row that waits for one takes none from others: a provider that stalls fills its own lane and nothing else.

use super::legs::begin_legs;
use crate::store::sql::{self, Row};
use crate::{
    Result,
    paging::{Channels, MAX_TRIES, SMS_LANE},
    store::{Store, Tx, id, word},
};
use firstlight_dispatch::Callout;
use firstlight_protocol::{
    CalloutId, ContactId, PageId, PersonId, Timestamp,
    api::MessageKind,
    callout::{Code, Phone, Purpose},
};
use std::time::Duration;

/// How many pages one destination gets at the same time; its others wait without holding up anybody else's.
const PER_DESTINATION: i64 = 4;
/// How many pages may wait for one destination. More only come together at a receiver that stays silent, and the engine
/// calls by other ways long before: the newest are given up.
const QUEUE_PER_DESTINATION: i64 = 256;
/// How many rows one claim takes.
const CLAIM: i64 = 512;

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// The person's devices: handed over by the commit itself, so its row is settled from the start.
    App,
    /// A contact method of the person's.
    Contact(ContactId),
    /// By SMS to a number that is nobody's contact method: an officer without the app.
    Phone(Phone),
    /// One of the policy's outside webhooks.
    Outside(Code),
    /// Nowhere but through the whole pipeline: what the canary sends.
    Loopback,
}

/// A page or message as it was ordered.
#[derive(Debug, Clone)]
pub(crate) struct Ordered {
    /// The idempotency key: ordered again, it is the same row.
    pub(crate) page: PageId,
    /// The callout that it belongs to.
    pub(crate) callout: Option<CalloutId>,
    /// Whom it is for.
    pub(crate) person: Option<PersonId>,
    pub(crate) to: Destination,
    pub(crate) kind: MessageKind,
    /// The how-manieth call to this person in this callout, from 1.
    pub(crate) attempt: u32,
    /// What its text says besides the words: minutes, or a code, by kind; 0 for the others.
    pub(crate) arg: i64,
}

impl Ordered {
    /// A page of a callout's.
    pub(super) fn page(
        callout: &Callout,
        page: PageId,
        person: Option<PersonId>,
        to: Destination,
        attempt: u32,
    ) -> Self {
        Self {
            page,
            callout: Some(callout.id()),
            person,
            to,
            kind: MessageKind::Page,
            attempt,
            arg: (callout.purpose() == Purpose::Drill).into(),
        }
    }
}

impl Ordered {
    /// The kind of words that it says: a page of a drill never says those of a real one.
    pub(super) fn says(&self) -> MessageKind {
        match self.kind {
            MessageKind::Page if self.arg != 0 => MessageKind::Drill,
            kind => kind,
        }
    }
}

/// A row that this process has claimed for sending.
#[derive(Debug, Clone)]
pub(super) struct Claimed {
    pub(super) ordered: Ordered,
    /// An earlier try may have arrived.
    pub(super) redelivery: bool,
    /// Which try this is, from 1: the number of its leg.
    pub(super) tries: u32,
}

impl Claimed {
    fn read(row: &Row) -> Result<Self> {
        let kind: String = row.get("kind");
        let optional = |column: &str| row.get::<Option<Vec<u8>>>(column);
        let ordered = Ordered {
            page: id(row.get("page"))?,
            callout: optional("callout").map(id).transpose()?,
            person: optional("person").map(id).transpose()?,
            to: Destination::read(row)?,
            kind: word(&kind)?,
            attempt: row.get("attempt"),
            arg: row.get("arg"),
        };
        Ok(Self { ordered, redelivery: row.get("uncertain"), tries: row.get("tries") })
    }
}

impl Destination {
    fn word(&self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Contact(_) => "contact",
            Self::Phone(_) => "phone",
            Self::Outside(_) => "outside",
            Self::Loopback => "loopback",
        }
    }

    pub(super) fn read(row: &Row) -> Result<Self> {
        let (destination, address): (String, Option<String>) = (row.get("destination"), row.get("address"));
        let address = address.unwrap_or_default();
        Ok(match destination.as_str() {
            "contact" => Self::Contact(id(row.get::<Option<Vec<u8>>>("contact").unwrap_or_default())?),
            "phone" => Self::Phone(word(&address)?),
            "outside" => Self::Outside(word(&address)?),
            "loopback" => Self::Loopback,
            _ => Self::App,
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
    /// Writes a page down; it goes out when this commits. The same page again is the same row.
    pub(crate) async fn order_page(&mut self, ordered: &Ordered, now: Timestamp) -> Result<()> {
        let Ordered { page, callout, person, to, kind, attempt, arg } = ordered;
        let (contact, address) = match to {
            Destination::App | Destination::Loopback => (None, None),
            Destination::Contact(contact) => (Some(*contact), None),
            Destination::Phone(number) => (None, Some(number.as_str())),
            Destination::Outside(code) => (None, Some(code.as_str())),
        };
        let (channel, lane) = self.lane(*person, to).await?;
        sql::query(
            "INSERT INTO outbox
                 (page, callout, person, destination, contact, address, channel, lane, kind, attempt, arg, ordered_at, next_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
        )
        .bind(page.as_bytes())
        .bind(callout.as_ref().map(|callout| callout.as_bytes()))
        .bind(person.as_ref().map(|person| person.as_bytes()))
        .bind(to.word())
        .bind(contact.as_ref().map(|contact| contact.as_bytes()))
        .bind(address)
        .bind(channel)
        .bind(lane)
        .bind(kind.as_str())
        .bind(attempt)
        .bind(arg)
        .bind(now.0)
        .bind((*to != Destination::App).then_some(now.0))
        .execute(&mut *self.conn)
        .await?;
        self.after.dispatch();
        Ok(())
    }

    /// The kind of channel, and the provider whose limit a message counts against.
    async fn lane(&mut self, person: Option<PersonId>, to: &Destination) -> Result<(&'static str, String)> {
        let contact = match (to, person) {
            (Destination::Contact(contact), Some(person)) => self.contact(person, *contact).await?,
            _ => None,
        };
        Ok(match (to, contact) {
            (_, Some(row)) => (row.method.channel().word(), Channels::lane(&row.method)),
            (Destination::App, _) => ("in_app", "app".into()),
            (Destination::Phone(_), _) => ("sms", SMS_LANE.into()),
            (Destination::Outside(code), _) => ("webhook", format!("outside {code}")),
            (Destination::Loopback, _) => ("loopback", "loopback".into()),
            // It was removed in between: its try says so.
            (Destination::Contact(_), None) => ("webhook", "removed".into()),
        })
    }

    /// Takes back the calls to a person that have not gone out yet: nobody is called after they stood down.
    pub(super) async fn drop_pages(&mut self, callout: CalloutId, person: PersonId) -> Result<()> {
        sql::query(
            "UPDATE outbox SET next_at = NULL, lease_until = NULL
             WHERE callout = $1 AND person = $2 AND kind IN ('page', 'notice') AND next_at IS NOT NULL",
        )
        .bind(callout.as_bytes())
        .bind(person.as_bytes())
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }

    /// The contact methods by which a person was called, or may have been.
    pub(super) async fn rung(&mut self, callout: CalloutId, person: PersonId) -> Result<Vec<ContactId>> {
        let rows: Vec<Vec<u8>> = sql::query_scalar(
            "SELECT DISTINCT contact FROM outbox
             WHERE callout = $1 AND person = $2 AND kind IN ('page', 'notice') AND contact IS NOT NULL AND tries > 0",
        )
        .bind(callout.as_bytes())
        .bind(person.as_bytes())
        .fetch_all(&mut *self.conn)
        .await?;
        rows.into_iter().map(id).collect()
    }

    /// The callout and person of a page.
    pub(crate) async fn page(&mut self, page: PageId) -> Result<Option<(CalloutId, PersonId)>> {
        let row = sql::query(
            "SELECT callout, person FROM outbox WHERE page = $1 AND callout IS NOT NULL AND person IS NOT NULL",
        )
        .bind(page.as_bytes())
        .fetch_optional(&mut *self.conn)
        .await?;
        row.map(|row| Ok((id(row.get("callout"))?, id(row.get("person"))?))).transpose()
    }

    /// Gives up every claim. What had one may have arrived: it stays labelled by the lease that ran out.
    pub(super) async fn release_pages(&mut self, now: Timestamp) -> Result<()> {
        sql::query("UPDATE outbox SET lease_until = $1 WHERE lease_until > $1")
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
        // A code has done its work once it is sent; a call reads it out only after it was answered.
        let done = sql::query(
            "UPDATE outbox SET next_at = $3, lease_until = NULL, uncertain = max(uncertain, $4),
                    arg = CASE WHEN kind = 'verify' AND channel <> 'voice' AND $3 IS NULL THEN 0 ELSE arg END
             WHERE page = $1 AND tries = $2 AND next_at IS NOT NULL",
        )
        .bind(claimed.ordered.page.as_bytes())
        .bind(claimed.tries)
        .bind(at)
        .bind(uncertain)
        .execute(&mut *self.conn)
        .await?;
        Ok(done.rows_affected() > 0)
    }
}

/// How many places each provider has. Telephony accounts take over for each other, so theirs are one pool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) telephony: i64,
    pub(super) others: i64,
}

/// What a claim found.
#[derive(Debug, Default)]
pub(super) struct Claim {
    /// To be sent now.
    pub(super) claimed: Vec<Claimed>,
    /// To be given up: too many wait for the same destination, or every try was used without anybody noting how it went.
    pub(super) given_up: Vec<Claimed>,
}

impl Store {
    /// Claims what is due: for each destination and each provider as many as it has free places, callouts' pages before
    /// tests and notices, and of each those that waited longest first.
    pub(super) async fn claim_pages(&self, now: Timestamp, lease: Duration, places: Places) -> Result<Claim> {
        let due: Option<i64> = sql::query_scalar(
            "SELECT 1 FROM outbox WHERE next_at <= $1 AND (lease_until IS NULL OR lease_until <= $1) LIMIT 1",
        )
        .bind(now.0)
        .fetch_optional(self.read_for_dispatch())
        .await?;
        if due.is_none() {
            return Ok(Claim::default());
        }
        self.write(move |tx| {
            Box::pin(async move {
                let given_up = sql::query(
                    "WITH waiting AS (
                         SELECT page, row_number() OVER (
                             PARTITION BY lane, person, contact, address ORDER BY ordered_at, page
                         ) AS place FROM outbox WHERE next_at IS NOT NULL
                     )
                     SELECT * FROM outbox WHERE next_at IS NOT NULL AND (
                         lease_until IS NULL AND page IN (SELECT page FROM waiting WHERE place > $1)
                         OR tries >= $4 AND (lease_until IS NULL OR lease_until <= $3)
                     ) LIMIT $2",
                )
                .bind(QUEUE_PER_DESTINATION)
                .bind(CLAIM)
                .bind(now.0)
                .bind(MAX_TRIES)
                .fetch_all(&mut *tx.conn)
                .await?;
                // A row's place in its lane counts only rows that have a place at their destination: one that waits for
                // its own destination is in nobody's way.
                let rows = sql::query(
                    "WITH at_destination AS (
                         SELECT page, lane, next_at, lease_until, tries, kind, row_number() OVER (
                             PARTITION BY lane, person, contact, address
                             ORDER BY coalesce(lease_until, 0) > $1 DESC, next_at > $1, kind <> 'page', next_at, page
                         ) AS place FROM outbox WHERE next_at IS NOT NULL
                     ), in_lane AS (
                         SELECT page, lane, next_at, lease_until, tries, kind, row_number() OVER (
                             PARTITION BY lane
                             ORDER BY coalesce(lease_until, 0) > $1 DESC, next_at > $1, kind <> 'page', next_at, page
                         ) AS place FROM at_destination WHERE place <= $3
                     )
                     UPDATE outbox SET lease_until = $2, tries = tries + 1, claimed_by = $8, uncertain = CASE WHEN lease_until IS NULL THEN uncertain ELSE 1 END
                     WHERE page IN (
                         SELECT page FROM in_lane WHERE place <= CASE WHEN lane IN ('telephony sms', 'telephony voice') THEN $5 ELSE $6 END AND next_at <= $1
                            AND (lease_until IS NULL OR lease_until <= $1) AND tries < $7
                         ORDER BY kind <> 'page', next_at LIMIT $4
                     ) RETURNING *",
                )
                .bind(now.0)
                .bind((now + lease).0)
                .bind(PER_DESTINATION)
                .bind(CLAIM)
                .bind(places.telephony)
                .bind(places.others)
                .bind(MAX_TRIES)
                .bind(&tx.bus.node().0)
                .fetch_all(&mut *tx.conn)
                .await?;
                let claim = Claim { claimed: read_all(&rows)?, given_up: read_all(&given_up)? };
                begin_legs(tx.conn, &claim.claimed, now).await?;
                Ok(claim)
            })
        })
        .await
    }

    /// Whether a claim still stands; to be asked just before its request.
    ///
    /// A moment passes between claim and request, and a suspended machine makes hours of it. Whoever stood down meanwhile
    /// is not called any more, and a row that somebody else has claimed since is theirs to send: both are found by
    /// server/dispatch/tests/model in a protocol that doesn't look again.
    pub(super) async fn is_held(&self, claimed: &Claimed) -> Result<bool> {
        let held: Option<i64> =
            sql::query_scalar("SELECT 1 FROM outbox WHERE page = $1 AND tries = $2 AND next_at IS NOT NULL")
                .bind(claimed.ordered.page.as_bytes())
                .bind(claimed.tries)
                .fetch_optional(self.read_for_dispatch())
                .await?;
        Ok(held.is_some())
    }

    /// The next moment at which a row falls due or a lease runs out.
    pub(super) async fn next_page_due(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let next: Option<i64> = sql::query_scalar(
            "SELECT min(coalesce(lease_until, next_at)) FROM outbox
             WHERE next_at IS NOT NULL AND coalesce(lease_until, next_at) > $1",
        )
        .bind(now.0)
        .fetch_one(self.read_for_dispatch())
        .await?;
        Ok(next.map(Timestamp))
    }

    /// How many rows have been due for longer than `patience` although their destination and provider had a free place,
    /// or were left behind by a sender.
    pub(super) async fn stuck_pages(&self, now: Timestamp, patience: Duration, places: Places) -> Result<i64> {
        Ok(sql::query_scalar(
            "WITH at_destination AS (
                 SELECT page, lane, next_at, lease_until, kind, row_number() OVER (
                     PARTITION BY lane, person, contact, address
                     ORDER BY coalesce(lease_until, 0) > $1 DESC, next_at > $1, kind <> 'page', next_at, page
                 ) AS place FROM outbox WHERE next_at IS NOT NULL
             ), in_lane AS (
                 SELECT lane, coalesce(lease_until, next_at) AS since, row_number() OVER (
                     PARTITION BY lane
                     ORDER BY coalesce(lease_until, 0) > $1 DESC, next_at > $1, kind <> 'page', next_at, page
                 ) AS place FROM at_destination WHERE place <= $3
             )
             SELECT count(*) FROM in_lane WHERE since <= $2 AND place <= CASE WHEN lane IN ('telephony sms', 'telephony voice') THEN $4 ELSE $5 END",
        )
        .bind(now.0)
        .bind((now - patience).0)
        .bind(PER_DESTINATION)
        .bind(places.telephony)
        .bind(places.others)
        .fetch_one(self.read_for_dispatch())
        .await?)
    }
}

fn read_all(rows: &[Row]) -> Result<Vec<Claimed>> {
    rows.iter().map(Claimed::read).collect()
}

/// Whether a row has another try left.
pub(super) fn has_another_try(tries: u32) -> bool {
    tries < MAX_TRIES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::Bus;

    const LEASE: Duration = Duration::from_secs(5);
    const PLACES: Places = Places { telephony: 4, others: 4 };

    async fn claim(store: &Store, now: i64) -> Option<Claimed> {
        store.claim_pages(Timestamp(now), LEASE, PLACES).await.unwrap().claimed.pop()
    }

    #[tokio::test]
    async fn a_claim_stands_until_it_is_settled_taken_back_or_somebody_elses() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Bus::default()).await.unwrap();
        let ordered = Ordered {
            page: PageId([1; 16]),
            callout: None,
            person: None,
            to: Destination::Loopback,
            kind: MessageKind::Test,
            attempt: 1,
            arg: 0,
        };
        store.write(move |tx| Box::pin(async move { tx.order_page(&ordered, Timestamp(0)).await })).await.unwrap();

        let first = claim(&store, 0).await.unwrap();
        assert!(store.is_held(&first).await.unwrap() && !first.redelivery);
        assert!(claim(&store, 4_999).await.is_none());

        // Its sender stood still for longer than the lease.
        let second = claim(&store, 5_000).await.unwrap();
        assert!(!store.is_held(&first).await.unwrap(), "it is another sender's now");
        assert!(store.is_held(&second).await.unwrap() && second.redelivery);

        let settled = second.clone();
        let settle = |claimed: Claimed| {
            store.write(move |tx| Box::pin(async move { tx.settle_page(&claimed, Next::Settled).await }))
        };
        assert!(!settle(first).await.unwrap());
        assert!(settle(settled).await.unwrap());
        assert!(!store.is_held(&second).await.unwrap(), "nothing is sent that is settled or was taken back");
    }
}
