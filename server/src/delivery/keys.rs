//! Key packages: what allows a device to be added to a room while it is asleep (RFC 9420 §10, RFC 9750 §5.1).

use super::check::chain_and_key;
use crate::store::sql;
use crate::{
    Result, Shared,
    bus::Bus,
    caller::Caller,
    extract::Json,
    limit::RateLimit,
    store::{Store, Tx},
};
use axum::extract::State;
use firstlight_protocol::{
    DeviceId, ErrorCode, Problem, Timestamp,
    api::{ClaimKeyPackages, ClaimedKeyPackage, KeyPackageCount, PublishKeyPackages},
    limits,
};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How many key packages one device may claim from one other at once, and how long until it may claim one more:
/// enough to build rooms all night, too slow to drain anybody.
const CLAIMS: (u32, Duration) = (20, Duration::from_secs(10));

/// The limit on claims, per pair of devices.
pub fn claim_limit(bus: &Bus) -> RateLimit {
    bus.limit("keys.claims", CLAIMS.0, CLAIMS.1)
}

/// How long it is remembered that a key package was given out: longer than any of them is good for (84 days, and a week).
const SPENT: Duration = Duration::from_secs(120 * 86_400);

/// Adds key packages of the calling device. One that was published before, as after a lost answer, is not added again.
#[utoipa::path(post, path = "/v1/key-packages", tag = "key packages", request_body = PublishKeyPackages,
    responses((status = 200, body = KeyPackageCount), (status = "4XX", body = Problem)))]
pub(super) async fn publish(
    State(app): State<Shared>,
    caller: Caller,
    Json(request): Json<PublishKeyPackages>,
) -> Result<Json<KeyPackageCount>> {
    if request.one_time.len() > limits::MAX_KEY_PACKAGES {
        return Err(ErrorCode::TooLarge.into());
    }
    if !app.config.suite_ids().contains(&request.suite) {
        return Err(Problem::with(ErrorCode::InvalidValue, "This server does not allow that ciphersuite.").into());
    }
    let anchors = app.identity.anchors()?;
    for package in request.one_time.iter().chain(&request.last_resort) {
        let (chain, key) = chain_and_key(&app.groups.crypto, package, request.suite)?;
        let identity = anchors.verify_device(&chain, app.clock.now()).map_err(Problem::from)?;
        if identity.device != caller.device || identity.key != key.as_slice() {
            return Err(Problem::with(ErrorCode::Forbidden, "A device publishes key packages of its own.").into());
        }
    }
    let device = caller.device;
    app.store.write(move |tx| Box::pin(async move { tx.publish_key_packages(device, request).await })).await?;
    Ok(Json(app.store.key_package_count(device).await?))
}

/// How many key packages of the calling device are left.
#[utoipa::path(get, path = "/v1/key-packages", tag = "key packages", responses((status = 200, body = KeyPackageCount)))]
pub(super) async fn count(State(app): State<Shared>, caller: Caller) -> Result<Json<KeyPackageCount>> {
    Ok(Json(app.store.key_package_count(caller.device).await?))
}

/// Takes one key package of each device. One-time packages are given out once; then the last resort.
#[utoipa::path(post, path = "/v1/key-packages/claim", tag = "key packages", request_body = ClaimKeyPackages,
    responses((status = 200, body = Vec<ClaimedKeyPackage>), (status = "4XX", body = Problem)))]
pub(super) async fn claim(
    State(app): State<Shared>,
    caller: Caller,
    Json(request): Json<ClaimKeyPackages>,
) -> Result<Json<Vec<ClaimedKeyPackage>>> {
    if request.devices.len() > limits::MAX_CLAIM {
        return Err(ErrorCode::TooLarge.into());
    }
    for device in &request.devices {
        app.claims.check((caller.device, *device), app.clock.now())?;
    }
    let now = app.clock.now();
    let claimed = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let mut claimed = Vec::with_capacity(request.devices.len());
                for device in request.devices {
                    let key_package = tx.claim_key_package(device, request.suite, now).await?;
                    claimed.push(ClaimedKeyPackage { device, key_package: key_package.map(Into::into) });
                }
                Ok(claimed)
            })
        })
        .await?;
    Ok(Json(claimed))
}

impl Tx<'_> {
    async fn publish_key_packages(&mut self, device: DeviceId, request: PublishKeyPackages) -> Result<()> {
        let mut one_time = Vec::with_capacity(request.one_time.len());
        for body in request.one_time {
            if !self.was_published(device, &body).await? {
                one_time.push(body);
            }
        }
        let kept: i64 = sql::query_scalar("SELECT COUNT(*) FROM key_packages WHERE device = $1 AND last_resort = 0")
            .bind(device.as_bytes())
            .fetch_one(&mut *self.conn)
            .await?;
        let all = usize::try_from(kept).unwrap_or(usize::MAX).saturating_add(one_time.len());
        if all > limits::MAX_KEY_PACKAGES {
            return Err(
                Problem::with(ErrorCode::TooLarge, "The server keeps enough key packages of this device.").into()
            );
        }
        if request.last_resort.is_some() {
            sql::query("DELETE FROM key_packages WHERE device = $1 AND suite = $2 AND last_resort = 1")
                .bind(device.as_bytes())
                .bind(i64::from(request.suite))
                .execute(&mut *self.conn)
                .await?;
        }
        let one_time = one_time.into_iter().map(|body| (body, false));
        for (body, last_resort) in one_time.chain(request.last_resort.into_iter().map(|body| (body, true))) {
            sql::query("INSERT INTO key_packages (device, suite, last_resort, body) VALUES ($1, $2, $3, $4)")
                .bind(device.as_bytes())
                .bind(i64::from(request.suite))
                .bind(last_resort)
                .bind(body.0)
                .execute(&mut *self.conn)
                .await?;
        }
        Ok(())
    }

    /// Whether a one-time key package waits here, or was given out: its secret is used once.
    async fn was_published(&mut self, device: DeviceId, body: &[u8]) -> Result<bool> {
        let known: Option<i64> = sql::query_scalar(
            "SELECT 1 FROM key_packages WHERE device = $1 AND last_resort = 0 AND body = $2
             UNION ALL SELECT 1 FROM spent_key_packages WHERE device = $1 AND digest = $3 LIMIT 1",
        )
        .bind(device.as_bytes())
        .bind(body)
        .bind(Sha256::digest(body).to_vec())
        .fetch_optional(&mut *self.conn)
        .await?;
        Ok(known.is_some())
    }

    async fn spend_key_package(&mut self, device: DeviceId, body: &[u8], now: Timestamp) -> Result<()> {
        sql::query("DELETE FROM spent_key_packages WHERE device = $1 AND at < $2")
            .bind(device.as_bytes())
            .bind((now - SPENT).0)
            .execute(&mut *self.conn)
            .await?;
        sql::query("INSERT INTO spent_key_packages (device, digest, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(device.as_bytes())
            .bind(Sha256::digest(body).to_vec())
            .bind(now.0)
            .execute(&mut *self.conn)
            .await?;
        Ok(())
    }

    async fn claim_key_package(&mut self, device: DeviceId, suite: u16, now: Timestamp) -> Result<Option<Vec<u8>>> {
        let row = sql::query(
            "SELECT n, last_resort, body FROM key_packages WHERE device = $1 AND suite = $2 ORDER BY last_resort, n LIMIT 1",
        )
        .bind(device.as_bytes())
        .bind(i64::from(suite))
        .fetch_optional(&mut *self.conn)
        .await?;
        let Some(row) = row else { return Ok(None) };
        if !row.get::<bool>("last_resort") {
            sql::query("DELETE FROM key_packages WHERE n = $1")
                .bind(row.get::<i64>("n"))
                .execute(&mut *self.conn)
                .await?;
            self.spend_key_package(device, row.get("body"), now).await?;
        }
        Ok(Some(row.get("body")))
    }
}

impl Store {
    async fn key_package_count(&self, device: DeviceId) -> Result<KeyPackageCount> {
        let row = sql::query(
            "SELECT CAST(COALESCE(SUM(1 - last_resort), 0) AS BIGINT) AS one_time, COALESCE(MAX(last_resort), 0) AS last_resort
             FROM key_packages WHERE device = $1",
        )
        .bind(device.as_bytes())
        .fetch_one(self.read())
        .await?;
        Ok(KeyPackageCount { one_time: row.get("one_time"), last_resort: row.get("last_resort") })
    }
}
