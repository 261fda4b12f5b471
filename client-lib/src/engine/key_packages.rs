//! Key packages: what others need to add this device while it is away (RFC 9420 §10).

use super::{Engine, EngineError, Step};
use firstlight_protocol::{
    Timestamp,
    api::{KeyPackageCount, PublishKeyPackages},
};

impl Engine {
    /// Makes key packages if the server has few: one-time ones up to `limits::KEY_PACKAGE_TARGET` per suite, and a
    /// last-resort one per suite. The effects publish them.
    pub fn replenish(&mut self, _have: &KeyPackageCount, _suites: &[u16], _now: Timestamp) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }

    /// The server has taken these key packages.
    pub fn key_packages_published(&mut self, _published: &PublishKeyPackages) -> Result<Step, EngineError> {
        Err(EngineError::NotEnrolled)
    }
}
