//! Every page of a callout with all its legs, for a supervisor to read.

use super::{legs::read_leg, outbox::Destination};
use crate::store::sql::{self, Conn, Row};
use crate::{
    Result,
    store::{id, word},
};
use firstlight_protocol::{
    CalloutId, PageId, Timestamp,
    api::{PageLeg, PageRecord},
    callout::FailReason,
    policy::Channel,
};
use std::collections::HashMap;

/// The most that one answer holds: the newest.
const MOST: i64 = 2_000;

/// Reads them, in the order in which they were ordered. Without the person's answer: the engine keeps that.
pub(crate) async fn page_records(conn: &mut Conn, callout: CalloutId) -> Result<Vec<PageRecord>> {
    let newest = "SELECT * FROM outbox WHERE callout = $1 ORDER BY ordered_at DESC, page LIMIT $2";
    let rows = sql::query(newest).bind(callout.as_bytes()).bind(MOST).fetch_all(&mut *conn).await?;
    let mut legs: HashMap<PageId, Vec<PageLeg>> = HashMap::new();
    for row in sql::query(
        "SELECT legs.* FROM legs JOIN outbox USING (page) WHERE outbox.callout = $1 ORDER BY legs.page, legs.leg",
    )
    .bind(callout.as_bytes())
    .fetch_all(conn)
    .await?
    {
        legs.entry(id(row.get("page"))?).or_default().push(read_leg(&row)?);
    }
    rows.iter().rev().map(|row| read(row, &mut legs)).collect()
}

fn read(row: &Row, legs: &mut HashMap<PageId, Vec<PageLeg>>) -> Result<PageRecord> {
    let page: PageId = id(row.get("page"))?;
    let (kind, channel, failed): (String, String, Option<String>) =
        (row.get("kind"), row.get("channel"), row.get("failed"));
    let channel = match Destination::read(row)? {
        Destination::App => Some(Channel::InApp),
        Destination::Contact(contact) => Channel::of(&channel, contact),
        Destination::Phone(_) | Destination::Outside(_) | Destination::Loopback => None,
    };
    let failed: Option<FailReason> = failed.as_deref().map(word).transpose()?;
    let at = |column: &str| row.get::<Option<i64>>(column).map(Timestamp);
    Ok(PageRecord {
        page,
        kind: word(&kind)?,
        person: row.get::<Option<Vec<u8>>>("person").map(id).transpose()?,
        channel,
        attempt: row.get("attempt"),
        ordered_at: Timestamp(row.get("ordered_at")),
        handed_over_at: at("handed_over_at"),
        delivered_at: at("delivered_at"),
        answered_at: None,
        failed,
        why: failed.map(|reason| reason.in_words().to_owned()),
        legs: legs.remove(&page).unwrap_or_default(),
    })
}
