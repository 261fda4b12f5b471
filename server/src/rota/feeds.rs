//! Calendar feeds: secret addresses, so that somebody's own calendar shows their duty.
//!
//! A calendar program can't sign in, so the address is the key: 256 random bits, of which the server keeps a digest. A
//! feed ends when it is revoked, and with the last device of the person whom it shows or who made it.

use super::plan::{KEEPERS, READERS, require_able, require_host, require_own};
use crate::store::sql::{self, Row};
use crate::{
    Error, Result, Shared,
    app::random,
    bus::Bus,
    caller::Caller,
    extract::{Json, Path},
    limit::RateLimit,
    store::{Store, Tx, id, word},
};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{
    ErrorCode, FeedId, PersonId, Problem, Secret, Timestamp,
    api::{FeedList, FeedMade, FeedOf, FeedView, MakeFeed},
};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// The most feeds of one maker that are alive.
const MOST_FEEDS: i64 = 50;
/// How many feeds a list holds.
const LISTED: i64 = 500;

/// How often feeds may be read.
#[derive(Debug)]
pub struct Feeds {
    /// By address of whoever asks, so that nobody tries secrets.
    pub(super) peers: RateLimit,
    /// By feed: calendar programs ask a few times an hour.
    pub(super) feeds: RateLimit,
}

impl Feeds {
    /// Nothing was read yet.
    pub fn new(bus: &Bus) -> Self {
        Self {
            peers: bus.limit("rota.peers", 60, Duration::from_secs(2)),
            feeds: bus.limit("rota.feeds", 20, Duration::from_secs(60)),
        }
    }
}

/// Makes a feed. Its address is told once; a person's own feed is theirs to make, every other one a supervisor's or
/// admin's.
#[utoipa::path(post, path = "/v1/feeds", tag = "rota", request_body = MakeFeed, responses(
    (status = 200, body = FeedMade), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn make(
    State(app): State<Shared>,
    caller: Caller,
    Json(MakeFeed { id, of }): Json<MakeFeed>,
) -> Result<Json<FeedMade>> {
    require_host(&app, &caller, &READERS).await?;
    match of {
        FeedOf::Person(person) => {
            require_own(&caller, person)?;
            require_able(&app, &caller, &[person]).await?;
        }
        FeedOf::Tier(tier) if !tier.is_on_rota() => {
            let detail = "of: the tiers of a rota are primary, backup and supervisor.";
            return Err(Problem::with(ErrorCode::InvalidValue, detail).into());
        }
        FeedOf::Tier(_) | FeedOf::Rota => caller.require(&KEEPERS)?,
    }
    let secret = Secret::from_random(&random::<32>()?);
    let (now, digest) = (app.clock.now(), secret.digest());
    app.store.write(move |tx| Box::pin(async move { tx.make_feed(id, of, digest, &caller, now).await })).await?;
    Ok(Json(FeedMade { id, path: Secret::new(format!("/v1/ical/{}.ics", secret.reveal())) }))
}

/// The caller's feeds; for supervisors and admins, everybody's.
#[utoipa::path(get, path = "/v1/feeds", tag = "rota", responses(
    (status = 200, body = FeedList), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn list(State(app): State<Shared>, caller: Caller) -> Result<Json<FeedList>> {
    require_host(&app, &caller, &READERS).await?;
    let rows =
        sql::query("SELECT * FROM feeds WHERE $1 OR made_by = $2 OR person = $2 ORDER BY made_at DESC, feed LIMIT $3")
            .bind(KEEPERS.contains(&caller.role))
            .bind(caller.person.as_bytes())
            .bind(LISTED)
            .fetch_all(app.store.read())
            .await?;
    Ok(Json(FeedList { feeds: rows.iter().map(view).collect::<Result<_>>()? }))
}

/// Revokes a feed: its address answers nobody any more. One that is revoked already is no error.
#[utoipa::path(delete, path = "/v1/feeds/{feed}", tag = "rota", params(("feed" = FeedId, Path, description = "The feed")),
    responses((status = 204), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn revoke(State(app): State<Shared>, caller: Caller, Path(feed): Path<FeedId>) -> Result<StatusCode> {
    require_host(&app, &caller, &READERS).await?;
    let now = app.clock.now();
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let row = sql::query("SELECT * FROM feeds WHERE feed = $1")
                    .bind(feed.as_bytes())
                    .fetch_optional(&mut *tx.conn)
                    .await?;
                let known = row.as_ref().map(view).transpose()?.ok_or(ErrorCode::NotFound)?;
                let own = known.made_by == caller.person || known.of == FeedOf::Person(caller.person);
                if !own && !KEEPERS.contains(&caller.role) {
                    return Err(Error::from(ErrorCode::NotFound));
                }
                if known.revoked_at.is_some() {
                    return Ok(());
                }
                sql::query("UPDATE feeds SET revoked_at = $2 WHERE feed = $1")
                    .bind(feed.as_bytes())
                    .bind(now.0)
                    .execute(&mut *tx.conn)
                    .await?;
                tx.audit(now, Some(caller.device), "feed.revoke", feed, "").await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(row: &Row) -> Result<FeedView> {
    let (person, tier): (Option<Vec<u8>>, Option<&str>) = (row.get("person"), row.get("tier"));
    Ok(FeedView {
        id: id(row.get("feed"))?,
        of: match (person, tier) {
            (Some(person), _) => FeedOf::Person(id(person)?),
            (None, Some(tier)) => FeedOf::Tier(word(tier)?),
            (None, None) => FeedOf::Rota,
        },
        made_by: id(row.get("made_by"))?,
        made_at: Timestamp(row.get("made_at")),
        revoked_at: row.get::<Option<i64>>("revoked_at").map(Timestamp),
    })
}

impl Tx<'_> {
    async fn make_feed(
        &mut self,
        feed: FeedId,
        of: FeedOf,
        digest: [u8; 32],
        caller: &Caller,
        now: Timestamp,
    ) -> Result<()> {
        let alive: i64 = sql::query_scalar("SELECT count(*) FROM feeds WHERE made_by = $1 AND revoked_at IS NULL")
            .bind(caller.person.as_bytes())
            .fetch_one(&mut *self.conn)
            .await?;
        if alive >= MOST_FEEDS {
            let detail = format!("You have {MOST_FEEDS} feeds: revoke one first.");
            return Err(Problem::with(ErrorCode::TooLarge, detail).into());
        }
        let (person, tier) = match of {
            FeedOf::Person(person) => (Some(person.0.to_vec()), None),
            FeedOf::Tier(tier) => (None, Some(tier.as_str())),
            FeedOf::Rota => (None, None),
        };
        let made = sql::query(
            "INSERT INTO feeds (feed, digest, person, tier, made_by, made_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (feed) DO NOTHING",
        )
        .bind(feed.as_bytes())
        .bind(digest.as_slice())
        .bind(person)
        .bind(tier)
        .bind(caller.person.as_bytes())
        .bind(now.0)
        .execute(&mut *self.conn)
        .await?;
        if made.rows_affected() == 0 {
            let detail = "This feed was made before, and its address can't be told again: revoke it, and make another.";
            return Err(Problem::with(ErrorCode::Conflict, detail).into());
        }
        let what = match of {
            FeedOf::Person(person) => person.to_string(),
            FeedOf::Tier(tier) => tier.to_string(),
            FeedOf::Rota => "rota".to_owned(),
        };
        self.audit(now, Some(caller.device), "feed.make", feed, what).await
    }

    /// Ends the feeds of somebody who has no device any more, and those that they made.
    pub(crate) async fn revoke_feeds_of_gone(&mut self, person: PersonId, now: Timestamp) -> Result<()> {
        sql::query(
            "UPDATE feeds SET revoked_at = $2 WHERE revoked_at IS NULL AND (person = $1 OR made_by = $1)
                AND NOT EXISTS (SELECT 1 FROM devices WHERE devices.person = $1 AND revoked_at IS NULL)",
        )
        .bind(person.as_bytes())
        .bind(now.0)
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }
}

impl Store {
    /// The living feed behind a secret.
    pub(super) async fn feed(&self, secret: &Secret) -> Result<Option<FeedView>> {
        let digest = secret.digest();
        let row = sql::query("SELECT * FROM feeds WHERE digest = $1 AND revoked_at IS NULL")
            .bind(digest.as_slice())
            .fetch_optional(self.read())
            .await?;
        // The index compares digests, which say nothing of the secret; this one takes the same time whatever differs.
        let same = |row: &Row| bool::from(row.get::<Vec<u8>>("digest").ct_eq(digest.as_slice()));
        row.filter(same).as_ref().map(view).transpose()
    }
}
