//! Bodies of the HTTP API under `/v1`, one module per part of the house. JSON; unknown fields in requests are refused.
//!
//! Every POST that matters is idempotent by an id that the client chooses (callout, action, message, invite, device):
//! sending the same body again gives the same answer and changes nothing.

mod attachments;
mod auth;
mod dispatch;
mod identity;
mod pages;
mod phone;
mod proof;
mod rooms;
mod rota;

pub use attachments::*;
pub use auth::*;
pub use dispatch::*;
pub use identity::*;
pub use pages::*;
pub use phone::*;
pub use proof::*;
pub use rooms::*;
pub use rota::*;

use crate::{id::OrgId, time::Timestamp};
use serde::{Deserialize, Serialize};

/// The level of this API. It rises with a change that an older client would come to harm by; a client carries the level
/// that it was built with.
pub const API_LEVEL: u32 = 1;
/// The lowest level of a client that this server still serves. Below it a client says that it is too old, and updates.
pub const MIN_CLIENT_LEVEL: u32 = 1;

/// `GET /v1/server`: what a client needs before it signs in. Public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServerInfo {
    /// The server's name for itself; part of what a device signs to sign in, so that a signature for one server is
    /// worthless at another.
    pub name: String,
    /// Version of the server.
    pub version: String,
    /// The level of its API ([`API_LEVEL`]).
    #[serde(default)]
    pub api_level: u32,
    /// The lowest level of a client that it still serves: one that was built with a lower one is too old.
    #[serde(default)]
    pub min_client_level: u32,
    /// The host organisation; absent while the server waits to be set up with its bootstrap token.
    pub host: Option<OrgId>,
    /// MLS ciphersuites that rooms may use, best first.
    pub suites: Vec<u16>,
    /// The server's clock.
    pub now: Timestamp,
}
