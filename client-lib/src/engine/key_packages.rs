//! Key packages: what others need to add this device while it is away (RFC 9420 §10).

use super::{
    Effect, Engine, EngineError, Step,
    group::{bytes_of, capabilities, lifetime, lifetime_end, suite},
    state::{KeyPackageRecord, key},
};
use firstlight_protocol::{
    Timestamp,
    api::{KeyPackageCount, PublishKeyPackages},
    limits::{KEY_PACKAGE_TARGET, MAX_KEY_PACKAGES},
};
use openmls::prelude::{KeyPackage, KeyPackageBundle, MlsMessageOut};
use openmls_traits::storage::StorageProvider as _;
use std::{collections::BTreeMap, time::Duration};

/// A last-resort key package is replaced when less than this is left of its life.
const RENEW_BEFORE: Duration = Duration::from_secs(42 * 86_400);
/// Secrets of key packages are kept this long past their end, for a Welcome that is still on its way.
const KEEP_AFTER: Duration = Duration::from_secs(7 * 86_400);

impl Engine {
    /// Makes key packages if the server has few: one-time ones up to `limits::KEY_PACKAGE_TARGET` per suite, and a
    /// last-resort one per suite. The effects publish them, and those of earlier calls that were not answered.
    pub fn replenish(&mut self, have: &KeyPackageCount, suites: &[u16], now: Timestamp) -> Result<Step, EngineError> {
        self.own()?;
        self.step(|engine, step| {
            engine.tidy_key_packages(now)?;
            let records = engine.key_package_records()?;
            let waiting = records.iter().filter(|r| r.unpublished.is_some() && !r.last_resort).count();
            let have_now = (have.one_time as usize).saturating_add(waiting);
            // The server counts over all suites; each gets its share.
            let target = KEY_PACKAGE_TARGET.min(MAX_KEY_PACKAGES / suites.len().max(1));
            let share = (target * suites.len()).saturating_sub(have_now).div_ceil(suites.len().max(1));
            for code in suites {
                suite(*code)?;
                // Below half: a trip per claimed key package would be waste.
                if have_now * 2 <= target * suites.len() {
                    for _ in 0..share {
                        engine.make_key_package(*code, false, now)?;
                    }
                }
                let fresh =
                    |r: &&KeyPackageRecord| r.suite == *code && r.last_resort && r.not_after > now + RENEW_BEFORE;
                let known = records.iter().any(|r| fresh(&r) && (r.unpublished.is_some() || have.last_resort));
                if !known {
                    engine.make_key_package(*code, true, now)?;
                }
            }
            step.effects.extend(engine.publish_key_packages()?);
            Ok(())
        })
    }

    /// The server has taken these key packages.
    pub fn key_packages_published(&mut self, published: &PublishKeyPackages) -> Result<Step, EngineError> {
        self.step(|engine, _| {
            for mut record in engine.key_package_records()? {
                let Some(bytes) = &record.unpublished else { continue };
                if published.one_time.contains(bytes) || published.last_resort.as_ref() == Some(bytes) {
                    record.unpublished = None;
                    engine.provider.store.put(key::key_package(record.reference.as_slice()), &record);
                }
            }
            Ok(())
        })
    }

    /// Requests that publish what the server doesn't have yet, one per suite.
    pub(super) fn publish_key_packages(&self) -> Result<Vec<Effect>, EngineError> {
        let mut requests: BTreeMap<u16, PublishKeyPackages> = BTreeMap::new();
        for record in self.key_package_records()? {
            let Some(bytes) = record.unpublished else { continue };
            let request = requests
                .entry(record.suite)
                .or_insert_with(|| PublishKeyPackages { suite: record.suite, ..PublishKeyPackages::default() });
            if record.last_resort {
                request.last_resort = Some(bytes);
            } else {
                request.one_time.push(bytes);
            }
        }
        Ok(requests.into_values().map(Effect::PublishKeyPackages).collect())
    }

    fn key_package_records(&self) -> Result<Vec<KeyPackageRecord>, EngineError> {
        self.provider.store.records(key::KEY_PACKAGES, "a key package")
    }

    fn make_key_package(&mut self, code: u16, last_resort: bool, now: Timestamp) -> Result<(), EngineError> {
        let own = self.own()?;
        let builder = KeyPackage::builder().leaf_node_capabilities(capabilities()).key_package_lifetime(lifetime(now));
        let builder = if last_resort { builder.mark_as_last_resort() } else { builder };
        let bundle =
            builder.build(suite(code)?, &self.provider, &own.key, own.credential()).map_err(EngineError::mls)?;
        let reference = bundle.key_package().hash_ref(&self.provider.crypto).map_err(EngineError::mls)?;
        let record = KeyPackageRecord {
            reference,
            suite: code,
            last_resort,
            not_after: lifetime_end(now),
            unpublished: Some(bytes_of(&MlsMessageOut::from(bundle))?),
        };
        self.provider.store.put(key::key_package(record.reference.as_slice()), &record);
        Ok(())
    }

    /// Forgets key packages that were used, and those that nobody can use any more.
    fn tidy_key_packages(&mut self, now: Timestamp) -> Result<(), EngineError> {
        for record in self.key_package_records()? {
            let kept: Result<Option<KeyPackageBundle>, _> = self.provider.store.key_package(&record.reference);
            let used = kept.is_ok_and(|bundle| bundle.is_none());
            if used || record.not_after + KEEP_AFTER < now {
                self.provider
                    .store
                    .delete_key_package(&record.reference)
                    .map_err(|_| EngineError::Damaged { what: "a key package" })?;
                self.provider.store.remove(&key::key_package(record.reference.as_slice()));
            }
        }
        Ok(())
    }
}
