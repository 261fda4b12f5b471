//! Redis of a test's own. It starts within a few hundredths of a second, so no two tests share one.

use super::Service;
use crate::process::Result;
use std::ops::{Deref, DerefMut};

/// A Redis that nobody else uses; killed when dropped. It keeps nothing over a restart.
#[derive(Debug)]
pub struct Redis(Service);

impl Redis {
    /// Starts one, and waits until it takes connections.
    ///
    /// # Errors
    /// If it does not; with what it wrote.
    pub fn start() -> Result<Self> {
        Ok(Self(Service::start("redis", None, "")?))
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://{}", self.0.address())
    }
}

impl Deref for Redis {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.0
    }
}

impl DerefMut for Redis {
    fn deref_mut(&mut self) -> &mut Service {
        &mut self.0
    }
}
