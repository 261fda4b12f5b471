//! Where a callout is kept: the engine's state in CBOR, and the columns that are searched.

use crate::store::sql::{self, Conn};
use crate::{
    Error, Result,
    store::{Store, Tx, id},
};
use firstlight_dispatch::Callout;
use firstlight_protocol::{
    CalloutId, OrgId, RoomId,
    wire::{from_cbor, to_cbor},
};

/// How many callouts a list holds besides those that are open.
const LISTED: i64 = 200;

pub(crate) fn decode(body: &[u8]) -> Result<Callout> {
    from_cbor(body).map_err(|e| Error::internal(format!("stored callout: {e}")))
}

/// Reads a callout.
pub(crate) async fn load(conn: &mut Conn, callout: CalloutId) -> Result<Option<Callout>> {
    let body: Option<Vec<u8>> = sql::query_scalar("SELECT body FROM callouts WHERE callout = $1")
        .bind(callout.as_bytes())
        .fetch_optional(conn)
        .await?;
    body.as_deref().map(decode).transpose()
}

impl Tx<'_> {
    /// Writes a callout down.
    pub(super) async fn save_callout(&mut self, callout: &Callout) -> Result<()> {
        let wakes = callout.is_paging() || callout.next_wake().is_some();
        sql::query(
            "INSERT INTO callouts (callout, agency, opener, zone, site, opened_at, state, closed, wakes, revision, room, body, purpose)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             ON CONFLICT (callout) DO UPDATE SET state = excluded.state, closed = excluded.closed, wakes = excluded.wakes,
                 revision = excluded.revision, room = excluded.room, body = excluded.body",
        )
        .bind(callout.id().as_bytes())
        .bind(callout.agency().as_bytes())
        .bind(callout.opened_by().as_bytes())
        .bind(callout.routing().zone.as_str())
        .bind(callout.routing().site.as_ref().map(|site| site.as_str()))
        .bind(callout.opened_at().0)
        .bind(callout.state().as_str())
        .bind(!callout.is_open())
        .bind(wakes)
        .bind(callout.revision().cast_signed())
        .bind(callout.room().map(|room| room.0.to_vec()))
        .bind(to_cbor(callout))
        .bind(callout.purpose().as_str())
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }

    /// Notes who was asked, so that they find the callout among theirs.
    pub(super) async fn save_responders(&mut self, before: Option<&Callout>, after: &Callout) -> Result<()> {
        for (person, _) in after.responders() {
            if before.is_some_and(|before| before.responders().any(|(known, _)| known == person)) {
                continue;
            }
            sql::query("INSERT INTO callout_people (person, callout) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(person.as_bytes())
                .bind(after.id().as_bytes())
                .execute(&mut *self.conn)
                .await?;
        }
        Ok(())
    }

    /// The callout that a room belongs to.
    pub(super) async fn callout_of_room(&mut self, room: RoomId) -> Result<Option<Callout>> {
        let body: Option<Vec<u8>> = sql::query_scalar("SELECT body FROM callouts WHERE room = $1")
            .bind(room.as_bytes())
            .fetch_optional(&mut *self.conn)
            .await?;
        body.as_deref().map(decode).transpose()
    }
}

impl Store {
    /// Callouts that should do something by themselves and have no timer. There are none, unless something is wrong.
    pub(super) async fn idle_callouts(&self) -> Result<Vec<CalloutId>> {
        let rows: Vec<Vec<u8>> = sql::query_scalar(
            "SELECT callout FROM callouts WHERE wakes = 1
                AND NOT EXISTS (SELECT 1 FROM timers WHERE timers.callout = callouts.callout) LIMIT 100",
        )
        .fetch_all(self.read_for_dispatch())
        .await?;
        rows.into_iter().map(id).collect()
    }
}

/// The newest callouts that an agency was notified of, or any agency was; newest first.
pub(crate) async fn of_agencies(conn: &mut Conn, agency: Option<OrgId>) -> Result<Vec<Callout>> {
    let rows: Vec<Vec<u8>> = sql::query_scalar(
        "SELECT c.body FROM callouts c WHERE c.callout IN (
             SELECT callout FROM agency_notices WHERE $1 IS NULL OR agency = $1 ORDER BY notified_at DESC LIMIT $2
         ) ORDER BY c.opened_at DESC",
    )
    .bind(agency.map(|org| org.0.to_vec()))
    .bind(LISTED)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|body| decode(body)).collect()
}

/// Which callouts somebody may find in their list.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose {
    /// All: supervisors.
    All,
    /// Those of an agency: watch commanders.
    Agency(firstlight_protocol::OrgId),
    /// Those that a person opened or was asked to.
    Person(firstlight_protocol::PersonId),
}

/// The open ones, and the newest of the others, newest first.
pub(crate) async fn list(conn: &mut Conn, whose: Whose) -> Result<Vec<Callout>> {
    let (condition, key) = match whose {
        Whose::All => ("$1 IS NOT NULL", Vec::new()),
        Whose::Agency(agency) => ("agency = $1", agency.0.to_vec()),
        Whose::Person(person) => {
            ("(opener = $1 OR callout IN (SELECT callout FROM callout_people WHERE person = $1))", person.0.to_vec())
        }
    };
    let sql = format!(
        "SELECT body FROM (SELECT body, opened_at FROM callouts WHERE {condition} AND purpose <> 'canary' ORDER BY closed, opened_at DESC LIMIT $2) newest
         ORDER BY opened_at DESC"
    );
    let rows: Vec<Vec<u8>> = sql::query_scalar(sqlx::AssertSqlSafe(sql)).bind(key).bind(LISTED).fetch_all(conn).await?;
    rows.iter().map(|body| decode(body)).collect()
}
