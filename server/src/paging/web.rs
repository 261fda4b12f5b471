//! The HTTP client for addresses that people chose: it goes nowhere that the operator does not allow.

use super::address::{Allowed, PublicOnly};
use crate::{Error, Result, config::Paging};
use reqwest::{Client, redirect};

/// The client, and which addresses may be reached.
#[derive(Debug, Clone)]
pub struct Web {
    client: Client,
    allowed: Allowed,
}

impl Web {
    /// Sets it up.
    ///
    /// # Errors
    /// A defect, if the TLS library can't be set up.
    pub fn new(settings: &Paging) -> Result<Self> {
        let allowed = Allowed::new(&settings.webhook_allow);
        let client = Client::builder()
            // A redirect could lead to where the first address may not.
            .redirect(redirect::Policy::none())
            .timeout(settings.webhook_timeout_ms.into())
            .dns_resolver(PublicOnly(allowed.clone()))
            // A proxy from the environment would resolve names itself, past the check.
            .no_proxy()
            .pool_max_idle_per_host(8)
            .build()
            .map_err(|e| Error::internal(format!("web client: {e}")))?;
        Ok(Self { client, allowed })
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Which addresses may be reached.
    pub fn allowed(&self) -> &Allowed {
        &self.allowed
    }
}
