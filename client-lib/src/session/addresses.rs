//! Further addresses of the server, which it told: kept, so that a device that finds its server's own address dead still
//! knows where else to ask. A browser may speak to the page's own origin alone, and keeps none.

use super::{Session, SessionError, state::names};
use crate::transport::{ServerUrl, jitter};

/// As many as are kept, and how long one may be.
const MOST: usize = 16;
const LONGEST: usize = 256;

impl Session {
    /// Uses what was told before.
    pub(super) async fn recall_addresses(&self) -> Result<(), SessionError> {
        self.use_addresses(self.state.get(names::ADDRESSES).await?.unwrap_or_default()).await
    }

    /// Uses and keeps what the server tells.
    pub(super) async fn learn_addresses(&self, mut told: Vec<String>) -> Result<(), SessionError> {
        told.retain(|address| address.len() <= LONGEST);
        told.truncate(MOST);
        let known: Vec<String> = self.state.get(names::ADDRESSES).await?.unwrap_or_default();
        if known == told {
            return Ok(());
        }
        self.state.put(names::ADDRESSES, &told).await?;
        self.use_addresses(told).await
    }

    /// Those that this client would be set up with; http to another machine only where the person allowed that.
    async fn use_addresses(&self, addresses: Vec<String>) -> Result<(), SessionError> {
        let insecure = self.state.server().await?.is_some_and(|place| place.insecure);
        let usable = addresses.iter().filter_map(|address| ServerUrl::parse(address, insecure).ok()).collect();
        self.api.http().servers().learn(usable, jitter());
        Ok(())
    }
}
